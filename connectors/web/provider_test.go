package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/platform/loopback"
)

// providerVersion is the npm package that plays the provider.
const providerVersion = "oidc-provider@9.13.3"

// startProvider runs a real OpenID provider whose access tokens live ttl seconds.
func startProvider(t *testing.T, ttl int) (issuer string) {
	t.Helper()
	node := server.Program(t, "node", "nodejs")
	npm := server.Program(t, "npm", "npm")
	home := cache(t, providerVersion, func(dir string) {
		server.Run(t, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, providerVersion)
	})
	port := strconv.Itoa(server.FreePort(t))
	script, err := filepath.Abs("testdata/provider.mjs")
	if err != nil {
		t.Fatal(err)
	}
	server.Start(t, exec.Command(node, script, port, strconv.Itoa(ttl), home), "127.0.0.1:"+port)
	return "http://127.0.0.1:" + port
}

// cache is a folder that make fills once; it is kept between runs.
func cache(t *testing.T, name string, make func(dir string)) string {
	t.Helper()
	base := os.Getenv("JACKFIELD_TEST_CACHE")
	if base == "" {
		base = filepath.Join(os.TempDir(), "jackfield-test-cache")
	}
	dir := filepath.Join(base, name)
	if _, err := os.Stat(filepath.Join(dir, "ready")); err == nil {
		return dir
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		t.Fatal(err)
	}
	part, err := os.MkdirTemp(base, "part-")
	if err != nil {
		t.Fatal(err)
	}
	make(part)
	server.WriteFile(t, part, "ready", "", 0o644)
	if err := os.Rename(part, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, again := os.Stat(filepath.Join(dir, "ready")); again != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loopbacks gives the world the program's real callback listener.
func loopbacks(w *conntest.World) {
	w.Env.Callback = func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
		return loopback.Listen(ctx, loopback.Options{Host: r.Host, Port: r.Port, Path: r.Path, State: r.State})
	}
}

var (
	formAction = regexp.MustCompile(`<form[^>]*action="([^"]+)"`)
	promptName = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
	abortLink  = regexp.MustCompile(`href="([^"]*/abort)"`)
)

// person signs in at the provider's development pages as a browser would:
// cookies, forms, redirects. refuse presses the link that aborts.
func person(refuse bool) connectors.Asker {
	return connectors.Asker{OpenURL: func(ctx context.Context, link string) error {
		go func() { _ = visit(context.WithoutCancel(ctx), link, refuse) }()
		return nil
	}}
}

func visit(ctx context.Context, link string, refuse bool) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	for range 6 {
		if err != nil {
			return err
		}
		var res *http.Response
		if res, err = client.Do(req); err != nil {
			return err
		}
		body, readErr := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if readErr != nil {
			return readErr
		}
		if m := abortLink.FindSubmatch(body); refuse && m != nil {
			req, err = http.NewRequestWithContext(ctx, http.MethodGet, resolve(res, string(m[1])), nil)
			continue
		}
		m := formAction.FindSubmatch(body)
		if m == nil {
			return nil
		}
		form := url.Values{"login": {"mira"}, "password": {"practice-only"}}
		if p := promptName.FindSubmatch(body); p != nil {
			form.Set("prompt", string(p[1]))
		}
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, resolve(res, string(m[1])), nil)
		if err == nil {
			req.Body = io.NopCloser(strings.NewReader(form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	return errors.New("the provider asks for ever")
}

func resolve(res *http.Response, ref string) string {
	u, err := res.Request.URL.Parse(ref)
	if err != nil {
		return ref
	}
	return u.String()
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	server.WriteFile(t, dir, name, text, 0o600)
}

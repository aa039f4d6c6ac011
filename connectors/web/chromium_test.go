package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// A browser is Chromium, driven over WebDriver (https://www.w3.org/TR/webdriver2/).
type browser struct {
	t    *testing.T
	base string
}

func startChromium(t *testing.T) *browser {
	t.Helper()
	driver := server.Program(t, "chromedriver", "chromium-driver")
	binary := server.Program(t, "chromium", "chromium")
	port := strconv.Itoa(server.FreePort(t))
	server.Start(t, exec.Command(driver, "--port="+port), "127.0.0.1:"+port)
	b := &browser{t: t, base: "http://127.0.0.1:" + port}
	var made struct {
		SessionID string `json:"sessionId"`
	}
	err := b.call(http.MethodPost, "/session", map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"goog:chromeOptions": map[string]any{"binary": binary, "args": []string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir()}},
	}}}, &made)
	if err != nil {
		t.Fatal(err)
	}
	b.base += "/session/" + made.SessionID
	t.Cleanup(func() { _ = b.call(http.MethodDelete, "", nil, nil) })
	return b
}

func (b *browser) call(method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequest(method, b.base+path, body)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	var reply struct{ Value json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&reply); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("webdriver %s: %s", path, reply.Value)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(reply.Value, out)
}

// do acts on the first element that the CSS selector finds, once it is there.
func (b *browser) do(selector, action string, in any) error {
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		var found map[string]string
		if err = b.call(http.MethodPost, "/element", map[string]string{"using": "css selector", "value": selector}, &found); err != nil {
			continue
		}
		for _, id := range found {
			if err = b.call(http.MethodPost, "/element/"+id+"/"+action, in, nil); err == nil {
				return nil
			}
		}
	}
	return errors.Join(fmt.Errorf("%s %s", action, selector), err)
}

func (b *browser) text() string {
	var out string
	_ = b.call(http.MethodPost, "/execute/sync", map[string]any{"script": "return document.body ? document.body.innerText : ''", "args": []any{}}, &out)
	return out
}

func (b *browser) signIn(link string) error {
	if err := b.call(http.MethodPost, "/url", map[string]string{"url": link}, nil); err != nil {
		return err
	}
	for _, step := range []struct {
		selector, action string
		in               any
	}{
		{`input[name=login]`, "value", map[string]string{"text": "mira"}},
		{`input[name=password]`, "value", map[string]string{"text": "practice-only"}},
		{`button[type=submit]`, "click", map[string]string{}},
		{`input[name=prompt][value=consent] ~ button, form:has(input[value=consent]) button`, "click", map[string]string{}},
	} {
		if err := b.do(step.selector, step.action, step.in); err != nil {
			return err
		}
	}
	return nil
}

// A person in a real browser signs in, consents, and reads where to go on.
func TestARealBrowserSignsIn(t *testing.T) {
	b := startChromium(t)
	issuer := startProvider(t, 600)
	w := newLinkWorld(t)
	signed := make(chan error, 1)
	w.Env.Ask.OpenURL = func(_ context.Context, link string) error {
		go func() { signed <- b.signIn(link) }()
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	go func() {
		if err := <-signed; err != nil {
			t.Errorf("%v\n%s", err, b.text())
			cancel()
		}
	}()
	s, err := OAuth().Open(ctx, w.Env, oauthSettings(issuer))
	if err != nil {
		t.Fatalf("%v\n%s", err, b.text())
	}
	defer func() { _ = s.Close() }()
	facts, err := s.Check(t.Context())
	if err != nil || facts[0] != (connectors.Fact{Label: "Account", Text: "mira"}) {
		t.Errorf("%v %v", facts, err)
	}
	var text string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && text == ""; time.Sleep(100 * time.Millisecond) {
		if now := b.text(); strings.Contains(now, "Jackfield") {
			text = now
		}
	}
	if !strings.Contains(text, "You may close this tab and return to Jackfield.") {
		t.Errorf("the page at the end says %q", text)
	}
}

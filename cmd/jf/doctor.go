package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"jackfield/platform/keychain"
	"jackfield/platform/loopback"
	"jackfield/platform/paths"
	"jackfield/platform/vault"
)

// version is set when a release is built.
var version = "dev"

type finding struct {
	Part string `json:"part"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

func (a *app) doctor() *cobra.Command {
	return &cobra.Command{Use: "doctor", Short: "What this machine offers: keychain, browser, proxy, folders", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		all := []finding{{"version", true, fmt.Sprintf("jf %s, %s, %s/%s", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)}}
		all = append(all, a.folder(), a.keys(cmd.Context()), callbackPort(cmd.Context()), openers(), proxy(), clock())
		bad := false
		for _, f := range all {
			bad = bad || !f.OK
		}
		if a.json {
			if err := a.document(all); err != nil {
				return err
			}
		} else {
			for _, f := range all {
				mark := "ok"
				if !f.OK {
					mark = "--"
				}
				_, _ = fmt.Fprintf(a.out, "%-3s %-12s %s\n", mark, f.Part, f.Text)
			}
		}
		if bad {
			return exit{exitSaidNo}
		}
		return nil
	}}
}

func (a *app) folder() finding {
	dir, err := paths.Data()
	if err == nil {
		err = paths.Private(dir)
	}
	if err != nil {
		return finding{"data folder", false, err.Error()}
	}
	return finding{"data folder", true, dir}
}

func (a *app) keys(ctx context.Context) finding {
	switch kind := os.Getenv("JACKFIELD_KEYCHAIN"); kind {
	case "passphrase", "memory":
		return finding{"keychain", true, "not used: JACKFIELD_KEYCHAIN is " + kind}
	}
	ctx, cancel := context.WithTimeout(ctx, keychain.Patience)
	defer cancel()
	_, err := keychain.NewSystem(vault.ErrNoKey).Key(ctx, false)
	switch err {
	case nil:
		return finding{"keychain", true, "the system's keychain holds Jackfield's key"}
	case vault.ErrNoKey:
		return finding{"keychain", true, "the system's keychain answers; Jackfield's key is made with the first secret"}
	}
	return finding{"keychain", false, err.Error() + "; JACKFIELD_KEYCHAIN=passphrase uses a passphrase instead"}
}

func callbackPort(ctx context.Context) finding {
	l, err := loopback.Listen(ctx, loopback.Options{State: "doctor"})
	if err != nil {
		return finding{"sign-in port", false, err.Error()}
	}
	defer func() { _ = l.Close() }()
	return finding{"sign-in port", true, "the browser can come back to 127.0.0.1"}
}

func openers() finding {
	if b := os.Getenv("BROWSER"); b != "" {
		return finding{"browser", true, "BROWSER is " + b}
	}
	for _, p := range []string{"xdg-open", "x-www-browser", "www-browser", "open", "rundll32"} {
		if path, err := exec.LookPath(p); err == nil {
			return finding{"browser", true, path}
		}
	}
	return finding{"browser", false, "no program opens links here; they are shown to copy instead"}
}

func proxy() finding {
	u, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: "example.com"}})
	switch {
	case err != nil:
		return finding{"proxy", false, "HTTPS_PROXY is no proxy's address"}
	case u == nil:
		return finding{"proxy", true, "none"}
	}
	return finding{"proxy", true, u.Redacted()}
}

func clock() finding {
	now := time.Now()
	// A computer that thinks it is before this program's making rejects every certificate.
	if now.Year() < 2026 {
		return finding{"clock", false, "it says " + now.Format(time.DateOnly) + ", which cannot be"}
	}
	return finding{"clock", true, now.Format("2006-01-02 15:04:05 -07:00")}
}

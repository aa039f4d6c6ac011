package loopback

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func listen(t *testing.T) *Listener {
	t.Helper()
	l, err := Listen(t.Context(), Options{State: "right-state"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// ask sends one request line by hand, so that nothing is normalized on the way.
func ask(t *testing.T, l *Listener, method, target, host string) (status int, header, body string) {
	t.Helper()
	u, err := url.Parse(l.RedirectURI())
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if host == "" {
		host = u.Host
	}
	if _, err := fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, target, host); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, fmt.Sprint(r.Header), string(data)
}

func TestSecurity01_OnlyLoopbackIsBound(t *testing.T) {
	l := listen(t)
	u, _ := url.Parse(l.RedirectURI())
	if u.Hostname() != "127.0.0.1" {
		t.Errorf("bound %s", u.Hostname())
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		ip, _, err := net.ParseCIDR(a.String())
		if err != nil || ip.IsLoopback() || ip.To4() == nil {
			continue
		}
		if c, err := net.DialTimeout("tcp", net.JoinHostPort(ip.String(), u.Port()), time.Second); err == nil {
			_ = c.Close()
			t.Errorf("reachable through %s", ip)
		}
	}
	if _, err := net.Listen("tcp", u.Host); err == nil {
		t.Error("the port is not kept")
	}
	if _, err := Listen(t.Context(), Options{Host: "evil.example", State: "s"}); err == nil {
		t.Error("a foreign callback host is accepted")
	}
	if v6, err := Listen(t.Context(), Options{Host: "[::1]", State: "s"}); err == nil {
		if !strings.HasPrefix(v6.RedirectURI(), "http://[::1]:") {
			t.Errorf("%s", v6.RedirectURI())
		}
		_ = v6.Close()
	}
}

func TestSecurity03_OnlyTheRightCallbackEndsTheWait(t *testing.T) {
	l := listen(t)
	wrong := []struct{ method, target, host string }{
		{"GET", "/favicon.ico", ""},
		{"GET", "/callback?code=c&state=wrong", ""},
		{"GET", "/callback?code=c", ""},
		{"GET", "/callback?code=c&state=right-state", "evil.example"},
		{"GET", "/callback/?code=c&state=right-state", ""},
		{"GET", "/%63allback?code=c&state=right-state", ""},
		{"POST", "/callback?code=c&state=right-state", ""},
		{"GET", "/callback?state=right-state", ""},
		{"GET", "/callback?code=c&error=access_denied&state=right-state", ""},
	}
	for range 112 {
		for _, w := range wrong {
			if status, _, _ := ask(t, l, w.method, w.target, w.host); status < 400 || status >= 500 {
				t.Fatalf("%s %s: status %d", w.method, w.target, status)
			}
		}
	}
	if status, _, body := ask(t, l, "GET", "/callback?code=the-code&state=right-state", ""); status != 200 || !strings.Contains(body, "return to Jackfield") {
		t.Fatalf("status %d: %s", status, body)
	}
	got, err := l.Wait(t.Context())
	if err != nil || got.Get("code") != "the-code" {
		t.Errorf("%v %v", got, err)
	}
	if status, _, _ := ask(t, l, "GET", "/callback?code=the-code&state=right-state", ""); status != http.StatusGone {
		t.Errorf("a replay gets %d", status)
	}
}

func TestSecurity04_ThePageEscapesAndIsNotKept(t *testing.T) {
	l := listen(t)
	bad := url.QueryEscape(`<script>alert(1)</script>`)
	_, header, body := ask(t, l, "GET", "/callback?error="+bad+"&error_description="+bad+"&state=right-state", "")
	if strings.Contains(body, "<script") || !strings.Contains(body, "&lt;script&gt;") {
		t.Errorf("not escaped: %s", body)
	}
	for _, want := range []string{"default-src 'none'", "no-store", "nosniff", "no-referrer"} {
		if !strings.Contains(header, want) {
			t.Errorf("no %s in %s", want, header)
		}
	}
	if got, err := l.Wait(t.Context()); err != nil || got.Get("error") == "" {
		t.Errorf("an error of the provider does not end the wait: %v %v", got, err)
	}
}

func TestSecurity07_DuplicatesSizeAndNUL(t *testing.T) {
	l := listen(t)
	for name, target := range map[string]string{
		"two codes":  "/callback?code=a&code=b&state=right-state",
		"two states": "/callback?code=a&state=right-state&state=right-state",
		"long":       "/callback?code=" + strings.Repeat("x", maxQuery) + "&state=right-state",
		"NUL":        "/callback?code=a%00b&state=right-state",
		"broken":     "/callback?code=%zz&state=right-state",
	} {
		if status, _, _ := ask(t, l, "GET", target, ""); status < 400 || status >= 500 {
			t.Errorf("%s: status %d", name, status)
		}
	}
}

func TestSecurity19_CancelFreesEverything(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for range 100 {
		l, err := Listen(t.Context(), Options{State: "s"})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Wait(ctx); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		u, _ := url.Parse(l.RedirectURI())
		again, err := net.Listen("tcp", u.Host)
		if err != nil {
			t.Fatalf("the port is still taken: %v", err)
		}
		_ = again.Close()
	}
}

func TestSecurity04_WhatActsIsReplaced(t *testing.T) {
	l := listen(t)
	_, _, body := ask(t, l, "GET", "/callback?error=denied&error_description="+url.QueryEscape("gpj.\u202eexe\x1b[31m\x07")+"&state=right-state", "")
	if strings.ContainsAny(body, "\u202e\x1b\x07") || !strings.Contains(body, "gpj.") {
		t.Errorf("%q", body)
	}
}

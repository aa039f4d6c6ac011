// Package loopback receives the browser at the end of an OAuth sign-in
// (RFC 8252 section 7.3).
package loopback

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// maxQuery bounds what a provider may send back.
const maxQuery = 8 << 10

// Options say where to listen and what to expect.
type Options struct {
	Host  string // as it stands in the redirect URI: "127.0.0.1" (default), "localhost" or "[::1]"
	Port  int    // 0 for any free one
	Path  string // "/callback" when empty
	State string // the only state that ends the wait
}

// A Listener holds its socket from the moment in which the redirect URI is
// known until the callback has come, so that nobody else can take the port.
type Listener struct {
	uri    string
	host   string
	path   string
	state  string
	server *http.Server
	ended  chan struct{}

	once   sync.Once
	got    chan url.Values
	closed sync.Once
}

// ErrPath is returned for a path that cannot be matched exactly.
var ErrPath = errors.New("a callback path begins with / and has no query")

// Listen binds a literal loopback address, never a name or all interfaces.
func Listen(ctx context.Context, o Options) (*Listener, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Path == "" {
		o.Path = "/callback"
	}
	if !strings.HasPrefix(o.Path, "/") || strings.ContainsAny(o.Path, "?#\r\n") {
		return nil, ErrPath
	}
	if o.State == "" {
		return nil, errors.New("a callback needs a state")
	}
	addrs := []string{"127.0.0.1"}
	switch o.Host {
	case "127.0.0.1":
	case "localhost":
		addrs = append(addrs, "::1") // a machine without IPv4 resolves it to ::1
	case "[::1]":
		addrs = []string{"::1"}
	default:
		return nil, fmt.Errorf("the callback host %q is not this machine", o.Host)
	}
	var l net.Listener
	var err error
	for _, addr := range addrs {
		lc := net.ListenConfig{Control: exclusive}
		if l, err = lc.Listen(ctx, "tcp", net.JoinHostPort(addr, strconv.Itoa(o.Port))); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("callback listener: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &Listener{host: o.Host + ":" + port, path: o.Path, state: o.State, got: make(chan url.Values, 1), ended: make(chan struct{})}
	s.uri = "http://" + s.host + o.Path
	s.server = &http.Server{
		Handler: http.HandlerFunc(s.serve), MaxHeaderBytes: 32 << 10,
		ErrorLog:          log.New(io.Discard, "", 0), // it would print what strangers send
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
	}
	s.server.SetKeepAlivesEnabled(false)
	go func() {
		defer close(s.ended)
		_ = s.server.Serve(l)
	}()
	return s, nil
}

// RedirectURI is what to register with, and send to, the provider.
func (l *Listener) RedirectURI() string { return l.uri }

// Wait returns the query of the callback with the right state: a code, or an
// error such as access_denied. It returns ctx's error when that ends first.
func (l *Listener) Wait(ctx context.Context) (url.Values, error) {
	select {
	case v := <-l.got:
		return v, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.ended:
		return nil, errors.New("the callback listener was closed")
	}
}

// Close frees the port. The page that is being shown is finished first.
func (l *Listener) Close() error {
	var err error
	l.closed.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		defer cancel()
		if err = l.server.Shutdown(ctx); err != nil {
			err = l.server.Close()
		}
		<-l.ended
	})
	return err
}

func (l *Listener) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src '"+styleHash+"'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	query, refused := l.judge(r)
	if refused != 0 {
		http.Error(w, http.StatusText(refused), refused)
		return
	}
	first := false
	l.once.Do(func() { first = true })
	if !first {
		http.Error(w, "This sign-in is over already.", http.StatusGone)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	text := page{Title: "You are signed in", Text: "You may close this tab and return to Jackfield."}
	if code := query.Get("error"); code != "" {
		text = page{Title: "The sign-in was not completed", Text: "Return to Jackfield: it says what to do next.", Said: clip(code + " " + query.Get("error_description"))}
	}
	_, _ = io.WriteString(w, text.html())
	l.got <- query
}

// judge returns the query of the one right callback, or the status to refuse with.
func (l *Listener) judge(r *http.Request) (url.Values, int) {
	switch {
	case r.Host != l.host:
		return nil, http.StatusMisdirectedRequest
	case r.URL.Path != l.path || r.URL.RawPath != "":
		return nil, http.StatusNotFound
	case r.Method != http.MethodGet:
		return nil, http.StatusMethodNotAllowed
	case len(r.URL.RawQuery) > maxQuery:
		return nil, http.StatusRequestURITooLong
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, http.StatusBadRequest
	}
	for key, values := range query {
		if strings.ContainsRune(key+strings.Join(values, ""), 0) {
			return nil, http.StatusBadRequest
		}
		if len(values) > 1 { // RFC 6749 section 3.1: no parameter more than once
			return nil, http.StatusBadRequest
		}
	}
	if subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(l.state)) != 1 {
		return nil, http.StatusForbidden
	}
	if (query.Get("code") == "") == (query.Get("error") == "") {
		return nil, http.StatusBadRequest
	}
	return query, 0
}

// clip also replaces what would act instead of being seen: control characters
// and the marks that turn the direction of writing.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.TrimSpace(s))
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}

type page struct{ Title, Text, Said string }

// html is written by hand: html/template looks methods up by name, which makes
// the linker keep every exported method of the whole program.
func (p page) html() string {
	said := ""
	if p.Said != "" {
		said = "<p>" + html.EscapeString(p.Said) + "</p>"
	}
	title := html.EscapeString(p.Title)
	return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>` + title + ` – Jackfield</title><style>` + style + `</style></head><body><main><h1>` +
		title + `</h1><p>` + html.EscapeString(p.Text) + `</p>` + said + "</main></body></html>\n"
}

const style = `body{font:16px/1.5 system-ui,sans-serif;background:#f4f5f7;color:#1b1f24;display:grid;place-items:center;min-height:90vh;margin:0}main{background:#fff;border:1px solid #e4e7eb;border-radius:12px;padding:40px 48px;max-width:30em}h1{font-size:20px;margin:0 0 8px}p{margin:0;color:#545c66}p+p{margin-top:16px;font:13px ui-monospace,monospace}@media(prefers-color-scheme:dark){body{background:#16181b;color:#e6e8eb}main{background:#1f2226;border-color:#2c3036}p{color:#a9b0ba}}`

// styleHash lets this one style through the policy, and nothing injected.
var styleHash = func() string {
	sum := sha256.Sum256([]byte(style))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}()

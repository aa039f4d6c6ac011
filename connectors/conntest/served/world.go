package served

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// A World is where one service stands behind its vendor's names.
type World struct {
	CA string // PEM; what its certificates come from

	s    Service
	h    *handler
	addr string
	key  *rsa.PrivateKey
	pem  string

	mu    sync.Mutex
	moved map[string]string // a fixed port of the redirect URI, and where is listened instead
}

// Start serves s until the test ends.
func Start(tb testing.TB, s Service) *World {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	ca := server.NewCA(tb)
	h := &handler{s: s, oauth: &authority{c: s.OAuth, key: &key.PublicKey}}
	names := slices.Clone(s.Hosts)
	if s.OAuth.Host != "" {
		names = append(names, s.OAuth.Host)
	}
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(tb, server.Cert{Names: names}).TLS(tb)}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	tb.Cleanup(srv.Close)
	w := &World{CA: ca.PEM, s: s, h: h, addr: srv.Listener.Addr().String(), key: key, pem: pemOf(key)}
	w.Play(Well, s.Ways[0])
	return w
}

func pemOf(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// Play puts the service into a mode, for somebody who signs in that way.
func (w *World) Play(m Mode, way Way) { w.h.set(m, way) }

// Requests are what was asked since Play, as "GET host/path?query".
func (w *World) Requests() []string { return w.h.requests() }

// Revoked is how often a token was taken back.
func (w *World) Revoked() int {
	w.h.oauth.mu.Lock()
	defer w.h.oauth.mu.Unlock()
	return w.h.oauth.revoked
}

// Settings are a way's answers, with plain and secret ones put in their place.
func (w *World) Settings(way Way, plain, secrets map[string]string) connectors.Settings {
	s := connectors.NewSettings()
	for _, m := range []map[string]string{way.Plain, plain} {
		for k, v := range m {
			s.Plain[k] = v
		}
	}
	for _, m := range []map[string]string{way.Secrets, secrets} {
		for k, v := range m {
			s.Secrets[k] = connectors.NewSecret(w.made(v))
		}
	}
	return s
}

func (w *World) made(v string) string {
	key := w.pem
	switch v {
	case "$rsa":
		return w.pem
	case "$rsa other":
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return ""
		}
		return pemOf(other)
	case "$google", "$google deleted":
		if v != "$google" {
			other, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				return ""
			}
			key = pemOf(other)
		}
		return string(encode(map[string]string{"type": "service_account", "project_id": "practice", "private_key_id": "1", "private_key": key,
			"client_email": "reader@practice.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token"}))
	}
	return v
}

// Stands reports whether a host is one of the service's.
func (w *World) Stands(host string) bool {
	return slices.Contains(w.s.Hosts, host) || host == w.s.OAuth.Host
}

// Within makes env reach the service under its vendor's names; any other name
// that is not this computer's cannot be looked up.
func (w *World) Within(env *connectors.Env) {
	dial, client := env.Dial, env.HTTP
	env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if w.Stands(host) {
			return dial(ctx, network, w.addr)
		}
		if net.ParseIP(host) != nil || host == "localhost" {
			return dial(ctx, network, addr)
		}
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		return nil, env.Climb(ctx, connectors.StageResolve, host, func(context.Context) (string, error) { return "", err })
	}
	env.HTTP = func(spec connectors.HTTP) (*http.Client, error) {
		if spec.CA == "" {
			spec.CA = w.CA
		}
		return client(spec)
	}
	if listen := env.Callback; listen != nil {
		env.Callback = func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
			return w.callback(ctx, r, listen)
		}
	}
	env.Ask.OpenURL = func(ctx context.Context, link string) error {
		go w.browse(context.WithoutCancel(ctx), link)
		return nil
	}
	env.Ask.ShowCode = func(context.Context, connectors.DeviceCode) error { return nil }
}

type listener = func(context.Context, connectors.CallbackRequest) (connectors.Callback, error)

// callback listens on a free port where a fixed one is asked for: several
// services want the same, and are played at the same time. The browser is led
// there, and the redirect URI is the one that was asked for.
func (w *World) callback(ctx context.Context, r connectors.CallbackRequest, listen listener) (connectors.Callback, error) {
	fixed := strconv.Itoa(r.Port)
	if r.Port == 0 {
		return listen(ctx, r)
	}
	r.Port = 0
	back, err := listen(ctx, r)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(back.RedirectURI())
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moved = map[string]string{fixed: u.Port()}
	u.Host = net.JoinHostPort(u.Hostname(), fixed)
	return movedCallback{back, u.String()}, nil
}

type movedCallback struct {
	connectors.Callback
	uri string
}

func (m movedCallback) RedirectURI() string { return m.uri }

// led leads the browser to where is listened instead.
func (w *World) led(req *http.Request, _ []*http.Request) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := w.moved[req.URL.Port()]; at != "" && !w.Stands(req.URL.Hostname()) {
		req.URL.Host = net.JoinHostPort(req.URL.Hostname(), at)
	}
	return nil
}

// browse is the person's browser: it follows wherever it is sent.
func (w *World) browse(ctx context.Context, link string) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(w.CA))
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(addr)
		if w.Stands(host) {
			addr = w.addr
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return
	}
	res, err := (&http.Client{Transport: t, CheckRedirect: w.led}).Do(req)
	if err == nil {
		_ = res.Body.Close()
	}
}

// Package httpx makes the HTTP clients that every web connection uses, and
// sends requests with every bound that a hostile server calls for.
package httpx

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpproxy"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// The bounds of one exchange.
const (
	whole       = 60 * time.Second
	handshake   = 15 * time.Second
	headerBytes = 128 << 10
	redirects   = 10
)

// New returns a client that dials through env.Dial, verifies with spec's TLS
// answers, shows the TLS handshake as a rung on env, and follows redirects only
// within the origin: to another one no credential may go, and which header is
// one only the service knows. A redirect that is not followed comes back as the
// response. Errors are *connectors.Error naming the field.
func New(env *connectors.Env, spec connectors.HTTP) (*http.Client, error) {
	cfg, err := tlsx.Config(spec.TLS, "")
	if err != nil {
		return nil, err
	}
	proxy, err := proxyOf(spec)
	if err != nil {
		return nil, err
	}
	t := &tripper{env: env}
	if len(cfg.Certificates) == 0 && cfg.GetClientCertificate == nil {
		cfg.GetClientCertificate = t.noCertificate
	}
	t.inner = &http.Transport{
		DialContext: t.dial, TLSClientConfig: cfg, ForceAttemptHTTP2: !spec.HTTP1,
		Proxy:                  proxy,
		TLSHandshakeTimeout:    handshake,
		MaxResponseHeaderBytes: headerBytes,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    4,
	}
	out := &http.Client{Transport: t, Timeout: whole, CheckRedirect: within}
	if spec.Timeout > 0 {
		out.Timeout = spec.Timeout
	}
	if spec.NoRedirects {
		out = WithoutRedirects(out)
	}
	return out, nil
}

// proxyOf is the proxy that the answers name, or the environment's
// (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
func proxyOf(spec connectors.HTTP) (func(*http.Request) (*url.URL, error), error) {
	switch spec.Proxy {
	case "":
		proxy := httpproxy.FromEnvironment().ProxyFunc()
		return func(r *http.Request) (*url.URL, error) { return proxy(r.URL) }, nil
	case "direct":
		return nil, nil
	}
	u, err := url.Parse(spec.Proxy)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "proxy", Said: "a proxy's address is needed, such as http://proxy.example.com:3128"}
	}
	if spec.ProxyUser != "" {
		u.User = url.UserPassword(spec.ProxyUser, spec.ProxyPassword.Reveal())
	}
	return http.ProxyURL(u), nil
}

// WithoutRedirects is client for requests that carry a secret in their body.
func WithoutRedirects(client *http.Client) *http.Client {
	out := *client
	out.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &out
}

// Proxy is the proxy that a request to target goes through, "" for none. Its
// password is not in it.
func Proxy(target string) string {
	u, err := url.Parse(target)
	if err != nil {
		return ""
	}
	p, err := httpproxy.FromEnvironment().ProxyFunc()(u)
	if err != nil || p == nil {
		return ""
	}
	return p.Scheme + "://" + p.Host
}

// Origin is scheme, host and port, with the port always named (RFC 6454).
func Origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), port)
}

func within(req *http.Request, via []*http.Request) error {
	if len(via) >= redirects || Origin(req.URL) != Origin(via[0].URL) {
		return http.ErrUseLastResponse
	}
	return nil
}

type tripper struct {
	env      *connectors.Env
	inner    *http.Transport
	asked    atomic.Bool // a server wanted a client certificate, and there is none
	answered atomic.Bool // there was an answer all the same
}

// noCertificate notes that one is asked for. In TLS 1.3 the refusal comes after
// the handshake, and often only as a closed connection.
func (t *tripper) noCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	t.asked.Store(true)
	return &tls.Certificate{}, nil
}

// uncertified reports whether err can only be a server that insists on a client
// certificate. net/http has no type for a connection that HTTP/2 could not begin on.
func (t *tripper) uncertified(err error) bool {
	return t.asked.Load() && !t.answered.Load() &&
		(connectors.Classify(err).Reason == "connect.closed" || strings.Contains(err.Error(), "http2: client conn could not be established"))
}

// A trip is one request's way to its connection.
type trip struct {
	ctx   context.Context
	host  string
	mu    sync.Mutex
	began time.Time // of the handshake
	stop  func() bool
}

type tripKey struct{}

// CloseIdleConnections lets http.Client reach the transport's.
func (t *tripper) CloseIdleConnections() { t.inner.CloseIdleConnections() }

func (t *tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	way := &trip{ctx: req.Context(), host: req.URL.Hostname()}
	ctx := context.WithValue(req.Context(), tripKey{}, way)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeStart: func() { t.secure(way) },
		TLSHandshakeDone:  func(s tls.ConnectionState, err error) { t.secured(way, tlsx.Describe(s), err) },
	})
	res, err := t.inner.RoundTrip(req.WithContext(ctx))
	if err == nil {
		t.answered.Store(true)
		return res, nil
	}
	if t.secured(way, "", err) {
		return nil, handshakeError(way, err)
	}
	if req.Context().Err() == nil && t.uncertified(err) {
		return nil, &connectors.Error{Code: connectors.AuthFailed, Reason: "tls.client_cert", Op: connectors.StageSecure, Target: way.host, Field: "client_cert", Err: err}
	}
	return nil, err
}

func (t *tripper) secure(way *trip) {
	way.mu.Lock()
	way.began = time.Now()
	way.mu.Unlock()
	t.step(connectors.Step{Stage: connectors.StageSecure, Text: way.host})
}

// secured ends the rung once; it reports whether the handshake was still going on.
func (t *tripper) secured(way *trip, text string, err error) bool {
	way.mu.Lock()
	began := way.began
	way.began = time.Time{}
	if way.stop != nil && err == nil {
		way.stop()
	}
	way.mu.Unlock()
	if began.IsZero() {
		return false
	}
	step := connectors.Step{Stage: connectors.StageSecure, Done: true, Text: text, Elapsed: time.Since(began)}
	if err != nil {
		step.Text, step.Err = way.host, handshakeError(way, err)
	}
	t.step(step)
	return true
}

func handshakeError(way *trip, err error) error {
	if ended := way.ctx.Err(); ended != nil {
		code := connectors.Cancelled
		if errors.Is(context.Cause(way.ctx), context.DeadlineExceeded) {
			code = connectors.TimedOut
		}
		return &connectors.Error{Code: code, Op: connectors.StageSecure, Target: way.host, Err: err}
	}
	found := *connectors.Classify(err)
	found.Op = connectors.StageSecure
	if found.Target == "" {
		found.Target = way.host
	}
	return &found
}

func (t *tripper) step(s connectors.Step) {
	if t.env != nil && t.env.Step != nil {
		t.env.Step(s)
	}
}

// dial ends with the request that asked for it: http.Transport would let it,
// and the handshake after it, go on for others that may never come.
func (t *tripper) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	way, ok := ctx.Value(tripKey{}).(*trip)
	if !ok {
		return t.env.Dial(ctx, network, addr)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer context.AfterFunc(way.ctx, func() { cancel(context.Cause(way.ctx)) })()
	conn, err := t.env.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	way.mu.Lock()
	way.stop = context.AfterFunc(way.ctx, func() {
		way.mu.Lock()
		unfinished := !way.began.IsZero()
		way.mu.Unlock()
		if unfinished {
			_ = conn.Close()
		}
	})
	way.mu.Unlock()
	return conn, nil
}

// Package ntlmx signs in to web services with NTLM (MS-NTHT, MS-NLMP).
package ntlmx

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"unicode"

	"github.com/Azure/go-ntlmssp"

	"jackfield/connectors"
	"jackfield/connectors/internal/challenge"
)

const (
	maxName  = 256 // runes, as Active Directory's longest name has
	attempts = 2   // at three legs on one connection
)

var errChallenge = errors.New("ntlm: the server's challenge cannot be read")

// New returns a tripper that signs requests to origin ("https://host[:port]")
// in; requests to any other one pass through inner as they are.
//
// The user is DOMAIN\user, user@domain, or user with the domain apart, which
// may be empty; the domain of DOMAIN\user goes before the other. Answers are
// NTLMv2 alone. Nothing is sent before the server asked for NTLM (or Negotiate,
// where it takes NTLM in that), nothing at all to one that asks for Basic alone,
// and an Authorization of the request's own is dropped. Signing, channel
// bindings and proxies that want NTLM are not spoken.
//
// NTLM signs a TCP connection in, so inner must speak HTTP/1.1
// (connectors.HTTP.HTTP1), keep connections alive, and be used for nothing else,
// or others' requests would ride on the signed-in connection. Requests to origin
// go one after the other: the next begins when the body of the last was read to
// its end or closed. CloseIdleConnections signs out.
//
// A refused password is the server's 401. Errors of the tripper's own are
// *connectors.Error with the fields user and password.
func New(inner http.RoundTripper, domain, user string, password connectors.Secret, origin string) http.RoundTripper {
	return &transport{
		inner: inner, name: account(domain, user), password: password,
		origin: challenge.Origin(origin), turn: make(chan struct{}, 1),
	}
}

// account is the name as go-ntlmssp takes it apart: DOMAIN\user or user@domain.
func account(domain, user string) string {
	domain, user = strings.TrimSpace(domain), strings.TrimSpace(user)
	if domain == "" || user == "" || strings.ContainsAny(user, `\@`) {
		return user
	}
	return domain + `\` + user
}

type transport struct {
	inner    http.RoundTripper
	name     string
	password connectors.Secret
	origin   string
	turn     chan struct{} // holds one item during a request
}

// CloseIdleConnections lets http.Client reach the inner transport's.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.inner.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !challenge.Within(t.origin, req.URL) {
		return t.inner.RoundTrip(req)
	}
	again, err := challenge.Replay(req)
	if err != nil {
		return nil, err
	}
	if err := t.answered(); err != nil {
		return nil, err
	}
	select {
	case t.turn <- struct{}{}:
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	var once sync.Once
	done := func() { once.Do(func() { <-t.turn }) }
	res, err := t.exchange(req, again)
	if err != nil {
		done()
		return nil, err
	}
	res.Request = req
	if res.Body == http.NoBody || res.StatusCode == http.StatusSwitchingProtocols {
		done()
		return res, nil
	}
	res.Body = &body{ReadCloser: res.Body, done: done}
	return res, nil
}

// answered checks what New was given before anything goes out. An empty
// password would be an anonymous or a guest's sign-in.
func (t *transport) answered() error {
	wrong := &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm}
	domain, user, split := strings.Cut(t.name, `\`)
	if !split {
		domain, user = "", t.name
	}
	switch {
	case user == "" || strings.Contains(user, `\`) || len(domain)+len(user) > maxName || strings.ContainsFunc(t.name, unicode.IsControl):
		wrong.Reason, wrong.Field = "ntlm.user", "user"
	case t.password.Empty():
		wrong.Reason, wrong.Field = "ntlm.password_missing", "password"
	default:
		return nil
	}
	return wrong
}

// exchange asks without credentials, as the connection may be signed in
// already, and signs in where the server says so.
func (t *transport) exchange(req *http.Request, again func() (*http.Request, error)) (*http.Response, error) {
	first, err := again()
	if err != nil {
		return nil, err
	}
	res, err := t.inner.RoundTrip(first)
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		return res, err
	}
	scheme := offered(res.Header)
	if scheme == "" {
		return res, nil
	}
	challenge.Discard(res)
	for range attempts {
		res, same, err := t.handshake(req, again, scheme)
		if err != nil || same || res.StatusCode != http.StatusUnauthorized {
			return res, err
		}
		challenge.Discard(res)
	}
	return nil, t.fail(connectors.Refused, "ntlm.connection", nil)
}

// handshake is NEGOTIATE, CHALLENGE and AUTHENTICATE of MS-NLMP section 1.3.1.1.
// It reports whether all went over one connection.
func (t *transport) handshake(req *http.Request, again func() (*http.Request, error), scheme string) (res *http.Response, same bool, err error) {
	hello, err := ntlmssp.NewNegotiateMessage("", "")
	if err != nil {
		return nil, false, t.fail(connectors.Refused, "ntlm.challenge", err)
	}
	first, err := again()
	if err != nil {
		return nil, false, err
	}
	// The body goes with the last leg alone: this one will be refused, and a
	// server that refuses before it has read a large body closes the connection.
	empty(first)
	res, asked, err := t.leg(first, scheme, hello)
	if err != nil {
		return nil, false, err
	}
	token, _ := challenge.Offered(res.Header, scheme)
	if res.StatusCode != http.StatusUnauthorized && (req.Body == nil || req.Body == http.NoBody) {
		return res, true, nil // it wanted nothing more
	}
	challenge.Discard(res)
	said, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(said) == 0 {
		return nil, false, t.fail(connectors.Unsupported, "ntlm.not_spoken", err)
	}
	proof, err := t.prove(said)
	if err != nil {
		return nil, false, t.fail(connectors.Refused, "ntlm.challenge", err)
	}
	last, err := again()
	if err != nil {
		return nil, false, err
	}
	res, answered, err := t.leg(last, scheme, proof)
	return res, asked == answered, err
}

// leg sends one message and tells over which connection it went last.
func (t *transport) leg(req *http.Request, scheme string, message []byte) (*http.Response, net.Conn, error) {
	var mu sync.Mutex
	var conn net.Conn
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		mu.Lock()
		conn = i.Conn
		mu.Unlock()
	}})
	req = req.WithContext(ctx)
	req.Header.Set("Authorization", scheme+" "+base64.StdEncoding.EncodeToString(message))
	res, err := t.inner.RoundTrip(req)
	mu.Lock()
	defer mu.Unlock()
	return res, conn, err
}

// prove answers the challenge. The password is read from where it was kept for
// as long as this takes.
func (t *transport) prove(said []byte) (proof []byte, err error) {
	defer func() {
		if recover() != nil {
			proof, err = nil, errChallenge
		}
	}()
	return ntlmssp.NewAuthenticateMessage(said, t.name, t.password.Reveal(), nil)
}

func (t *transport) fail(code connectors.Code, reason string, err error) error {
	_, host, _ := strings.Cut(t.origin, "://")
	return &connectors.Error{Code: code, Reason: reason, Op: connectors.StageSignIn, Target: host, Err: err}
}

// offered is the scheme to answer with. Windows takes NTLM in both.
func offered(h http.Header) string {
	for _, scheme := range []string{"NTLM", "Negotiate"} {
		if _, ok := challenge.Offered(h, scheme); ok {
			return scheme
		}
	}
	return ""
}

func empty(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
		req.Body = http.NoBody
	}
	req.ContentLength, req.GetBody, req.TransferEncoding = 0, nil, nil
	req.Header.Del("Expect")
}

// A body lets the next request begin once it is read or closed.
type body struct {
	io.ReadCloser
	done func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.done()
	}
	return n, err
}

func (b *body) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

package connectors

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Env is all that a connector may use of the world outside; tests pass a fake
// one (see conntest.Env). A nil func means that the thing cannot be had; use
// the methods, which handle that.
type Env struct {
	// Dial connects through the chosen reach. It climbs the rungs resolve and
	// connect itself, and its errors are classified.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// HTTP returns a client that dials through Dial, verifies with the TLS answers,
	// follows redirects only within the origin, and never forwards credentials to
	// another one.
	HTTP func(HTTP) (*http.Client, error)
	Ask  Asker
	// Callback opens the loopback listener of an OAuth flow; nil where none can be had.
	Callback func(ctx context.Context, r CallbackRequest) (Callback, error)
	// Keep stores a secret that the server issued or that the user trusted; it
	// is durable when Keep returns. An empty secret forgets it.
	Keep func(ctx context.Context, key string, s Secret) error
	// Renew is a read-modify-write of a kept secret under a lock that holds
	// across processes: change gets the newest stored value, and what it returns
	// is durable before Renew returns it. An error stores nothing.
	Renew func(ctx context.Context, key string, change func(ctx context.Context, current Secret) (Secret, error)) (Secret, error)
	// Step is told as a rung of the ladder begins or ends. It must not block.
	Step func(Step)
	Log  *slog.Logger
	Now  func() time.Time
}

// Asker reaches the person. A nil func means that nobody is there.
type Asker struct {
	// OpenURL shows a page in the system's browser, and the link to copy.
	OpenURL func(ctx context.Context, url string) error
	// ShowCode shows a device code until ctx ends.
	ShowCode func(ctx context.Context, c DeviceCode) error
	// Input asks for one more answer, as keyboard-interactive sign-in does.
	Input func(ctx context.Context, p Prompt) (Secret, error)
	// Pasted waits until the person pastes the address at which a browser on
	// another machine ended after OpenURL, or ctx ends.
	Pasted func(ctx context.Context) (string, error)
	// Trust asks whether a key or certificate is the right one.
	Trust func(ctx context.Context, r TrustRequest) (bool, error)
}

// ErrNobody is returned where a person would have to be asked and nobody is there.
var ErrNobody = errors.New("nobody is there to answer")

// A Prompt is a question of the server's; its texts are cleaned and capped.
type Prompt struct {
	Title, Text string
	Echo        bool // the answer is no secret
}

// A DeviceCode is what the person types at another device (RFC 8628).
type DeviceCode struct {
	URL, Code string
	Expires   time.Time
}

// A TrustRequest asks about an identity that nothing vouches for.
type TrustRequest struct {
	Kind        string // "ssh host key" or "certificate"
	Host        string
	Fingerprint string // "SHA256:…"
	Algorithm   string
	Facts       []Fact // subject, issuer, validity …
}

// A CallbackRequest says where the provider will send the browser back to.
type CallbackRequest struct {
	Host  string // as written in the redirect URI: "127.0.0.1", "localhost", "[::1]"; bound literally either way
	Port  int    // 0 for any
	Path  string
	State string
}

// A Callback is an open loopback listener.
type Callback interface {
	RedirectURI() string
	// Wait returns the query of the one right callback, or ctx's error.
	Wait(ctx context.Context) (url.Values, error)
	Close() error
}

// TLS is how one connection verifies its server and presents itself.
// All fields are optional; verification is always on.
type TLS struct {
	CA         string // PEM; added to nothing: where given, only these are trusted
	Cert       string // PEM chain, leaf first
	Key        Secret // PEM
	Passphrase Secret
	ServerName string
	Pin        string // "SHA256:…" of the leaf certificate; replaces chain verification
	Min        uint16 // tls.VersionTLS12 when zero
}

// HTTP is how one connection speaks HTTP. The zero value follows the
// environment's proxy, redirects within the origin, and waits for a minute.
type HTTP struct {
	TLS
	Proxy         string // "http://host:port", "https://…" or "socks5://…"; "" is the environment's, "direct" is none
	ProxyUser     string
	ProxyPassword Secret
	Timeout       time.Duration // of one exchange; 0 is a minute
	NoRedirects   bool
	HTTP1         bool // never HTTP/2: for sign-ins that belong to a TCP connection, as NTLM's
}

// A Tunnel is a way through another machine, such as an SSH jump host. Names are
// looked up at its far end. Its connections honour deadlines.
type Tunnel interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
	// Close ends the connections that go through it.
	Close() error
}

// Trusts asks the person, or says that nobody is there.
func (e *Env) Trusts(ctx context.Context, r TrustRequest) (bool, error) {
	if e == nil || e.Ask.Trust == nil {
		return false, ErrNobody
	}
	return e.Ask.Trust(ctx, r)
}

// Inputs asks the person, or says that nobody is there.
func (e *Env) Inputs(ctx context.Context, p Prompt) (Secret, error) {
	if e == nil || e.Ask.Input == nil {
		return Secret{}, ErrNobody
	}
	return e.Ask.Input(ctx, p)
}

// Keeps stores a secret; without a store it is simply not kept.
func (e *Env) Keeps(ctx context.Context, key string, s Secret) error {
	if e == nil || e.Keep == nil {
		return nil
	}
	return e.Keep(ctx, key, s)
}

// Renews is Renew; without a store change runs on the given value.
func (e *Env) Renews(ctx context.Context, key string, current Secret, change func(context.Context, Secret) (Secret, error)) (Secret, error) {
	if e == nil || e.Renew == nil {
		return change(ctx, current)
	}
	return e.Renew(ctx, key, change)
}

// Time is the wall clock.
func (e *Env) Time() time.Time {
	if e == nil || e.Now == nil {
		return time.Now()
	}
	return e.Now()
}

// Logger never is nil.
func (e *Env) Logger() *slog.Logger {
	if e == nil || e.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Log
}

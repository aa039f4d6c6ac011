package nats

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// maxGreeting is more than the first line of any server has, in bytes: it names the
// servers of the cluster.
const maxGreeting = 64 << 10

// signInTime bounds the exchange of the sign-in, beside the context.
const signInTime = 20 * time.Second

// A greeting is the server's first line, as far as it matters before the sign-in.
type greeting struct {
	TLSRequired  bool   `json:"tls_required"`
	TLSAvailable bool   `json:"tls_available"`
	TLSVerify    bool   `json:"tls_verify"`
	AuthRequired bool   `json:"auth_required"`
	Nonce        string `json:"nonce"`
}

// A given is a dialer with one connection that is open and secure already.
type given struct{ conn net.Conn }

func (g *given) Dial(string, string) (net.Conn, error) {
	conn := g.conn
	g.conn = nil
	if conn == nil {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// SkipTLSHandshake says that there is nothing to encrypt any more.
func (*given) SkipTLSHandshake() bool { return true }

// reach connects to addr and makes it secure. Where the server greets first, its
// greeting is read, and handed to the library once more.
func reach(ctx context.Context, env *connectors.Env, c config, addr string) (conn net.Conn, hello greeting, secured string, err error) {
	raw, err := env.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, hello, "", fitting(c, err)
	}
	g := &guard{Conn: raw, web: c.web()}
	secured = "none"
	if c.Transport == overTLS || c.Transport == overTCP {
		g.replay, hello, err = greeted(ctx, raw)
		if err == nil {
			err = agreed(c, hello)
		}
		if err != nil {
			_ = raw.Close()
			return nil, hello, "", explained(ctx, c, connectors.StageSecure, addr, err)
		}
	}
	if !c.encrypted() {
		return g, hello, secured, nil
	}
	host, _, _ := net.SplitHostPort(addr)
	err = env.Climb(ctx, connectors.StageSecure, host, func(ctx context.Context) (string, error) {
		cfg, err := tlsx.Config(c.Spec(), host)
		if err != nil {
			_ = raw.Close()
			return "", fitting(c, err)
		}
		safe, said, err := tlsx.Handshake(ctx, raw, cfg)
		if err != nil {
			return "", trust(c, addr, err)
		}
		g.Conn, secured = safe, said
		return said, nil
	})
	if err != nil {
		return nil, hello, "", err
	}
	return g, hello, secured, nil
}

// greeted reads the server's first line, byte by byte: TLS may follow it.
func greeted(ctx context.Context, conn net.Conn) ([]byte, greeting, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var line []byte
	var hello greeting
	one := make([]byte, 1)
	for len(line) < maxGreeting {
		if _, err := conn.Read(one); err != nil {
			return nil, hello, err
		}
		line = append(line, one[0])
		if err := strange(line); err != nil {
			return nil, hello, err
		}
		if one[0] == '\n' {
			if json.Unmarshal(line[len("INFO "):], &hello) != nil {
				return nil, hello, errNotNATS
			}
			return line, hello, nil
		}
	}
	return nil, hello, errTooLarge
}

// strange knows as early as can be that a server is none of NATS.
func strange(line []byte) error {
	const info = "INFO "
	n := min(len(line), len(info))
	switch {
	case bytes.EqualFold(line[:n], []byte(info[:n])):
		return nil
	case line[0] == 'H' && len(line) < 4:
		return nil
	case bytes.HasPrefix(line, []byte("HTTP")):
		return errWeb
	case line[0] == 21: // RFC 8446 section 5.1: alert
		return errTLS
	}
	return errNotNATS
}

// agreed finds out whether both sides mean the same about encryption.
func agreed(c config, hello greeting) error {
	e := &connectors.Error{Code: connectors.Refused, Op: connectors.StageSecure, Field: "transport"}
	switch {
	case c.Transport == overTLS && !hello.TLSRequired && !hello.TLSAvailable:
		e.Reason = "nats.no_tls"
	case c.Transport == overTCP && hello.TLSRequired:
		e.Reason = "nats.wants_tls"
	case c.Auth == byNKey && hello.Nonce == "":
		e.Code, e.Reason, e.Field = connectors.Unsupported, "nats.no_nkeys", "auth"
	default:
		return nil
	}
	return e
}

// signIn hands an open connection to the library, which never dials by itself.
func signIn(ctx context.Context, c config, addr string, conn net.Conn, more ...client.Option) (*client.Conn, error) {
	scheme := "nats"
	if c.web() {
		scheme = "ws" // what encrypts is done already
	}
	opts := append([]client.Option{
		client.Name("jackfield"), client.SetCustomDialer(&given{conn}), client.SkipHostLookup(), client.IgnoreDiscoveredServers(), client.NoReconnect(), client.DontRandomize(),
		client.Timeout(signInTime), client.DrainTimeout(time.Second), client.PingInterval(30 * time.Second), client.MaxPingsOutstanding(2),
	}, more...)
	if c.Path != "" && c.web() {
		opts = append(opts, client.ProxyPath(c.Path))
	}
	if c.Inbox != "" {
		opts = append(opts, client.CustomInboxPrefix(c.Inbox))
	}
	who, err := identity(c)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if who != nil {
		opts = append(opts, who)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	u := url.URL{Scheme: scheme, Host: addr}
	nc, err := client.Connect(u.String(), opts...)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	if ctx.Err() != nil {
		nc.Close()
		return nil, context.Cause(ctx)
	}
	return nc, nil
}

// identity is how the person signs in; nil for nothing, and for a certificate.
func identity(c config) (client.Option, error) {
	switch c.Auth {
	case byPassword:
		return client.UserInfo(c.User, c.Password.Reveal()), nil
	case byToken:
		return client.Token(c.Token.Reveal()), nil
	case byCreds:
		return client.UserCredentialBytes([]byte(c.Creds.Reveal())), nil
	case byNKey:
		public, err := publicKey(c.Seed)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "seed", Said: err.Error()}
		}
		return client.Nkey(public, func(nonce []byte) ([]byte, error) {
			pair, err := nkeys.FromSeed([]byte(c.Seed.Reveal()))
			if err != nil {
				return nil, errors.New("the seed cannot be read")
			}
			defer pair.Wipe()
			return pair.Sign(nonce)
		}), nil
	}
	return nil, nil
}

func publicKey(seed connectors.Secret) (string, error) {
	pair, err := nkeys.FromSeed([]byte(seed.Reveal()))
	if err != nil {
		return "", errors.New("the seed cannot be read")
	}
	defer pair.Wipe()
	return pair.PublicKey()
}

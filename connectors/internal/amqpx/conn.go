package amqpx

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"net"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// Farewell bounds the goodbye to a session or a link.
const Farewell = 700 * time.Millisecond

// A Target says where an AMQP 1.0 broker is and how to sign in to it.
type Target struct {
	Host, Port string
	Hostname   string // told to the broker
	Account    string
	TLS        *connectors.TLS // nil for none
	SASL       amqp.SASLType
	// Upgrade makes the connection one that carries AMQP, such as a WebSocket; may be nil.
	Upgrade func(ctx context.Context, conn net.Conn) (net.Conn, error)
	// SignIn is what follows SASL; may be nil.
	SignIn func(ctx context.Context, c *Conn) error
	// Untrusted and Refused put into words why TLS or AMQP could not be opened.
	Untrusted func(err error) error
	Refused   func(ctx context.Context, g *Guard, err error) error
}

// Addr is host and port.
func (t Target) Addr() string { return net.JoinHostPort(t.Host, t.Port) }

// A Conn is an open connection.
type Conn struct {
	AMQP    *amqp.Conn
	Guard   *Guard
	Target  Target
	Secured string // what TLS was agreed on, or "none"
}

// Dial climbs the rungs up to the sign-in.
func Dial(ctx context.Context, env *connectors.Env, t Target) (*Conn, error) {
	raw, err := env.Dial(ctx, "tcp", t.Addr())
	if err != nil {
		return nil, err
	}
	c := &Conn{Target: t, Secured: "none"}
	if t.TLS != nil {
		err = env.Climb(ctx, connectors.StageSecure, t.Host, func(ctx context.Context) (string, error) {
			cfg, err := tlsx.Config(*t.TLS, t.Host)
			if err != nil {
				_ = raw.Close()
				return "", err
			}
			safe, said, err := tlsx.Handshake(ctx, raw, cfg)
			if err != nil {
				return "", t.Untrusted(err)
			}
			raw, c.Secured = safe, said
			return said, nil
		})
		if err != nil {
			return nil, err
		}
	}
	err = env.Climb(ctx, connectors.StageSignIn, t.Account, func(ctx context.Context) (string, error) {
		if err := c.signIn(ctx, env, raw); err != nil {
			_ = raw.Close()
			return "", err
		}
		return t.Account, nil
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Conn) signIn(ctx context.Context, env *connectors.Env, raw net.Conn) error {
	t := c.Target
	probe := func() bool { return isWeb(ctx, env, t.Addr()) }
	if t.Upgrade != nil {
		var err error
		if raw, err = t.Upgrade(ctx, raw); err != nil {
			return err
		}
		probe = nil
	}
	c.Guard = NewGuard(raw, probe)
	var err error
	c.AMQP, err = amqp.NewConn(ctx, c.Guard, &amqp.ConnOptions{
		ContainerID: OwnName(), HostName: t.Hostname, MaxFrameSize: MaxFrame, MaxSessions: 100,
		IdleTimeout: 30 * time.Second, WriteTimeout: 10 * time.Second, SASLType: t.SASL,
		Properties: map[string]any{"product": "Jackfield"},
	})
	if err != nil {
		return t.Refused(ctx, c.Guard, err)
	}
	if t.SignIn == nil {
		return nil
	}
	if err = t.SignIn(ctx, c); err != nil {
		c.Close()
	}
	return err
}

// OwnName is a name that nobody else has: a broker may throw out an older
// connection of the same name.
func OwnName() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "jackfield-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// isWeb asks a server that answered nothing to AMQP in HTTP, over a connection
// of its own.
func isWeb(ctx context.Context, env *connectors.Env, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := env.Dial(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write([]byte("HEAD / HTTP/1.0\r\n\r\n")); err != nil {
		return false
	}
	head := make([]byte, 5)
	n, _ := conn.Read(head)
	return bytes.Equal(head[:n], []byte("HTTP/"))
}

// Session begins a session; end says goodbye to it, for a bounded time.
func (c *Conn) Session(ctx context.Context) (s *amqp.Session, end func(), err error) {
	s, err = c.AMQP.NewSession(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	return s, func() { Leave(ctx, s) }, nil
}

// Leave closes a session or a link, for a bounded time and also when ctx has
// ended meanwhile.
func Leave(ctx context.Context, one interface{ Close(context.Context) error }) {
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), Farewell)
	defer cancel()
	_ = one.Close(bye)
}

// Close says goodbye, for a bounded time.
func (c *Conn) Close() {
	stop := time.AfterFunc(Farewell, func() { _ = c.Guard.Close() })
	defer stop.Stop()
	_ = c.AMQP.Close()
}

// Property is one that the broker told of itself when it opened.
func (c *Conn) Property(key string) string {
	v, _ := c.AMQP.Properties()[key].(string)
	return connectors.Clean(v, 200)
}

// Server is product and version, as brokers tell them when they open.
func (c *Conn) Server() string {
	name := strings.TrimSpace(c.Property("product") + " " + c.Property("version"))
	if name == "" {
		return c.Target.Addr()
	}
	return name
}

// Untrusted points at the field in which a private authority is told; where the
// server does not speak TLS it gives reason, at field.
func Untrusted(err error, addr, reason, field string) error {
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = addr
	}
	if e.Field == "" && e.Code == connectors.Untrusted {
		e.Field = "ca"
	}
	if e.Reason == "tls.not_tls" {
		e.Reason, e.Field = reason, field
	}
	return &e
}

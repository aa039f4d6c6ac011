package rabbitmq

import (
	"bytes"
	"context"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// heartbeat is how often both sides say that they are there; after one and a half
// of it without a word the connection is lost.
const heartbeat = 10 * time.Second

// dial climbs the rungs up to the encryption.
func dial(ctx context.Context, env *connectors.Env, c config) (net.Conn, string, error) {
	addr := net.JoinHostPort(c.Host, c.port())
	conn, err := env.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, "", err
	}
	if !c.secure() {
		return conn, "none", nil
	}
	var secured string
	err = env.Climb(ctx, connectors.StageSecure, c.Host, func(ctx context.Context) (string, error) {
		cfg, err := tlsx.Config(c.Spec(), c.Host)
		if err != nil {
			_ = conn.Close()
			return "", err
		}
		safe, said, err := tlsx.Handshake(ctx, conn, cfg)
		if err != nil {
			return "", untrusted(err, addr)
		}
		conn, secured = safe, said
		return said, nil
	})
	if err != nil {
		return nil, "", err
	}
	return conn, secured, nil
}

// untrusted points at the field in which a private authority is told.
func untrusted(err error, addr string) error {
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = addr
	}
	if e.Field == "" && e.Code == connectors.Untrusted {
		e.Field = "ca"
	}
	if e.Reason == "tls.not_tls" {
		e.Reason, e.Field = "rabbitmq.not_tls", "security"
	}
	return &e
}

// signIn speaks AMQP up to the open virtual host. The settings go into a struct,
// never into a URL's text. ctx bounds it: its end closes the socket.
func signIn(ctx context.Context, env *connectors.Env, c config, conn net.Conn, beat time.Duration) (*amqp.Connection, *guard, error) {
	addr := net.JoinHostPort(c.Host, c.port())
	g := newGuard(conn, func() bool { return isWeb(ctx, env, addr) })
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	link, err := amqp.Open(g, amqp.Config{
		SASL: []amqp.Authentication{sasl(c)}, Vhost: c.Vhost, Locale: "en_US",
		FrameSize: maxFrame, ChannelMax: 100, Heartbeat: beat,
		Properties: amqp.Table{"product": "Jackfield", "connection_name": "Jackfield"},
	})
	if stop(); err == nil && ctx.Err() == nil {
		// The library sets this anew with every frame that comes, but not before the
		// first one.
		_ = conn.SetReadDeadline(time.Now().Add(link.Config.Heartbeat * 3 / 2))
		return link, g, nil
	}
	_ = conn.Close()
	if link != nil {
		_ = link.Close() // the socket is closed: it ends the library's goroutines, and no more
	}
	return nil, nil, refused(ctx, c, conn.RemoteAddr(), g, err)
}

func sasl(c config) amqp.Authentication {
	if c.Auth == byCertificate {
		return &amqp.ExternalAuth{}
	}
	return &amqp.PlainAuth{Username: c.User, Password: c.Password.Reveal()}
}

// isWeb asks a server that answered nothing to AMQP in HTTP, over a connection
// of its own. Nothing secret is in it.
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

package amqp1

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

// farewell bounds the goodbye to a session.
const farewell = 700 * time.Millisecond

// A target says where to connect and how to sign in.
type target struct {
	host, port string
	hostname   string // told to the broker
	account    string
	tls        *connectors.TLS // nil for none
	sasl       amqp.SASLType
	authField  string // of the secret, for words
}

// A broker is an open connection.
type broker struct {
	conn    *amqp.Conn
	guard   *guard
	target  target
	secured string
}

// connect climbs the rungs up to the sign-in.
func connect(ctx context.Context, env *connectors.Env, t target) (*broker, error) {
	addr := net.JoinHostPort(t.host, t.port)
	raw, err := env.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	b := &broker{target: t, secured: "none"}
	if t.tls != nil {
		err = env.Climb(ctx, connectors.StageSecure, t.host, func(ctx context.Context) (string, error) {
			cfg, err := tlsx.Config(*t.tls, t.host)
			if err != nil {
				_ = raw.Close()
				return "", err
			}
			safe, said, err := tlsx.Handshake(ctx, raw, cfg)
			if err != nil {
				return "", untrusted(err, addr)
			}
			raw, b.secured = safe, said
			return said, nil
		})
		if err != nil {
			return nil, err
		}
	}
	b.guard = newGuard(raw, func() bool { return isWeb(ctx, env, addr) })
	err = env.Climb(ctx, connectors.StageSignIn, t.account, func(ctx context.Context) (string, error) {
		b.conn, err = amqp.NewConn(ctx, b.guard, &amqp.ConnOptions{
			ContainerID: ownName(), HostName: t.hostname, MaxFrameSize: maxFrame, MaxSessions: 100,
			IdleTimeout: 30 * time.Second, WriteTimeout: 10 * time.Second, SASLType: t.sasl,
			Properties: map[string]any{"product": "Jackfield"},
		})
		if err != nil {
			_ = raw.Close()
			return "", b.refused(ctx, addr, err)
		}
		return t.account, nil
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// ownName is a name that nobody else has: a broker may throw out an older
// connection of the same name.
func ownName() string {
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

// with runs do in a session of its own.
func (b *broker) with(ctx context.Context, do func(s *amqp.Session) error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	s, err := b.conn.NewSession(ctx, nil)
	if err != nil {
		return b.failed(ctx, "", err)
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = s.Close(bye)
	}()
	return do(s)
}

// close says goodbye, for a bounded time.
func (b *broker) close() {
	stop := time.AfterFunc(farewell, func() { _ = b.guard.Close() })
	defer stop.Stop()
	_ = b.conn.Close()
}

func (b *broker) property(key string) string {
	v, _ := b.conn.Properties()[key].(string)
	return connectors.Clean(v, 200)
}

// server is product and version, as brokers tell them when they open.
func (b *broker) server() string {
	name := strings.TrimSpace(b.property("product") + " " + b.property("version"))
	if name == "" {
		return net.JoinHostPort(b.target.host, b.target.port)
	}
	return name
}

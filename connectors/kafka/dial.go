package kafka

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

const (
	// shakeTime bounds a handshake: a broker's plain port takes a ClientHello for
	// the length of a request, and waits for the rest of it.
	shakeTime = 6 * time.Second
	// rest is how long no broker is signed in to after one has hung up during a
	// sign-in: accounts get locked by repeated passwords.
	rest = 5 * time.Second
	// maxFirst is more than the first answer of any broker has, in bytes.
	maxFirst = 1 << 20
)

// What a server turned out to be that is no Kafka broker, or none without TLS.
var (
	errTLS      = errors.New("the server answered with a TLS alert")
	errNotKafka = errors.New("the server's first bytes are not Kafka's")
)

// The first of Kafka's numbers of requests that sign in: SaslHandshake and
// SaslAuthenticate, https://kafka.apache.org/protocol.html#protocol_api_keys
const (
	keySaslHandshake    = 17
	keySaslAuthenticate = 36
)

// A dialer reaches brokers for one client. The library signs in on connections
// without regard to the context of the request that needed them, so the dialer
// closes them when it ends.
type dialer struct {
	env  *connectors.Env
	c    config
	spec connectors.TLS
	seed string

	mu      sync.Mutex
	first   net.Conn // already open to seed
	hungUp  error    // of the last sign-in that did not end
	when    time.Time
	failed  error // of the last dial, nil after one that worked
	failing int   // dials in a row that failed
}

// reach connects to addr and makes it secure.
func (d *dialer) reach(ctx context.Context, addr string) (net.Conn, string, error) {
	conn, err := d.env.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, "", fitting(d.c, err)
	}
	if !d.c.encrypted() {
		return conn, "none", nil
	}
	host, _, _ := net.SplitHostPort(addr)
	secured := ""
	err = d.env.Climb(ctx, connectors.StageSecure, host, func(ctx context.Context) (string, error) {
		cfg, err := tlsx.Config(d.spec, host)
		if err != nil {
			_ = conn.Close()
			return "", fitting(d.c, err)
		}
		shaking, stop := context.WithTimeout(ctx, shakeTime)
		defer stop()
		var safe *tls.Conn
		safe, secured, err = tlsx.Handshake(shaking, conn, cfg)
		if err == nil {
			conn = safe
			return secured, nil
		}
		if ctx.Err() == nil && shaking.Err() != nil {
			return "", &connectors.Error{Code: connectors.TimedOut, Reason: "kafka.tls_silent", Op: connectors.StageSecure, Target: addr, Field: "security", Err: err}
		}
		return "", trust(d.c, addr, err)
	})
	if err != nil {
		return nil, "", err
	}
	return conn, secured, nil
}

// dial is what the library calls, with the context of the request that needs the
// connection.
func (d *dialer) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	d.mu.Lock()
	conn := d.first
	d.first = nil
	hungUp := d.hungUp
	if time.Since(d.when) > rest {
		hungUp = nil
	}
	d.mu.Unlock()
	if hungUp != nil {
		return nil, hungUp
	}
	if conn != nil && addr != d.seed {
		_ = conn.Close()
		conn = nil
	}
	var err error
	if conn == nil {
		conn, _, err = d.reach(ctx, addr)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		err = d.advertised(addr, err)
		d.failed = err
		d.failing++
		return nil, err
	}
	w := &wire{Conn: conn}
	w.release = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return w, nil
}

// advertised explains a broker that the cluster named and that cannot be reached.
func (d *dialer) advertised(addr string, err error) error {
	e := *connectors.Classify(err)
	if slices.Contains(list(d.c.Servers), addr) || e.Code != connectors.Unreachable && e.Code != connectors.TimedOut {
		return &e
	}
	e.Said = strings.TrimSuffix(connectors.Explain(&e).Title, ".")
	e.Reason, e.Target, e.Field = "kafka.advertised", addr, "servers"
	return &e
}

// unreachable is why brokers cannot be reached any more, nil while they can.
func (d *dialer) unreachable(tries int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failing < tries {
		return nil
	}
	return d.failed
}

// close frees the connection that nobody took.
func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first != nil {
		_ = d.first.Close()
		d.first = nil
	}
}

// OnBrokerConnect is told when a connection is signed in to, or could not be.
func (d *dialer) OnBrokerConnect(_ kgo.BrokerMetadata, _ time.Duration, conn net.Conn, err error) {
	w, ok := conn.(*wire)
	if !ok {
		return
	}
	inTime := w.release()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.failed, d.failing, d.hungUp = nil, 0, nil
		return
	}
	d.failed = err
	d.failing++
	if inTime && w.signing() {
		d.hungUp, d.when = signInError(d.c, w.RemoteAddr(), err), time.Now()
	}
}

// A wire looks at the first bytes that go each way.
type wire struct {
	net.Conn
	release func() bool // lets go of the context; false when it had ended

	mu   sync.Mutex
	head []byte // the first four bytes read
	auth bool   // a sign-in was begun
}

func (w *wire) signing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.auth
}

// Write notes that a sign-in begins: a request is its length, then its number.
func (w *wire) Write(p []byte) (int, error) {
	if len(p) >= 6 {
		if key := binary.BigEndian.Uint16(p[4:6]); key == keySaslHandshake || key == keySaslAuthenticate {
			w.mu.Lock()
			w.auth = true
			w.mu.Unlock()
		}
	}
	return w.Conn.Write(p)
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	if missing := 4 - len(w.head); missing > 0 && n > 0 {
		w.head = append(w.head, p[:min(n, missing)]...)
		if strange := judge(w.head); strange != nil {
			_ = w.Close()
			return 0, strange
		}
	}
	return n, err
}

// judge knows what Kafka's answers never begin with: they begin with a length.
func judge(head []byte) error {
	if len(head) >= 2 && head[0] == 21 && head[1] == 3 { // RFC 8446 section 5.1: alert, version 3
		return errTLS
	}
	if len(head) == 4 && binary.BigEndian.Uint32(head) > maxFirst {
		return errNotKafka
	}
	return nil
}

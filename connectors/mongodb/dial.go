package mongodb

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/v2/event"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

var (
	errNotMongo = errors.New("the answer is not in MongoDB's protocol")
	errTLS      = errors.New("the answer is a TLS alert")
)

// A dialer makes the driver's connections. While the session opens it remembers
// what went wrong with each server: the driver itself would only say, after a long
// wait, that it found none.
type dialer struct {
	env  *connectors.Env
	c    config
	life context.Context // ends with the session

	mu      sync.Mutex
	secured string
	failed  map[string]error // by server, until one has answered
	give    func(error)      // gives up opening; nil afterwards
	need    int              // so many servers may fail before that
}

// DialContext connects to one server and encrypts the connection.
func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.life, cancel)()
	conn, err := d.env.Dial(ctx, network, addr)
	if err != nil {
		d.fail(addr, err)
		return nil, err
	}
	if !d.c.secure() {
		return &guard{Conn: conn, found: func(err error) { d.fail(addr, err) }}, nil
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	err = d.env.Climb(ctx, connectors.StageSecure, host, func(ctx context.Context) (string, error) {
		cfg, err := tlsx.Config(d.c.Spec(), host)
		if err != nil {
			_ = conn.Close()
			return "", err
		}
		safe, said, err := tlsx.Handshake(ctx, conn, cfg)
		if err != nil {
			return "", d.untrusted(addr, err)
		}
		conn = safe
		d.mu.Lock()
		d.secured = said
		d.mu.Unlock()
		return said, nil
	})
	if err != nil {
		d.fail(addr, err)
		return nil, err
	}
	return &guard{Conn: conn, found: func(err error) { d.fail(addr, err) }}, nil
}

// untrusted points at the field to put right. Atlas breaks the handshake off with
// an internal error where the address is not on its list.
func (d *dialer) untrusted(addr string, err error) error {
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = addr
	}
	switch {
	case e.Code == connectors.Untrusted && e.Field == "":
		e.Field = "ca"
	case e.Reason == "tls.alert" && strings.Contains(e.Said, "internal error"):
		e.Reason = "mongodb.allow_list"
	case e.Reason == "tls.not_tls", e.Reason == "connect.closed":
		e.Reason, e.Field, e.Op = "mongodb.no_tls", "security", connectors.StageSecure
	}
	return &e
}

// fail counts the servers that cannot be used.
func (d *dialer) fail(addr string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failed[addr] == nil {
		d.failed[addr] = err
	}
	if d.give != nil && len(d.failed) >= d.need {
		d.give(d.failed[addr])
	}
}

// opened ends the time in which failures count.
func (d *dialer) opened() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.give = nil
}

func (d *dialer) encryption() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.secured
}

// monitor hears of servers that were reached and did not answer well.
func (d *dialer) monitor() *event.ServerMonitor {
	return &event.ServerMonitor{
		ServerHeartbeatFailed: func(e *event.ServerHeartbeatFailedEvent) {
			if errors.Is(e.Failure, context.Canceled) { // the driver has given up on another connection
				return
			}
			addr := e.ConnectionID // "host:port[-3]"
			if i := strings.LastIndexByte(addr, '['); i > 0 {
				addr = addr[:i]
			}
			d.fail(addr, e.Failure)
		},
		ServerHeartbeatSucceeded: func(*event.ServerHeartbeatSucceededEvent) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.need = 1 << 30 // one that answers is enough to wait for
		},
	}
}

// A guard looks at the first header that comes: its first number is
// the message's size, and its fourth an opcode
// (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/).
type guard struct {
	net.Conn
	found func(error)
	head  []byte
}

const (
	headerSize = 16
	maxMessage = 48_000_000 + 16<<10
)

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if len(g.head) >= headerSize {
		return n, err
	}
	g.head = append(g.head, p[:min(n, headerSize-len(g.head))]...)
	if wrong := strange(g.head, err != nil); wrong != nil {
		g.found(wrong)
		return 0, wrong
	}
	// With TLS 1.3 a client certificate is refused no earlier than here.
	if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
		g.found(err)
	}
	return n, err
}

// strange reports what an answer is that no MongoDB gives. ended says that there is
// no more of it.
func strange(head []byte, ended bool) error {
	if len(head) >= 2 && head[0] == 21 && head[1] == 3 { // RFC 8446 section 5.1
		return errTLS
	}
	if len(head) >= 4 {
		if size := binary.LittleEndian.Uint32(head); size < headerSize || size > maxMessage {
			return errNotMongo
		}
	}
	if len(head) < headerSize {
		if ended && len(head) > 0 {
			return errNotMongo
		}
		return nil
	}
	switch binary.LittleEndian.Uint32(head[12:]) {
	case 1, 2012, 2013: // OP_REPLY, OP_COMPRESSED, OP_MSG
		return nil
	}
	return errNotMongo
}

// Package mqttx listens to an MQTT broker over a connection that somebody else
// made: it signs in with MQTT 3.1.1
// (https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html) or MQTT 5
// (https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html), subscribes,
// and remembers what it hears as a tree of topics.
package mqttx

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"jackfield/connectors"
)

// The protocol versions, as the CONNECT packet numbers them.
const (
	V3 = 4 // 3.1.1
	V5 = 5
)

const (
	keepAlive = 30 * time.Second
	// writing bounds one write to a broker that does not read.
	writing = 5 * time.Second
	// patience is more than any caller has; the context is what bounds an exchange.
	patience = 2 * time.Minute
)

// Options say who signs in, and how.
type Options struct {
	Version  int // V3 or V5
	ClientID string
	Login    bool // send the user and the password
	User     string
	Password connectors.Secret
	Target   string // "host:port", for what is said of failures
}

// A message is what the broker delivered.
type message struct {
	topic    string
	body     []byte
	retained bool
	media    string            // MQTT 5: its content type
	facts    []connectors.Fact // MQTT 5: its other properties
}

// A wire speaks one version of the protocol. Its calls end with ctx and when
// the connection is lost.
type wire interface {
	connect(ctx context.Context) error
	// subscribe asks for QoS 0, so that looking never holds a message up.
	subscribe(ctx context.Context, filters []string) ([]verdict, error)
	unsubscribe(ctx context.Context, filter string) error
	publish(ctx context.Context, topic string, body []byte, retained bool) (verdict, error)
	facts() []connectors.Fact
	close()
}

// A verdict is the broker's answer to one request: a reason code (3.1.1: a
// return code) of 0x80 or more is a refusal.
type verdict struct {
	code byte
	said string
}

func (v verdict) refused() bool { return v.code >= 0x80 }

// A Refusal is a topic filter that the broker did not accept.
type Refusal struct {
	Filter string
	Err    *connectors.Error
}

// A Live is a signed-in connection. Its methods may be called concurrently.
type Live struct {
	o        Options
	conn     *guard
	wire     wire
	topics   topics
	skipped  atomic.Uint64
	lost     chan struct{} // closed when the connection is gone
	lostOnce sync.Once

	mu       sync.Mutex
	since    time.Time // of the newest subscription
	watchers map[*watcher]bool
	refused  []Refusal
	cause    error
}

// SignIn introduces itself to the broker at the other end of conn, which is the
// Live's from here on; on failure it is closed. Errors are *connectors.Error whose
// Field is "password", "client_id", "protocol", "port" or "host".
//
// There is no will, no session that outlives this one, and no reconnection: a
// probe leaves no trace.
func SignIn(ctx context.Context, conn net.Conn, o Options) (*Live, error) {
	l := &Live{o: o, lost: make(chan struct{}), watchers: map[*watcher]bool{}}
	l.conn = &guard{Conn: conn, skipped: &l.skipped, five: o.Version == V5}
	l.wire = &three{l: l}
	if o.Version == V5 {
		l.wire = &five{l: l}
	}
	if ctx.Err() != nil {
		_ = conn.Close()
		return nil, connectors.Classify(context.Cause(ctx))
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	err := l.wire.connect(ctx)
	if !stop() || err != nil {
		l.Close()
	}
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ClientID is unique, so that nobody is thrown out, and within the 23 letters
// and digits that every broker must allow (MQTT 3.1.1 section 3.1.3.1).
func ClientID() string { return "jackfield" + random(14) }

// Beside is an ID that begins like the given one and is in use by nobody.
func Beside(id string) string { return id + "-" + random(7) }

func random(n int) string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))[:n]
}

// Subscribe asks for the topics that match the filters. It fails when the
// connection does or every filter is refused; see Refused for the others.
// Field is "topic".
func (l *Live) Subscribe(ctx context.Context, filters ...string) error {
	refused, err := l.subscribe(ctx, filters)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.refused = append(l.refused, refused...)
	l.mu.Unlock()
	if len(refused) == len(filters) && len(refused) > 0 {
		return refused[0].Err
	}
	return nil
}

// Ask subscribes to one filter that can be done without: a refusal is the
// error and nothing else.
func (l *Live) Ask(ctx context.Context, filter string) error {
	refused, err := l.subscribe(ctx, []string{filter})
	if err == nil && len(refused) > 0 {
		return refused[0].Err
	}
	return err
}

func (l *Live) subscribe(ctx context.Context, filters []string) ([]Refusal, error) {
	l.mu.Lock()
	l.since = time.Now()
	l.mu.Unlock()
	verdicts, err := l.wire.subscribe(ctx, filters)
	if err != nil {
		if ctx.Err() != nil {
			return nil, connectors.Classify(context.Cause(ctx))
		}
		if found := connectors.Classify(err); found.Code == connectors.TimedOut {
			late := *found
			late.Op, late.Target = connectors.StageRights, strings.Join(filters, ", ")
			return nil, &late
		}
		// Some brokers answer a filter that is not allowed by hanging up.
		return nil, &connectors.Error{Code: connectors.Denied, Reason: "mqtt.topic_closed", Op: connectors.StageRights, Target: strings.Join(filters, ", "), Field: "topic", Said: said(err), Err: err}
	}
	var refused []Refusal
	for i, v := range verdicts {
		if v.refused() && i < len(filters) {
			refused = append(refused, Refusal{filters[i], subackError(filters[i], v)})
		}
	}
	return refused, nil
}

// Refused are the filters that the broker did not accept.
func (l *Live) Refused() []Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Refusal(nil), l.refused...)
}

// Ping makes a round trip that changes nothing: it takes back a subscription
// that was never made.
func (l *Live) Ping(ctx context.Context) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	return l.broken(l.wire.unsubscribe(ctx, "jackfield/"+l.o.ClientID))
}

// Facts are what the broker told of itself, and what was heard so far.
func (l *Live) Facts() []connectors.Fact {
	n, left, _ := l.topics.counts()
	out := append(l.wire.facts(), connectors.Fact{Label: "Topics heard", Text: strconv.Itoa(n)})
	if left > 0 {
		out = append(out, connectors.Fact{Label: "Messages on further topics", Text: strconv.FormatUint(left, 10)})
	}
	if n := l.skipped.Load(); n > 0 {
		out = append(out, connectors.Fact{Label: "Messages too large to look at", Text: strconv.FormatUint(n, 10)})
	}
	return out
}

// Lost is closed when the connection is gone.
func (l *Live) Lost() <-chan struct{} { return l.lost }

// Close says goodbye and frees everything. It may be called twice.
func (l *Live) Close() {
	l.end(net.ErrClosed)
	l.wire.close()
	_ = l.conn.Close()
}

// end notes why the connection is gone; the first reason counts.
func (l *Live) end(err error) {
	l.lostOnce.Do(func() {
		l.mu.Lock()
		l.cause = err
		l.mu.Unlock()
		close(l.lost)
	})
}

// broken makes a failed exchange of what the library says of one: the connection
// is gone, or going.
func (l *Live) broken(err error) error {
	var known *connectors.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return lostError(l.o.Target, err)
}

func (l *Live) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return lostError(l.o.Target, l.cause)
}

// hear is called for every message, on the network's goroutine, and never blocks.
func (l *Live) hear(m message) {
	if m.topic == "" {
		return // no broker may send one (MQTT 5 section 3.3.2.1, without an alias)
	}
	size := len(m.body)
	if size > maxBody {
		m.body = append([]byte(nil), m.body[:maxBody]...) // frees the rest
	}
	now := time.Now()
	path := parts(m.topic)
	l.topics.hear(path, m, size, now)
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.watchers {
		if w.wants(m.topic) {
			w.push(connectors.Event{Time: now, Path: path, Body: m.body, Size: size, Retained: m.retained, Facts: m.facts})
		}
	}
}

package mqtt

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"iter"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	paho "github.com/eclipse/paho.mqtt.golang"

	"jackfield/connectors"
)

// settle is how long the first listing waits for retained messages: brokers
// send them at once, and quiet means that they were all.
const (
	settle = 1500 * time.Millisecond
	quiet  = 250 * time.Millisecond
)

// denied is the SUBACK's return code for a refusal (section 3.9.3).
const denied = 0x80

type session struct {
	client   paho.Client
	conn     net.Conn
	c        config
	id       string
	secured  string
	topics   topics
	skipped  *atomic.Uint64
	since    time.Time
	lost     chan struct{} // closed when the connection is gone
	lostOnce sync.Once

	mu       sync.Mutex
	watchers map[*watcher]bool
	cause    error
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	if c.Auth == "certificate" && !c.secure() {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "mqtt.certificate_needs_tls", Op: connectors.StageForm, Field: "transport"}
	}
	conn, secured, err := connect(ctx, env, c)
	if err != nil {
		return nil, err
	}
	s := &session{c: c, id: c.ClientID, secured: secured, skipped: &atomic.Uint64{}, lost: make(chan struct{}), watchers: map[*watcher]bool{}}
	if s.id == "" {
		s.id = clientID()
	}
	s.conn = &guard{Conn: conn, skipped: s.skipped}
	addr := net.JoinHostPort(c.Host, c.port())
	err = env.Climb(ctx, connectors.StageSignIn, c.User, func(ctx context.Context) (string, error) { return s.account(), s.signIn(ctx, addr) })
	if err == nil {
		err = env.Climb(ctx, connectors.StageRights, c.Topic, func(ctx context.Context) (string, error) { return c.Topic, s.subscribe(ctx) })
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// clientID is unique, so that nobody is thrown out, and within the 23 letters
// and digits that every broker must allow (section 3.1.3.1).
func clientID() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "jackfield" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))[:14]
}

// options never asks for a will, a session that outlives this one, or a
// reconnection: a probe leaves no trace.
func (s *session) options() *paho.ClientOptions {
	o := paho.NewClientOptions().AddBroker("tcp://" + net.JoinHostPort(s.c.Host, s.c.port()))
	o.SetClientID(s.id).SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false)
	o.SetKeepAlive(30 * time.Second).SetPingTimeout(10 * time.Second).SetWriteTimeout(10 * time.Second).SetConnectTimeout(time.Minute)
	// In order, on the network's goroutine: hear never blocks. The other choice
	// starts a goroutine for every message, without a bound.
	o.SetOrderMatters(true)
	o.SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return s.conn, nil })
	o.SetConnectionLostHandler(func(_ paho.Client, err error) { s.end(err) })
	o.SetDefaultPublishHandler(s.hear)
	if s.c.Auth == "password" {
		o.SetUsername(s.c.User).SetPassword(s.c.Password.Reveal())
	}
	return o
}

func (s *session) signIn(ctx context.Context, addr string) error {
	if err := ctx.Err(); err != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer stop()
	client := paho.NewClient(s.options())
	token := client.Connect()
	<-token.Done() // ends with the connection, which ends with ctx
	if err := token.Error(); err != nil {
		return refused(ctx, s.c, addr, err)
	}
	if err := ctx.Err(); err != nil {
		client.Disconnect(0)
		return connectors.Classify(context.Cause(ctx))
	}
	s.client = client
	return nil
}

func (s *session) subscribe(ctx context.Context) error {
	s.since = time.Now()
	token := s.client.Subscribe(s.c.Topic, 0, nil).(*paho.SubscribeToken)
	if err := s.await(ctx, token); err != nil {
		if ctx.Err() == nil {
			// Some brokers answer a filter that is not allowed by hanging up.
			return &connectors.Error{Code: connectors.Denied, Reason: "mqtt.topic_closed", Op: connectors.StageRights, Target: s.c.Topic, Field: "topic", Err: err}
		}
		return err
	}
	if token.Result()[s.c.Topic] == denied {
		return &connectors.Error{Code: connectors.Denied, Reason: "mqtt.topic_denied", Op: connectors.StageRights, Target: s.c.Topic, Field: "topic"}
	}
	return nil
}

// await waits for a token, which the library alone would do without a bound.
func (s *session) await(ctx context.Context, token paho.Token) error {
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return connectors.Classify(context.Cause(ctx))
	case <-s.lost:
		return s.why()
	}
}

func (s *session) end(err error) {
	s.lostOnce.Do(func() {
		s.mu.Lock()
		s.cause = err
		s.mu.Unlock()
		close(s.lost)
	})
}

func (s *session) why() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &connectors.Error{Code: connectors.Unreachable, Reason: "mqtt.lost", Op: connectors.StageData, Target: s.c.Host, Said: clean(s.cause), Err: s.cause}
}

// Close says goodbye and frees everything.
func (s *session) Close() error {
	s.end(net.ErrClosed)
	if s.client != nil {
		s.client.Disconnect(100)
	}
	_ = s.conn.Close()
	return nil
}

// hear is called for every message and never blocks.
func (s *session) hear(_ paho.Client, m paho.Message) {
	body := m.Payload()
	size := len(body)
	if size > maxBody {
		body = append([]byte(nil), body[:maxBody]...) // frees the rest
	}
	now := time.Now()
	path := parts(m.Topic())
	s.topics.hear(path, body, size, m.Retained(), now)
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		if w.wants(m.Topic()) {
			w.push(connectors.Event{Time: now, Path: path, Body: body, Size: size, Retained: m.Retained()})
		}
	}
}

func (s *session) account() string {
	switch s.c.Auth {
	case "anonymous":
		return "anonymous"
	case "certificate":
		return "client certificate"
	}
	return s.c.User
}

// Check makes a round trip that changes nothing: it takes back a subscription
// that was never made.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if err := ctx.Err(); err != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if err := s.await(ctx, s.client.Unsubscribe("jackfield/"+s.id)); err != nil {
		return nil, err
	}
	n, left, _ := s.topics.counts()
	out := []connectors.Fact{
		{Label: "Account", Text: s.account()}, {Label: "Server", Text: net.JoinHostPort(s.c.Host, s.c.port())}, {Label: "Protocol", Text: "MQTT 3.1.1 over " + s.c.Transport},
		{Label: "Encryption", Text: s.secured}, {Label: "Subscribed to", Text: s.c.Topic}, {Label: "Client ID", Text: s.id}, {Label: "Topics heard", Text: strconv.Itoa(n)},
	}
	if left > 0 {
		out = append(out, connectors.Fact{Label: "Messages on further topics", Text: strconv.FormatUint(left, 10)})
	}
	if n := s.skipped.Load(); n > 0 {
		out = append(out, connectors.Fact{Label: "Messages too large to look at", Text: strconv.FormatUint(n, 10)})
	}
	return out, nil
}

// Children lists the topics heard so far. The first time it waits a moment for
// what was retained.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if err := s.settled(ctx); err != nil {
			yield(connectors.Node{}, err)
			return
		}
		at := s.topics.find(string(parent))
		if at == nil {
			yield(connectors.Node{}, &connectors.Error{Code: connectors.NotFound, Reason: "mqtt.unheard", Op: connectors.StageData, Target: string(parent)})
			return
		}
		now := time.Now()
		for i := 0; ; i++ {
			t, ok := s.topics.kid(at, i, now)
			if !ok {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
				return
			}
			if !yield(t.node(), nil) {
				return
			}
		}
	}
}

// settled waits until the retained messages have come.
func (s *session) settled(ctx context.Context) error {
	for {
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		select {
		case <-s.lost:
			return s.why()
		default:
		}
		n, _, heard := s.topics.counts()
		age := time.Since(s.since)
		if age >= settle || n > 0 && time.Since(heard) >= quiet && age >= quiet {
			return nil
		}
		select {
		case <-time.After(quiet / 5):
		case <-ctx.Done():
		case <-s.lost:
		}
	}
}

func (t state) node() connectors.Node {
	n := connectors.Node{ID: connectors.NodeID(t.id), Name: t.name, Kind: "topic", Branch: t.branch, Views: []connectors.View{connectors.ViewMessages}}
	if t.count == 0 {
		return n
	}
	n.Views = append(n.Views, connectors.ViewContent)
	n.Facts = []connectors.Fact{
		{Label: "Last value", Text: preview(t.body)},
		{Label: "Received", Text: t.at.Format("15:04:05")},
		{Label: "Messages", Text: strconv.FormatUint(t.count, 10)},
		{Label: "Rate", Text: fmt.Sprintf("%.1f/s", t.rate)},
		{Label: "Size", Text: humanize.IBytes(uint64(t.size))},
	}
	if t.retained {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Retained", Text: "yes"})
	}
	return n
}

func preview(body []byte) string {
	if !utf8.Valid(body) {
		return fmt.Sprintf("%d bytes", len(body))
	}
	return connectors.Clean(string(body[:min(len(body), 400)]), 100)
}

// Sample is the last message of a topic.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	if err := s.settled(ctx); err != nil {
		return connectors.Sample{}, err
	}
	at := s.topics.find(string(id))
	if at == nil {
		return connectors.Sample{}, &connectors.Error{Code: connectors.NotFound, Reason: "mqtt.unheard", Op: connectors.StageData, Target: string(id)}
	}
	t := s.topics.stateOf(at, time.Now())
	out := connectors.Sample{MediaType: "application/octet-stream", Data: t.body[:min(len(t.body), max)], Size: int64(t.size)}
	out.Truncated = len(out.Data) < t.size
	if utf8.Valid(out.Data) {
		out.MediaType = "text/plain; charset=utf-8"
	}
	return out, nil
}

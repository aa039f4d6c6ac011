package nats

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	client "github.com/nats-io/nats.go"

	"jackfield/connectors"
)

type session struct {
	env     *connectors.Env
	c       config
	addr    string
	secured string
	hello   greeting
	nc      *client.Conn
	who     person
	js      jetstreamState
	lost    chan struct{} // closed when the connection is gone

	mu     sync.Mutex
	end    error // why
	denied map[*waiter]bool
	deaf   error // why no answers can be received, told once
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	if c.Auth == byCertificate && !c.encrypted() {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "nats.certificate_needs_tls", Op: connectors.StageForm, Field: "transport"}
	}
	s := &session{env: env, c: c, lost: make(chan struct{}), denied: map[*waiter]bool{}}
	conn, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	err = env.Climb(ctx, connectors.StageSignIn, c.account(), func(ctx context.Context) (string, error) {
		s.nc, err = signIn(ctx, c, s.addr, conn, client.ErrorHandler(s.complain), client.ClosedHandler(s.ended))
		if err != nil {
			return "", s.refused(ctx, err)
		}
		return c.account(), nil
	})
	if err != nil {
		return nil, err
	}
	err = env.Climb(ctx, connectors.StageRights, "JetStream", func(ctx context.Context) (string, error) {
		s.who = s.whoami(ctx)
		s.js = s.jetstream(ctx)
		return s.js.words(), ctx.Err()
	})
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// enter connects to the first server that can be reached.
func (s *session) enter(ctx context.Context) (net.Conn, error) {
	var first error
	for _, addr := range list(s.c.Servers) {
		conn, hello, secured, err := reach(ctx, s.env, s.c, addr)
		if err == nil {
			s.addr, s.secured, s.hello = addr, secured, hello
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if code := connectors.CodeOf(err); ctx.Err() != nil || code != connectors.Unreachable && code != connectors.TimedOut {
			return nil, err
		}
	}
	return nil, first
}

// A waiter is told when the server refuses a subject: a refusal comes apart from
// what it is about, and names the subject alone.
type waiter struct {
	subject string
	asks    bool // it waits for an answer
	refuse  context.CancelCauseFunc
}

// complain hears what the server says out of turn.
func (s *session) complain(_ *client.Conn, _ *client.Subscription, err error) {
	e := known(s.c, err)
	if e == nil {
		return
	}
	subject := quoted(e.Said)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Code != connectors.Denied {
		s.end = err // the end of the connection is about to follow
		return
	}
	e.Target = subject
	unheard := strings.HasPrefix(subject, s.inbox())
	if unheard {
		e.Reason, e.Field = "nats.inbox", "inbox_prefix"
		s.deaf = e
	}
	for w := range s.denied {
		if unheard && w.asks || w.subject == subject {
			w.refuse(e)
		}
	}
}

func (s *session) inbox() string {
	if s.c.Inbox != "" {
		return s.c.Inbox + "."
	}
	return client.InboxPrefix
}

// quoted is the subject in: Permissions Violation for Publish to "orders.new"
func quoted(text string) string {
	_, rest, _ := strings.Cut(text, `"`)
	subject, _, _ := strings.Cut(rest, `"`)
	return subject
}

// refusable returns a context that ends when the server refuses subject.
func (s *session) refusable(ctx context.Context, subject string, asks bool) (context.Context, func()) {
	inner, refuse := context.WithCancelCause(ctx)
	w := &waiter{subject, asks, refuse}
	s.mu.Lock()
	if asks && s.deaf != nil {
		refuse(s.deaf)
	}
	s.denied[w] = true
	s.mu.Unlock()
	return inner, func() {
		s.mu.Lock()
		delete(s.denied, w)
		s.mu.Unlock()
		refuse(nil)
	}
}

// ended is called once, when the connection is gone for good.
func (s *session) ended(nc *client.Conn) {
	s.mu.Lock()
	if s.end == nil {
		s.end = nc.LastError()
	}
	s.mu.Unlock()
	close(s.lost)
}

// why is what ended the connection.
func (s *session) why(ctx context.Context) error {
	s.mu.Lock()
	err := s.end
	s.mu.Unlock()
	e := &connectors.Error{Code: connectors.Unreachable, Reason: "nats.lost", Op: connectors.StageData, Target: s.addr, Err: err}
	if err != nil {
		if k := known(s.c, err); k != nil && ctx.Err() == nil {
			k.Op, k.Target = connectors.StageData, s.addr
			return k
		}
	}
	return e
}

// Close says nothing more and frees everything.
func (s *session) Close() error {
	s.nc.Close()
	<-s.lost
	return nil
}

// Check makes a round trip and asks for the state of JetStream.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	bounded, stop := context.WithTimeout(ctx, requestTime)
	defer stop()
	start := time.Now()
	if err := s.nc.FlushWithContext(bounded); err != nil {
		return nil, s.failed(ctx, s.addr, err)
	}
	trip := time.Since(start)
	facts := []connectors.Fact{
		{Label: "Account", Text: s.c.account()},
		{Label: "Server", Text: connectors.Clean(fmt.Sprintf("%s, NATS %s at %s", s.nc.ConnectedServerName(), s.nc.ConnectedServerVersion(), s.addr), 300)},
		{Label: "Encryption", Text: s.secured},
		{Label: "Round trip", Text: trip.Round(10 * time.Microsecond).String()},
		{Label: "Largest message", Text: humanize.IBytes(uint64(max(0, s.nc.MaxPayload())))},
	}
	if name := s.nc.ConnectedClusterName(); name != "" {
		facts = append(facts, connectors.Fact{Label: "Cluster", Text: connectors.Clean(name, 200)})
	}
	facts = append(facts, s.who.facts()...)
	if at := expires(s.c); !at.IsZero() {
		facts = append(facts, connectors.Fact{Label: "Expires", Text: at.UTC().Format(time.RFC3339)})
	} else if s.who.Expires > 0 {
		facts = append(facts, connectors.Fact{Label: "Expires", Text: s.env.Time().Add(s.who.Expires).UTC().Format(time.RFC3339)})
	}
	js := s.jetstream(ctx)
	facts = append(facts, js.facts()...)
	return facts, s.checkNamed(ctx)
}

// checkNamed looks for the streams that the form names.
func (s *session) checkNamed(ctx context.Context) error {
	for _, name := range list(s.c.Streams) {
		if _, err := s.stream(ctx, name, "", 0); err != nil {
			e := *connectors.Classify(err)
			if ctx.Err() == nil {
				e.Partial = true
				if e.Field == "" {
					e.Field, e.Target = "streams", name
				}
			}
			return &e
		}
	}
	return nil
}

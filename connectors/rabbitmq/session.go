package rabbitmq

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// grace is how long an exchange that nobody waits for any more may take before
// the whole connection is given up: the library's calls know no context.
const grace = 800 * time.Millisecond

// farewell bounds the goodbye.
const farewell = time.Second

type session struct {
	env     *connectors.Env
	c       config
	conn    net.Conn
	guard   *guard
	link    *amqp.Connection
	secured string
	lost    chan struct{} // closed when the connection is gone
	drains  sync.WaitGroup
	manage  manage
	peeking sync.Mutex // basic.get has no consumer tag: one at a time

	mu      sync.Mutex
	cause   *amqp.Error
	blocked string // why the broker takes no messages
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	s, err := start(ctx, env, c, heartbeat)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func start(ctx context.Context, env *connectors.Env, c config, beat time.Duration) (*session, error) {
	if err := sound(c); err != nil {
		return nil, err
	}
	conn, secured, err := dial(ctx, env, c)
	if err != nil {
		return nil, err
	}
	s := &session{env: env, c: c, conn: conn, secured: secured, lost: make(chan struct{}), manage: newManage()}
	err = env.Climb(ctx, connectors.StageSignIn, c.account(), func(ctx context.Context) (string, error) {
		s.link, s.guard, err = signIn(ctx, env, c, conn, beat)
		return c.account() + " on " + c.Vhost, err
	})
	if err != nil {
		return nil, err
	}
	s.listenToTheEnd()
	return s, nil
}

// sound finds answers that do not go together.
func sound(c config) error {
	e := &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm}
	switch {
	case c.Auth == byCertificate && !c.secure():
		e.Reason, e.Field = "rabbitmq.certificate_needs_tls", "security"
	case c.Auth == byCertificate && !c.Presents():
		e.Reason, e.Field = "rabbitmq.no_certificate", "client_cert"
	default:
		return nil
	}
	return e
}

func (c config) account() string {
	if c.Auth != byCertificate {
		return c.User
	}
	if pair, err := tlsx.Pair(c.Spec()); err == nil && pair.Leaf.Subject.CommonName != "" {
		return pair.Leaf.Subject.CommonName + " (client certificate)"
	}
	return "client certificate"
}

// listenToTheEnd reads what the library tells of the connection, as it must be:
// an unread notification blocks the goroutine that reads the socket.
func (s *session) listenToTheEnd() {
	closes := s.link.NotifyClose(make(chan *amqp.Error, 1))
	blocks := s.link.NotifyBlocked(make(chan amqp.Blocking, 1))
	s.drains.Go(func() {
		for e := range closes {
			s.mu.Lock()
			s.cause = e
			s.mu.Unlock()
		}
		close(s.lost)
	})
	s.drains.Go(func() {
		for b := range blocks {
			s.mu.Lock()
			s.blocked = ""
			if b.Active {
				s.blocked = b.Reason
			}
			s.mu.Unlock()
		}
	})
}

// on runs do on a channel of its own. When ctx ends first, do must end soon by
// itself; a broker that answers nothing costs the connection. on returns once do
// has ended.
func (s *session) on(ctx context.Context, do func(ch *amqp.Channel) error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	done := make(chan error, 1)
	go func() { done <- s.channel(do) }()
	select {
	case err := <-done:
		if err != nil && ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		return err
	case <-ctx.Done():
	}
	select {
	case <-done:
	case <-time.After(grace):
		_ = s.conn.Close()
		<-done
	}
	return connectors.Classify(context.Cause(ctx))
}

func (s *session) channel(do func(ch *amqp.Channel) error) error {
	ch, err := s.link.Channel()
	if err != nil {
		return err
	}
	err = do(ch)
	_ = ch.Close() // it is closed already where the broker refused something
	return err
}

// Close says goodbye and frees everything.
func (s *session) Close() error {
	_ = s.link.CloseDeadline(time.Now().Add(farewell))
	_ = s.conn.Close()
	<-s.lost
	s.drains.Wait()
	s.manage.close()
	return nil
}

// Check opens a channel and closes it, and asks the management API who this is.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if err := s.on(ctx, func(*amqp.Channel) error { return nil }); err != nil {
		return nil, s.failed(err, s.c.Vhost, "")
	}
	facts := []connectors.Fact{
		{Label: "Account", Text: s.c.account()},
		{Label: "Server", Text: s.server()},
		{Label: "Virtual host", Text: s.c.Vhost},
		{Label: "Encryption", Text: s.secured},
	}
	if name, ok := s.link.Properties["cluster_name"].(string); ok {
		facts = append(facts, connectors.Fact{Label: "Cluster", Text: connectors.Clean(name, maxName)})
	}
	s.mu.Lock()
	blocked := s.blocked
	s.mu.Unlock()
	if blocked != "" {
		facts = append(facts, connectors.Fact{Label: "Alarm", Text: "the broker takes no messages: " + connectors.Clean(blocked, maxName)})
	}
	if s.c.Management == manageNone {
		return append(facts, connectors.Fact{Label: "Management page", Text: "none: only what is named in the form can be looked at"}), nil
	}
	more, err := s.overview(ctx)
	facts = append(facts, more...)
	if err == nil {
		return facts, nil
	}
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	e := *connectors.Classify(err)
	e.Partial, e.Op = true, connectors.StageRights
	return append(facts, connectors.Fact{Label: "Management page", Text: absence(&e)}), &e
}

// server is product and version, from the broker's first frame.
func (s *session) server() string {
	var parts []string
	for _, key := range []string{"product", "version"} {
		if v, ok := s.link.Properties[key].(string); ok {
			parts = append(parts, connectors.Clean(v, 100))
		}
	}
	if len(parts) == 0 {
		return "AMQP " + strconv.Itoa(s.link.Major) + "-" + strconv.Itoa(s.link.Minor)
	}
	return strings.Join(parts, " ")
}

// ownName is a name that nobody else has.
func ownName() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return "jackfield-" + strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

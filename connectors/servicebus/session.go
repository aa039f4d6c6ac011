package servicebus

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
	"jackfield/connectors/internal/wsx"
)

// The WebSocket that carries AMQP
// (https://docs.oasis-open.org/amqp-bindmap/amqp-wsb/v1.0/amqp-wsb-v1.0.html).
const (
	socketPath  = "/$servicebus/websocket"
	subprotocol = "AMQPWSB10"
)

type session struct {
	c      config
	entity string // the one that is named, "" for none
	signer signer
	desk   *desk
	conn   *amqpx.Conn
	atom   *atom
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	key, entity, err := newSigner(env, c)
	if err != nil {
		return nil, err
	}
	if c.Entity != "" {
		entity = c.Entity
	}
	s := &session{c: c, entity: entity, signer: key, desk: newDesk(key, c.host())}
	if s.atom, err = newAtom(env, s); err != nil {
		return nil, err
	}
	if s.conn, err = amqpx.Dial(ctx, env, s.target()); err != nil {
		s.atom.close()
		return nil, s.reached(err)
	}
	return s, nil
}

// target signs in with SASL ANONYMOUS, as the service wants it, and a token after that.
func (s *session) target() amqpx.Target {
	c := s.c
	t := amqpx.Target{
		Host: c.host(), Port: c.port(), Hostname: c.host(), Account: s.account(), SASL: amqp.SASLTypeAnonymous(), Refused: s.notOpened,
		SignIn: func(ctx context.Context, conn *amqpx.Conn) error {
			s.conn = conn
			return s.known(ctx)
		},
	}
	t.Untrusted = func(err error) error { return amqpx.Untrusted(err, t.Addr(), "servicebus.not_tls", "port") }
	if c.Transport != toEmulator {
		spec := c.Spec()
		t.TLS = &spec
	}
	if c.Transport == overWebSocket {
		t.Upgrade = s.upgrade
	}
	return t
}

func (s *session) upgrade(ctx context.Context, conn net.Conn) (net.Conn, error) {
	u := &url.URL{Scheme: "wss", Host: net.JoinHostPort(s.c.host(), s.c.port()), Path: socketPath}
	ws, res, err := wsx.Upgrade(ctx, conn, u, subprotocol)
	if err == nil || ctx.Err() != nil {
		return ws, err
	}
	e := &connectors.Error{Code: connectors.Refused, Reason: "servicebus.websocket", Op: connectors.StageSignIn, Target: u.Host, Field: "port", Err: err}
	if res != nil {
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		e.Said = res.Status
		if found := s.refusal(res.StatusCode, "", detail(body), "", connectors.StageSignIn); found.Reason == "servicebus.firewall" || res.StatusCode == http.StatusServiceUnavailable || res.StatusCode == http.StatusTooManyRequests {
			return nil, found
		}
	}
	return nil, e
}

// known proves the key: the service checks a token when it is handed in. For the
// namespace as a whole only a refusal of the token itself counts; whether there is
// more to it the listing tells.
func (s *session) known(ctx context.Context) error {
	err := s.admitted(ctx, s.entity, true)
	if err == nil || s.entity != "" || ctx.Err() != nil {
		return err
	}
	switch e := connectors.Classify(err); e.Reason {
	case "servicebus.not_found", "servicebus.refused", "servicebus.claims", "servicebus.needs_listen", "servicebus.needs_manage":
		return nil
	}
	return err
}

// Close says goodbye and frees everything.
func (s *session) Close() error {
	s.conn.Close()
	s.atom.close()
	return nil
}

func (s *session) account() string {
	if s.c.Auth == bySAS {
		return s.signer.policy + " (SAS token)"
	}
	return s.signer.policy
}

// Check hands in a token anew, and asks what the key opens.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if err := s.known(ctx); err != nil {
		return nil, err
	}
	facts := []connectors.Fact{
		{Label: "Account", Text: connectors.Clean(s.account(), maxPolicy)}, {Label: "Server", Text: s.c.host()},
		{Label: "Protocol", Text: s.protocol()}, {Label: "Encryption", Text: s.conn.Secured},
	}
	if s.c.Auth == bySAS {
		facts = append(facts, connectors.Fact{Label: "Expires", Text: s.signer.ends.Format(time.RFC3339)})
	}
	more, err := s.opens(ctx)
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	return append(facts, more...), err
}

func (s *session) protocol() string {
	if s.c.Transport == overWebSocket {
		return "AMQP 1.0 over WebSocket"
	}
	return "AMQP 1.0"
}

// opens tells what the key opens: everything, or the entity that is named.
func (s *session) opens(ctx context.Context) ([]connectors.Fact, error) {
	about, err := s.atom.namespace(ctx)
	if err == nil {
		return append(about.facts(), connectors.Fact{Label: "Rights", Text: "Manage: everything is listed"}), about.sound()
	}
	e := *connectors.Classify(err)
	e.Partial = true
	if refused := e.Code == connectors.Denied || e.Code == connectors.AuthFailed; !refused || e.Reason == "servicebus.firewall" {
		return nil, &e
	}
	e = connectors.Error{Code: connectors.Denied, Reason: "servicebus.needs_manage", Op: connectors.StageRights, Target: s.c.host(), Said: e.Said, Partial: true}
	s.point(&e)
	if s.entity == "" {
		return []connectors.Fact{{Label: "Rights", Text: "not to list"}}, &e
	}
	n, err := s.named(ctx)
	if err != nil {
		return nil, err
	}
	e.Reason, e.Field = "servicebus.only_named", "entity"
	return []connectors.Fact{{Label: "Rights", Text: "not to list"}, {Label: "Open", Text: connectors.Clean(n.Name, maxEntity)}}, &e
}

// facts are what a namespace tells of itself.
func (n namespace) facts() []connectors.Fact {
	var out []connectors.Fact
	if n.Tier != "" {
		out = append(out, connectors.Fact{Label: "Tier", Text: connectors.Clean(n.Tier, 40)})
	}
	if n.Units > 0 {
		out = append(out, connectors.Fact{Label: "Messaging units", Text: fmt.Sprint(n.Units)})
	}
	return out
}

// sound finds a namespace that is for something else: Event Hubs have the same
// names and keys, but no queues.
func (n namespace) sound() error {
	if strings.EqualFold(n.Kind, "EventHub") {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "servicebus.event_hubs", Op: connectors.StageData, Target: n.Name, Field: "namespace"}
	}
	return nil
}

package amqp1

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
)

// How long a look at messages may take, and how many it shows.
const (
	patience = 1500 * time.Millisecond
	pause    = 200 * time.Millisecond // without a message, before the broker is asked whether there are more
	batch    = 10
	// afterthought is how long a broker may take to refuse a link that it attached.
	afterthought = 60 * time.Millisecond
	maxRows      = 500
	maxLook      = 5
	checked      = 10 // addresses that are tried when linking
)

// lookAction takes messages and gives them back.
const lookAction = "look"

type session struct {
	conn *amqpx.Conn
	c    config
	web  *console
}

// A target is where to connect, and the form's field of what opens it.
type target struct {
	amqpx.Target
	authField string
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	t := &target{Target: amqpx.Target{Host: c.Host, Port: c.port(), Hostname: c.Hostname}, authField: "password"}
	t.Untrusted = func(err error) error { return amqpx.Untrusted(err, t.Addr(), "amqp1.not_tls", "security") }
	t.Refused = t.refused
	if t.Hostname == "" {
		t.Hostname = c.Host
	}
	if c.Security == secureTLS {
		spec := c.Spec()
		t.TLS = &spec
	}
	switch c.Auth {
	case byCertificate:
		if t.TLS == nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Reason: "amqp1.certificate_needs_tls", Op: connectors.StageForm, Field: "security"}
		}
		if !c.Presents() {
			return nil, &connectors.Error{Code: connectors.BadInput, Reason: "amqp1.no_certificate", Op: connectors.StageForm, Field: "client_cert"}
		}
		t.SASL, t.Account, t.authField = amqp.SASLTypeExternal(""), "client certificate", "client_cert"
	case byNothing:
		t.SASL, t.Account, t.authField = amqp.SASLTypeAnonymous(), "anonymous", "auth"
	default:
		t.SASL, t.Account = amqp.SASLTypePlain(c.User, c.Password.Reveal()), c.User
	}
	web, err := newConsole(env, c)
	if err != nil {
		return nil, err
	}
	conn, err := amqpx.Dial(ctx, env, t.Target)
	if err != nil {
		return nil, err
	}
	return &session{conn: conn, c: c, web: web}, nil
}

// Close says goodbye and frees everything.
func (s *session) Close() error {
	s.conn.Close()
	s.web.close()
	return nil
}

// with runs do in a session of its own.
func (s *session) with(ctx context.Context, do func(as *amqp.Session) error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	as, end, err := s.conn.Session(ctx)
	if err != nil {
		return s.failed(ctx, "", err)
	}
	defer end()
	return do(as)
}

// Check makes a session, tries the first of the named addresses, and asks the
// console where there is one.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if err := s.with(ctx, func(*amqp.Session) error { return nil }); err != nil {
		return nil, err
	}
	facts := []connectors.Fact{
		{Label: "Account", Text: s.conn.Target.Account}, {Label: "Server", Text: s.conn.Server()},
		{Label: "Protocol", Text: "AMQP 1.0"}, {Label: "Encryption", Text: s.conn.Secured},
	}
	all := addresses(s.c.Addresses)
	facts = append(facts, connectors.Fact{Label: "Named addresses", Text: strconv.Itoa(len(all))})
	var trouble error
	if len(all) == 0 && s.web == nil {
		trouble = noAddresses()
	}
	for _, a := range all[:min(len(all), checked)] {
		if _, err := s.look(ctx, a); err != nil && trouble == nil {
			trouble = err
		}
		if ctx.Err() != nil {
			return nil, connectors.Classify(context.Cause(ctx))
		}
	}
	if s.web != nil {
		n, err := s.web.count(ctx)
		if ctx.Err() != nil {
			return nil, connectors.Classify(context.Cause(ctx))
		}
		if err == nil {
			facts = append(facts, connectors.Fact{Label: "Queues and topics on the console", Text: strconv.Itoa(n)})
		} else if trouble == nil {
			trouble = err
		}
	}
	if trouble == nil {
		return facts, nil
	}
	e := *connectors.Classify(trouble)
	e.Partial = true
	if e.Field == "" {
		e.Field = "addresses"
	}
	return facts, &e
}

// Children lists what the form names, and then what the console knows besides.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		if parent != "" {
			yield(connectors.Node{}, &connectors.Error{Code: connectors.NotFound, Reason: "amqp1.not_found", Op: connectors.StageData, Target: string(parent)})
			return
		}
		named := addresses(s.c.Addresses)
		for _, a := range named {
			n, err := s.node(ctx, a)
			if !yield(n, err) || err != nil {
				return
			}
		}
		if s.web == nil {
			if len(named) == 0 {
				yield(connectors.Node{}, noAddresses())
			}
			return
		}
		for n, err := range s.web.list(ctx) {
			if err == nil && slices.Contains(named, string(n.ID)) {
				continue
			}
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

func noAddresses() error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: "amqp1.no_addresses", Op: connectors.StageData, Field: "addresses"}
}

// node is a named address, tried by a link that asks for no message.
func (s *session) node(ctx context.Context, address string) (connectors.Node, error) {
	n := connectors.Node{ID: connectors.NodeID(address), Name: address, Kind: "address", Access: connectors.AccessReadable, Views: []connectors.View{connectors.ViewRows}}
	copies, err := s.look(ctx, address)
	var e *connectors.Error
	switch {
	case err == nil && copies:
		n.Facts = []connectors.Fact{{Label: "Browsing", Text: "the broker hands out copies"}}
	case err == nil:
		n.Access, n.Views = connectors.AccessListed, nil
		n.Facts = []connectors.Fact{{Label: "Browsing", Text: "the broker does not promise copies, so messages are left alone"}}
	case ctx.Err() != nil || !errors.As(err, &e) || e.Reason == "amqp1.lost":
		return n, err
	default:
		n.Access, n.Views = connectors.AccessDenied, nil
		n.Facts = []connectors.Fact{{Label: "Not open", Text: connectors.Explain(err).Title}}
	}
	return n, nil
}

// look attaches a link and detaches it again. Without credit no message comes.
func (s *session) look(ctx context.Context, address string) (copies bool, err error) {
	err = s.with(ctx, func(as *amqp.Session) error {
		r, err := s.browser(ctx, as, address)
		if err != nil {
			return err
		}
		defer amqpx.Leave(ctx, r)
		copies = s.copies(r)
		// Some brokers attach first and refuse then. No message can come: there is
		// no credit.
		moment, cancel := context.WithTimeout(ctx, afterthought)
		defer cancel()
		if _, err = r.Receive(moment, nil); moment.Err() != nil && ctx.Err() == nil {
			return nil
		}
		return err
	})
	return copies, s.failed(ctx, address, err)
}

func (s *session) browser(ctx context.Context, as *amqp.Session, address string) (*amqp.Receiver, error) {
	return as.NewReceiver(ctx, address, &amqp.ReceiverOptions{
		Credit: -1, SourceDistributionMode: amqp.SourceDistributionModeCopy, MaxMessageSize: amqpx.MaxMessage, Name: amqpx.OwnName(),
	})
}

// copies reports whether the broker agreed to hand out copies (messaging section
// 3.5.3: the mode in its own attach is the one in force). RabbitMQ repeats what
// it was asked for and moves messages all the same.
func (s *session) copies(r *amqp.Receiver) bool {
	agreed := s.conn.Guard.Mode(r.LinkName())
	return agreed == string(amqp.SourceDistributionModeCopy) && !strings.Contains(s.conn.Property("product"), "RabbitMQ")
}

// Table browses messages: copies are handed out, none is taken or settled.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	limit = max(0, min(limit, maxRows))
	if id == "" {
		return nil, &connectors.Error{Code: connectors.NotFound, Reason: "amqp1.not_found", Op: connectors.StageData, Target: string(id)}
	}
	var rows [][]any
	err := s.with(ctx, func(as *amqp.Session) error {
		r, err := s.browser(ctx, as, string(id))
		if err != nil {
			return err
		}
		defer amqpx.Leave(ctx, r)
		if !s.copies(r) {
			return &connectors.Error{Code: connectors.Unsupported, Reason: "amqp1.no_copies", Op: connectors.StageData, Target: string(id)}
		}
		return receive(ctx, r, limit+1, func(m *amqp.Message) { rows = append(rows, row(m)) })
	})
	if err = s.failed(ctx, string(id), err); err != nil {
		return nil, err
	}
	return &connectors.Table{Columns: columns(), Rows: rows[:min(len(rows), limit)], Truncated: len(rows) > limit}, nil
}

// receive asks for at most n messages, a few at a time, so that large ones do not
// pile up, and hands each to take.
func receive(ctx context.Context, r *amqp.Receiver, n int, take func(*amqp.Message)) error {
	for n > 0 {
		credit := min(n, batch)
		if err := r.IssueCredit(uint32(credit)); err != nil {
			return err
		}
		for range credit {
			moment, cancel := context.WithTimeout(ctx, pause)
			m, err := r.Receive(moment, nil)
			quiet := moment.Err() != nil && ctx.Err() == nil
			cancel()
			if err != nil && quiet {
				return drain(ctx, r, take)
			}
			if err != nil {
				return err
			}
			take(m)
			n--
		}
	}
	return nil
}

// drain lets the broker say that there are no more messages (transport section
// 2.6.7), and takes what comes before that. The library takes its credit back in
// the same frame, which some brokers do not answer: then patience ends it.
func drain(ctx context.Context, r *amqp.Receiver, take func(*amqp.Message)) error {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := r.DrainCredit(wait, nil)
	if err != nil && wait.Err() != nil {
		err = ctx.Err()
	}
	for m := r.Prefetched(); m != nil; m = r.Prefetched() {
		take(m)
	}
	return err
}

// Actions offers a look for brokers that hand out no copies.
func (s *session) Actions(id connectors.NodeID) []connectors.Action {
	if id == "" {
		return nil
	}
	return []connectors.Action{{
		ID: lookAction, Label: "Look at messages", Ask: "How many messages, 1 to 5",
		Warning: "Only for brokers that cannot hand out copies: the messages are taken from the queue and given back at once. For that moment nobody else can get them. The broker may count it as a delivery, and a message that was delivered too often may be thrown away.",
	}}
}

// Act takes up to five messages and releases them (messaging section 3.4.4).
func (s *session) Act(ctx context.Context, id connectors.NodeID, action, input string) ([]connectors.Part, error) {
	if action != lookAction || id == "" {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id), Said: "there is nothing of that kind to be done here"}
	}
	count := 1
	if input = strings.TrimSpace(input); input != "" {
		n, err := strconv.Atoi(input)
		if err != nil || n < 1 || n > maxLook {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Said: "a number from 1 to 5 is expected"}
		}
		count = n
	}
	var parts []connectors.Part
	err := s.with(ctx, func(as *amqp.Session) error {
		r, err := as.NewReceiver(ctx, string(id), &amqp.ReceiverOptions{Credit: -1, MaxMessageSize: amqpx.MaxMessage, Name: amqpx.OwnName()})
		if err != nil {
			return err
		}
		defer amqpx.Leave(ctx, r)
		var list []*amqp.Message
		err = receive(ctx, r, count, func(m *amqp.Message) {
			list = append(list, m)
			parts = append(parts, connectors.Part{Title: fmt.Sprintf("Message %d", len(list)), Text: describe(m)})
		})
		return errors.Join(err, release(ctx, r, list))
	})
	if err = s.failed(ctx, string(id), err); err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		parts = []connectors.Part{{Title: "No message", Text: "The broker handed out no message."}}
	}
	return parts, nil
}

// release gives messages back, also when ctx has ended meanwhile.
func release(ctx context.Context, r *amqp.Receiver, list []*amqp.Message) error {
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), amqpx.Farewell)
	defer cancel()
	var errs []error
	for _, m := range list {
		errs = append(errs, r.ReleaseMessage(bye, m))
	}
	return errors.Join(errs...)
}

package rabbitmq

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
)

// A queue as the management API has it; counts are nil until the broker's
// statistics have come, and lag some seconds behind.
type queue struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	State      string          `json:"state"`
	Policy     string          `json:"policy"`
	Durable    bool            `json:"durable"`
	AutoDelete bool            `json:"auto_delete"`
	Exclusive  bool            `json:"exclusive"`
	Messages   *int64          `json:"messages"`
	Ready      *int64          `json:"messages_ready"`
	Unacked    *int64          `json:"messages_unacknowledged"`
	Consumers  *int64          `json:"consumers"`
	Arguments  json.RawMessage `json:"arguments"`
}

const queueColumns = "name,type,state,policy,durable,auto_delete,exclusive,messages,messages_ready,messages_unacknowledged,consumers,arguments"

// The types of queues.
const (
	typeClassic = "classic"
	typeStream  = "stream"
)

type exchange struct {
	Name       string          `json:"name"`
	Type       string          `json:"type"`
	Policy     string          `json:"policy"`
	Durable    bool            `json:"durable"`
	AutoDelete bool            `json:"auto_delete"`
	Internal   bool            `json:"internal"`
	Arguments  json.RawMessage `json:"arguments"`
}

const exchangeColumns = "name,type,policy,durable,auto_delete,internal,arguments"

type vhost struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Children lists through the management API, and what the form names where there
// is none.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		p := parsePlace(parent)
		a, err := s.management(ctx)
		if ctx.Err() != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		for n, err := range s.below(ctx, p, parent, a, err) {
			if ctx.Err() != nil {
				n, err = connectors.Node{}, connectors.Classify(context.Cause(ctx))
			}
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

func (s *session) below(ctx context.Context, p place, id connectors.NodeID, a *api, absent error) iter.Seq2[connectors.Node, error] {
	switch {
	case p.nobody, p.keyed:
		return only(unknown(id))
	case p.kind == "" && p.vhost == "":
		return s.roots(a, absent)
	case a == nil && p.vhost == "" && !p.named && p.kind != inVhosts:
		return s.knownOnes(ctx, p)
	case a == nil:
		return only(absent)
	case p.kind == inVhosts:
		return s.vhosts(ctx, a)
	case p.kind == "":
		return folders(p)
	case p.named:
		return a.bindings(ctx, p, s.c.Vhost)
	case p.kind == inQueues:
		return a.queues(ctx, p, s.c.Vhost)
	}
	return a.exchanges(ctx, p, s.c.Vhost)
}

// only is a sequence that fails at once.
func only(err error) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) { yield(connectors.Node{}, err) }
}

func folders(p place) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		_ = yield(folder(p, inQueues, "Queues"), nil) && yield(folder(p, inExchanges, "Exchanges"), nil)
	}
}

func folder(p place, kind, name string) connectors.Node {
	return connectors.Node{ID: connectors.NodeID(p.prefix() + kind), Name: name, Kind: "folder", Branch: true, Ordered: true}
}

// roots says at the folders where a list has gaps.
func (s *session) roots(a *api, absent error) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for n := range folders(place{}) {
			if a == nil {
				n.Access = connectors.AccessListed
				n.Facts = []connectors.Fact{{Label: "Not listed", Text: absence(absent)}}
			}
			if !yield(n, nil) {
				return
			}
		}
		if a != nil {
			yield(folder(place{}, inVhosts, "Virtual hosts"), nil)
		}
	}
}

// absence says in one sentence why there is no list.
func absence(err error) string {
	return connectors.Explain(err).Title + " Only what the form names is shown."
}

func (s *session) vhosts(ctx context.Context, a *api) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		var all []vhost
		if err := a.get(ctx, "vhosts?columns=name,description", &all); err != nil {
			yield(connectors.Node{}, err)
			return
		}
		for _, v := range all {
			n := connectors.Node{ID: connectors.NodeID(inVhosts + "/" + part(v.Name)), Name: v.Name, Kind: "vhost", Branch: v.Name != s.c.Vhost}
			if !n.Branch {
				n.Facts = []connectors.Fact{{Label: "Connected", Text: "this connection is in it"}}
			}
			if v.Description != "" {
				n.Facts = append(n.Facts, connectors.Fact{Label: "Description", Text: v.Description})
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (a *api) queues(ctx context.Context, p place, own string) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for q, err := range pages[queue](ctx, a, "queues/"+escaped(p.in(own)), queueColumns) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if !yield(a.queueNode(p, q), nil) {
				return
			}
		}
	}
}

func (a *api) queueNode(p place, q queue) connectors.Node {
	n := connectors.Node{ID: p.child(q.Name), Name: q.Name, Kind: "queue", Branch: true}
	if q.Type == typeStream {
		n.Kind = typeStream
	}
	if p.vhost == "" {
		n.Access = a.rights.access(q.Name)
		n.Views = []connectors.View{connectors.ViewMessages}
		if q.Type == typeStream {
			n.Views = []connectors.View{connectors.ViewRows, connectors.ViewMessages}
		}
	}
	f := &facts{}
	f.text("Type", q.Type)
	f.number("Messages", q.Messages)
	f.number("Ready", q.Ready)
	f.number("Unacknowledged", q.Unacked)
	f.number("Consumers", q.Consumers)
	f.text("State", q.State)
	f.text("Policy", q.Policy)
	f.text("Kept", kept(q.Durable, q.AutoDelete))
	if q.Exclusive {
		f.text("Exclusive", "yes: only the connection that made it may use it")
	}
	f.text("Arguments", arguments(q.Arguments))
	if p.vhost == "" {
		f.text("Rights", a.rights.words(q.Name))
	}
	n.Facts = f.list
	return n
}

func (a *api) exchanges(ctx context.Context, p place, own string) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for x, err := range pages[exchange](ctx, a, "exchanges/"+escaped(p.in(own)), exchangeColumns) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if !yield(a.exchangeNode(p, x), nil) {
				return
			}
		}
	}
}

func (a *api) exchangeNode(p place, x exchange) connectors.Node {
	n := connectors.Node{ID: p.child(x.Name), Name: x.Name, Kind: "exchange", Branch: true}
	f := &facts{}
	f.text("Type", x.Type)
	switch {
	case x.Name == "":
		// Every queue is bound to it by its own name, and nothing else can be.
		n.Name, n.Access = defaultExchange, connectors.AccessListed
	case p.vhost == "":
		n.Access = a.rights.access(x.Name)
		n.Views = []connectors.View{connectors.ViewMessages}
		f.text("Rights", a.rights.words(x.Name))
	}
	f.text("Policy", x.Policy)
	f.text("Kept", kept(x.Durable, x.AutoDelete))
	if x.Internal {
		f.text("Internal", "yes: only other exchanges may send to it")
	}
	f.text("Arguments", arguments(x.Arguments))
	n.Facts = f.list
	return n
}

func kept(durable, autoDelete bool) string {
	switch {
	case autoDelete && durable:
		return "until nobody uses it"
	case autoDelete:
		return "until nobody uses it, or the broker restarts"
	case durable:
		return "for good"
	}
	return "until the broker restarts"
}

// facts collects what is known.
type facts struct{ list []connectors.Fact }

func (f *facts) text(label, v string) {
	if v != "" {
		f.list = append(f.list, connectors.Fact{Label: label, Text: connectors.Clean(v, 400)})
	}
}

func (f *facts) number(label string, v *int64) {
	if v != nil {
		f.text(label, humanize.Comma(*v))
	}
}

// arguments are shown as the API has them, "{}" as nothing.
func arguments(raw json.RawMessage) string {
	if s := string(raw); s != "{}" && s != "[]" && s != "null" {
		return s
	}
	return ""
}

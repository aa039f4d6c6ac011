package servicebus

import (
	"context"
	"iter"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/pathid"
)

// Children lists queues and topics; below a topic its subscriptions, and below
// what has messages its dead-letter queues and the messages themselves. Where
// nothing may be listed, it is the named entity alone.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for n, err := range s.below(ctx, parent) {
			if ctx.Err() != nil {
				n, err = connectors.Node{}, connectors.Classify(context.Cause(ctx))
			}
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

func (s *session) below(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	p, ok := parsePlace(parent)
	switch {
	case ctx.Err() != nil:
		return only(connectors.Classify(context.Cause(ctx)))
	case !ok, p.sequence >= 0:
		return only(s.nothing(parent))
	case p.root == "":
		return s.roots(ctx)
	case p.messages:
		return s.messages(ctx, parent, p)
	case p.name == "" && p.root == inNamed:
		return only(s.nothing(parent))
	case p.name == "":
		return s.collection(ctx, parent, "$Resources/"+p.root, "")
	case p.root == inTopics && p.sub == "":
		return s.collection(ctx, parent, p.name+"/subscriptions", p.name)
	}
	return insides(parent, p)
}

// only is a sequence that fails at once.
func only(err error) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) { yield(connectors.Node{}, err) }
}

func (s *session) nothing(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Reason: "servicebus.not_found", Op: connectors.StageData, Target: string(id)}
}

// roots asks for the namespace first: whoever may do that may list.
func (s *session) roots(ctx context.Context) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		about, err := s.atom.namespace(ctx)
		if err == nil {
			err = about.sound()
		} else if e := connectors.Classify(err); s.entity != "" && (e.Code == connectors.Denied || e.Code == connectors.AuthFailed || e.Code == connectors.Unreachable) {
			yield(s.named(ctx))
			return
		} else if e.Code == connectors.Denied || e.Code == connectors.AuthFailed {
			err = s.unlisted(e)
		}
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		queues := connectors.Node{ID: inQueues, Name: "Queues", Kind: "folder", Branch: true, Ordered: true}
		topics := connectors.Node{ID: inTopics, Name: "Topics", Kind: "folder", Branch: true, Ordered: true}
		if strings.EqualFold(about.Tier, "Basic") {
			topics.Branch, topics.Access = false, connectors.AccessDenied
			topics.Facts = []connectors.Fact{{Label: "Not there", Text: "The Basic tier has no topics."}}
		}
		_ = yield(queues, nil) && yield(topics, nil)
	}
}

// unlisted is why there is nothing to see.
func (s *session) unlisted(e *connectors.Error) error {
	if e.Reason == "servicebus.firewall" {
		return e
	}
	out := &connectors.Error{Code: connectors.Denied, Reason: "servicebus.needs_manage", Op: connectors.StageRights, Target: s.c.host(), Said: e.Said}
	s.point(out)
	return out
}

// named is the form's entity: described where that is allowed, else proved by
// peeking at one message.
func (s *session) named(ctx context.Context) (connectors.Node, error) {
	if one, err := s.atom.entity(ctx, s.entity); err == nil {
		return s.describe(one, s.entity), nil
	} else if e := connectors.Classify(err); e.Code == connectors.NotFound {
		return connectors.Node{}, err
	}
	n := connectors.Node{ID: pathid.Join(inNamed, s.entity), Name: s.entity, Kind: "queue or subscription", Branch: true, Access: connectors.AccessReadable, Views: []connectors.View{connectors.ViewRows}}
	if _, err := s.peek(ctx, s.entity, 0, 1); err != nil {
		return connectors.Node{}, err
	}
	return n, nil
}

// describe makes the node of an entity that was asked for by its path.
func (s *session) describe(one *entity, path string) connectors.Node {
	parent := connectors.NodeID(inQueues)
	switch one.Kind {
	case topicKind:
		parent = inTopics
	case subscriptionKind:
		if topic, _, ok := subscriptionOf(path); ok {
			n := one.node(pathid.Join(inTopics, topic))
			n.Name = path
			return n
		}
	}
	return one.node(parent)
}

func (s *session) collection(ctx context.Context, parent connectors.NodeID, collection, about string) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for one, err := range s.atom.list(ctx, collection, about) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if !yield(one.node(parent), nil) {
				return
			}
		}
	}
}

// insides are the messages of an entity and its dead-letter queues.
func insides(parent connectors.NodeID, p place) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		nodes := []connectors.Node{{ID: parent + "/" + partMessages, Name: "Messages", Kind: "folder", Branch: true, Ordered: true,
			Facts: []connectors.Fact{{Label: "Shown", Text: "the first " + strconv.Itoa(maxNodes) + " at most, oldest first"}}}}
		if p.dead == "" {
			for _, part := range []string{partDead, partTransferDead} {
				name := map[string]string{partDead: "Dead letters", partTransferDead: "Dead letters of forwarding"}[part]
				nodes = append(nodes, connectors.Node{ID: parent + "/" + connectors.NodeID(part), Name: name, Kind: "dead-letter queue", Branch: true, Ordered: true, Views: []connectors.View{connectors.ViewRows}})
			}
		}
		for _, n := range nodes {
			if !yield(n, nil) {
				return
			}
		}
	}
}

// node is an entity's below parent.
func (e *entity) node(parent connectors.NodeID) connectors.Node {
	n := connectors.Node{ID: pathid.Join(parent, e.Name), Name: e.Name, Kind: e.Kind, Branch: true, Access: connectors.AccessReadable, Facts: e.facts()}
	if e.Kind != topicKind {
		n.Views = []connectors.View{connectors.ViewRows}
	}
	return n
}

// never is how the service writes a time span without an end.
const never = "P10675199D"

func (e *entity) facts() []connectors.Fact {
	var out []connectors.Fact
	text := func(label, v string) {
		if v != "" {
			out = append(out, connectors.Fact{Label: label, Text: connectors.Clean(v, maxEntity)})
		}
	}
	count := func(label string, v *int64, always bool) {
		if v != nil && (always || *v > 0) {
			text(label, strconv.FormatInt(*v, 10))
		}
	}
	yes := func(label, v string) {
		if strings.EqualFold(v, "true") {
			text(label, "yes")
		}
	}
	messages := e.Kind != topicKind
	if messages {
		count("Messages", e.Counts.Active, true)
		count("Dead letters", e.Counts.Dead, true)
	}
	count("Scheduled", e.Counts.Scheduled, messages)
	count("Being forwarded", e.Counts.Transfer, false)
	count("Dead letters of forwarding", e.Counts.TransferDead, false)
	count("Subscriptions", e.Subscriptions, true)
	text("State", e.Status)
	if e.SizeInBytes != nil {
		text("Size (bytes)", strconv.FormatInt(*e.SizeInBytes, 10))
	}
	count("Largest size (MB)", e.MaxSize, false)
	yes("Sessions", e.Sessions)
	yes("Partitioned", e.Partitioned)
	yes("Duplicate detection", e.Duplicates)
	count("Deliveries before dead-lettering", e.MaxDelivery, false)
	if !strings.HasPrefix(e.Lives, never) {
		text("Messages live for", e.Lives)
	}
	text("Locked for", e.Lock)
	text("Forwards to", e.ForwardTo)
	text("Forwards dead letters to", e.DeadTo)
	text("Created", day(e.Created))
	text("Last used", day(e.Accessed))
	return out
}

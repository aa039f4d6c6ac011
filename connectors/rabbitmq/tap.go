package rabbitmq

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// The bounds of a queue of our own: where messages come faster than they are
// read, the broker drops the oldest of these copies.
const (
	maxTapped      = 1000
	maxTappedBytes = 16 << 20
	maxBindings    = 200
)

// A tap is what to listen to.
type tap struct {
	name     string   // for words
	path     []string // of its events; empty for the exchange of each
	key      string   // only messages with this routing key, where keyed
	keyed    bool
	stream   string // a stream to be read on from now
	bindings []tapped
}

// tapped is one binding of a queue of our own.
type tapped struct {
	exchange, key string
	args          amqp.Table
}

// fair are the exchange types that copy a message to every binding that fits.
// Others share messages out: a binding more would take them from somebody else.
var fair = []string{amqp.ExchangeDirect, amqp.ExchangeFanout, amqp.ExchangeTopic, amqp.ExchangeHeaders}

// tapFor plans what to bind to; it changes nothing.
func (s *session) tapFor(ctx context.Context, p place, id connectors.NodeID) (*tap, error) {
	switch {
	case ctx.Err() != nil:
		return nil, connectors.Classify(context.Cause(ctx))
	case id == "":
		return s.tapAll(ctx)
	case p.nobody, p.vhost != "", !p.named:
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.choose_exchange", Op: connectors.StageData, Target: string(id)}
	}
	t := &tap{name: p.name, path: []string{p.kind, part(p.name)}, key: p.key, keyed: p.keyed}
	a, err := s.management(ctx)
	if p.kind == inQueues {
		if err != nil {
			return nil, err
		}
		return t, s.tapQueue(ctx, a, t)
	}
	if ctx.Err() != nil {
		return nil, err
	}
	return t, s.tapExchange(ctx, a, t, p.name)
}

// tapAll is of the exchanges that the form names for it.
func (s *session) tapAll(ctx context.Context) (*tap, error) {
	t := &tap{name: s.c.Vhost}
	names := lines(s.c.Listen)
	if len(names) == 0 {
		return t, nil
	}
	a, err := s.management(ctx)
	if ctx.Err() != nil {
		return nil, err
	}
	for _, name := range names {
		if err := s.tapExchange(ctx, a, t, name); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// tapExchange binds so that every message of an exchange is seen. A direct
// exchange compares keys, so that only those can be bound that somebody uses.
func (s *session) tapExchange(ctx context.Context, a *api, t *tap, name string) error {
	kind, err := s.exchangeType(ctx, a, name)
	if err != nil {
		return err
	}
	if !slices.Contains(fair, kind) {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.tap_type", Op: connectors.StageData, Target: name, Said: kind}
	}
	if kind != amqp.ExchangeDirect {
		t.bindings = append(t.bindings, tapped{exchange: name, key: "#"})
		return nil
	}
	var keys []string
	if t.keyed {
		keys = []string{t.key}
	}
	if a != nil {
		for b, err := range a.bound(ctx, place{kind: inExchanges, name: name, named: true}, s.c.Vhost) {
			if err != nil {
				return err
			}
			if !slices.Contains(keys, b.RoutingKey) && len(keys) < maxBindings {
				keys = append(keys, b.RoutingKey)
			}
		}
	}
	for _, key := range keys {
		t.bindings = append(t.bindings, tapped{exchange: name, key: key})
	}
	if len(keys) == 0 {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.tap_direct", Op: connectors.StageData, Target: name}
	}
	return nil
}

// exchangeType asks the management API, and without one knows the types of the
// standard exchanges and those that the form tells.
func (s *session) exchangeType(ctx context.Context, a *api, name string) (string, error) {
	if name == "" {
		return "", &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.tap_default", Op: connectors.StageData, Target: defaultExchange}
	}
	if a == nil {
		return s.c.typeOf(name), nil
	}
	var x exchange
	if err := a.get(ctx, "exchanges/"+escaped(s.c.Vhost)+"/"+escaped(name)+"?columns=name,type,arguments", &x); err != nil {
		return "", err
	}
	var args map[string]any
	if json.Unmarshal(x.Arguments, &args) == nil && args["alternate-exchange"] != nil {
		return "", &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.tap_alternate", Op: connectors.StageData, Target: name}
	}
	return x.Type, nil
}

// typeOf is an exchange's type as the form or its name tells it, "" when neither does.
func (c config) typeOf(name string) string {
	for _, kind := range standard {
		if name == "amq."+kind {
			return strings.Replace(kind, "match", amqp.ExchangeHeaders, 1)
		}
	}
	for _, k := range parseKnown(c.Known) {
		if k.exchange && k.name == name {
			return k.kind
		}
	}
	return ""
}

// tapQueue binds as a queue is bound, so that copies of what is sent to it are
// seen; a stream is read itself, which takes nothing from anybody.
func (s *session) tapQueue(ctx context.Context, a *api, t *tap) error {
	q, err := a.queue(ctx, s.c.Vhost, t.name)
	if err != nil {
		return err
	}
	if q.Type == typeStream {
		t.stream = t.name
		return nil
	}
	types := map[string]string{}
	for b, err := range a.bound(ctx, place{kind: inQueues, name: t.name, named: true}, s.c.Vhost) {
		if err != nil {
			return err
		}
		if b.Source == "" || len(t.bindings) == maxBindings {
			continue // to the default exchange nothing can be bound
		}
		if _, asked := types[b.Source]; !asked {
			types[b.Source], err = s.exchangeType(ctx, a, b.Source)
			var no *connectors.Error
			if err != nil && (!errors.As(err, &no) || no.Code != connectors.Unsupported) {
				return err
			}
		}
		if slices.Contains(fair, types[b.Source]) {
			t.bindings = append(t.bindings, tapped{b.Source, b.RoutingKey, table(b.Arguments)})
		}
	}
	if len(t.bindings) == 0 {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.tap_queue", Op: connectors.StageData, Target: t.name}
	}
	return nil
}

func (a *api) queue(ctx context.Context, vhost, name string) (queue, error) {
	var q queue
	err := a.get(ctx, "queues/"+escaped(vhost)+"/"+escaped(name)+"?columns="+queueColumns, &q)
	return q, err
}

// start makes the queue, binds it and consumes from it. The queue is exclusive:
// it goes with the connection, and with its last consumer before that.
func (t *tap) start(s *session, ch *amqp.Channel) (<-chan amqp.Delivery, error) {
	if err := ch.Qos(inFlight, 0, false); err != nil {
		return nil, err
	}
	if t.stream != "" {
		coming, err := ch.Consume(t.stream, ownName(), false, false, false, false, amqp.Table{"x-stream-offset": "next"})
		return coming, s.failed(err, t.stream, "rabbitmq.read_denied")
	}
	q, err := ch.QueueDeclare("", false, true, true, false, amqp.Table{"x-max-length": int32(maxTapped), "x-max-length-bytes": int32(maxTappedBytes)})
	if err != nil {
		return nil, s.failed(err, t.name, "rabbitmq.tap_configure")
	}
	for _, b := range t.bindings {
		if err := ch.QueueBind(q.Name, b.key, b.exchange, false, b.args); err != nil {
			return nil, s.failed(err, b.exchange, bindReason(err))
		}
	}
	coming, err := ch.Consume(q.Name, ownName(), false, true, false, false, nil)
	return coming, s.failed(err, t.name, "rabbitmq.tap_configure")
}

// bindReason tells which of the two rights that a binding needs is missing:
// reading the exchange, or writing to the queue. The broker names the resource.
func bindReason(err error) string {
	if strings.Contains(err.Error(), "access to exchange") || strings.Contains(err.Error(), "access to topic") {
		return "rabbitmq.tap_read"
	}
	return "rabbitmq.tap_configure"
}

package rabbitmq

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// standard are the exchanges that every virtual host has (specification section
// 3.1.3.1); amq.match is a second name that RabbitMQ gives to amq.headers.
var standard = []string{amqp.ExchangeDirect, amqp.ExchangeFanout, amqp.ExchangeHeaders, "match", amqp.ExchangeTopic}

// knownOnes looks for what the form names, with declarations that only ask
// (passive). Anything else cannot be listed over AMQP.
func (s *session) knownOnes(ctx context.Context, p place) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for _, name := range s.names(p.kind == inExchanges) {
			n, err := s.asked(ctx, p, name)
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if !yield(n, nil) {
				return
			}
		}
	}
}

// names are what to look for, each once.
func (s *session) names(exchanges bool) []string {
	var out []string
	if exchanges {
		for _, kind := range standard {
			out = append(out, "amq."+kind)
		}
	}
	for _, k := range parseKnown(s.c.Known) {
		if k.exchange == exchanges && !slices.Contains(out, k.name) {
			out = append(out, k.name)
		}
	}
	return out
}

// asked is the node of a queue or exchange as far as AMQP tells. What does not
// exist stands in the list too, because the person named it.
func (s *session) asked(ctx context.Context, p place, name string) (connectors.Node, error) {
	n := connectors.Node{ID: p.child(name), Name: name, Kind: "exchange", Views: []connectors.View{connectors.ViewMessages}}
	if p.kind == inQueues {
		n.Kind, n.Views = "queue", nil
	}
	f := &facts{}
	err := s.on(ctx, func(ch *amqp.Channel) error {
		if p.kind == inExchanges {
			return ch.ExchangeDeclarePassive(name, amqp.ExchangeTopic, true, false, false, false, nil)
		}
		q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		if err == nil {
			f.text("Ready", strconv.Itoa(q.Messages))
			f.text("Consumers", strconv.Itoa(q.Consumers))
		}
		return err
	})
	if err = s.failed(err, name, ""); err == nil {
		n.Facts = f.list
		return n, nil
	}
	var e *connectors.Error
	if !errors.As(err, &e) || e.Code != connectors.NotFound && e.Code != connectors.Denied {
		return n, err
	}
	n.Access, n.Views = connectors.AccessDenied, nil
	n.Facts = []connectors.Fact{{Label: "Not there", Text: connectors.Explain(err).Title}}
	if e.Code == connectors.Denied {
		n.Facts[0].Label = "Not readable"
	}
	return n, nil
}

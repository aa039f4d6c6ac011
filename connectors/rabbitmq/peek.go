package rabbitmq

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// peekAction is the only thing that can be done to a queue.
const peekAction = "peek"

// maxPeek is how many messages are taken and given back at most.
const maxPeek = 5

// Actions offers a look into a queue of this virtual host. Whether it is one that
// stands it is asked when it is done.
func (s *session) Actions(id connectors.NodeID) []connectors.Action {
	p := parsePlace(id)
	if p.nobody || p.kind != inQueues || !p.named || p.keyed || p.vhost != "" || s.c.Management == manageNone {
		return nil
	}
	return []connectors.Action{{
		ID: peekAction, Label: "Peek at messages", Ask: "How many messages, 1 to 5",
		Warning: "The messages are taken from the queue and put back at once, in their place. For that moment nobody else can get them, and from then on they are marked as redelivered, which some programs take as a sign of trouble.",
	}}
}

// Act peeks at a classic queue. A quorum queue counts every delivery and may drop
// a message for it, so it is refused; a stream shows its messages as rows.
func (s *session) Act(ctx context.Context, id connectors.NodeID, action, input string) ([]connectors.Part, error) {
	if len(s.Actions(id)) == 0 || action != peekAction {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id), Said: "there is nothing of that kind to be done here"}
	}
	count := 1
	if input = strings.TrimSpace(input); input != "" {
		n, err := strconv.Atoi(input)
		if err != nil || n < 1 || n > maxPeek {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Said: "a number from 1 to 5 is expected"}
		}
		count = n
	}
	name := parsePlace(id).name
	if err := s.standsPeeking(ctx, name); err != nil {
		return nil, err
	}
	s.peeking.Lock()
	defer s.peeking.Unlock()
	var parts []connectors.Part
	err := s.on(ctx, func(ch *amqp.Channel) error {
		var err error
		parts, err = s.peek(ctx, ch, name, count)
		return err
	})
	if err != nil {
		return nil, s.failed(err, name, "rabbitmq.read_denied")
	}
	return parts, nil
}

// standsPeeking proves that the queue is a classic one.
func (s *session) standsPeeking(ctx context.Context, name string) error {
	a, err := s.management(ctx)
	if err != nil {
		return err
	}
	q, err := a.queue(ctx, s.c.Vhost, name)
	if err != nil {
		return err
	}
	e := &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: name, Said: q.Type}
	switch q.Type {
	case typeClassic:
		return nil
	case typeStream:
		e.Reason = "rabbitmq.peek_stream"
	default: // quorum, and what newer brokers may have
		e.Reason = "rabbitmq.peek_quorum"
	}
	return e
}

// peek takes messages and puts them back; closing the channel would do so too.
func (s *session) peek(ctx context.Context, ch *amqp.Channel, name string, count int) ([]connectors.Part, error) {
	var parts []connectors.Part
	last := uint64(0)
	for len(parts) < count && ctx.Err() == nil {
		d, ok, err := ch.Get(name, false)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		last = d.DeliveryTag
		size := s.guard.whole(delivery{"", d.DeliveryTag}, len(d.Body))
		parts = append(parts, peeked(len(parts)+1, d, size))
	}
	if last > 0 {
		if err := ch.Nack(last, true, true); err != nil {
			return nil, err
		}
	}
	if len(parts) == 0 {
		parts = []connectors.Part{{Title: "No message", Text: "The queue has no message that is ready."}}
	}
	return parts, nil
}

func peeked(n int, d amqp.Delivery, size int) connectors.Part {
	var b strings.Builder
	line := func(label, v string) {
		if v != "" {
			_, _ = fmt.Fprintf(&b, "%s: %s\n", label, v)
		}
	}
	line("Exchange", d.Exchange)
	line("Routing key", d.RoutingKey)
	line("Content type", d.ContentType)
	line("Headers", headerText(d.Headers))
	line("Properties", properties(d))
	line("Size", strconv.Itoa(size))
	if d.Redelivered {
		line("Redelivered", "yes, already before this look")
	}
	text := bodyText(d.Body)
	if len(text) < size {
		text += " …"
	}
	return connectors.Part{Title: "Message " + strconv.Itoa(n), Text: b.String() + "\n" + text}
}

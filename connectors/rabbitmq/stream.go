package rabbitmq

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// How long a stream's end may take to come, and how long nothing comes after it.
const (
	firstOfStream = 2 * time.Second
	quietStream   = 300 * time.Millisecond
)

// maxRows bounds a table, whatever is asked for.
const maxRows = 1000

// Table shows the newest messages of a stream, which may be read any number of
// times. Messages in other queues are not read: the broker would note it on them.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	p := parsePlace(id)
	limit = max(0, min(limit, maxRows))
	switch {
	case ctx.Err() != nil:
		return nil, connectors.Classify(context.Cause(ctx))
	case p.nobody, !p.named, p.keyed, p.vhost != "":
		return nil, unknown(id)
	case p.kind == inExchanges:
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.exchange_rows", Op: connectors.StageData, Target: p.name}
	}
	a, err := s.management(ctx)
	if err != nil {
		return nil, err
	}
	q, err := a.queue(ctx, s.c.Vhost, p.name)
	if err != nil {
		return nil, err
	}
	if q.Type != typeStream {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.queue_rows", Op: connectors.StageData, Target: p.name}
	}
	var list []message
	more := false
	if err := s.on(ctx, func(ch *amqp.Channel) error {
		list, more, err = s.tail(ctx, ch, p.name, limit)
		return err
	}); err != nil {
		return nil, s.failed(err, p.name, "rabbitmq.read_denied")
	}
	t := messageTable(list)
	t.Truncated = more
	return t, nil
}

// tail reads the last messages of a stream, oldest first. A stream's consumer
// only says where to begin (https://www.rabbitmq.com/docs/streams#consuming):
// the last chunk shows where the end is, and numbers lead to what stands before it.
func (s *session) tail(ctx context.Context, ch *amqp.Channel, name string, limit int) (list []message, more bool, err error) {
	if limit == 0 {
		return nil, true, nil
	}
	end := int64(-1)
	err = s.follow(ctx, ch, name, "last", func(m message, offset int64) bool {
		list, end = append(list, m), offset
		return true
	})
	if err != nil || end < 0 {
		return nil, false, err
	}
	first := max(0, end+1-int64(limit))
	if have := list[0].offset.(int64); have > first {
		list = list[:0]
		err = s.follow(ctx, ch, name, first, func(m message, offset int64) bool {
			// The broker begins with a whole chunk, so some may be older.
			if offset >= first && offset <= end {
				list = append(list, m)
			}
			return offset < end
		})
	}
	if cut := len(list) - limit; cut > 0 {
		list = list[cut:]
	}
	return list, err == nil && len(list) > 0 && list[0].offset.(int64) > 0, err
}

// follow reads a stream from an offset until nothing comes any more or take says
// no. It leaves no trace: offsets are not stored for such a consumer.
func (s *session) follow(ctx context.Context, ch *amqp.Channel, name string, from any, take func(m message, offset int64) bool) error {
	if err := ch.Qos(inFlight, 0, false); err != nil {
		return err
	}
	tag := ownName()
	coming, err := ch.Consume(name, tag, false, false, false, false, amqp.Table{"x-stream-offset": from})
	if err != nil {
		return err
	}
	defer func() { _ = ch.Cancel(tag, false) }()
	wait := time.NewTimer(firstOfStream)
	defer wait.Stop()
	for seen := 0; ; seen++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-wait.C:
			return nil
		case d, ok := <-coming:
			if !ok {
				return s.cancelled(&tap{name: name})
			}
			_ = d.Ack(false) // asks for more; nothing leaves a stream
			offset, known := d.Headers["x-stream-offset"].(int64)
			m := s.message(d)
			m.offset = offset
			if !known || seen > 100*maxRows || !take(m, offset) {
				return nil
			}
			wait.Reset(quietStream)
		}
	}
}

package servicebus

import (
	"context"
	"iter"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
)

// The bounds of a look at messages.
const (
	batch    = 20 // in one answer, which may have 8 MB; a message of the Standard tier has 256 kB
	maxRows  = 1000
	maxNodes = 200
)

// A peeked message.
type peeked struct {
	sequence int64
	message  *amqp.Message
}

// peek reads at most count messages whose sequence number is from or more, the
// oldest first. It neither locks nor takes any
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response#peek-message).
func (s *session) peek(ctx context.Context, path string, from int64, count int) ([]peeked, error) {
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if err := s.admitted(ctx, path, false); err != nil {
		return nil, err
	}
	a, err := ask(ctx, s.conn, path+management, &amqp.Message{
		ApplicationProperties: map[string]any{"operation": "com.microsoft:peek-message", "com.microsoft:server-timeout": uint32(patience.Milliseconds())},
		Value:                 map[string]any{"from-sequence-number": from, "message-count": int32(count)},
	})
	if err != nil {
		return nil, s.failed(ctx, path, err)
	}
	switch {
	case a.status == http.StatusNoContent, a.condition == "com.microsoft:message-not-found":
		return nil, nil
	case a.status != http.StatusOK:
		return nil, s.refusal(a.status, a.condition, a.said, path, connectors.StageData)
	}
	return unpack(a.message.Value, from, count), nil
}

// unpack reads the answer: {"messages": [{"message": bytes}, …]}.
func unpack(v any, from int64, count int) []peeked {
	body, _ := v.(map[string]any)
	list, _ := body["messages"].([]any)
	var out []peeked
	for _, one := range list[:min(len(list), count)] {
		packed, _ := one.(map[string]any)
		data, _ := packed["message"].([]byte)
		m := &amqp.Message{}
		if len(data) == 0 || m.UnmarshalBinary(data) != nil {
			continue
		}
		if n, _ := m.Annotations["x-opt-sequence-number"].(int64); n >= from {
			out = append(out, peeked{n, m})
		}
	}
	return out
}

// walk yields messages from a sequence number on, until there are no more.
func (s *session) walk(ctx context.Context, path string, most int) iter.Seq2[peeked, error] {
	return func(yield func(peeked, error) bool) {
		from := int64(0)
		for most > 0 {
			list, err := s.peek(ctx, path, from, min(most, batch))
			if err != nil {
				yield(peeked{}, err)
				return
			}
			if len(list) == 0 {
				return
			}
			for _, one := range list {
				if !yield(one, nil) {
					return
				}
				from = max(from, one.sequence+1)
			}
			most -= len(list)
		}
	}
}

// Table peeks at the messages of a queue, a subscription or a dead-letter queue,
// the oldest first.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	p, ok := parsePlace(id)
	if !ok || p.sequence >= 0 || !p.readable() {
		return nil, s.unreadable(id, p)
	}
	limit = max(0, min(limit, maxRows))
	t := &connectors.Table{Columns: columns()}
	for one, err := range s.walk(ctx, p.path(), limit+1) {
		if err != nil {
			return nil, err
		}
		if len(t.Rows) == limit {
			t.Truncated = true
			break
		}
		t.Rows = append(t.Rows, row(one))
	}
	return t, nil
}

// unreadable is why a place has no messages.
func (s *session) unreadable(id connectors.NodeID, p place) error {
	if p.root == inTopics && p.name != "" && p.sub == "" {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "servicebus.topic", Op: connectors.StageData, Target: p.name}
	}
	return s.nothing(id)
}

// messages are the first messages as nodes, so that each can be looked at.
func (s *session) messages(ctx context.Context, parent connectors.NodeID, p place) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		for one, err := range s.walk(ctx, p.path(), maxNodes) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			number := strconv.FormatInt(one.sequence, 10)
			n := connectors.Node{ID: parent + "/" + connectors.NodeID(number), Name: title(one), Kind: "message", Ordered: true, Access: connectors.AccessReadable,
				Views: []connectors.View{connectors.ViewContent}, Facts: facts(one.message)}
			if !yield(n, nil) {
				return
			}
		}
	}
}

// Sample is the body of one message; of a queue, its oldest message's.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, most int) (connectors.Sample, error) {
	p, ok := parsePlace(id)
	if !ok || !p.readable() {
		return connectors.Sample{}, s.unreadable(id, p)
	}
	list, err := s.peek(ctx, p.path(), max(0, p.sequence), 1)
	if err != nil {
		return connectors.Sample{}, err
	}
	if p.sequence >= 0 && (len(list) == 0 || list[0].sequence != p.sequence) {
		return connectors.Sample{}, &connectors.Error{Code: connectors.NotFound, Reason: "servicebus.message_gone", Op: connectors.StageData, Target: strconv.FormatInt(p.sequence, 10)}
	}
	if len(list) == 0 {
		return connectors.Sample{MediaType: "text/plain; charset=utf-8"}, nil
	}
	m := list[0].message
	body := slices.Concat(m.Data...)
	if len(m.Data) == 0 {
		text, _ := amqpx.Body(m)
		if whole, is := m.Value.(string); is {
			text = whole
		}
		body = []byte(text)
	}
	cut := body[:min(len(body), max(0, most))]
	return connectors.Sample{MediaType: media(m, body), Data: cut, Size: int64(len(body)), Truncated: len(cut) < len(body)}, nil
}

// media is what a message says its body is, or what can be seen of it.
func media(m *amqp.Message, body []byte) string {
	if p := m.Properties; p != nil && p.ContentType != nil {
		if kind, params, err := mime.ParseMediaType(*p.ContentType); err == nil {
			return mime.FormatMediaType(kind, params)
		}
	}
	if utf8.Valid(body) {
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

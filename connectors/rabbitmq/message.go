package rabbitmq

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// The bounds of what a table shows and remembers.
const (
	maxCell      = 4 << 10
	maxHeaders   = 60  // of one message
	maxNested    = 6   // levels of tables within headers
	maxHeard     = 200 // messages of one exchange
	maxExchanges = 50
)

// A message is a delivery as it is shown.
type message struct {
	when     time.Time // it came, or for a stream when it was sent
	exchange string
	key      string
	media    string
	headers  string
	props    string
	size     int
	body     string
	offset   any
}

func (s *session) message(d amqp.Delivery, now time.Time) message {
	return message{
		when: now, exchange: d.Exchange, key: d.RoutingKey, media: d.ContentType, headers: headerText(d.Headers), props: properties(d),
		size: s.guard.whole(delivery{d.ConsumerTag, d.DeliveryTag}, len(d.Body)), body: bodyText(d.Body),
	}
}

// bodyText is a body for a cell; bytes that are no text are only counted.
func bodyText(body []byte) string {
	text := body[:min(len(body), maxCell)]
	for len(text) > 0 && len(text) < len(body) && !utf8.RuneStart(body[len(text)]) {
		text = text[:len(text)-1]
	}
	if !utf8.Valid(text) {
		return fmt.Sprintf("(%d bytes, no text)", len(body))
	}
	return string(text)
}

// properties are the basic properties that were set (specification section 1.8),
// content type and headers left out.
func properties(d amqp.Delivery) string {
	var out []string
	put := func(name, v string) {
		if v != "" {
			out = append(out, name+"="+v)
		}
	}
	put("message-id", d.MessageId)
	put("correlation-id", d.CorrelationId)
	put("reply-to", d.ReplyTo)
	put("type", d.Type)
	put("app-id", d.AppId)
	put("user-id", d.UserId)
	put("expiration", d.Expiration)
	put("content-encoding", d.ContentEncoding)
	if d.Priority != 0 {
		put("priority", strconv.Itoa(int(d.Priority)))
	}
	if d.DeliveryMode == amqp.Persistent {
		put("persistent", "yes")
	}
	if !d.Timestamp.IsZero() {
		put("timestamp", d.Timestamp.UTC().Format(time.RFC3339))
	}
	return cell(strings.Join(out, ", "))
}

func headerText(t amqp.Table) string {
	var out []string
	for i, name := range slices.Sorted(maps.Keys(t)) {
		if i == maxHeaders {
			out = append(out, fmt.Sprintf("and %d more", len(t)-maxHeaders))
			break
		}
		out = append(out, name+"="+value(t[name], 0))
	}
	return cell(strings.Join(out, ", "))
}

// value is a field of a table as text; AMQP's tables nest.
func value(v any, depth int) string {
	if depth > maxNested {
		return "…"
	}
	var out []string
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case []byte:
		return bodyText(x)
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	case amqp.Table:
		for _, name := range slices.Sorted(maps.Keys(x)) {
			out = append(out, name+": "+value(x[name], depth+1))
		}
		return "{" + strings.Join(out, ", ") + "}"
	case []any:
		for _, one := range x {
			out = append(out, value(one, depth+1))
		}
		return "[" + strings.Join(out, ", ") + "]"
	case amqp.Decimal:
		return fmt.Sprintf("%de-%d", x.Value, x.Scale)
	}
	return fmt.Sprint(v)
}

func cell(text string) string {
	if len(text) <= maxCell {
		return text
	}
	return strings.ToValidUTF8(text[:maxCell], "") + "…"
}

// messageTable shows messages as rows; the first column tells them apart.
func messageTable(list []message, streamed bool) *connectors.Table {
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Received"}}}
	if streamed {
		t.Columns = []connectors.Column{{Name: "Offset", Numeric: true}, {Name: "Exchange"}}
	}
	t.Columns = append(t.Columns, connectors.Column{Name: "Routing key"}, connectors.Column{Name: "Body"}, connectors.Column{Name: "Size", Numeric: true},
		connectors.Column{Name: "Content type"}, connectors.Column{Name: "Headers"}, connectors.Column{Name: "Properties"})
	for _, m := range list {
		row := []any{m.when.Format("15:04:05.000")}
		if streamed {
			row = []any{m.offset, m.exchange}
		}
		t.Rows = append(t.Rows, append(row, m.key, m.body, int64(m.size), m.media, m.headers, m.props))
	}
	return t
}

// heard remembers the last messages of the exchanges that were listened to,
// because an event has no room for headers and properties.
type heard struct {
	mu sync.Mutex
	by map[connectors.NodeID][]message
}

func (h *heard) add(id connectors.NodeID, m message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by == nil {
		h.by = map[connectors.NodeID][]message{}
	}
	list, known := h.by[id]
	if !known && len(h.by) >= maxExchanges {
		return
	}
	if len(list) >= 2*maxHeard {
		list = append([]message(nil), list[maxHeard:]...)
	}
	h.by[id] = append(list, m)
}

// last are at most limit messages, the newest first.
func (h *heard) last(id connectors.NodeID, limit int) []message {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.by[id]
	list = slices.Clone(list[max(0, len(list)-min(limit, maxHeard)):])
	slices.Reverse(list)
	return list
}

// table reads a binding's arguments as the library wants them: whole numbers as
// int64, and what it has no type for as JSON text.
func table(raw json.RawMessage) amqp.Table {
	var given map[string]any
	if json.Unmarshal(raw, &given) != nil || len(given) == 0 {
		return nil
	}
	out := amqp.Table{}
	for name, v := range given {
		switch x := v.(type) {
		case string, bool, nil:
			out[name] = x
		case float64:
			out[name] = x
			if x == float64(int64(x)) {
				out[name] = int64(x)
			}
		default:
			text, _ := json.Marshal(x)
			out[name] = string(text)
		}
	}
	return out
}

package rabbitmq

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// The bounds of what is shown of a message.
const (
	maxCell    = 4 << 10
	maxFact    = 500 // letters
	maxHeaders = 60  // of one message
	maxNested  = 6   // levels of tables within headers
)

// A message is a delivery as it is shown.
type message struct {
	exchange string
	key      string
	media    string
	headers  string
	props    string
	size     int
	body     string
	offset   any
}

func (s *session) message(d amqp.Delivery) message {
	return message{
		exchange: d.Exchange, key: d.RoutingKey, media: d.ContentType, headers: headerText(d.Headers), props: properties(d),
		size: s.sizeOf(d), body: bodyText(d.Body),
	}
}

// sizeOf is how large a message is whose body may have been cut.
func (s *session) sizeOf(d amqp.Delivery) int {
	return s.guard.whole(delivery{d.ConsumerTag, d.DeliveryTag}, len(d.Body))
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

// property is a basic property by its name in the specification (section 1.8).
type property struct{ name, label, text string }

// basics are the basic properties that were set, headers left out.
func basics(d amqp.Delivery) []property {
	all := []property{
		{"content-type", "Content type", d.ContentType}, {"content-encoding", "Content encoding", d.ContentEncoding},
		{"message-id", "Message ID", d.MessageId}, {"correlation-id", "Correlation ID", d.CorrelationId}, {"reply-to", "Reply to", d.ReplyTo},
		{"type", "Type", d.Type}, {"app-id", "Application", d.AppId}, {"user-id", "User", d.UserId}, {"expiration", "Expiration (ms)", d.Expiration},
		{"priority", "Priority", ""}, {"delivery-mode", "Delivery mode", ""}, {"timestamp", "Timestamp", ""},
	}
	out := all[:0]
	for _, p := range all {
		switch {
		case p.name == "priority" && d.Priority != 0:
			p.text = strconv.Itoa(int(d.Priority))
		case p.name == "delivery-mode" && d.DeliveryMode == amqp.Persistent:
			p.text = "persistent"
		case p.name == "delivery-mode" && d.DeliveryMode == amqp.Transient:
			p.text = "transient"
		case p.name == "timestamp" && !d.Timestamp.IsZero():
			p.text = d.Timestamp.UTC().Format(time.RFC3339)
		}
		if p.text != "" {
			out = append(out, p)
		}
	}
	return out
}

// properties are the basic properties as text; the content type has a column of
// its own.
func properties(d amqp.Delivery) string {
	var out []string
	for _, p := range basics(d) {
		if p.name != "content-type" {
			out = append(out, p.name+"="+p.text)
		}
	}
	return cell(strings.Join(out, ", "))
}

// factsOf are where a message came from, its properties and its headers.
func factsOf(d amqp.Delivery) []connectors.Fact {
	exchange := d.Exchange
	if exchange == "" {
		exchange = defaultExchange
	}
	out := []connectors.Fact{{Label: "Exchange", Text: connectors.Clean(exchange, maxFact)}}
	if d.RoutingKey != "" {
		out = append(out, connectors.Fact{Label: "Routing key", Text: connectors.Clean(d.RoutingKey, maxFact)})
	}
	for _, p := range basics(d) {
		out = append(out, connectors.Fact{Label: p.label, Text: connectors.Clean(p.text, maxFact)})
	}
	if d.Redelivered {
		out = append(out, connectors.Fact{Label: "Redelivered", Text: "yes"})
	}
	for i, name := range slices.Sorted(maps.Keys(d.Headers)) {
		if i == maxHeaders {
			return append(out, connectors.Fact{Label: "More headers", Text: strconv.Itoa(len(d.Headers) - maxHeaders)})
		}
		out = append(out, connectors.Fact{Label: "Header " + connectors.Clean(name, 100), Text: connectors.Clean(cell(value(d.Headers[name], 0)), maxFact)})
	}
	return out
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

// messageTable shows a stream's messages as rows; the first column tells them apart.
func messageTable(list []message) *connectors.Table {
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Offset", Numeric: true}, {Name: "Exchange"}, {Name: "Routing key"}, {Name: "Body"},
		{Name: "Size", Numeric: true}, {Name: "Content type"}, {Name: "Headers"}, {Name: "Properties"}}}
	for _, m := range list {
		t.Rows = append(t.Rows, []any{m.offset, m.exchange, m.key, m.body, int64(m.size), m.media, m.headers, m.props})
	}
	return t
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

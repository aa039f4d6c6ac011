package amqp1

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
)

// maxFields bounds how many properties of a message a cell shows.
const maxFields = 60

// bodyColumn is where a row has its body.
const bodyColumn = 3

// columns head a table of messages (messaging section 3.2).
func columns() []connectors.Column {
	return []connectors.Column{{Name: "Message ID"}, {Name: "Created"}, {Name: "Subject"}, {Name: "Body"}, {Name: "Size", Numeric: true}, {Name: "Content type"}, {Name: "Properties"}, {Name: "Annotations"}}
}

func row(m *amqp.Message) []any {
	p := m.Properties
	if p == nil {
		p = &amqp.MessageProperties{}
	}
	body, size := amqpx.Body(m)
	var created any
	if p.CreationTime != nil {
		created = p.CreationTime.UTC().Format(time.RFC3339)
	}
	return []any{amqpx.Value(p.MessageID), created, deref(p.Subject), body, int64(size), deref(p.ContentType), properties(m), annotations(m.Annotations)}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return amqpx.Cell(*s)
}

func properties(m *amqp.Message) string {
	var out []string
	put := func(name, v string) {
		if v != "" {
			out = append(out, name+"="+v)
		}
	}
	if p := m.Properties; p != nil {
		put("to", deref(p.To))
		put("reply-to", deref(p.ReplyTo))
		put("correlation-id", amqpx.Value(p.CorrelationID))
		put("group-id", deref(p.GroupID))
	}
	if h := m.Header; h != nil {
		if h.Durable {
			put("durable", "yes")
		}
		if h.Priority != 4 { // the default of section 3.2.1
			put("priority", strconv.Itoa(int(h.Priority)))
		}
		if h.DeliveryCount > 0 {
			put("delivery-count", strconv.FormatUint(uint64(h.DeliveryCount), 10))
		}
	}
	for i, name := range slices.Sorted(maps.Keys(m.ApplicationProperties)) {
		if i == maxFields {
			break
		}
		put(name, amqpx.Value(m.ApplicationProperties[name]))
	}
	return amqpx.Cell(strings.Join(out, ", "))
}

func annotations(a amqp.Annotations) string {
	var out []string
	for k, v := range a {
		out = append(out, amqpx.Value(k)+"="+amqpx.Value(v))
	}
	slices.Sort(out)
	return amqpx.Cell(strings.Join(out[:min(len(out), maxFields)], ", "))
}

// describe is one message in full, as far as a cell goes.
func describe(m *amqp.Message) string {
	cells := row(m)
	var b strings.Builder
	for i, c := range columns() {
		if text := fmt.Sprint(cells[i]); cells[i] != nil && text != "" && i != bodyColumn {
			_, _ = fmt.Fprintf(&b, "%s: %s\n", c.Name, text)
		}
	}
	return b.String() + "\n" + fmt.Sprint(cells[bodyColumn])
}

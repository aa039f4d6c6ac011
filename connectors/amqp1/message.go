package amqp1

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
)

// The bounds of what a table shows.
const (
	maxCell   = 4 << 10
	maxNested = 6
	maxFields = 60
)

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
	body, size := body(m)
	var created any
	if p.CreationTime != nil {
		created = p.CreationTime.UTC().Format(time.RFC3339)
	}
	return []any{value(p.MessageID, 0), created, deref(p.Subject), body, int64(size), deref(p.ContentType), properties(m), annotations(m.Annotations)}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return cell(*s)
}

// body is the content of whichever kind of section a message has.
func body(m *amqp.Message) (text string, size int) {
	switch {
	case len(m.Data) > 0:
		data := slices.Concat(m.Data...)
		return bytesText(data), len(data)
	case m.Value != nil:
		text = value(m.Value, 0)
	case len(m.Sequence) > 0:
		for _, s := range m.Sequence {
			text += value(s, 0)
		}
	}
	return cell(text), len(text)
}

// bytesText is bytes for a cell; what is no text is only counted.
func bytesText(data []byte) string {
	text := data[:min(len(data), maxCell)]
	for len(text) > 0 && len(text) < len(data) && !utf8.RuneStart(data[len(text)]) {
		text = text[:len(text)-1]
	}
	if !utf8.Valid(text) {
		return fmt.Sprintf("(%d bytes, no text)", len(data))
	}
	return string(text)
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
		put("correlation-id", value(p.CorrelationID, 0))
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
		put(name, value(m.ApplicationProperties[name], 0))
	}
	return cell(strings.Join(out, ", "))
}

func annotations(a amqp.Annotations) string {
	var out []string
	for k, v := range a {
		out = append(out, value(k, 0)+"="+value(v, 0))
	}
	slices.Sort(out)
	return cell(strings.Join(out[:min(len(out), maxFields)], ", "))
}

// value is an AMQP value as text; values nest.
func value(v any, depth int) string {
	if depth > maxNested {
		return "…"
	}
	var out []string
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return cell(x)
	case []byte:
		return bytesText(x)
	case time.Time:
		return x.UTC().Format(time.RFC3339)
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out = append(out, k+": "+value(x[k], depth+1))
		}
		return "{" + strings.Join(out, ", ") + "}"
	case map[any]any:
		for k, one := range x {
			out = append(out, value(k, depth+1)+": "+value(one, depth+1))
		}
		slices.Sort(out)
		return "{" + strings.Join(out, ", ") + "}"
	case []any:
		for _, one := range x {
			out = append(out, value(one, depth+1))
		}
		return "[" + strings.Join(out, ", ") + "]"
	case fmt.Stringer:
		return cell(x.String())
	case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64:
		return fmt.Sprint(x)
	}
	return fmt.Sprintf("(%T)", v)
}

func cell(text string) string {
	if len(text) <= maxCell {
		return text
	}
	return strings.ToValidUTF8(text[:maxCell], "") + "…"
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

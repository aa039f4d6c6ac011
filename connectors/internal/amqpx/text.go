package amqpx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/Azure/go-amqp"
)

// The bounds of what is shown of a message.
const (
	MaxCell   = 4 << 10
	maxNested = 6
)

// Body is the content of whichever kind of section a message has.
func Body(m *amqp.Message) (text string, size int) {
	switch {
	case len(m.Data) > 0:
		data := slices.Concat(m.Data...)
		return BytesText(data), len(data)
	case m.Value != nil:
		text = value(m.Value, 0)
	case len(m.Sequence) > 0:
		for _, s := range m.Sequence {
			text += value(s, 0)
		}
	}
	return Cell(text), len(text)
}

// BytesText is bytes for a cell; what is no text is only counted.
func BytesText(data []byte) string {
	text := data[:min(len(data), MaxCell)]
	for len(text) > 0 && len(text) < len(data) && !utf8.RuneStart(data[len(text)]) {
		text = text[:len(text)-1]
	}
	if !utf8.Valid(text) {
		return fmt.Sprintf("(%d bytes, no text)", len(data))
	}
	return string(text)
}

// Value is an AMQP value as text.
func Value(v any) string { return value(v, 0) }

func value(v any, depth int) string {
	if depth > maxNested {
		return "…"
	}
	var out []string
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return Cell(x)
	case []byte:
		return BytesText(x)
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
		return Cell(x.String())
	case bool, int8, int16, int32, int64, uint8, uint16, uint32, uint64, float32, float64:
		return fmt.Sprint(x)
	}
	return fmt.Sprintf("(%T)", v)
}

// Cell cuts text to what a cell has room for.
func Cell(text string) string {
	if len(text) <= MaxCell {
		return text
	}
	return strings.ToValidUTF8(text[:MaxCell], "") + "…"
}

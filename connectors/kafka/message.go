package kafka

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"jackfield/connectors"
)

// The bounds of what is shown of one message.
const (
	maxCell    = 4 << 10
	maxHex     = 1 << 10
	maxBody    = 64 << 10
	maxHeaders = 60
)

// schemaOf knows values that were written with a schema registry: a zero byte,
// then the schema's number in four bytes:
// https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
func schemaOf(v []byte) (id uint32, rest []byte, ok bool) {
	if len(v) < 5 || v[0] != 0 {
		return 0, v, false
	}
	return binary.BigEndian.Uint32(v[1:5]), v[5:], true
}

// text is a key or a value for a cell: as it is where it is text, else in hex.
func text(v []byte) any {
	if v == nil {
		return nil
	}
	_, rest, _ := schemaOf(v)
	shown := rest[:min(len(rest), maxCell)]
	for len(shown) > 0 && len(shown) < len(rest) && !utf8.RuneStart(rest[len(shown)]) {
		shown = shown[:len(shown)-1]
	}
	if !utf8.Valid(shown) || strings.ContainsRune(string(shown), 0) {
		return inHex(rest)
	}
	if len(shown) < len(rest) {
		return string(shown) + "…"
	}
	return string(shown)
}

func inHex(v []byte) string {
	if len(v) > maxHex {
		return "hex " + hex.EncodeToString(v[:maxHex]) + "…"
	}
	return "hex " + hex.EncodeToString(v)
}

// schemaText says which schemas a key and a value were written with.
func schemaText(r *kgo.Record) string {
	var out []string
	if id, _, ok := schemaOf(r.Key); ok {
		out = append(out, fmt.Sprintf("key: schema %d", id))
	}
	if id, _, ok := schemaOf(r.Value); ok {
		out = append(out, fmt.Sprintf("value: schema %d", id))
	}
	return strings.Join(out, ", ")
}

func headerText(r *kgo.Record) string {
	var out []string
	for i, h := range r.Headers {
		if i == maxHeaders {
			out = append(out, fmt.Sprintf("and %d more", len(r.Headers)-maxHeaders))
			break
		}
		out = append(out, h.Key+"="+plainText(h.Value))
	}
	all := strings.Join(out, ", ")
	if len(all) > maxCell {
		all = strings.ToValidUTF8(all[:maxCell], "") + "…"
	}
	return all
}

func plainText(v []byte) string {
	if s, ok := text(v).(string); ok {
		return s
	}
	return ""
}

// event is a record as it is told live.
func event(path []string, r *kgo.Record) connectors.Event {
	e := connectors.Event{Time: r.Timestamp, Path: path, Size: len(r.Value), Body: r.Value}
	if e.Time.IsZero() || e.Time.Unix() < 0 {
		e.Time = time.Now()
	}
	if len(e.Body) > maxBody {
		e.Body = append([]byte(nil), e.Body[:maxBody]...)
	}
	e.Facts = []connectors.Fact{{Label: "Partition", Text: strconv.Itoa(int(r.Partition))}, {Label: "Offset", Text: strconv.FormatInt(r.Offset, 10)}}
	if r.Key != nil {
		e.Facts = append(e.Facts, connectors.Fact{Label: "Key", Text: connectors.Clean(plainText(r.Key), 500)})
	}
	if schema := schemaText(r); schema != "" {
		e.Facts = append(e.Facts, connectors.Fact{Label: "Schema", Text: schema})
	}
	if r.Value == nil {
		e.Facts = append(e.Facts, connectors.Fact{Label: "Tombstone", Text: "no value: the key is deleted where the topic is compacted"})
	}
	for _, h := range r.Headers[:min(len(r.Headers), maxHeaders)] {
		e.Facts = append(e.Facts, connectors.Fact{Label: "Header " + connectors.Clean(h.Key, 100), Text: connectors.Clean(plainText(h.Value), 500)})
	}
	return e
}

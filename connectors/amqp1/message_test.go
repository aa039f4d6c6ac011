package amqp1

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/go-amqp"

	"jackfield/connectors/internal/amqpx"
)

func TestSecurity71_MessagesAsTextAreBounded(t *testing.T) {
	var deep any = "x"
	for range 100 {
		deep = []any{deep}
	}
	id, big := "id", strings.Repeat("é", amqpx.MaxCell)
	for want, m := range map[string]*amqp.Message{
		"[[[[[[[…]]]]]]]":        {Value: deep},
		"(3 bytes, no text)":     {Data: [][]byte{{0xff}, {0, 1}}},
		"[a, 1][true]":           {Sequence: [][]any{{"a", int32(1)}, {true}}},
		"{a: 1, b: [x]}":         {Value: map[any]any{"b": []any{"x"}, "a": uint8(1)}},
		"(chan int)":             {Value: make(chan int)},
		big[:amqpx.MaxCell] + "": {Data: [][]byte{[]byte(big)}},
		"":                       {Properties: &amqp.MessageProperties{MessageID: id}},
		"1970-01-01T00:00:01Z":   {Value: time.Unix(1, 0)},
		strings.Repeat("y", 100): {Value: strings.Repeat("y", 100), Annotations: amqp.Annotations{"x-opt": int64(1)}},
	} {
		if got := row(m)[bodyColumn]; got != want {
			t.Errorf("%.80q, want %.80q", got, want)
		}
	}
	many := &amqp.Message{ApplicationProperties: map[string]any{}}
	for i := range 500 {
		many.ApplicationProperties[strconv.Itoa(i)] = strings.Repeat("z", 500)
	}
	if got := describe(many); len(got) > 2*amqpx.MaxCell {
		t.Errorf("%d bytes", len(got))
	}
}

package nats

import (
	"slices"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestStreamsAreOffered(t *testing.T) {
	s := run(t, accounts)
	_, js := admin(t, s)
	for _, name := range []string{"ORDERS", "BILLS"} {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, more := range [][]string{nil, {"streams", "ORDERS"}} {
		got, err := conntest.Choices(t, conntest.Open(t, Type(), answered(s, more...)), "streams")
		slices.Sort(got)
		if err != nil || !slices.Equal(got, []string{"BILLS", "ORDERS"}) {
			t.Errorf("with %q: %q, %v", more, got, err)
		}
	}
	_, err := conntest.Choices(t, conntest.Open(t, Type(), answered(s, "user", "narrow", "streams", "ORDERS")), "streams")
	if connectors.CodeOf(err) != connectors.Denied {
		t.Errorf("who may not list: %v, want denied", err)
	}
}

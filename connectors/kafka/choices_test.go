package kafka

import (
	"slices"
	"testing"

	"jackfield/connectors/conntest"
)

func TestTopicsAreOfferedAsFarAsTheyMayBeSeen(t *testing.T) {
	k := start(t, nil, false, true)
	for name, c := range map[string]struct {
		more, want []string
	}{
		"reader":              {nil, []string{"invoices", "orders"}},
		"reader of one topic": {[]string{"topics", "orders"}, []string{"invoices", "orders"}},
		"nobody":              {[]string{"user", "nobody"}, nil},
	} {
		if got, err := conntest.Choices(t, conntest.Open(t, Type(), k.settings(c.more...)), "topics"); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

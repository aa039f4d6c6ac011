package sqldb

import (
	"slices"
	"testing"

	"jackfield/connectors"
)

func TestIDsAreNamesAsSQLWritesThem(t *testing.T) {
	for want, parts := range map[connectors.NodeID][]string{
		"shop":                    {"shop"},
		"shop.orders":             {"shop", "orders"},
		`shop."order.lines"`:      {"shop", "order.lines"},
		`"a""b".c`:                {`a"b`, "c"},
		`"""".""`:                 {`"`, ""},
		"two words.it's; DROP":    {"two words", "it's; DROP"},
		`".".".".x`:               {".", ".", "x"},
		"Bestellungen.Stück\x1fx": {"Bestellungen", "Stück\x1fx"},
	} {
		var got connectors.NodeID
		for _, p := range parts {
			got = join(got, p)
		}
		if got != want {
			t.Errorf("%q: id %q, want %q", parts, got, want)
		}
		if back := split(got); !slices.Equal(back, parts) {
			t.Errorf("%q comes back as %q", parts, back)
		}
	}
	for id, want := range map[connectors.NodeID][]string{`"open.x`: {`"open`, "x"}, `"a"b.c`: {`"a"b`, "c"}, `"`: {`"`}} {
		if got := split(id); !slices.Equal(got, want) {
			t.Errorf("%s is read as %q, want %q", id, got, want)
		}
	}
}

func FuzzIDsComeBack(f *testing.F) {
	f.Add("shop", "orders")
	f.Add(`a"."b`, "")
	f.Fuzz(func(t *testing.T, a, b string) {
		if got := split(join(join("", a), b)); !slices.Equal(got, []string{a, b}) {
			t.Errorf("%q %q comes back as %q", a, b, got)
		}
	})
}

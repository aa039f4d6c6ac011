package pathid

import (
	"slices"
	"testing"
	"unicode/utf8"

	"jackfield/connectors"
)

func TestIDs(t *testing.T) {
	for want, parts := range map[connectors.NodeID][]string{
		"shop/orders":           {"shop", "orders"},
		"shop/a%2Fb":            {"shop", "a/b"},
		"100%25":                {"100%"},
		"%/%":                   {"", ""},
		"%FF%00/ä ö":            {"\xff\x00", "ä ö"},
		"logs-*":                {"logs-*"},
		"Bestellungen.Stück/'x": {"Bestellungen.Stück", "'x"},
	} {
		var got connectors.NodeID
		for _, p := range parts {
			got = Join(got, p)
		}
		if got != want {
			t.Errorf("%q: id %q, want %q", parts, got, want)
		}
		if back, ok := Split(got); !ok || !slices.Equal(back, parts) {
			t.Errorf("%q comes back as %q", parts, back)
		}
	}
	for _, id := range []connectors.NodeID{"a/%zz", "a//b", "/", "x%2", "%2f"} {
		if parts, ok := Split(id); ok {
			t.Errorf("%q is read as %q", id, parts)
		}
	}
}

func FuzzIDsComeBack(f *testing.F) {
	f.Add("shop", "orders")
	f.Add("%", "/\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		id := Join(Join("", a), b)
		if got, ok := Split(id); !ok || !slices.Equal(got, []string{a, b}) || !utf8.ValidString(string(id)) {
			t.Errorf("%q %q comes back as %q", a, b, got)
		}
	})
}

package addresses_test

import (
	"math/rand/v2"
	"testing"

	"jackfield/connectors/all"
)

// TestDamagedAddresses: what is left out, doubled or swapped in an example never
// makes an answer that its form does not take, nor shows a secret.
func TestDamagedAddresses(t *testing.T) {
	types, list := all.All(), examples(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	const signs = `@:/?#&=;'"{}\()%+, ` + "\n"
	for range 6000 {
		text := []byte(list[rnd.IntN(len(list))].text)
		for range 1 + rnd.IntN(3) {
			i := rnd.IntN(len(text))
			switch rnd.IntN(3) {
			case 0:
				text[i] = signs[rnd.IntN(len(signs))]
			case 1:
				text = append(text[:i:i], text[min(i+1+rnd.IntN(4), len(text)):]...)
			default:
				text = append(text[:i:i], append([]byte{signs[rnd.IntN(len(signs))]}, text[i:]...)...)
			}
			if len(text) == 0 {
				text = []byte("x")
			}
		}
		found, ok := read(types, string(text))
		if ok && found.What == "" {
			t.Errorf("%q: nothing is said on what it is", text)
		}
		for _, it := range found.Items {
			if it.Name == "" || len(it.Readings) == 0 {
				t.Errorf("%q: an item without a name or a reading", text)
			}
			secrets(t, it)
			for _, rd := range it.Readings {
				fits(t, types, rd)
			}
		}
		if t.Failed() {
			t.Fatalf("the input was %q", text)
		}
	}
}

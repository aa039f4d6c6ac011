package keys

import (
	"strings"
	"time"

	"filippo.io/age"

	"jackfield/connectors"
)

// ageItems are the identities and recipients in a file of age-keygen's. The
// comments before an identity have its recipient and its date, of which the date is taken.
// A file that age encrypted has none.
func ageItems(text string) []Item {
	var out []Item
	var made time.Time
	n := 0
	for line := range strings.Lines(text) {
		if n++; n > maxLines {
			break
		}
		line = strings.TrimSpace(line)
		if when, ok := strings.CutPrefix(line, "# created:"); ok {
			made, _ = time.Parse(time.RFC3339, strings.TrimSpace(when))
			continue
		}
		if i, ok := ageItem(line); ok {
			i.Created = made
			out = append(out, i)
			made = time.Time{}
		}
	}
	return out
}

func ageItem(line string) (Item, bool) {
	upper := strings.ToUpper(line)
	switch {
	case len(line) > maxWebKey:
	case strings.HasPrefix(upper, "AGE-SECRET-KEY-PQ-1"):
		id, err := age.ParseHybridIdentity(upper)
		if err == nil {
			return Item{Kind: Age, Format: "age identity", Name: id.Recipient().String(), Algorithm: "ML-KEM-768 with X25519", Private: &Private{connectors.NewSecret(upper)}}, true
		}
	case strings.HasPrefix(upper, "AGE-SECRET-KEY-1"):
		id, err := age.ParseX25519Identity(upper)
		if err == nil {
			return Item{Kind: Age, Format: "age identity", Name: id.Recipient().String(), Algorithm: "X25519", Bits: 256, Private: &Private{connectors.NewSecret(upper)}}, true
		}
	case strings.HasPrefix(line, "age1pq1"):
		if _, err := age.ParseHybridRecipient(line); err == nil {
			return Item{Kind: Age, Format: "age recipient", Name: line, Algorithm: "ML-KEM-768 with X25519"}, true
		}
	case strings.HasPrefix(line, "age1"):
		if _, err := age.ParseX25519Recipient(line); err == nil {
			return Item{Kind: Age, Format: "age recipient", Name: line, Algorithm: "X25519", Bits: 256}, true
		}
	}
	return Item{}, false
}

package connectors

import (
	"context"
	"iter"
	"strings"
	"unicode"
)

// A Chooser knows what a field of its form may be answered with: the databases,
// buckets, folders that the server has. What it offers is what the account may
// see, whatever the field was answered with when the session was opened.
type Chooser interface {
	// Choices are at most MaxChoices answers for the field with the key, in the
	// order in which they are shown. It only reads. Where the account may not list
	// them it is an *Error. nil and no error mean that the session knows nothing
	// about the field; that there is nothing to choose is an empty list. Fields
	// that it answers have Listed set, and no others. A Value is as the server says
	// it and goes into the field; a Label is neutralized by Clean and is shown.
	Choices(ctx context.Context, field string) ([]Option, error)
}

// MaxChoices is how many answers are offered: nobody reads more, and what is not
// among them can be typed.
const MaxChoices = 1000

// maxChoice is how long an answer may be, in bytes; longer ones are left out.
const maxChoice = 1024

// ChoicesOf are the first MaxChoices of a listing for which pick gives a value
// and says what to show for it; an empty label shows the value. The listing is
// not read further. Values that nobody could type (control characters, more than
// 1,024 bytes) and those that come twice are left out.
func ChoicesOf[T any](list iter.Seq2[T, error], pick func(T) (value, label string)) ([]Option, error) {
	out, seen := []Option{}, map[string]bool{}
	for x, err := range list {
		if err != nil {
			return nil, err
		}
		value, label := pick(x)
		if value == "" || len(value) > maxChoice || seen[value] || strings.ContainsFunc(value, unicode.IsControl) {
			continue
		}
		if label == "" {
			label = value
		}
		seen[value] = true
		if out = append(out, Option{Value: value, Label: Clean(label, 200)}); len(out) == MaxChoices {
			break
		}
	}
	return out, nil
}

// ChoicesFrom is ChoicesOf for names that are in memory already.
func ChoicesFrom(names []string) []Option {
	out, _ := ChoicesOf(func(yield func(string, error) bool) {
		for _, n := range names {
			if !yield(n, nil) {
				return
			}
		}
	}, func(n string) (string, string) { return n, "" })
	return out
}

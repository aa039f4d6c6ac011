package fill

import "strings"

// A value that stands elsewhere ($PASSWORD, $(pass show x), ${DB_HOST}) travels
// through the readers as its name between two runes of the private use area.
const (
	opens  = '\uE000'
	closes = '\uE001'
)

// Marked stands for the value of name until it reaches a field.
func Marked(name string) string { return string(opens) + name + string(closes) }

// Unmarked takes the two runes out of foreign text, which may not mark anything.
func Unmarked(text string) string {
	if !strings.ContainsRune(text, opens) && !strings.ContainsRune(text, closes) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r == opens || r == closes {
			return -1
		}
		return r
	}, text)
}

// Open lists the names of the values that stand elsewhere.
func Open(text string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(text, string(opens))
		if !ok {
			return out
		}
		name, after, ok := strings.Cut(rest, string(closes))
		if !ok {
			return append(out, "a variable")
		}
		out, text = append(out, name), after
	}
}

package connectors

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from elsewhere safe to show (on screen, in a terminal, in a
// log): control characters, the twelve Bidi_Control characters (Unicode TR9 and
// PropList.txt), other invisible formatting and invalid UTF-8 become visible
// marks, and the result has at most max runes ("…" shows a cut). max < 1 means
// no limit.
func Clean(s string, max int) string {
	if plain(s) && (max < 1 || len(s) <= max) {
		return s
	}
	var b strings.Builder
	n := 0
	for len(s) > 0 {
		if max > 0 && n == max {
			b.WriteRune('…')
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			b.WriteRune(unicode.ReplacementChar)
		} else {
			b.WriteRune(safe(r))
		}
		s = s[size:]
		n++
	}
	return b.String()
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// safe maps a rune that would act instead of being seen to one that is seen:
// C0 controls to their pictures (U+2400…), the rest to U+FFFD.
func safe(r rune) rune {
	switch {
	case r < 0x20:
		return 0x2400 + r
	case r == 0x7f:
		return 0x2421
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Bidi_Control, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), r == 0xfeff, r == 0x200b, r == 0x2060, r >= 0xe0000 && r <= 0xe007f:
		return unicode.ReplacementChar
	}
	return r
}

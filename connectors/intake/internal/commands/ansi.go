package commands

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

var simple = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'f': 12, 'v': 11, 'e': 27, 'E': 27, '\\': '\\', '\'': '\'', '"': '"', '?': '?'}

// ansi reads the inside of $'…', with which browsers write what is not ASCII
// (https://www.gnu.org/software/bash/manual/html_node/ANSI_002dC-Quoting.html).
func ansi(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if c, ok := simple[s[i]]; ok {
			b.WriteByte(c)
			continue
		}
		n := number(&b, s[i:])
		if n == 0 {
			b.WriteByte('\\')
			b.WriteByte(s[i])
			continue
		}
		i += n - 1
	}
	return b.String()
}

// number writes what \xHH, \uHHHH, \UHHHHHHHH or \NNN means and returns how
// much of s that is; 0 where it is none.
func number(b *strings.Builder, s string) int {
	base, most, from := 16, 0, 1
	switch s[0] {
	case 'x':
		most = 2
	case 'u':
		most = 4
	case 'U':
		most = 8
	default:
		base, most, from = 8, 3, 0
	}
	end := from
	for end < len(s) && end < from+most {
		if _, err := strconv.ParseUint(s[end:end+1], base, 8); err != nil {
			break
		}
		end++
	}
	v, err := strconv.ParseUint(s[from:end], base, 32)
	if err != nil {
		return 0
	}
	if s[0] == 'u' || s[0] == 'U' {
		if v > utf8.MaxRune {
			v = utf8.RuneError
		}
		b.WriteRune(rune(v))
	} else {
		b.WriteByte(byte(v))
	}
	return end
}

// Package pathid makes node ids of names that may contain anything: parts joined
// by "/", escaped as in a URL, so that a person can type them.
package pathid

import (
	"strings"
	"unicode/utf8"

	"jackfield/connectors"
)

const hexDigits = "0123456789ABCDEF"

// empty is how a part without any letter is written.
const empty = "%"

// Join is the id of name below parent; the root is "".
func Join(parent connectors.NodeID, name string) connectors.NodeID {
	if parent == "" {
		return connectors.NodeID(Escape(name))
	}
	return parent + "/" + connectors.NodeID(Escape(name))
}

// Split takes an id apart. ok is false for what Join never makes.
func Split(id connectors.NodeID) (parts []string, ok bool) {
	if id == "" {
		return nil, true
	}
	for p := range strings.SplitSeq(string(id), "/") {
		name, ok := Unescape(p)
		if !ok {
			return nil, false
		}
		parts = append(parts, name)
	}
	return parts, true
}

// Escape makes one part of an id. "/" and "%", control characters and bytes that
// are no UTF-8 become %XX.
func Escape(name string) string {
	if name == "" {
		return empty
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && size == 1 || r < 0x20 || r == 0x7f || r == '/' || r == '%' {
			b.WriteString(Byte(name[i]))
		} else {
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}

// Byte is one byte as it is escaped.
func Byte(c byte) string { return string([]byte{'%', hexDigits[c>>4], hexDigits[c&15]}) }

// Unescape is the name of one part.
func Unescape(part string) (string, bool) {
	if part == empty {
		return "", true
	}
	var b strings.Builder
	for i := 0; i < len(part); i++ {
		if part[i] != '%' {
			b.WriteByte(part[i])
			continue
		}
		if i+2 >= len(part) {
			return "", false
		}
		hi, lo := strings.IndexByte(hexDigits, part[i+1]), strings.IndexByte(hexDigits, part[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), part != ""
}

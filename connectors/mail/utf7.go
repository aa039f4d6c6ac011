package mail

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// imapBase64 is the alphabet of RFC 3501 section 5.1.3.
func imapBase64() *base64.Encoding {
	return base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)
}

// decodeName reads a folder's name in modified UTF-7. One that is not well formed
// is shown as it came: a single bad name must not hide the others.
func decodeName(raw string) string {
	if !strings.Contains(raw, "&") {
		return raw
	}
	enc := imapBase64()
	var b strings.Builder
	for rest := raw; rest != ""; {
		plain, shifted, found := strings.Cut(rest, "&")
		_, _ = b.WriteString(plain)
		if !found {
			break
		}
		code, after, closed := strings.Cut(shifted, "-")
		if !closed {
			return raw
		}
		rest = after
		if code == "" {
			_ = b.WriteByte('&')
			continue
		}
		bytes, err := enc.DecodeString(code)
		if err != nil || len(bytes)%2 != 0 {
			return raw
		}
		units := make([]uint16, len(bytes)/2)
		for i := range units {
			units[i] = uint16(bytes[2*i])<<8 | uint16(bytes[2*i+1])
		}
		_, _ = b.WriteString(string(utf16.Decode(units)))
	}
	return b.String()
}

// encodeName writes a name in modified UTF-7.
func encodeName(name string) string {
	enc := imapBase64()
	var b strings.Builder
	var shifted []rune
	flush := func() {
		if len(shifted) == 0 {
			return
		}
		var raw []byte
		for _, u := range utf16.Encode(shifted) {
			raw = append(raw, byte(u>>8), byte(u))
		}
		_, _ = b.WriteString("&" + enc.EncodeToString(raw) + "-")
		shifted = shifted[:0]
	}
	for _, r := range name {
		if r < 0x20 || r > 0x7e {
			shifted = append(shifted, r)
			continue
		}
		flush()
		if r == '&' {
			_, _ = b.WriteString("&-")
			continue
		}
		_, _ = b.WriteRune(r)
	}
	flush()
	return b.String()
}

// readable reports whether a name says the same in both forms, so that the one
// for people can stand for the other.
func readable(raw string) bool {
	name := decodeName(raw)
	return utf8.ValidString(name) && encodeName(name) == raw
}

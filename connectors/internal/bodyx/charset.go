package bodyx

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"jackfield/connectors/internal/rows"
)

// decode makes UTF-8 of a body: a byte order mark decides first, the media
// type's charset second (RFC 7303 section 3.2). sure is false where neither does;
// the body is then as it came. What says to be of a single-byte charset and is
// valid UTF-8 is UTF-8, because frameworks put in the former by default.
func decode(body []byte, charset string) (text []byte, sure bool) {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(body, []byte(mark)) {
			s, _, ok := rows.Text(body)
			return []byte(s), ok
		}
	}
	if wide := wideCharset(charset); wide != nil {
		out, err := wide.NewDecoder().Bytes(body)
		return out, err == nil
	}
	enc, known := narrowCharset(charset)
	if !known || utf8.Valid(body) {
		return body, known
	}
	if enc == nil {
		return body, false
	}
	out, err := enc.NewDecoder().Bytes(body)
	return out, err == nil
}

// narrowCharset knows the charsets that have ASCII in them; nil is UTF-8. Latin-1
// is read as Windows-1252, as browsers do (WHATWG Encoding, section 4.2).
func narrowCharset(label string) (enc encoding.Encoding, known bool) {
	switch strings.ToLower(label) {
	case "utf-8", "utf8":
		return nil, true
	case "us-ascii", "ascii", "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252", "cp-1252":
		return charmap.Windows1252, true
	case "iso-8859-15", "iso8859-15", "latin-9":
		return charmap.ISO8859_15, true
	}
	return nil, false
}

// wideCharset is nil for all but UTF-16 (RFC 2781: big-endian without a mark).
func wideCharset(label string) encoding.Encoding {
	switch strings.ToLower(label) {
	case "utf-16", "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	}
	return nil
}

// declared reads what an XML declaration says the charset is.
func declared(label string, in io.Reader) (io.Reader, error) {
	if wideCharset(label) != nil {
		return in, nil // the declaration could be read byte by byte, so it is not true
	}
	enc, known := narrowCharset(label)
	switch {
	case !known:
		return nil, fmt.Errorf("the charset %q is not known", label[:min(len(label), 40)])
	case enc == nil:
		return in, nil
	}
	return enc.NewDecoder().Reader(in), nil
}

// asDeclared leaves text alone that is UTF-8 already.
func asDeclared(_ string, in io.Reader) (io.Reader, error) { return in, nil }

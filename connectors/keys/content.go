package keys

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"strings"
	"unicode/utf8"

	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/rows"
)

// content is what was given, repaired: text or binary.
type content struct {
	text    string
	binary  []byte  // DER, a key store, a keytab; also when it came as base64
	blocks  []block // the PEM blocks of text
	repairs []Repair
}

const (
	pemBegin  = "-----BEGIN "
	ssh2Begin = "---- BEGIN SSH2 PUBLIC KEY ----"
	ppkPrefix = "PuTTY-User-Key-File-"
)

func (c *content) repaired(id, text string) { c.repairs = append(c.repairs, Repair{id, text}) }

func (c *content) isPPK() bool  { return strings.HasPrefix(c.text, ppkPrefix) }
func (c *content) isJSON() bool { return isJSON(c.text) }

// isJSON tells a list from the heading of a section and from an address in brackets.
func isJSON(text string) bool {
	rest, list := strings.CutPrefix(text, "[")
	return strings.HasPrefix(text, "{") || list && strings.ContainsAny((strings.TrimSpace(rest) + "x")[:1], `{["`)
}

// open finds out whether data is text, and repairs it.
func open(data []byte) *content {
	c := &content{}
	if text, ok := c.decode(data); ok {
		c.take(text)
	} else {
		c.binary = data
	}
	return c
}

// decode returns text, also of what Windows' Notepad saves as "Unicode".
func (c *content) decode(data []byte) (string, bool) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		text, _, ok := rows.Text(data)
		if ok {
			c.repaired("utf16", "text that was saved as UTF-16")
		}
		return text, ok
	}
	return string(data), utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 && !isBinary(data)
}

// isBinary knows the short binary files whose bytes happen to be valid UTF-8.
func isBinary(data []byte) bool { return len(data) > 2 && data[0] == 5 && data[1] <= 2 }

func (c *content) take(text string) {
	text = c.unquoted(text)
	if isJSON(text) {
		c.text = text
		return
	}
	text = c.lines(text)
	c.text = text
	if strings.Contains(text, pemBegin) {
		c.blocks = c.scan(text)
		return
	}
	if data, ok := base64Of(text); ok {
		c.fromBase64(data)
	}
}

// fromBase64 looks at what base64 stood for: binary, or UTF-16 text.
func (c *content) fromBase64(data []byte) {
	inner := &content{}
	switch text, ok := inner.decode(data); {
	case binaryKind(data) != Binary:
		c.binary = data
	case ok && (strings.Contains(text, pemBegin) || strings.HasPrefix(text, ppkPrefix) || strings.HasPrefix(text, "{")):
		c.repairs = append(c.repairs, inner.repairs...)
		c.repaired("base64", "base64 around the text")
		c.text = c.unquoted(text)
		if !c.isJSON() {
			c.text = c.lines(c.text)
			c.blocks = c.scan(c.text)
		}
	}
}

func (c *content) unquoted(text string) string {
	if t := strings.TrimPrefix(text, "\ufeff"); t != text {
		c.repaired("bom", "an invisible mark at the beginning")
		text = t
	}
	text = strings.TrimSpace(text)
	if len(text) > 1 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0] {
		c.repaired("quotes", "quotes around it")
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	return text
}

var (
	mailQuote = regexp.MustCompile(`(?m)^(?:> ?)+`)
	longDash  = regexp.MustCompile(`[-\x{2010}-\x{2015}\x{2212}]{2,12}(BEGIN|END)( [A-Z0-9 ]{1,40}?)[-\x{2010}-\x{2015}\x{2212}]{2,12}`)
)

// lines puts line breaks and dashes right, and takes off what mail puts before lines.
func (c *content) lines(text string) string {
	if strings.Contains(text, `\n`) {
		c.repaired("newlines", `line breaks that were written as \n`)
	}
	if strings.ContainsAny(text, "\u00a0\u202f\u200b") {
		c.repaired("spaces", "spaces of an unusual kind")
		text = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u200b", "").Replace(text)
	}
	if strings.HasPrefix(text, ">") {
		c.repaired("quoting", "> before the lines")
		text = mailQuote.ReplaceAllString(text, "")
	}
	if strings.Contains(text, "BEGIN ") {
		if t := longDash.ReplaceAllString(text, "-----$1$2-----"); t != text && strings.Contains(t, pemBegin) {
			c.repaired("dashes", "dashes of the wrong kind or number")
			text = t
		}
	}
	if ranTogether(text) {
		c.repaired("joined", "lines that had run together")
	}
	if !strings.HasPrefix(text, ppkPrefix) {
		return answers.TidyPEM(text)
	}
	// The MAC covers the comment, which may be empty or end in a space.
	text = strings.NewReplacer("\r\n", "\n", `\r\n`, "\n", `\n`, "\n", "\r", "\n").Replace(text)
	return strings.Replace(text, "\nComment:\n", "\nComment: \n", 1) + "\n"
}

// ranTogether reports whether a block has lost its line breaks.
func ranTogether(text string) bool {
	m := beginLine.FindStringIndex(text)
	if m == nil {
		return false
	}
	body, _, _ := strings.Cut(text[m[1]:], "-----END")
	body = strings.TrimSpace(body)
	return len(body) > 100 && !strings.ContainsAny(body, "\r\n") && !strings.Contains(body, `\n`)
}

// base64Of decodes text that is nothing but base64, in either alphabet.
func base64Of(text string) ([]byte, bool) {
	text = strings.Join(strings.Fields(text), "")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	return data, err == nil && len(data) >= 8
}

// A block is a PEM block (RFC 7468), read as leniently as can be.
type block struct {
	label   string
	headers map[string]string
	bytes   []byte // nil when it is damaged
}

const (
	maxBlocks  = 300
	maxHeaders = 20
)

var (
	beginLine = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]{1,40}?) ?-----`)
	header    = regexp.MustCompile(`^\s*(?:(Proc-Type): *(4,ENCRYPTED)|(DEK-Info): *([A-Z0-9-]+,[0-9A-Fa-f]+)|([A-Za-z][A-Za-z0-9-]*): *([^\n]*)\n)`)
)

// scan finds the blocks. Their lines may have been joined, and the last one's
// END line may be missing.
func (c *content) scan(text string) []block {
	var out []block
	at := beginLine.FindAllStringSubmatchIndex(text, maxBlocks)
	cut := false
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		body, _, ended := strings.Cut(text[m[1]:end], "-----END")
		cut = cut || !ended
		b := parseBlock(text[m[2]:m[3]], body)
		out = append(out, b)
	}
	if cut {
		c.repaired("end", "a last line that was missing")
	}
	return out
}

func parseBlock(label, body string) block {
	b := block{label: label, headers: map[string]string{}}
	for range maxHeaders {
		m := header.FindStringSubmatch(body)
		if m == nil {
			break
		}
		b.headers[m[1]+m[3]+m[5]] = strings.TrimSpace(m[2] + m[4] + m[6])
		body = body[len(m[0]):]
	}
	body = strings.TrimRight(strings.Join(strings.Fields(body), ""), "=")
	// RFC 4880 section 6.1: a checksum follows PGP's base64.
	if data, err := base64.RawStdEncoding.DecodeString(body); err == nil && len(data) > 0 {
		b.bytes = data
	}
	return b
}

package keys

import (
	"encoding/base64"
	"regexp"
	"strings"

	"jackfield/connectors/internal/pemx"
)

// content is what was given, repaired: text or binary.
type content struct {
	text    string
	binary  []byte  // DER, a key store, a keytab; also when it came as base64
	blocks  []block // the PEM blocks of text
	many    bool    // there are more blocks than are read
	repairs []Repair
}

const (
	pemBegin  = "-----BEGIN "
	ssh2Begin = "---- BEGIN SSH2 PUBLIC KEY ----"
	ppkPrefix = "PuTTY-User-Key-File-"
)

// Repaired is the pasted text put right, and what was done to it: PEM with its
// lines, a PuTTY file, JSON. What is binary, or longer than MaxSize, stays as it is.
func Repaired(data []byte) (string, []Repair) {
	if len(data) > MaxSize {
		return string(data), nil
	}
	text, repairs, ok := pemx.Decode(data)
	if !ok {
		return string(data), nil
	}
	out, more := pemx.Right(text)
	return out, append(repairs, more...)
}

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
	text, repairs, ok := pemx.Decode(data)
	if !ok {
		c.binary = data
		return c
	}
	right, more := pemx.Right(text)
	c.repairs = append(repairs, more...)
	if c.text = strings.TrimRight(right, "\n"); c.isPPK() {
		c.text = right
	}
	if c.isJSON() {
		return c
	}
	if strings.Contains(c.text, pemBegin) {
		c.scan(c.text)
		return c
	}
	if data, ok := base64Of(c.text); ok && binaryKind(data) != Binary {
		c.binary = data
	}
	return c
}

// base64Of decodes text that is nothing but base64, in either alphabet.
func base64Of(text string) ([]byte, bool) {
	text = strings.Join(strings.Fields(text), "")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	return data, err == nil && len(data) >= 8
}

// A block is a PEM block (RFC 7468).
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

// scan finds the blocks.
func (c *content) scan(text string) {
	at := beginLine.FindAllStringSubmatchIndex(text, maxBlocks+1)
	c.many = len(at) > maxBlocks
	for i, m := range at[:min(len(at), maxBlocks)] {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		body, _, _ := strings.Cut(text[m[1]:end], "-----END")
		c.blocks = append(c.blocks, parseBlock(text[m[2]:m[3]], body))
	}
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

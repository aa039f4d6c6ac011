package mail

import (
	"errors"
	"io"
	"strconv"
	"strings"
)

// Bounds of one response. Responses come one by one and are not kept.
const (
	maxStatusLine = 16 << 10
	maxResponse   = 1 << 20 // with its literals; a sample asks for more
	maxDepth      = 32
)

var errTooDeep = errors.New("the server's answer is nested too deeply")

// A value is an atom, a string, NIL or a list (RFC 9051 section 4).
type value struct {
	text   string
	list   []value
	isList bool
	isNil  bool
	quoted bool // a string, not an atom
}

// at is a list's item, or an empty value.
func (v value) at(i int) value {
	if i < 0 || i >= len(v.list) {
		return value{isNil: true}
	}
	return v.list[i]
}

func (v value) number() (int64, bool) {
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil && n >= 0
}

// pairs reads a list as names and values: (MESSAGES 3 UNSEEN 1).
func (v value) pairs() map[string]value {
	out := map[string]value{}
	for i := 0; i+1 < len(v.list); i += 2 {
		out[strings.ToUpper(v.list[i].text)] = v.list[i+1]
	}
	return out
}

// A response is one of the server's (RFC 9051 section 7).
type response struct {
	tag    string  // "*" for untagged, "+" to go on
	status string  // OK, NO, BAD, BYE, PREAUTH; "" for data
	code   string  // of a status, in capitals: "AUTHENTICATIONFAILED"
	args   string  // what follows the code
	text   string  // of a status, or after "+"
	data   []value // of anything else
}

// kind is what data is about, and the number before it: "* 3 FETCH".
func (r response) kind() (name string, number int64, rest []value) {
	if len(r.data) == 0 {
		return "", 0, nil
	}
	if n, ok := r.data[0].number(); ok && len(r.data) > 1 && !r.data[0].quoted {
		return strings.ToUpper(r.data[1].text), n, r.data[2:]
	}
	return strings.ToUpper(r.data[0].text), 0, r.data[1:]
}

// A parser reads responses, each within a budget.
type parser struct {
	w    *wire
	left int
}

// read reads one response of at most max bytes.
func (p *parser) read(max int) (r response, err error) {
	p.left = max
	p.w.hurry()
	defer func() {
		if err != nil {
			p.w.kill()
		}
	}()
	if r.tag, err = p.token(); err != nil {
		return r, err
	}
	if r.tag == "" {
		return r, errNoProtocol
	}
	if r.tag == "+" {
		r.text, err = p.rest()
		return r, err
	}
	if err = p.space(); err != nil {
		return r, err
	}
	first, err := p.value(0)
	if err != nil {
		return r, err
	}
	if word := strings.ToUpper(first.text); !first.quoted && !first.isList && isStatus(word) {
		r.status = word
		text, err := p.rest()
		r.status, r.code, r.args, r.text = word, "", "", text
		r.split()
		return r, err
	}
	if r.tag != "*" || first.isList {
		return r, errNoProtocol
	}
	more, err := p.values(0, false)
	r.data = append([]value{first}, more...)
	return r, err
}

func isStatus(word string) bool {
	switch word {
	case "OK", "NO", "BAD", "BYE", "PREAUTH":
		return true
	}
	return false
}

// split takes the code off a status's text: [UIDNEXT 4] Predicted next UID.
func (r *response) split() {
	inner, ok := strings.CutPrefix(r.text, "[")
	if !ok {
		return
	}
	inside, after, closed := strings.Cut(inner, "]")
	if !closed {
		return
	}
	code, args, _ := strings.Cut(inside, " ")
	r.code, r.args, r.text = strings.ToUpper(code), args, strings.TrimSpace(after)
}

func (p *parser) next() (byte, error) {
	if p.left--; p.left < 0 {
		return 0, errTooLong
	}
	return p.w.br.ReadByte()
}

func (p *parser) peek() (byte, error) {
	b, err := p.w.br.Peek(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (p *parser) space() error {
	b, err := p.next()
	if err == nil && b != ' ' {
		err = errNoProtocol
	}
	return err
}

// rest is the line up to its end.
func (p *parser) rest() (string, error) {
	line, err := p.w.line(min(maxStatusLine, p.left))
	return strings.TrimPrefix(line, " "), err
}

// token is up to the next space or line end, which is left where it is.
func (p *parser) token() (string, error) {
	var b strings.Builder
	for {
		c, err := p.peek()
		if err != nil {
			return "", err
		}
		if c == ' ' || c == '\r' || c == '\n' || b.Len() > 64 {
			return b.String(), nil
		}
		if c, err = p.next(); err != nil {
			return "", err
		}
		_ = b.WriteByte(c)
	}
}

// values reads up to the line's end, or up to the list's.
func (p *parser) values(depth int, inList bool) ([]value, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	var out []value
	for {
		c, err := p.next()
		if err != nil {
			return nil, err
		}
		switch {
		case c == ' ' || c == '\r':
		case c == '\n' && !inList, c == ')' && inList:
			return out, nil
		case c == '\n' || c == ')':
			return nil, errNoProtocol
		default:
			if err := p.unread(); err != nil {
				return nil, err
			}
			v, err := p.value(depth)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
}

func (p *parser) unread() error {
	p.left++
	return p.w.br.UnreadByte()
}

func (p *parser) value(depth int) (value, error) {
	c, err := p.next()
	if err != nil {
		return value{}, err
	}
	switch c {
	case '(':
		list, err := p.values(depth+1, true)
		return value{list: list, isList: true}, err
	case '"':
		return p.quoted()
	case '{':
		return p.literal()
	case '~': // binary literals look the same after the tilde (RFC 3516)
		if next, err := p.peek(); err == nil && next == '{' {
			_, _ = p.next()
			return p.literal()
		}
	}
	if err := p.unread(); err != nil {
		return value{}, err
	}
	return p.atom()
}

func (p *parser) quoted() (value, error) {
	var b strings.Builder
	for {
		c, err := p.next()
		if err != nil {
			return value{}, err
		}
		switch c {
		case '"':
			return value{text: b.String(), quoted: true}, nil
		case '\n':
			return value{}, errNoProtocol
		case '\\':
			if c, err = p.next(); err != nil {
				return value{}, err
			}
		}
		_ = b.WriteByte(c)
	}
}

// literal is {5} at the end of a line and five bytes after it.
func (p *parser) literal() (value, error) {
	line, err := p.w.line(24)
	if err != nil {
		return value{}, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSuffix(line, "}"), "+"))
	if err != nil || n < 0 || !strings.HasSuffix(line, "}") {
		return value{}, errNoProtocol
	}
	if p.left -= n + len(line); p.left < 0 {
		return value{}, errTooLong
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(p.w.br, data); err != nil {
		return value{}, err
	}
	return value{text: string(data), quoted: true}, nil
}

// atom also takes what stands in brackets: BODY[HEADER.FIELDS (DATE)]<0>.
func (p *parser) atom() (value, error) {
	var b strings.Builder
	inside := false
	for {
		c, err := p.peek()
		if err != nil {
			return value{}, err
		}
		if strings.IndexByte("\r\n", c) >= 0 || !inside && strings.IndexByte(` ()"`, c) >= 0 {
			break
		}
		if _, err = p.next(); err != nil {
			return value{}, err
		}
		switch {
		case c == '[' && (strings.EqualFold(b.String(), "BODY") || strings.EqualFold(b.String(), "BINARY")):
			inside = true
		case c == ']':
			inside = false
		}
		_ = b.WriteByte(c)
	}
	text := b.String()
	if text == "" {
		return value{}, errNoProtocol
	}
	return value{text: text, isNil: strings.EqualFold(text, "NIL")}, nil
}

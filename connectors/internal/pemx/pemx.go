// Package pemx puts right what copying and pasting does to keys and
// certificates: line ends that became \n or spaces, lines that are missing or
// doubled, dashes, quotes, JSON and HTML around them, bare base64. It says what
// it did and changes nothing else. Nothing is decrypted, and no input takes more
// than time and memory in proportion to its length.
package pemx

import (
	"encoding/json"
	"html"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

// MaxSize is the longest text that is looked at, in bytes. Longer text stays as it is.
const MaxSize = 1 << 20

// A Repair is something that was put right.
type Repair struct {
	ID   string // "newlines"
	Text string // "line breaks that were written as \n"
}

const (
	ppkStart = "PuTTY-User-Key-File-"
	blanks   = " \t\u00a0"
)

// Right returns the text put right, which ends in a line end unless it is empty,
// and what was done to it.
func Right(text string) (string, []Repair) {
	if len(text) > MaxSize {
		return text, nil
	}
	f := &fixer{}
	out := f.right(text, 0)
	return out, f.repairs
}

type fixer struct{ repairs []Repair }

// did notes a repair once.
func (f *fixer) did(id string) {
	if !slices.ContainsFunc(f.repairs, func(r Repair) bool { return r.ID == id }) {
		f.repairs = append(f.repairs, Repair{id, texts(id)})
	}
}

func (f *fixer) right(text string, depth int) string {
	text = f.invisible(text)
	text = strings.TrimSpace(text)
	text = f.html(text)
	text, done := f.json(text)
	if done {
		return text + "\n"
	}
	text = f.quoted(text)
	text = f.assigned(text)
	if strings.Contains(text, ppkStart) {
		return f.ppk(text)
	}
	text = f.breaks(text)
	text = f.unusual(text)
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	text = f.indented(text)
	if marks := markers(text); len(marks) > 0 {
		return f.blocks(text, marks)
	}
	if depth == 0 {
		if out, ok := f.bare(text); ok {
			return out
		}
	}
	return text + "\n"
}

// invisible takes out marks that show nothing: zero-width characters, soft
// hyphens, and those that turn the direction of writing.
func (f *fixer) invisible(text string) string {
	if t := strings.TrimPrefix(text, "\ufeff"); t != text {
		f.did("bom")
		text = t
	}
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= '\u200b' && r <= '\u200f', r >= '\u202a' && r <= '\u202e', r >= '\u2060' && r <= '\u2064', r == '\ufeff', r == '\u00ad':
			return -1
		}
		return r
	}, text)
	if len(clean) != len(text) && hasKey(clean) {
		f.did("invisible")
		return clean
	}
	return text
}

// hasKey is a quick look for what the stronger repairs are for.
func hasKey(text string) bool {
	return strings.Contains(text, ppkStart) || strings.Contains(text, "BEGIN") || strings.Contains(text, "END ") || strings.Contains(text, "private_key") ||
		strings.HasPrefix(text, "ssh-") || strings.HasPrefix(text, "ecdsa-") || longBase64.MatchString(text)
}

var (
	longBase64 = regexp.MustCompile(`[A-Za-z0-9+/=_-]{40}`)
	entity     = regexp.MustCompile(`&(?:#[0-9]{1,6}|#[xX][0-9a-fA-F]{1,5}|quot|apos|amp|nbsp|lt|gt);`)
	breakTag   = regexp.MustCompile(`(?i)<br ?/?>\n?`)
)

func (f *fixer) html(text string) string {
	if !hasKey(text) || !entity.MatchString(text) && !breakTag.MatchString(text) {
		return text
	}
	f.did("html")
	return strings.TrimSpace(html.UnescapeString(breakTag.ReplaceAllString(text, "\n")))
}

// member finds the value of "private_key" in a part of JSON.
var member = regexp.MustCompile(`"?(?:private_key|privateKey)"?\s*:\s*("(?:[^"\\]|\\.)*")`)

// json leaves whole JSON alone, and takes the key out of a part of it.
func (f *fixer) json(text string) (string, bool) {
	if isJSON(text) {
		if json.Valid([]byte(text)) {
			return text, true
		}
		if t := Escaped(text); json.Valid([]byte(t)) {
			f.did("json_lines")
			return t, true
		}
	}
	m := member.FindStringSubmatch(Escaped(text))
	var value string
	if m == nil || json.Unmarshal([]byte(m[1]), &value) != nil {
		return text, false
	}
	f.did("json")
	return value, false
}

// isJSON tells a list from the heading of a section and from an address in brackets.
func isJSON(text string) bool {
	rest, list := strings.CutPrefix(text, "[")
	return strings.HasPrefix(text, "{") || list && strings.ContainsAny((strings.TrimSpace(rest) + "x")[:1], `{["`)
}

// Escaped puts back the \n in JSON's strings that became line breaks on the way.
func Escaped(text string) string {
	var b strings.Builder
	inside, after := false, false
	for _, r := range text {
		if inside && (r == '\n' || r == '\r') {
			b.WriteString(`\n`)
			continue
		}
		if r == '"' && !after {
			inside = !inside
		}
		after = r == '\\' && !after
		b.WriteRune(r)
	}
	return b.String()
}

// quoted takes quotes off, with JSON's escapes where it was a string of JSON.
func (f *fixer) quoted(text string) string {
	bare := strings.TrimRight(text, ",; \t\r\n")
	if len(bare) < 2 || bare[0] != '"' && bare[0] != '\'' || bare[len(bare)-1] != bare[0] {
		return text
	}
	f.did("quotes")
	inner := strings.TrimSpace(bare[1 : len(bare)-1])
	var value string
	if bare[0] == '"' && strings.Contains(inner, `\`) && json.Unmarshal([]byte(Escaped(bare)), &value) == nil {
		if strings.Contains(inner, `\n`) && !strings.Contains(value, `\n`) {
			f.did("newlines")
		}
		if strings.Contains(inner, `\u`) || strings.Contains(inner, `\/`) || strings.Contains(inner, `\t`) {
			f.did("escapes")
		}
		return strings.TrimSpace(value)
	}
	return inner
}

// assignment is what stands before a key in a .env file or a script.
var assignment = regexp.MustCompile(`^(?:export +)?[A-Za-z_][A-Za-z0-9_.-]{0,60} ?[=:] ?(["']?)[-` + longDashes + `]{1,8} ?BEGIN `)

func (f *fixer) assigned(text string) string {
	m := assignment.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	f.did("assignment")
	_, value, _ := strings.Cut(text, "BEGIN ")
	head, _, _ := strings.Cut(text, "BEGIN ")
	start := strings.IndexAny(head, "=:")
	return f.quoted(strings.TrimSpace(head[start+1:] + "BEGIN " + value))
}

// breaks makes line ends of the escapes that JSON and environment files have,
// also where they were escaped twice, and of those of Windows and of old Macs.
func (f *fixer) breaks(text string) string {
	t := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if t != text {
		f.did("crlf")
	}
	out := lineEnds(t)
	if out != t {
		f.did("newlines")
	}
	return out
}

func lineEnds(v string) string {
	return strings.NewReplacer(`\\r\\n`, "\n", `\\n`, "\n", `\r\n`, "\n", `\n`, "\n").Replace(v)
}

const unusualSpaces = "\u00a0\u202f\u2007\u2009\u3000\u2002\u2003"

func (f *fixer) unusual(text string) string {
	if !strings.ContainsAny(text, unusualSpaces) || !hasKey(text) {
		return text
	}
	f.did("spaces")
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(unusualSpaces, r) {
			return ' '
		}
		return r
	}, text)
}

// indented takes off what stands before and after lines: blanks, and the > of mail.
func (f *fixer) indented(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		bare := strings.TrimLeft(l, ">"+blanks)
		switch {
		case strings.HasPrefix(strings.TrimLeft(l, blanks), ">"):
			f.did("quoting")
		case len(bare) != len(l) && bare != "":
			f.did("indentation")
		}
		lines[i] = strings.TrimRight(bare, blanks)
	}
	return strings.Join(lines, "\n")
}

// Decode returns bytes as text, also UTF-16, as Windows' Notepad saves it under
// the name of "Unicode", with and without its mark. ok is false for what is not text.
func Decode(data []byte) (text string, repairs []Repair, ok bool) {
	units := func(low, high int, data []byte) string {
		out := make([]uint16, len(data)/2)
		for i := range out {
			out[i] = uint16(data[2*i+low]) | uint16(data[2*i+high])<<8
		}
		return string(utf16.Decode(out))
	}
	done := []Repair{{"utf16", texts("utf16")}}
	switch {
	case len(data) < 2:
	case data[0] == 0xff && data[1] == 0xfe:
		return units(0, 1, data[2:]), done, true
	case data[0] == 0xfe && data[1] == 0xff:
		return units(1, 0, data[2:]), done, true
	case halfEmpty(data, 1):
		return units(0, 1, data), done, true
	case halfEmpty(data, 0):
		return units(1, 0, data), done, true
	}
	return string(data), nil, isText(data)
}

// halfEmpty reports whether every other one of the first bytes is zero, and the
// ones between are ASCII.
func halfEmpty(data []byte, at int) bool {
	if len(data) < 32 || len(data)%2 != 0 {
		return false
	}
	for i := 0; i < 32; i += 2 {
		c := data[i+1-at]
		if data[i+at] != 0 || c < 9 || c > 126 {
			return false
		}
	}
	return true
}

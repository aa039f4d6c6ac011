package pemx

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// The dashes and minus signs that text programs put in the place of -.
const longDashes = `\x{2010}-\x{2015}\x{2212}\x{fe58}\x{fe63}\x{ff0d}`

var (
	// A BEGIN or END line with a label that is known, however its dashes and
	// spaces are, or one that is right, with any label.
	anyMarker = regexp.MustCompile(`([-` + longDashes + `]{0,12}) ?((?i)BEGIN|END)[ \t]*((?i)(?:(?:NEW|RSA|EC|DSA|ENCRYPTED|OPENSSH|ANY|TRUSTED|X509|DH|PGP|AGE)[ \t]*){0,3}(?:PRIVATE[ \t]*KEY(?:[ \t]*BLOCK)?|PUBLIC[ \t]*KEY(?:[ \t]*BLOCK)?|CERTIFICATE[ \t]*REQUEST|CERTIFICATE|PKCS[ \t]*7|CMS|CRL|PARAMETERS|ENCRYPTED[ \t]*FILE))[ \t]?([-` + longDashes + `]{0,12})|-----(BEGIN|END) ([A-Z0-9][A-Z0-9 ]{0,40})-----`)
	labelWord = regexp.MustCompile(`NEW|RSA|DSA|ENCRYPTED|OPENSSH|ANY|TRUSTED|X509|DH|PGP|AGE|PRIVATE|PUBLIC|KEY|BLOCK|CERTIFICATE|REQUEST|PKCS|7|CMS|CRL|PARAMETERS|FILE|EC`)
	// A line as a terminal shows it before what a command prints, or after.
	prompt = regexp.MustCompile(`^(?:PS [A-Z]:\\[^>]*>|[A-Z]:\\[^>]*>|\[?[A-Za-z0-9_.-]{1,64}@[A-Za-z0-9_.-]{1,64}[: ][^$#%>]{0,200}[$#%>]|[$#%])(?:\s.*)?$`)
)

const maxMarkers = 4000

// A marker is a BEGIN or END line, from one place in the text to another.
type marker struct {
	from, to int
	begin    bool
	label    string
	wrong    string // the repair that makes it right
}

func markers(text string) []marker {
	if !strings.Contains(text, "BEGIN") && !strings.Contains(text, "END") && !strings.Contains(text, "begin ") && !strings.Contains(text, "end ") {
		return nil
	}
	var out []marker
	for _, m := range anyMarker.FindAllStringSubmatchIndex(text, maxMarkers) {
		if k, ok := markerAt(text, m); ok {
			out = append(out, k)
		}
	}
	return out
}

func markerAt(text string, m []int) (marker, bool) {
	k := marker{from: m[0], to: m[1]}
	if m[10] >= 0 {
		k.begin, k.label = text[m[10]:m[11]] == "BEGIN", text[m[12]:m[13]]
		return k, true
	}
	word, label := text[m[4]:m[5]], text[m[6]:m[7]]
	left, right := text[m[2]:m[3]], text[m[8]:m[9]]
	upper := strings.ToUpper(word + label)
	k.begin = strings.EqualFold(word, "BEGIN")
	k.label = strings.ReplaceAll(strings.Join(labelWord.FindAllString(strings.ToUpper(label), -1), " "), "PKCS 7", "PKCS7")
	if left == "" && right == "" {
		alone := (m[0] == 0 || text[m[0]-1] == '\n') && (m[1] == len(text) || text[m[1]] == '\n')
		if !alone || upper != word+label {
			return k, false
		}
	}
	switch {
	case upper != word+label:
		k.wrong = "case"
	case text[m[0]:m[1]] != k.line():
		k.wrong = "dashes"
	}
	return k, true
}

func (k marker) line() string {
	if k.begin {
		return "-----BEGIN " + k.label + "-----"
	}
	return "-----END " + k.label + "-----"
}

// A blockFixer goes from marker to marker.
type blockFixer struct {
	*fixer
	out     []string
	outside []string // lines that belong to no block, so far
	blocks  int
}

func (f *fixer) blocks(text string, marks []marker) string {
	b := &blockFixer{fixer: f}
	at := 0
	for i := 0; i < len(marks); i++ {
		m := marks[i]
		b.around(text[at:m.from], true)
		if m.wrong != "" {
			f.did(m.wrong)
		}
		at = m.to
		if !m.begin {
			b.orphan(m)
			continue
		}
		for i+1 < len(marks) && marks[i+1].begin && strings.TrimSpace(text[at:marks[i+1].from]) == "" {
			f.did("doubled")
			i++
			m, at = marks[i], marks[i].to
		}
		if i+1 < len(marks) && !marks[i+1].begin {
			i++
			b.whole(m, text[at:marks[i].from], marks[i])
			at = marks[i].to
			continue
		}
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1].from
		}
		at += b.open(m, text[at:end])
	}
	b.around(text[at:], false)
	b.flush()
	return strings.TrimSpace(strings.Join(b.out, "\n")) + "\n"
}

// around takes the text outside blocks. What stands on the line of a marker is
// left out, as are the lines of a terminal.
func (b *blockFixer) around(text string, before bool) {
	if text == "" {
		return
	}
	lines := strings.Split(text, "\n")
	for n, l := range lines {
		first, last := n == 0 && b.blocks > 0, n == len(lines)-1 && before
		switch {
		case strings.TrimSpace(l) == "":
			if !first && !last {
				b.outside = append(b.outside, "")
			}
		case prompt.MatchString(l):
			b.did("prompt")
		case first, last && !bodyLine(l):
			b.did("comment")
		default:
			b.outside = append(b.outside, l)
		}
	}
}

func (b *blockFixer) flush() {
	b.out = append(b.out, b.outside...)
	b.outside = nil
}

// orphan is an END without a BEGIN: the lines of base64 before it are its block.
func (b *blockFixer) orphan(m marker) {
	from := len(b.outside)
	for from > 0 && (bodyLine(b.outside[from-1]) || b.outside[from-1] == "" || headerLine.MatchString(b.outside[from-1])) {
		from--
	}
	body := strings.TrimSpace(strings.Join(b.outside[from:], "\n"))
	if body == "" {
		if b.blocks > 0 {
			b.did("doubled")
			return
		}
		b.outside = append(b.outside, m.line())
		return
	}
	b.outside = b.outside[:from]
	b.flush()
	b.did("begin")
	b.add(m.label, body)
}

func (b *blockFixer) whole(begin marker, body string, end marker) {
	b.flush()
	if end.wrong != "" {
		b.did(end.wrong)
	}
	label := begin.label
	if end.label != begin.label {
		b.did("labels")
		if data, ok := base64Of(body); ok && Label(data) == end.label {
			label = end.label
		}
	}
	b.add(label, body)
}

// open is a BEGIN without an END: its block ends with the base64. It returns how
// much of the text that is.
func (b *blockFixer) open(m marker, text string) int {
	b.flush()
	n := 0
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		if bare != "" && !bodyLine(bare) && !headerLine.MatchString(bare) && !spacedBody(bare) {
			break
		}
		n += len(line)
	}
	b.did("end")
	b.add(m.label, text[:n])
	return n
}

var (
	headerLine = regexp.MustCompile(`^[A-Z][A-Za-z0-9-]{1,40}: `)
	bodyWord   = regexp.MustCompile(`^[A-Za-z0-9+/_-]+={0,2}$`)
)

// bodyLine knows a line of base64; a word of prose is shorter than 24 letters or
// has no length that base64 has.
func bodyLine(line string) bool {
	return bodyWord.MatchString(line) && (len(line) >= 24 || len(line)%4 == 0 || strings.HasSuffix(line, "="))
}

func spacedBody(line string) bool {
	for _, w := range strings.Fields(line) {
		if !bodyWord.MatchString(w) || len(w) < 16 && !strings.HasSuffix(w, "=") {
			return false
		}
	}
	return true
}

func (b *blockFixer) add(label, text string) {
	b.blocks++
	b.out = append(b.out, "-----BEGIN "+label+"-----")
	b.out = append(b.out, b.body(label, text)...)
	b.out = append(b.out, "-----END "+label+"-----")
}

// body are the lines of a block. What is no base64 stays as it is.
func (b *blockFixer) body(label, text string) []string {
	regular := strings.HasPrefix(text, "\n") && strings.HasSuffix(text, "\n")
	if strings.HasPrefix(label, "PGP ") && regular {
		return strings.Split(text[1:max(len(text)-1, 1)], "\n")
	}
	if _, ok := base64Of(afterHeaders(text)); !ok && regular {
		return strings.Split(text[1:max(len(text)-1, 1)], "\n")
	}
	head, words, lines := b.split(text)
	if len(head) > 0 {
		head = append(head, "")
	}
	all := strings.Join(words, "")
	fixed := b.base64(all, strings.HasPrefix(label, "PGP "))
	switch {
	case fixed != "" && (tooLong(words) || fixed != all):
		if tooLong(words) {
			b.did(map[bool]string{true: "joined", false: "wrapped"}[len(words) == 1])
		}
		return append(head, wrapped(fixed, label)...)
	case lines != len(words):
		b.did("joined")
	}
	return append(head, words...)
}

// afterHeaders leaves out the lines that have a colon.
func afterHeaders(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, ":") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// split parts the headers (RFC 1421: "DEK-Info: …") from the base64, and counts
// the lines that the base64 had.
func (b *blockFixer) split(text string) (head, words []string, lines int) {
	text = strings.Trim(text, "\n")
	gap := false
	for line := range strings.SplitSeq(text, "\n") {
		parts := strings.Fields(line)
		if len(parts) == 0 {
			gap = gap || len(head) > 0 || len(words) > 0
			if len(words) > 0 {
				b.did("blank")
			}
			continue
		}
		was := len(words)
		for i := 0; i < len(parts); i++ {
			if strings.HasSuffix(parts[i], ":") && i+1 < len(parts) && len(words) == 0 {
				head = append(head, parts[i]+" "+parts[i+1])
				i++
				continue
			}
			words = append(words, parts[i])
		}
		if len(words) > was {
			if lines++; lines == 1 && len(head) > 0 && !gap && was == 0 && strings.Contains(text, "\n") {
				b.did("headers")
			}
		}
	}
	return head, words, lines
}

func tooLong(words []string) bool {
	for _, w := range words {
		if len(w) > 76 {
			return true
		}
	}
	return false
}

// base64 puts alphabet and padding right; "" for what is no base64.
func (b *blockFixer) base64(all string, loose bool) string {
	if loose || all == "" {
		return ""
	}
	bare := strings.TrimRight(all, "=")
	text := bare
	if strings.ContainsAny(bare, "-_") && !strings.ContainsAny(bare, "+/") {
		text = strings.NewReplacer("-", "+", "_", "/").Replace(bare)
	}
	if _, err := base64.RawStdEncoding.DecodeString(text); err != nil {
		return ""
	}
	full := text + strings.Repeat("=", (4-len(text)%4)%4)
	if text != bare {
		b.did("alphabet")
	}
	if len(full) != len(all) {
		b.did("padding")
	}
	return full
}

// wrapped makes lines of 64 characters (RFC 7468 section 2), of 70 for OpenSSH's.
func wrapped(text, label string) []string {
	n := 64
	if label == "OPENSSH PRIVATE KEY" {
		n = 70
	}
	var out []string
	for ; len(text) > n; text = text[n:] {
		out = append(out, text[:n])
	}
	return append(out, text)
}

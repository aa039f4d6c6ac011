package commands

import (
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

// cmd reads a line for the Windows command prompt: first cmd.exe takes its
// carets out, then the program's runtime splits what is left
// (https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments).
func cmd(text string) []call {
	var out []call
	for _, line := range strings.Split(carets(text), "\x00") {
		args := runtimeArgs(line)
		if len(args) == 0 || len(out) >= maxCalls {
			continue
		}
		if c, ok := newCall(args, map[string]string{}); ok {
			out = append(out, c)
		}
	}
	return out
}

// carets is what cmd.exe hands to programs, with NUL between commands.
func carets(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '^' && !quoted && i+1 < len(s):
			i++
			if s[i] == '\n' { // joins the lines; a line's end right after it is meant
				i++
				if i < len(s) && s[i] == '\n' {
					b.WriteByte('\n')
				} else {
					b.WriteByte(' ')
					i--
				}
				continue
			}
			b.WriteByte(s[i])
		case c == '"':
			quoted = !quoted
			b.WriteByte(c)
		case c == '\n' || c == '&' && !quoted:
			quoted = false
			b.WriteByte(0)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func runtimeArgs(line string) []string {
	var out []string
	var b strings.Builder
	quoted, some := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			n := 0
			for i < len(line) && line[i] == '\\' {
				n, i = n+1, i+1
			}
			if i < len(line) && line[i] == '"' {
				b.WriteString(strings.Repeat(`\`, n/2))
				if n%2 == 1 {
					b.WriteByte('"')
				} else {
					i--
				}
			} else {
				b.WriteString(strings.Repeat(`\`, n))
				i--
			}
			some = true
		case c == '"' && quoted && i+1 < len(line) && line[i+1] == '"':
			b.WriteByte('"')
			i++
		case c == '"':
			quoted, some = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			if some {
				out = append(out, percents(b.String()))
			}
			b.Reset()
			some = false
		default:
			b.WriteByte(c)
			some = true
		}
	}
	if some {
		out = append(out, percents(b.String()))
	}
	return out
}

// percents marks %NAME%.
func percents(s string) string {
	for {
		before, rest, ok := strings.Cut(s, "%")
		name, after, closed := strings.Cut(rest, "%")
		if !ok || !closed || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
			return s
		}
		s = before + fill.Marked(name) + after
	}
}

// powershell reads commands for PowerShell
// (https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules).
func powershell(text string) []call {
	p := psReader{text: text}
	var out []call
	var args []string
	hashes := map[int][][2]string{}
	end := func() {
		if c, ok := newCall(args, map[string]string{}); ok && len(out) < maxCalls {
			c.hashes = map[int][][2]string{}
			for i, h := range hashes {
				c.hashes[i-(len(args)-len(c.args))] = h
			}
			out = append(out, c)
		}
		args, hashes = nil, map[int][][2]string{}
	}
	for {
		tok, kind := p.next()
		switch kind {
		case psEnd:
			end()
			return out
		case psLine:
			end()
		case psHash:
			hashes[len(args)] = p.hash()
			args = append(args, "")
		default:
			args = append(args, tok)
		}
	}
}

const (
	psWord = iota
	psLine
	psHash
	psEnd
)

type psReader struct {
	text string
	at   int
}

func (p *psReader) next() (string, int) {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t' || strings.HasPrefix(p.text[p.at:], "`\n")) {
		if p.text[p.at] == '`' {
			p.at++
		}
		p.at++
	}
	if p.at >= len(p.text) {
		return "", psEnd
	}
	switch c := p.text[p.at]; {
	case c == '\n' || c == ';' || c == '|':
		p.at++
		return "", psLine
	case strings.HasPrefix(p.text[p.at:], "@{"):
		p.at += 2
		return "", psHash
	}
	return p.word(" \t\n;|"), psWord
}

// hash reads to the closing brace; it is flat in what browsers write.
func (p *psReader) hash() [][2]string {
	var out [][2]string
	for p.at < len(p.text) {
		p.skip(" \t\n;")
		if p.at < len(p.text) && p.text[p.at] == '}' {
			p.at++
			break
		}
		name := p.word("= \t\n;}")
		p.skip(" \t")
		if p.at >= len(p.text) || p.text[p.at] != '=' {
			p.at++
			continue
		}
		p.at++
		p.skip(" \t")
		out = append(out, [2]string{name, p.word("\n;}")})
	}
	return out
}

func (p *psReader) skip(set string) {
	for p.at < len(p.text) && strings.IndexByte(set, p.text[p.at]) >= 0 {
		p.at++
	}
}

// word reads to a byte of ends outside quotes.
func (p *psReader) word(ends string) string {
	var b strings.Builder
	for p.at < len(p.text) && strings.IndexByte(ends, p.text[p.at]) < 0 {
		switch c := p.text[p.at]; c {
		case '\'':
			p.single(&b)
		case '"':
			p.double(&b)
		case '$':
			p.variable(&b)
		case '`':
			p.at++
			if p.at < len(p.text) {
				b.WriteByte(p.text[p.at])
				p.at++
			}
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	return b.String()
}

func (p *psReader) single(b *strings.Builder) {
	for p.at++; p.at < len(p.text); p.at++ {
		if p.text[p.at] != '\'' {
			b.WriteByte(p.text[p.at])
			continue
		}
		if !strings.HasPrefix(p.text[p.at:], "''") {
			p.at++
			return
		}
		b.WriteByte('\'')
		p.at++
	}
}

func (p *psReader) double(b *strings.Builder) {
	for p.at++; p.at < len(p.text); {
		switch c := p.text[p.at]; {
		case c == '`' && p.at+1 < len(p.text):
			b.WriteString(psEscape(p.text[p.at+1]))
			p.at += 2
		case c == '"' && strings.HasPrefix(p.text[p.at:], `""`):
			b.WriteByte('"')
			p.at += 2
		case c == '"':
			p.at++
			return
		case c == '$':
			p.variable(b)
		default:
			b.WriteByte(c)
			p.at++
		}
	}
}

func psEscape(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	case '0':
		return ""
	}
	return string(c)
}

func (p *psReader) variable(b *strings.Builder) {
	from := p.at
	p.at++
	for p.at < len(p.text) && (p.text[p.at] == '_' || p.text[p.at] == ':' || p.text[p.at]|0x20 >= 'a' && p.text[p.at]|0x20 <= 'z' || p.text[p.at] >= '0' && p.text[p.at] <= '9') {
		p.at++
	}
	if p.at == from+1 {
		b.WriteByte('$')
		return
	}
	b.WriteString(fill.Marked(p.text[from:p.at]))
}

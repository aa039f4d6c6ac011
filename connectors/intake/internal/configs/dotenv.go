package configs

import (
	"regexp"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

var (
	varLine  = regexp.MustCompile(`^[ \t]*(?:(?:export|set|SET|ENV|declare -x|setenv)[ \t]+|- )?["']?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=`)
	psLine   = regexp.MustCompile(`(?i)^[ \t]*\$env:([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*`)
	setxLine = regexp.MustCompile(`(?i)^[ \t]*setx[ \t]+([A-Za-z_][A-Za-z0-9_]*)[ \t]+`)
	inner    = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^}]*))?\}`)
)

// variables reads NAME=value lines as .env has them (https://github.com/theskumar/python-dotenv#file-format),
// and the forms of shells: export, set, $env:. The second result is how many
// lines were none.
func variables(text string) (vars [][2]string, other int) {
	known := map[string]string{}
	room := maxText // of what variables put in, all lines together
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' || strings.HasPrefix(strings.ToUpper(line), "REM ") {
			continue
		}
		name, rest := assignment(line)
		if name == "" {
			other++
			continue
		}
		value, used := envValue(rest, lines[i+1:])
		i += used
		if !strings.HasPrefix(rest, "'") {
			value = inside(value, known, &room)
		}
		known[name] = value
		vars = append(vars, [2]string{name, value})
	}
	return vars, other
}

func assignment(line string) (name, rest string) {
	for _, form := range []*regexp.Regexp{psLine, setxLine, varLine} {
		if m := form.FindStringSubmatchIndex(line); m != nil {
			name = line[m[2]:m[3]]
			rest = strings.TrimLeft(line[m[1]:], " \t")
			if q := line[:m[2]]; strings.HasSuffix(q, `"`) && strings.HasSuffix(rest, `"`) && !strings.HasPrefix(rest, `"`) {
				rest = strings.TrimSuffix(rest, `"`) // set "NAME=value"
			}
			return name, rest
		}
	}
	return "", ""
}

// envValue reads a value, which in quotes may go on over following lines.
func envValue(rest string, following []string) (value string, used int) {
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		if strings.HasPrefix(rest, "#") {
			return "", 0
		}
		for i := 1; i < len(rest); i++ {
			if rest[i] == '#' && (rest[i-1] == ' ' || rest[i-1] == '\t') {
				rest = rest[:i]
			}
		}
		return strings.TrimRight(strings.TrimSuffix(strings.TrimSpace(rest), ";"), " \t"), 0
	}
	quote := rest[0]
	text := rest[1:]
	for {
		if value, ok := quoted(text, quote); ok {
			return value, used
		}
		if used >= len(following) || used > 200 {
			return rest, 0 // no closing quote: it belongs to the value
		}
		text += "\n" + following[used]
		used++
	}
}

func quoted(text string, quote byte) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return b.String(), true
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteString(envEscape(text[i], quote))
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func envEscape(c, quote byte) string {
	if quote == '\'' {
		if c == '\'' || c == '\\' {
			return string(c)
		}
		return `\` + string(c)
	}
	if i := strings.IndexByte(`abfnrtv"'\`, c); i >= 0 {
		return "\a\b\f\n\r\t\v\"'\\"[i : i+1]
	}
	return `\` + string(c)
}

// inside puts in what earlier lines said; the environment is never asked. Lines
// that double each other end where there is no room left.
func inside(v string, known map[string]string, room *int) string {
	return inner.ReplaceAllStringFunc(v, func(m string) string {
		p := inner.FindStringSubmatch(m)
		if x, ok := known[p[1]]; ok && x != "" {
			if *room -= len(x); *room < 0 {
				return ""
			}
			return x
		}
		if strings.Contains(m, "-") && p[2] != "" {
			return p[2]
		}
		return fill.Marked("$" + p[1])
	})
}

// environment reads a block of variables.
func environment(s *source) bool {
	vars, other := variables(s.text)
	if len(vars) == 0 || other > len(vars) {
		return false
	}
	s.vars(vars, "")
	s.out.What = "a list of environment variables"
	return true
}

package pemx

import (
	"regexp"
	"strings"
)

var (
	// The header names of PuTTY's format, as its manual's appendix has them:
	// https://the.earth.li/~sgtatham/putty/0.80/htmldoc/AppendixC.html
	ppkHeader = regexp.MustCompile(`[ \t]+(Encryption|Comment|Public-Lines|Key-Derivation|Argon2-Memory|Argon2-Passes|Argon2-Parallelism|Argon2-Salt|Private-Lines|Private-MAC|Private-Hash):`)
	ppkBlob   = regexp.MustCompile(`^((?:Public|Private)-Lines: *[0-9]+)[ \t]+(.*)$`)
	ppkName   = regexp.MustCompile(`^[A-Za-z0-9-]{1,24}:|^[A-Za-z0-9+/=]+$`)
)

// ppk leaves the comment as it is, blanks at its end and backslashes too: the
// file's checksum covers it. An empty one keeps the blank after its colon.
func (f *fixer) ppk(v string) string {
	at := strings.Index(v, ppkStart)
	if strings.TrimSpace(strings.TrimLeft(v[:at], ">"+blanks)) != "" {
		f.did("around")
	}
	if lead := v[strings.LastIndexByte(v[:at], '\n')+1 : at]; strings.Contains(lead, ">") {
		f.did("quoting")
	}
	v = v[at:]
	if t := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(v); t != v {
		f.did("crlf")
		v = t
	}
	if !strings.Contains(v, "\n") {
		if t := lineEnds(v); t != v {
			f.did("newlines")
			v = t
		}
	}
	if !strings.Contains(strings.TrimSpace(v), "\n") {
		f.did("joined")
		v = ppkHeader.ReplaceAllString(v, "\n$1:")
	}
	var out strings.Builder
	ended := false
	for line := range strings.SplitSeq(v, "\n") {
		bare := strings.TrimLeft(line, ">"+blanks)
		f.ppkLead(line, bare)
		line = bare
		if ended && strings.TrimSpace(line) != "" && !ppkName.MatchString(line) {
			f.did("around")
			break
		}
		switch {
		case line == "":
			continue
		case line == "Comment:":
			line = "Comment: "
		case strings.HasPrefix(line, "Comment:"):
		default:
			line = f.ppkLine(line)
		}
		ended = ended || strings.HasPrefix(line, "Private-MAC:") || strings.HasPrefix(line, "Private-Hash:")
		out.WriteString(line + "\n")
	}
	return out.String()
}

func (f *fixer) ppkLead(line, bare string) {
	switch lead := line[:len(line)-len(bare)]; {
	case strings.Contains(lead, ">"):
		f.did("quoting")
	case lead != "" && bare != "":
		f.did("indentation")
	}
}

func (f *fixer) ppkLine(line string) string {
	if strings.ContainsAny(line, unusualSpaces) {
		line = f.unusual(ppkStart + line)[len(ppkStart):]
	}
	line = strings.TrimRight(line, blanks)
	if m := ppkBlob.FindStringSubmatch(line); m != nil {
		line = m[1] + "\n" + strings.Join(strings.Fields(m[2]), "\n")
	}
	return line
}

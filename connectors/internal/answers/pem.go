package answers

import (
	"regexp"
	"strings"
)

var (
	pemBlock = regexp.MustCompile(`(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END ([A-Z0-9 ]+)-----`)
	pemGap   = regexp.MustCompile(`-----[ \t]+-----BEGIN `)
	// The header names of PuTTY's format, as its manual's appendix has them:
	// https://the.earth.li/~sgtatham/putty/0.80/htmldoc/AppendixC.html
	ppkHeader = regexp.MustCompile(`[ \t]+(Encryption|Comment|Public-Lines|Key-Derivation|Argon2-Memory|Argon2-Passes|Argon2-Parallelism|Argon2-Salt|Private-Lines|Private-MAC|Private-Hash):`)
	ppkBlob   = regexp.MustCompile(`^((?:Public|Private)-Lines: *[0-9]+)[ \t]+(.*)$`)
)

const (
	ppkStart = "PuTTY-User-Key-File-"
	blanks   = " \t\u00a0"
)

// TidyPEM repairs what pasting does to PEM, OpenSSH and PuTTY text: a byte order
// mark, quotes around it, literal \n, CR LF, indentation, the > of a mail's reply, and spaces where line
// ends were. Nothing else changes.
func TidyPEM(v string) string {
	v = strings.TrimSpace(strings.TrimPrefix(v, "\ufeff"))
	if len(v) > 1 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		v = strings.TrimSpace(v[1 : len(v)-1])
	}
	v = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(v)
	if strings.HasPrefix(v, ppkStart) {
		return tidyPPK(v)
	}
	v = strings.TrimSpace(lineEnds(v))
	if v == "" {
		return ""
	}
	lines := strings.Split(v, "\n")
	for i, l := range lines {
		lines[i] = strings.Trim(strings.TrimLeft(l, ">"+blanks), blanks)
	}
	return unfolded(strings.Join(lines, "\n")) + "\n"
}

// lineEnds makes line ends of the escapes that JSON and environment files have,
// also where they were escaped twice.
func lineEnds(v string) string {
	return strings.NewReplacer(`\\r\\n`, "\n", `\\n`, "\n", `\r\n`, "\n", `\n`, "\n").Replace(v)
}

// unfolded gives a PEM block its lines back where a one-line input field has
// turned them into spaces. A header (RFC 1421: "DEK-Info: …") stands on a line of
// its own, with an empty line after the last one.
func unfolded(v string) string {
	v = pemGap.ReplaceAllString(v, "-----\n-----BEGIN ")
	return pemBlock.ReplaceAllStringFunc(v, func(block string) string {
		m := pemBlock.FindStringSubmatch(block)
		if strings.HasPrefix(m[2], "\n") && strings.HasSuffix(m[2], "\n") {
			return block
		}
		var head, body []string
		words := strings.Fields(m[2])
		for i := 0; i < len(words); i++ {
			if strings.HasSuffix(words[i], ":") && i+1 < len(words) {
				head = append(head, words[i]+" "+words[i+1])
				i++
				continue
			}
			body = append(body, words[i])
		}
		if len(head) > 0 {
			head = append(head, "")
		}
		lines := append([]string{"-----BEGIN " + m[1] + "-----"}, head...)
		lines = append(append(lines, body...), "-----END "+m[3]+"-----")
		return strings.Join(lines, "\n")
	})
}

// tidyPPK leaves the comment as it is, blanks at its end and backslashes too:
// the file's checksum covers it. An empty one keeps the blank after its colon.
func tidyPPK(v string) string {
	if !strings.Contains(v, "\n") {
		v = lineEnds(v)
	}
	if !strings.Contains(strings.TrimSpace(v), "\n") {
		v = ppkHeader.ReplaceAllString(v, "\n$1:")
	}
	var out strings.Builder
	for line := range strings.SplitSeq(v, "\n") {
		line = strings.TrimLeft(line, blanks)
		switch {
		case line == "":
			continue
		case line == "Comment:":
			line = "Comment: "
		case strings.HasPrefix(line, "Comment:"):
		default:
			line = strings.TrimRight(line, blanks)
			if m := ppkBlob.FindStringSubmatch(line); m != nil {
				line = m[1] + "\n" + strings.Join(strings.Fields(m[2]), "\n")
			}
		}
		out.WriteString(line + "\n")
	}
	return out.String()
}

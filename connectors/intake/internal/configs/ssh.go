package configs

import (
	"regexp"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

// A block is the settings that stand under one Host line.
type block struct {
	patterns []string
	keys     [][2]string
}

var hostLine = regexp.MustCompile(`(?mi)^[ \t]*Host[ \t]+[^=\s]`)
var iniHead = regexp.MustCompile(`(?m)^[ \t]*\[[^\]\n]+\][ \t]*$`)
var sshWord = regexp.MustCompile(`(?mi)^[ \t]*(HostName|User|Port|IdentityFile|ProxyJump|ProxyCommand|ForwardAgent|HostKeyAlgorithms|IdentitiesOnly|Include|PreferredAuthentications)[ \t=]+\S`)

// sshConfig reads ssh_config(5): every name that a Host line has without
// wildcards is a connection, and the first value of a keyword counts.
func sshConfig(s *source) bool {
	if iniHead.MatchString(s.text) || !hostLine.MatchString(s.text) || !sshWord.MatchString(s.text) {
		return false
	}
	blocks := s.blocks()
	names, seen := []string{}, map[string]bool{}
	for _, b := range blocks {
		for _, p := range b.patterns {
			if !strings.ContainsAny(p, "*?!") && !seen[p] && len(names) < maxItems {
				seen[p] = true
				names = append(names, p)
			}
		}
	}
	for _, n := range names {
		s.sshHost(n, blocks)
	}
	s.what("an OpenSSH configuration", "host")
	return true
}

// blocks reads the file; what stands before the first Host line is for all.
func (s *source) blocks() []block {
	out := []block{{patterns: []string{"*"}}}
	for _, line := range strings.Split(s.text, "\n") {
		key, value := sshLine(line)
		switch strings.ToLower(key) {
		case "":
		case "host":
			out = append(out, block{patterns: sshWords(value)})
		case "match":
			b := block{}
			if strings.EqualFold(strings.TrimSpace(value), "all") {
				b.patterns = []string{"*"}
			} else {
				s.leave("Match", "Its conditions are not worked out here.")
			}
			out = append(out, b)
		case "include":
			s.leave("Include", "Other files are not opened. Paste their text as well.")
		default:
			last := &out[len(out)-1]
			last.keys = append(last.keys, [2]string{key, value})
		}
	}
	return out
}

// sshLine cuts "Keyword value", "Keyword=value" or `Keyword "value"`.
func sshLine(line string) (key, value string) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	i := strings.IndexAny(line, " \t=")
	if i < 0 {
		return line, ""
	}
	value = strings.TrimSpace(line[i:])
	if strings.HasPrefix(value, "=") {
		value = strings.TrimSpace(value[1:])
	}
	return line[:i], value
}

// sshWords parts a value at its spaces, with "…" for one word.
func sshWords(v string) []string {
	var out []string
	for v = strings.TrimSpace(v); v != ""; v = strings.TrimSpace(v) {
		if v[0] == '#' {
			break
		}
		if v[0] == '"' {
			word, rest, _ := strings.Cut(v[1:], `"`)
			out, v = append(out, word), rest
			continue
		}
		i := strings.IndexAny(v, " \t")
		if i < 0 {
			return append(out, v)
		}
		out, v = append(out, v[:i]), v[i:]
	}
	return out
}

func (s *source) sshHost(name string, blocks []block) {
	drafts := []*fill.Draft{fill.New(s.Types, "sftp"), fill.New(s.Types, "ssh")}
	values := merged(name, blocks)
	host := name
	for _, kv := range values {
		if strings.EqualFold(kv[0], "hostname") {
			host = strings.NewReplacer("%%", "%", "%h", name).Replace(kv[1])
		}
	}
	for _, d := range drafts {
		d.Set("host", host, "HostName")
		for _, kv := range values {
			if !strings.EqualFold(kv[0], "hostname") {
				fill.SSH(d, kv[0], kv[1])
			}
		}
	}
	s.add(name, "Host "+name, drafts...)
}

// merged are the settings for a host; IdentityFile may be there more than once.
func merged(name string, blocks []block) [][2]string {
	var out [][2]string
	seen := map[string]bool{}
	for _, b := range blocks {
		if !applies(b.patterns, name) {
			continue
		}
		for _, kv := range b.keys {
			k := strings.ToLower(kv[0])
			if seen[k] && k != "identityfile" && k != "certificatefile" {
				continue
			}
			seen[k] = true
			value := kv[1]
			if w := sshWords(value); len(w) > 0 && k != "proxycommand" {
				value = w[0]
			}
			out = append(out, [2]string{kv[0], value})
		}
	}
	return out
}

// applies is OpenSSH's list of patterns: one has to match, and none with a "!".
func applies(patterns []string, name string) bool {
	yes := false
	for _, p := range patterns {
		if q, not := strings.CutPrefix(p, "!"); not {
			if wild(q, name) {
				return false
			}
			continue
		}
		yes = yes || wild(p, name)
	}
	return yes
}

// wild matches * and ? in linear space and without going back more than once.
func wild(pattern, s string) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p, i = p+1, i+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

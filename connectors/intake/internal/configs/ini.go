package configs

import (
	"strings"
)

// A section is a part of an INI file, values as written.
type section struct {
	name string
	keys [][2]string
}

func (x section) get(name string) string {
	for _, kv := range x.keys {
		if strings.EqualFold(kv[0], name) {
			return kv[1]
		}
	}
	return ""
}

func (x section) all() map[string]string {
	out := map[string]string{}
	for _, kv := range x.keys {
		out[kv[0]] = kv[1]
	}
	return out
}

// sections reads INI; a key without "=" has no value. Indented lines belong to
// the key before them and are passed over, as AWS has them.
func sections(text string) []section {
	var out []section
	for _, line := range strings.Split(text, "\n") {
		t := strings.TrimSpace(line)
		if t == "" || t[0] == '#' || t[0] == ';' {
			continue
		}
		if t[0] == '[' && strings.HasSuffix(t, "]") {
			out = append(out, section{name: strings.TrimSpace(t[1 : len(t)-1])})
			continue
		}
		if len(out) == 0 {
			out = append(out, section{})
		}
		k, v, _ := strings.Cut(t, "=")
		last := &out[len(out)-1]
		last.keys = append(last.keys, [2]string{strings.TrimSpace(k), strings.TrimSpace(v)})
	}
	return out
}

// iniFile finds out whose INI file it is by the keys in it.
func iniFile(s *source) bool {
	if !strings.Contains(s.text, "[") {
		return false
	}
	all := sections(s.text)
	named := false
	for _, x := range all {
		named = named || x.name != ""
	}
	if !named {
		return false
	}
	for _, f := range []func(*source, []section) bool{rcloneConf, awsFiles, boto, s3cfg, myCnf, odbc, pgService} {
		if f(s, all) && len(s.out.Items) > 0 {
			return true
		}
		s.out.Items, s.out.Left = nil, nil
	}
	return false
}

// unquoted takes one pair of quotes off.
func unquoted(v string) string {
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		return v[1 : len(v)-1]
	}
	return v
}

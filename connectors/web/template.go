package web

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"strings"
)

// placeholder is {name}: the key of a plain field, or what the engine knows
// (id, parent, limit, offset, page, cursor, and what a file names itself).
// {+name} leaves the slashes of a value as they are, for one that is a path of
// its own ("acme/site"); what is between them is escaped all the same.
var placeholder = regexp.MustCompile(`\{(\+?[a-z][a-z0-9_]*)\}`)

// names lists the placeholders of a template.
func names(template string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(template, -1) {
		out = append(out, strings.TrimPrefix(m[1], "+"))
	}
	return out
}

// expand replaces each placeholder by what escape makes of its value and of
// the text before it.
func expand(template string, vars, more map[string]string, escape func(before, v string) string) string {
	var b strings.Builder
	last := 0
	for _, at := range placeholder.FindAllStringSubmatchIndex(template, -1) {
		b.WriteString(template[last:at[0]])
		name, whole := strings.CutPrefix(template[at[2]:at[3]], "+")
		v, known := more[name]
		if !known {
			v = vars[name]
		}
		if whole {
			b.WriteString(escapeParts(b.String(), v, escape))
		} else {
			b.WriteString(escape(b.String(), v))
		}
		last = at[1]
	}
	b.WriteString(template[last:])
	return b.String()
}

// escapeParts escapes what is between the slashes of v. A part that would lead
// to the folder above ("..") is left out, for nobody names anything so.
func escapeParts(before, v string, escape func(before, v string) string) string {
	var parts []string
	for part := range strings.SplitSeq(v, "/") {
		if part != "." && part != ".." {
			parts = append(parts, escape(before, part))
		}
	}
	return strings.Join(parts, "/")
}

// fill makes an address: values are escaped for the path, or for the query
// after the "?". One at the very beginning is an address and stays as it is.
func fill(template string, vars, more map[string]string) string {
	return expand(template, vars, more, func(before, v string) string {
		switch {
		case before == "":
			return v
		case strings.Contains(before, "?"):
			return url.QueryEscape(v)
		}
		return url.PathEscape(v)
	})
}

// text fills a template whose parts need no escape: a user name, scopes.
func text(template string, vars map[string]string) string {
	return expand(template, vars, nil, func(_, v string) string { return v })
}

// body fills a request's body: values are escaped for a JSON string, or for a
// form where the media type says so.
func body(template, media string, vars, more map[string]string) string {
	return expand(template, vars, more, func(_, v string) string {
		if strings.HasPrefix(media, formType) {
			return url.QueryEscape(v)
		}
		return quoted(v)
	})
}

const (
	formType = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// quoted is v as it stands between the quotes of a JSON string.
func quoted(v string) string {
	data, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(data[1 : len(data)-1])
}

// with is vars and what one request adds.
func with(vars map[string]string, more ...string) map[string]string {
	out := maps.Clone(vars)
	if out == nil {
		out = map[string]string{}
	}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

// literal keeps a typed path from being read as a template.
func literal(path string) string { return strings.NewReplacer("{", "%7B", "}", "%7D").Replace(path) }

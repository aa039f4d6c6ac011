package addresses

import (
	"regexp"
	"strings"
)

// An option is name=value as it was written, decoded once.
type option struct {
	name, value string
	taken       bool
}

var shownShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 ._-]{0,39}$`)

// shown is the name where it looks like one. Anything else may be a piece of a
// secret.
func (o option) shown() string {
	if shownShape.MatchString(o.name) {
		return o.name
	}
	return "An option"
}

// options are taken one by one; what stays is left by name.
type options struct {
	list []option
	// firstWins: of an option that stands twice, the first counts. ODBC says so
	// (https://learn.microsoft.com/sql/odbc/reference/syntax/sqldriverconnect-function,
	// Comments); for the others the last does.
	firstWins bool
}

// folded is a name without what its writers differ in: "User ID", "user_id".
func folded(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '_' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(strings.TrimSpace(name)))
}

// take is the value of the option with one of the names, in the order of the
// names, and marks all of them as understood.
func (o *options) take(names ...string) string {
	out := ""
	for _, name := range names {
		value, found := "", false
		for i := range o.list {
			p := &o.list[i]
			if folded(p.name) != folded(name) {
				continue
			}
			p.taken = true
			if !found || !o.firstWins {
				value, found = p.value, true
			}
		}
		if out == "" {
			out = value
		}
	}
	return out
}

// has reports whether one of the options is there.
func (o *options) has(names ...string) bool {
	for _, name := range names {
		for _, p := range o.list {
			if folded(p.name) == folded(name) {
				return true
			}
		}
	}
	return false
}

func (o *options) add(name, value string) { o.list = append(o.list, option{name: name, value: value}) }

// queryOptions reads name=value&name=value.
func queryOptions(query string, plus bool) *options {
	out := &options{}
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		out.add(decoded(name, plus), decoded(value, plus))
	}
	return out
}

// truth reads what the writers of options call yes and no; "" for anything else.
func truth(value string) string {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "true", "yes", "1", "on", "sspi":
		return "true"
	case "false", "no", "0", "off":
		return "false"
	}
	return ""
}

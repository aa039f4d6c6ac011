package clickhouse

import (
	"regexp"
	"strings"

	"jackfield/connectors"
)

// grants are what SHOW GRANTS tells (since 20.4). known is false where it tells
// nothing, or where a role may add more.
type grants struct {
	known bool
	lines []string
	rules []rule
}

type rule struct {
	revoke          bool
	database, table string // "*" for any
	columns         bool   // of some columns alone
}

var grantShape = regexp.MustCompile("^(GRANT|REVOKE) (.+?) ON (`(?:[^`\\\\]|\\\\.)*`|[^ .]+)\\.(`(?:[^`\\\\]|\\\\.)*`|[^ ]+) (?:TO|FROM) ")

// parseGrants reads lines such as "GRANT SELECT(id), SHOW ON shop.* TO reader".
func parseGrants(lines []string) grants {
	g := grants{known: true, lines: lines}
	for _, line := range lines {
		m := grantShape.FindStringSubmatch(line)
		if m == nil {
			g.known = g.known && strings.Contains(line, " ON ") // "GRANT role TO reader"
			continue
		}
		whole, some := selects(m[2])
		if whole || some {
			g.rules = append(g.rules, rule{revoke: m[1] == "REVOKE", database: unnamed(m[3]), table: unnamed(m[4]), columns: !whole})
		}
	}
	return g
}

// selects looks for SELECT among privileges, and whether only columns of it are meant.
func selects(privileges string) (whole, some bool) {
	depth := 0
	for p := range strings.FieldsFuncSeq(privileges, func(r rune) bool {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		return r == ',' && depth == 0
	}) {
		switch name, _, columns := strings.Cut(strings.TrimSpace(p), "("); strings.ToUpper(strings.TrimSpace(name)) {
		case "SELECT", "ALL":
			whole, some = whole || !columns, some || columns
		}
	}
	return whole, some
}

func unnamed(name string) string {
	if strings.HasPrefix(name, "`") && len(name) > 1 {
		return strings.NewReplacer("\\`", "`", `\\`, `\`, `\'`, "'").Replace(name[1 : len(name)-1])
	}
	return name
}

// access says whether a table may be read; the last rule that matches wins, as
// REVOKE lines come after what they take from.
func (g grants) access(database, table string) connectors.Access {
	if !g.known {
		return ""
	}
	out := connectors.AccessListed
	for _, r := range g.rules {
		if !matches(r.database, database) || !matches(r.table, table) {
			continue
		}
		switch {
		case !r.revoke:
			out = connectors.AccessReadable
		case !r.columns:
			out = connectors.AccessListed
		}
	}
	return out
}

// matches knows "*" and, since 24.10, "begin*".
func matches(pattern, name string) bool {
	if begin, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, begin)
	}
	return pattern == name
}

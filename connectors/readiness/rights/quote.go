package rights

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// double writes a name as standard SQL does, which PostgreSQL and Oracle follow:
// https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
func double(name string) string { return `"` + strings.ReplaceAll(noNUL(name), `"`, `""`) + `"` }

// back writes a name for MySQL and MariaDB:
// https://dev.mysql.com/doc/refman/8.4/en/identifiers.html
func back(name string) string { return "`" + strings.ReplaceAll(noNUL(name), "`", "``") + "`" }

// whole writes the name of a database that is granted on, where _ and % would
// stand for other signs: https://dev.mysql.com/doc/refman/8.4/en/grant.html
func whole(name string) string {
	return back(strings.NewReplacer(`\`, `\\`, "_", `\_`, "%", `\%`).Replace(name))
}

// slashed writes a name for ClickHouse, which takes a backslash for the
// beginning of an escape: https://clickhouse.com/docs/sql-reference/syntax#identifiers
func slashed(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(noNUL(name)) + "`"
}

// bracketed writes a name for SQL Server, as QUOTENAME does:
// https://learn.microsoft.com/sql/t-sql/functions/quotename-transact-sql
func bracketed(name string) string { return "[" + strings.ReplaceAll(noNUL(name), "]", "]]") + "]" }

// oracleName is a name as Oracle reads it: in capital letters, unless it cannot be
// written without quotation marks.
// https://docs.oracle.com/en/database/oracle/oracle-database/23/sqlrf/Database-Object-Names-and-Qualifiers.html
func oracleName(name string) string {
	if len(name) > 1 && strings.HasPrefix(name, `"`) && strings.HasSuffix(name, `"`) {
		name = name[1 : len(name)-1]
	} else if simpleName.MatchString(name) {
		name = strings.ToUpper(name)
	}
	return `"` + strings.ReplaceAll(noNUL(name), `"`, "") + `"` // no name may have one
}

var simpleName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_$#]*$`)

// shell writes one word for a POSIX shell:
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02
func shell(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(noNUL(word), "'", `'\''`) + "'"
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@=,+-]+$`)

// quoted writes a string as JSON, JavaScript, NATS and redis-cli read it.
func quoted(v string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// pretty writes JSON to read.
func pretty(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Sprintf("%q\n", err.Error())
	}
	return b.String()
}

func noNUL(v string) string { return strings.ReplaceAll(v, "\x00", "") }

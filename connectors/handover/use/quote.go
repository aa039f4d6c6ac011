package use

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What a language cannot hold, as the end of "It cannot hold …".
var (
	errLineEnd   = errors.New("a line end")
	errEdge      = errors.New("a space at the beginning or end")
	errNUL       = errors.New("a NUL character")
	errNotText   = errors.New("bytes that are no text (UTF-8)")
	errBackslash = errors.New("a backslash before a colon")
	errTooLong   = errors.New("more than 900 bytes")
)

// holds refuses what no language but a few can hold.
func holds(v string) error {
	switch {
	case strings.ContainsRune(v, 0):
		return errNUL
	case !utf8.ValidString(v):
		return errNotText
	}
	return nil
}

// bare is for languages without quotes: one line, as it is, whose ends are trimmed.
func bare(v string) (string, error) {
	if strings.ContainsAny(v, "\r\n") {
		return v, errLineEnd
	}
	if strings.TrimSpace(v) != v {
		return v, errEdge
	}
	return v, holds(v)
}

// without is bare for languages in which some characters mean something else.
func without(chars string) quote {
	return func(v string) (string, error) {
		if i := strings.IndexAny(v, chars); i >= 0 {
			return v, fmt.Errorf("the character %c", []rune(v[i:])[0])
		}
		return bare(v)
	}
}

// notFirst is bare where some characters mean something else at the beginning.
func notFirst(chars string) quote {
	return func(v string) (string, error) {
		if v != "" && strings.ContainsAny(v[:1], chars) {
			return v, fmt.Errorf("the character %c at its beginning", v[0])
		}
		return bare(v)
	}
}

// escaped puts before each of the characters what the pairs say, as
// strings.NewReplacer takes them.
func escaped(open, shut string, pairs ...string) quote {
	r := strings.NewReplacer(pairs...)
	return func(v string) (string, error) { return open + r.Replace(v) + shut, holds(v) }
}

// oneLine is in, for languages that end a value at the line's end.
func oneLine(in quote) quote {
	return func(v string) (string, error) {
		out, err := in(v)
		if strings.ContainsAny(v, "\r\n") {
			err = errLineEnd
		}
		return out, err
	}
}

// percent is RFC 3986 section 2: all but the unreserved characters.
func percent(v string) (string, error) {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(v) {
		c := v[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String(), holds(v)
}

// percentPath keeps the slashes.
func percentPath(v string) (string, error) {
	out, err := percent(v)
	return strings.ReplaceAll(out, "%2F", "/"), err
}

// shellWord is a word of a POSIX shell in single quotes
// (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_02_02).
func shellWord(v string) (string, error) {
	if plainWord(v) {
		return v, nil
	}
	return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'", holds(v)
}

// keyword is a value of libpq's keyword strings
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE).
func keyword(v string) (string, error) {
	if plainWord(v) {
		return v, nil
	}
	return escaped("'", "'", `\`, `\\`, `'`, `\'`)(v)
}

// plainWord reports whether v means itself without quotes, to every shell and to
// libpq. A word that begins with = is a path to zsh.
func plainWord(v string) bool {
	return v != "" && v[0] != '=' && strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@+=:,./-") == ""
}

// pgpass is a field of a password file
// (https://www.postgresql.org/docs/current/libpq-pgpass.html).
func pgpass(v string) (string, error) { return oneLine(escaped("", "", `\`, `\\`, ":", `\:`))(v) }

// optionFile is a value in an option file of MySQL and MariaDB
// (https://dev.mysql.com/doc/refman/8.4/en/option-files.html).
func optionFile(v string) (string, error) {
	return escaped(`"`, `"`, `\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)(v)
}

// cLike is a string in double quotes as curl's configuration and .netrc have it
// (https://curl.se/docs/manpage.html, under --config).
func cLike(v string) (string, error) { return optionFile(v) }

// braces is a value of an ODBC or JDBC string for SQL Server
// (https://learn.microsoft.com/en-us/sql/connect/jdbc/building-the-connection-url).
func braces(v string) (string, error) { return escaped("{", "}", "}", "}}")(v) }

// odbcValue has braces only where they are needed: psqlodbc takes them for a
// part of numbers and names
// (https://learn.microsoft.com/en-us/sql/odbc/reference/syntax/sqldriverconnect-function).
func odbcValue(v string) (string, error) {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/\\"
	if v == strings.TrimSpace(v) && strings.Trim(v, plain) == "" {
		return v, nil
	}
	return braces(v)
}

// adoNet is a value of an ADO.NET string
// (https://learn.microsoft.com/en-us/dotnet/api/system.data.common.dbconnectionstringbuilder).
func adoNet(v string) (string, error) { return escaped(`"`, `"`, `"`, `""`)(v) }

// tokens is what psqlodbc undoes for a password in odbc.ini: %XX, + for a space.
func tokens(v string) (string, error) { return percent(v) }

// properties is a value of a Java properties file
// (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html#load(java.io.Reader)).
func properties(v string) (string, error) {
	var b strings.Builder
	for i, r := range v {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case strings.ContainsRune(`\:=#!`, r), r == ' ' && i == 0:
			b.WriteString(`\` + string(r))
		case r < 0x20 || r >= 0x7f:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, `\u%04x`, unit)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), holds(v)
}

// jaas is a string in a JAAS configuration, which Java reads with its
// StreamTokenizer (https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/io/StreamTokenizer.html).
func jaas(v string) (string, error) { return optionFile(v) }

// hcl is a quoted string of Terraform. A $ or % before { is written as its number,
// because a doubled one is read in its own way after others
// (https://developer.hashicorp.com/terraform/language/expressions/strings).
func hcl(v string) (string, error) {
	return escaped(`"`, `"`, `\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", `\u0024{`, "%{", `\u0025{`)(v)
}

// dotenv is a value that python-dotenv and a POSIX shell read alike. They agree
// on single quotes without ' and \ in them, and on double quotes without $ and `.
// Compose and python-dotenv fill in ${…} in either.
func dotenv(v string) (string, error) {
	if strings.Contains(v, "${") {
		return v, errors.New("${, which some readers take for a variable")
	}
	if !strings.ContainsAny(v, `'\`) {
		return "'" + v + "'", holds(v)
	}
	if strings.ContainsAny(v, "$`") {
		return v, errors.New(`$ or a backquote together with \ or an apostrophe, which readers do not agree on`)
	}
	return escaped(`"`, `"`, `\`, `\\`, `"`, `\"`)(v)
}

// envFile is a value of a file for docker run --env-file, which knows no quotes
// (https://docs.docker.com/reference/cli/docker/container/run/#env).
func envFile(v string) (string, error) {
	if strings.ContainsAny(v, "\r\n") {
		return v, errLineEnd
	}
	return v, holds(v)
}

// sshWord is an argument of ssh_config in double quotes; tokens are doubled
// where the keyword expands them (man ssh_config, TOKENS).
func sshWord(tokens bool) quote {
	return func(v string) (string, error) {
		if strings.ContainsAny(v, "\r\n") {
			return v, errLineEnd
		}
		pairs := []string{`\`, `\\`, `"`, `\"`}
		if tokens {
			pairs = append(pairs, "%", "%%")
		}
		return escaped(`"`, `"`, pairs...)(v)
	}
}

// rcloneValue is a value in rclone.conf, whose reader (goconfig) takes quotes at
// the beginning and %(name)s for its own.
func rcloneValue(v string) (string, error) {
	if strings.Contains(v, "%(") {
		return v, errors.New("the characters %(")
	}
	return notFirst("\"`")(v)
}

// goMySQLUser is the user in a DSN of go-sql-driver, which has no way to write a
// colon there (https://github.com/go-sql-driver/mysql#dsn-data-source-name).
func goMySQLUser(v string) (string, error) {
	if strings.Contains(v, ":") {
		return v, errors.New("a colon")
	}
	return v, holds(v)
}

// ascii is for PyMySQL, which sends a password in Latin-1.
func ascii(v string) (string, error) {
	for _, r := range v {
		if r >= utf8.RuneSelf {
			return v, errors.New("a letter beyond ASCII, which the driver sends in another encoding")
		}
	}
	return v, nil
}

// noControls is for PostgreSQL's Java driver, whose SASLprep (RFC 4013) fails on
// control characters.
func noControls(v string) (string, error) {
	if strings.ContainsFunc(v, unicode.IsControl) {
		return v, errors.New("a control character, on which the driver fails")
	}
	return v, nil
}

func verbatim(v string) (string, error) { return v, holds(v) }

func base64Text(v string) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(v)), holds(v)
}

func jsonText(v string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), errors.Join(err, holds(v))
}

// xmlText is character data (https://www.w3.org/TR/xml/#charsets).
func xmlText(v string) (string, error) {
	for _, r := range v {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return v, errors.New("a control character")
		}
	}
	return escaped("", "", "&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "\r", "&#13;", "\n", "&#10;", "\t", "&#9;")(v)
}

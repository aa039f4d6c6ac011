package addresses

import "strings"

// adoPairs reads a connection string of ADO.NET or OLE DB. A value may stand in
// single or double quotes, and one that is doubled stands for itself; == in a
// name is =
// (https://learn.microsoft.com/dotnet/framework/data/adonet/connection-string-syntax).
func adoPairs(text string) (*options, bool) {
	out := &options{}
	for {
		text = strings.TrimLeft(text, "; \t")
		if text == "" {
			return out, len(out.list) > 0
		}
		name, rest, ok := adoName(text)
		if !ok {
			return nil, false
		}
		value, rest, ok := adoValue(strings.TrimLeft(rest, " \t"))
		if !ok {
			return nil, false
		}
		out.add(name, value)
		text = rest
	}
}

func adoName(text string) (name, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == ';':
			return "", "", false
		case text[i] != '=':
			b.WriteByte(text[i])
		case i+1 < len(text) && text[i+1] == '=':
			b.WriteByte('=')
			i++
		default:
			return strings.TrimSpace(b.String()), text[i+1:], b.Len() > 0
		}
	}
	return "", "", false
}

func adoValue(text string) (value, rest string, ok bool) {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		value, rest, ok = enclosed(text[1:], text[0])
		rest = strings.TrimLeft(rest, " \t")
		if ok && (rest == "" || rest[0] == ';') {
			return value, rest, true
		}
		return "", "", false
	}
	value, rest, _ = strings.Cut(text, ";")
	return strings.TrimSpace(value), rest, true
}

// enclosed reads up to the closing mark; a doubled one stands for itself.
func enclosed(text string, mark byte) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != mark {
			b.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == mark {
			b.WriteByte(mark)
			i++
			continue
		}
		return b.String(), text[i+1:], true
	}
	return "", "", false
}

// bracedPairs reads a connection string of ODBC or of SQL Server's JDBC driver,
// where a value in braces may have anything in it, and }} stands for }
// (https://learn.microsoft.com/openspecs/sql_server_protocols/ms-odbcstr/55953f0e-2d30-4ad4-8e56-b4207e491409,
// https://learn.microsoft.com/sql/connect/jdbc/building-the-connection-url).
func bracedPairs(text string) (*options, bool) {
	out := &options{firstWins: true}
	for {
		text = strings.TrimLeft(text, "; \t")
		if text == "" {
			return out, len(out.list) > 0
		}
		name, rest, ok := strings.Cut(text, "=")
		if !ok || strings.Contains(name, ";") || strings.TrimSpace(name) == "" {
			return nil, false
		}
		var value string
		if trimmed := strings.TrimLeft(rest, " \t"); strings.HasPrefix(trimmed, "{") {
			if value, rest, ok = enclosed(trimmed[1:], '}'); !ok {
				return nil, false
			}
			_, rest, _ = strings.Cut(rest, ";")
		} else {
			value, rest, _ = strings.Cut(rest, ";")
			value = strings.TrimSpace(value)
		}
		out.add(strings.TrimSpace(name), value)
		text = rest
	}
}

// libpqPairs reads PostgreSQL's keyword = value pairs: single quotes around what
// has spaces, and a backslash before a quote or a backslash
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE).
func libpqPairs(text string) (*options, bool) {
	out := &options{}
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			return out, len(out.list) > 0
		}
		name, rest, ok := strings.Cut(text, "=")
		name = strings.TrimRight(name, " \t\r\n")
		if !ok || !wordShape(name) {
			return nil, false
		}
		value, rest, ok := libpqValue(strings.TrimLeft(rest, " \t\r\n"))
		if !ok {
			return nil, false
		}
		out.add(name, value)
		text = rest
	}
}

func wordShape(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") == ""
}

func libpqValue(text string) (value, rest string, ok bool) {
	quoted := strings.HasPrefix(text, "'")
	if quoted {
		text = text[1:]
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i++; i < len(text) {
				b.WriteByte(text[i])
			}
		case quoted && c == '\'':
			return b.String(), text[i+1:], true
		case !quoted && strings.IndexByte(" \t\r\n", c) >= 0:
			return b.String(), text[i:], true
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", !quoted
}

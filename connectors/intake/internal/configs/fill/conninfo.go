package fill

import (
	"strings"
)

// ConnInfo reads libpq's key = 'value' pairs, with backslash escapes
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE).
func ConnInfo(s string) [][2]string {
	var out [][2]string
	for s = strings.TrimSpace(s); s != "" && len(out) < 100; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			return out
		}
		value, after := connValue(strings.TrimLeft(rest, " \t\n"))
		out = append(out, [2]string{strings.TrimSpace(key), value})
		s = after
	}
	return out
}

func connValue(s string) (value, rest string) {
	var b strings.Builder
	quoted := strings.HasPrefix(s, "'")
	i := 0
	if quoted {
		i = 1
	}
	for ; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quoted && s[i] == '\'':
			return b.String(), s[i+1:]
		case !quoted && strings.IndexByte(" \t\n", s[i]) >= 0:
			return b.String(), s[i:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// Libpq answers with one keyword of libpq.
func Libpq(d *Draft, key, value string) {
	keys := map[string]string{"host": "host", "hostaddr": "host", "port": "port", "user": "user", "password": "password", "dbname": "database", "sslpassword": "client_key_passphrase"}
	switch k := strings.ToLower(key); k {
	case "sslmode":
		if value == "disable" || value == "allow" || value == "prefer" {
			d.Choose("tls", "off")
		}
	case "sslrootcert", "sslcert", "sslkey", "passfile":
		d.File(k, value)
	case "hostaddr":
		if !d.Has("host") {
			d.Set("host", value, k)
		}
	case "host":
		first, more, _ := strings.Cut(value, ",")
		d.Set("host", first, k)
		if more != "" {
			d.Leave("more than one host", "The form has one.")
		}
	case "service":
		d.Leave("service", "What it stands for is in the file pg_service.conf. Paste its text.")
	case "application_name", "connect_timeout", "client_encoding", "keepalives", "target_session_attrs":
	default:
		if to, ok := keys[k]; ok {
			d.Set(to, value, k)
			return
		}
		d.Leave(k, "")
	}
}

// Left reports whether something whose name begins so was left.
func (d *Draft) Left(name string) bool {
	if d == nil {
		return false
	}
	for _, l := range d.reading.Left {
		if strings.HasPrefix(l.Name, name) {
			return true
		}
	}
	return false
}

package configs

import (
	"encoding/csv"
	"regexp"
	"strconv"
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

// accessKeys reads what the AWS console lets one download: accessKeys.csv with
// columns, credentials.csv with a user's name before them, and rootkey.csv, which
// once had a name=value a line.
func accessKeys(s *source) bool {
	if strings.Contains(s.text, "AWSAccessKeyId=") {
		x := sections(s.text)[0]
		s.keyPair("", x.get("AWSAccessKeyId"), x.get("AWSSecretKey"))
		s.what("an access key file", "key")
		return true
	}
	if !strings.Contains(s.text, "Access key ID") || !strings.Contains(s.text, "Secret access key") {
		return false
	}
	r := csv.NewReader(strings.NewReader(s.text))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		return false
	}
	at := map[string]int{}
	for i, name := range rows[0] {
		at[strings.TrimSpace(name)] = i + 1
	}
	cell := func(row []string, name string) string {
		if i := at[name]; i > 0 && i <= len(row) {
			return strings.TrimSpace(row[i-1])
		}
		return ""
	}
	for _, row := range rows[1:] {
		s.keyPair(cell(row, "User name"), cell(row, "Access key ID"), cell(row, "Secret access key"))
	}
	s.what("an access key file", "key")
	return true
}

func (s *source) keyPair(name, id, secret string) {
	if id == "" {
		return
	}
	drafts := []*fill.Draft{fill.New(s.Types, "s3"), fill.New(s.Types, "aws_key_pair")}
	for _, d := range drafts {
		d.Set("access_key", id, "Access key ID")
		d.Set("secret_key", secret, "Secret access key")
	}
	s.add(name, name, drafts...)
}

// pgpass reads host:port:database:user:password lines, with backslash escapes
// (https://www.postgresql.org/docs/current/libpq-pgpass.html).
func pgpass(s *source) bool {
	var rows [][]string
	for _, line := range strings.Split(s.text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := pgFields(line)
		if len(f) != 5 || f[0] == "" || strings.ContainsAny(f[0], " =\"'{") || f[1] != "*" && !number(f[1]) {
			return false
		}
		rows = append(rows, f)
	}
	for i, f := range rows {
		d := fill.New(s.Types, "postgres")
		for j, key := range []string{"host", "port", "database", "user"} {
			if f[j] == "*" {
				if j != 1 {
					d.Leave("any "+key, "The line is for all of them: choose one.")
				}
				continue
			}
			d.Set(key, f[j], key)
		}
		d.Set("password", f[4], "password")
		s.add("", "line "+strconv.Itoa(i+1), d)
	}
	s.what("a .pgpass", "password")
	return len(rows) > 0
}

func number(v string) bool { _, err := strconv.ParseUint(v, 10, 16); return err == nil }

func pgFields(line string) []string {
	var out []string
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		case line[i] == ':' && len(out) < 4:
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(line[i])
		}
	}
	return append(out, b.String())
}

var machine = regexp.MustCompile(`(?m)^[ \t]*(machine[ \t]+\S+|default\b)`)

// netrc reads machine, login and password
// (https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html).
func netrc(s *source) bool {
	if !machine.MatchString(s.text) || !strings.Contains(s.text, "login") {
		return false
	}
	words := netrcWords(s.text)
	for i := 0; i < len(words); i++ {
		if words[i] != "machine" || i+1 >= len(words) {
			continue
		}
		host, login, password := words[i+1], "", ""
		for i += 2; i+1 < len(words) && words[i] != "machine" && words[i] != "default" && words[i] != "macdef"; i += 2 {
			switch words[i] {
			case "login":
				login = words[i+1]
			case "password":
				password = words[i+1]
			}
		}
		i--
		s.login(host, login, password)
	}
	s.what("a .netrc", "machine")
	return true
}

func (s *source) login(host, login, password string) {
	web, ftp := fill.New(s.Types, "http"), fill.New(s.Types, "ftp")
	web.Set("base_url", "https://"+host, "machine")
	web.Choose("auth", "basic")
	ftp.Set("host", host, "machine")
	for _, d := range []*fill.Draft{web, ftp} {
		d.Set("user", login, "login")
		d.Set("password", password, "password")
	}
	if strings.HasPrefix(host, "ftp") {
		s.add(host, host, ftp, web)
		return
	}
	s.add(host, host, web, ftp)
}

func netrcWords(text string) []string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if t := strings.TrimSpace(line); strings.HasPrefix(t, "#") {
			continue
		}
		out = append(out, sshWordsAll(line)...)
	}
	return out
}

// sshWordsAll is sshWords without comments: a password may begin with "#".
func sshWordsAll(line string) []string {
	var out []string
	for _, w := range strings.Fields(line) {
		out = append(out, unquoted(w))
	}
	return out
}

var bridge = regexp.MustCompile(`(?m)^[ \t]*(connection|address|remote_username)[ \t]+\S`)

// mosquitto reads the bridges of a mosquitto.conf (https://mosquitto.org/man/mosquitto-conf-5.html).
func mosquitto(s *source) bool {
	if len(bridge.FindAllString(s.text, -1)) < 2 {
		return false
	}
	var d *fill.Draft
	name := ""
	end := func() {
		if d.Has("host") {
			if !d.Left("bridge_cafile") && !d.Left("bridge_capath") && d.Get("port") != "8883" {
				d.Choose("transport", "tcp")
			}
			if !d.Has("user") {
				d.Choose("auth", "anonymous")
			}
			s.add(name, "connection "+name, d)
		}
		d = nil
	}
	for _, line := range strings.Split(s.text, "\n") {
		key, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		v = strings.TrimSpace(v)
		switch key {
		case "connection":
			end()
			d, name = fill.New(s.Types, "mqtt"), v
		case "address", "addresses":
			first, _, _ := strings.Cut(v, " ")
			d.HostPort(first, key)
		case "remote_username", "username":
			d.Set("user", v, key)
		case "remote_password", "password":
			d.Set("password", v, key)
		case "remote_clientid", "clientid":
			d.Set("client_id", v, key)
		case "bridge_cafile", "bridge_capath", "bridge_certfile", "bridge_keyfile":
			d.File(key, v)
		case "bridge_protocol_version":
			d.Choose("protocol", map[string]string{"mqttv50": "5", "mqttv311": "3.1.1"}[v])
		case "topic":
			if f := strings.Fields(v); len(f) > 0 {
				d.Add("topic", f[0], key)
			}
		}
	}
	end()
	s.what("a mosquitto configuration", "bridge")
	return true
}

var tnsName = regexp.MustCompile(`(?mi)^[ \t]*([A-Za-z][\w.,-]*)[ \t]*=\s*\(\s*DESCRIPTION`)
var tnsValue = regexp.MustCompile(`(?i)\(\s*(PROTOCOL|HOST|PORT|SERVICE_NAME|SID)\s*=\s*([^()\s]+)\s*\)`)

// tnsnames reads net service names (https://docs.oracle.com/en/database/oracle/oracle-database/23/netrf/local-naming-parameters-in-tns-ora-file.html).
func tnsnames(s *source) bool {
	at := tnsName.FindAllStringSubmatchIndex(s.text, maxItems)
	for i, m := range at {
		end := len(s.text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		d := fill.New(s.Types, "oracle")
		d.Choose("tls", "off")
		for _, v := range tnsValue.FindAllStringSubmatch(s.text[m[0]:end], 20) {
			switch key := strings.ToUpper(v[1]); key {
			case "PROTOCOL":
				if strings.EqualFold(v[2], "TCPS") {
					d.Choose("tls", "tcps")
				}
			case "SID":
				d.Choose("kind", "sid")
				d.Set("sid", v[2], key)
			default:
				to := map[string]string{"HOST": "host", "PORT": "port", "SERVICE_NAME": "service"}[key]
				if d.Has(to) {
					d.Leave("another "+key, "The form has one.")
					continue
				}
				d.Set(to, v[2], key)
			}
		}
		s.add(s.text[m[2]:m[3]], s.text[m[2]:m[3]], d)
	}
	s.what("a tnsnames.ora", "service")
	return len(at) > 0
}

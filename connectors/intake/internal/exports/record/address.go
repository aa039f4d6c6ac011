package record

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

// An Address reads a connection's address: "postgres://…", "jdbc:…".
type Address func(types []connectors.Type, text string) (part.Item, bool)

// hostOf is the host of an address, without what may be a secret.
func hostOf(text string) string {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(strings.TrimPrefix(text, "jdbc:"))
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// addressed lets the reader of addresses have what is no web address, and puts
// the record's own answers over what it found.
func (r *Record) addressed(types []connectors.Type, address Address) (part.Item, bool) {
	text := strings.TrimSpace(r.values["url"])
	if address == nil || text == "" || webAddress(text) || !strings.Contains(text, ":") && !strings.Contains(text, "=") {
		return part.Item{}, false
	}
	item, ok := address(types, text)
	if !ok || len(item.Readings) == 0 {
		return part.Item{}, false
	}
	var out []part.Reading
	for _, reading := range item.Readings {
		t, ok := connectors.Find(types, reading.Type)
		if !ok {
			continue
		}
		out = append(out, r.over(t, reading))
	}
	item.Readings = out
	return item, len(out) > 0
}

func (r *Record) over(t connectors.Type, reading part.Reading) part.Reading {
	reading.Settings = reading.Settings.Clone()
	f := &Form{T: t, R: reading}
	for _, k := range r.order() {
		if k != "url" && k != "host" && k != "port" && k != "database" || k == "database" && !f.Has("database") && !f.Has("service") {
			r.place(f, k)
		}
	}
	for _, l := range r.Left {
		f.R.Leave(l.Name, l.Why)
	}
	for _, n := range r.Notes {
		f.R.Note(n)
	}
	return f.R
}

func webAddress(text string) bool {
	l := strings.ToLower(text)
	return strings.HasPrefix(l, "http://") || strings.HasPrefix(l, "https://")
}

// splitURL takes an address that nobody else reads apart: its scheme is the
// type, as in "sftp://alice@files.example.com:22/in".
func (r *Record) splitURL() {
	text := strings.TrimSpace(r.values["url"])
	if text == "" {
		r.splitHost()
		return
	}
	if !strings.Contains(text, "://") && !strings.ContainsAny(text, " ;=") {
		text = "https://" + text
	}
	u, err := url.Parse(strings.TrimPrefix(text, "jdbc:"))
	if err != nil || u.Host == "" {
		r.Drop("url")
		r.Leave(r.written["url"], "It is no address that is understood here.")
		return
	}
	if u.User != nil {
		r.Put("user", u.User.Username())
		p, _ := u.User.Password()
		r.Put("password", p)
		u.User = nil
	}
	if webAddress(text) {
		u.RawQuery, u.Fragment = "", ""
		r.values["url"] = u.String()
		return
	}
	if id := TypeOf(nil, u.Scheme); id != "" && r.Type == "" {
		r.Type = id
	}
	r.Drop("url")
	r.Put("host", u.Hostname())
	r.Put("port", u.Port())
	if rest := strings.Trim(u.Path, "/"); r.Type == "sftp" || r.Type == "ftp" || r.Type == "smb" {
		r.Put("folder", u.Path)
	} else {
		r.Put("database", rest)
	}
}

// splitHost takes "host:port" apart.
func (r *Record) splitHost() {
	if host, port, err := net.SplitHostPort(r.values["host"]); err == nil && host != "" && r.values["port"] == "" {
		r.values["host"] = host
		r.PutAs("port", r.written["host"], port)
	}
	if h := r.values["host"]; strings.Contains(h, "://") {
		r.Drop("host")
		r.PutAs("url", r.written["host"], h)
		r.splitURL()
	}
}

// ports tell the type where nothing else does (IANA's registry of service names).
var ports = map[string]string{
	"5432": "postgres", "3306": "mysql", "1433": "sqlserver", "1521": "oracle", "6379": "redis", "27017": "mongodb", "22": "sftp", "21": "ftp", "990": "ftp",
	"389": "ldap", "636": "ldap", "3269": "ldap", "1883": "mqtt", "8883": "mqtt", "5672": "rabbitmq", "5671": "rabbitmq", "9092": "kafka", "9093": "kafka",
	"4222": "nats", "445": "smb", "25": "smtp", "465": "smtp", "587": "smtp", "143": "imap", "993": "imap", "9200": "elasticsearch", "8123": "clickhouse", "9000": "clickhouse", "8443": "clickhouse",
}

// candidates are the types that the record may be for, likeliest first.
func (r *Record) candidates(types []connectors.Type) []string {
	if r.Type != "" {
		return append([]string{r.Type}, r.beside()...)
	}
	switch {
	case r.Has("tenant") && r.Has("client_id"):
		if strings.Contains(r.values["url"], "dynamics.com") {
			return []string{"dynamics365", "microsoft_graph"}
		}
		return []string{"microsoft_graph", "dynamics365"}
	case r.Has("account_sid"):
		return []string{"twilio"}
	case r.Has("access_key") && r.Has("bucket") && !r.Has("url"):
		return []string{"s3", "aws_key_pair"}
	case r.Has("access_key") && (r.Has("secret_key") || r.Has("session_token")):
		if r.Has("url") && !strings.Contains(r.values["url"], "amazonaws.com") {
			return []string{"s3_compatible", "s3", "aws_key_pair"}
		}
		return []string{"aws_key_pair", "s3"}
	case r.Has("url"):
		return r.byURL()
	case r.Has("host"):
		return r.byHost()
	case r.Has("client_id") && r.Has("client_secret"):
		return []string{"http", "oauth"}
	case r.Has("private_key"):
		return []string{"private_key", "sftp"}
	case r.Has("user") && r.Has("password"):
		return []string{"user_password"}
	case r.Has("token"):
		return []string{"http", "secret_key"}
	case r.Has("api_key"):
		return []string{"http", "secret_key"}
	}
	return nil
}

// beside are types that fit a login of the type as well.
func (r *Record) beside() []string {
	switch r.Type {
	case "ssh":
		return []string{"sftp"}
	case "rabbitmq":
		return []string{"amqp1"}
	}
	return nil
}

func (r *Record) byHost() []string {
	if id := ports[r.values["port"]]; id != "" {
		if id == "sftp" {
			return []string{"sftp", "ssh"}
		}
		return []string{id}
	}
	switch {
	case r.Has("sid", "service"):
		return []string{"oracle"}
	case r.Has("instance_name"):
		return []string{"sqlserver"}
	case r.Has("base_dn"):
		return []string{"ldap"}
	case r.Has("share"):
		return []string{"smb"}
	case r.Has("vhost"):
		return []string{"rabbitmq"}
	case r.Has("topic"):
		return []string{"mqtt"}
	case r.Has("database"):
		return r.byName([]string{"postgres", "mysql", "sqlserver", "oracle", "clickhouse"})
	case r.Has("private_key"):
		return []string{"sftp", "ssh"}
	}
	return r.byName([]string{"sftp", "ftp", "postgres", "mysql", "sqlserver", "smb", "ldap", "user_password"})
}

// byName puts first what the host is called after: "mysql.example.com".
func (r *Record) byName(ids []string) []string {
	host := strings.ToLower(r.values["host"])
	for _, w := range [][2]string{{"psdb.cloud", "mysql"}, {"neon.tech", "postgres"}, {"supabase", "postgres"}, {"mysql", "mysql"}, {"maria", "mysql"}, {"postgres", "postgres"}, {"pgsql", "postgres"}, {"sftp", "sftp"}, {"ftp", "ftp"},
		{"mssql", "sqlserver"}, {"database.windows.net", "sqlserver"}, {"oracle", "oracle"}, {"clickhouse", "clickhouse"}, {"mongo", "mongodb"}, {"redis", "redis"}, {"ldap", "ldap"}, {"mqtt", "mqtt"}, {"rabbit", "rabbitmq"}, {"smtp", "smtp"}, {"imap", "imap"}} {
		if strings.Contains(host, w[0]) {
			return append([]string{w[1]}, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == w[1] })...)
		}
	}
	return ids
}

// services are the hosts of those whose form asks for what a login has.
var services = []struct{ end, id string }{
	{".service-now.com", "servicenow"}, {".salesforce.com", "salesforce"}, {".force.com", "salesforce"}, {".dynamics.com", "dynamics365"}, {".okta.com", "okta"}, {".auth0.com", "auth0"},
	{".coupahost.com", "coupa"}, {".zendesk.com", "zendesk"}, {"gitlab.com", "gitlab"}, {"api.github.com", "github"}, {"api.notion.com", "notion"}, {".amazonaws.com", "s3"},
}

func (r *Record) byURL() []string {
	host := strings.ToLower(hostOf(r.values["url"]))
	for _, s := range services {
		if strings.HasSuffix("."+host, s.end) || host == s.end {
			return r.ofService(s.id, host)
		}
	}
	switch {
	case strings.Contains(r.values["url"], "/remote.php/"), strings.Contains(r.values["url"], "/webdav"):
		return []string{"webdav", "http", "user_password"}
	case r.Has("issuer", "client_id"):
		return []string{"http", "oauth"}
	case r.Has("user") && r.Has("password"):
		return []string{"http", "webdav", "user_password"}
	case r.Has("user") || r.Has("token") || r.Has("api_key") || r.Has("password"):
		return []string{"http"}
	}
	return []string{"http"}
}

// ofService goes to the service's own form only with something that it asks for.
func (r *Record) ofService(id, host string) []string {
	web := []string{"http", "user_password"}
	switch id {
	case "servicenow":
		return append([]string{id}, web...)
	case "zendesk":
		if !r.Has("token", "api_key") {
			return web
		}
		r.Put("subdomain", strings.TrimSuffix(host, ".zendesk.com"))
	default:
		if !r.Has("token", "api_key", "client_id", "access_key") {
			return web
		}
	}
	return append([]string{id}, "http")
}

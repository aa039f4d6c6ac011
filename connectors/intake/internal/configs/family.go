package configs

import (
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

var (
	hostEnds     = []string{"HOST", "HOSTNAME", "SERVER", "ENDPOINT", "ADDRESS", "ADDR"}
	userEnds     = []string{"USER", "USERNAME", "LOGIN", "UID", "HOST_USER", "BIND_DN"}
	passwordEnds = []string{"PASSWORD", "PASS", "PASSWD", "PWD", "HOST_PASSWORD", "BIND_PASSWORD"}
	databaseEnds = []string{"DATABASE", "NAME", "DBNAME", "DB", "DB_NAME", "DATABASE_NAME"}
)

// families are variables that begin alike: DB_HOST, DB_USER, DB_PASSWORD.
func (e *env) families() {
	for _, n := range e.names {
		for _, end := range hostEnds {
			prefix, ok := strings.CutSuffix(n, end)
			if !ok || e.taken[n] || e.value[n] == "" || strings.Contains(e.value[n], "://") {
				continue
			}
			e.family(prefix, n)
		}
	}
	for _, n := range e.names { // images of databases are told everything but the host
		for _, own := range []string{"POSTGRES_PASSWORD", "MYSQL_PASSWORD", "MYSQL_ROOT_PASSWORD", "MARIADB_PASSWORD", "MARIADB_ROOT_PASSWORD"} {
			if n == own && !e.taken[n] && e.value[n] != "" {
				prefix, _, _ := strings.Cut(n, "_")
				e.family(prefix+"_", n)
			}
		}
	}
}

func (e *env) family(prefix, name string) {
	kinds := e.kinds(prefix, name)
	if len(kinds) == 0 {
		return
	}
	get := func(ends []string) (string, string) {
		var names []string
		for _, x := range ends {
			names = append(names, prefix+x)
		}
		return e.take(names...)
	}
	host, hostName := get(hostEnds)
	port, portName := get([]string{"PORT"})
	user, userName := get(userEnds)
	password, passwordName := get(passwordEnds)
	database, databaseName := get(databaseEnds)
	if password == "" && user == "" {
		password, passwordName = e.take(prefix + "ROOT_PASSWORD")
		if password != "" {
			user, userName = "root", "the user"
		}
	}
	rest := e.rest(prefix)
	var drafts []*fill.Draft
	for _, k := range kinds {
		d := fill.New(e.s.Types, k)
		if host == "" {
			d.Leave("the host", "It is not among the variables.")
		}
		h, p := fill.SplitPort(host)
		d.Set("host", h, hostName)
		d.Set("port", p, hostName)
		d.Set("port", port, portName)
		d.Set("user", user, userName)
		d.Set("password", password, passwordName)
		to := map[string]string{"oracle": "service", "rabbitmq": "vhost", "smb": "share"}[k]
		if _, ok := rest["FROM_NAME"]; to == "" && !ok {
			to = "database"
		}
		if k != "smtp" && k != "imap" && k != "sftp" && k != "ftp" && k != "ldap" && k != "mqtt" {
			d.Set(to, database, databaseName)
		}
		familyRest(d, k, rest, password == "" && user == "")
		drafts = append(drafts, d)
	}
	e.s.add("", e.place(name), drafts...)
}

// rest takes what else the family has.
func (e *env) rest(prefix string) map[string]string {
	out := map[string]string{}
	for _, end := range []string{"ENCRYPTION", "SCHEME", "SECURE", "SSL", "TLS", "USE_TLS", "USE_SSL", "SSLMODE", "SSL_MODE", "FROM_ADDRESS", "FROM", "VHOST", "BASE_DN", "BASE", "CONNECTION", "TYPE", "ENGINE", "DRIVER", "DIALECT", "CLIENT", "SCHEMA", "MAILER", "FROM_NAME", "DOMAIN", "SHARE"} {
		if v, _ := e.take(prefix + end); v != "" {
			out[end] = v
		}
	}
	return out
}

func familyRest(d *fill.Draft, kind string, rest map[string]string, open bool) {
	secure := ""
	for _, k := range []string{"ENCRYPTION", "SCHEME", "SECURE", "SSL", "TLS", "USE_TLS", "USE_SSL"} {
		if v := rest[k]; v != "" {
			secure = strings.ToLower(v)
			if k == "USE_TLS" && fill.Yes(v) {
				secure = "starttls"
			} else if fill.Yes(v) && v != "tls" {
				secure = "ssl"
			}
		}
	}
	d.Set("from", rest["FROM_ADDRESS"]+rest["FROM"], "FROM_ADDRESS")
	d.Set("vhost", rest["VHOST"], "VHOST")
	d.Set("base_dn", rest["BASE_DN"]+rest["BASE"], "BASE_DN")
	mode := strings.ToLower(rest["SSLMODE"] + rest["SSL_MODE"])
	if mode != "" {
		fill.Libpq(d, "sslmode", mode)
	}
	no := secure == "false" || secure == "0" || secure == "no" || secure == "none" || secure == "null"
	switch kind {
	case "smtp", "imap":
		mailSecurity(d, secure, no)
		if open && kind == "smtp" {
			d.Choose("auth", "none")
		}
	case "redis", "mongodb", "rabbitmq", "clickhouse", "elasticsearch":
		if secure == "" || no {
			d.Choose("security", "none")
		}
		if open {
			d.Choose("auth", "none")
		}
	case "ldap":
		if secure == "" || no {
			d.Choose("security", "none")
		}
	case "mqtt":
		if (secure == "" || no) && d.Get("port") != "8883" {
			d.Choose("transport", "tcp")
		}
		if open {
			d.Choose("auth", "anonymous")
		}
	default:
		if no {
			d.Choose("tls", "off")
		}
	}
}

func mailSecurity(d *fill.Draft, secure string, no bool) {
	switch {
	case no:
		d.Choose("security", "none")
	case secure == "ssl" || secure == "smtps" || d.Get("port") == "465" || d.Get("port") == "993":
		d.Choose("security", "tls")
	case secure == "tls" || secure == "starttls" || d.Get("port") == "587":
		d.Choose("security", "starttls")
	}
}

// kinds are the types that a family may be.
func (e *env) kinds(prefix, name string) []string {
	p := strings.ToLower(prefix)
	said := ""
	for _, end := range []string{"CONNECTION", "TYPE", "ENGINE", "DRIVER", "DIALECT", "CLIENT"} {
		said += " " + strings.ToLower(e.value[prefix+end])
	}
	words := [][2]string{{"pgsql", "postgres"}, {"postgres", "postgres"}, {"mysql", "mysql"}, {"maria", "mysql"}, {"sqlsrv", "sqlserver"}, {"mssql", "sqlserver"}, {"sqlserver", "sqlserver"}, {"oracle", "oracle"}, {"redis", "redis"},
		{"valkey", "redis"}, {"mongo", "mongodb"}, {"mqtt", "mqtt"}, {"rabbit", "rabbitmq"}, {"amqp", "rabbitmq"}, {"ldap", "ldap"}, {"sftp", "sftp"}, {"ftp", "ftp"}, {"imap", "imap"}, {"smtp", "smtp"}, {"mail", "smtp"}, {"clickhouse", "clickhouse"}, {"elastic", "elasticsearch"},
		{"smb", "smb"}, {"samba", "smb"}, {"pg", "postgres"}}
	for _, text := range []string{said, p} {
		for _, w := range words {
			if strings.Contains(text, w[0]) {
				return []string{w[1]}
			}
		}
	}
	if !strings.Contains(p, "db") && !strings.Contains(p, "database") && !strings.Contains(p, "sql") {
		return nil
	}
	_, port := fill.SplitPort(e.value[name])
	if port == "" {
		port = e.value[prefix+"PORT"]
	}
	if k := map[string]string{"5432": "postgres", "3306": "mysql", "1433": "sqlserver", "1521": "oracle", "27017": "mongodb"}[port]; k != "" {
		return []string{k}
	}
	return []string{"postgres", "mysql", "sqlserver"}
}

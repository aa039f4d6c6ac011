package use

import (
	"net"
	"strings"
)

// An address is the parts of a URL.
type address struct {
	scheme, at, path string
	userinfo         string
	query            []string // name, value as it is to be written, …
}

func (a address) String() string {
	out := a.scheme + "://"
	if a.userinfo != "" {
		out += a.userinfo + "@"
	}
	out += a.at + a.path
	for i := 0; i+1 < len(a.query); i += 2 {
		sep := "&"
		if i == 0 {
			sep = "?"
		}
		out += sep + a.query[i] + "=" + a.query[i+1]
	}
	return out
}

// with adds a part of the query unless its value is empty.
func (a *address) with(name, value string) {
	if value != "" {
		out, _ := percent(value)
		a.query = append(a.query, name, out)
	}
}

// userinfo is user:password as a URL has it.
func (p *plan) userinfo() string {
	user := p.q("user", percent)
	if !p.wants("password") {
		return user
	}
	return user + ":" + p.made("password", percent)
}

// urlHost is host:port in a URL.
func (p *plan) urlHost() string { return p.at() }

// uriPath is the answer to key as a URL's path, "" for none.
func (p *plan) uriPath(key string) string {
	if p.v(key) == "" {
		return ""
	}
	return "/" + p.q(key, percent)
}

var uris = map[string]func(*plan) address{
	"postgres":   (*plan).postgresURI,
	"mysql":      (*plan).mysqlURI,
	"mongodb":    (*plan).mongoURI,
	"redis":      (*plan).redisURI,
	"rabbitmq":   (*plan).amqpURI,
	"amqp1":      (*plan).amqpURI,
	"mqtt":       (*plan).mqttURI,
	"ldap":       (*plan).ldapURI,
	"sftp":       (*plan).sftpURI,
	"ftp":        (*plan).ftpURI,
	"smb":        (*plan).smbURI,
	"clickhouse": (*plan).clickhouseURI,
	"nats":       (*plan).natsURI,
	"sqlserver":  (*plan).sqlserverURI,
	"oracle":     (*plan).oracleURI,
}

func addresses() []writer {
	fits := func(p *plan) bool { return uris[p.typ.ID] != nil }
	return []writer{
		{Format: Format{ID: "uri", Name: "Address (URI)", For: "Most programs that take a connection address", Syntax: "text", Clear: true, Group: GroupAddresses},
			can: "client ca", fits: fits, write: func(p *plan) string { return p.uri() + "\n" }},
		{Format: Format{ID: "sqlalchemy", Name: "SQLAlchemy address", For: "Python programs with SQLAlchemy", Syntax: "text", Clear: true, Group: GroupAddresses},
			can: "client ca", fits: only("postgres", "mysql", "sqlserver", "oracle", "clickhouse"), write: func(p *plan) string { return p.sqlAlchemy().String() + "\n" }},
	}
}

func (p *plan) uri() string { return uris[p.typ.ID](p).String() }

// sslParts are libpq's words for the TLS answers. Without a CA file it is told to
// take the system's, which version 16 and later can
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-SSLROOTCERT).
func (p *plan) sslParts() [][2]string {
	if !p.secure() {
		return [][2]string{{"sslmode", "disable"}}
	}
	root := p.ca()
	if root == "" {
		root = "system"
		p.warns("sslrootcert=system needs PostgreSQL's client library 16 or newer. For an older one, name a file of CA certificates there.")
	}
	out := [][2]string{{"sslmode", "verify-full"}, {"sslrootcert", root}}
	if cert := p.cert(); cert != "" {
		out = append(out, [2]string{"sslcert", cert}, [2]string{"sslkey", p.key()})
		if p.has("client_key_passphrase") {
			p.leaves("The passphrase of the client key is not in it. The tool asks for it.")
		}
	}
	return out
}

func (p *plan) postgresURI() address {
	p.rdsToken()
	a := address{scheme: "postgresql", at: p.urlHost(), path: p.uriPath("database"), userinfo: p.userinfo()}
	for _, x := range p.sslParts() {
		a.with(x[0], x[1])
	}
	return a
}

// rdsToken says that the password of Amazon RDS is made anew each time.
func (p *plan) rdsToken() {
	if p.v("auth") == "rds_iam" {
		p.leaves("The password is not in it: with IAM it is made anew for each connection, by aws rds generate-db-auth-token.")
	}
}

// mysqlURI is a URI as MySQL Shell takes it
// (https://dev.mysql.com/doc/mysql-shell/8.4/en/mysql-shell-connection-using-uri.html).
func (p *plan) mysqlURI() address {
	p.rdsToken()
	a := address{scheme: "mysql", at: p.urlHost(), path: p.uriPath("database"), userinfo: p.userinfo()}
	if !p.secure() {
		a.with("ssl-mode", "DISABLED")
		return a
	}
	a.with("ssl-mode", "VERIFY_IDENTITY")
	a.with("ssl-ca", p.ca())
	a.with("ssl-cert", p.cert())
	a.with("ssl-key", p.key())
	return a
}

// mongoURI: https://www.mongodb.com/docs/manual/reference/connection-string/
func (p *plan) mongoURI() address {
	a := address{scheme: "mongodb", at: p.urlHost(), path: "/" + p.q("database", percent), userinfo: p.userinfo()}
	switch p.v("topology") {
	case "srv":
		a.scheme, a.at = "mongodb+srv", p.v("host")
	case "set":
		a.at = strings.Join(append([]string{a.at}, p.list("members")...), ",")
		a.with("replicaSet", p.v("replica_set"))
	default:
		a.with("directConnection", "true")
	}
	switch p.v("auth") {
	case "password":
		a.with("authSource", p.v("auth_source"))
		if m := p.v("mechanism"); m != "auto" {
			a.with("authMechanism", m)
		}
	case "ldap":
		a.with("authMechanism", "PLAIN")
		a.with("authSource", "$external")
	case "certificate":
		a.with("authMechanism", "MONGODB-X509")
		a.with("authSource", "$external")
	}
	if p.secure() {
		a.with("tls", "true")
		a.with("tlsCAFile", p.ca())
		a.with("tlsCertificateKeyFile", p.pair())
	} else {
		a.with("tls", "false")
	}
	return a
}

// pair is a file with the client certificate and its key.
func (p *plan) pair() string {
	if !p.has("client_cert") || !p.has("client_key") {
		return ""
	}
	name := p.cert()
	for i, f := range p.files {
		if strings.HasSuffix(f.Name, "-cert.pem") {
			key := p.secret("client_key")
			p.files[i].Body = joined(f.Body.Reveal(), key)
		}
	}
	if p.has("client_key_passphrase") {
		p.leaves("The passphrase of the client key is not in it. Give it to the tool, such as with --tlsCertificateKeyFilePassword.")
	}
	return name
}

// redisURI: https://www.iana.org/assignments/uri-schemes/prov/redis
func (p *plan) redisURI() address {
	a := address{scheme: "redis", at: p.urlHost(), userinfo: p.userinfo()}
	if p.secure() {
		a.scheme = "rediss"
	}
	if db := p.v("database"); db != "" {
		a.path = "/" + db
	}
	if p.secure() && (p.has("ca") || p.has("client_cert")) {
		p.leaves("The CA and client certificates are not in the address. Give them to the tool, such as with --cacert, --cert and --key.")
		_, _, _ = p.ca(), p.cert(), p.key()
	}
	return a
}

// amqpURI: https://www.rabbitmq.com/docs/uri-spec
func (p *plan) amqpURI() address {
	a := address{scheme: "amqp", at: p.urlHost(), userinfo: p.userinfo()}
	if p.is("rabbitmq") {
		a.path = p.uriPath("vhost")
	}
	if !p.secure() {
		return a
	}
	a.scheme = "amqps"
	if p.is("rabbitmq") {
		a.with("verify", "verify_peer")
		a.with("cacertfile", p.ca())
		a.with("certfile", p.cert())
		a.with("keyfile", p.key())
		if p.v("auth") == "certificate" {
			a.with("auth_mechanism", "external")
		}
	}
	return a
}

// mqttURI is as mosquitto_sub's -L and most clients take it.
func (p *plan) mqttURI() address {
	a := address{scheme: map[string]string{"tls": "mqtts", "tcp": "mqtt", "wss": "wss", "ws": "ws"}[p.v("transport")], at: p.urlHost(), userinfo: p.userinfo()}
	if p.asks("path") {
		a.path = p.q("path", percentPath)
		return a
	}
	if topics := p.list("topic"); len(topics) > 0 {
		a.path = "/" + p.say("topic", topics[0], percent)
	}
	return a
}

// ldapURI: RFC 4516; it has no place for a password.
func (p *plan) ldapURI() address {
	a := address{scheme: "ldap", at: p.urlHost()}
	if p.v("security") == "ldaps" {
		a.scheme = "ldaps"
	}
	if p.v("security") == "starttls" {
		p.leaves("The address does not say that StartTLS is needed. Give it to the tool, such as with -ZZ.")
	}
	if p.has("user") {
		p.leaves("User and password have no place in this kind of address.")
	}
	a.path = p.uriPath("base_dn")
	return a
}

func (p *plan) sftpURI() address {
	a := address{scheme: "sftp", at: p.urlHost(), userinfo: p.userinfo()}
	if p.has("key") {
		p.leaves("The private key has no place in an address.")
	}
	if f := p.v("folder"); f != "" {
		if !strings.HasPrefix(f, "/") {
			p.leaves("The folder is relative to the home folder, which programs write in different ways: here it is left out.")
		} else {
			a.path = p.q("folder", percentPath)
		}
	}
	return a
}

func (p *plan) ftpURI() address {
	a := address{scheme: "ftp", at: p.urlHost(), userinfo: p.userinfo()}
	switch p.v("tls") {
	case "implicit":
		a.scheme = "ftps"
	case "explicit":
		p.leaves("The address does not say that encryption is needed. Ask the tool for it: FTP over TLS, explicit.")
	}
	a.path = "/" + p.say("folder", p.folder(), percentPath)
	return a
}

func (p *plan) smbURI() address {
	a := address{scheme: "smb", at: p.urlHost(), userinfo: p.userinfo()}
	if p.has("domain") && a.userinfo != "" {
		a.userinfo = p.q("domain", percent) + ";" + a.userinfo
	}
	if a.path = p.uriPath("share"); a.path != "" && p.folder() != "" {
		a.path += "/" + p.say("folder", p.folder(), percentPath)
	}
	return a
}

// clickhouseURI: https://clickhouse.com/docs/integrations/go#connecting-to-clickhouse-1
func (p *plan) clickhouseURI() address {
	a := address{scheme: "http", at: p.urlHost(), path: p.uriPath("database"), userinfo: p.userinfo()}
	if p.secure() {
		a.scheme = "https"
		a.with("secure", "true")
	}
	return a
}

// natsURI: https://docs.nats.io/using-nats/developer/connecting
func (p *plan) natsURI() address {
	scheme := map[string]string{"tls": "tls", "tls_first": "tls", "tcp": "nats", "wss": "wss", "ws": "ws"}[p.v("transport")]
	a := address{scheme: scheme, userinfo: p.userinfo()}
	if p.wants("token") {
		a.userinfo = p.made("token", percent)
	}
	var all []string
	for _, s := range p.list("servers") {
		if _, rest, ok := strings.Cut(s, "://"); ok {
			s = rest
		}
		all = append(all, s)
	}
	lead := scheme + "://"
	if a.userinfo != "" {
		lead += a.userinfo + "@"
	}
	a.at = strings.Join(all, ","+lead)
	if p.wants("creds") || p.wants("seed") {
		p.leaves("The credentials file or NKey has no place in an address.")
	}
	return a
}

// sqlserverURI: https://github.com/microsoft/go-mssqldb#the-connection-string-can-be-specified-in-one-of-three-formats
func (p *plan) sqlserverURI() address {
	a := address{scheme: "sqlserver", at: p.urlHost(), userinfo: p.userinfo(), path: p.uriPath("instance")}
	a.with("database", p.v("database"))
	a.with("encrypt", map[string]string{"verify": "true", "strict": "strict", "optional": "false"}[p.v("tls")])
	a.with("certificate", p.ca())
	if auth := p.v("auth"); auth != "password" {
		p.leaves("The way to sign in is not in it: " + auth + ".")
	}
	return a
}

func (p *plan) oracleURI() address {
	a := address{scheme: "oracle", at: p.urlHost(), userinfo: p.userinfo(), path: p.uriPath("service")}
	if p.v("kind") == "sid" {
		a.path = "/"
		a.with("SID", p.v("sid"))
	}
	if p.secure() {
		a.with("SSL", "true")
		a.with("SSL%20VERIFY", "true")
	}
	return a
}

// sqlAlchemy: https://docs.sqlalchemy.org/en/20/core/engines.html
func (p *plan) sqlAlchemy() address {
	switch p.typ.ID {
	case "postgres":
		a := p.postgresURI()
		a.scheme, a.path = "postgresql+psycopg2", p.alchemyDatabase()
		return a
	case "mysql":
		return p.alchemyMySQL()
	case "oracle":
		a := address{scheme: "oracle+oracledb", at: p.urlHost(), userinfo: p.userinfo(), path: "/" + p.q("sid", percent)}
		a.with("service_name", p.v("service"))
		return a
	case "clickhouse":
		a := p.clickhouseURI()
		a.scheme, a.path = "clickhousedb", p.alchemyDatabase()
		return a
	}
	host := p.v("host")
	if p.v("instance") != "" {
		p.leaves("The named instance is not in it. Write HOST\\INSTANCE in a connection string instead.")
	}
	a := address{scheme: "mssql+pyodbc", at: net.JoinHostPort(host, orElse(p.port(), "1433")), userinfo: p.userinfo(), path: p.alchemyDatabase()}
	a.with("driver", "ODBC Driver 18 for SQL Server")
	a.with("Encrypt", map[string]string{"verify": "yes", "strict": "strict", "optional": "no"}[p.v("tls")])
	return a
}

// alchemyDatabase: SQLAlchemy undoes %XX in user and password, not here.
func (p *plan) alchemyDatabase() string { return "/" + p.q("database", without("?")) }

// alchemyMySQL: PyMySQL verifies only against a CA file that it is given.
func (p *plan) alchemyMySQL() address {
	p.rdsToken()
	_ = p.q("password", ascii)
	a := address{scheme: "mysql+pymysql", at: p.urlHost(), path: p.alchemyDatabase(), userinfo: p.userinfo()}
	a.with("charset", "utf8mb4")
	if !p.secure() {
		return a
	}
	if a.with("ssl_ca", p.ca()); !p.has("ca") {
		a.with("ssl_check_hostname", "true")
		p.leaves("PyMySQL checks the server's certificate only against a file: add ssl_ca with the path of your system's CA certificates.")
	}
	a.with("ssl_cert", p.cert())
	a.with("ssl_key", p.key())
	return a
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

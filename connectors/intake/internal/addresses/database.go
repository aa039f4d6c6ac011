package addresses

import (
	"strings"

	"jackfield/connectors/internal/answers"
)

// The answers of the form's choices.
const (
	verify   = "verify"
	off      = "off"
	tlsOn    = "tls"
	none     = "none"
	optional = "optional"
	strict   = "strict"
)

// A database is what addresses of databases have in common.
type database struct {
	host, port, user, password, name string
}

// fill answers the fields that PostgreSQL and MySQL have in common. Options
// stand in for what the address itself does not say.
func (d *draft) fill(a address, o *options) {
	db := database{a.host, a.port, a.user, a.password, a.name()}
	if v := o.take("host", "server", "servername"); v != "" && db.host == "" {
		db.host = v
	}
	if first, _, several := strings.Cut(db.host, ","); several {
		db.host, a.more = first, 1
	}
	if v := o.take("port", "portnumber"); v != "" && db.port == "" {
		db.port, _, _ = strings.Cut(v, ",")
	}
	db.user = or(o.take("user", "username", "user id", "uid"), db.user)
	db.password = or(o.take("password", "passwd", "pwd"), db.password)
	db.name = or(db.name, o.take("dbname", "database", "databasename", "db"))
	d.server(db.host)
	d.set("port", db.port)
	d.set("user", db.user)
	d.set("database", db.name)
	d.secret("password", db.password)
	d.remarks(a)
	d.first(a)
}

// server answers the host, unless it is a socket of the computer itself.
func (d *draft) server(host string) {
	switch {
	case strings.HasPrefix(host, "/"), strings.HasPrefix(host, "@"):
		d.r.Leave("Host", whySocket)
	default:
		d.set("host", host)
	}
}

func or(first, second string) string {
	if first != "" {
		return first
	}
	return second
}

// postgres understands libpq's URIs and those of its relatives
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS).
func (r *reader) postgres(a address) (outcome, bool) {
	return r.postgresWith(a, queryOptions(a.query, a.driver != ""), "address")
}

func (r *reader) postgresWith(a address, o *options, kind string) (outcome, bool) {
	d := r.draft("postgres")
	addr := o.take("hostaddr")
	if o.has("host") && a.hosts == "" { // libpq: a list of hosts, and one of ports
		a.host = ""
	}
	d.fill(a, o)
	if d.r.Settings.Plain["host"] == "" {
		d.set("host", strings.SplitN(addr, ",", 2)[0])
	} else if addr != "" {
		d.r.Leave("hostaddr", whyNoPlace)
	}
	if d.r.Settings.Plain["port"] == "" {
		d.set("port", map[string]string{"redshift": "5439", "cockroachdb": "26257", "cockroach": "26257", "yugabytedb": "5433"}[a.scheme])
	}
	d.libpqTLS(o)
	o.take("client_encoding", "charset", "dialect")
	d.rest(o)
	return r.made(kind, d)
}

// libpqTLS reads sslmode, which has six values where the form has two: those
// that can do without encryption stay at the form's default, said in a note.
func (d *draft) libpqTLS(o *options) {
	mode := folded(o.take("sslmode"))
	if ssl := o.take("ssl", "use ssl"); mode == "" {
		mode = folded(ssl)
		if said := truth(ssl); said != "" { // pgjdbc's
			mode = map[string]string{"true": "verifyfull"}[said]
		}
	}
	lax := strings.Contains(strings.ToLower(o.take("sslfactory")), "nonvalidating") || truth(o.take("trust server certificate")) == "true"
	switch mode {
	case "disable":
		d.set("tls", off)
		d.r.Note(noteOpen)
		o.take("sslrootcert", "sslcert", "sslkey", "sslpassword", "sslnegotiation")
		return
	case "allow", "prefer":
		d.r.Note(noteAlways)
	case "require":
		d.set("tls", verify)
		lax = lax || !o.has("sslrootcert")
	case "verifyca", "verifyfull":
		d.set("tls", verify)
	}
	if lax {
		d.r.Note(noteChecked)
	}
	d.files(o, "sslrootcert", "sslcert", "sslkey", "root certificate", "ssl certificate", "ssl key", "sslcrl", "sslcrldir", "passfile", "servicefile")
	d.secret("client_key_passphrase", o.take("sslpassword"))
}

// files leaves options that name a file. libpq's "system" is what is trusted
// here anyway.
func (d *draft) files(o *options, names ...string) {
	for _, name := range names {
		for i := range o.list {
			p := &o.list[i]
			if p.taken || folded(p.name) != folded(name) {
				continue
			}
			if p.taken = true; p.value != "" && p.value != "system" {
				d.r.Leave(p.shown(), whyFile)
			}
		}
	}
}

// mysql understands MySQL's and MariaDB's URLs, with the options of their
// drivers (https://dev.mysql.com/doc/refman/8.4/en/connecting-using-uri-or-key-value-pairs.html).
func (r *reader) mysql(a address) (outcome, bool) {
	return r.mysqlWith(a, queryOptions(a.query, a.driver != ""), "address")
}

func (r *reader) mysqlWith(a address, o *options, kind string) (outcome, bool) {
	d := r.draft("mysql")
	if a.scheme == "mysqlx" {
		a.port = ""
		d.r.Note(noteClassic)
	}
	if strings.HasPrefix(a.hosts, "(") { // a socket: mysql://user@(/tmp/mysql.sock)/database
		a.host, a.port = "/", ""
		_, a.path, _ = strings.Cut(a.path, ")")
	}
	if o.take("unix_socket", "socket") != "" {
		d.r.Leave("Socket", whySocket)
	}
	d.fill(a, o)
	d.mysqlTLS(o)
	o.take("charset", "character set", "characterencoding")
	d.rest(o)
	return r.made(kind, d)
}

func (d *draft) mysqlTLS(o *options) {
	mode := folded(or(o.take("ssl-mode", "sslmode"), o.take("tls")))
	enabled := truth(o.take("ssl", "usessl"))
	if truth(o.take("ssl_disabled")) == "true" {
		enabled = "false"
	}
	lax := truth(o.take("trustservercertificate")) == "true" || truth(o.take("ssl_verify_cert", "verifyservercertificate")) == "false"
	switch {
	case mode == "disabled" || mode == "disable" || mode == "none" || mode == "false" || mode == "" && enabled == "false":
		d.set("tls", off)
		d.r.Note(noteOpen)
		return
	case mode == "required" || mode == "require" || mode == "skipverify" || mode == "trust":
		d.set("tls", verify)
		d.r.Note(noteChecked)
	case mode == "preferred" || mode == "prefer":
		d.r.Note(noteAlways)
	case mode != "" || enabled == "true":
		d.set("tls", verify)
	}
	if lax {
		d.r.Note(noteChecked)
	}
	d.files(o, "ssl-ca", "sslca", "ssl_ca", "ssl-cert", "sslcert", "ssl-key", "sslkey", "serversslcert", "truststore", "keystore", "trustcertificatekeystoreurl", "clientcertificatekeystoreurl", "certificatefile")
}

// mongodb hands everything but the password to the form's own rules
// (https://www.mongodb.com/docs/manual/reference/connection-string/).
func (r *reader) mongodb(a address) (outcome, bool) {
	d := r.draft("mongodb")
	scheme := ""
	if a.scheme == "mongo" {
		scheme = "mongodb"
	}
	if strings.HasPrefix(strings.ToLower(a.hosts), "%2f") {
		d.r.Leave("Host", whySocket)
		return r.made("address", d)
	}
	d.split("host", a.clean(scheme))
	d.credentials(a)
	o := queryOptions(a.query, false)
	o.take("authSource", "replicaSet", "tls", "ssl", "directConnection")
	switch mechanism := o.take("authMechanism"); mechanism {
	case "SCRAM-SHA-1", "SCRAM-SHA-256":
		d.set("mechanism", mechanism)
	case "", "DEFAULT", "MONGODB-X509", "PLAIN":
	default:
		d.r.Leave("authMechanism", whyAuth)
	}
	if !a.signed && d.is("auth", "password") && a.scheme != "mongodb+srv" {
		d.set("auth", none)
	}
	if d.is("auth", none) || d.is("auth", "certificate") || d.is("auth", "ldap") {
		delete(d.r.Settings.Plain, "auth_source")
	}
	if truth(o.take("tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames")) == "true" {
		d.r.Note(noteChecked)
	}
	d.files(o, "tlsCAFile", "tlsCertificateKeyFile", "ssl_ca_certs")
	d.secret("client_key_passphrase", o.take("tlsCertificateKeyFilePassword"))
	d.rest(o)
	return r.made("address", d)
}

// redis understands the addresses that are registered for it, and those with the
// password among the options
// (https://www.iana.org/assignments/uri-schemes/prov/redis).
func (r *reader) redis(a address) (outcome, bool) {
	d := r.draft("redis")
	o := queryOptions(a.query, false)
	d.split("host", a.clean(""))
	d.first(a)
	d.set("database", o.take("db", "database"))
	a.user, a.password = or(a.user, o.take("user", "username")), or(a.password, o.take("password"))
	if truth(o.take("ssl")) == "true" {
		d.set("security", tlsOn)
	}
	if o.take("ssl_cert_reqs", "skip_verify") != "" {
		d.r.Note(noteChecked)
	}
	if a.user == "" && a.password == "" && a.scheme == "redis" {
		d.set("auth", none)
	}
	d.credentials(a)
	d.rest(o)
	return r.made("address", d)
}

// clickhouse understands its clients' addresses; the port of the native protocol
// is left out, because the connection goes over HTTP
// (https://clickhouse.com/docs/interfaces/cli#connection_string).
func (r *reader) clickhouse(a address) (outcome, bool) {
	d := r.draft("clickhouse")
	scheme := a.scheme
	switch {
	case a.driver == "https" || strings.HasSuffix(a.driver, "s") && a.driver != "connect":
		scheme = "clickhouses"
	case a.scheme == "clickhousedb":
		scheme = "clickhouse"
	}
	o := queryOptions(a.query, false)
	if truth(o.take("secure", "ssl")) == "true" || o.take("protocol") == "https" {
		scheme = "clickhouses"
	}
	d.clickhouse(a, o, scheme)
	return r.made("address", d)
}

func (d *draft) clickhouse(a address, o *options, scheme string) {
	all := a.hosts
	a.hosts, _, _ = strings.Cut(all, ",")
	d.split("host", a.clean(scheme))
	d.first(a)
	a.user = or(a.user, o.take("user", "username"))
	a.password = or(a.password, o.take("password"))
	d.credentials(a)
	o.take("database", "secure", "ssl", "protocol")
	if truth(o.take("skip_verify")) == "true" || o.take("sslmode") == "NONE" {
		d.r.Note(noteChecked)
	}
	d.rest(o)
}

// elasticURL is for schemes that some tools have in place of https.
func (r *reader) elasticURL(a address) (outcome, bool) {
	d := r.draft("elasticsearch")
	d.elastic(a, "https")
	return r.made("address", d)
}

func (d *draft) elastic(a address, scheme string) {
	if answers.ValidPort(a.port) != nil { // these schemes mean the server's own port
		a.hosts = a.host + ":9200"
	}
	d.split("host", a.clean(scheme))
	d.credentials(a)
	d.rest(queryOptions(a.query, false))
}

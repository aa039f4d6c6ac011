package addresses

import (
	"regexp"
	"strings"
)

const adoKind = "connection string"

// ado understands the strings of .NET's drivers and of OLE DB. The strings do not
// say which product they are for; their options do, and where they do not, the
// person chooses.
func (r *reader) ado(text string) (outcome, bool) {
	o, ok := adoPairs(text)
	if !ok || len(o.list) < 2 || !o.has("server", "data source", "datasource", "host", "addr", "address", "network address", "filename", "account") {
		return outcome{}, false
	}
	if provider := o.take("provider"); provider != "" {
		return r.oledb(strings.ToLower(provider), o)
	}
	for _, tell := range []func(*options) func() (outcome, bool){r.adoFile, r.adoOracle, r.adoOthers, r.adoPostgres, r.adoMicrosoft, r.adoMySQL} {
		if read := tell(o); read != nil {
			return read()
		}
	}
	if !o.has("database", "initial catalog", "user id", "uid", "user", "username", "password", "pwd") {
		return outcome{}, false
	}
	return r.adoEither(o)
}

// adoEither is for strings that SQL Server and MySQL write alike.
func (r *reader) adoEither(o *options) (outcome, bool) {
	other := &options{list: append([]option(nil), o.list...)}
	a, _ := r.sqlserverString(o, adoKind)
	b, _ := r.mysqlWith(address{}, other, adoKind)
	if len(a.readings) == 0 {
		return b, b.what != ""
	}
	a.readings = append(a.readings, b.readings...)
	if len(b.readings) > 0 {
		a.what = "a database's connection string"
	}
	return a, true
}

func (r *reader) oledb(provider string, o *options) (outcome, bool) {
	const kind = "OLE DB string"
	switch {
	case strings.HasPrefix(provider, "sqloledb"), strings.HasPrefix(provider, "msoledbsql"), strings.HasPrefix(provider, "sqlncli"):
		return r.sqlserverString(o, kind)
	case strings.HasPrefix(provider, "oraoledb"), strings.HasPrefix(provider, "msdaora"):
		return r.oracleString(o, kind)
	case strings.HasPrefix(provider, "microsoft.ace"), strings.HasPrefix(provider, "microsoft.jet"):
		return unknown("Microsoft Access", kind)
	case strings.HasPrefix(provider, "msolap"):
		return unknown("SQL Server Analysis Services", kind)
	case strings.HasPrefix(provider, "db2"), strings.HasPrefix(provider, "ibmda"):
		return unknown("IBM Db2", kind)
	}
	return unknown("OLE DB provider", kind)
}

var fileShape = regexp.MustCompile(`(?i)\.(db|db3|sqlite|sqlite3|s3db|sl3)$`)

// adoFile: https://learn.microsoft.com/dotnet/standard/data/sqlite/connection-strings
func (r *reader) adoFile(o *options) func() (outcome, bool) {
	file := o.take("data source", "datasource", "filename")
	if !fileShape.MatchString(file) && (!o.has("version") || !o.has("data source")) {
		o.release()
		return nil
	}
	return func() (outcome, bool) { return r.sqliteString(file, o, adoKind) }
}

// adoOracle: https://docs.oracle.com/en/database/oracle/oracle-database/23/odpnt/ConnectionConnectionString.html
func (r *reader) adoOracle(o *options) func() (outcome, bool) {
	source := o.take("data source")
	o.release()
	named := o.has("dba privilege", "statement cache size", "incr pool size", "decr pool size", "tns_admin", "validate connection")
	if strings.Contains(strings.ToUpper(source), "(DESCRIPTION") || named || easyShape.MatchString(source) {
		return func() (outcome, bool) { return r.oracleString(o, adoKind) }
	}
	return nil
}

// adoOthers are RabbitMQ (EasyNetQ), ClickHouse and Snowflake.
func (r *reader) adoOthers(o *options) func() (outcome, bool) {
	port, protocol := o.take("port"), o.take("protocol")
	o.release()
	switch {
	case o.has("virtualhost"):
		return func() (outcome, bool) { return r.rabbitString(o) }
	case o.has("account") && o.has("user") && !o.has("server"):
		return func() (outcome, bool) { return unknown("Snowflake", adoKind) }
	case strings.HasPrefix(protocol, "http") || port == "8123" || port == "8443" || port == "9000" && o.has("host"):
		return func() (outcome, bool) { return r.clickhouseString(o, adoKind) }
	}
	return nil
}

// adoPostgres: https://www.npgsql.org/doc/connection-string-parameters.html
func (r *reader) adoPostgres(o *options) func() (outcome, bool) {
	port := o.take("port")
	o.release()
	mysql := o.has("uid", "allowuservariables", "convert zero datetime", "treattinyasboolean", "allowpublickeyretrieval") || port == "3306"
	if port == "5432" || !mysql && o.has("host") && (o.has("username") || o.has("search path") || port != "3306" && port != "") || o.has("include error detail", "server compatibility mode", "searchpath") {
		return func() (outcome, bool) { return r.postgresWith(address{}, o, adoKind) }
	}
	return nil
}

func (r *reader) adoMicrosoft(o *options) func() (outcome, bool) {
	server := strings.ToLower(o.take("server", "data source", "addr", "address", "network address"))
	o.release()
	if o.has("initial catalog", "integrated security", "trusted_connection", "multipleactiveresultsets", "encrypt", "trustservercertificate", "attachdbfilename", "authentication", "multisubnetfailover", "applicationintent", "workstation id", "network library", "column encryption setting") && !o.has("sslmode", "port") ||
		strings.ContainsAny(server, `\,`) && !o.has("port") || strings.HasPrefix(server, "tcp:") || strings.HasPrefix(server, "(local") || server == "." || strings.Contains(server, ".database.windows.net") {
		return func() (outcome, bool) { return r.sqlserverString(o, adoKind) }
	}
	return nil
}

// adoMySQL: https://dev.mysql.com/doc/connector-net/en/connector-net-8-0-connection-options.html
func (r *reader) adoMySQL(o *options) func() (outcome, bool) {
	if o.has("port", "sslmode", "allowuservariables", "allowpublickeyretrieval", "charset", "characterset", "convert zero datetime", "treattinyasboolean", "default command timeout", "old guids", "guidformat", "allow user variables", "connectionprotocol", "host") {
		return func() (outcome, bool) { return r.mysqlWith(address{}, o, adoKind) }
	}
	return nil
}

// rabbitString: https://github.com/EasyNetQ/EasyNetQ/wiki/Connecting-to-RabbitMQ
func (r *reader) rabbitString(o *options) (outcome, bool) {
	d := r.draft("rabbitmq")
	first, _, several := strings.Cut(o.take("host"), ",")
	if several {
		d.first(address{more: 1})
	}
	host, port := hostPort(first)
	d.set("host", host)
	d.set("port", or(port, o.take("port")))
	d.set("vhost", o.take("virtualhost"))
	d.set("user", o.take("username", "user"))
	d.secret("password", o.take("password"))
	if truth(o.take("ssl")) != "true" {
		d.set("security", none)
	}
	d.rest(o)
	return r.made(adoKind, d)
}

// release puts back what was only looked at.
func (o *options) release() {
	for i := range o.list {
		o.list[i].taken = false
	}
}

// keywords understands libpq's keyword/value strings. Other tools write pairs
// too, so a keyword of libpq's that names a place or an account has to be there.
func (r *reader) keywords(text string) (outcome, bool) {
	o, ok := libpqPairs(text)
	if !ok || len(o.list) < 2 || !o.has("host", "hostaddr", "service", "dbname") || !o.has("dbname", "user", "password", "port", "hostaddr", "sslmode", "host") {
		return outcome{}, false
	}
	for _, p := range o.list {
		if !libpqWord.MatchString(p.name) || p.name == "host" && strings.HasSuffix(p.value, ";") { // ADO.NET's, with blanks
			return outcome{}, false
		}
	}
	if o.take("service") != "" {
		return r.withService(o)
	}
	return r.postgresWith(address{}, o, "connection string")
}

func (r *reader) withService(o *options) (outcome, bool) {
	out, ok := r.postgresWith(address{}, o, "connection string")
	for i := range out.readings {
		out.readings[i].Leave("service", whyOther)
	}
	return out, ok
}

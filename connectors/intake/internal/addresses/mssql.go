package addresses

import (
	"strings"
)

// mssql understands the URLs that are in use for SQL Server: SQLAlchemy's, with
// an ODBC string in odbc_connect, and go-mssqldb's, with the instance as path
// (https://github.com/microsoft/go-mssqldb#the-connection-string-can-be-specified-in-one-of-three-formats).
func (r *reader) mssql(a address) (outcome, bool) {
	o := queryOptions(a.query, a.driver != "")
	if inner := o.take("odbc_connect"); inner != "" {
		return r.odbc(inner)
	}
	if rest, props, ok := strings.Cut(a.hosts+a.path, ";"); ok { // JDBC's manner without jdbc:
		return r.sqlserverJDBC("//" + rest + ";" + props)
	}
	if a.hosts == "" && a.driver == "pyodbc" && !o.has("server", "host") {
		return outcome{}, false
	}
	if a.driver == "pyodbc" && a.path == "" && a.port == "" && !o.has("driver") {
		return outcome{what: "an SQLAlchemy address", left: left("DSN", whyOther)}, true
	}
	name, instance := a.name(), ""
	if a.scheme == "sqlserver" && a.driver == "" && o.has("database") {
		instance, name = name, ""
	}
	host, inst, _ := strings.Cut(a.host, `\`)
	if inst != "" {
		instance = inst
	}
	d := r.draft("sqlserver")
	d.set("host", host)
	d.set("port", a.port)
	d.set("instance", instance)
	d.set("database", name)
	d.remarks(a)
	d.sqlserver(o, a.user, a.password)
	return r.made("address", d)
}

// sqlserver answers the sign-in, encryption and place from the options of
// Microsoft's drivers, whose names differ little:
// https://learn.microsoft.com/dotnet/api/microsoft.data.sqlclient.sqlconnection.connectionstring
// https://learn.microsoft.com/sql/connect/jdbc/setting-the-connection-properties
// https://learn.microsoft.com/sql/connect/odbc/dsn-connection-string-attribute
func (d *draft) sqlserver(o *options, user, password string) {
	if v := o.take("server", "data source", "addr", "address", "network address", "servername"); v != "" && d.r.Settings.Plain["host"] == "" {
		d.sqlserverHost(v)
	}
	d.set("port", or(o.take("portnumber", "port"), d.r.Settings.Plain["port"]))
	d.set("instance", or(o.take("instancename", "instance"), d.r.Settings.Plain["instance"]))
	d.set("database", or(o.take("database", "initial catalog", "databasename"), d.r.Settings.Plain["database"]))
	user = or(o.take("user id", "uid", "user", "username"), user)
	password = or(o.take("password", "pwd"), password)
	if domain := o.take("domain"); domain != "" && user != "" && !strings.Contains(user, `\`) {
		user = domain + `\` + user
		d.set("auth", "ntlm")
	}
	d.set("user", user)
	d.secret("password", password)
	d.windows(o, user)
	d.entra(o)
	d.set("realm", o.take("realm"))
	d.set("spn", o.take("serverspn", "server spn"))
	d.sqlserverTLS(o)
	o.take("driver", "provider", "applicationname")
	d.rest(o)
}

// sqlserverHost takes tcp:HOST\INSTANCE,PORT. What stands for the computer itself
// is written out; a LocalDB and a named pipe are not on the network.
func (d *draft) sqlserverHost(v string) {
	v = strings.TrimSpace(v)
	lower := strings.ToLower(v)
	switch {
	case strings.HasPrefix(lower, "(localdb)"), strings.HasPrefix(lower, "np:"), strings.HasPrefix(v, `\\`), strings.HasPrefix(lower, "lpc:"):
		d.r.Leave("Server", whySocket)
		return
	}
	v = strings.TrimPrefix(strings.TrimPrefix(v, "tcp:"), "TCP:")
	for _, here := range []string{"(local)", "."} {
		if rest, ok := strings.CutPrefix(v, here); ok && (rest == "" || rest[0] == '\\' || rest[0] == ',') {
			v = "localhost" + rest
		}
	}
	if !d.split("host", v) {
		d.set("host", v)
	}
}

func (d *draft) windows(o *options, user string) {
	scheme := folded(o.take("authenticationscheme"))
	windows := truth(o.take("integrated security", "trusted_connection", "integratedsecurity")) == "true"
	switch {
	case scheme == "javakerberos" || scheme == "nativeauthentication" && windows:
		d.set("auth", "kerberos")
	case scheme == "ntlm" || windows:
		d.set("auth", "ntlm")
	default:
		return
	}
	if user == "" {
		d.r.Note(noteWindows)
	}
}

func (d *draft) entra(o *options) {
	token := o.take("accesstoken", "access token")
	how := folded(o.take("authentication"))
	if token != "" || strings.HasPrefix(how, "activedirectory") {
		d.set("auth", "token")
		d.secret("access_token", token)
		if token == "" {
			d.r.Note(noteEntra)
		}
	}
}

func (d *draft) sqlserverTLS(o *options) {
	switch folded(o.take("encrypt", "use encryption for data", "ssl")) {
	case "strict":
		d.set("tls", strict)
	case "false", "no", "optional", "disable", "off":
		if d.is("auth", "password") || d.is("auth", "kerberos") { // the others are refused without encryption
			d.set("tls", optional)
		}
		d.r.Note(noteOpen)
	case "true", "yes", "mandatory", "require", "authenticate":
		d.set("tls", verify)
	case "request":
		d.r.Note(noteAlways)
	}
	if truth(o.take("trustservercertificate", "trust server certificate")) == "true" && d.is("tls", verify) {
		d.r.Note(noteChecked)
	}
	d.set("tls_name", o.take("hostnameincertificate", "host name in certificate"))
	d.files(o, "servercertificate", "server certificate", "truststore", "certificate")
}

package use

import (
	"net/url"
	"strings"

	"jackfield/connectors"
)

// joined is two PEM texts in one.
func joined(a, b string) connectors.Secret {
	return connectors.NewSecret(strings.TrimRight(a, "\n") + "\n" + strings.TrimRight(b, "\n") + "\n")
}

// pairs writes name=value parts.
type pairs struct {
	b        strings.Builder
	sep, end string
}

func (w *pairs) add(name, value string) {
	if w.b.Len() > 0 {
		w.b.WriteString(w.sep)
	}
	w.b.WriteString(name + "=" + value)
}

// put adds the answer to key where there is one.
func (w *pairs) put(p *plan, name, key string, in quote) {
	if p.any(key) != "" {
		w.add(name, p.q(key, in))
	}
}

func (w *pairs) String() string { return w.b.String() + w.end }

func sqlPassword(ids ...string) func(*plan) bool {
	return func(p *plan) bool { return p.is(ids...) && p.v("auth") != "kerberos" && p.v("auth") != "token" }
}

func connectionStrings() []writer {
	return []writer{
		{Format: Format{ID: "libpq", Name: "PostgreSQL keywords (DSN)", For: "psql and programs with PostgreSQL's client library", Syntax: "text", Clear: true, Group: GroupAddresses},
			can: "client ca", fits: only("postgres"), write: (*plan).libpq},
		{Format: Format{ID: "go-mysql", Name: "Go MySQL DSN", For: "Go programs with go-sql-driver/mysql", Syntax: "text", Clear: true, Group: GroupAddresses},
			fits: only("mysql"), write: (*plan).goMySQL},
		{Format: Format{ID: "jdbc", Name: "JDBC address and properties", For: "Java programs; user and password are properties", File: "jdbc.properties", Mode: 0o600, Syntax: "properties", Clear: true, Group: GroupAddresses},
			can: "ca", fits: sqlPassword("postgres", "mysql", "sqlserver", "oracle", "clickhouse"), write: (*plan).jdbc},
		{Format: Format{ID: "odbc", Name: "ODBC string", For: "Excel, Power BI, isql and other programs with ODBC", Syntax: "text", Clear: true, Group: GroupAddresses},
			can: "ca", fits: sqlPassword("postgres", "mysql", "sqlserver"), write: (*plan).odbc},
		{Format: Format{ID: "adonet", Name: "ADO.NET string", For: ".NET programs: Npgsql, MySqlConnector, SqlClient", Syntax: "text", Clear: true, Group: GroupAddresses},
			can: "client ca", fits: sqlPassword("postgres", "mysql", "sqlserver"), write: (*plan).ado},
	}
}

func (p *plan) libpq() string {
	p.rdsToken()
	w := pairs{sep: " ", end: "\n"}
	for _, x := range [][2]string{{"host", "host"}, {"port", "port"}, {"dbname", "database"}, {"user", "user"}, {"password", "password"}} {
		w.put(p, x[0], x[1], keyword)
	}
	for _, x := range p.sslParts() {
		value, _ := keyword(x[1])
		w.add(x[0], value)
	}
	return w.String()
}

// goMySQL: https://github.com/go-sql-driver/mysql#dsn-data-source-name. The last
// slash ends the server and the last @ before it the sign-in, so that the
// password may have both.
func (p *plan) goMySQL() string {
	p.rdsToken()
	out := p.q("user", goMySQLUser)
	if p.wants("password") {
		out += ":" + p.q("password", verbatim)
	}
	out += "@tcp(" + p.at() + ")/" + url.PathEscape(p.v("database"))
	tls := "false"
	if p.secure() {
		tls = "true"
		if p.has("ca") || p.has("client_cert") {
			p.leaves("The CA and client certificates have to be registered in the program, with mysql.RegisterTLSConfig.")
		}
	}
	return out + "?parseTime=true&tls=" + tls + "\n"
}

func (p *plan) jdbc() string {
	p.rdsToken()
	w := pairs{sep: "\n", end: "\n"}
	value, err := properties(p.jdbcURL())
	if err != nil {
		p.refuse("host", err.Error())
	}
	w.add("url", value)
	w.put(p, "user", "user", properties)
	if p.is("postgres") {
		_ = p.q("password", noControls)
	}
	w.put(p, "password", "password", properties)
	if p.is("sqlserver") && p.v("auth") == "ntlm" {
		w.add("integratedSecurity", "true")
		w.add("authenticationScheme", "NTLM")
	}
	return w.String()
}

func (p *plan) jdbcURL() string {
	switch p.typ.ID {
	case "postgres":
		return p.jdbcPostgres()
	case "mysql":
		a := address{scheme: "jdbc:mysql", at: p.at(), path: orElse(p.uriPath("database"), "/")}
		if p.secure() {
			a.with("sslMode", "VERIFY_IDENTITY")
			if p.has("ca") {
				a.with("trustCertificateKeyStoreUrl", "file:"+p.ca())
				a.with("trustCertificateKeyStoreType", "PEM")
				p.leaves("MySQL's driver takes a PKCS #12 file of CA certificates before version 9; MariaDB's takes the PEM file as serverSslCert.")
			}
		} else {
			a.with("sslMode", "DISABLED")
		}
		return a.String()
	case "oracle":
		if p.v("kind") == "sid" {
			return "jdbc:oracle:thin:@" + p.at() + ":" + p.v("sid")
		}
		scheme := "tcp"
		if p.secure() {
			scheme = "tcps"
		}
		return "jdbc:oracle:thin:@" + scheme + "://" + p.at() + "/" + p.v("service")
	case "clickhouse":
		scheme := "http"
		if p.secure() {
			scheme = "https"
		}
		return "jdbc:clickhouse:" + scheme + "://" + p.at() + orElse(p.uriPath("database"), "/")
	}
	return p.jdbcSQLServer()
}

// jdbcPostgres: https://jdbc.postgresql.org/documentation/use/. Its default
// factory reads the system's CA certificates from a file only; Java's own is asked
// for where none is given.
func (p *plan) jdbcPostgres() string {
	a := address{scheme: "jdbc:postgresql", at: p.at(), path: orElse(p.uriPath("database"), "/")}
	if !p.secure() {
		a.with("sslmode", "disable")
		return a.String()
	}
	a.with("sslmode", "verify-full")
	if a.with("sslrootcert", p.ca()); !p.has("ca") {
		a.with("sslfactory", "org.postgresql.ssl.DefaultJavaSSLFactory")
	}
	return a.String()
}

func (p *plan) jdbcSQLServer() string {
	out := "jdbc:sqlserver://" + p.v("host")
	if i := p.v("instance"); i != "" {
		out += `\` + i
	}
	if port := p.port(); port != "" {
		out += ":" + port
	}
	if p.v("database") != "" {
		out += ";databaseName=" + p.q("database", braces)
	}
	return out + ";encrypt=" + map[string]string{"verify": "true", "strict": "strict", "optional": "false"}[p.v("tls")] + ";trustServerCertificate=false"
}

// odbc: the names are psqlodbc's, MySQL Connector/ODBC's and Microsoft's.
func (p *plan) odbc() string {
	p.rdsToken()
	w := pairs{sep: ";", end: ";\n"}
	for _, x := range p.odbcParts() {
		w.add(x.name, x.in(p))
	}
	return w.String()
}

type odbcPart struct {
	name string
	key  string // whose answer it is; "" for fixed
	text string
}

func (x odbcPart) in(p *plan) string {
	if p.is("postgres") && x.key != "" && x.key != "password" {
		return p.q(x.key, without(";{}")) // psqlodbc takes braces off the password alone
	}
	if x.key != "" {
		return p.q(x.key, odbcValue)
	}
	out, _ := odbcValue(x.text)
	return out
}

func (p *plan) odbcParts() []odbcPart {
	out := p.odbcServer()
	for _, x := range []odbcPart{{name: "Database", key: "database"}, {name: "UID", key: "user"}, {name: "PWD", key: "password"}} {
		if p.any(x.key) != "" {
			out = append(out, x)
		}
	}
	return append(out, p.odbcTLS()...)
}

func (p *plan) odbcServer() []odbcPart {
	drivers := map[string]string{"postgres": "PostgreSQL Unicode", "mysql": "MySQL ODBC 9.1 Unicode Driver", "sqlserver": "ODBC Driver 18 for SQL Server"}
	out := []odbcPart{{name: "Driver", text: drivers[p.typ.ID]}}
	if p.is("sqlserver") {
		return append(out, odbcPart{name: "Server", text: p.sqlServer()})
	}
	return append(out, odbcPart{name: "Server", key: "host"}, odbcPart{name: "Port", key: "port"})
}

// sqlServer is host\instance or host,port, as Microsoft's tools write it.
func (p *plan) sqlServer() string {
	out := p.v("host")
	if i := p.v("instance"); i != "" {
		out += `\` + i
	}
	if port := p.port(); port != "" {
		out += "," + port
	}
	return "tcp:" + out
}

func (p *plan) odbcTLS() []odbcPart {
	switch p.typ.ID {
	case "sqlserver":
		return []odbcPart{{name: "Encrypt", text: map[string]string{"verify": "yes", "strict": "strict", "optional": "no"}[p.v("tls")]}, {name: "TrustServerCertificate", text: "no"}}
	case "mysql":
		if !p.secure() {
			return []odbcPart{{name: "SSLMODE", text: "DISABLED"}}
		}
		out := []odbcPart{{name: "SSLMODE", text: "VERIFY_IDENTITY"}}
		if ca := p.ca(); ca != "" {
			out = append(out, odbcPart{name: "SSLCA", text: ca})
		}
		return out
	}
	if !p.secure() {
		return []odbcPart{{name: "SSLmode", text: "disable"}}
	}
	if ca := p.ca(); ca != "" {
		p.leaves("psqlodbc looks for the CA certificate in ~/.postgresql/root.crt or where PGSSLROOTCERT says: set it to " + ca + ".")
	}
	return []odbcPart{{name: "SSLmode", text: "verify-full"}}
}

// ado: https://www.npgsql.org/doc/connection-string-parameters.html,
// https://mysqlconnector.net/connection-options/ and
// https://learn.microsoft.com/en-us/dotnet/api/microsoft.data.sqlclient.sqlconnection.connectionstring
func (p *plan) ado() string {
	p.rdsToken()
	w := pairs{sep: ";", end: ";\n"}
	text := func(name, v string) {
		if v != "" {
			out, _ := adoNet(v)
			w.add(name, out)
		}
	}
	names := map[string][]string{"postgres": {"Host", "Username", "SSL Mode", "Root Certificate"}, "mysql": {"Server", "User ID", "SslMode", "CACertificateFile"}, "sqlserver": {"Server", "User ID", "Encrypt", ""}}[p.typ.ID]
	if p.is("sqlserver") {
		text(names[0], p.sqlServer())
	} else {
		w.put(p, names[0], "host", adoNet)
		w.put(p, "Port", "port", adoNet)
	}
	w.put(p, "Database", "database", adoNet)
	w.put(p, names[1], "user", adoNet)
	w.put(p, "Password", "password", adoNet)
	switch {
	case p.is("sqlserver"):
		text("Encrypt", map[string]string{"verify": "Mandatory", "strict": "Strict", "optional": "Optional"}[p.v("tls")])
		text("TrustServerCertificate", "False")
		if p.has("ca") {
			p.leaves("The CA certificate has to be in the system's store.")
		}
	case !p.secure():
		text(names[2], map[string]string{"postgres": "Disable", "mysql": "None"}[p.typ.ID])
	default:
		text(names[2], "VerifyFull")
		text(names[3], p.ca())
	}
	if p.has("client_cert") {
		p.leaves("The client certificate is not in it.")
	}
	return w.String()
}

package addresses

import (
	"regexp"
	"strings"
)

// pairs understands strings of name=value; with semicolons in between: Azure's,
// ODBC's and ADO.NET's.
func (r *reader) pairs(text string) (outcome, bool) {
	if !strings.Contains(text, "=") || pairStart.FindString(text) == "" {
		return outcome{}, false
	}
	for _, form := range []func(string) (outcome, bool){r.azure, r.odbcString, r.ado} {
		if out, ok := form(text); ok {
			return out, true
		}
	}
	return outcome{}, false
}

var pairStart = regexp.MustCompile(`^[A-Za-z][A-Za-z _.-]*=`)

// azure understands the connection strings of Azure's services
// (https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string,
// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas).
func (r *reader) azure(text string) (outcome, bool) {
	o, ok := adoPairs(text)
	if !ok {
		return outcome{}, false
	}
	endpoint := strings.ToLower(o.take("Endpoint", "HostName", "AccountEndpoint"))
	switch {
	case strings.HasPrefix(endpoint, "sb://"):
		d := r.draft("azure_service_bus")
		d.split("namespace", text)
		o.take("SharedAccessKeyName", "SharedAccessKey", "SharedAccessSignature", "EntityPath", "UseDevelopmentEmulator", "TransportType")
		d.rest(o)
		return r.made("connection string", d)
	case o.has("AccountName", "BlobEndpoint", "UseDevelopmentStorage", "SharedAccessSignature"):
		return r.azureBlob(text, o)
	}
	for mark, name := range map[string]string{".azure-devices.net": "Azure IoT Hub", ".azconfig.io": "Azure App Configuration", ".documents.azure.com": "Azure Cosmos DB", ".communication.azure.com": "Azure Communication Services", ".service.signalr.net": "Azure SignalR Service", ".webpubsub.azure.com": "Azure Web PubSub"} {
		if strings.Contains(endpoint, mark) {
			return unknown(name, "connection string")
		}
	}
	if o.has("InstrumentationKey") {
		return unknown("Application Insights", "connection string")
	}
	return outcome{}, false
}

func (r *reader) azureBlob(text string, o *options) (outcome, bool) {
	d := r.draft("azure_blob")
	if !d.split("account", text) {
		d.set("account", o.take("AccountName"))
		d.secret("account_key", o.take("AccountKey"))
		if sas := o.take("SharedAccessSignature"); sas != "" {
			d.set("auth", "sas")
			d.secret("sas", sas)
		}
		d.set("endpoint", o.take("BlobEndpoint"))
	}
	if suffix := o.take("EndpointSuffix"); suffix != "" && o.take("BlobEndpoint") == "" && truth(o.take("UseDevelopmentStorage")) != "true" && !strings.EqualFold(o.take("DefaultEndpointsProtocol"), "http") {
		delete(d.r.Settings.Plain, "endpoint")
		d.set("endpoint_suffix", suffix)
	}
	o.take("AccountName", "AccountKey", "SharedAccessSignature", "BlobEndpoint", "DefaultEndpointsProtocol", "UseDevelopmentStorage")
	d.rest(o)
	return r.made("connection string", d)
}

// odbcString tells ODBC's strings from others: they name a driver or a DSN.
func (r *reader) odbcString(text string) (outcome, bool) {
	o, ok := bracedPairs(text)
	if !ok || !o.has("driver", "dsn", "filedsn") || o.has("provider") {
		return outcome{}, false
	}
	return r.odbc(text)
}

func (r *reader) odbc(text string) (outcome, bool) {
	o, ok := bracedPairs(text)
	if !ok {
		return outcome{}, false
	}
	driver := strings.ToLower(o.take("driver"))
	dsn := o.take("dsn", "filedsn")
	if driver == "" && (dsn == "" || !o.has("server", "servername", "host")) {
		return outcome{what: "an ODBC string", left: left("DSN", whyOther)}, true
	}
	const kind = "ODBC string"
	for _, known := range []struct {
		mark string
		read func() (outcome, bool)
	}{
		{"postgres", func() (outcome, bool) { return r.psqlodbc(text, o, address{scheme: "postgres"}) }},
		{"redshift", func() (outcome, bool) { return r.psqlodbc(text, o, address{scheme: "redshift"}) }},
		{"mysql", func() (outcome, bool) { return r.mysqlWith(address{}, o, kind) }},
		{"mariadb", func() (outcome, bool) { return r.mysqlWith(address{}, o, kind) }},
		{"oracle", func() (outcome, bool) { return r.oracleString(o, kind) }},
		{"sqlite", func() (outcome, bool) { return r.sqliteString(o.take("database"), o, kind) }},
		{"clickhouse", func() (outcome, bool) { return r.clickhouseString(o, kind) }},
		{"sql server", func() (outcome, bool) { return r.sqlserverString(o, kind) }},
		{"sql native client", func() (outcome, bool) { return r.sqlserverString(o, kind) }},
		{"freetds", func() (outcome, bool) { return r.sqlserverString(o, kind) }},
		{"tdsodbc", func() (outcome, bool) { return r.sqlserverString(o, kind) }},
		{"msodbcsql", func() (outcome, bool) { return r.sqlserverString(o, kind) }},
		{"psqlodbc", func() (outcome, bool) { return r.psqlodbc(text, o, address{scheme: "postgres"}) }},
		{"myodbc", func() (outcome, bool) { return r.mysqlWith(address{}, o, kind) }},
		{"maodbc", func() (outcome, bool) { return r.mysqlWith(address{}, o, kind) }},
	} {
		if strings.Contains(driver, known.mark) {
			return known.read()
		}
	}
	return foreignDriver(driver, kind)
}

// foreignDriver names what a driver without a connection type is for.
func foreignDriver(driver, kind string) (outcome, bool) {
	for _, name := range []string{"Snowflake", "Db2", "Access", "Excel", "Hive", "Impala", "Teradata", "Databricks", "Spark", "Athena", "BigQuery", "Vertica", "SAP HANA", "HDBODBC", "Firebird", "Informix", "Netezza", "MongoDB", "Presto", "Trino", "Salesforce", "Exasol", "iSeries", "Sybase", "Adaptive Server"} {
		if strings.Contains(driver, strings.ToLower(name)) {
			return unknown(name, kind)
		}
	}
	return outcome{what: "an ODBC string", left: left("Driver", whyNoType)}, true
}

// psqlodbc decodes values that are not in braces as URLs are, a plus being a
// space (decode in dlg_specific.c of https://github.com/postgresql-interfaces/psqlodbc).
func (r *reader) psqlodbc(text string, o *options, a address) (outcome, bool) {
	for i := range o.list {
		p := &o.list[i]
		if n := folded(p.name); (n == "pwd" || n == "password") && !inBraces(text, p.name) {
			p.value = decoded(p.value, true)
		}
	}
	o.take("fetch", "useDeclareFetch")
	return r.postgresWith(a, o, "ODBC string")
}

func inBraces(text, name string) bool {
	i := strings.Index(text, name+"=")
	return i >= 0 && strings.HasPrefix(strings.TrimLeft(text[i+len(name)+1:], " \t"), "{")
}

func (r *reader) sqlserverString(o *options, kind string) (outcome, bool) {
	d := r.draft("sqlserver")
	d.sqlserver(o, "", "")
	return r.made(kind, d)
}

func (r *reader) oracleString(o *options, kind string) (outcome, bool) {
	d := r.draft("oracle")
	target := o.take("data source", "dbq", "server")
	d.set("user", o.take("user id", "uid", "user"))
	d.secret("password", o.take("password", "pwd"))
	switch {
	case d.oracleTarget(target):
	case nameShape.MatchString(target): // an alias of tnsnames.ora
		d.r.Leave("Data Source", whyOther)
	default:
		d.set("host", or(o.take("host"), target))
		d.set("port", o.take("port"))
		d.oracleName(o.take("servicename", "service name"), o.take("sid"))
	}
	o.take("driver", "provider")
	d.rest(o)
	return r.made(kind, d)
}

func (r *reader) sqliteString(file string, o *options, kind string) (outcome, bool) {
	d := r.draft("sqlite")
	d.set("file", file)
	if o.take("password") != "" {
		d.r.Leave("Password", whyNoPlace)
	}
	o.take("version", "driver")
	d.rest(o)
	return r.made(kind, d)
}

func (r *reader) clickhouseString(o *options, kind string) (outcome, bool) {
	d := r.draft("clickhouse")
	d.set("host", o.take("host", "server"))
	port := o.take("port")
	tls := truth(o.take("ssl", "secure")) == "true" || o.take("protocol") == "https" || o.take("sslmode") == "require" || port == "8443"
	d.set("security", map[bool]string{true: tlsOn, false: none}[tls])
	if port != "9000" && port != "9440" { // the native protocol's
		d.set("port", port)
	}
	d.set("database", o.take("database"))
	d.set("user", o.take("username", "user", "uid"))
	d.secret("password", o.take("password", "pwd"))
	o.take("driver")
	d.rest(o)
	return r.made(kind, d)
}

package addresses

import (
	"regexp"
	"strings"
)

const jdbcKind = "JDBC address"

// wrappers are drivers that stand before another's address.
var wrappers = regexp.MustCompile(`^(?i)(aws-wrapper|p6spy|otel|tracing|log4jdbc|tc|pool|secretsmanager|jdbc-secretsmanager)$`)

// jdbc understands JDBC's addresses, each by its driver's rules.
func (r *reader) jdbc(text string) (outcome, bool) {
	low := strings.ToLower(text)
	if strings.HasPrefix(low, "jdbc-secretsmanager:") {
		text, low = "jdbc"+text[len("jdbc-secretsmanager"):], "jdbc"+low[len("jdbc-secretsmanager"):]
	}
	if !strings.HasPrefix(low, "jdbc:") {
		return outcome{}, false
	}
	sub, rest, _ := strings.Cut(text[5:], ":")
	for range 2 {
		if wrappers.MatchString(sub) {
			sub, rest, _ = strings.Cut(rest, ":")
		}
	}
	if read := r.driver(strings.ToLower(sub)); read != nil {
		return read(rest)
	}
	if out, ok := foreign(sub); ok {
		out.what = strings.Replace(out.what, " address", " "+jdbcKind, 1)
		return out, ok
	}
	return outcome{}, false
}

func (r *reader) driver(sub string) func(string) (outcome, bool) {
	return map[string]func(string) (outcome, bool){
		"postgresql":  func(rest string) (outcome, bool) { return r.postgresJDBC(rest, "postgresql") },
		"pgsql":       func(rest string) (outcome, bool) { return r.postgresJDBC(rest, "postgresql") },
		"redshift":    func(rest string) (outcome, bool) { return r.postgresJDBC(rest, "redshift") },
		"yugabytedb":  func(rest string) (outcome, bool) { return r.postgresJDBC(rest, "yugabytedb") },
		"cockroachdb": func(rest string) (outcome, bool) { return r.postgresJDBC(rest, "cockroachdb") },
		"mysql":       r.mysqlJDBC,
		"mariadb":     r.mysqlJDBC,
		"sqlserver":   r.sqlserverJDBC,
		"jtds":        r.jtds,
		"oracle":      r.oracleJDBC,
		"clickhouse":  r.clickhouseJDBC,
		"ch":          r.clickhouseJDBC,
		"sqlite":      r.sqliteJDBC,
		"mongodb":     func(rest string) (outcome, bool) { return r.url("mongodb:" + rest) },
	}[sub]
}

// postgresJDBC: https://jdbc.postgresql.org/documentation/use/
// Amazon's driver takes semicolons for options too.
func (r *reader) postgresJDBC(rest, scheme string) (outcome, bool) {
	iam := false
	if after, ok := strings.CutPrefix(rest, "iam:"); ok {
		rest, iam = after, true
	}
	body, ok := strings.CutPrefix(rest, "//")
	if !ok {
		body = "/" + strings.TrimPrefix(rest, "/") // jdbc:postgresql:database
	}
	if before, props, ok := strings.Cut(body, ";"); ok && scheme == "redshift" {
		body = before + "?" + strings.ReplaceAll(props, ";", "&")
	}
	a, ok := parseURL(scheme+"://"+body, func(string) manner { return manner{loose: true} })
	if !ok {
		return outcome{}, false
	}
	if a.hosts == "" {
		a.host = "localhost"
	}
	a.path = strings.ReplaceAll(a.path, "+", " ")
	out, ok := r.postgresWith(a, queryOptions(a.query, true), jdbcKind)
	for i := range out.readings {
		if iam {
			out.readings[i].Leave("iam", whyAuth)
		}
	}
	return out, ok
}

var (
	keyHost  = regexp.MustCompile(`(?i)[(,]\s*(host|port|user|password)\s*=\s*([^(),]*)`)
	mode     = regexp.MustCompile(`^(?i)(loadbalance|replication|aurora|sequential|load-balance-read|failover):`)
	firstKey = regexp.MustCompile(`^(?i)(?:address\s*=\s*)?\(`)
)

// mysqlJDBC: https://dev.mysql.com/doc/connector-j/en/connector-j-reference-jdbc-url-format.html
func (r *reader) mysqlJDBC(rest string) (outcome, bool) {
	rest = mode.ReplaceAllString(rest, "")
	if !strings.HasPrefix(rest, "//") {
		return outcome{}, false
	}
	if firstKey.MatchString(rest[2:]) {
		return r.mysqlKeys(rest[2:])
	}
	a, ok := parseURL("mysql:"+rest, func(string) manner { return manner{loose: true} })
	if !ok {
		return outcome{}, false
	}
	if a.host == "" {
		a.host = "localhost"
	}
	return r.mysqlWith(a, queryOptions(a.query, true), jdbcKind)
}

// mysqlKeys is address=(host=h)(port=1)/database and (host=h,port=1)/database.
func (r *reader) mysqlKeys(text string) (outcome, bool) {
	end := strings.LastIndexByte(text, ')')
	if end < 0 {
		return outcome{}, false
	}
	a := address{scheme: "mysql"}
	for _, m := range keyHost.FindAllStringSubmatch(text[:end+1], -1) {
		key := map[string]*string{"host": &a.host, "port": &a.port, "user": &a.user, "password": &a.password}[strings.ToLower(m[1])]
		switch {
		case *key == "":
			*key = m[2]
		case strings.EqualFold(m[1], "host"):
			a.more++
		}
	}
	tail := text[end+1:]
	if i := strings.IndexByte(tail, '/'); i >= 0 {
		a.path, a.query, _ = strings.Cut(tail[i:], "?")
	}
	return r.mysqlWith(a, queryOptions(a.query, true), jdbcKind)
}

// sqlserverJDBC: https://learn.microsoft.com/sql/connect/jdbc/building-the-connection-url
func (r *reader) sqlserverJDBC(rest string) (outcome, bool) {
	body, ok := strings.CutPrefix(rest, "//")
	if !ok {
		return outcome{}, false
	}
	name, props, _ := strings.Cut(body, ";")
	o := &options{}
	if strings.TrimSpace(props) != "" {
		if o, ok = bracedPairs(props); !ok {
			return outcome{}, false
		}
	}
	o.firstWins = false
	d := r.draft("sqlserver")
	host, port := hostPort(strings.TrimSuffix(name, "/"))
	host, instance, _ := strings.Cut(host, `\`)
	d.set("host", host)
	d.set("port", port)
	d.set("instance", instance)
	d.sqlserver(o, "", "")
	return r.made(jdbcKind, d)
}

// jtds: https://jtds.sourceforge.net/faq.html#urlFormat
func (r *reader) jtds(rest string) (outcome, bool) {
	kind, body, ok := strings.Cut(rest, "://")
	if !ok {
		return outcome{}, false
	}
	if kind == "sybase" {
		return unknown("SAP ASE", jdbcKind)
	}
	place, props, _ := strings.Cut(body, ";")
	server, name, _ := strings.Cut(place, "/")
	o := &options{}
	if strings.TrimSpace(props) != "" {
		if o, ok = bracedPairs(props); !ok {
			return outcome{}, false
		}
	}
	d := r.draft("sqlserver")
	host, port := hostPort(server)
	d.set("host", host)
	d.set("port", port)
	d.set("database", name)
	d.sqlserver(o, "", "")
	return r.made(jdbcKind, d)
}

// oracleJDBC: https://docs.oracle.com/en/database/oracle/oracle-database/23/jjdbc/data-sources-and-URLs.html
func (r *reader) oracleJDBC(rest string) (outcome, bool) {
	_, rest, ok := strings.Cut(rest, ":") // thin, oci, kprb
	if !ok {
		return outcome{}, false
	}
	target := rest[strings.LastIndexByte(rest, '@')+1:]
	d := r.draft("oracle")
	switch {
	case strings.HasPrefix(target, "ldap"):
		d.r.Leave("Directory of names", whyOther)
	case nameShape.MatchString(strings.SplitN(target, "?", 2)[0]):
		d.oracleLogin(rest)
		d.r.Leave("Alias", whyOther)
	case !d.oracleLogin(rest) && d.t.ID != "":
		return outcome{}, false
	}
	return r.made(jdbcKind, d)
}

// clickhouseJDBC: https://clickhouse.com/docs/integrations/java/jdbc-driver
func (r *reader) clickhouseJDBC(rest string) (outcome, bool) {
	_, body, ok := strings.Cut(rest, "//")
	if !ok {
		return outcome{}, false
	}
	a, ok := parseURL("clickhouse://"+body, func(string) manner { return manner{loose: true} })
	if !ok {
		return outcome{}, false
	}
	o := queryOptions(a.query, false)
	scheme := "clickhouse"
	if strings.HasPrefix(strings.ToLower(rest), "https") || truth(o.take("ssl")) == "true" {
		scheme = "clickhouses"
	}
	d := r.draft("clickhouse")
	d.clickhouse(a, o, scheme)
	return r.made(jdbcKind, d)
}

// sqliteJDBC: https://github.com/xerial/sqlite-jdbc#how-to-specify-database-files
func (r *reader) sqliteJDBC(rest string) (outcome, bool) {
	file, query, _ := strings.Cut(strings.TrimPrefix(rest, "file:"), "?")
	return r.sqliteFile(file, queryOptions(query, false), jdbcKind)
}

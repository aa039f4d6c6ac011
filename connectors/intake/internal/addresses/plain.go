package addresses

import (
	"regexp"
	"strings"

	"jackfield/connectors/internal/answers"
)

var (
	// libpqWord has the keywords of
	// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
	libpqWord = regexp.MustCompile(`^(host|hostaddr|port|dbname|user|password|passfile|require_auth|channel_binding|connect_timeout|client_encoding|options|application_name|fallback_application_name|keepalives|keepalives_idle|keepalives_interval|keepalives_count|` +
		`tcp_user_timeout|replication|gssencmode|sslmode|requiressl|sslnegotiation|sslcompression|sslcert|sslkey|sslkeylogfile|sslpassword|sslcertmode|sslrootcert|sslcrl|sslcrldir|sslsni|requirepeer|ssl_min_protocol_version|ssl_max_protocol_version|min_protocol_version|max_protocol_version|` +
		`krbsrvname|gsslib|gssdelegation|scram_client_key|scram_server_key|service|servicefile|target_session_attrs|load_balance_hosts|oauth_issuer|oauth_client_id|oauth_client_secret|oauth_scope)$`)
	scpShape    = regexp.MustCompile(`^([A-Za-z0-9._%+\\-]+)@(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\S*)$`)
	brokerShape = regexp.MustCompile(`^[A-Za-z0-9._-]+:(\d{1,5})$`)
	easyLogin   = regexp.MustCompile(`^(?:[^\s/@]+/.+@)?(?:(?:tcps?:)?//)?[A-Za-z0-9._-]+:\d+/[A-Za-z0-9_$#.-]+(?:[:/?]\S*)?$`)
	filePath    = regexp.MustCompile(`(?i)^(?:[a-z]:[\\/]|/|\./|~/|\.\.[\\/]|[^\s:/\\]+$|[^\s:]+[\\/])[^\n]*\.(?:db3?|sqlite3?|s3db|sl3)$`)
)

// plain understands what is no URL and has no pairs: scp's user@host:path, lists
// of brokers, Easy Connect, the ARN of a bucket, Redis for .NET, Elastic's cloud
// ID and the path of an SQLite file.
func (r *reader) plain(text string) (outcome, bool) {
	for _, form := range []func(string) (outcome, bool){r.arn, r.goMySQL, r.stackExchange, r.easy, r.brokers, r.sqlPath} {
		if out, ok := form(text); ok {
			return out, true
		}
	}
	if m := scpShape.FindStringSubmatch(text); m != nil && answers.ValidHost(strings.Trim(m[2], "[]")) == nil {
		return r.scp(m[1], m[2], m[3])
	}
	return outcome{}, false
}

// scp: https://man.openbsd.org/scp. A path without a slash in front counts from
// home; a number alone is more often meant as the port.
func (r *reader) scp(user, host, path string) (outcome, bool) {
	if out, ok := r.repository(host); ok {
		return out, true
	}
	d := r.draft("sftp")
	d.set("user", user)
	d.set("host", strings.Trim(host, "[]"))
	if answers.ValidPort(path) == nil {
		d.set("port", path)
		jump := r.draft("ssh")
		jump.r.Settings = d.r.Settings.Clone()
		return r.made("address", d, jump)
	}
	d.set("folder", strings.TrimPrefix(path, "~/"))
	return r.made("address", d)
}

var goShape = regexp.MustCompile(`^(?:(.*)@)?(tcp|unix)\(([^()]*)\)/([^?]*)(?:\?(.*))?$`)

// goMySQL is user:password@tcp(host:port)/database, in which nothing is encoded
// before the options (https://github.com/go-sql-driver/mysql#dsn-data-source-name).
func (r *reader) goMySQL(text string) (outcome, bool) {
	if strings.HasPrefix(text, "failover:(") {
		return foreign("failover")
	}
	m := goShape.FindStringSubmatch(text)
	if m == nil {
		return outcome{}, false
	}
	a := address{scheme: "mysql", path: "/" + m[4], query: m[5]}
	a.user, a.password, _ = strings.Cut(m[1], ":")
	a.host, a.port = hostPort(m[3])
	if m[2] == "unix" {
		a.host, a.port = m[3], ""
	}
	return r.mysqlWith(a, queryOptions(a.query, true), "DSN")
}

func (r *reader) arn(text string) (outcome, bool) {
	if !strings.HasPrefix(text, "arn:aws:s3:::") {
		return outcome{}, false
	}
	d := r.draft("s3")
	d.split("bucket", text)
	return r.made("bucket's name", d)
}

// stackExchange is .NET's way to write Redis servers: host:port,name=value,…
// (https://stackexchange.github.io/StackExchange.Redis/Configuration.html).
func (r *reader) stackExchange(text string) (outcome, bool) {
	first, more, ok := strings.Cut(text, ",")
	if !ok || !strings.Contains(more, "=") || strings.ContainsAny(first, "= ;") || answers.ValidHost(strings.SplitN(first, ":", 2)[0]) != nil {
		return outcome{}, false
	}
	o, hosts := &options{}, 0
	for piece := range strings.SplitSeq(more, ",") {
		name, value, pair := strings.Cut(piece, "=")
		if !pair {
			hosts++
			continue
		}
		o.add(strings.TrimSpace(name), value)
	}
	if !o.has("password", "ssl", "abortConnect", "user", "defaultDatabase", "connectTimeout", "allowAdmin", "syncTimeout") {
		return outcome{}, false
	}
	d := r.draft("redis")
	host, port := hostPort(first)
	d.set("host", host)
	d.set("port", port)
	d.first(address{more: hosts})
	d.set("user", o.take("user"))
	d.secret("password", o.take("password"))
	d.set("database", o.take("defaultDatabase"))
	if truth(o.take("ssl")) != "true" && port != "6380" {
		d.set("security", none)
		d.r.Note(noteOpen)
	}
	d.rest(o)
	return r.made("connection string", d)
}

// easy is Oracle's Easy Connect. Without a port it looks like any path, and is
// taken with // in front alone.
func (r *reader) easy(text string) (outcome, bool) {
	if !easyLogin.MatchString(text) {
		return outcome{}, false
	}
	d := r.draft("oracle")
	if d.t.ID != "" && !d.oracleLogin(text) {
		return outcome{}, false
	}
	return r.made("Easy Connect address", d)
}

// brokers is Kafka's bootstrap.servers: several servers, or one with a port that
// is mostly Kafka's.
func (r *reader) brokers(text string) (outcome, bool) {
	list := strings.Split(text, ",")
	if len(list) > 50 {
		return outcome{}, false
	}
	port := ""
	for i, s := range list {
		list[i] = strings.TrimSpace(s)
		if _, rest, ok := strings.Cut(list[i], "://"); ok {
			list[i] = rest
		}
		m := brokerShape.FindStringSubmatch(list[i])
		if m == nil || answers.ValidPort(m[1]) != nil {
			return outcome{}, false
		}
		port = m[1]
	}
	if kafkas := strings.HasPrefix(port, "909") || port == "9196" || port == "9198"; len(list) == 1 && !kafkas {
		return outcome{}, false
	}
	id, key := "kafka", "servers"
	if port == "4222" {
		id = "nats"
	}
	d := r.draft(id)
	d.set(key, strings.Join(list, "\n"))
	return r.made("list of servers", d)
}

func (r *reader) sqlPath(text string) (outcome, bool) {
	low := strings.ToLower(text)
	if strings.HasPrefix(low, "sqlite:") && !strings.Contains(text, "://") {
		file, query, _ := strings.Cut(text[len("sqlite:"):], "?")
		return r.sqliteFile(file, queryOptions(query, false), "address")
	}
	if strings.HasPrefix(low, "file:") && !strings.Contains(text, "://") {
		file, query, _ := strings.Cut(text[len("file:"):], "?")
		if !fileShape.MatchString(file) {
			return outcome{}, false
		}
		return r.sqliteFile(decoded(file, false), queryOptions(query, false), "address")
	}
	if len(text) > 1024 || !filePath.MatchString(text) || strings.ContainsAny(text, "@=;,\"'") {
		return outcome{}, false
	}
	return r.sqliteFile(text, &options{}, "path")
}

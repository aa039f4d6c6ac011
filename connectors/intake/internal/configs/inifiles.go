package configs

import (
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

func rcloneConf(s *source, all []section) bool {
	found := false
	for _, x := range all {
		kind := x.get("type")
		if x.name == "" || kind == "" {
			continue
		}
		if d := fill.Rclone(s.Types, kind, x.all(), ""); d != nil {
			s.add(x.name, "["+x.name+"]", d)
			found = true
			continue
		}
		s.leave("["+x.name+"]", "Its kind of storage is not among the types here.")
	}
	s.what("an rclone.conf", "remote")
	return found
}

// awsFiles reads ~/.aws/credentials and ~/.aws/config
// (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html).
func awsFiles(s *source, all []section) bool {
	profiles := map[string]section{}
	for _, x := range all {
		name := strings.TrimSpace(strings.TrimPrefix(x.name, "profile "))
		p := profiles[name]
		p.name, p.keys = name, append(p.keys, x.keys...)
		profiles[name] = p
	}
	seen := map[string]bool{}
	for _, x := range all {
		name := strings.TrimSpace(strings.TrimPrefix(x.name, "profile "))
		if !seen[name] {
			seen[name] = true
			awsProfile(s, profiles[name], profiles)
		}
	}
	s.what("AWS credentials", "profile")
	return len(s.out.Items) > 0
}

func awsProfile(s *source, p section, profiles map[string]section) {
	role := p.get("role_arn")
	keys := p
	if source := p.get("source_profile"); role != "" && source != "" {
		keys = profiles[source]
	}
	where := "[" + p.name + "]"
	if p.get("sso_start_url") != "" || p.get("sso_session") != "" {
		s.leave(where, "It signs in through the browser (SSO) and holds no keys.")
		return
	}
	if keys.get("aws_access_key_id") == "" && role == "" {
		if strings.HasPrefix(p.name, "Credentials") || p.name == "" || len(p.keys) == 0 || p.get("region") == "" {
			return
		}
		s.leave(where, "It has no keys.")
		return
	}
	if keys.get("gs_access_key_id") != "" || strings.EqualFold(p.name, "Credentials") {
		return // boto's
	}
	s3 := fill.New(s.Types, "s3")
	pair := fill.New(s.Types, "aws_key_pair")
	drafts := []*fill.Draft{s3, pair}
	if role != "" {
		s3.Choose("auth", "role")
		s3.Set("role_arn", role, "role_arn")
		s3.Set("external_id", p.get("external_id"), "external_id")
		if keys.get("aws_access_key_id") == "" {
			s3.Leave("source_profile", "The keys of that profile are not in this text.")
		}
		drafts = drafts[:1]
	}
	region := p.get("region")
	if region == "" {
		region = keys.get("region")
	}
	if e := p.get("endpoint_url"); e != "" {
		c := fill.New(s.Types, "s3_compatible")
		c.Set("endpoint", e, "endpoint_url")
		drafts = append([]*fill.Draft{c}, drafts...)
	}
	for _, d := range drafts {
		d.Set("access_key", keys.get("aws_access_key_id"), "aws_access_key_id")
		d.Set("secret_key", keys.get("aws_secret_access_key"), "aws_secret_access_key")
		d.Set("session_token", keys.get("aws_session_token"), "aws_session_token")
		d.Set("region", region, "region")
		for _, k := range []string{"mfa_serial", "credential_process", "credential_source", "web_identity_token_file"} {
			if p.get(k) != "" {
				d.Leave(k, fill.WhyNoField)
			}
		}
	}
	s.add(p.name, where, drafts...)
}

// boto reads the file of boto and gsutil.
func boto(s *source, all []section) bool {
	for _, x := range all {
		if !strings.EqualFold(x.name, "Credentials") {
			continue
		}
		if x.get("gs_access_key_id") != "" {
			d := fill.New(s.Types, "gcs")
			d.Choose("auth", "hmac")
			d.Set("access_key", x.get("gs_access_key_id"), "gs_access_key_id")
			d.Set("secret_key", x.get("gs_secret_access_key"), "gs_secret_access_key")
			s.add("Google Cloud Storage", "[Credentials]", d)
		}
		if file := x.get("gs_service_key_file"); file != "" {
			d := fill.New(s.Types, "gcs")
			d.File("gs_service_key_file", file)
			s.add("Google Cloud Storage", "[Credentials]", d)
		}
		if x.get("aws_access_key_id") != "" {
			d := fill.New(s.Types, "s3")
			d.Set("access_key", x.get("aws_access_key_id"), "aws_access_key_id")
			d.Set("secret_key", x.get("aws_secret_access_key"), "aws_secret_access_key")
			s.add("Amazon S3", "[Credentials]", d)
		}
		if x.get("gs_oauth2_refresh_token") != "" {
			s.leave("gs_oauth2_refresh_token", "The token belongs to gsutil.")
		}
	}
	s.what("a boto file", "connection")
	return len(s.out.Items) > 0
}

// s3cfg reads the file of s3cmd (https://s3tools.org/kb/item14.htm).
func s3cfg(s *source, all []section) bool {
	for _, x := range all {
		if x.get("access_key") == "" || x.get("secret_key") == "" || x.get("type") != "" {
			continue
		}
		host := x.get("host_base")
		d := fill.New(s.Types, "s3")
		if host != "" && !strings.HasSuffix(host, "amazonaws.com") {
			d = fill.New(s.Types, "s3_compatible")
			scheme := "https://"
			if strings.EqualFold(x.get("use_https"), "false") {
				scheme = "http://"
			}
			d.Set("endpoint", scheme+host, "host_base")
			if b := x.get("host_bucket"); b != "" && !strings.Contains(b, "%(bucket)") {
				d.Choose("addressing", "path")
			}
		}
		d.Set("access_key", x.get("access_key"), "access_key")
		d.Set("secret_key", x.get("secret_key"), "secret_key")
		d.Set("session_token", x.get("access_token"), "access_token")
		if r := x.get("bucket_location"); r != "" && r != "US" {
			d.Set("region", r, "bucket_location")
		}
		d.File("ca_certs_file", x.get("ca_certs_file"))
		s.add("", "["+x.name+"]", d)
	}
	s.what("an s3cmd configuration", "connection")
	return true
}

// myCnf reads the client's sections (https://dev.mysql.com/doc/refman/8.4/en/option-files.html).
func myCnf(s *source, all []section) bool {
	var shared section
	for _, x := range all {
		if x.name == "client" {
			shared = x
		}
	}
	for _, x := range all {
		if !strings.HasPrefix(x.name, "client") && x.name != "mysql" && x.name != "mysqldump" && x.name != "mariadb" {
			continue
		}
		all := append(append([][2]string{}, shared.keys...), x.keys...)
		if x.name == "client" {
			all = x.keys
		}
		d := fill.New(s.Types, "mysql")
		for _, kv := range all {
			myOption(d, strings.ReplaceAll(kv[0], "_", "-"), myValue(kv[1]))
		}
		if !d.Has("user") && !d.Has("password") && !d.Has("host") || x.name != "client" && !x.own() {
			continue
		}
		if !d.Has("host") {
			d.Set("host", "localhost", "the host")
		}
		s.add(strings.TrimPrefix(strings.TrimPrefix(x.name, "client"), "_"), "["+x.name+"]", d)
	}
	s.what("a MySQL option file", "connection")
	return true
}

// own reports whether a section says anything about the connection itself.
func (x section) own() bool {
	for _, k := range []string{"host", "user", "password", "port"} {
		if x.get(k) != "" {
			return true
		}
	}
	return false
}

func myOption(d *fill.Draft, key, v string) {
	switch key {
	case "host", "port", "user", "password", "database":
		d.Set(key, v, key)
	case "ssl-ca", "ssl-cert", "ssl-key", "socket", "ssl-capath":
		d.File(key, v)
	case "ssl-mode":
		if strings.EqualFold(v, "disabled") {
			d.Choose("tls", "off")
		}
	case "skip-ssl":
		d.Choose("tls", "off")
	case "default-character-set", "no-auto-rehash", "prompt", "max-allowed-packet", "ssl", "ssl-verify-server-cert":
	default:
		d.Leave(key, "")
	}
}

// myValue takes quotes off, or a comment, and the escapes out.
func myValue(v string) string {
	if u := unquoted(v); u != v {
		v = u
	} else if i := strings.Index(v, " #"); i >= 0 {
		v = strings.TrimSpace(v[:i])
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\t`, "\t", `\r`, "\r", `\b`, "\b", `\s`, " ", `\"`, `"`, `\'`, `'`).Replace(v)
}

// odbc reads the data sources of odbc.ini; the driver says whose they are.
func odbc(s *source, all []section) bool {
	for _, x := range all {
		driver := strings.ToLower(x.get("Driver") + " " + x.get("Description"))
		kind := ""
		for _, k := range [][2]string{{"postgres", "postgres"}, {"psql", "postgres"}, {"mysql", "mysql"}, {"maria", "mysql"}, {"maodbc", "mysql"}, {"sql server", "sqlserver"}, {"freetds", "sqlserver"}, {"tds", "sqlserver"}, {"msodbcsql", "sqlserver"}, {"oracle", "oracle"}, {"clickhouse", "clickhouse"}} {
			if strings.Contains(driver, k[0]) {
				kind = k[1]
				break
			}
		}
		if x.get("Driver") == "" || kind == "" || strings.EqualFold(x.name, "ODBC Data Sources") {
			continue
		}
		d := fill.New(s.Types, kind)
		for _, kv := range x.keys {
			odbcKey(d, kv[0], kv[1])
		}
		s.add(x.name, "["+x.name+"]", d)
	}
	s.what("an odbc.ini", "data source")
	return true
}

func odbcKey(d *fill.Draft, key, v string) {
	keys := map[string]string{"servername": "host", "server": "host", "host": "host", "port": "port", "database": "database", "db": "database", "username": "user", "uid": "user", "user": "user", "password": "password", "pwd": "password"}
	k := strings.ToLower(key)
	switch {
	case keys[k] == "host":
		v = strings.TrimPrefix(v, "tcp:")
		host, port, _ := strings.Cut(v, ",")
		host, instance, _ := strings.Cut(host, `\`)
		d.Set("host", host, key)
		d.Set("port", port, key)
		d.Set("instance", instance, key)
	case keys[k] != "":
		d.Set(keys[k], v, key)
	case k == "sslmode":
		fill.Libpq(d, k, v)
	case k == "sslcert" || k == "sslkey" || k == "sslca" || k == "sslrootcert":
		d.File(key, v)
	case k == "driver" || k == "description" || k == "readonly" || k == "trace" || k == "protocol" || k == "tds_version":
	default:
		d.Leave(key, "")
	}
}

// pgService reads pg_service.conf (https://www.postgresql.org/docs/current/libpq-pgservice.html).
func pgService(s *source, all []section) bool {
	if !strings.Contains(s.text, "dbname") && !strings.Contains(s.name, "pg_service") {
		return false
	}
	for _, x := range all {
		d := fill.New(s.Types, "postgres")
		for _, kv := range x.keys {
			fill.Libpq(d, kv[0], kv[1])
		}
		if d.Has("host") || d.Has("database") {
			s.add(x.name, "["+x.name+"]", d)
		}
	}
	s.what("a pg_service.conf", "service")
	return true
}

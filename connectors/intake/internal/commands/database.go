package commands

import (
	"strings"

	"jackfield/connectors/intake/internal/configs/fill"
)

// databases are the clients of databases. Sources: their manual pages.
func databases() map[string]tool {
	mysql := tool{kind: "mysql", home: "localhost",
		grammar: grammar{values: "-h -P -u -D -e -S --host --port --user --database --password --ssl-ca --ssl-cert --ssl-key --ssl-mode --socket --protocol --execute --default-character-set --defaults-file --ssl-capath --ssl-cipher --default-auth --plugin-dir", glued: "p"},
		set:     map[string]string{"-h": "host", "--host": "host", "-P": "port", "--port": "port", "-u": "user", "--user": "user", "-p": "password", "--password": "password", "-D": "database", "--database": "database"},
		env:     map[string]string{"MYSQL_PWD": "password", "MYSQL_HOST": "host", "MYSQL_TCP_PORT": "port"}, secret: "-p --password",
		files: "--ssl-ca --ssl-cert --ssl-key --ssl-capath --defaults-file", quiet: "-e --execute -N -B -s -A -t -v --protocol --default-character-set --batch --table --silent --skip-column-names --compress -C -q",
		more: mysqlMore, words: wordsTo("database"), end: certificates("--ssl-cert")}
	return map[string]tool{
		"psql": postgres(), "pg_dump": postgres(), "pg_restore": postgres(), "pg_isready": postgres(),
		"mysql": mysql, "mariadb": mysql, "mysqldump": mysql, "mariadb-dump": mysql, "mysqladmin": mysql,
		"mongosh": mongo(), "mongo": mongo(), "mongodump": mongo(), "redis-cli": redis(), "valkey-cli": redis(),
		"sqlcmd": {kind: "sqlserver", grammar: grammar{values: "-S -U -P -d -Q -q -i -o -l -t -s -w -H -a -h -y -Y -R -C_ -v -G_"},
			set: map[string]string{"-U": "user", "-P": "password", "-d": "database"}, env: map[string]string{"SQLCMDPASSWORD": "password", "SQLCMDUSER": "user", "SQLCMDSERVER": "host"},
			secret: "-P", quiet: "-Q -q -i -o -l -t -s -w -H -a -h -y -Y -b -N -W -r -I", more: sqlserverMore, needs: "host"},
		"bcp": {kind: "sqlserver", grammar: grammar{values: "-S -U -P -d -t -r -f -e -b -F -L -a"}, set: map[string]string{"-U": "user", "-P": "password", "-d": "database"},
			secret: "-P", quiet: "-t -r -f -e -b -F -L -a -c -n -w -q -k -E", more: sqlserverMore, needs: "host"},
		"clickhouse-client": clickhouse(), "clickhouse": clickhouse(),
		"sqlplus": {kind: "oracle", words: sqlplus, needs: "user host", quiet: "-S -s -L -l"}, "sqlcl": {kind: "oracle", words: sqlplus, needs: "user host"},
	}
}

func postgres() tool {
	return tool{kind: "postgres", home: "localhost",
		grammar: grammar{values: "-h -p -U -d -c -f -v -o -F -P -R -T -L -n -t_ -j -Z -N_ --host --port --username --dbname --command --file --set --variable --output --format --jobs --table --schema --role"},
		set:     map[string]string{"-h": "host", "--host": "host", "-p": "port", "--port": "port", "-U": "user", "--username": "user"},
		env: map[string]string{"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "database", "PGSSLROOTCERT": "", "PGSSLMODE": "",
			"PGPASSFILE": "", "PGSERVICE": ""},
		quiet: "-c -f -v -o -F -W -w -X -A -t -q -x -l -a -e -E -1 -P -R -T -L -j -Z -n -O -s --command --file --set --no-psqlrc --no-password --password --tuples-only --quiet --format",
		more: func(d *fill.Draft, o opt) bool {
			if o.name != "-d" && o.name != "--dbname" {
				return false
			}
			postgresDatabase(d, o.value)
			return true
		},
		words: func(d *fill.Draft, words []string) {
			for i, w := range words {
				switch {
				case i == 0 && !d.Has("database"), strings.Contains(w, "="):
					postgresDatabase(d, w)
				case !d.Has("user"):
					d.Set("user", w, "the user")
				}
			}
		}}
}

// postgresDatabase takes a name or a connection string
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING).
func postgresDatabase(d *fill.Draft, v string) {
	if !strings.Contains(v, "=") {
		d.Set("database", v, "the database")
		return
	}
	for _, kv := range fill.ConnInfo(v) {
		fill.Libpq(d, kv[0], kv[1])
	}
}

func mysqlMore(d *fill.Draft, o opt) bool {
	switch o.name {
	case "--ssl-mode":
		if strings.EqualFold(o.value, "disabled") {
			d.Choose("tls", "off")
		}
	case "--skip-ssl", "--ssl=0", "--disable-ssl":
		d.Choose("tls", "off")
	case "--ssl":
		if o.value == "0" {
			d.Choose("tls", "off")
		}
	case "--ssl-verify-server-cert", "--skip-ssl-verify-server-cert":
	default:
		return false
	}
	return true
}

// certificates chooses the sign-in by certificate where one was named and no password.
func certificates(option string) func(d *fill.Draft) {
	return func(d *fill.Draft) {
		if d.Left(option) && !d.Has("password") {
			d.Choose("auth", "certificate")
		}
	}
}

func wordsTo(key string) func(d *fill.Draft, words []string) {
	return func(d *fill.Draft, words []string) {
		if len(words) > 0 && !d.Has(key) {
			d.Set(key, words[0], "the "+key)
		}
	}
}

func mongo() tool {
	return tool{kind: "mongodb", home: "localhost", urls: "--uri",
		grammar: grammar{values: "-u -p --host --port --username --password --authenticationDatabase --authenticationMechanism --tlsCAFile --tlsCertificateKeyFile --eval -f --db -d --uri -c --collection -o --out --sslCAFile --sslPEMKeyFile --tlsCertificateKeyFilePassword"},
		set: map[string]string{"--host": "host", "--port": "port", "-u": "user", "--username": "user", "-p": "password", "--password": "password", "--authenticationDatabase": "auth_source", "--db": "database", "-d": "database",
			"--tlsCertificateKeyFilePassword": "client_key_passphrase"},
		choose: map[string][2]string{"--tls": {"security", "tls"}, "--ssl": {"security", "tls"}}, secret: "-p --password", files: "--tlsCAFile --tlsCertificateKeyFile --sslCAFile --sslPEMKeyFile",
		quiet: "--eval -f --quiet --norc -c --collection -o --out --gzip",
		more: func(d *fill.Draft, o opt) bool {
			switch {
			case o.name == "--host":
				set, rest, ok := strings.Cut(o.value, "/")
				if !ok {
					d.HostPort(o.value, o.name)
					return true
				}
				d.Choose("topology", "set")
				d.Set("replica_set", set, o.name)
				first, others, _ := strings.Cut(rest, ",")
				d.HostPort(first, o.name)
				d.Set("members", strings.ReplaceAll(others, ",", "\n"), o.name)
			case o.name == "--authenticationMechanism" && o.value == "MONGODB-X509":
				d.Choose("auth", "certificate")
			case o.name == "--authenticationMechanism" && o.value == "PLAIN":
				d.Choose("auth", "ldap")
			case o.name == "--authenticationMechanism":
				d.Set("mechanism", o.value, o.name)
			default:
				return false
			}
			return true
		},
		words: func(d *fill.Draft, words []string) {
			if len(words) == 0 {
				return
			}
			host, database, ok := strings.Cut(words[0], "/")
			if !ok && !strings.Contains(host, ":") {
				d.Set("database", host, "the database")
				return
			}
			d.HostPort(host, "the host")
			d.Set("database", database, "the database")
		}}
}

func redis() tool {
	return tool{kind: "redis", home: "localhost", urls: "-u",
		grammar: grammar{single: true, values: "-h -p -a -n -u -s -t -r -i -x_ --user --pass --cacert --cert --key --sni --askpass_ --cacertdir"},
		set:     map[string]string{"-h": "host", "-p": "port", "-a": "password", "--pass": "password", "--user": "user", "-n": "database", "--sni": "tls_name"},
		env:     map[string]string{"REDISCLI_AUTH": "password"}, secret: "-a --pass", files: "--cacert --cert --key --cacertdir -s",
		choose: map[string][2]string{"--tls": {"security", "tls"}}, quiet: "--no-auth-warning --raw --scan --bigkeys --askpass --insecure -c -x --json --stat -t -r -i",
		end: func(d *fill.Draft) {
			if !d.Has("security") {
				d.Choose("security", "none")
			}
			if !d.Has("password") && !d.Has("user") {
				d.Choose("auth", "none")
			}
		}}
}

// sqlserverMore reads -S [tcp:]host[\instance][,port] and the switches for TLS
// (https://learn.microsoft.com/sql/tools/sqlcmd/sqlcmd-utility).
func sqlserverMore(d *fill.Draft, o opt) bool {
	switch o.name {
	case "-S":
		v := strings.TrimPrefix(o.value, "tcp:")
		host, port, _ := strings.Cut(v, ",")
		host, instance, _ := strings.Cut(host, `\`)
		if host == "." || host == "(local)" {
			host = "localhost"
		}
		d.Set("host", host, o.name)
		d.Set("instance", instance, o.name)
		d.Set("port", port, o.name)
	case "-E", "-T":
		d.Choose("auth", "kerberos")
	case "-G":
		d.Choose("auth", "token")
	case "-C":
		d.Note("The command does not check the server's certificate. This program always does; a private authority's certificate has a field.")
	default:
		return false
	}
	return true
}

func clickhouse() tool {
	return tool{kind: "clickhouse", home: "localhost",
		grammar: grammar{values: "-h -u -d -q --host --port --user --password --database --query --format --config-file", single: false},
		set:     map[string]string{"-h": "host", "--host": "host", "-u": "user", "--user": "user", "--password": "password", "-d": "database", "--database": "database"},
		env:     map[string]string{"CLICKHOUSE_USER": "user", "CLICKHOUSE_PASSWORD": "password"}, secret: "--password", quiet: "-q --query --format -n -m --multiquery",
		choose: map[string][2]string{"-s": {"security", "tls"}, "--secure": {"security", "tls"}},
		more: func(d *fill.Draft, o opt) bool {
			if o.name == "--port" {
				d.Leave("--port", "The client's own protocol has this port. The form needs the port for HTTP, usually 8443 or 8123.")
			}
			return o.name == "--port"
		},
		end: func(d *fill.Draft) {
			if !d.Has("security") {
				d.Choose("security", "none")
			}
		}}
}

// sqlplus reads user/password@//host:port/service, with or without the slashes
// (https://docs.oracle.com/en/database/oracle/oracle-database/23/sqpug/starting-SQL-Plus.html).
func sqlplus(d *fill.Draft, words []string) {
	if len(words) == 0 {
		return
	}
	at := strings.LastIndexByte(words[0], '@')
	who, where := words[0], ""
	if at >= 0 {
		who, where = words[0][:at], words[0][at+1:]
	}
	user, password, _ := strings.Cut(who, "/")
	d.Set("user", user, "the user")
	d.Set("password", strings.Trim(password, `"`), "the password")
	if password != "" {
		d.Note(fill.History)
	}
	if where == "" {
		return
	}
	kind, rest, ok := strings.Cut(where, "//")
	if !ok {
		kind, rest = "", where
	}
	server, service, named := strings.Cut(rest, "/")
	if !named && !strings.Contains(server, ":") {
		d.Leave("the net service "+server, "What it stands for is in the file tnsnames.ora. Paste its text.")
		return
	}
	if !strings.HasPrefix(kind, "tcps") {
		d.Choose("tls", "off")
	}
	service, _, _ = strings.Cut(service, "?")
	d.HostPort(server, "the host")
	d.Set("service", service, "the service")
}

package use

import "strings"

func sqlFiles() []writer {
	return []writer{
		{Format: Format{ID: "pgpass", Name: "PostgreSQL password file", For: "psql and all programs with PostgreSQL's client library", File: "~/.pgpass", Mode: 0o600, Syntax: "text", Clear: true, Group: GroupFiles},
			can: "ca client name pin", fits: func(p *plan) bool { return p.is("postgres") && p.v("auth") == "password" }, write: (*plan).pgpass},
		{Format: Format{ID: "pg-service", Name: "PostgreSQL service", For: "psql service=NAME and programs with PostgreSQL's client library", File: "~/.pg_service.conf", Mode: 0o600, Syntax: "ini", Clear: true, Group: GroupFiles},
			can: "ca client", fits: only("postgres"), write: (*plan).pgService},
		{Format: Format{ID: "my-cnf", Name: "MySQL option file", For: "mysql, mysqldump, mariadb", File: "~/.my.cnf", Mode: 0o600, Syntax: "ini", Clear: true, Group: GroupFiles},
			can: "ca client", fits: only("mysql"), write: (*plan).myCnf},
		{Format: Format{ID: "odbc-ini", Name: "ODBC data source", For: "isql and programs with unixODBC", File: "~/.odbc.ini", Mode: 0o600, Syntax: "ini", Clear: true, Group: GroupFiles},
			can: "ca", fits: sqlPassword("postgres", "mysql", "sqlserver"), write: (*plan).odbcINI},
	}
}

// pgpass is hostname:port:database:username:password.
func (p *plan) pgpass() string {
	database := "*"
	if p.has("database") {
		database = p.q("database", pgpass)
	}
	return strings.Join([]string{p.q("host", pgpass), p.port0(), database, p.q("user", pgpass), p.q("password", pgpass)}, ":") + "\n"
}

func (p *plan) port0() string { return orElse(p.port(), p.v("port")) }

// pgService: https://www.postgresql.org/docs/current/libpq-pgservice.html. What
// stands after = counts as it is; blanks at the line's end do not.
func (p *plan) pgService() string {
	p.rdsToken()
	w := pairs{sep: "\n", end: "\n"}
	for _, x := range [][2]string{{"host", "host"}, {"port", "port"}, {"dbname", "database"}, {"user", "user"}, {"password", "password"}} {
		w.put(p, x[0], x[1], bare)
	}
	for _, x := range p.sslParts() {
		w.add(x[0], x[1])
	}
	return "[" + p.profile() + "]\n" + w.String()
}

func (p *plan) myCnf() string {
	p.rdsToken()
	w := pairs{sep: "\n", end: "\n"}
	w.put(p, "host", "host", optionFile)
	w.put(p, "port", "port", verbatim)
	w.add("protocol", "tcp")
	w.put(p, "user", "user", optionFile)
	w.put(p, "password", "password", optionFile)
	for _, x := range [][2]string{{"ssl-ca", p.ca()}, {"ssl-cert", p.cert()}, {"ssl-key", p.key()}} {
		if x[1] != "" {
			value, _ := optionFile(x[1])
			w.add(x[0], value)
		}
	}
	tls := "loose-ssl-mode=DISABLED\nloose-skip-ssl\n"
	if p.secure() {
		tls = "loose-ssl-mode=VERIFY_IDENTITY\nloose-ssl-verify-server-cert\n"
	}
	out := "[client]\n" + w.String() + tls
	if p.has("database") {
		out += "[mysql]\ndatabase=" + p.q("database", optionFile) + "\n"
	}
	return out
}

// odbcINI: unixODBC knows no quotes; psqlodbc undoes %XX in a password.
func (p *plan) odbcINI() string {
	p.rdsToken()
	names := map[string]string{"Server": "Servername", "UID": "Username", "PWD": "Password"}
	switch p.typ.ID {
	case "mysql":
		names = map[string]string{"UID": "USER", "PWD": "PASSWORD", "Server": "SERVER"}
	case "sqlserver":
		names = map[string]string{}
		p.leaves("Microsoft's driver takes no user and password from this file. Give them to the program.")
	}
	w := pairs{sep: "\n", end: "\n"}
	for _, x := range p.odbcParts() {
		in, value := notFirst(";#["), x.text
		switch {
		case x.name == "PWD" && p.is("postgres"):
			value = p.made(x.key, tokens)
		case p.is("sqlserver") && (x.name == "UID" || x.name == "PWD"):
			continue
		case x.key != "":
			value = p.q(x.key, in)
		}
		w.add(orElse(names[x.name], x.name), value)
	}
	return "[" + p.profile() + "]\n" + w.String()
}

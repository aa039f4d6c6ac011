package use

import (
	"strings"
)

func commands() []writer {
	command := func(id, name, who string, fits func(*plan) bool, can string, write func(*plan) string) writer {
		return writer{Format: Format{ID: id, Name: name, For: who, Syntax: "shell", Clear: true, Group: GroupCommands}, can: can, fits: fits, write: write}
	}
	return []writer{
		command("curl", "curl", "A terminal with curl; secrets go in by its standard input", (*plan).curlFits, "proxy ca client", (*plan).curl),
		command("psql", "psql command", "A terminal with PostgreSQL's client", only("postgres"), "ca client", (*plan).psql),
		command("mysql", "mysql command", "A terminal with MySQL's or MariaDB's client", only("mysql"), "ca client", (*plan).mysql),
		command("mongosh", "mongosh command", "A terminal with MongoDB's shell", only("mongodb"), "ca client", (*plan).mongosh),
		command("redis-cli", "redis-cli command", "A terminal with Redis's client", only("redis"), "ca client name", (*plan).redisCLI),
		command("ssh", "ssh command", "A terminal with OpenSSH", only("ssh", "sftp"), "", (*plan).ssh),
		command("sftp", "sftp command", "A terminal with OpenSSH", only("sftp"), "", (*plan).sftp),
		command("mosquitto_sub", "mosquitto_sub command", "A terminal with mosquitto's client; it reads the options file", (*plan).mosquittoFits, "ca client", (*plan).mosquittoCommand),
		command("ldapsearch", "ldapsearch command", "A terminal with OpenLDAP's client", func(p *plan) bool { return p.is("ldap") && (p.v("auth") == "simple" || p.v("auth") == "anonymous") }, "ca client", (*plan).ldapsearch),
	}
}

// words joins a command's words, each quoted for a shell where it needs to be.
func words(all ...string) string {
	for i, w := range all {
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-") != "" {
			all[i], _ = shellWord(w)
		}
	}
	return strings.Join(all, " ")
}

// inEnv is NAME='value' to stand before a command, so that the secret is in its
// environment and not among its arguments; "" where the tool is to ask for it.
func (p *plan) inEnv(name, key string) string {
	if p.o.Secrets == Placeholder || !p.wants(key) {
		return ""
	}
	return name + "=" + p.shell(key) + " "
}

// shell is the answer to key as one word of a shell.
func (p *plan) shell(key string) string {
	if p.o.Secrets == Variable && p.marked(key) {
		return `"` + p.secret(key) + `"`
	}
	return p.q(key, shellWord)
}

func (p *plan) psql() string {
	p.rdsToken()
	w := pairs{sep: " "}
	for _, x := range [][2]string{{"host", "host"}, {"port", "port"}, {"dbname", "database"}, {"user", "user"}} {
		w.put(p, x[0], x[1], keyword)
	}
	for _, x := range p.sslParts() {
		value, _ := keyword(x[1])
		w.add(x[0], value)
	}
	return p.inEnv("PGPASSWORD", "password") + words("psql", w.String()) + "\n"
}

func (p *plan) mysql() string {
	p.rdsToken()
	args := []string{"mysql", "--protocol=tcp", "--host=" + p.v("host"), "--port=" + p.v("port"), "--user=" + p.v("user")}
	if p.o.Secrets == Placeholder {
		args = append(args, "--password")
	}
	if p.secure() {
		args = append(args, "--loose-ssl-mode=VERIFY_IDENTITY", "--loose-ssl-verify-server-cert")
	} else {
		args = append(args, "--loose-ssl-mode=DISABLED", "--loose-skip-ssl")
	}
	for _, x := range [][2]string{{"--ssl-ca=", p.ca()}, {"--ssl-cert=", p.cert()}, {"--ssl-key=", p.key()}} {
		if x[1] != "" {
			args = append(args, x[0]+x[1])
		}
	}
	if p.has("database") {
		args = append(args, "--database="+p.v("database"))
	}
	return p.inEnv("MYSQL_PWD", "password") + words(args...) + "\n"
}

// mongosh asks for the password: it has no other way but its arguments.
func (p *plan) mongosh() string {
	kept := p.o.Secrets
	p.o.Secrets = Placeholder
	a := p.mongoURI()
	p.o.Secrets = kept
	a.userinfo = ""
	args := []string{"mongosh", a.String()}
	if p.has("user") {
		args = append(args, "--username", p.v("user"))
	}
	return words(args...) + "\n"
}

func (p *plan) redisCLI() string {
	args := []string{"redis-cli", "-h", p.v("host"), "-p", p.v("port")}
	if p.has("user") {
		args = append(args, "--user", p.v("user"))
	}
	if db := p.v("database"); db != "" {
		args = append(args, "-n", db)
	}
	if p.secure() {
		args = append(args, "--tls")
		if name := p.v("tls_name"); name != "" {
			args = append(args, "--sni", name)
		}
		for _, x := range [][2]string{{"--cacert", p.ca()}, {"--cert", p.cert()}, {"--key", p.key()}} {
			if x[1] != "" {
				args = append(args, x[0], x[1])
			}
		}
	}
	if p.o.Secrets == Placeholder && p.asks("password") {
		args = append(args, "--askpass")
	}
	return p.inEnv("REDISCLI_AUTH", "password") + words(args...) + "\n"
}

func (p *plan) sshArgs(program, portFlag string) []string {
	args := []string{program, portFlag, p.v("port")}
	if id := p.identity(); id != "" {
		args = append(args, "-i", id, "-o", "IdentitiesOnly=yes")
	}
	if p.asks("password") {
		p.leaves("The password is not in it: OpenSSH asks for it.")
	}
	return args
}

func (p *plan) ssh() string {
	args := p.sshArgs("ssh", "-p")
	return words(append(args, "-l", p.v("user"), "--", p.v("host"))...) + "\n"
}

func (p *plan) sftp() string {
	args := append(p.sshArgs("sftp", "-P"), "-o", "User="+p.v("user"))
	host := p.v("host")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if f := p.v("folder"); f != "" {
		host += ":" + f
	}
	return words(append(args, "--", host)...) + "\n"
}

// mosquittoCommand names the folder of the options file, which versions before
// 2.1 find in no other way.
func (p *plan) mosquittoCommand() string {
	p.addFile("mosquitto_sub", p.mosquitto())
	return "XDG_CONFIG_HOME=" + words(orElse(strings.TrimSuffix(p.o.Folder, "/"), ".")) + " mosquitto_sub\n"
}

// ldapsearch reads the password from its standard input, where there is no line
// end after it (man ldapsearch, -y).
func (p *plan) ldapsearch() string {
	args := []string{"ldapsearch", "-x", "-H", address{scheme: map[bool]string{true: "ldaps", false: "ldap"}[p.v("security") == "ldaps"], at: p.at()}.String(), "-b", p.v("base_dn")}
	if p.v("security") == "starttls" {
		args = append(args, "-ZZ")
	}
	lead := ""
	for _, x := range [][2]string{{"LDAPTLS_CACERT", p.ca()}, {"LDAPTLS_CERT", p.cert()}, {"LDAPTLS_KEY", p.key()}} {
		if x[1] != "" {
			lead += x[0] + "=" + words(x[1]) + " "
		}
	}
	if p.v("auth") == "anonymous" {
		return lead + words(append(args, "-s", "sub", "(objectClass=*)")...) + "\n"
	}
	args = append(args, "-D", p.ldapName())
	if p.o.Secrets == Placeholder {
		return lead + words(append(args, "-W", "(objectClass=*)")...) + "\n"
	}
	return "printf %s " + p.shell("password") + " | " + lead + words(append(args, "-y", "/dev/stdin", "(objectClass=*)")...) + "\n"
}

// ldapName is the user as a simple bind has it; a Windows domain goes before it.
func (p *plan) ldapName() string {
	if d := p.v("domain"); d != "" && !strings.ContainsAny(p.v("user"), `\=@`) {
		return d + `\` + p.v("user")
	}
	return p.v("user")
}

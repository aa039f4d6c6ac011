package use

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors/conntest/server"
)

func TestMosquittoReadsItsOptions(t *testing.T) {
	t.Parallel()
	dir, port := t.TempDir(), server.FreePort(t)
	ca := server.NewCA(t)
	cert, key := ca.Issue(t, server.Cert{}).Write(t, dir, "")
	users := server.WriteFile(t, dir, "pw", "", 0o600)
	for i, password := range nasty {
		if !strings.Contains(password, "\n") {
			server.Run(t, server.Program(t, "mosquitto_passwd", "mosquitto"), "-b", users, "reader"+strconv.Itoa(i), password)
		}
	}
	conf := server.WriteFile(t, dir, "m.conf", fmt.Sprintf("user root\nlistener %d 127.0.0.1\nallow_anonymous false\npassword_file %s\ncertfile %s\nkeyfile %s\n", port, users, cert, key), 0o600)
	server.Start(t, exec.Command(server.Program(t, "mosquitto", "mosquitto"), "-c", conf), "127.0.0.1:"+strconv.Itoa(port))
	for i, password := range nasty {
		g := as(t, "mqtt", "host", "127.0.0.1", "port", strconv.Itoa(port), "user", "reader"+strconv.Itoa(i), "password", password, "topic", "plant/a b/#\nother", "ca", ca.PEM)
		text, ok := held(t, "mosquitto", g, Options{Folder: dir}, "password")
		if !ok {
			continue
		}
		saved(t, dir, "mosquitto_sub", text)
		// A subscription is answered, and then it has waited long enough.
		out, err := tool(t, dir, []string{"XDG_CONFIG_HOME=" + dir}, "", server.Program(t, "mosquitto_sub", "mosquitto-clients"), "-E", "-d")
		if err != nil || !strings.Contains(out, "CONNACK (0)") || !strings.Contains(out, "plant/a b/#") {
			t.Errorf("%q: %v\n%s", password, err, out)
		}
	}
	text, err := Write("mosquitto_sub", as(t, "mqtt", "host", "127.0.0.1", "port", strconv.Itoa(port), "user", "reader0", "password", nasty[0], "ca", ca.PEM), Options{Secrets: Reveal, Folder: dir})
	if err != nil || strings.Contains(text.Body.Reveal(), nasty[0]) {
		t.Fatal(err)
	}
	saved(t, dir, "run.sh", text)
	if out, err := tool(t, dir, nil, "", "sh", "-c", `eval "$(cat run.sh) -E -d"`); err != nil || !strings.Contains(out, "CONNACK (0)") {
		t.Errorf("%v %s", err, out)
	}
}

func TestRedisAndLDAPTools(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := server.StartRedis(t, server.RedisConf{})
	for i, password := range nasty {
		var command strings.Builder
		_, _ = fmt.Fprintf(&command, "ACL SETUSER reader%d on ~* +@all \">", i)
		for _, b := range []byte(password) {
			_, _ = fmt.Fprintf(&command, "\\x%02x", b)
		}
		r.Feed(t, command.String()+`"`)
		g := as(t, "redis", "host", "127.0.0.1", "port", strconv.Itoa(r.Port), "user", "reader"+strconv.Itoa(i), "password", password, "security", "none")
		text, _ := held(t, "redis-cli", g, Options{})
		if out, err := tool(t, dir, nil, "ACL WHOAMI\n", "sh", saved(t, dir, "run.sh", text)); err != nil || !strings.Contains(out, "reader"+strconv.Itoa(i)) {
			t.Errorf("%q: %v %s", password, err, out)
		}
		address, _ := held(t, "uri", g, Options{})
		if out, err := tool(t, dir, nil, "ACL WHOAMI\n", "sh", "-c", `redis-cli -u "$(cat "$1")"`, "sh", saved(t, dir, "address", address)); err != nil || !strings.Contains(out, "reader"+strconv.Itoa(i)) {
			t.Errorf("address, %q: %v %s", password, err, out)
		}
	}
	port := server.FreePort(t)
	for i, password := range []string{nasty[0], nasty[1], nasty[2], nasty[3], nasty[4], nasty[5]} {
		data := filepath.Join(dir, "data"+strconv.Itoa(i))
		server.Run(t, "mkdir", data)
		var rootpw strings.Builder
		rootpw.WriteString(`"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(password) + `"`)
		conf := server.WriteFile(t, dir, "slapd.conf", fmt.Sprintf("include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile %s/pid\ndatabase mdb\nsuffix \"dc=example,dc=test\"\nrootdn \"cn=admin,dc=example,dc=test\"\nrootpw %s\ndirectory %s\n", dir, rootpw.String(), data), 0o600)
		p := server.Start(t, exec.Command(server.Program(t, "slapd", "slapd"), "-d", "0", "-f", conf, "-h", "ldap://127.0.0.1:"+strconv.Itoa(port)), "127.0.0.1:"+strconv.Itoa(port))
		g := as(t, "ldap", "host", "127.0.0.1", "port", strconv.Itoa(port), "security", "none", "user", "cn=admin,dc=example,dc=test", "password", password, "base_dn", "dc=example,dc=test")
		text, _ := held(t, "ldapsearch", g, Options{})
		// 32 is "no such object": the sign-in was right and the directory is empty.
		if out, err := tool(t, dir, nil, "", "sh", saved(t, dir, "run.sh", text)); !strings.Contains(out, "result: 32 No such object") {
			t.Errorf("%q: %v %s", password, err, out)
		}
		p.Stop()
	}
}

func TestKafkaFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, password := range nasty {
		g := as(t, "kafka", "servers", "kafka1.example.test:9093\nkafka2.example.test:9093", "user", `an"n\`, "password", password, "ca", "PEM")
		g.Settings.Plain["ca"] = server.NewCA(t).PEM
		text, ok := held(t, "kcat", g, Options{Folder: dir}, "password")
		if !ok {
			continue
		}
		out, err := tool(t, dir, nil, "", server.Program(t, "kcat", "kcat"), "-F", saved(t, dir, "kcat.conf", text), "-X", "dump")
		if err != nil || !strings.Contains(out, "sasl.password = "+password+"\n") && !strings.Contains(out, "sasl.password = [redacted]\n") || !strings.Contains(out, "sasl.username = an\"n\\\n") || !strings.Contains(out, "security.protocol = sasl_ssl\n") {
			t.Errorf("%q: %v\n%s", password, err, grep(out, "sasl"))
		}
		java, _ := held(t, "kafka", g, Options{Folder: dir})
		for line := range strings.Lines(java.Body.Reveal()) {
			if value, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "sasl.jaas.config="); ok {
				login, err := readProperties(value)
				_, quoted, _ := strings.Cut(login, " password=")
				if back, _ := readBackslashes(strings.TrimSuffix(quoted, ";")); err != nil || back != password {
					t.Errorf("%q came as %q", password, back)
				}
			}
		}
	}
}

func grep(text, word string) string {
	out := ""
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) {
			out += line
		}
	}
	return out
}

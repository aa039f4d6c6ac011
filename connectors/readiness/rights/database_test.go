package rights_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func settings(tb testing.TB, id string, answers ...string) connectors.Settings {
	tb.Helper()
	return conntest.Settings(typeOf(tb, id), answers)
}

// The names have what the dialects' quoting has to bear.
const (
	oddDatabase = `sa"les_%`
	oddUser     = "rea'd`er"
)

func TestPostgresTakesTheGrants(t *testing.T) {
	t.Parallel()
	d := server.Postgres(t)
	d.SQL(t, `CREATE DATABASE "sa""les_%";`+"\n\\c \"sa\"\"les_%\"\n"+`
REVOKE ALL ON DATABASE "sa""les_%" FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC;
CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (2), (3);`)
	as := func(user string) connectors.Settings {
		return settings(t, "postgres", "host", "127.0.0.1", "port", strconv.Itoa(d.Port), "user", user, "database", oddDatabase, "password", newPassword, "ca", d.CA.PEM)
	}
	enter := "\\c \"sa\"\"les_%\"\n"
	full := grant(t, "postgres", as(oddUser), 0)
	d.SQL(t, enter+full+"CREATE TABLE later (id int); INSERT INTO later VALUES (1);")
	all := look(t, "postgres", as(oddUser))
	wants(t, all, "table orders readable rows: 3", "table later readable rows: 1")
	for i, sql := range []string{"INSERT INTO orders VALUES (4)", "DELETE FROM orders", "CREATE TABLE x (a int)", "CREATE SCHEMA x", "UPDATE orders SET id = 7"} {
		refused(t, "permission denied", []string{"PGPASSWORD=" + newPassword}, sql, server.Program(t, "psql", "postgresql-client"), "-h", d.Dir, "-p", strconv.Itoa(d.Port), "-U", oddUser, "-d", oddDatabase, "-v", "ON_ERROR_STOP=1")
		_ = i
	}
	for n := 1; n < strings.Count(full, "\n"); n++ {
		user := fmt.Sprintf("less%d", n)
		d.SQL(t, enter+without(grant(t, "postgres", as(user), 0), n)+fmt.Sprintf("CREATE TABLE later%d (id int);", n))
		got := look(t, "postgres", as(user))
		if !strings.Contains(got, "denied") {
			t.Errorf("nothing is missed without line %d of\n%s\n%s", n, full, got)
		}
	}
	d.SQL(t, enter+grant(t, "postgres", as("catalogue"), 1))
	got := look(t, "postgres", as("catalogue"))
	if !strings.Contains(got, "table orders denied") || strings.Contains(got, "rows: 3") || !strings.Contains(got, "column id") {
		t.Errorf("the catalogue alone shows\n%s", got)
	}
}

func TestMariaDBTakesTheGrants(t *testing.T) {
	t.Parallel()
	d := server.MariaDB(t)
	d.SQL(t, "CREATE DATABASE `sa\"les_%`; CREATE DATABASE `sa\"lesxyz`; CREATE TABLE `sa\"les_%`.orders (id INT); INSERT INTO `sa\"les_%`.orders VALUES (1),(2),(3); CREATE TABLE `sa\"lesxyz`.hidden (id INT);")
	as := func(user string) connectors.Settings {
		return settings(t, "mysql", "host", "127.0.0.1", "port", strconv.Itoa(d.Port), "user", user, "database", oddDatabase, "password", newPassword, "ca", d.CA.PEM)
	}
	full := grant(t, "mysql", as(oddUser), 0)
	d.SQL(t, full)
	wants(t, look(t, "mysql", as(oddUser)), "table orders readable rows: 3")
	everything := as(oddUser)
	delete(everything.Plain, "database")
	if got := look(t, "mysql", everything); strings.Contains(got, "hidden") {
		t.Errorf("the signs in the name stood for others:\n%s", got)
	}
	client := server.Program(t, "mariadb", "mariadb-client")
	for _, sql := range []string{"INSERT INTO orders VALUES (4)", "DELETE FROM orders", "CREATE TABLE x (a INT)", "DROP TABLE orders"} {
		refused(t, "denied", []string{"MYSQL_PWD=" + newPassword}, sql, client, "--no-defaults", "--socket="+d.Dir+"/s.sock", "-u"+oddUser, "-D", oddDatabase)
	}
	d.SQL(t, without(grant(t, "mysql", as("less"), 0), 1))
	if got := look(t, "mysql", as("less")); !strings.Contains(got, "denied") {
		t.Errorf("nothing is missed without SELECT:\n%s", got)
	}
	d.SQL(t, grant(t, "mysql", as("catalogue"), 1))
	if got := look(t, "mysql", as("catalogue")); !strings.Contains(got, "table orders  table: denied") || !strings.Contains(got, "column id") {
		t.Errorf("the catalogue alone shows\n%s", got)
	}
}

// Debian's server is from before access management: the variant is for it.
func TestClickHouseTakesTheXML(t *testing.T) {
	t.Parallel()
	s := settings(t, "clickhouse", "host", "127.0.0.1", "security", "none", "user", "reader", "password", newPassword, "database", "shop")
	sum := sha256.Sum256([]byte(newPassword))
	xml := strings.Replace(grant(t, "clickhouse", s, 1), "&lt;sha256 of the password&gt;", hex.EncodeToString(sum[:]), 1)
	c := server.StartClickHouse(t, server.ClickHouseConf{Users: xml, Profiles: "<readonly><readonly>1</readonly></readonly>"})
	c.Run(t, "CREATE DATABASE shop", "CREATE DATABASE hidden", "CREATE TABLE shop.orders (id UInt8) ENGINE = Memory", "INSERT INTO shop.orders VALUES (1), (2)", "CREATE TABLE hidden.people (id UInt8) ENGINE = Memory")
	s.Plain["port"] = strconv.Itoa(c.HTTP)
	got := look(t, "clickhouse", s)
	wants(t, got, "orders", "rows: 2")
	for _, sql := range []string{"INSERT INTO shop.orders VALUES (3)", "DROP TABLE shop.orders", "SELECT * FROM hidden.people"} {
		refused(t, "exception", nil, sql, server.Program(t, "clickhouse-client", "clickhouse-client"), "--host", "127.0.0.1", "--port", strconv.Itoa(c.Native), "--user", "reader", "--password", newPassword)
	}
}

func TestRedisTakesTheRule(t *testing.T) {
	t.Parallel()
	r := server.StartRedis(t, server.RedisConf{})
	r.Feed(t, "SET app:*a one EX 1000\nHSET app:*h a 1\nRPUSH app:*l a\nSADD app:*s a\nZADD app:*z 1 a\nXADD app:*x * a 1\nSET appx hidden\nSELECT 1\nSET app:*one 1")
	as := func(user string) connectors.Settings {
		return settings(t, "redis", "host", "127.0.0.1", "port", strconv.Itoa(r.Port), "security", "none", "user", user, "password", newPassword, "prefix", "app:*")
	}
	full := grant(t, "redis", as(`rea"der`), 0)
	r.Feed(t, full)
	all := look(t, "redis", as(`rea"der`))
	wants(t, all, "string a readable bytes: 3", "stream x readable rows: 1", "string one readable bytes: 1")
	client := server.Program(t, "redis-cli", "redis-tools")
	for _, c := range []string{"SET app:*a two", "DEL app:*a", "GETRANGE appx 0 -1", "FLUSHALL", "CONFIG GET *", "KEYS *", "PUBLISH a b"} {
		refused(t, "NOPERM", []string{"REDISCLI_AUTH=" + newPassword}, c, client, "-p", strconv.Itoa(r.Port), "--user", `rea"der`)
	}
	words := strings.Fields(grant(t, "redis", as("less"), 0))
	for i, w := range words {
		if !strings.HasPrefix(w, "+") && !strings.HasPrefix(w, "~") {
			continue
		}
		r.Feed(t, strings.Join(append(append([]string{}, words[:i]...), words[i+1:]...), " "))
		if got := look(t, "redis", as("less")); got == all {
			t.Errorf("nothing is missed without %s", w)
		}
	}
}

package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func settings(d *server.Database, user, password string, more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(d.Port), "user": user, "tls": "verify", "ca": d.CA.PEM}
	if password != "" {
		s.Secrets["password"] = connectors.NewSecret(password)
	}
	for i := 0; i+1 < len(more); i += 2 {
		s.Plain[more[i]] = more[i+1]
	}
	return s
}

// withCertificate adds a client certificate.
func withCertificate(s connectors.Settings, c server.Issued) connectors.Settings {
	s = s.Clone()
	s.Plain["client_cert"], s.Secrets["client_key"] = c.Cert, connectors.NewSecret(c.Key)
	return s
}

// awkward has every character that a connection string would stumble over.
const awkward = `x' host='evil.example' sslmode='disable"@/#?%\:&;`

func startMariaDB(t testing.TB, many int) *server.Database {
	t.Helper()
	d := server.MariaDB(t)
	d.SQL(t, `CREATE DATABASE shop; CREATE DATABASE hidden; USE shop;
CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(80) COMMENT 'who buys', amount DECIMAL(10,2), note BLOB) COMMENT 'what was bought';
INSERT INTO orders SELECT seq, CONCAT('Customer ', seq), seq*1.5, NULL FROM seq_1_to_500;
CREATE VIEW big AS SELECT * FROM orders WHERE id > 400;
CREATE TABLE salaries (id INT, name VARCHAR(20), pay INT);
INSERT INTO salaries VALUES (1,'Ann',100);
CREATE TABLE written (a INT);
CREATE TABLE `+"`odd \u202e name\x01`"+` (a INT);
CREATE USER reader IDENTIFIED BY 'reader-practice'; GRANT SELECT ON shop.orders TO reader; GRANT SELECT ON shop.big TO reader; GRANT SELECT (id,name) ON shop.salaries TO reader; GRANT INSERT ON shop.written TO reader;
CREATE USER awkward IDENTIFIED BY '`+strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(awkward)+`'; GRANT SELECT ON shop.* TO awkward;
CREATE USER writer IDENTIFIED BY 'writer-practice'; GRANT ALL ON shop.* TO writer;
CREATE USER locked IDENTIFIED BY 'x-practice' ACCOUNT LOCK;
CREATE USER expired IDENTIFIED BY 'x-practice' PASSWORD EXPIRE;
CREATE USER tlsonly IDENTIFIED BY 'x-practice' REQUIRE SSL;
CREATE USER certified REQUIRE X509; GRANT SELECT ON shop.* TO certified;
CREATE USER named IDENTIFIED BY 'x-practice' REQUIRE SUBJECT '/CN=alice'; GRANT SELECT ON shop.* TO named;
CREATE DATABASE many;`)
	var views strings.Builder
	views.WriteString("USE many; SET autocommit=0;\n")
	for i := range many {
		fmt.Fprintf(&views, "CREATE VIEW v%04d AS SELECT 1;\n", i)
	}
	views.WriteString("GRANT SELECT ON many.* TO reader;\n")
	d.SQL(t, views.String())
	return d
}

func TestMariaDB(t *testing.T) {
	p := startMariaDB(t, 800)
	good := func(testing.TB) connectors.Settings { return settings(p, "reader", "reader-practice") }
	with := func(user, password string, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(p, user, password, more...) }
	}
	other := server.NewCA(t)
	alice, bob := p.CA.Issue(t, server.Cert{Name: "alice", Client: true}), p.CA.Issue(t, server.Cert{Name: "bob", Client: true})
	stranger := other.Issue(t, server.Cert{Name: "alice", Client: true})
	cert := func(c server.Issued, user, password string, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return withCertificate(settings(p, user, password, more...), c) }
	}
	t.Run("what is not there", func(t *testing.T) {
		notThere(t, mysqlType(), good(t), map[connectors.NodeID]bool{"nowhere": true, "shop.nothing": true, "shop": false})
	})
	conntest.Run(t, conntest.Suite{Type: mysqlType(), Good: good,
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: with("reader", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: with("nobody", "wrong-practice"), Code: connectors.AuthFailed, Field: "password"},
			{Name: "locked", Settings: with("locked", "x-practice"), Code: connectors.Denied, Field: "user"},
			{Name: "expired", Settings: with("expired", "x-practice"), Code: connectors.Expired, Field: "password"},
			{Name: "needs TLS", Settings: with("tlsonly", "x-practice", "tls", "off"), Code: connectors.AuthFailed},
			{Name: "no such database", Settings: with("reader", "reader-practice", "database", "nowhere"), Code: connectors.Denied, Field: "database"},
			{Name: "database not allowed", Settings: with("reader", "reader-practice", "database", "hidden"), Code: connectors.Denied, Field: "database"},
			{Name: "unknown authority", Settings: with("reader", "reader-practice", "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong name", Settings: with("reader", "reader-practice", "tls_name", "db.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "wrong host", Settings: with("reader", "reader-practice", "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "port 0", Settings: with("reader", "reader-practice", "port", "0"), Code: connectors.BadInput, Field: "port"},
			{Name: "certificate wanted, none there", Settings: with("certified", "", "auth", "certificate"), Code: connectors.BadInput, Field: "client_cert"},
			{Name: "certificate without TLS", Settings: cert(alice, "certified", "", "auth", "certificate", "tls", "off"), Code: connectors.BadInput, Field: "tls"},
			{Name: "another's certificate", Settings: cert(bob, "named", "x-practice"), Code: connectors.AuthFailed, Field: "password"},
			{Name: "a user without a certificate's rights", Settings: cert(alice, "reader", "", "auth", "certificate"), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "certificate of an unknown authority", Settings: cert(stranger, "certified", "", "auth", "certificate"), Code: connectors.AuthFailed, Field: "client_cert"},
		},
		Big:     &conntest.Big{Settings: good, Parent: "many", Count: 800},
		Hostile: &conntest.Place{Settings: with("awkward", awkward), Node: "shop"},
	})
	t.Run("client certificates sign in", func(t *testing.T) {
		for name, s := range map[string]connectors.Settings{
			"X509 alone": cert(alice, "certified", "", "auth", "certificate")(t), "subject and password": cert(alice, "named", "x-practice")(t),
		} {
			if err := try(t, mysqlType(), s); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("rights and comments", func(t *testing.T) {
		s := conntest.Open(t, mysqlType(), good(t))
		nodes := conntest.Below(t, s, "shop")
		for name, want := range map[string]connectors.Access{"orders": connectors.AccessReadable, "big": connectors.AccessReadable, "salaries": connectors.AccessListed, "written": ""} {
			if got := nodes[name].Access; got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		says(t, nodes["orders"], "Comment", "what was bought")
		says(t, conntest.Below(t, s, "shop.orders")["customer"], "Comment", "who buys")
		if got := conntest.Below(t, conntest.Open(t, mysqlType(), with("writer", "writer-practice")(t)), "shop")["written"].Access; got != connectors.AccessReadable {
			t.Errorf("with a right on the whole database: %q", got)
		}
	})
}

func says(t *testing.T, n connectors.Node, label, text string) {
	t.Helper()
	for _, f := range n.Facts {
		if f.Label == label && f.Text == text {
			return
		}
	}
	t.Errorf("%s: no fact %s = %s among %v", n.ID, label, text, n.Facts)
}

func startPostgres(t testing.TB, many int) *server.Database {
	t.Helper()
	d := server.Postgres(t, "host all rejected 127.0.0.1/32 reject", "hostssl all certified 127.0.0.1/32 cert", "hostssl all twofold 127.0.0.1/32 scram-sha-256 clientcert=verify-full", "host all iam 127.0.0.1/32 password")
	d.SQL(t, `CREATE DATABASE shop;
\c shop
CREATE SCHEMA closed; CREATE TABLE closed.t (a int); COMMENT ON SCHEMA closed IS 'nobody enters';
CREATE TABLE orders (id int primary key, customer text, amount numeric(10,2), doc jsonb, raw bytea);
COMMENT ON TABLE orders IS 'what was bought'; COMMENT ON COLUMN orders.customer IS 'who buys';
INSERT INTO orders SELECT i, 'Customer ' || i, i*1.5, '{"a":1}', '\x00ff' FROM generate_series(1,500) i;
ANALYZE orders;
CREATE VIEW big AS SELECT * FROM orders WHERE id > 400;
CREATE MATERIALIZED VIEW sums AS SELECT sum(amount) FROM orders;
CREATE TABLE years (y int, v text) PARTITION BY LIST (y); CREATE TABLE y2025 PARTITION OF years FOR VALUES IN (2025); INSERT INTO years VALUES (2025, 'x');
CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; CREATE FOREIGN TABLE outside (a text) SERVER files OPTIONS (filename '/etc/hostname');
CREATE TABLE salaries (id int, name text, pay int); INSERT INTO salaries VALUES (1,'Ann',100);
CREATE TABLE secret (a int);
CREATE TABLE U&"odd \202E name" (a int);
CREATE ROLE reader LOGIN PASSWORD 'reader-practice'; GRANT SELECT ON orders, big, sums, years, outside TO reader; GRANT SELECT (id,name) ON salaries TO reader;
CREATE ROLE awkward LOGIN PASSWORD '`+strings.ReplaceAll(awkward, `'`, `''`)+`';
CREATE ROLE rejected LOGIN PASSWORD 'x-practice'; CREATE ROLE nologin PASSWORD 'x-practice'; CREATE ROLE old LOGIN PASSWORD 'x-practice' VALID UNTIL '2001-01-01';
CREATE ROLE certified LOGIN; CREATE ROLE twofold LOGIN PASSWORD 'x-practice';
CREATE DATABASE private; REVOKE CONNECT ON DATABASE private FROM PUBLIC;
CREATE SCHEMA many; GRANT USAGE ON SCHEMA many TO reader;
DO $$ BEGIN FOR i IN 1..`+strconv.Itoa(many)+` LOOP EXECUTE 'CREATE VIEW many.v' || i || ' AS SELECT 1'; END LOOP; END $$;`)
	return d
}

func TestPostgreSQL(t *testing.T) {
	// What stands in the environment must not reach the connection.
	t.Setenv("PGHOST", "evil.invalid")
	t.Setenv("PGPASSWORD", "evil-practice")
	t.Setenv("PGSSLMODE", "disable")
	p := startPostgres(t, 3000)
	with := func(user, password string, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return settings(p, user, password, append([]string{"database", "shop"}, more...)...)
		}
	}
	good := with("reader", "reader-practice")
	t.Run("what is not there", func(t *testing.T) {
		p.SQL(t, "\\c shop\nCREATE SCHEMA empty; GRANT USAGE ON SCHEMA empty TO reader;")
		notThere(t, postgresType(), good(t), map[connectors.NodeID]bool{"nowhere": true, "public.nothing": true, "empty": false, "public": false})
		whole := settings(p, "reader", "reader-practice")
		notThere(t, postgresType(), whole, map[connectors.NodeID]bool{"nowhere": true, "shop.nowhere": true, "shop.empty": false})
	})
	other := server.NewCA(t)
	certified, bob := p.CA.Issue(t, server.Cert{Name: "certified", Client: true}), p.CA.Issue(t, server.Cert{Name: "bob", Client: true})
	both, stranger := p.CA.Issue(t, server.Cert{Name: "twofold", Client: true}), other.Issue(t, server.Cert{Name: "certified", Client: true})
	cert := func(c server.Issued, user, password string, more ...string) func(testing.TB) connectors.Settings {
		return func(t testing.TB) connectors.Settings { return withCertificate(with(user, password, more...)(t), c) }
	}
	conntest.Run(t, conntest.Suite{Type: postgresType(), Good: good,
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: with("reader", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: with("nobody", "wrong-practice"), Code: connectors.AuthFailed, Field: "password"},
			{Name: "expired", Settings: with("old", "x-practice"), Code: connectors.AuthFailed, Field: "password"},
			{Name: "no login", Settings: with("nologin", "x-practice"), Code: connectors.Denied, Field: "user"},
			{Name: "rejected by pg_hba", Settings: with("rejected", "x-practice"), Code: connectors.Denied, Field: "user"},
			{Name: "no such database", Settings: with("reader", "reader-practice", "database", "nowhere"), Code: connectors.NotFound, Field: "database"},
			{Name: "database not allowed", Settings: with("reader", "reader-practice", "database", "private"), Code: connectors.Denied, Field: "database"},
			{Name: "unknown authority", Settings: with("reader", "reader-practice", "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong host", Settings: with("reader", "reader-practice", "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "certificate needed, password sent", Settings: with("certified", "x-practice"), Code: connectors.Denied, Field: "user"},
			{Name: "certificate chosen, none there", Settings: with("certified", "", "auth", "certificate"), Code: connectors.BadInput, Field: "client_cert"},
			{Name: "another's certificate", Settings: cert(bob, "certified", "", "auth", "certificate"), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "certificate of an unknown authority", Settings: cert(stranger, "certified", "", "auth", "certificate"), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "certificate for an account with a password", Settings: cert(bob, "reader", "", "auth", "certificate"), Code: connectors.AuthFailed, Field: "client_cert"},
		},
		Big:     &conntest.Big{Settings: good, Parent: "many", Count: 3000},
		Hostile: &conntest.Place{Settings: good, Node: "public"},
	})
	t.Run("client certificates sign in", func(t *testing.T) {
		for name, s := range map[string]connectors.Settings{
			"certificate alone": cert(certified, "certified", "", "auth", "certificate")(t), "certificate and password": cert(both, "twofold", "x-practice")(t),
		} {
			if err := try(t, postgresType(), s); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("kinds, rights and comments", func(t *testing.T) {
		s := conntest.Open(t, postgresType(), good(t))
		catalogue(t, s, "public", true)
		_, err := s.(connectors.Tabler).Table(t.Context(), "public.secret", 10)
		if connectors.CodeOf(err) != connectors.Denied {
			t.Errorf("%v", err)
		}
		if n := conntest.Below(t, s, "")["closed"]; n.Access != connectors.AccessDenied {
			t.Errorf("a schema without USAGE: %+v", n)
		}
		if n := conntest.Below(t, s, "closed")["t"]; n.Access != connectors.AccessDenied {
			t.Errorf("a table in a schema without USAGE: %+v", n)
		}
	})
	t.Run("every database of the server", func(t *testing.T) { everyDatabase(t, settings(p, "reader", "reader-practice")) })
	t.Run("as an older server", func(t *testing.T) {
		s := conntest.Open(t, postgresType(), good(t))
		s.(*session).d.(*postgresDialect).flavour = flavourOf("PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC, Redshift 1.0.12103")
		catalogue(t, s, "public", false)
		if facts, err := s.Check(t.Context()); err != nil || facts[1].Text != "Amazon Redshift 1.0.12103" {
			t.Errorf("%v %v", facts, err)
		}
		if table, err := s.(connectors.Tabler).Table(t.Context(), "public.orders", 3); err != nil || len(table.Rows) != 3 {
			t.Errorf("%+v %v", table, err)
		}
	})
}

// catalogue looks at what startPostgres made, with what a new server tells.
func catalogue(t *testing.T, s connectors.Session, schema connectors.NodeID, modern bool) {
	t.Helper()
	nodes := conntest.Below(t, s, schema)
	kinds := map[string]string{"orders": "table", "big": "view", "sums": "materialized view", "years": "partitioned table", "outside": "foreign table"}
	rights := map[string]connectors.Access{"orders": connectors.AccessReadable, "secret": connectors.AccessDenied, "y2025": connectors.AccessDenied}
	if modern {
		kinds["y2025"], rights["salaries"] = "partition", connectors.AccessListed
	}
	for name, want := range kinds {
		if got := nodes[name].Kind; got != want {
			t.Errorf("%s is a %q, want a %s", name, got, want)
		}
	}
	for name, want := range rights {
		if got := nodes[name].Access; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	says(t, nodes["orders"], "Comment", "what was bought")
	says(t, nodes["orders"], "Rows", "about 500")
	column := conntest.Below(t, s, schema+".orders")["customer"]
	says(t, column, "Comment", "who buys")
	says(t, column, "Type", "text")
	for _, name := range []string{"big", "sums", "years", "outside"} {
		table, err := s.(connectors.Tabler).Table(t.Context(), schema+"."+connectors.NodeID(name), 5)
		if err != nil || len(table.Rows) == 0 {
			t.Errorf("%s: %+v %v", name, table, err)
		}
	}
}

// everyDatabase opens what lies below databases that were not named.
func everyDatabase(t *testing.T, whole connectors.Settings) {
	s := conntest.Open(t, postgresType(), whole)
	nodes := conntest.Below(t, s, "")
	if nodes["shop"].Access != connectors.AccessReadable || nodes["private"].Access != connectors.AccessDenied || nodes["shop"].Kind != "database" {
		t.Fatalf("%+v", nodes)
	}
	if _, ok := nodes["template0"]; ok {
		t.Error("templates are listed")
	}
	catalogue(t, s, "shop.public", true)
	for _, err := range s.(connectors.Browser).Children(t.Context(), "private") {
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Reason != "postgres.connect" {
			t.Errorf("%v", err)
		}
	}
	if _, err := s.(connectors.Tabler).Table(t.Context(), "shop", 5); connectors.CodeOf(err) != connectors.Unsupported {
		t.Errorf("a database's rows: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	for _, err := range s.(connectors.Browser).Children(t.Context(), "postgres") {
		if err == nil {
			t.Error("a closed session opens another database")
		}
	}
}

func try(t *testing.T, ty connectors.Type, s connectors.Settings) error {
	t.Helper()
	session, err := ty.Open(t.Context(), conntest.NewWorld(t).Env, s)
	if err == nil {
		_ = session.Close()
	}
	return err
}

// limits proves the row cap, the readable columns, and that an account which
// may write cannot do so through a preview's connection.
func limits(t *testing.T, ty connectors.Type, reader, writer connectors.Settings, whole, some connectors.NodeID) {
	s := conntest.Open(t, ty, reader)
	table, err := s.(connectors.Tabler).Table(t.Context(), whole, 10)
	if err != nil || len(table.Rows) != 10 || !table.Truncated {
		t.Fatalf("%+v %v", table, err)
	}
	table, err = s.(connectors.Tabler).Table(t.Context(), some, 10)
	if err != nil || len(table.Columns) != 2 {
		t.Errorf("columns that may be read: %+v %v", table, err)
	}
	inner := conntest.Open(t, ty, writer).(*session)
	for _, write := range []string{"CREATE TABLE %sjackfield_wrote (a INT)", "INSERT INTO %sorders (id) VALUES (100000)", "DROP TABLE %sorders"} {
		parts := split(whole)
		statement := fmt.Sprintf(write, inner.d.quote(parts[0])+".")
		err := inner.with(t.Context(), inner.db, "", func(ctx context.Context, q querier) error {
			_, err := q.ExecContext(ctx, statement)
			return err
		})
		if err == nil {
			t.Errorf("%s went through", write)
		}
	}
}

// writes proves that the statements of limits are right: they go through where
// nothing makes the connection read-only.
func writes(t *testing.T, db *sql.DB) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE jackfield_wrote (a INT)"); err != nil {
		t.Errorf("the account may not write at all: %v", err)
	}
}

func TestSecurity60And63_MariaDBPasswordIsNoText(t *testing.T) {
	p := startMariaDB(t, 0)
	if err := try(t, mysqlType(), settings(p, "awkward", awkward)); err != nil {
		t.Error(err)
	}
	t.Run("read only and limited", func(t *testing.T) {
		limits(t, mysqlType(), settings(p, "reader", "reader-practice"), settings(p, "writer", "writer-practice"), "shop.orders", "shop.salaries")
		s := conntest.Open(t, mysqlType(), settings(p, "writer", "writer-practice", "database", "shop"))
		writes(t, s.(*session).db)
	})
}

func TestSecurity60And63_PostgreSQLPasswordIsNoText(t *testing.T) {
	p := startPostgres(t, 0)
	if err := try(t, postgresType(), settings(p, "awkward", awkward, "database", "shop")); err != nil {
		t.Error(err)
	}
	t.Run("read only and limited", func(t *testing.T) {
		admin := settings(p, "postgres", server.PostgresPassword, "database", "shop")
		limits(t, postgresType(), settings(p, "reader", "reader-practice", "database", "shop"), admin, "public.orders", "public.salaries")
		writes(t, conntest.Open(t, postgresType(), admin).(*session).db)
	})
}

// notThere proves that an empty branch is told from one that does not exist.
func notThere(t *testing.T, ty connectors.Type, s connectors.Settings, gone map[connectors.NodeID]bool) {
	t.Helper()
	session := conntest.Open(t, ty, s)
	for id, want := range gone {
		var last error
		for _, err := range session.(connectors.Browser).Children(t.Context(), id) {
			last = err
		}
		if got := connectors.CodeOf(last) == connectors.NotFound; got != want || !want && last != nil {
			t.Errorf("below %s: %v", id, last)
		}
	}
}

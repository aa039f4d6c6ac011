package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// place is a started database server.
type place struct {
	port int
	ca   string
	dir  string
}

func settings(p place, user, password string, more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(p.port), "user": user, "tls": "verify", "ca": p.ca}
	s.Secrets["password"] = connectors.NewSecret(password)
	for i := 0; i+1 < len(more); i += 2 {
		s.Plain[more[i]] = more[i+1]
	}
	return s
}

// awkward has every character that a connection string would stumble over.
const awkward = `x' host='evil.example' sslmode='disable"@/#?%\:&;`

func startMariaDB(t testing.TB, many int) place {
	t.Helper()
	install := server.Program(t, "mariadb-install-db", "mariadb-server")
	daemon := server.Program(t, "mariadbd", "mariadb-server")
	client := server.Program(t, "mariadb", "mariadb-client")
	dir := t.TempDir()
	ca := server.NewCA(t)
	cert, key := ca.Issue(t, server.Cert{}).Write(t, dir, "")
	caFile := server.WriteFile(t, dir, "ca.pem", ca.PEM, 0o644)
	data := filepath.Join(dir, "data")
	server.Run(t, install, "--no-defaults", "--user=root", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	p := place{port: server.FreePort(t), ca: ca.PEM, dir: dir}
	sock := filepath.Join(dir, "s.sock")
	server.Start(t, exec.Command(daemon, "--no-defaults", "--user=root", "--datadir="+data, "--socket="+sock, "--port="+strconv.Itoa(p.port), "--bind-address=127.0.0.1", "--pid-file="+filepath.Join(dir, "pid"), "--ssl-ca="+caFile, "--ssl-cert="+cert, "--ssl-key="+key, "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"), "127.0.0.1:"+strconv.Itoa(p.port))
	seed := `CREATE DATABASE shop; CREATE DATABASE hidden; USE shop;
CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(80), amount DECIMAL(10,2), note BLOB);
INSERT INTO orders SELECT seq, CONCAT('Customer ', seq), seq*1.5, NULL FROM seq_1_to_500;
CREATE VIEW big AS SELECT * FROM orders WHERE id > 400;
CREATE TABLE salaries (id INT, name VARCHAR(20), pay INT);
INSERT INTO salaries VALUES (1,'Ann',100);
CREATE TABLE ` + "`odd \u202e name\x01`" + ` (a INT);
CREATE USER reader IDENTIFIED BY 'reader-practice'; GRANT SELECT ON shop.orders TO reader; GRANT SELECT ON shop.big TO reader; GRANT SELECT (id,name) ON shop.salaries TO reader;
CREATE USER awkward IDENTIFIED BY '` + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(awkward) + `'; GRANT SELECT ON shop.* TO awkward;
CREATE USER writer IDENTIFIED BY 'writer-practice'; GRANT ALL ON shop.* TO writer;
CREATE USER locked IDENTIFIED BY 'x-practice' ACCOUNT LOCK;
CREATE USER expired IDENTIFIED BY 'x-practice' PASSWORD EXPIRE;
CREATE USER tlsonly IDENTIFIED BY 'x-practice' REQUIRE SSL;
CREATE DATABASE many; USE many;`
	cmd := exec.Command(client, "--no-defaults", "--socket="+sock, "-uroot")
	cmd.Stdin = strings.NewReader(seed)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}
	var views strings.Builder
	views.WriteString("USE many; SET autocommit=0;\n")
	for i := range many {
		fmt.Fprintf(&views, "CREATE VIEW v%04d AS SELECT 1;\n", i)
	}
	views.WriteString("GRANT SELECT ON many.* TO reader;\n")
	cmd = exec.Command(client, "--no-defaults", "--socket="+sock, "-uroot")
	cmd.Stdin = strings.NewReader(views.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}
	return p
}

func TestMariaDB(t *testing.T) {
	p := startMariaDB(t, 1500)
	good := func(testing.TB) connectors.Settings { return settings(p, "reader", "reader-practice") }
	with := func(user, password string, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return settings(p, user, password, more...) }
	}
	other := server.NewCA(t)
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
		},
		Big:     &conntest.Big{Settings: good, Parent: "many", Count: 1500},
		Hostile: &conntest.Place{Settings: with("awkward", awkward), Node: "shop"},
	})
}

func startPostgres(t testing.TB, many int) place {
	t.Helper()
	initdb := server.Program(t, "initdb", "postgresql")
	daemon := filepath.Join(filepath.Dir(initdb), "postgres")
	dir, err := os.MkdirTemp("/tmp", "jf-pg-*") // a folder that the user postgres may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ca := server.NewCA(t)
	ca.Issue(t, server.Cert{}).Write(t, dir, "")
	server.WriteFile(t, dir, "pw", "admin-practice", 0o644)
	server.Run(t, "chown", "-R", "postgres", dir)
	data := filepath.Join(dir, "data")
	server.Run(t, "runuser", "-u", "postgres", "--", initdb, "-D", data, "-A", "scram-sha-256", "--pwfile="+dir+"/pw", "-U", "postgres", "-N")
	p := place{port: server.FreePort(t), ca: ca.PEM, dir: dir}
	conf := fmt.Sprintf("listen_addresses='127.0.0.1'\nport=%d\nunix_socket_directories='%s'\nssl=on\nssl_cert_file='%s/cert.pem'\nssl_key_file='%s/key.pem'\nfsync=off\nmax_locks_per_transaction=1024\n", p.port, dir, dir, dir)
	server.WriteFile(t, data, "postgresql.conf", conf, 0o644)
	server.WriteFile(t, data, "pg_hba.conf", "local all all scram-sha-256\nhost all rejected 127.0.0.1/32 reject\nhost all all 127.0.0.1/32 scram-sha-256\n", 0o644)
	cmd := exec.Command(daemon, "-D", data)
	cmd.Dir = dir
	runAs(t, cmd, "postgres")
	server.Start(t, cmd, "127.0.0.1:"+strconv.Itoa(p.port))
	seed := `CREATE DATABASE shop;
\c shop
CREATE SCHEMA closed; CREATE TABLE closed.t (a int);
CREATE TABLE orders (id int primary key, customer text, amount numeric(10,2), doc jsonb, raw bytea);
INSERT INTO orders SELECT i, 'Customer ' || i, i*1.5, '{"a":1}', '\x00ff' FROM generate_series(1,500) i;
CREATE VIEW big AS SELECT * FROM orders WHERE id > 400;
CREATE TABLE salaries (id int, name text, pay int); INSERT INTO salaries VALUES (1,'Ann',100);
CREATE TABLE secret (a int);
CREATE TABLE U&"odd \202E name" (a int);
CREATE ROLE reader LOGIN PASSWORD 'reader-practice'; GRANT SELECT ON orders, big TO reader; GRANT SELECT (id,name) ON salaries TO reader;
CREATE ROLE awkward LOGIN PASSWORD '` + strings.ReplaceAll(awkward, `'`, `''`) + `';
CREATE ROLE rejected LOGIN PASSWORD 'x-practice'; CREATE ROLE nologin PASSWORD 'x-practice'; CREATE ROLE old LOGIN PASSWORD 'x-practice' VALID UNTIL '2001-01-01';
CREATE DATABASE private; REVOKE CONNECT ON DATABASE private FROM PUBLIC;
CREATE SCHEMA many; GRANT USAGE ON SCHEMA many TO reader;
DO $$ BEGIN FOR i IN 1..` + strconv.Itoa(many) + ` LOOP EXECUTE 'CREATE VIEW many.v' || i || ' AS SELECT 1'; END LOOP; END $$;`
	cmd = exec.Command(server.Program(t, "psql", "postgresql-client"), "-q", "-v", "ON_ERROR_STOP=1", "-h", dir, "-p", strconv.Itoa(p.port), "-U", "postgres")
	cmd.Env = append(os.Environ(), "PGPASSWORD=admin-practice")
	cmd.Stdin = strings.NewReader(seed)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("seed: %v\n%s", err, out)
	}
	return p
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
	other := server.NewCA(t)
	conntest.Run(t, conntest.Suite{Type: postgresType(), Good: good,
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: with("reader", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: with("nobody", "wrong-practice"), Code: connectors.AuthFailed, Field: "password"},
			{Name: "expired", Settings: with("old", "x-practice"), Code: connectors.AuthFailed, Field: "password"},
			{Name: "no login", Settings: with("nologin", "x-practice"), Code: connectors.Denied, Field: "user"},
			{Name: "rejected by pg_hba", Settings: with("rejected", "x-practice"), Code: connectors.Denied, Field: "user"},
			{Name: "no such database", Settings: with("reader", "reader-practice", "database", "nowhere"), Code: connectors.NotFound, Field: "database"},
			{Name: "unknown authority", Settings: with("reader", "reader-practice", "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong host", Settings: with("reader", "reader-practice", "host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
		},
		Big:     &conntest.Big{Settings: good, Parent: "many", Count: 3000},
		Hostile: &conntest.Place{Settings: good, Node: "public"},
	})
	t.Run("a denied table is marked and refuses", func(t *testing.T) {
		s := mustOpen(t, postgresType(), good(t))
		_, err := s.(connectors.Tabler).Table(t.Context(), "public.secret", 10)
		if connectors.CodeOf(err) != connectors.Denied {
			t.Errorf("%v", err)
		}
		for n, err := range s.(connectors.Browser).Children(t.Context(), "public") {
			if err != nil {
				t.Fatal(err)
			}
			if n.Name == "secret" && n.Access != connectors.AccessDenied {
				t.Errorf("%+v is not marked", n)
			}
		}
	})
}

func mustOpen(t testing.TB, ty connectors.Type, s connectors.Settings) connectors.Session {
	t.Helper()
	session, err := ty.Open(context.Background(), conntest.NewWorld(t).Env, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
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
	s := mustOpen(t, ty, reader)
	table, err := s.(connectors.Tabler).Table(t.Context(), whole, 10)
	if err != nil || len(table.Rows) != 10 || !table.Truncated {
		t.Fatalf("%+v %v", table, err)
	}
	table, err = s.(connectors.Tabler).Table(t.Context(), some, 10)
	if err != nil || len(table.Columns) != 2 {
		t.Errorf("columns that may be read: %+v %v", table, err)
	}
	inner := mustOpen(t, ty, writer).(*session)
	for _, write := range []string{"CREATE TABLE %sjackfield_wrote (a INT)", "INSERT INTO %sorders (id) VALUES (100000)", "DROP TABLE %sorders"} {
		// The statements are right: the same connection runs them once it is not made read-only.
		parts := split(whole)
		err := inner.with(t.Context(), "", func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, fmt.Sprintf(write, inner.d.quote(parts[0])+"."))
			return err
		})
		if err == nil {
			t.Errorf("%s went through", write)
		}
	}
}

func TestSecurity60And63_MariaDBPasswordIsNoText(t *testing.T) {
	p := startMariaDB(t, 0)
	if err := try(t, mysqlType(), settings(p, "awkward", awkward)); err != nil {
		t.Error(err)
	}
	t.Run("read only and limited", func(t *testing.T) {
		limits(t, mysqlType(), settings(p, "reader", "reader-practice"), settings(p, "writer", "writer-practice"), "shop.orders", "shop.salaries")
	})
}

func TestSecurity60And63_PostgreSQLPasswordIsNoText(t *testing.T) {
	p := startPostgres(t, 0)
	if err := try(t, postgresType(), settings(p, "awkward", awkward, "database", "shop")); err != nil {
		t.Error(err)
	}
	t.Run("read only and limited", func(t *testing.T) {
		limits(t, postgresType(), settings(p, "reader", "reader-practice", "database", "shop"), settings(p, "postgres", "admin-practice", "database", "shop"), "public.orders", "public.salaries")
	})
}

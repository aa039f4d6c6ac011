package sqldb

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestMain(m *testing.M) { conntest.Main(m, Types()...) }

const many = 20_000

// BenchmarkTables20kMariaDB lists 20,000 tables' names with their kind and
// estimated rows, and compares with the mariadb client asking for the same.
func BenchmarkTables20kMariaDB(b *testing.B) {
	p := startMariaDB(b, many)
	client := server.Program(b, "mariadb", "mariadb-client")
	query := "SELECT table_name, table_type, table_rows FROM information_schema.tables WHERE table_schema='many'"
	native := func() *exec.Cmd {
		return exec.Command(client, "--no-defaults", "-h127.0.0.1", "-P"+strconv.Itoa(p.Port), "-ureader", "-preader-practice", "--quick", "-N", "-e", query)
	}
	conntest.Race(b, "mariadb", native, nil, conntest.NewJob(mysqlType(), settings(p, "reader", "reader-practice", "tls", "off"), "many", many))
}

// BenchmarkTables20kPostgreSQLDt lists 20,000 tables, and compares with psql's \dt.
func BenchmarkTables20kPostgreSQLDt(b *testing.B) {
	p := startPostgres(b, 0)
	p.SQL(b, "\\c shop\nCREATE SEQUENCE many.n;")
	for range 20 { // locks are held until a transaction's end
		p.SQL(b, "\\c shop\nDO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE 'CREATE TABLE many.t' || nextval('many.n') || ' (a int)'; END LOOP; END $$;")
	}
	client := server.Program(b, "psql", "postgresql-client")
	native := func() *exec.Cmd {
		c := exec.Command(client, "-At", "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port), "-U", "postgres", "-d", "shop", "-c", `\dt many.*`)
		c.Env = append(os.Environ(), "PGPASSWORD="+server.PostgresPassword, "PGSSLMODE=disable", "HOME="+filepath.Dir(p.Dir))
		return c
	}
	conntest.Race(b, "psql", native, nil, conntest.NewJob(postgresType(), settings(p, "postgres", server.PostgresPassword, "database", "shop", "tls", "off"), "many", many))
}

// BenchmarkTables20kPostgreSQL is the same of views against psql asking for no
// more than what it needs.
func BenchmarkTables20kPostgreSQL(b *testing.B) {
	p := startPostgres(b, many)
	client := server.Program(b, "psql", "postgresql-client")
	query := "SELECT relname, relkind, reltuples FROM pg_class c JOIN pg_namespace n ON n.oid=relnamespace WHERE nspname='many' AND has_table_privilege(c.oid,'SELECT')"
	native := func() *exec.Cmd {
		c := exec.Command(client, "-At", "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port), "-U", "postgres", "-d", "shop", "-c", query)
		c.Env = append(os.Environ(), "PGPASSWORD="+server.PostgresPassword, "PGSSLMODE=disable", "HOME="+filepath.Dir(p.Dir))
		return c
	}
	conntest.Race(b, "psql", native, nil, conntest.NewJob(postgresType(), settings(p, "postgres", server.PostgresPassword, "database", "shop", "tls", "off"), "many", many))
}

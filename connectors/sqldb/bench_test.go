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

func TestMain(m *testing.M) { conntest.Main(m, mysqlType(), postgresType(), sqliteType()) }

const many = 20_000

// BenchmarkTables20kMariaDB lists 20,000 tables' names with their kind and
// estimated rows, and compares with the mariadb client asking for the same.
func BenchmarkTables20kMariaDB(b *testing.B) {
	p := startMariaDB(b, many)
	client := server.Program(b, "mariadb", "mariadb-client")
	query := "SELECT table_name, table_type, table_rows FROM information_schema.tables WHERE table_schema='many'"
	native := func() *exec.Cmd {
		return exec.Command(client, "--no-defaults", "-h127.0.0.1", "-P"+strconv.Itoa(p.port), "-ureader", "-preader-practice", "--quick", "-N", "-e", query)
	}
	conntest.Race(b, "mariadb", native, nil, conntest.NewJob(mysqlType(), settings(p, "reader", "reader-practice", "tls", "off"), "many", many))
}

// BenchmarkTables20kPostgreSQL is the same against psql.
func BenchmarkTables20kPostgreSQL(b *testing.B) {
	p := startPostgres(b, many)
	client := server.Program(b, "psql", "postgresql-client")
	query := "SELECT relname, relkind, reltuples FROM pg_class c JOIN pg_namespace n ON n.oid=relnamespace WHERE nspname='many' AND has_table_privilege(c.oid,'SELECT')"
	native := func() *exec.Cmd {
		c := exec.Command(client, "-At", "-h", "127.0.0.1", "-p", strconv.Itoa(p.port), "-U", "postgres", "-d", "shop", "-c", query)
		c.Env = append(os.Environ(), "PGPASSWORD=admin-practice", "PGSSLMODE=disable", "HOME="+filepath.Dir(p.dir))
		return c
	}
	conntest.Race(b, "psql", native, nil, conntest.NewJob(postgresType(), settings(p, "postgres", "admin-practice", "database", "shop", "tls", "off"), "many", many))
}

package sqldb

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

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
	race(b, "mariadb", native, mysqlType(), settings(p, "reader", "reader-practice", "tls", "off"))
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
	race(b, "psql", native, postgresType(), settings(p, "postgres", "admin-practice", "database", "shop", "tls", "off"))
}

// race times both, from connecting to the last name, and until the first 100.
func race(b *testing.B, name string, native func() *exec.Cmd, ty connectors.Type, s connectors.Settings) {
	theirs(b, native()) // warms the server's caches for both
	var ourFirst, ourTotal, theirFirst, theirTotal time.Duration
	for b.Loop() {
		f, all := theirs(b, native())
		theirFirst, theirTotal = theirFirst+f, theirTotal+all
		f, all = ours(b, ty, s)
		ourFirst, ourTotal = ourFirst+f, ourTotal+all
	}
	b.ReportMetric(float64(ourTotal)/float64(theirTotal), "total/"+name)
	b.ReportMetric(float64(ourFirst)/float64(theirFirst), "first100/"+name)
	b.ReportMetric(float64(ourTotal.Milliseconds())/float64(b.N), "ms/list")
}

func ours(b *testing.B, ty connectors.Type, s connectors.Settings) (first, all time.Duration) {
	start := time.Now()
	session := mustOpen(b, ty, s)
	n := 0
	for _, err := range session.(connectors.Browser).Children(b.Context(), "many") {
		if err != nil {
			b.Fatal(err)
		}
		if n++; n == 100 {
			first = time.Since(start)
		}
	}
	all = time.Since(start)
	_ = session.Close()
	if n < many {
		b.Fatalf("%d names", n)
	}
	return first, all
}

func theirs(b *testing.B, cmd *exec.Cmd) (first, all time.Duration) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n++; n == 100 {
			first = time.Since(start)
		}
	}
	if err := cmd.Wait(); err != nil || n < many {
		b.Fatalf("%d lines, %v", n, err)
	}
	return first, time.Since(start)
}

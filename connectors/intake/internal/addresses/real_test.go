package addresses_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/intake/internal/addresses"
)

// awkward are names and passwords with what addresses give a meaning to.
var awkward = []string{`plain`, `p@ss`, `a/b#c?d`, `100%`, `it's "x" \y`, `a:b;c=d`, `{br}}ace`, ` sp ace `, `%41+`, `&x=1,ü`}

func quoted(v string) string { return "'" + strings.ReplaceAll(v, "'", "''") + "'" }

// psql signs in and says who it is, and where; target is "" for what the
// environment says.
func psql(t *testing.T, target string, env ...string) string {
	t.Helper()
	args := []string{"-X", "-A", "-t", "-c", "select current_user || '|' || current_database()"}
	if target != "" {
		args = append([]string{"-d", target}, args...)
	}
	cmd := exec.CommandContext(t.Context(), server.Program(t, "psql", "postgresql-client"), args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8"}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("psql: %v\n%s", err, out)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// libpq is the environment that opens a reading.
func libpq(s connectors.Settings) []string {
	return []string{"PGHOST=" + s.Plain["host"], "PGPORT=" + s.Plain["port"], "PGUSER=" + s.Plain["user"], "PGDATABASE=" + s.Plain["database"], "PGPASSWORD=" + s.Secrets["password"].Reveal(), "PGSSLMODE=disable"}
}

// TestPostgresOpensTheSame: psql by the address, and psql by what was understood
// of it, are the same user in the same database. The ODBC driver too.
func TestPostgresOpensTheSame(t *testing.T) {
	db := server.Postgres(t)
	types := all.All()
	var setup strings.Builder
	for i, v := range awkward {
		role, base := quotedName(named("u", i, v)), quotedName(named("d", i, v))
		fmt.Fprintf(&setup, "create role %s login password %s;\ncreate database %s owner %s;\n", role, quoted(v), base, role)
		fmt.Fprintf(&setup, "create role o%d login password %s;\n", i, quoted(v))
	}
	db.SQL(t, setup.String())
	port := strconv.Itoa(db.Port)
	libpqValue := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for i, v := range awkward {
		user, base := named("u", i, v), named("d", i, v)
		escaped := func(v string) string { return strings.ReplaceAll(url.QueryEscape(v), "+", "%20") }
		for _, target := range []string{
			"postgresql://" + escaped(user) + ":" + escaped(v) + "@127.0.0.1:" + port + "/" + escaped(base) + "?sslmode=disable",
			"postgres:///" + escaped(base) + "?host=127.0.0.1&port=" + port + "&user=" + escaped(user) + "&password=" + escaped(v),
			"host=127.0.0.1 port=" + port + " user='" + libpqValue.Replace(user) + "' password = '" + libpqValue.Replace(v) + "' dbname='" + libpqValue.Replace(base) + "'",
		} {
			it, ok := addresses.Parse(types, target)
			if !ok {
				t.Errorf("%s is not understood", target)
				continue
			}
			theirs, ours := psql(t, target), psql(t, "", libpq(it.Readings[0].Settings)...)
			if want := user + "|" + base; theirs != want || ours != want {
				t.Errorf("%s\n psql %s\n here %s", target, theirs, ours)
			}
		}
		odbc(t, types, port, "o"+strconv.Itoa(i), "d0plain", v) // the driver has no quoting for names
	}
}

// named is a name without blanks at its end: forms take those off.
func named(kind string, i int, v string) string {
	return strings.TrimSpace(kind + strconv.Itoa(i) + v)
}

func quotedName(v string) string { return `"` + strings.ReplaceAll(v, `"`, `""`) + `"` }

// odbc signs in by unixODBC with the password in braces.
func odbc(t *testing.T, types []connectors.Type, port, user, base, password string) {
	t.Helper()
	target := "Driver={PostgreSQL Unicode};Server=127.0.0.1;Port=" + port + ";Database=" + base + ";Uid=" + user + ";Pwd={" + strings.ReplaceAll(password, "}", "}}") + "};SSLmode=disable;"
	it, ok := addresses.Parse(types, target)
	if !ok {
		t.Errorf("%s is not understood", target)
		return
	}
	if ours := psql(t, "", libpq(it.Readings[0].Settings)...); ours != user+"|"+base {
		t.Errorf("%s\n here %s", target, ours)
	}
	cmd := exec.CommandContext(t.Context(), server.Program(t, "isql", "unixodbc"), "-k", "-b", "-x0x7c", target)
	cmd.Stdin = strings.NewReader("select current_user || '|' || current_database()\n")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), user+"|"+base) {
		t.Errorf("%s\n isql %v\n%s", target, err, out)
	}
}

const makeURL = `
import json, sys
from sqlalchemy.engine import make_url
out = []
for text in json.load(sys.stdin):
    u = make_url(text)
    out.append([u.username or "", u.password or "", u.host or "", str(u.port or ""), u.database or ""])
json.dump(out, sys.stdout)
`

// TestSQLAlchemyAgrees: its make_url takes the same addresses apart the same way.
func TestSQLAlchemyAgrees(t *testing.T) {
	var list []string
	for _, v := range awkward {
		for _, shape := range []string{"postgresql+psycopg2://u%[1]s:%[1]s@db.example.com:5433/sales", "mysql+pymysql://%[1]s:x%[1]s@[2001:db8::5]/shop?charset=utf8mb4", "mssql+pymssql://sa:%[1]s@sql.example.com:1444/Sales", "oracle+oracledb://scott:%[1]s@10.0.0.5:1521/ORCL"} {
			list = append(list, strings.ReplaceAll(shape, "%[1]s", url.PathEscape(strings.NewReplacer("@", "\x01", ":", "\x02").Replace(v))))
		}
	}
	for i := range list {
		list[i] = strings.NewReplacer("%01", "%40", "%02", "%3A", "$", "%24").Replace(list[i])
	}
	list = append(list, "postgresql://scott:kx%25jj5%2Fg@localhost/mydb", "postgresql://db.example.com", "mysql://mira@db.example.com/", "postgresql://mira:p+w@db.example.com/sales", "mariadb://mira:a%zz@db.example.com/shop", "postgresql+asyncpg://:pw@db.example.com/x")
	in, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", makeURL) // Debian's, which has python3-sqlalchemy
	cmd.Stdin = strings.NewReader(string(in))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3-sqlalchemy: %v", err)
	}
	var theirs [][5]string
	if err := json.Unmarshal(out, &theirs); err != nil || len(theirs) != len(list) {
		t.Fatalf("%v %s", err, out)
	}
	types := all.All()
	for i, text := range list {
		it, ok := addresses.Parse(types, text)
		if !ok {
			t.Errorf("%s is not understood", text)
			continue
		}
		s := it.Readings[0].Settings
		name := s.Plain["database"]
		if it.Readings[0].Type == "oracle" {
			name = s.Plain["sid"]
		}
		// The form takes blanks off around a user's name.
		theirs[i][0] = strings.TrimSpace(theirs[i][0])
		if ours := [5]string{s.Plain["user"], s.Secrets["password"].Reveal(), s.Plain["host"], s.Plain["port"], name}; ours != theirs[i] {
			t.Errorf("%s\n here %q\nthere %q", text, ours, theirs[i])
		}
	}
}

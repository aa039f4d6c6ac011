package use

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors/conntest/server"
)

// person is one role of the database server's.
type person struct {
	Given
	user, database string
	index          int
}

// people makes a role for each nasty password; their names and databases are
// nasty too where both can be made.
func people(t *testing.T, id string, d *server.Database, sql func(user, password, database string) string) []person {
	t.Helper()
	var out []person
	var statements strings.Builder
	for i, password := range nasty {
		user, database := fmt.Sprintf("reader%d", i), "shop"
		if i == 1 {
			user, database = `an'n "b@c/d%41:e\`, `sh'op "b@c/d%41:e`+"`$x"
		}
		statements.WriteString(sql(user, password, database))
		out = append(out, person{as(t, id, "host", "127.0.0.1", "port", strconv.Itoa(d.Port), "user", user, "password", password, "database", database, "tls", "verify", "ca", d.CA.PEM), user, database, i})
	}
	d.SQL(t, statements.String())
	return out
}

const whoPostgres = "select current_user || '|' || current_database() || '|' || (select ssl from pg_stat_ssl where pid = pg_backend_pid())"

func (p person) signedIn() string { return p.user + "|" + p.database + "|true" }

func TestPostgresTools(t *testing.T) {
	t.Parallel()
	d := server.Postgres(t)
	d.SQL(t, "create database shop;")
	all := people(t, "postgres", d, func(user, password, database string) string {
		out := "create role " + sqlName(user) + " login password " + sqlText(password) + ";\n"
		if database != "shop" {
			out += "create database " + sqlName(database) + ";\n"
		}
		return out
	})
	psql := server.Program(t, "psql", "postgresql-client")
	for _, format := range []string{"uri", "libpq", "pgpass", "pg-service", "psql", "odbc-ini", "odbc", "sqlalchemy", "jdbc"} {
		t.Run(format, func(t *testing.T) {
			dir, kept := t.TempDir(), 0
			var list []person
			for _, p := range all {
				text, ok := held(t, format, p.Given, Options{Profile: "shop" + strconv.Itoa(p.index), Folder: dir}, "password", "user", "database")
				if !ok {
					continue
				}
				kept++
				file := saved(t, dir, strconv.Itoa(p.index)+"-text", text)
				list = append(list, p)
				var got string
				var err error
				switch format {
				case "uri":
					// Out of a file, so that no password is an argument.
					got, err = tool(t, dir, nil, "\\set given `cat "+file+"`\n\\connect :given\n"+whoPostgres+";\n", psql, "-XAtq", "host=127.0.0.1 port="+p.Settings.Plain["port"]+" user=postgres dbname=postgres passfile="+server.WriteFile(t, dir, "admin", "*:*:*:postgres:"+server.PostgresPassword+"\n", 0o600))
				case "pgpass":
					got, err = tool(t, dir, []string{"PGPASSFILE=" + file, "PGSSLMODE=verify-full", "PGSSLROOTCERT=" + server.WriteFile(t, dir, "ca.pem", d.CA.PEM, 0o644)}, whoPostgres, psql, "-XAtq", "-h", "127.0.0.1", "-p", p.Settings.Plain["port"], "-U", p.user, "-d", p.database)
				case "pg-service":
					got, err = tool(t, dir, []string{"PGSERVICEFILE=" + file, "PGSERVICE=shop" + strconv.Itoa(p.index)}, whoPostgres, psql, "-XAtq")
				case "psql":
					got, err = tool(t, dir, nil, whoPostgres, "sh", "-c", `. "$1"`, "sh", server.WriteFile(t, dir, "run.sh", strings.TrimSpace(text.Body.Reveal())+" -XAtq\n", 0o600))
				case "odbc-ini":
					got, err = tool(t, dir, []string{"ODBCINI=" + file, "PGSSLROOTCERT=" + dir + "/shop" + strconv.Itoa(p.index) + "-ca.pem"}, strings.ReplaceAll(whoPostgres, "\n", " ")+"\n", server.Program(t, "isql", "unixodbc"), "-b", "-d,", "shop"+strconv.Itoa(p.index))
				default:
					continue
				}
				if err != nil || !strings.Contains(got, p.signedIn()) {
					t.Errorf("password %d: %v\n%s", p.index, err, got)
				}
			}
			if scripts[format] != "" { // one start of the interpreter for all
				checkAll(t, dir, format, list)
			}
			if kept < len(nasty)-3 {
				t.Errorf("only %d of %d are held", kept, len(nasty))
			}
		})
	}
}

func checkAll(t *testing.T, dir, format string, list []person) {
	t.Helper()
	files := []string{whoPostgres}
	if list[0].Type.ID == "mysql" {
		files[0] = whoMySQL
	}
	for _, p := range list {
		files = append(files, dir+"/"+strconv.Itoa(p.index)+"-text")
	}
	got, err := python(t, dir, []string{"JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1", "PGSSLROOTCERT=" + server.WriteFile(t, dir, "root.pem", list[0].Settings.Plain["ca"], 0o600)}, scripts[format], files...)
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	for _, p := range list {
		if !strings.Contains(got, p.signedIn()+"\n") {
			t.Errorf("password %d is refused:\n%s", p.index, got)
		}
	}
}

// scripts sign in with each file and tell who they are. libpq itself is asked
// through a thin module: psql's \connect takes quotes off once more.
var scripts = map[string]string{"libpq": libpqScript, "odbc": odbcScript, "sqlalchemy": alchemyScript, "jdbc": jdbcScript}

const alchemyScript = `
import sys, sqlalchemy
for name in sys.argv[2:]:
    try:
        e = sqlalchemy.create_engine(open(name).read().rstrip("\n"))
        with e.connect() as c:
            print(c.exec_driver_sql(sys.argv[1].replace("%", "%%")).scalar())
    except Exception as err:
        print(name, err)
`

const libpqScript = `
import sys, psycopg2
for name in sys.argv[2:]:
    try:
        q = psycopg2.connect(open(name).read()).cursor()
        q.execute(sys.argv[1])
        print(q.fetchone()[0])
    except Exception as err:
        print(name, err)
`

const jdbcScript = `
import sys, jpype, jpype.imports
jpype.startJVM(classpath=["/usr/share/java/postgresql.jar", "/usr/share/java/org.jpype.jar"])
from java.util import Properties
from java.io import FileInputStream
from java.sql import DriverManager
for name in sys.argv[2:]:
    try:
        p = Properties()
        p.load(FileInputStream(name))
        c = DriverManager.getConnection(p.remove("url"), p)
        r = c.createStatement().executeQuery(sys.argv[1])
        r.next()
        print(r.getString(1))
        c.close()
    except Exception as err:
        print(name, err)
`

// odbcScript connects as SQLDriverConnect does, with a string out of a file.
const odbcScript = `
import ctypes, sys
o = ctypes.CDLL("libodbc.so.2")
P = ctypes.c_void_p
env = P()
o.SQLAllocHandle(1, None, ctypes.byref(env))
o.SQLSetEnvAttr(env, 200, P(3), 0)
q = sys.argv[1].encode()
for name in sys.argv[2:]:
    dbc, st, b = P(), P(), ctypes.create_string_buffer(512)
    o.SQLAllocHandle(2, env, ctypes.byref(dbc))
    text = open(name, "rb").read().rstrip(b"\n")
    if o.SQLDriverConnect(dbc, None, text, len(text), None, 0, None, 0) not in (0, 1):
        o.SQLGetDiagRec(2, dbc, 1, ctypes.create_string_buffer(6), None, b, 512, None)
        print(name, b.value.decode())
        continue
    o.SQLAllocHandle(3, dbc, ctypes.byref(st))
    o.SQLExecDirect(st, q, len(q))
    o.SQLFetch(st)
    o.SQLGetData(st, 1, 1, b, 512, ctypes.byref(ctypes.c_long()))
    print(b.value.decode())
    o.SQLDisconnect(dbc)
`

const whoMySQL = "select concat(left(user(), char_length(user()) - char_length(substring_index(user(), '@', -1)) - 1), '|', database(), '|', if((select variable_value from information_schema.session_status where variable_name = 'Ssl_cipher') <> '', 'true', 'false'))"

func TestMySQLTools(t *testing.T) {
	t.Parallel()
	d := server.MariaDB(t)
	quoted := func(v string) string {
		return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`).Replace(v) + "'"
	}
	name := func(v string) string { return "`" + strings.ReplaceAll(v, "`", "``") + "`" }
	all := people(t, "mysql", d, func(user, password, database string) string {
		return "create database if not exists " + name(database) + ";\ncreate user " + quoted(user) + "@'%' identified by " + quoted(password) + ";\ngrant select on *.* to " + quoted(user) + "@'%';\n"
	})
	client := server.Program(t, "mariadb", "mariadb-client")
	for _, format := range []string{"my-cnf", "mysql", "sqlalchemy"} {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			var list []person
			for _, p := range all {
				text, ok := held(t, format, p.Given, Options{Profile: "shop" + strconv.Itoa(p.index), Folder: dir}, "password", "user", "database")
				if !ok {
					if format != "sqlalchemy" || p.index != 5 { // PyMySQL takes ASCII alone
						t.Errorf("password %d is not held", p.index)
					}
					continue
				}
				file := saved(t, dir, strconv.Itoa(p.index)+"-text", text)
				list = append(list, p)
				var got string
				var err error
				switch format {
				case "my-cnf":
					got, err = tool(t, dir, nil, whoMySQL2, client, "--defaults-file="+file, "-N", "-B", "-r")
				case "mysql":
					got, err = tool(t, dir, nil, whoMySQL2, "sh", server.WriteFile(t, dir, "run.sh", strings.TrimSpace(text.Body.Reveal())+" -N -B -r\n", 0o600))
				default:
					continue
				}
				if err != nil || !strings.Contains(got, p.signedIn()) {
					t.Errorf("password %d: %v\n%s", p.index, err, got)
				}
			}
			if scripts[format] != "" {
				checkAll(t, dir, format, list)
			}
		})
	}
}

var whoMySQL2 = whoMySQL + ";"

package sqldb

import (
	"regexp"
	"strconv"
	"strings"
)

// A flavour is what a server that speaks PostgreSQL's protocol is, and what its
// catalogue knows.
type flavour struct {
	name       string
	old        bool   // has no rights on columns, as PostgreSQL before 8.4
	partitions bool   // pg_class tells which tables are partitions: PostgreSQL 10
	limits     bool   // takes statement_timeout
	locks      bool   // takes lock_timeout: PostgreSQL 9.3
	role       string // the query for superuser and expiry; "" where there is none
}

const (
	rolesQuery = "SELECT rolsuper, CASE WHEN isfinite(rolvaliduntil) THEN rolvaliduntil END FROM pg_roles WHERE rolname = current_user"
	usersQuery = "SELECT usesuper, NULL FROM pg_user WHERE usename = current_user"
)

var (
	pgNumber    = regexp.MustCompile(`^(?:PostgreSQL|EnterpriseDB) (\d+)(?:\.(\d+))?\S*`)
	cockroach   = regexp.MustCompile(`^CockroachDB \S+ v?\S+`)
	redshift    = regexp.MustCompile(`Redshift [\d.]+`)
	greenplum   = regexp.MustCompile(`Greenplum Database [\d.]+`)
	materialize = regexp.MustCompile(`Materialize v[\d.]+`)
	yugabyte    = regexp.MustCompile(`-YB-([\d.]+)`)
)

// flavourOf reads what version() says. What nobody here knows is asked nothing
// but what every version had.
func flavourOf(version string) flavour {
	switch {
	case cockroach.MatchString(version):
		return flavour{name: cockroach.FindString(version), limits: true, locks: true, role: "SELECT rolsuper, NULL FROM pg_roles WHERE rolname = current_user"}
	case redshift.MatchString(version):
		return flavour{name: "Amazon " + redshift.FindString(version), old: true, limits: true, role: usersQuery}
	case materialize.MatchString(version):
		return flavour{name: materialize.FindString(version), old: true}
	}
	m := pgNumber.FindStringSubmatch(version)
	if m == nil || strings.Contains(version, "QuestDB") {
		return flavour{name: first80(version), old: true}
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	number := major*100 + minor
	f := flavour{name: m[0], old: number < 804, partitions: major >= 10, limits: true, locks: number >= 903, role: rolesQuery}
	if g := greenplum.FindString(version); g != "" {
		f.name = g
	}
	if y := yugabyte.FindStringSubmatch(version); y != nil {
		f.name = "YugabyteDB " + y[1]
	}
	return f
}

func first80(s string) string {
	if s == "" {
		return "unknown"
	}
	return s[:min(len(s), 80)]
}

// databases are those that may be opened: CONNECT is checked before anything else.
func (d *postgresDialect) databases() string {
	return `SELECT datname, 'database', true, NULL, CASE WHEN has_database_privilege(oid,'CONNECT') THEN 'readable' ELSE 'denied' END, NULL, NULL
		FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname`
}

const (
	pgSchemas = `SELECT n.nspname, 'schema', true, NULL, CASE WHEN has_schema_privilege(n.oid,'USAGE') THEN 'readable' ELSE 'denied' END, NULL, obj_description(n.oid,'pg_namespace')
		FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema','crdb_internal','gp_toolkit') ORDER BY n.nspname`

	pgKind = `CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'p' THEN `

	pgTables = `, true, CASE WHEN c.reltuples >= 0 AND c.relkind <> 'v' THEN c.reltuples::bigint::text END,
		CASE WHEN NOT has_schema_privilege(n.oid,'USAGE') THEN 'denied' WHEN has_table_privilege(c.oid,'SELECT') THEN 'readable'`

	pgRelations = ` ELSE 'denied' END, NULL, d.description
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
		WHERE n.nspname = $1 AND c.relkind IN ('r','p','v','m','f')`

	pgColumns = `, 'Type=' || format_type(a.atttypid,a.atttypmod), d.description
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		LEFT JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = a.attnum AND d.classoid = 'pg_class'::regclass
		WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
)

func (d *postgresDialect) below(id []string) (string, []any, bool) {
	switch len(id) {
	case 0:
		return pgSchemas, nil, true
	case 1:
		return d.flavour.tables(), []any{id[0]}, true
	case 2:
		access := "CASE WHEN has_column_privilege(a.attrelid,a.attnum,'SELECT') THEN 'readable' ELSE 'denied' END"
		if d.flavour.old {
			access = "NULL"
		}
		return "SELECT a.attname, 'column', false, NULL, " + access + pgColumns, []any{id[0], id[1]}, true
	}
	return "", nil, false
}

func (f flavour) tables() string {
	kind := pgKind + `'partitioned table' ELSE 'table' END`
	if f.partitions {
		kind = pgKind + `CASE WHEN c.relispartition THEN 'partition' ELSE 'partitioned table' END ELSE CASE WHEN c.relispartition THEN 'partition' ELSE 'table' END END`
	}
	some := " WHEN has_any_column_privilege(c.oid,'SELECT') THEN 'listed'"
	if f.old {
		some = ""
	}
	return "SELECT c.relname, " + kind + pgTables + some + pgRelations
}

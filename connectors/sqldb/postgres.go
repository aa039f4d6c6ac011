package sqldb

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

type postgresDialect struct{ c host }

func openPostgres(ctx context.Context, env *connectors.Env, c host) (connectors.Session, error) {
	cfg, err := postgresConfig(env, c)
	if err != nil {
		return nil, err
	}
	return openServer(ctx, env, c, postgresDialect{c}, func() *sql.DB { return stdlib.OpenDB(*cfg) })
}

// postgresConfig takes nothing from the environment, ~/.pgpass or a service
// file: every value is set over what the library has found there.
func postgresConfig(env *connectors.Env, c host) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig("host=localhost user=nobody password=none dbname=none sslmode=disable passfile=/dev/null/none servicefile=/dev/null/none")
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Said: "a PG… environment variable of this computer cannot be read", Err: err}
	}
	cfg.Host, cfg.Port = c.Host, uint16(c.Port)
	cfg.User, cfg.Password, cfg.Database = c.User, c.Password.Reveal(), c.Database
	cfg.Fallbacks, cfg.TLSConfig, cfg.ValidateConnect = nil, nil, nil
	cfg.ConnectTimeout = 30 * time.Second
	cfg.RuntimeParams = map[string]string{"application_name": "jackfield", "default_transaction_read_only": "on", "statement_timeout": "20000", "lock_timeout": "2000"}
	cfg.KerberosSrvName, cfg.KerberosSpn = "", ""
	var t *tls.Config
	if c.TLS != "off" {
		if t, err = tlsx.Config(c.Spec(), c.Host); err != nil {
			return nil, err
		}
	}
	cfg.TLSConfig = t
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) { return env.Dial(ctx, network, addr) }
	return cfg, nil
}

func (postgresDialect) begin(ctx context.Context, c *sql.Conn) error { return nil }
func (postgresDialect) stop(*sql.Conn) func()                        { return func() {} } // pgx cancels on the server itself

func (d postgresDialect) facts(ctx context.Context, c *sql.Conn) ([]connectors.Fact, error) {
	var account, version, database string
	var super bool
	if err := c.QueryRowContext(ctx, "SELECT current_user, current_setting('server_version'), current_database(), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)").Scan(&account, &version, &database, &super); err != nil {
		return nil, err
	}
	encryption := "not encrypted"
	if d.c.TLS != "off" {
		encryption = "TLS"
	}
	out := []connectors.Fact{{Label: "Account", Text: account}, {Label: "Server", Text: "PostgreSQL " + version}, {Label: "Database", Text: database}, {Label: "Encryption", Text: encryption}, {Label: "Access", Text: "read-only session"}}
	if super {
		out = append(out, connectors.Fact{Label: "Right", Text: "superuser: more than a preview needs"})
	}
	var until sql.NullTime
	if err := c.QueryRowContext(ctx, "SELECT CASE WHEN isfinite(rolvaliduntil) THEN rolvaliduntil END FROM pg_roles WHERE rolname = current_user").Scan(&until); err == nil && until.Valid {
		out = append(out, connectors.Fact{Label: "Expires", Text: until.Time.UTC().Format(time.RFC3339)})
	}
	return out, nil
}

func (postgresDialect) below(id []string) (string, []any, bool) {
	switch len(id) {
	case 0:
		return `SELECT nspname, 'schema', true, NULL, CASE WHEN has_schema_privilege(oid,'USAGE') THEN 'readable' ELSE 'denied' END, NULL
			FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname`, nil, true
	case 1:
		return `SELECT c.relname, CASE WHEN c.relkind IN ('v','m') THEN 'view' ELSE 'table' END, true,
			CASE WHEN c.reltuples >= 0 AND c.relkind <> 'v' THEN c.reltuples::bigint::text END,
			CASE WHEN NOT has_schema_privilege(n.oid,'USAGE') THEN 'denied' WHEN has_table_privilege(c.oid,'SELECT') THEN 'readable' WHEN has_any_column_privilege(c.oid,'SELECT') THEN 'listed' ELSE 'denied' END, NULL
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind IN ('r','p','v','m','f')`, []any{id[0]}, true
	case 2:
		return `SELECT a.attname, 'column', false, NULL, CASE WHEN has_column_privilege(a.attrelid,a.attnum,'SELECT') THEN 'readable' ELSE 'denied' END, 'Type=' || format_type(a.atttypid,a.atttypmod)
			FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, []any{id[0], id[1]}, true
	}
	return "", nil, false
}

func (postgresDialect) columns(ctx context.Context, tx *sql.Tx, id []string) ([]string, int, error) {
	if len(id) != 2 {
		return nil, 0, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Said: "choose a table"}
	}
	return readable(ctx, tx, `SELECT a.attname, has_column_privilege(a.attrelid,a.attnum,'SELECT') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, id[0], id[1])
}

func (postgresDialect) quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// explain maps SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func (d postgresDialect) explain(err error, target string) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		if strings.Contains(strings.ToLower(err.Error()), "server refused tls connection") { // an untyped error of pgconn
			return &connectors.Error{Code: connectors.Unsupported, Reason: "sql.no_tls", Target: target, Field: "tls", Err: err}
		}
		return serverError(err, target, d.c)
	}
	out := &connectors.Error{Code: connectors.Refused, Target: target, Said: e.Code + " " + e.Message, Err: err}
	set := func(code connectors.Code, reason, field string) error {
		out.Code, out.Reason, out.Field = code, reason, field
		return out
	}
	switch e.Code {
	case "28P01":
		return set(connectors.AuthFailed, "postgres.auth", "password")
	case "28000":
		return set(connectors.Denied, "postgres.hba", "user")
	case "3D000":
		return set(connectors.NotFound, "postgres.no_database", "database")
	case "42501":
		return set(connectors.Denied, "sql.table_denied", "")
	case "42P01":
		return set(connectors.NotFound, "sql.no_table", "")
	case "57014", "55P03":
		return set(connectors.TimedOut, "sql.slow", "")
	case "53300":
		return set(connectors.Throttled, "mysql.too_many", "")
	case "57P03", "57P01":
		return set(connectors.Refused, "postgres.starting", "")
	}
	return out
}

package sqldb

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// lobby is the database that every server has to sign in to.
const lobby = "postgres"

type postgresDialect struct {
	c       host
	flavour flavour // what version() said; set by hello
}

func openPostgres(ctx context.Context, env *connectors.Env, c host) (connectors.Session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	cfg, err := postgresConfig(env, c)
	if err != nil {
		return nil, err
	}
	var options []stdlib.OptionOpenDB
	if c.Auth == rdsIAM {
		source, err := newIAM(env, c)
		if err != nil {
			return nil, err
		}
		options = append(options, stdlib.OptionBeforeConnect(func(ctx context.Context, cfg *pgx.ConnConfig) error {
			token, err := source.password(ctx)
			cfg.Password = token.Reveal()
			return err
		}))
	}
	s := &session{db: stdlib.OpenDB(*cfg, options...), d: &postgresDialect{c: c}}
	if c.Database == "" {
		s.another = func(name string) (*sql.DB, error) {
			inside := *cfg
			inside.Database = name
			db := stdlib.OpenDB(inside, options...)
			bounded(db)
			return db, nil
		}
	}
	return openServer(ctx, env, c.door(net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), cfg.TLSConfig), s)
}

// postgresConfig takes nothing from the environment, ~/.pgpass or a service
// file: every value is set over what the library has found there.
func postgresConfig(env *connectors.Env, c host) (*pgx.ConnConfig, error) {
	cfg, err := pgx.ParseConfig("host=localhost user=nobody password=none dbname=none sslmode=disable passfile=/dev/null/none servicefile=/dev/null/none")
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Said: "a PG… environment variable of this computer cannot be read", Err: err}
	}
	cfg.Host, cfg.Port = c.Host, uint16(c.Port)
	cfg.User, cfg.Password, cfg.Database = c.User, "", c.Database
	if c.Auth == byPassword {
		cfg.Password = c.Password.Reveal()
	}
	if c.Database == "" {
		cfg.Database = lobby
	}
	cfg.Fallbacks, cfg.TLSConfig, cfg.ValidateConnect = nil, nil, nil
	cfg.ConnectTimeout = 30 * time.Second
	// Further parameters are refused by PgBouncer and older servers, and a pooler
	// could pass what is set in one session on to others; see begin.
	cfg.RuntimeParams = map[string]string{"application_name": "jackfield"}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // prepares nothing, which poolers could mix up
	cfg.KerberosSrvName, cfg.KerberosSpn = "", ""
	var t *tls.Config
	if c.encrypted() {
		if t, err = tlsx.Config(c.Spec(), c.Host); err != nil {
			return nil, err
		}
	}
	cfg.TLSConfig = t
	cfg.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil }
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) { return env.Dial(ctx, network, addr) }
	return cfg, nil
}

func (d *postgresDialect) hello(ctx context.Context, c *sql.Conn) error {
	var version string
	if err := c.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return err
	}
	d.flavour = flavourOf(version)
	return nil
}

// begin bounds and protects the one transaction, so that nothing of it stays
// with a server connection that a pooler lends to others afterwards.
func (d *postgresDialect) begin(ctx context.Context, c *sql.Conn) (querier, func(), error) {
	tx, err := c.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, err
	}
	limits := fmt.Sprintf("SET LOCAL statement_timeout = %d", queryTime/time.Millisecond)
	if d.flavour.locks {
		limits += fmt.Sprintf("; SET LOCAL lock_timeout = %d", lockTime/time.Millisecond)
	}
	if d.flavour.limits {
		_, err = tx.ExecContext(ctx, limits)
	}
	if err != nil {
		_ = tx.Rollback()
		return nil, nil, err
	}
	return tx, func() { _ = tx.Rollback() }, nil
}

// stop does nothing: pgx cancels on the server itself.
func (*postgresDialect) stop(context.Context, *sql.Conn) func(<-chan struct{}) {
	return func(<-chan struct{}) {}
}

func (d *postgresDialect) facts(ctx context.Context, q querier) ([]connectors.Fact, error) {
	var account, database string
	if err := q.QueryRowContext(ctx, "SELECT current_user, current_database()").Scan(&account, &database); err != nil {
		return nil, err
	}
	protection := "none"
	if d.c.encrypted() {
		protection = "TLS"
	}
	out := []connectors.Fact{{Label: "Account", Text: account}, {Label: "Server", Text: d.flavour.name}}
	if d.c.Database != "" {
		out = append(out, connectors.Fact{Label: "Database", Text: database})
	}
	out = append(out, connectors.Fact{Label: "Encryption", Text: protection}, connectors.Fact{Label: "Access", Text: "read-only transactions"})
	if d.flavour.role == "" {
		return out, nil
	}
	var super sql.NullBool
	var until sql.NullTime
	if err := q.QueryRowContext(ctx, d.flavour.role).Scan(&super, &until); err != nil {
		return out, nil
	}
	if super.Bool {
		out = append(out, connectors.Fact{Label: "Right", Text: "superuser: more than a preview needs"})
	}
	if until.Valid {
		out = append(out, connectors.Fact{Label: "Expires", Text: until.Time.UTC().Format(time.RFC3339)})
	}
	return out, nil
}

func (d *postgresDialect) columns(ctx context.Context, q querier, id []string) ([]string, int, error) {
	if len(id) != 2 {
		return nil, 0, errNoTable()
	}
	if d.flavour.old {
		return nil, 0, nil
	}
	return readable(ctx, q, d.quote, `SELECT a.attname, has_column_privilege(a.attrelid,a.attnum,'SELECT') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, id[0], id[1])
}

func (*postgresDialect) quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (*postgresDialect) first(list, from string, n int) string { return limited(list, from, n) }

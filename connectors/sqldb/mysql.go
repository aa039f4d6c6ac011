package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

type mysqlDialect struct {
	c  host
	db *sql.DB
}

// mysqlConfig is made field by field: nothing that a person typed is parsed as
// a connection string. Local files, clear-text and old passwords stay off.
func mysqlConfig(env *connectors.Env, c host) (*mysql.Config, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	cfg.User, cfg.Passwd, cfg.DBName = c.User, c.Password.Reveal(), c.Database
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = 30*time.Second, 30*time.Second, 30*time.Second
	cfg.AllowAllFiles, cfg.AllowCleartextPasswords, cfg.AllowOldPasswords, cfg.AllowFallbackToPlaintext, cfg.MultiStatements = false, false, false, false, false
	cfg.Logger = &mysql.NopLogger{}
	cfg.ParseTime = false
	if c.TLS != "off" {
		t, err := tlsx.Config(c.Spec(), c.Host)
		if err != nil {
			return nil, err
		}
		cfg.TLS = t
	}
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) { return env.Dial(ctx, network, addr) }
	return cfg, nil
}

func openMySQL(ctx context.Context, env *connectors.Env, c host) (connectors.Session, error) {
	cfg, err := mysqlConfig(env, c)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
	}
	d := &mysqlDialect{c: c}
	return openServer(ctx, env, c, d, func() *sql.DB { d.db = sql.OpenDB(connector); return d.db })
}

// openServer signs in. Drivers dial, secure and sign in within one call: env.Dial
// tells the first rungs from within, and the others are told from the outcome.
func openServer(ctx context.Context, env *connectors.Env, c host, d dialect, open func() *sql.DB) (connectors.Session, error) {
	s := &session{d: d, db: open()}
	s.db.SetMaxOpenConns(6)
	s.db.SetMaxIdleConns(1)
	s.db.SetConnMaxIdleTime(time.Minute)
	err := s.signIn(ctx, env, c)
	if err != nil {
		_ = s.db.Close()
		return nil, err
	}
	return s, nil
}

func (s *session) signIn(ctx context.Context, env *connectors.Env, c host) error {
	addr := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	conn, err := s.db.Conn(ctx)
	if err == nil {
		defer func() { _ = conn.Close() }()
		// An expired password lets the sign-in pass and the first query fail.
		_, err = conn.ExecContext(ctx, "SELECT 1")
	}
	err = s.explain(ctx, err, addr)
	stage := connectors.StageSignIn
	if e := connectors.Classify(err); e != nil {
		if e.Op == connectors.StageResolve || e.Op == connectors.StageConnect {
			return err
		}
		if e.Op == connectors.StageSecure {
			stage = connectors.StageSecure
		}
	}
	if c.TLS != "off" && stage == connectors.StageSignIn {
		if err := env.Climb(ctx, connectors.StageSecure, "TLS, certificate verified", func(context.Context) (string, error) { return "", nil }); err != nil {
			return err
		}
	}
	return env.Climb(ctx, stage, c.User, func(context.Context) (string, error) { return "", err })
}

func (d *mysqlDialect) begin(ctx context.Context, c *sql.Conn) error {
	// A read-only transaction alone lets MariaDB run DDL, which commits it.
	_, err := c.ExecContext(ctx, "SET SESSION TRANSACTION READ ONLY")
	return err
}

// stop kills the query over another connection: closing the socket leaves it
// running on the server.
func (d *mysqlDialect) stop(c *sql.Conn) func() {
	var id int64
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := c.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		return func() {}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, _ = d.db.ExecContext(ctx, "KILL QUERY "+strconv.FormatInt(id, 10))
	}
}

func (d *mysqlDialect) facts(ctx context.Context, c *sql.Conn) ([]connectors.Fact, error) {
	var account, version string
	if err := c.QueryRowContext(ctx, "SELECT CURRENT_USER(), VERSION()").Scan(&account, &version); err != nil {
		return nil, err
	}
	var name, cipher string
	if err := c.QueryRowContext(ctx, "SHOW STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err != nil || cipher == "" {
		cipher = "not encrypted"
	}
	out := []connectors.Fact{{Label: "Account", Text: account}, {Label: "Server", Text: version}, {Label: "Encryption", Text: cipher}, {Label: "Access", Text: "read-only session"}}
	rows, err := c.QueryContext(ctx, "SHOW GRANTS")
	if err != nil {
		return out, nil
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var grant string
		if err := rows.Scan(&grant); err != nil {
			return out, nil
		}
		grant, _, _ = strings.Cut(grant, " IDENTIFIED BY") // MariaDB shows the password's hash
		out = append(out, connectors.Fact{Label: "Right", Text: connectors.Clean(grant, 200)})
	}
	return out, rows.Err()
}

func (d *mysqlDialect) below(id []string) (string, []any, bool) {
	switch len(id) {
	case 0:
		if d.c.Database != "" {
			return "SELECT schema_name, 'database', 1, NULL, 'readable', NULL FROM information_schema.schemata WHERE schema_name = ?", []any{d.c.Database}, true
		}
		return "SELECT schema_name, 'database', 1, NULL, 'readable', NULL FROM information_schema.schemata WHERE schema_name NOT IN ('information_schema','performance_schema','mysql','sys') ORDER BY schema_name", nil, true
	case 1:
		return "SELECT table_name, IF(table_type LIKE '%VIEW%','view','table'), 1, table_rows, '', IF(table_comment IN ('','VIEW'), NULL, CONCAT('Comment=',table_comment)) FROM information_schema.tables WHERE table_schema = ?", []any{id[0]}, true
	case 2:
		return "SELECT column_name, 'column', 0, NULL, IF(FIND_IN_SET('select',privileges)>0,'readable','denied'), CONCAT('Type=',column_type) FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", []any{id[0], id[1]}, true
	}
	return "", nil, false
}

func (d *mysqlDialect) columns(ctx context.Context, tx *sql.Tx, id []string) ([]string, int, error) {
	if len(id) != 2 {
		return nil, 0, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Said: "choose a table"}
	}
	return readable(ctx, tx, "SELECT column_name, FIND_IN_SET('select',privileges)>0 FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", id[0], id[1])
}

// readable splits columns into those that may be read and a count of the others.
func readable(ctx context.Context, tx *sql.Tx, query string, args ...any) (names []string, denied int, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var may bool
		if err := rows.Scan(&name, &may); err != nil {
			return nil, 0, err
		}
		if may {
			names = append(names, name)
		} else {
			denied++
		}
	}
	if len(names) == 0 && denied > 0 && rows.Err() == nil {
		return nil, denied, &connectors.Error{Code: connectors.Denied, Reason: "sql.table_denied", Op: connectors.StageData}
	}
	return names, denied, rows.Err()
}

func (*mysqlDialect) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// explain maps the server's error numbers
// (https://mariadb.com/kb/en/mariadb-error-codes/).
func (d *mysqlDialect) explain(err error, target string) error {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return serverError(err, target, d.c)
	}
	out := &connectors.Error{Code: connectors.Refused, Target: target, Said: strconv.Itoa(int(e.Number)) + " " + e.Message, Err: err}
	set := func(code connectors.Code, reason, field string) error {
		out.Code, out.Reason, out.Field = code, reason, field
		return out
	}
	switch e.Number {
	case 1045:
		return set(connectors.AuthFailed, "mysql.auth", "password")
	case 1698:
		return set(connectors.AuthFailed, "mysql.auth", "user")
	case 1044:
		return set(connectors.Denied, "mysql.database_denied", "database")
	case 1049:
		return set(connectors.NotFound, "mysql.no_database", "database")
	case 1130, 1129:
		return set(connectors.Denied, "mysql.host_denied", "host")
	case 1040, 1203, 1226:
		return set(connectors.Throttled, "mysql.too_many", "")
	case 1142, 1143, 1227:
		return set(connectors.Denied, "sql.table_denied", "")
	case 1146:
		return set(connectors.NotFound, "sql.no_table", "")
	case 1820, 1862:
		return set(connectors.Expired, "mysql.expired", "password")
	case 4151, 3118:
		return set(connectors.Denied, "mysql.locked", "user")
	case 3159:
		return set(connectors.Denied, "sql.tls_required", "tls")
	case 1251, 2059:
		return set(connectors.Unsupported, "mysql.plugin", "")
	case 1317, 1969, 3024:
		return set(connectors.TimedOut, "sql.slow", "")
	}
	return out
}

// serverError is what is left when the server said nothing in its own protocol.
func serverError(err error, target string, c host) error {
	found := *connectors.Classify(err)
	found.Target = target
	switch {
	case errors.Is(err, mysql.ErrNoTLS):
		found.Code, found.Reason, found.Field = connectors.Unsupported, "sql.no_tls", "tls"
	case found.Code == connectors.Refused && found.Reason == "":
		found.Reason, found.Field = "sql.not_this", "port"
	case found.Code == connectors.Untrusted || found.Code == connectors.AuthFailed:
		found.Op = connectors.StageSecure
		if found.Field == "" {
			found.Field = "ca"
		}
	}
	if found.Field == "client_cert" && c.TLS == "off" {
		found.Field = "tls"
	}
	return &found
}

package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

type mysqlDialect struct {
	c    host
	db   *sql.DB
	said overheard
}

// overheard keeps the last error that the driver logs: it is the cause of an
// "invalid connection", such as a certificate that the server did not take.
// Nothing is written anywhere.
type overheard struct {
	mu  sync.Mutex
	err error
}

func (o *overheard) Print(v ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, x := range v {
		if err, ok := x.(error); ok {
			o.err = err
		}
	}
}

// cause is err with what was overheard of it.
func (o *overheard) cause(err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil || !broken(err) {
		return err
	}
	return errors.Join(err, o.err)
}

// mysqlConfig is made field by field: nothing that a person typed is parsed as
// a connection string. Local files, clear-text and old passwords stay off, but
// for Amazon's tokens: RDS asks for those in the clear, within TLS.
func mysqlConfig(env *connectors.Env, c host, said *overheard) (*mysql.Config, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	cfg.User, cfg.DBName = c.User, c.Database
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = 30*time.Second, 30*time.Second, 30*time.Second
	cfg.AllowAllFiles, cfg.AllowCleartextPasswords, cfg.AllowOldPasswords, cfg.AllowFallbackToPlaintext, cfg.MultiStatements = false, false, false, false, false
	cfg.Logger = said
	cfg.ParseTime = false
	if c.encrypted() {
		t, err := tlsx.Config(c.Spec(), c.Host)
		if err != nil {
			return nil, err
		}
		cfg.TLS = t
	}
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) { return env.Dial(ctx, network, addr) }
	switch c.Auth {
	case byPassword:
		cfg.Passwd = c.Password.Reveal()
	case rdsIAM:
		return cfg, withTokens(env, c, cfg)
	}
	return cfg, nil
}

// withTokens makes a password for each connection.
func withTokens(env *connectors.Env, c host, cfg *mysql.Config) error {
	source, err := newIAM(env, c)
	if err != nil {
		return err
	}
	cfg.AllowCleartextPasswords = c.encrypted()
	return cfg.Apply(mysql.BeforeConnect(func(ctx context.Context, cfg *mysql.Config) error {
		token, err := source.password(ctx)
		cfg.Passwd = token.Reveal()
		return err
	}))
}

func openMySQL(ctx context.Context, env *connectors.Env, c host) (connectors.Session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	d := &mysqlDialect{c: c}
	cfg, err := mysqlConfig(env, c, &d.said)
	if err != nil {
		return nil, err
	}
	at := c.door(cfg.Addr, cfg.TLS) // before the connector, which works with a copy
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
	}
	d.db = sql.OpenDB(connector)
	return openServer(ctx, env, at, &session{db: d.db, d: d})
}

// hello asks something: an expired password lets the sign-in pass and the first
// query fail.
func (d *mysqlDialect) hello(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "SELECT 1")
	return err
}

// begin makes the whole session read-only: a read-only transaction alone lets
// MariaDB run DDL, which commits it.
func (d *mysqlDialect) begin(ctx context.Context, c *sql.Conn) (querier, func(), error) {
	for _, set := range []string{"SET SESSION TRANSACTION READ ONLY", "SET SESSION lock_wait_timeout = " + seconds(lockTime)} {
		if _, err := c.ExecContext(ctx, set); err != nil {
			return nil, nil, err
		}
	}
	tx, err := c.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, err
	}
	return tx, func() { _ = tx.Rollback() }, nil
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// stop kills the query over another connection: closing the socket leaves it
// running on the server.
func (d *mysqlDialect) stop(ctx context.Context, c *sql.Conn) func(<-chan struct{}) {
	var id int64
	if err := c.QueryRowContext(ctx, "SELECT CONNECTION_ID()").Scan(&id); err != nil {
		return func(<-chan struct{}) {}
	}
	return func(<-chan struct{}) {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, _ = d.db.ExecContext(ctx, "KILL QUERY "+strconv.FormatInt(id, 10))
	}
}

func (d *mysqlDialect) facts(ctx context.Context, c querier) ([]connectors.Fact, error) {
	var account, version string
	if err := c.QueryRowContext(ctx, "SELECT CURRENT_USER(), VERSION()").Scan(&account, &version); err != nil {
		return nil, err
	}
	protection := "none"
	var name, cipher string
	if err := c.QueryRowContext(ctx, "SHOW STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err == nil && cipher != "" {
		protection = "TLS"
	}
	out := []connectors.Fact{{Label: "Account", Text: account}, {Label: "Server", Text: product(version)}, {Label: "Encryption", Text: protection}, {Label: "Access", Text: "read-only session"}}
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

// product is the server's name and version: MySQL tells its version alone, MariaDB
// its name behind it (https://mariadb.com/kb/en/version/).
func product(version string) string {
	if at, rest, ok := strings.Cut(version, "-MariaDB"); ok {
		return "MariaDB " + strings.TrimPrefix(at, "5.5.5-") + rest
	}
	if version == "" || version[0] < '0' || version[0] > '9' {
		return version
	}
	return "MySQL " + version
}

func (d *mysqlDialect) databases() string {
	return "SELECT schema_name, 'database', 1, NULL, 'readable', NULL, NULL FROM information_schema.schemata WHERE schema_name NOT IN ('information_schema','performance_schema','mysql','sys') ORDER BY schema_name"
}

// mysqlTables says of the rights what this account itself was granted, which is
// all that information_schema tells; what a role brings is left unknown.
// https://mariadb.com/kb/en/information-schema-table_privileges-table/
const mysqlTables = `SELECT t.table_name, IF(t.table_type LIKE '%VIEW%','view','table'), 1, t.table_rows,
	CASE WHEN m.everything OR m.whole OR p.table_name IS NOT NULL THEN 'readable' WHEN c.table_name IS NOT NULL THEN 'listed' ELSE '' END,
	IF(t.table_type IN ('BASE TABLE','VIEW','SYSTEM VIEW'), NULL, CONCAT('Kind=',LOWER(t.table_type))), IF(t.table_comment IN ('','VIEW'), NULL, t.table_comment)
	FROM information_schema.tables t
	JOIN (SELECT i.me,
		EXISTS (SELECT 1 FROM information_schema.user_privileges u WHERE u.grantee = i.me AND u.privilege_type = 'SELECT') AS everything,
		EXISTS (SELECT 1 FROM information_schema.schema_privileges s WHERE s.grantee = i.me AND s.privilege_type = 'SELECT' AND ? LIKE s.table_schema) AS whole
		FROM (SELECT CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''') AS me) i) m
	LEFT JOIN (SELECT DISTINCT table_name, grantee FROM information_schema.table_privileges WHERE table_schema = ? AND privilege_type = 'SELECT') p ON p.table_name = t.table_name AND p.grantee = m.me
	LEFT JOIN (SELECT DISTINCT table_name, grantee FROM information_schema.column_privileges WHERE table_schema = ? AND privilege_type = 'SELECT') c ON c.table_name = t.table_name AND c.grantee = m.me
	WHERE t.table_schema = ?`

func (d *mysqlDialect) below(id []string) (string, []any, bool) {
	switch len(id) {
	case 0:
		if d.c.Database != "" {
			return "SELECT schema_name, 'database', 1, NULL, 'readable', NULL, NULL FROM information_schema.schemata WHERE schema_name = ?", []any{d.c.Database}, true
		}
		return d.databases(), nil, true
	case 1:
		return mysqlTables, []any{id[0], id[0], id[0], id[0]}, true
	case 2:
		return "SELECT column_name, 'column', 0, NULL, IF(FIND_IN_SET('select',privileges)>0,'readable','denied'), CONCAT('Type=',column_type), column_comment FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", []any{id[0], id[1]}, true
	}
	return "", nil, false
}

func (d *mysqlDialect) columns(ctx context.Context, q querier, id []string) ([]string, int, error) {
	if len(id) != 2 {
		return nil, 0, errNoTable()
	}
	return readable(ctx, q, d.quote, "SELECT column_name, FIND_IN_SET('select',privileges)>0 FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", id[0], id[1])
}

func (*mysqlDialect) first(list, from string, n int) string { return limited(list, from, n) }

func (*mysqlDialect) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// explain maps the server's error numbers
// (https://mariadb.com/kb/en/mariadb-error-codes/).
func (d *mysqlDialect) explain(err error, target string) error {
	var e *mysql.MySQLError
	if !errors.As(err, &e) {
		return d.unsaid(d.said.cause(err), target)
	}
	out := &connectors.Error{Code: connectors.Refused, Target: target, Said: strconv.Itoa(int(e.Number)) + " " + e.Message, Err: err}
	set := func(code connectors.Code, reason, field string) error {
		out.Code, out.Reason, out.Field = code, reason, field
		return out
	}
	switch e.Number {
	case 1045:
		return set(connectors.AuthFailed, refusedReason(d.c, "mysql.auth"), d.c.credential())
	case 1698:
		return set(connectors.AuthFailed, refusedReason(d.c, "mysql.auth"), "user")
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
		return set(connectors.Expired, "mysql.expired", d.c.credential())
	case 4151, 3118:
		return set(connectors.Denied, "mysql.locked", "user")
	case 3159:
		return set(connectors.Denied, "sql.tls_required", "tls")
	case 1251, 2059:
		return set(connectors.Unsupported, "mysql.plugin", "")
	case 1205, 1317, 1969, 3024:
		return set(connectors.TimedOut, "sql.slow", "")
	}
	return out
}

// broken reports whether err is one of the driver's for a connection that ended;
// one of them is text alone.
func broken(err error) bool {
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) || strings.HasPrefix(err.Error(), "bad connection")
}

// unsaid is an error that the server did not put into words.
func (d *mysqlDialect) unsaid(err error, target string) error {
	if reason := connectors.Classify(err).Reason; broken(err) && (reason == "" || reason == "connect.closed") {
		if e := d.c.untaken(err, target); e != nil {
			return e
		}
	}
	return serverError(err, target, d.c.encrypted())
}

// refusedReason is the reason for the way in which the account signs in.
func refusedReason(c host, byPassword string) string {
	switch c.Auth {
	case certificate:
		return "sql.certificate_refused"
	case rdsIAM:
		return "sql.iam_refused"
	}
	return byPassword
}

package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	ora "github.com/sijms/go-ora/v3"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

type oracleDialect struct {
	c       oracle
	version string // what v$version says; set by hello
	made    *leashes
	marked  bool // all_users tells which users are Oracle's own: version 12
}

func openOracle(ctx context.Context, env *connectors.Env, c oracle) (connectors.Session, error) {
	at := door{addr: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), user: c.User}
	if c.TLS == tcps {
		at.secured = "TLS, certificate verified"
		if _, err := tlsx.Config(c.Spec(), c.Host); err != nil {
			return nil, err
		}
	}
	text, made := c.address(), &leashes{}
	db := sql.OpenDB(maker{env: env, driver: ora.GetDefaultDriver(), made: made, connect: func(ctx context.Context, l *leash) (driver.Conn, error) {
		return c.connect(ctx, l, text)
	}})
	return openServer(ctx, env, at, &session{db: db, d: &oracleDialect{c: c, made: made}})
}

// connect uses a connector once: the library keeps what it has learned of a
// server, and writes the server's name into the TLS configuration.
func (c oracle) connect(ctx context.Context, l *leash, text string) (driver.Conn, error) {
	connector := ora.NewConnector(text).(*ora.OracleConnector)
	connector.Dialer(guardedDialer{l, c.TLS != tcps})
	if c.TLS == tcps {
		cfg, err := tlsx.Config(c.Spec(), c.Host)
		if err != nil {
			return nil, err
		}
		connector.WithTLSConfig(l.verified(cfg, c.ServerName != ""))
	}
	return connector.Connect(ctx)
}

// address is the one form in which the library takes its settings. net/url
// writes it, so that every character of an answer stays within its place; the
// person's own text is never parsed. What the library would tell the server of
// this computer (user, host, program) is replaced.
func (c oracle) address() string {
	q := url.Values{
		"CID": {"(CID=(PROGRAM=jackfield)(HOST=jackfield)(USER=jackfield))"}, "PROGRAM": {"jackfield"}, "OS USER": {"jackfield"},
		"TIMEOUT": {seconds(30 * time.Second)}, "PREFETCH_ROWS": {"500"}, "LOB FETCH": {"PRE"},
	}
	u := url.URL{Scheme: "oracle", User: url.UserPassword(c.User, c.Password.Reveal()), Host: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), Path: "/"}
	switch c.Kind {
	case bySID:
		q.Set("SID", c.SID)
	default:
		u.Path += c.Service
	}
	if c.TLS == tcps {
		q.Set("SSL", "true")
	}
	u.RawQuery = q.Encode()
	return u.String()
}

func (d *oracleDialect) hello(ctx context.Context, c *sql.Conn) error {
	if err := c.QueryRowContext(ctx, "SELECT banner FROM v$version WHERE ROWNUM = 1").Scan(&d.version); err != nil {
		return err
	}
	d.marked = major(d.version) >= 12
	return nil
}

// major is the first number of a banner such as "Oracle Database 19c …".
func major(banner string) int {
	for word := range strings.FieldsSeq(banner) {
		digits := word[:len(word)-len(strings.TrimLeft(word, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil {
			return n
		}
	}
	return 0
}

// begin makes a transaction that can only read. It has to be its first
// statement, and the driver knows none by itself.
func (d *oracleDialect) begin(ctx context.Context, c *sql.Conn) (querier, func(), error) {
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	if _, err := tx.ExecContext(ctx, "SET TRANSACTION READ ONLY"); err != nil {
		_ = tx.Rollback()
		return nil, nil, err
	}
	return tx, func() { _ = tx.Rollback() }, nil
}

// stop waits for the driver, which sends a break.
func (d *oracleDialect) stop(_ context.Context, c *sql.Conn) func(<-chan struct{}) {
	return d.made.cutter(c)
}

func (d *oracleDialect) facts(ctx context.Context, q querier) ([]connectors.Fact, error) {
	var account, container, method sql.NullString
	if err := q.QueryRowContext(ctx, "SELECT USER, SYS_CONTEXT('USERENV','SERVICE_NAME'), SYS_CONTEXT('USERENV','AUTHENTICATION_METHOD') FROM dual").Scan(&account, &container, &method); err != nil {
		return nil, err
	}
	protection := "not encrypted by TLS"
	if d.c.TLS == tcps {
		protection = "TLS"
	}
	out := []connectors.Fact{{Label: "Account", Text: account.String}, {Label: "Server", Text: d.version}, {Label: "Service", Text: container.String},
		{Label: "Encryption", Text: protection}, {Label: "Access", Text: "read-only transactions"}, {Label: "Signed in by", Text: method.String}}
	var until sql.NullTime
	if err := q.QueryRowContext(ctx, "SELECT expiry_date FROM user_users").Scan(&until); err == nil && until.Valid {
		out = append(out, connectors.Fact{Label: "Expires", Text: until.Time.UTC().Format(time.RFC3339)})
	}
	rows, err := q.QueryContext(ctx, "SELECT privilege FROM session_privs WHERE ROWNUM <= 20")
	if err != nil {
		return out, nil
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var right string
		if err := rows.Scan(&right); err != nil {
			return out, nil
		}
		out = append(out, connectors.Fact{Label: "Right", Text: right})
	}
	return out, rows.Err()
}

func (*oracleDialect) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// first works in every version, which FETCH FIRST does not before 12.
func (*oracleDialect) first(list, from string, n int) string {
	return fmt.Sprintf("SELECT %s FROM %s WHERE ROWNUM <= %d", list, from, n)
}

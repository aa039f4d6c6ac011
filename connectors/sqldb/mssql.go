package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

const sqlserverPort = 1433

type mssqlDialect struct {
	c    sqlserver
	made *leashes
}

func openSQLServer(ctx context.Context, env *connectors.Env, c sqlserver) (connectors.Session, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := c.settlePort(ctx, env); err != nil {
		return nil, err
	}
	if _, err := c.config(&leash{}, c.Database); err != nil {
		return nil, err
	}
	keep, made := &keeper{c: c, env: env}, &leashes{}
	pool := func(database string) (*sql.DB, error) {
		return sql.OpenDB(maker{env: env, driver: &mssql.Driver{}, made: made, connect: func(ctx context.Context, l *leash) (driver.Conn, error) {
			return connectSQLServer(ctx, l, keep, database)
		}}), nil
	}
	db, err := pool(c.Database)
	if err != nil {
		return nil, err
	}
	s := &session{db: db, d: mssqlDialect{c, made}, free: keep.free}
	if c.Database == "" {
		s.another = func(name string) (*sql.DB, error) {
			db, err := pool(name)
			if err == nil {
				bounded(db)
			}
			return db, err
		}
	}
	at := door{addr: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), user: c.account()}
	if c.TLS != optional {
		at.secured = "TLS, certificate verified"
	}
	return openServer(ctx, env, at, s)
}

// settlePort asks for the port of an instance where none was typed.
func (c *sqlserver) settlePort(ctx context.Context, env *connectors.Env) error {
	switch {
	case c.Port != 0:
	case c.Instance == "":
		c.Port = sqlserverPort
	default:
		port, err := instancePort(ctx, env, c.Host, c.Instance)
		if err != nil {
			return err
		}
		c.Port = port
	}
	return nil
}

func connectSQLServer(ctx context.Context, l *leash, keep *keeper, database string) (driver.Conn, error) {
	cfg, err := keep.c.config(l, database)
	if err != nil {
		return nil, err
	}
	if err := register(); err != nil {
		return nil, err
	}
	hand, err := keep.hand(ctx)
	if err != nil {
		return nil, l.note(err)
	}
	// Without a provider of ours the library would take a name with a backslash
	// for NTLM's, and on Windows the account of whoever runs the program.
	cfg.Parameters = map[string]string{"authenticator": providerName}
	cfg.ProtocolParameters = map[string]any{providerName: hand}
	connector := mssql.NewConnectorConfig(cfg)
	if keep.c.Auth == byToken {
		connector, err = mssql.NewSecurityTokenConnector(cfg, func(context.Context) (string, error) { return keep.c.Token.Reveal(), nil })
		if err != nil {
			return nil, err
		}
	}
	connector.Dialer = l
	return connector.Connect(ctx)
}

// config is made field by field: nothing that a person typed is parsed as a
// connection string, and no server browser or failover partner is asked.
func (c sqlserver) config(l *leash, database string) (msdsn.Config, error) {
	cfg := msdsn.Config{
		Host: c.Host, Port: uint64(c.Port), Database: database, Encryption: msdsn.EncryptionRequired,
		Protocols: []string{"tcp"}, AppName: "jackfield", Workstation: "jackfield", DisableRetry: true, NoTraceID: true,
		HostInCertificateProvided: c.ServerName != "",
		DialTimeout:               -1, // the context's alone: the leash ends with it
		ConnTimeout:               30 * time.Second,
	}
	if c.Auth == byPassword {
		cfg.User, cfg.Password = c.User, c.Password.Reveal()
	}
	switch c.TLS {
	case strict:
		cfg.Encryption = msdsn.EncryptionStrict
	case optional:
		cfg.Encryption = msdsn.EncryptionOff
	}
	t, err := tlsx.Config(c.Spec(), c.Host)
	if err != nil {
		return cfg, err
	}
	cfg.TLSConfig = l.verified(t, c.ServerName != "")
	// SQL Server expects a record for each packet.
	cfg.TLSConfig.DynamicRecordSizingDisabled = true
	return cfg, nil
}

func (mssqlDialect) hello(ctx context.Context, c *sql.Conn) error {
	var one int
	return c.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// begin bounds waiting and the size of values. There is no transaction: SQL
// Server knows none that is read-only, and tables in memory refuse others. Single
// statements under READ COMMITTED hold their locks for a moment, and the
// statements are this package's own.
func (mssqlDialect) begin(ctx context.Context, c *sql.Conn) (querier, func(), error) {
	_, err := c.ExecContext(ctx, fmt.Sprintf("SET LOCK_TIMEOUT %d; SET TEXTSIZE %d", lockTime/time.Millisecond, 4*maxCell))
	return c, func() {}, err
}

// stop waits for the driver, which cancels on the server itself.
func (d mssqlDialect) stop(_ context.Context, c *sql.Conn) func(<-chan struct{}) {
	return d.made.cutter(c)
}

func (d mssqlDialect) facts(ctx context.Context, q querier) ([]connectors.Fact, error) {
	var account, version, database, edition, scheme sql.NullString
	var admin sql.NullBool
	err := q.QueryRowContext(ctx, `SELECT SUSER_SNAME(), CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128)), DB_NAME(), CAST(SERVERPROPERTY('Edition') AS nvarchar(128)),
		CAST(CONNECTIONPROPERTY('auth_scheme') AS nvarchar(40)), CAST(IS_SRVROLEMEMBER('sysadmin') AS bit)`).Scan(&account, &version, &database, &edition, &scheme, &admin)
	if err != nil {
		return nil, err
	}
	protection := map[string]string{verify: "TLS", strict: "TLS from the first byte", optional: "not verified to be encrypted"}[d.c.TLS]
	out := []connectors.Fact{{Label: "Account", Text: account.String}, {Label: "Server", Text: strings.TrimSpace("SQL Server " + version.String + " " + edition.String)}}
	if d.c.Database != "" {
		out = append(out, connectors.Fact{Label: "Database", Text: database.String})
	}
	out = append(out, connectors.Fact{Label: "Encryption", Text: protection}, connectors.Fact{Label: "Access", Text: "only statements that read"})
	if scheme.String != "" {
		out = append(out, connectors.Fact{Label: "Signed in by", Text: scheme.String})
	}
	if admin.Bool {
		out = append(out, connectors.Fact{Label: "Right", Text: "sysadmin: more than a preview needs"})
	}
	if until := d.expires(ctx, q); !until.IsZero() {
		out = append(out, connectors.Fact{Label: "Expires", Text: until.UTC().Format(time.RFC3339)})
	}
	return out, nil
}

func (mssqlDialect) quote(name string) string { return mssql.TSQLQuoter{}.ID(name) }

func (mssqlDialect) first(list, from string, n int) string {
	return fmt.Sprintf("SELECT TOP (%d) %s FROM %s", n, list, from)
}

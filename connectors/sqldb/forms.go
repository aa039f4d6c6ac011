package sqldb

import (
	"context"
	"crypto/tls"
	"strings"
	"sync/atomic"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/tlsx"
)

// Types are the databases.
func Types() []connectors.Type {
	return []connectors.Type{postgresType(), mysqlType(), sqlserverType(), oracleType(), sqliteType()}
}

// The answers of the choices that several forms have.
const (
	verify      = "verify"
	off         = "off"
	byPassword  = "password"
	certificate = "certificate"
	rdsIAM      = "rds_iam"
)

// host are the answers about PostgreSQL or MySQL on the network.
type host struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Database string            `field:"database"`
	TLS      string            `field:"tls"`
	iamAnswers
	tlsx.Answers
}

func (c host) encrypted() bool { return c.TLS != off }

// check finds what no server needs to be asked for.
func (c host) check() error {
	wrong := func(reason, field string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Field: field}
	}
	switch {
	case c.Auth == certificate && !c.encrypted():
		return wrong("sql.certificate_open", "tls")
	case c.Auth == certificate && !c.Presents():
		return wrong("sql.no_certificate", "client_cert")
	// RDS takes a token over an encrypted connection alone, and who reads it on
	// the way could sign in with it.
	case c.Auth == rdsIAM && !c.encrypted():
		return wrong("sql.iam_open", "tls")
	}
	return nil
}

// credential is the field of what the account proves itself with.
func (c host) credential() string {
	switch c.Auth {
	case certificate:
		return "client_cert"
	case rdsIAM:
		return "access_key"
	}
	return "password"
}

// untaken is a connection that ended after a client certificate was shown; nil
// where none was. A server that does not take one says so by a TLS alert and
// closes, and what is written at that moment may fail before the alert is read.
func (c host) untaken(err error, target string) error {
	if !c.Presents() || !c.encrypted() {
		return nil
	}
	return &connectors.Error{Code: connectors.AuthFailed, Reason: "tls.client_cert", Op: connectors.StageSecure, Target: target, Field: "client_cert", Err: err}
}

func (c host) door(addr string, t *tls.Config) door {
	d := door{addr: addr, user: c.User, safe: watch(t)}
	if c.encrypted() {
		d.secured = "TLS, certificate verified"
	}
	return d
}

// watch makes t remember whether a handshake with it came to its end; what it
// returns tells.
func watch(t *tls.Config) func() bool {
	if t == nil {
		return nil
	}
	var done atomic.Bool
	verify := t.VerifyConnection
	t.VerifyConnection = func(state tls.ConnectionState) error {
		if verify != nil {
			if err := verify(state); err != nil {
				return err
			}
		}
		done.Store(true)
		return nil
	}
	return done.Load
}

func encryption() connectors.Field {
	return connectors.Field{Key: "tls", Label: "Encryption", Kind: connectors.Choice, Default: verify, Section: "Security", Options: []connectors.Option{
		{Value: verify, Label: "TLS, certificate verified", Help: "The server must show a certificate that this computer trusts."},
		{Value: off, Label: "None", Help: "Everything, also the password, can be read on the way. Only for servers on this computer or in a tunnel."},
	}}
}

// pasted understands URLs with one of the schemes, also as Java programs write
// them, and host:port.
func pasted(schemes ...string) func(string) map[string]string {
	address := answers.SplitURL("database", schemes...)
	return func(v string) map[string]string {
		v = strings.TrimSpace(v)
		if !strings.Contains(v, "://") {
			return answers.SplitPort(v)
		}
		if len(v) > 5 && strings.EqualFold(v[:5], "jdbc:") {
			v = v[5:]
		}
		return address(v)
	}
}

func serverForm(port, example string, database connectors.Field, schemes ...string) connectors.Form {
	keys := connectors.When("auth", rdsIAM)
	fields := []connectors.Field{
		answers.HostField(example, pasted(schemes...)),
		answers.PortField(port, port),
		{Key: "auth", Label: "Sign in", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "With user and password"},
			{Value: certificate, Label: "With a client certificate", Help: "The certificate and its key stand under Client certificate. Needs encryption."},
			{Value: rdsIAM, Label: "Amazon RDS, with an access key (IAM)", Help: "The password is made of the key for each connection and works for 15 minutes. Needs encryption."},
		}},
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byPassword)},
		{Key: "access_key", Label: "Access key ID", Kind: connectors.Text, Required: true, Show: keys, Example: "AKIAPRACTICEONLY0000", Valid: awsx.ValidAccessKey},
		{Key: "secret_key", Label: "Secret access key", Kind: connectors.SecretText, Required: true, Show: keys, Tidy: answers.TidySecret()},
		{Key: "session_token", Label: "Session token", Kind: connectors.SecretText, Advanced: true, Show: keys, Tidy: answers.TidySecret(), Help: "Only for temporary keys, which begin with ASIA."},
		{Key: "region", Label: "Region", Kind: connectors.Text, Advanced: true, Show: keys, Example: "eu-central-1", Valid: awsx.ValidRegion, Help: "Left empty it is read from the host, such as shop.abc.eu-central-1.rds.amazonaws.com."},
		{Key: "role_arn", Label: "Role ARN", Kind: connectors.Text, Advanced: true, Show: keys, Example: "arn:aws:iam::123456789012:role/reader", Valid: awsx.ValidRoleARN, Help: "A role to take on with these keys."},
		{Key: "external_id", Label: "External ID", Kind: connectors.Text, Advanced: true, Show: keys, Help: "Where the role asks for one."},
		database,
		encryption(),
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("tls", verify), true)...)}
}

const rdsBundle = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"

func rdsLinks() []connectors.Link {
	return []connectors.Link{
		{Text: "Amazon RDS: signing in with IAM", URL: "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html"},
		{Text: "Amazon RDS: the certificates to trust (global-bundle.pem)", URL: rdsBundle},
	}
}

const rdsStep = "Amazon RDS: the host is the endpoint in the RDS console. Its certificate comes from Amazon's own authority: download global-bundle.pem and use it as the CA certificate."

func postgresType() connectors.Type {
	db := connectors.Field{Key: "database", Label: "Database", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "sales", Help: "Leave empty to see every database that the account may open."}
	return connectors.Define(connectors.Type{
		ID: "postgres", Name: "PostgreSQL", Group: connectors.GroupDatabases, Tile: "PG", Summary: "Databases, schemas, tables, views and rows",
		Keywords: []string{"postgresql", "sql", "tables", "database", "redshift", "cockroach", "cockroachdb", "greenplum", "yugabyte", "timescale", "aurora", "rds"}, Where: []string{"host", "database"},
		Form: serverForm("5432", "db.example.com", db, "postgres", "postgresql"),
		Guide: connectors.Guide{
			Steps: []string{
				"Whoever runs the server tells host, port, database and user. A URL that begins with postgres:// can be pasted into the host.",
				rdsStep,
				"Client certificate: the name in the certificate (CN) is the user, unless pg_hba.conf maps it to another one.",
			},
			Rights: "CONNECT on the database, USAGE on the schemas, SELECT on the tables that should show rows. Nothing is ever written.",
			Admin:  "Make a role that may sign in, with CONNECT on the database, USAGE on the schemas and SELECT on the tables that should be seen; default privileges add the tables that are made later. The role pg_read_all_data would open everything. For Amazon's IAM the role also needs rds_iam, and the IAM policy the action rds-db:connect.",
			Notes:  []string{"Without a database the sign-in goes to the one called postgres, and the others are opened as they are looked into."},
			Links:  rdsLinks(),
		},
	}, openPostgres)
}

func mysqlType() connectors.Type {
	db := connectors.Field{Key: "database", Label: "Database", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "shop", Help: "Leave empty to see every database that the account may see."}
	return connectors.Define(connectors.Type{
		ID: "mysql", Name: "MySQL / MariaDB", Group: connectors.GroupDatabases, Tile: "MY", Summary: "Databases, tables, views and rows",
		Keywords: []string{"mariadb", "sql", "tables", "database", "schema", "aurora", "rds", "percona"}, Where: []string{"host", "database"},
		Form: serverForm("3306", "db.example.com", db, "mysql", "mariadb"),
		Guide: connectors.Guide{
			Steps: []string{
				"Whoever runs the server tells host, port and user. A URL that begins with mysql:// can be pasted into the host.",
				rdsStep,
				"An account that wants a certificate besides its password (REQUIRE X509) gets both: sign in with user and password, and put the certificate under Client certificate.",
			},
			Rights: "SELECT on the tables that should show rows. Nothing is ever written.",
			Admin:  "CREATE USER reader IDENTIFIED BY '…'; GRANT SELECT ON shop.* TO reader; For Amazon's IAM: CREATE USER reader IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'; and the action rds-db:connect in the IAM policy.",
			Links:  rdsLinks(),
		},
	}, openMySQL)
}

type file struct {
	Path string `field:"file"`
}

func sqliteType() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "sqlite", Offline: true, Name: "SQLite file", Group: connectors.GroupDatabases, Tile: "SL", Summary: "Tables, views and rows in a file",
		Keywords: []string{"sqlite3", "db", "tables", "database", "file"}, Where: []string{"file"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "file", Label: "Database file", Kind: connectors.File, Required: true, Section: "File", Example: "/data/shop.db", Help: "It is opened for reading only."},
		}},
		Guide: connectors.Guide{Rights: "Reading the file and its folder."},
	}, func(ctx context.Context, env *connectors.Env, c file) (connectors.Session, error) {
		return openSQLite(ctx, env, c)
	})
}

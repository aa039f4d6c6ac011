package sqldb

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// Types are the databases.
func Types() []connectors.Type {
	return []connectors.Type{postgresType(), mysqlType(), sqliteType()}
}

// host are the answers about a database on the network.
type host struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Database string            `field:"database"`
	TLS      string            `field:"tls"`
	tlsx.Answers
}

func serverForm(port, example string, database connectors.Field, schemes ...string) connectors.Form {
	fields := []connectors.Field{
		answers.HostField(example, answers.SplitURL("database", schemes...)),
		answers.PortField(port, port),
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Section: "Sign-in", Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true},
		database,
		{Key: "tls", Label: "Encryption", Kind: connectors.Choice, Default: "verify", Section: "Security", Options: []connectors.Option{
			{Value: "verify", Label: "TLS, certificate verified", Help: "The server must show a certificate that this computer trusts."},
			{Value: "off", Label: "None", Help: "Everything, also the password, can be read on the way. Only for servers on this computer or in a tunnel."},
		}},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("tls", "verify"), true)...)}
}

func postgresType() connectors.Type {
	db := connectors.Field{Key: "database", Label: "Database", Kind: connectors.Text, Default: "postgres", Section: "What to read", Example: "sales"}
	return connectors.Define(connectors.Type{
		ID: "postgres", Name: "PostgreSQL", Group: connectors.GroupDatabases, Tile: "PG", Summary: "Schemas, tables, views and rows",
		Keywords: []string{"postgresql", "sql", "tables", "database", "redshift", "cockroach", "timescale"}, Where: []string{"host", "database"},
		Form: serverForm("5432", "db.example.com", db, "postgres", "postgresql"),
		Guide: connectors.Guide{Rights: "CONNECT on the database, USAGE on the schemas, SELECT on the tables that should show rows.",
			Admin: "CREATE ROLE reader LOGIN PASSWORD '…'; GRANT pg_read_all_data TO reader; (or SELECT on single tables)."},
	}, openPostgres)
}

func mysqlType() connectors.Type {
	db := connectors.Field{Key: "database", Label: "Database", Kind: connectors.Text, Section: "What to read", Example: "shop", Help: "Leave empty to see every database that the account may see."}
	return connectors.Define(connectors.Type{
		ID: "mysql", Name: "MySQL / MariaDB", Group: connectors.GroupDatabases, Tile: "MY", Summary: "Databases, tables, views and rows",
		Keywords: []string{"mariadb", "sql", "tables", "database", "schema", "aurora"}, Where: []string{"host", "database"},
		Form: serverForm("3306", "db.example.com", db, "mysql", "mariadb"),
		Guide: connectors.Guide{Rights: "SELECT on the tables that should show rows.",
			Admin: "CREATE USER reader IDENTIFIED BY '…'; GRANT SELECT ON shop.* TO reader;"},
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

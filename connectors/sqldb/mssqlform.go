package sqldb

import (
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The answers of SQL Server's choices.
const (
	byNTLM     = "ntlm"
	byKerberos = "kerberos"
	byToken    = "token"
	strict     = "strict"
	optional   = "optional"
)

// sqlserver are the answers about a SQL Server.
type sqlserver struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Instance string            `field:"instance"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Token    connectors.Secret `field:"access_token"`
	Realm    string            `field:"realm"`
	KDC      string            `field:"kdc"`
	SPN      string            `field:"spn"`
	Database string            `field:"database"`
	TLS      string            `field:"tls"`
	tlsx.ServerAnswers
}

func sqlserverType() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "sqlserver", Name: "SQL Server", Group: connectors.GroupDatabases, Tile: "MS", Summary: "Databases, schemas, tables, views and rows",
		Keywords: []string{"microsoft", "mssql", "sql", "azure sql", "tables", "database", "t-sql", "tds", "synapse", "fabric", "windows", "entra"}, Where: []string{"host", "instance", "database"},
		Form: sqlserverForm(),
		Guide: connectors.Guide{
			Steps: []string{
				"Whoever runs the server tells host and port (1433 unless it was changed), or a name such as SERVER\\INSTANCE, which can be pasted into the host.",
				"Azure SQL: the host is on the database's Overview page, such as acme.database.windows.net. Name the database there too.",
				"Windows accounts: DOMAIN\\user with NTLM; with Kerberos user@realm, and the host must be the server's full name.",
				"Entra: “az account get-access-token --resource https://database.windows.net/” prints an access token. It works for about an hour.",
				"A server that made its own certificate is not trusted: ask its administrator for the certificate's fingerprint and type it under Trusted fingerprint, or have a real certificate installed.",
			},
			Rights:  "CONNECT on the database and SELECT on the tables that should show rows, such as the role db_datareader. Nothing is ever written.",
			Admin:   "CREATE LOGIN reader WITH PASSWORD = '…'; in the database: CREATE USER reader FOR LOGIN reader; ALTER ROLE db_datareader ADD MEMBER reader;",
			Network: "TCP 1433, or the instance's port. Finding an instance by its name needs UDP 1434 and no proxy or jump host. Azure SQL: also 11000 to 11999 from inside Azure.",
			Notes:   []string{"SQL Server has no read-only sign-in: only statements that read are sent, and they wait at most two seconds for a lock. Give the account no rights to write."},
			Links: []connectors.Link{
				{Text: "Azure SQL: firewall rules", URL: "https://learn.microsoft.com/azure/azure-sql/database/firewall-configure"},
				{Text: "Why a sign-in failed (error 18456)", URL: "https://learn.microsoft.com/sql/relational-databases/errors-events/mssqlserver-18456-database-engine-error"},
			},
		},
	}, openSQLServer)
}

func sqlserverForm() connectors.Form {
	port := answers.PortField("", "1433")
	port.Help = "Empty for 1433, or to ask for the instance's port when an instance is named."
	krb := connectors.When("auth", byKerberos)
	fields := []connectors.Field{
		answers.HostField("sql.example.com", splitServer),
		port,
		{Key: "instance", Label: "Instance", Kind: connectors.Text, Advanced: true, Example: "SQLEXPRESS", Valid: validInstance, Help: "What stands behind the backslash in SERVER\\INSTANCE. Not needed when the port is known."},
		{Key: "auth", Label: "Sign in", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "SQL Server login", Help: "A user and password that the database server itself knows."},
			{Value: byNTLM, Label: "Windows account (NTLM)", Help: "DOMAIN\\user and its password."},
			{Value: byKerberos, Label: "Windows account (Kerberos)", Help: "The password stays here and at the domain controller; the database server never sees it."},
			{Value: byToken, Label: "Microsoft Entra access token"},
		}},
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Example: "reader", Show: connectors.When("auth", byPassword, byNTLM, byKerberos), Help: "With NTLM DOMAIN\\user, with Kerberos user@realm."},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", byPassword, byNTLM, byKerberos)},
		{Key: "access_token", Label: "Access token", Kind: connectors.SecretLines, Required: true, Show: connectors.When("auth", byToken), Tidy: answers.TidySecret("Bearer "), Help: "For https://database.windows.net/."},
		{Key: "realm", Label: "Realm", Kind: connectors.Text, Example: "CORP.EXAMPLE.COM", Show: krb, Help: "The Kerberos name of the domain. Left empty it is what stands behind the @ of the user, in capital letters."},
		{Key: "kdc", Label: "Kerberos server (KDC)", Kind: connectors.Text, Example: "dc1.corp.example.com", Advanced: true, Show: krb, Help: "Left empty it is looked up in the DNS."},
		{Key: "spn", Label: "Service name (SPN)", Kind: connectors.Text, Example: "MSSQLSvc/sql.example.com:1433", Advanced: true, Show: krb, Help: "Left empty it is MSSQLSvc/, the host and the port."},
		{Key: "database", Label: "Database", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "Sales", Help: "Leave empty to see every database. Azure SQL often needs one."},
		{Key: "tls", Label: "Encryption", Kind: connectors.Choice, Default: verify, Section: "Security", Options: []connectors.Option{
			{Value: verify, Label: "Required, certificate verified", Help: "The server must show a certificate that this computer trusts."},
			{Value: strict, Label: "Strict (SQL Server 2022 and Azure)", Help: "Encrypted from the first byte, which the server must offer."},
			{Value: optional, Label: "Only where the server asks for it", Help: "Anybody in between could switch it off and read everything, also the password. Only for servers on this computer or in a tunnel."},
		}},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(nil, false)...)}
}

// splitServer understands what Microsoft's tools call a server name:
// tcp:HOST\INSTANCE,PORT, and URLs.
func splitServer(v string) map[string]string {
	v = strings.TrimSpace(v)
	if strings.Contains(v, "://") {
		return answers.SplitURL("", "sqlserver", "mssql")(v)
	}
	v = strings.TrimPrefix(v, "tcp:")
	name, port, hasPort := strings.Cut(v, ",")
	host, instance, hasInstance := strings.Cut(name, `\`)
	if !hasPort && !hasInstance {
		return nil
	}
	out := map[string]string{"host": strings.TrimSpace(host)}
	if port = strings.TrimSpace(port); answers.ValidPort(port) == nil {
		out["port"] = port
	}
	if hasInstance {
		out["instance"] = strings.TrimSpace(instance)
	}
	return out
}

// check finds what no server needs to be asked for.
func (c sqlserver) check() error {
	wrong := func(reason, field string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageForm, Field: field}
	}
	domain, name, _ := strings.Cut(c.User, `\`)
	switch {
	case c.Auth == byNTLM && (domain == "" || name == ""):
		return wrong("mssql.ntlm_user", "user")
	// NTLM's answer is quickly guessed from, and a token works for whoever has it.
	case c.TLS == optional && (c.Auth == byNTLM || c.Auth == byToken):
		return wrong("mssql.open", "tls")
	}
	return nil
}

func (c sqlserver) credential() string {
	if c.Auth == byToken {
		return "access_token"
	}
	return "password"
}

// account is who signs in, as the ladder shows it.
func (c sqlserver) account() string {
	if c.Auth == byToken {
		return "access token"
	}
	return c.User
}

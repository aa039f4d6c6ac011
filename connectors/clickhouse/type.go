// Package clickhouse is the connection type for ClickHouse, over its HTTP
// interface (https://clickhouse.com/docs/interfaces/http). It only reads.
package clickhouse

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

// The ways to sign in.
const (
	byPassword    = "password"
	byCertificate = "certificate"
)

type config struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Auth     string            `field:"auth"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	Database string            `field:"database"`
	Security string            `field:"security"`
	tlsx.Answers
}

func (c config) secure() bool { return c.Security == "tls" }

// addr is host and port; the usual port depends on the encryption.
func (c config) addr() string {
	port := c.Port
	if port == 0 {
		port = 8123
		if c.secure() {
			port = 8443
		}
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(port))
}

func (c config) origin() url.URL {
	u := url.URL{Scheme: "http", Host: c.addr(), Path: "/"}
	if c.secure() {
		u.Scheme = "https"
	}
	return u
}

// Type is the ClickHouse server.
func Type() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "clickhouse", Name: "ClickHouse", Group: connectors.GroupDatabases, Tile: "CH",
		Summary:  "Databases, tables, views and rows",
		Keywords: []string{"sql", "tables", "database", "analytics", "olap", "clickhouse cloud", "altinity", "warehouse"},
		Where:    []string{"host", "database"},
		Form:     form(),
		Guide: connectors.Guide{
			Steps: []string{
				"ClickHouse Cloud shows host, port 8443, user and password behind “Connect”, under HTTPS.",
				"On a server of your own the HTTP interface has port 8123, or 8443 with TLS. Ports 9000 and 9440 are for ClickHouse's own client.",
			},
			Rights: "SELECT on the tables that should show rows. A user with the profile readonly is enough.",
			Admin:  "CREATE USER reader IDENTIFIED BY '…' SETTINGS readonly = 1; GRANT SELECT ON shop.* TO reader;",
			Notes:  []string{"Tables that take messages from Kafka, RabbitMQ or NATS are not opened: reading them would take the messages away from others."},
			Links:  []connectors.Link{{Text: "Users and rights", URL: "https://clickhouse.com/docs/operations/access-rights"}, {Text: "HTTP interface", URL: "https://clickhouse.com/docs/interfaces/http"}},
		},
	}, open)
}

func form() connectors.Form {
	secure := connectors.When("security", "tls")
	fields := []connectors.Field{
		answers.HostField("abc123.eu-central-1.aws.clickhouse.cloud", split),
		portField(),
		{Key: "security", Label: "Encryption", Kind: connectors.Choice, Default: "tls", Options: []connectors.Option{
			{Value: "tls", Label: "TLS, certificate verified", Help: "Usually port 8443. The server must show a certificate that this computer trusts."},
			{Value: "none", Label: "None", Help: "Usually port 8123. Everything, also the password, can be read on the way. Only for servers on this computer or in a tunnel."},
		}},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: byPassword, Section: "Sign-in", Options: []connectors.Option{
			{Value: byPassword, Label: "User and password"},
			{Value: byCertificate, Label: "User and client certificate", Help: "Only with TLS, for users made with IDENTIFIED WITH ssl_certificate."},
		}},
		{Key: "user", Label: "User", Kind: connectors.Text, Default: "default", Required: true, Example: "reader"},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Show: connectors.When("auth", byPassword), Help: "Leave empty only where the user has none."},
		{Key: "database", Label: "Database", Kind: connectors.Text, Listed: true, Section: "What to read", Example: "shop", Help: "Leave empty to see every database that the account may see."},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(secure, true)...)}
}

// split understands https://user@host:8443/?database=shop and clickhouse://host/shop,
// pasted into the host. The native port becomes the HTTP one.
func split(v string) map[string]string {
	scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(v)), "://")
	out := answers.SplitURL("database", "http", "https", "clickhouse", "clickhouses", "ch", "chs")(v)
	if out == nil {
		return nil
	}
	if u, err := url.Parse(strings.TrimSpace(v)); err == nil && u.Query().Get("database") != "" {
		out["database"] = u.Query().Get("database")
	}
	out["security"] = "none"
	if strings.HasSuffix(scheme, "s") || out["port"] == "9440" || out["port"] == "8443" {
		out["security"] = "tls"
	}
	if out["port"] == "9000" || out["port"] == "9440" {
		delete(out, "port")
	}
	return out
}

func portField() connectors.Field {
	f := answers.PortField("", "8443")
	f.Help = "Empty for the usual one: 8443 with TLS, 8123 without."
	return f
}

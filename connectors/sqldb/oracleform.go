package sqldb

import (
	"regexp"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

const (
	byService = "service"
	bySID     = "sid"
	tcps      = "tcps"
)

// oracle are the answers about an Oracle database.
type oracle struct {
	Host     string            `field:"host"`
	Port     int               `field:"port"`
	Kind     string            `field:"kind"`
	Service  string            `field:"service"`
	SID      string            `field:"sid"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
	TLS      string            `field:"tls"`
	tlsx.Answers
}

func oracleType() connectors.Type {
	return connectors.Define(connectors.Type{
		ID: "oracle", Name: "Oracle Database", Group: connectors.GroupDatabases, Tile: "OR", Summary: "Schemas, tables, views and rows",
		Keywords: []string{"oracle", "sql", "tables", "database", "tns", "sid", "autonomous", "plsql", "ora"}, Where: []string{"host", "service", "sid"},
		Form: oracleForm(),
		Guide: connectors.Guide{
			Steps: []string{
				"Whoever runs the database tells host, port (1521, or 2484 with TLS) and the service name; old databases have a SID instead. HOST:PORT/SERVICE can be pasted into the host, and so can an entry of tnsnames.ora.",
				"Autonomous Database: take host, port 1522 and service_name from tnsnames.ora in the wallet. Open ewallet.pem of the wallet in an editor: its certificates go into CA certificate and Client certificate, its key into Private key, and the wallet's password is the key's passphrase.",
			},
			Rights: "CREATE SESSION, and SELECT or READ on the tables that should show rows. Nothing is ever written.",
			Admin:  "CREATE USER reader IDENTIFIED BY \"…\"; GRANT CREATE SESSION TO reader; GRANT READ ON sales.orders TO reader;",
			Notes:  []string{"User names and other names are written in capital letters by Oracle, unless they were made with quotation marks. Passwords distinguish capital letters."},
			Links:  []connectors.Link{{Text: "Oracle's error messages", URL: "https://docs.oracle.com/error-help/db/"}},
		},
	}, openOracle)
}

func oracleForm() connectors.Form {
	fields := []connectors.Field{
		answers.HostField("db.example.com", splitOracle),
		answers.PortField("1521", "1521"),
		{Key: "kind", Label: "Database is named by", Kind: connectors.Choice, Default: byService, Options: []connectors.Option{
			{Value: byService, Label: "Service name"}, {Value: bySID, Label: "SID", Help: "How databases before version 12 are often named."},
		}},
		{Key: "service", Label: "Service name", Kind: connectors.Text, Required: true, Example: "FREEPDB1", Show: connectors.When("kind", byService), Valid: validService},
		{Key: "sid", Label: "SID", Kind: connectors.Text, Required: true, Example: "ORCL", Show: connectors.When("kind", bySID), Valid: validService},
		{Key: "user", Label: "User", Kind: connectors.Text, Required: true, Section: "Sign-in", Example: "READER", Valid: validOracleUser},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true},
		{Key: "tls", Label: "Encryption", Kind: connectors.Choice, Default: tcps, Section: "Security", Options: []connectors.Option{
			{Value: tcps, Label: "TLS (TCPS), certificate verified", Help: "Usually on a port of its own, such as 2484 or 1522."},
			{Value: off, Label: "None", Help: "What is read can be seen on the way, unless the server encrypts by itself; the password cannot."},
		}},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(connectors.When("tls", tcps), true)...)}
}

var (
	descriptorHost    = regexp.MustCompile(`(?i)\(\s*HOST\s*=\s*([^\s()]+)\s*\)`)
	descriptorPort    = regexp.MustCompile(`(?i)\(\s*PORT\s*=\s*(\d+)\s*\)`)
	descriptorService = regexp.MustCompile(`(?i)\(\s*SERVICE_NAME\s*=\s*([^\s()]+)\s*\)`)
	descriptorSID     = regexp.MustCompile(`(?i)\(\s*SID\s*=\s*([^\s()]+)\s*\)`)
	descriptorTCPS    = regexp.MustCompile(`(?i)\(\s*PROTOCOL\s*=\s*tcps\s*\)`)
	easyConnect       = regexp.MustCompile(`^(?i)(?:(tcps?):)?(?://)?([a-z0-9._-]+)(?::(\d+))?/([a-z0-9_$#.-]+)(?::[a-z]+)?(?:\?.*)?$`)
)

// splitOracle understands an entry of tnsnames.ora, Easy Connect
// ([tcps://]host[:port]/service), JDBC's thin URLs and oracle:// URLs.
func splitOracle(v string) map[string]string {
	v = strings.TrimSpace(v)
	if strings.Contains(strings.ToUpper(v), "(DESCRIPTION") {
		return splitDescriptor(v)
	}
	if strings.HasPrefix(strings.ToLower(v), "oracle://") {
		out := answers.SplitURL("service", "oracle")(v)
		if out["service"] != "" {
			out["kind"] = byService
		}
		return out
	}
	v = strings.TrimPrefix(strings.TrimPrefix(v, "jdbc:oracle:thin:"), "@")
	m := easyConnect.FindStringSubmatch(v)
	if m == nil {
		return nil
	}
	out := map[string]string{"host": m[2], "service": m[4], "kind": byService}
	if m[3] != "" {
		out["port"] = m[3]
	}
	if strings.EqualFold(m[1], "tcps") {
		out["tls"] = tcps
	}
	return out
}

func splitDescriptor(v string) map[string]string {
	out := map[string]string{}
	for key, shape := range map[string]*regexp.Regexp{"host": descriptorHost, "port": descriptorPort, "service": descriptorService, "sid": descriptorSID} {
		if m := shape.FindStringSubmatch(v); m != nil {
			out[key] = m[1]
		}
	}
	if out["host"] == "" {
		return nil
	}
	out["kind"], out["tls"] = byService, off
	if out["service"] == "" && out["sid"] != "" {
		out["kind"] = bySID
	}
	if descriptorTCPS.MatchString(v) {
		out["tls"] = tcps
	}
	return out
}

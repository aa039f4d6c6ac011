package clickhouse

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const (
	password = "practice-only-reader"
	// awkward has every sign that some syntax gives a meaning, and blanks at its ends.
	awkward   = ` practice 'only" @/#?%\: x' host='evil.example' ü `
	manyNames = 10_500
)

type fixture struct {
	*server.ClickHouse
	ca *server.CA
}

func user(name, password, profile, more string) string {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", " ", "&#32;").Replace(password)
	return fmt.Sprintf("<%[1]s><password>%[2]s</password><networks><ip>::/0</ip></networks><profile>%[3]s</profile><quota>default</quota>%[4]s</%[1]s>", name, escaped, profile, more)
}

func start(t *testing.T) *fixture {
	t.Helper()
	shop := "<allow_databases><database>shop</database></allow_databases>"
	f := &fixture{ca: server.NewCA(t)}
	f.ClickHouse = server.StartClickHouse(t, server.ClickHouseConf{
		CA:       f.ca,
		Profiles: "<one><readonly>1</readonly></one><slow><max_execution_time>1</max_execution_time><readonly>1</readonly></slow>",
		Users: user("reader", password, "one", shop) + user("awkward", awkward, "one", "") + user("writer", password, "default", "") + user("slow", password, "slow", "") +
			"<elsewhere><password>" + password + "</password><networks><ip>10.1.2.3</ip></networks><profile>one</profile><quota>default</quota></elsewhere>",
	})
	f.Run(t, "CREATE DATABASE shop", "CREATE DATABASE many", "CREATE DATABASE other",
		"CREATE TABLE shop.orders (id UInt64, name String, amount Decimal(10,2), tags Array(String), n Nullable(Int32), twice UInt64 ALIAS id * 2) ENGINE = MergeTree ORDER BY id",
		"INSERT INTO shop.orders SELECT number, 'Customer ' || toString(number), 1.5, ['a', 'b'], NULL FROM numbers(100)",
		"CREATE VIEW shop.big AS SELECT * FROM shop.orders WHERE id > 50",
		"CREATE VIEW shop.forever AS SELECT count() FROM system.numbers",
		"CREATE VIEW shop.broad AS SELECT arrayStringConcat(arrayMap(x -> 'x', range(100000))) AS text FROM numbers(1000)",
		"CREATE TABLE shop.`odd \u202e 'na`` me\\`\\\\` (`a b` UInt8) ENGINE = Memory")
	return f
}

func (f *fixture) settings(more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"host", "127.0.0.1", "port", strconv.Itoa(f.HTTP), "auth", byPassword, "user", "reader", "security", "none", "password", password}, more...)
}

func (f *fixture) set(more ...string) func(testing.TB) connectors.Settings {
	return func(testing.TB) connectors.Settings { return f.settings(more...) }
}

func TestClickHouse18(t *testing.T) {
	f := start(t)
	t.Run("conformance", f.plainly)
	t.Run("conformance with TLS", f.withTLS)
	t.Run("tree", f.tree)
	t.Run("tables", f.tables)
	t.Run("rows", f.rows)
	t.Run("refused", f.refused)
	t.Run("TestSecurity60_EverySignOfAPasswordCounts", f.password)
	t.Run("TestSecurity63_NothingIsWritten", f.onlyReads)
}

func (f *fixture) plainly(t *testing.T) {
	speaks := func(greeting string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			host, port := conntest.Speaks(tb, greeting)
			return f.settings("host", host, "port", port)
		}
	}
	apache := server.Apache(t, "")
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: f.set(),
		Hostile: &conntest.Place{Settings: f.set(), Node: "shop"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: f.set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "password missing", Settings: f.set("password", ""), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: f.set("user", "nobody"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "user"},
			{Name: "from another address", Settings: f.set("user", "elsewhere"), Code: connectors.Denied, Stage: connectors.StageSignIn},
			{Name: "database missing", Settings: f.set("user", "writer", "database", "nope"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "database"},
			{Name: "database not permitted", Settings: f.set("database", "other"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "database"},
			{Name: "native port", Settings: f.set("port", strconv.Itoa(f.Native)), Code: connectors.Refused, Stage: connectors.StageConnect, Field: "port"},
			{Name: "TLS port in the clear", Settings: f.set("port", strconv.Itoa(f.HTTPS)), Code: connectors.Refused, Field: "security"},
			{Name: "another website", Settings: f.set("port", apache[strings.LastIndexByte(apache, ':')+1:]), Code: connectors.Refused, Field: "port"},
			{Name: "SSH", Settings: speaks("SSH-2.0-OpenSSH_9.2\r\n"), Code: connectors.Refused, Field: "security"},
			{Name: "unknown host", Settings: f.set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "certificate without TLS", Settings: f.set("auth", byCertificate), Code: connectors.BadInput, Field: "security"},
		},
	})
}

func (f *fixture) withTLS(t *testing.T) {
	other := server.NewCA(t)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return f.set(append([]string{"port", strconv.Itoa(f.HTTPS), "security", "tls", "ca", f.ca.PEM}, more...)...)
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set(),
		Faults: []conntest.Fault{
			{Name: "TLS to a plain port", Settings: set("port", strconv.Itoa(f.HTTP)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "TLS to the native port", Settings: set("port", strconv.Itoa(f.Native)), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "TestSecurity61_AnUnknownAuthority", Settings: set("ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "TestSecurity61_AnotherName", Settings: set("tls_name", "db.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "certificate not given", Settings: set("auth", byCertificate), Code: connectors.BadInput, Field: "client_cert"},
		},
	})
}

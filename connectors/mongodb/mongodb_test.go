package mongodb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestStandInConformance(t *testing.T) {
	s := (&standIn{many: 10_500}).start(t)
	other := func(o *standIn, more ...string) func(testing.TB) connectors.Settings {
		started := o.start(t)
		return func(testing.TB) connectors.Settings { return started.settings(more...) }
	}
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return s.settings(more...) }
	}
	speaks := func(greeting string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings {
			host, port := conntest.Speaks(tb, greeting)
			return s.settings("host", host, "port", port)
		}
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set(),
		Big:     &conntest.Big{Settings: set(), Parent: "many", Count: 10_500},
		Hostile: &conntest.Place{Settings: set(), Node: "shop"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "wrong password, SHA-1", Settings: set("password", "wrong-practice", "mechanism", "SCRAM-SHA-1"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: set("user", "nobody"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "nobody", Settings: set("auth", byNothing), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "listing not permitted", Settings: other(&standIn{noList: true}), Code: connectors.Denied, Stage: connectors.StageRights, Field: "database"},
			{Name: "too old", Settings: other(&standIn{wire: 5}), Code: connectors.Unsupported, Stage: connectors.StageSignIn},
			{Name: "TLS to a plain port", Settings: set("security", "tls"), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
			{Name: "a web server", Settings: speaks("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), Code: connectors.Refused, Field: "port"},
			{Name: "SSH", Settings: speaks("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), Code: connectors.Refused, Field: "port"},
			{Name: "unknown host", Settings: set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "no cluster's name", Settings: set("host", "no-such-cluster.invalid", "topology", aName), Code: connectors.NotFound, Stage: connectors.StageResolve, Field: "host"},
			{Name: "certificate without TLS", Settings: set("auth", byCertificate), Code: connectors.BadInput, Field: "security"},
			{Name: "a database that cannot be", Settings: set("database", "a/b"), Code: connectors.BadInput, Field: "database"},
		},
	})
}

func TestStandInWithTLS(t *testing.T) {
	ca, foreign := server.NewCA(t), server.NewCA(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(ca.PEM))
	s := (&standIn{tls: &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, server.Cert{}).TLS(t)}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven}}).start(t)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return s.settings(append([]string{"security", "tls", "ca", ca.PEM}, more...)...)
		}
	}
	cert := func(ca *server.CA, name string) []string {
		own := ca.Issue(t, server.Cert{Name: name, Client: true})
		return []string{"auth", byCertificate, "client_cert", own.Cert, "client_key", own.Key}
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set(),
		Faults: []conntest.Fault{
			{Name: "TLS port in the clear", Settings: set("security", "none"), Code: connectors.Refused, Field: "security"},
			{Name: "TestSecurity61_AnUnknownAuthority", Settings: set("ca", foreign.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "TestSecurity61_AnotherName", Settings: set("tls_name", "db.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "unknown certificate", Settings: set(cert(ca, "stranger")...), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "client_cert"},
			{Name: "certificate of another authority", Settings: set(cert(foreign, "reader")...), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "certificate not given", Settings: set("auth", byCertificate), Code: connectors.BadInput, Field: "client_cert"},
			{Name: "wrong company password", Settings: set("auth", byDirectory, "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		},
	})
	for name, good := range map[string]connectors.Settings{"certificate": set(cert(ca, "reader")...)(t), "company account": set("auth", byDirectory)(t)} {
		facts, err := mustOpen(t, good).Check(t.Context())
		if err != nil || conntest.Fact(facts, "Encryption") == "none" {
			t.Errorf("%s: %v %v", name, facts, err)
		}
	}
}

func mustOpen(t *testing.T, s connectors.Settings) *session {
	t.Helper()
	return conntest.Open(t, Type(), s).(*session)
}

func TestStandInLooks(t *testing.T) {
	in := (&standIn{set: "rs0"}).start(t)
	s := mustOpen(t, in.settings())
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "reader of admin" || conntest.Fact(facts, "Server") != "MongoDB 8.0.4" || conntest.Fact(facts, "Roles") != "read on shop" || conntest.Fact(facts, "Kind") != "primary of the replica set rs0" {
		t.Errorf("%v %v", facts, err)
	}
	if dbs := conntest.Below(t, s, ""); len(dbs) != 2 || !dbs["shop"].Branch {
		t.Errorf("%+v", dbs)
	}
	shop := conntest.Below(t, s, "shop")
	if n := shop["orders"]; n.Access != connectors.AccessReadable || conntest.Fact(n.Facts, "Documents") != "about 3" || n.ID != "shop/orders" {
		t.Errorf("%+v", n)
	}
	if n := shop["secret"]; n.Access != connectors.AccessListed || len(n.Views) > 0 {
		t.Errorf("%+v", n)
	}
	if n := shop["big"]; n.Kind != "view" || n.Branch {
		t.Errorf("%+v", n)
	}
	indexes := conntest.Below(t, s, "shop/orders")
	if n := indexes["customer_at"]; conntest.Fact(n.Facts, "Keys") != "customer, at (descending)" || conntest.Fact(n.Facts, "Unique") != "yes" || conntest.Fact(n.Facts, "Deletes documents after") != "3600 seconds" {
		t.Errorf("%+v", n)
	}
}

func TestStandInDocuments(t *testing.T) {
	in := (&standIn{}).start(t)
	s := mustOpen(t, in.settings())
	conntest.Below(t, s, "shop")
	got, err := s.Table(t.Context(), "shop/orders", 2)
	if err != nil || len(got.Rows) != 2 || !got.Truncated {
		t.Fatalf("%+v %v", got, err)
	}
	want := []any{"65f000000000000000000001", "Ada", int64(2), "12.50", "2023-11-14 22:13:20", `[{"sku":"a","n":1}]`, "0x00ff (2 bytes)", nil, nil}
	if !slices.Equal(got.Rows[0], want) {
		t.Errorf("%v", got.Rows[0])
	}
	if r := got.Rows[1]; r[0] != int64(2) || r[7] != 1.5 || len(r[8].(string)) > 5000 {
		t.Errorf("%v", r)
	}
	_, err = s.Table(t.Context(), "shop/secret", 2)
	conntest.WantError(t, err, connectors.Denied, "mongodb.denied", "")
	for _, err := range s.Children(t.Context(), "a/b/c") {
		conntest.WantError(t, err, connectors.NotFound, "mongodb.no_collection", "")
	}
	for _, c := range in.heard() {
		if !slices.Contains([]string{"hello", "isMaster", "ismaster", "saslStart", "saslContinue", "ping", "buildInfo", "connectionStatus", "listDatabases", "listCollections", "count", "listIndexes", "find", "endSessions"}, c) {
			t.Errorf("TestSecurity63: it sent %s", c)
		}
	}
}

func TestStandInReplicaSet(t *testing.T) {
	in := (&standIn{set: "rs0"}).start(t)
	_, closed := conntest.Closed(t)
	for _, more := range [][]string{{"topology", aSet}, {"topology", aSet, "replica_set", "rs0"}, {"topology", aSet, "members", "127.0.0.1:" + closed}} {
		if _, err := mustOpen(t, in.settings(more...)).Check(t.Context()); err != nil {
			t.Errorf("%v: %v", more, err)
		}
	}
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, in.settings("topology", aSet, "replica_set", "another"))
	conntest.WantError(t, err, connectors.Unreachable, "mongodb.no_member", "replica_set")
}

func TestStandInAnswersAreMapped(t *testing.T) {
	for _, c := range []struct {
		answer bson.D
		code   connectors.Code
		reason string
	}{
		{fail(50, "MaxTimeMSExpired", "operation exceeded time limit"), connectors.TimedOut, "mongodb.slow"},
		{fail(26, "NamespaceNotFound", "ns does not exist"), connectors.NotFound, "mongodb.no_collection"},
		{fail(13436, "NotPrimaryOrSecondary", "node is not in primary or recovering state"), connectors.Unreachable, "mongodb.not_ready"},
		{fail(4242, "Location4242", "something else"), connectors.Refused, "mongodb.other"},
	} {
		s := mustOpen(t, (&standIn{findFail: c.answer}).start(t).settings())
		_, err := s.Table(t.Context(), "shop/orders", 2)
		conntest.WantError(t, err, c.code, c.reason, "")
	}
}

func TestSecurity60_StandInEverySignOfAPasswordCounts(t *testing.T) {
	in := (&standIn{}).start(t)
	for _, mechanism := range []string{"auto", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		if _, err := mustOpen(t, in.settings("user", "awkward", "password", awkward, "mechanism", mechanism)).Check(t.Context()); err != nil {
			t.Errorf("%s: %v", mechanism, err)
		}
	}
}

func TestSecurity71_StandInDeepDocumentsAreNotShown(t *testing.T) {
	got, err := mustOpen(t, (&standIn{}).start(t).settings()).Table(t.Context(), "shop/deep", 2)
	if err != nil || !strings.Contains(fmt.Sprint(got.Rows[0][1]), "too deeply") {
		t.Errorf("%+v %v", got, err)
	}
}

// records are a name service that answers what is written down.
type records struct {
	srv []*net.SRV
	txt []string
	err error
}

func (r records) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", r.srv, r.err
}
func (r records) LookupTXT(context.Context, string) ([]string, error) { return r.txt, nil }

func TestClusterNames(t *testing.T) {
	good := []*net.SRV{{Target: "shard-00.ab1cd.mongodb.net.", Port: 27017}, {Target: "shard-01.ab1cd.mongodb.net.", Port: 27018}}
	got, err := lookUp(t.Context(), records{srv: good, txt: []string{"authSource=admin&replicaSet=atlas-1"}}, "cluster0.ab1cd.mongodb.net")
	if err != nil || !slices.Equal(got.hosts, []string{"shard-00.ab1cd.mongodb.net:27017", "shard-01.ab1cd.mongodb.net:27018"}) || got.replicaSet != "atlas-1" {
		t.Errorf("%+v %v", got, err)
	}
	_, err = lookUp(t.Context(), records{srv: []*net.SRV{{Target: "evil.example.", Port: 27017}}}, "cluster0.ab1cd.mongodb.net")
	conntest.WantError(t, err, connectors.Untrusted, "mongodb.foreign_record", "host")
	_, err = lookUp(t.Context(), records{srv: []*net.SRV{{Target: "evilmongodb.net.", Port: 27017}}}, "mongodb.net")
	conntest.WantError(t, err, connectors.Untrusted, "mongodb.foreign_record", "host")
	_, err = lookUp(t.Context(), records{}, "cluster0.ab1cd.mongodb.net")
	conntest.WantError(t, err, connectors.NotFound, "mongodb.no_record", "host")
}

func TestSplit(t *testing.T) {
	for in, want := range map[string]map[string]string{
		"mongodb+srv://reader:p@ss/w?rd@cluster0.ab1cd.mongodb.net":                             nil, // a ? ends it too early: no host is found
		"mongodb+srv://reader:p@ss@cluster0.ab1cd.mongodb.net/shop?retryWrites=true&w=majority": {"host": "cluster0.ab1cd.mongodb.net", "user": "reader", "topology": aName, "security": "tls", "database": "shop"},
		"mongodb://reader@one:27017,two:27018/?replicaSet=rs0&authSource=users&tls=true":        {"host": "one", "port": "27017", "members": "two:27018", "user": "reader", "topology": aSet, "replica_set": "rs0", "auth_source": "users", "security": "tls"},
		"mongodb://10.0.0.5/shop":   {"host": "10.0.0.5", "topology": oneServer, "security": "none", "database": "shop", "auth_source": "shop"},
		"https://cloud.mongodb.com": nil,
	} {
		got := split(in)
		if want != nil && fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
		if strings.Contains(fmt.Sprint(got), "rd@") || strings.Contains(fmt.Sprint(got), "p@ss@") {
			t.Errorf("%s: the password is in %v", in, got)
		}
	}
}

func FuzzDocuments(f *testing.F) {
	seed, _ := bson.Marshal(bson.D{{Key: "a", Value: bson.A{1, "x", bson.D{}}}, {Key: "b", Value: bson.Binary{Data: []byte{1}}}})
	f.Add(seed)
	f.Fuzz(func(_ *testing.T, data []byte) {
		if raw := bson.Raw(data); raw.Validate() == nil {
			object(raw)
		}
	})
}

package elastic

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestDocsShapedElasticsearch8(t *testing.T) {
	s := (&standIn{index: 10_500}).start(t)
	small := (&standIn{}).start(t)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return small.settings(more...) }
	}
	with := func(o *standIn, more ...string) func(testing.TB) connectors.Settings {
		started := o.start(t)
		return func(testing.TB) connectors.Settings { return started.settings(more...) }
	}
	says := func(status int, header, body string) *standIn {
		return &standIn{other: func(w http.ResponseWriter) bool {
			if name, value, ok := strings.Cut(header, ": "); ok {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}}
	}
	html := "Content-Type: text/html"
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set(),
		Big:     &conntest.Big{Settings: func(testing.TB) connectors.Settings { return s.settings() }, Parent: "", Count: 10_500},
		Hostile: &conntest.Place{Settings: set(), Node: "orders"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "wrong key", Settings: set("auth", byKey, "api_key", "practice-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "api_key"},
			{Name: "wrong token", Settings: set("auth", byToken, "token", "practice-wrong"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "token"},
			{Name: "nobody", Settings: set("auth", byNothing), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth"},
			{Name: "listing not permitted", Settings: with(&standIn{deny: notListing}), Code: connectors.Denied, Stage: connectors.StageRights, Field: "index"},
			{Name: "index missing", Settings: set("index", "nope"), Code: connectors.NotFound, Field: "index"},
			{Name: "too busy", Settings: with(says(429, "", `{"error":{"type":"es_rejected_execution_exception","reason":"rejected execution of coordinating operation"},"status":429}`)), Code: connectors.Throttled},
			{Name: "no master", Settings: with(says(503, "", `{"error":{"type":"master_not_discovered_exception","reason":null},"status":503}`)), Code: connectors.Unreachable},
			{Name: "security not initialized", Settings: with(says(503, "", "OpenSearch Security not initialized.")), Code: connectors.Unreachable},
			{Name: "Kibana", Settings: with(says(302, "Kbn-Name: kibana", "")), Code: connectors.Refused, Field: "port"},
			{Name: "a deployment that is gone", Settings: with(says(404, "", `{"ok":false,"message":"Unknown resource."}`)), Code: connectors.NotFound, Field: "host"},
			{Name: "AWS keys wanted", Settings: with(says(403, "", `{"Message":"User: anonymous is not authorized to perform: es:ESHttpGet because no resource-based policy allows the es:ESHttpGet action"}`)), Code: connectors.Unsupported},
			{Name: "a proxy's page", Settings: with(says(200, html, "<html>hello</html>")), Code: connectors.Refused, Field: "port"},
			{Name: "a proxy's 404", Settings: with(says(404, html, "<html>no</html>")), Code: connectors.Refused, Field: "port"},
			{Name: "down behind a proxy", Settings: with(says(502, html, "<html>bad gateway</html>")), Code: connectors.Unreachable},
			{Name: "another JSON service", Settings: with(says(200, "", `{"name":"x","version":{"number":"1.0"}}`)), Code: connectors.Refused, Field: "port"},
			{Name: "another website", Settings: func(tb testing.TB) connectors.Settings {
				host, port, _ := strings.Cut(server.Apache(tb, ""), ":")
				return small.settings("host", host, "port", port)
			}, Code: connectors.Refused, Field: "port"},
			{Name: "transport port", Settings: func(tb testing.TB) connectors.Settings {
				host, port := transport(tb)
				return small.settings("host", host, "port", port)
			}, Code: connectors.Refused, Field: "security"},
			{Name: "TLS to a plain port", Settings: set("security", "tls"), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "security"},
			{Name: "unknown host", Settings: set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
		},
	})
}

// transport says what the servers' own port says to a browser, and hangs up.
func transport(tb testing.TB) (host, port string) {
	tb.Helper()
	return conntest.Serve(tb, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = c.Write([]byte("This is not an HTTP port"))
	})
}

func notListing(path string) string {
	if strings.HasPrefix(path, "/_resolve") || strings.HasPrefix(path, "/_cat") {
		return "indices:admin/resolve/index"
	}
	return ""
}

func TestDocsShapedOpenSearch2(t *testing.T) {
	s := (&standIn{open: true}).start(t)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return s.settings(more...) }
	}
	denied := (&standIn{open: true, deny: notListing}).start(t)
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set(),
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "listing not permitted", Settings: func(testing.TB) connectors.Settings { return denied.settings() }, Code: connectors.Denied, Stage: connectors.StageRights, Field: "index"},
		},
	})
	facts, err := mustOpen(t, s.settings()).Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "reader" || conntest.Fact(facts, "Server") != "OpenSearch 2.19.1" || conntest.Fact(facts, "Roles") != "own_index, shop" {
		t.Errorf("%v %v", facts, err)
	}
}

func mustOpen(t *testing.T, s connectors.Settings) *session {
	t.Helper()
	return conntest.Open(t, Type(), s).(*session)
}

func TestDocsShapedLooks(t *testing.T) {
	in := (&standIn{}).start(t)
	s := mustOpen(t, in.settings())
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "Account") != "reader" || conntest.Fact(facts, "Server") != "Elasticsearch 8.17.0" || conntest.Fact(facts, "Health") != "yellow, 3 nodes" || conntest.Fact(facts, "Roles") != "shop, monitor" {
		t.Errorf("%v %v", facts, err)
	}
	root := conntest.Below(t, s, "")
	if n := root["orders"]; n.Kind != "index" || n.Access != connectors.AccessReadable || conntest.Fact(n.Facts, "Size") != "50 MiB" || conntest.Fact(n.Facts, "Documents") != "1200" {
		t.Errorf("%+v", n)
	}
	if n := root["secret"]; n.Access != connectors.AccessListed || len(n.Views) > 0 {
		t.Errorf("%+v", n)
	}
	if root["logs"].Kind != "data stream" || root["current"].Kind != "alias" || root[".ds-logs-000001"].ID != "" || len(root) != 4 {
		t.Errorf("%+v", root)
	}
}

func TestDocsShapedFieldsAndDocuments(t *testing.T) {
	in := (&standIn{}).start(t)
	s := mustOpen(t, in.settings())
	fields := conntest.Below(t, s, "orders")
	if len(fields) != 5 || conntest.Fact(fields["customer.name"].Facts, "Type") != "text" || conntest.Fact(fields["total"].Facts, "Type") != "scaled_float, long" {
		t.Errorf("%+v", fields)
	}
	got, err := s.Table(t.Context(), "orders", 2)
	if err != nil || len(got.Rows) != 2 || !got.Truncated || fmt.Sprint(got.Rows[0]) != `[a1 {"name":"Ada"} 12.5 3 <nil>]` {
		t.Errorf("%+v %v", got, err)
	}
	_, err = s.Table(t.Context(), "secret", 2)
	conntest.WantError(t, err, connectors.Denied, "elastic.denied", "")
	if said := connectors.Classify(err).Said; said != "indices:data/read/search (granted by view_index_metadata, manage, all)" {
		t.Error(said)
	}
	_, err = s.Table(t.Context(), "gone", 2)
	conntest.WantError(t, err, connectors.NotFound, "elastic.no_index", "")
	_, err = s.Table(t.Context(), "deep", 2)
	conntest.WantError(t, err, connectors.Refused, "elastic.not_this", "port") // TestSecurity71
	for _, err := range s.Children(t.Context(), "a/b") {
		conntest.WantError(t, err, connectors.NotFound, "elastic.no_index", "")
	}
	for _, c := range in.calls {
		if method, path, _ := strings.Cut(c, " "); method != "GET" && !strings.HasSuffix(path, "/_search") && !strings.HasSuffix(path, "/_has_privileges") {
			t.Errorf("TestSecurity63: it sent %s", c)
		}
	}
}

func TestDocsShapedLeastRights(t *testing.T) {
	in := (&standIn{deny: func(path string) string {
		if path == "/" || path == "/_cluster/health" {
			return "cluster:monitor/main"
		}
		return notListing(path)
	}}).start(t)
	s := mustOpen(t, in.settings("index", "orders,logs-*"))
	facts, err := s.Check(t.Context())
	conntest.WantError(t, err, connectors.Denied, "elastic.not_listed", "index")
	if e := connectors.Classify(err); !e.Partial || conntest.Fact(facts, "Account") != "reader" {
		t.Errorf("%+v %v", e, facts)
	}
	if root := conntest.Below(t, s, ""); len(root) != 1 || root["orders"].Kind != "index" {
		t.Errorf("%+v", root)
	}
}

func TestDocsShapedKeysAndTokens(t *testing.T) {
	in := (&standIn{}).start(t)
	encoded := base64.StdEncoding.EncodeToString([]byte(keyID + ":" + keyText))
	for name, more := range map[string][]string{
		"encoded":         {"auth", byKey, "api_key", "ApiKey " + encoded},
		"id:key":          {"auth", byKey, "api_key", keyID + ":" + keyText},
		"the whole reply": {"auth", byKey, "api_key", `{"id":"` + keyID + `","name":"reports","api_key":"` + keyText + `"}`},
	} {
		facts, err := mustOpen(t, in.settings(more...)).Check(t.Context())
		if err != nil || conntest.Fact(facts, "Account") != "API key reports of reader" || conntest.Fact(facts, "Expires") != "2031-01-01T00:00:00Z" {
			t.Errorf("%s: %v %v", name, facts, err)
		}
	}
	if _, err := mustOpen(t, in.settings("auth", byToken, "token", "Bearer "+token)).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := mustOpen(t, in.settings("user", "awkward", "password", awkward)).Check(t.Context()); err != nil {
		t.Errorf("TestSecurity60: %v", err)
	}
}

func TestTLSAndTheCAFingerprint(t *testing.T) {
	ca, foreign := server.NewCA(t), server.NewCA(t)
	pair := ca.Issue(t, server.Cert{}).TLS(t)
	block, _ := pem.Decode([]byte(ca.PEM))
	pair.Certificate = append(pair.Certificate, block.Bytes)
	root := sha256.Sum256(block.Bytes)
	leaf := sha256.Sum256(pair.Certificate[0])
	in := (&standIn{tls: &tls.Config{Certificates: []tls.Certificate{pair}}}).start(t)
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return in.settings(append([]string{"security", "tls"}, more...)...)
		}
	}
	other := sha256.Sum256([]byte("another"))
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: set("ca_fingerprint", strings.ToUpper(hex.EncodeToString(root[:]))),
		Faults: []conntest.Fault{
			{Name: "TLS port in the clear", Settings: set("security", "none"), Code: connectors.Refused, Field: "port"},
			{Name: "TestSecurity51_AnotherFingerprint", Settings: set("ca_fingerprint", hex.EncodeToString(other[:])), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca_fingerprint"},
			{Name: "TestSecurity51_TheNameCountsTooWithAFingerprint", Settings: set("ca_fingerprint", hex.EncodeToString(root[:]), "tls_name", "es.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "TestSecurity61_AnUnknownAuthority", Settings: set("ca", foreign.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "not a fingerprint", Settings: set("ca_fingerprint", "abc"), Code: connectors.BadInput, Field: "ca_fingerprint"},
		},
	})
	cert, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vouched([]*x509.Certificate{cert}, leaf[:], "db.example.com"); err == nil {
		t.Error("TestSecurity51: a name that the certificate has not was accepted")
	}
}

func TestTheTransportPortIsNamed(t *testing.T) {
	err := config{Host: "es.example.com", Port: transportPort}.unreached(&connectors.Error{Code: connectors.Refused, Reason: "connect.closed"})
	conntest.WantError(t, err, connectors.Refused, "elastic.transport_port", "port")
}

func TestSecurity67_ARedirectCarriesNothing(t *testing.T) {
	var heard atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard.Add(1) }))
	defer other.Close()
	in := (&standIn{other: func(w http.ResponseWriter) bool {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}}).start(t)
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, in.settings())
	conntest.WantError(t, err, connectors.Refused, "http.redirect", "")
	if heard.Load() > 0 {
		t.Error("it followed to another server")
	}
}

func TestSplit(t *testing.T) {
	cloud := "prod:" + base64.StdEncoding.EncodeToString([]byte("eu-central-1.aws.cloud.es.io:443$0123456789abcdef$fedcba9876543210"))
	for in, want := range map[string]map[string]string{
		cloud:                                   {"host": "0123456789abcdef.eu-central-1.aws.cloud.es.io", "port": "443", "security": "tls"},
		"https://reader@es.example.com/search/": {"host": "es.example.com", "port": "443", "user": "reader", "path": "/search", "security": "tls"},
		"http://10.0.0.5:9200":                  {"host": "10.0.0.5", "port": "9200", "security": "none"},
		"es.example.com":                        nil,
		"es.example.com:9200":                   nil,
		"x:" + base64.StdEncoding.EncodeToString([]byte("evil/..$a b$c")): nil,
	} {
		if got := split(in); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}

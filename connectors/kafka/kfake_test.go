package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const (
	adminPass  = "practice-only-admin"
	readerPass = "practice-only-reader"
	hostile    = "billing/\u202egpj.exe"
)

// A cluster is kfake, franz-go's own cluster in this process: real TCP, TLS, SASL
// and ACLs, and not Apache Kafka itself.
type cluster struct {
	*kfake.Cluster
	admin *kgo.Client
	ca    *server.CA
}

func may(kind kmsg.ACLResourceType, name string, op kmsg.ACLOperation) kfake.ACL {
	return kfake.ACL{Resource: kind, Name: name, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: op, Allow: true}
}

// start runs a cluster. With sasl there are the users admin, reader (may read
// orders and see groups), and nobody.
func start(tb testing.TB, ca *server.CA, mutual, sasl bool, more ...kfake.Opt) *cluster {
	tb.Helper()
	opts := append([]kfake.Opt{kfake.NumBrokers(2), kfake.SeedTopics(3, "orders"), kfake.SeedTopics(1, "secrets", "invoices")}, more...)
	var dial []kgo.Opt
	if sasl {
		reads := []kfake.ACL{
			may(kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationRead), may(kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationDescribeConfigs),
			may(kmsg.ACLResourceTypeTopic, "invoices", kmsg.ACLOperationDescribe), may(kmsg.ACLResourceTypeGroup, "*", kmsg.ACLOperationDescribe),
		}
		opts = append(opts, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser(mechPlain, "admin", adminPass),
			kfake.User(mechPlain, "reader", readerPass, reads...), kfake.User(mechScram256, "reader", readerPass, reads...), kfake.User(mechScram512, "reader", readerPass, reads...),
			kfake.User(mechPlain, "nobody", readerPass))
		dial = append(dial, kgo.SASL(plain.Auth{User: "admin", Pass: adminPass}.AsMechanism()))
	}
	if ca != nil {
		cfg := &tls.Config{Certificates: []tls.Certificate{ca.Issue(tb, server.Cert{}).TLS(tb)}}
		own := &tls.Config{RootCAs: pool(ca), ServerName: "localhost"}
		if mutual {
			cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, pool(ca)
			own.Certificates = []tls.Certificate{ca.Issue(tb, server.Cert{Client: true}).TLS(tb)}
		}
		opts = append(opts, kfake.TLS(cfg))
		dial = append(dial, kgo.DialTLSConfig(own))
	}
	k, err := kfake.NewCluster(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(k.Close)
	admin, err := kgo.NewClient(append(dial, kgo.SeedBrokers(k.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DisableClientMetrics())...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(admin.Close)
	return &cluster{k, admin, ca}
}

func pool(ca *server.CA) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM([]byte(ca.PEM))
	return p
}

func (k *cluster) send(tb testing.TB, records ...*kgo.Record) {
	tb.Helper()
	if err := k.admin.ProduceSync(tb.Context(), records...).FirstErr(); err != nil {
		tb.Fatal(err)
	}
}

func (k *cluster) commit(tb testing.TB, group, topic string, offset int64) {
	tb.Helper()
	var os kadm.Offsets
	os.AddOffset(topic, 0, offset, -1)
	if err := kadm.NewClient(k.admin).CommitAllOffsets(tb.Context(), group, os); err != nil {
		tb.Fatal(err)
	}
}

// settings are the answers of the user reader; more is pairs of keys and answers.
func (k *cluster) settings(more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain["servers"] = k.ListenAddrs()[0]
	s.Plain["security"], s.Plain["mechanism"], s.Plain["user"] = secureSASL, mechPlain, "reader"
	s.Secrets["password"] = connectors.NewSecret(readerPass)
	if k.ca != nil {
		s.Plain["security"], s.Plain["ca"] = secureSASLTLS, k.ca.PEM
	}
	for i := 0; i < len(more); i += 2 {
		if f, _ := Type().Form.Field(more[i]); f.Kind.Secret() {
			s.Secrets[more[i]] = connectors.NewSecret(more[i+1])
		} else {
			s.Plain[more[i]] = more[i+1]
		}
	}
	return s
}

func aim(s connectors.Settings, host, port string) connectors.Settings {
	s.Plain["servers"] = net.JoinHostPort(host, port)
	return s
}

func TestKfake(t *testing.T) {
	k := start(t, server.NewCA(t), false, true)
	k.send(t, &kgo.Record{Topic: "orders", Value: []byte("x")})
	k.commit(t, hostile, "orders", 1)
	mutual := start(t, k.ca, true, false)
	bare := start(t, nil, false, false)
	other := server.NewCA(t)
	set := func(k *cluster, more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return k.settings(more...) }
	}
	stranger := other.Issue(t, server.Cert{Client: true})
	conntest.Run(t, conntest.Suite{Type: Type(), Good: set(k), Aim: aim,
		Hostile: &conntest.Place{Settings: set(k), Node: "groups"},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set(k, "password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "wrong password, SCRAM", Settings: set(k, "password", "wrong-practice", "mechanism", mechScram512), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: set(k, "user", "stranger", "mechanism", mechScram256), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "mechanism not offered", Settings: set(k, "mechanism", mechOAuth, "token", "practice-only-token"), Code: connectors.Unsupported, Stage: connectors.StageSignIn, Field: "mechanism"},
			{Name: "SASL missing", Settings: set(k, "security", secureTLS), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "security"},
			{Name: "plain to a TLS port", Settings: set(k, "security", secureSASL), Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "security"},
			{Name: "TLS to a plain port", Settings: set(bare, "security", secureTLS), Code: connectors.TimedOut, Stage: connectors.StageSecure, Field: "security"},
			{Name: "unknown authority", Settings: set(k, "ca", other.PEM), Code: connectors.Untrusted, Stage: connectors.StageSecure, Field: "ca"},
			{Name: "wrong name", Settings: set(k, "tls_name", "kafka.example.com"), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "client certificate missing", Settings: set(mutual, "security", secureTLS), Code: connectors.AuthFailed, Field: "certificate"},
			{Name: "client certificate of another authority", Settings: set(mutual, "security", secureTLS, "certificate", certificatePEM, "client_cert", stranger.Cert, "client_key", stranger.Key), Code: connectors.AuthFailed, Field: "client_cert"},
			{Name: "another protocol", Settings: func(tb testing.TB) connectors.Settings {
				host, port := conntest.Speaks(tb, "SSH-2.0-OpenSSH_9.2\r\n")
				return aim(bare.settings("security", secureNone), host, port)
			}, Code: connectors.Refused, Stage: connectors.StageSignIn, Field: "servers"},
			{Name: "unknown host", Settings: set(k, "servers", "no-such-host.invalid:9092"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "servers"},
			{Name: "no port", Settings: set(k, "servers", "a b:c"), Code: connectors.BadInput, Field: "servers"},
			{Name: "topic may not be seen", Settings: set(k, "topics", "secrets"), Code: connectors.Denied, Stage: connectors.StageRights, Field: "topics"},
			{Name: "no such topic", Settings: set(k, "topics", "orders missing", "user", "admin", "password", adminPass), Code: connectors.NotFound, Field: "topics"},
			{Name: "not a key store", Settings: set(k, "certificate", certificateJKS, "keystore", other.PEM), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "keystore"},
			{Name: "not a trust store", Settings: set(k, "truststore", stranger.Key), Code: connectors.BadInput, Stage: connectors.StageForm, Field: "truststore"},
		}})
}

func TestKfakeManyTopics(t *testing.T) {
	var names []string
	for i := range 10000 {
		names = append(names, fmt.Sprintf("t%05d", i))
	}
	k := start(t, nil, false, false, kfake.SeedTopics(1, names...))
	set := func(testing.TB) connectors.Settings { return k.settings("security", secureNone) }
	conntest.Run(t, conntest.Suite{Type: Type(), Good: set, Aim: aim, Big: &conntest.Big{Settings: set, Parent: "topics", Count: 10000}})
}

func TestKfakeWaysIn(t *testing.T) {
	ca := server.NewCA(t)
	k := start(t, ca, false, true)
	mutual := start(t, ca, true, false)
	bare := start(t, nil, false, false)
	own := ca.Issue(t, server.Cert{Client: true})
	host, port := conntest.Closed(t)
	for _, c := range []struct {
		name     string
		settings connectors.Settings
		account  string
	}{
		{"PLAIN", k.settings(), "reader"},
		{"SCRAM 256", k.settings("mechanism", mechScram256), "reader"},
		{"SCRAM 512", k.settings("mechanism", mechScram512), "reader"},
		{"certificate", mutual.settings("security", secureTLS, "certificate", certificatePEM, "client_cert", own.Cert, "client_key", own.Key), "client certificate"},
		{"nothing", bare.settings("security", secureNone), "anonymous"},
		{"the second server", bare.settings("security", secureNone, "servers", net.JoinHostPort(host, port)+","+bare.ListenAddrs()[1]), "anonymous"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := conntest.Open(t, Type(), c.settings)
			facts, err := s.Check(t.Context())
			if err != nil || facts[0].Text != c.account || conntest.Fact(facts, "Cluster") == "" || conntest.Fact(facts, "Brokers") != "2" || !strings.Contains(conntest.Fact(facts, "Server"), "Kafka ") {
				t.Errorf("%+v %v", facts, err)
			}
			if n := conntest.Below(t, s, "topics"); n["orders"].ID != "topics/orders" {
				t.Errorf("%+v", n)
			}
		})
	}
}

func TestKfakeTheTree(t *testing.T) {
	k := start(t, nil, false, true)
	for i := range 10 {
		k.send(t, &kgo.Record{Topic: "orders", Partition: int32(i % 2), Value: []byte("x")})
	}
	k.commit(t, "billing", "orders", 2)
	s := conntest.Open(t, Type(), k.settings("topics", "orders secrets inv*"))
	if _, err := s.Check(t.Context()); !connectors.Classify(err).Partial || connectors.CodeOf(err) != connectors.Denied {
		t.Errorf("check: %v", err)
	}
	topics := conntest.Below(t, s, "topics")
	if topics["orders"].Access != connectors.AccessReadable || topics["invoices"].Access != connectors.AccessListed || topics["secrets"].Access != connectors.AccessDenied || len(topics) != 3 {
		t.Errorf("%+v", topics)
	}
	parts := conntest.Below(t, s, "topics/orders")
	if p := parts["orders-1"]; conntest.Fact(p.Facts, "Messages") != "about 5" || conntest.Fact(p.Facts, "Offsets") != "0 to 5" || !strings.HasPrefix(conntest.Fact(p.Facts, "Leader"), "broker ") || conntest.Fact(p.Facts, "In sync") == "" || len(parts) != 4 {
		t.Errorf("%+v", parts)
	}
	if n := parts["Settings"]; conntest.Fact(n.Facts, "cleanup.policy") != "delete" {
		t.Errorf("%+v", n)
	}
	table, err := s.(connectors.Tabler).Table(t.Context(), parts["Settings"].ID, 500)
	if err != nil || len(table.Rows) < 3 {
		t.Errorf("settings: %+v %v", table, err)
	}
	if g := conntest.Below(t, s, "groups"); g["billing"].ID != "groups/billing" {
		t.Errorf("%+v", g)
	}
	if l := conntest.Below(t, s, "groups/billing")["orders-0"]; conntest.Fact(l.Facts, "Lag") != "3" || conntest.Fact(l.Facts, "Committed") != "2" {
		t.Errorf("%+v", l)
	}
	table, err = s.(connectors.Tabler).Table(t.Context(), "groups/billing", 500)
	if err != nil || len(table.Rows) == 0 || table.Rows[0][4] != int64(3) {
		t.Errorf("lag: %+v %v", table, err)
	}
	if b := conntest.Below(t, s, "brokers"); len(b) != 2 || conntest.Fact(b["broker 0"].Facts, "Address") != k.ListenAddrs()[0] {
		t.Errorf("%+v", b)
	}
	for _, id := range []connectors.NodeID{"nonsense", "topics/%zz", "groups/none/x/y/z"} {
		for _, err := range s.(connectors.Browser).Children(t.Context(), id) {
			if connectors.CodeOf(err) != connectors.NotFound {
				t.Errorf("%s: %v", id, err)
			}
		}
	}
}

func TestKfakeNothingIsVisible(t *testing.T) {
	k := start(t, nil, false, true)
	s := conntest.Open(t, Type(), k.settings("user", "nobody"))
	facts, err := s.Check(t.Context())
	if err != nil || !strings.Contains(conntest.Fact(facts, "Topics"), "Kafka hides") {
		t.Errorf("%+v %v", facts, err)
	}
	for _, id := range []connectors.NodeID{"topics/orders", "groups/billing"} {
		_, err := s.(connectors.Tabler).Table(t.Context(), id, 10)
		if connectors.CodeOf(err) != connectors.Denied {
			t.Errorf("%s: %v", id, err)
		}
	}
	// Describe alone shows a topic and not its messages.
	k.send(t, &kgo.Record{Topic: "invoices", Value: []byte("x")})
	s = conntest.Open(t, Type(), k.settings())
	if _, err := s.(connectors.Tabler).Table(t.Context(), "topics/invoices", 10); connectors.CodeOf(err) != connectors.Denied || connectors.Classify(err).Reason != "kafka.topic_denied" {
		t.Errorf("invoices: %v", err)
	}
}

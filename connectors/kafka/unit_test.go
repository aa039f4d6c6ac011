package kafka

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"software.sslmate.com/src/go-pkcs12"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const storePass = "practice-only-store"

func der(tb testing.TB, text string) []byte {
	tb.Helper()
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes
	}
	tb.Fatal("no PEM")
	return nil
}

func parsed(tb testing.TB, text string) *x509.Certificate {
	tb.Helper()
	c, err := x509.ParseCertificate(der(tb, text))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// jks makes Java's own format, with the issuer before the leaf.
func jks(tb testing.TB, own *server.Issued, ca string) string {
	tb.Helper()
	ks := keystore.New()
	issuer := keystore.Certificate{Type: "X509", Content: der(tb, ca)}
	err := ks.SetTrustedCertificateEntry("authority", keystore.TrustedCertificateEntry{CreationTime: time.Unix(1, 0), Certificate: issuer})
	if err == nil && own != nil {
		err = ks.SetPrivateKeyEntry("client", keystore.PrivateKeyEntry{CreationTime: time.Unix(1, 0), PrivateKey: der(tb, own.Key), CertificateChain: []keystore.Certificate{{Type: "X509", Content: der(tb, own.Cert)}, issuer}}, []byte(storePass))
	}
	var out bytes.Buffer
	if err == nil {
		err = ks.Store(&out, []byte(storePass))
	}
	if err != nil {
		tb.Fatal(err)
	}
	return connectors.FileText(out.Bytes())
}

func TestKfakeStoresAsJavaPeopleHaveThem(t *testing.T) {
	ca := server.NewCA(t)
	k := start(t, ca, true, false)
	own := ca.Issue(t, server.Cert{Client: true})
	pair := own.TLS(t)
	root := parsed(t, ca.PEM)
	p12, err := pkcs12.Modern.Encode(pair.PrivateKey.(*ecdsa.PrivateKey), parsed(t, own.Cert), []*x509.Certificate{root}, storePass)
	if err != nil {
		t.Fatal(err)
	}
	trust12, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{root}, storePass)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name        string
		trust, key  string
		trustPw, pw string
		code        connectors.Code
		field       string
	}{
		{"JKS", jks(t, nil, ca.PEM), jks(t, &own, ca.PEM), storePass, storePass, "", ""},
		{"JKS, trust store without a password", jks(t, nil, ca.PEM), jks(t, &own, ca.PEM), "", storePass, "", ""},
		{"PKCS#12", connectors.FileText(trust12), connectors.FileText(p12), storePass, storePass, "", ""},
		{"key store's password wrong", jks(t, nil, ca.PEM), jks(t, &own, ca.PEM), storePass, "other-practice", connectors.AuthFailed, "keystore_password"},
		{"PKCS#12's password wrong", connectors.FileText(trust12), connectors.FileText(p12), storePass, "other-practice", connectors.AuthFailed, "keystore_password"},
		{"key store's password missing", jks(t, nil, ca.PEM), jks(t, &own, ca.PEM), storePass, "", connectors.BadInput, "keystore_password"},
		{"trust store's password wrong", connectors.FileText(trust12), connectors.FileText(p12), "other-practice", storePass, connectors.AuthFailed, "truststore_password"},
		{"a trust store for a key store", jks(t, nil, ca.PEM), jks(t, nil, ca.PEM), storePass, storePass, connectors.BadInput, "keystore"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := k.settings("security", secureTLS, "ca", "", "certificate", certificateJKS, "truststore", c.trust, "keystore", c.key, "truststore_password", c.trustPw, "keystore_password", c.pw)
			session, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, s)
			if err == nil {
				_, err = session.Check(t.Context())
				_ = session.Close()
			}
			e := connectors.Classify(err)
			if c.code == "" && err != nil || c.code != "" && (e == nil || e.Code != c.code || e.Field != c.field) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestSplitProperties(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"Confluent Cloud", "# Required\nbootstrap.servers=pkc-1.eu.example.com:9092\nsecurity.protocol=SASL_SSL\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='APIKEY' password='practice-only-secret';\nsasl.mechanism=PLAIN\nclient.dns.lookup=use_all_dns_ips",
			"mechanism=PLAIN password=practice-only-secret security=sasl_tls servers=pkc-1.eu.example.com:9092 user=APIKEY"},
		{"SCRAM, continued lines, several servers", "bootstrap.servers = a:9094, \\\n   b:9094\nsecurity.protocol: SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\nsasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n  username=\"reader\" \\\n  password=\"practice;only x\";",
			"mechanism=SCRAM-SHA-512 password=practice;only x security=sasl_plaintext servers=a:9094\nb:9094 user=reader"},
		{"stores", "ssl.truststore.location=/etc/t.jks\nssl.truststore.password=practice-only-t\nssl.keystore.location=/etc/k.jks\nssl.keystore.password=practice-only-k\nsecurity.protocol=SSL\nbootstrap.servers=a:1",
			"certificate=store keystore_password=practice-only-k security=tls servers=a:1 truststore_password=practice-only-t"},
		{"librdkafka", "metadata.broker.list=a\nsasl.mechanisms=SCRAM-SHA-256\nsasl.username=u\nsasl.password=practice=only", "mechanism=SCRAM-SHA-256 password=practice=only servers=a:9092 user=u"},
		{"Spring", "spring.kafka.bootstrap-servers=a:9\nspring.kafka.properties.security.protocol=SASL_SSL", "security=sasl_tls servers=a:9"},
		{"PEM in one line", `ssl.keystore.certificate.chain=-----BEGIN X-----\nAA\n-----END X-----`, "certificate=pem client_cert=-----BEGIN X-----\nAA\n-----END X----- servers="},
		{"no server", "sasl.password=practice-only", "password=practice-only servers="},
		{"servers alone", "a:9092,b:9092", ""},
		{"another file", "a=b", ""},
	} {
		got := splitProperties(c.in)
		var out []string
		for _, key := range slices.Sorted(maps.Keys(got)) {
			out = append(out, key+"="+got[key])
			f, ok := Type().Form.Field(key)
			if !ok || strings.Contains(got[key], "practice") != f.Kind.Secret() {
				t.Errorf("%s: %s is answered with %q", c.name, key, got[key])
			}
		}
		if strings.Join(out, " ") != c.want {
			t.Errorf("%s:\n%q, want\n%q", c.name, strings.Join(out, " "), c.want)
		}
	}
}

func FuzzSplitProperties(f *testing.F) {
	f.Add("bootstrap.servers=a:1\nsasl.jaas.config=x username=\"a\\\"b\" password='c';")
	f.Add("a\\\n=\\")
	f.Fuzz(func(t *testing.T, v string) {
		for key, text := range splitProperties(v) {
			if _, ok := Type().Form.Field(key); !ok || len(text) > 12*len(v)+16 {
				t.Errorf("%s: %d bytes of %d", key, len(text), len(v))
			}
		}
	})
}

func TestAnswersOfTheForm(t *testing.T) {
	for _, c := range []struct {
		key, in string
		good    bool
		tidied  string
	}{
		{"servers", "SASL_SSL://a.example.com:9093, b.example.com", true, "a.example.com:9093\nb.example.com:9092"},
		{"servers", "[::1]:9092 ::1", true, "[::1]:9092\n[::1]:9092"},
		{"servers", "bootstrap.servers=a:1", false, "bootstrap.servers=a:1"},
		{"servers", "a:99999", false, "a:99999"},
		{"servers", strings.Repeat("a:1,", 51), false, strings.TrimSpace(strings.Repeat("a:1\n", 51))},
		{"topics", "orders.*\npay-*_x", true, ""}, {"topics", "a/b", false, ""},
		{"extensions", "logicalCluster=lkc-1\nidentityPoolId=pool-2", true, ""}, {"extensions", "auth=Bearer", false, ""}, {"extensions", "a=b\x01c", false, ""},
		{"client_id", "a b", false, ""},
	} {
		f, _ := Type().Form.Field(c.key)
		text := c.in
		if f.Tidy != nil {
			text = f.Tidy(text)
		}
		if c.tidied != "" && text != c.tidied {
			t.Errorf("%s: %q became %q, want %q", c.key, c.in, text, c.tidied)
		}
		if err := f.Verify(text); (err == nil) != c.good {
			t.Errorf("%s: %q: %v", c.key, c.in, err)
		}
	}
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{{"a", "a", true}, {"a", "ab", false}, {"*", "x", true}, {"a*b*c", "a1b2c", true}, {"a*b*c", "acb", false}, {"*.dlq", "orders.dlq", true}, {"a*a", "a", false}} {
		if matches(c.pattern, c.name) != c.want {
			t.Errorf("%s on %s", c.pattern, c.name)
		}
	}
}

func TestShare(t *testing.T) {
	all := map[int32]span{0: {0, 2}, 1: {10, 110}, 2: {5, 5}, 3: {0, 1000}}
	got, cut := share(all, 100)
	if want := fmt.Sprint(map[int32]span{0: {0, 2}, 1: {61, 110}, 3: {951, 1000}}); fmt.Sprint(got) != want || !cut {
		t.Errorf("%v %v, want %s", got, cut, want)
	}
	if got, cut := share(map[int32]span{0: {3, 5}}, 100); got[0] != (span{3, 5}) || cut {
		t.Errorf("%v %v", got, cut)
	}
	if got, cut := share(all, 0); len(got) != 0 || !cut {
		t.Errorf("%v %v", got, cut)
	}
}

func TestSecurity71_ValuesAreBoundedAndNeverDecoded(t *testing.T) {
	deep := strings.Repeat("[", 100000)
	if got := text([]byte(deep)).(string); len(got) > maxCell+4 {
		t.Errorf("%d bytes", len(got))
	}
	if got := text(bytes.Repeat([]byte{0xff}, 1<<20)).(string); len(got) > 2*maxHex+10 || !strings.HasPrefix(got, "hex ffff") {
		t.Errorf("%d bytes", len(got))
	}
	if got := text([]byte(strings.Repeat("ä", maxCell))).(string); !strings.HasSuffix(got, "ä…") {
		t.Errorf("cut in a letter: %q", got[len(got)-8:])
	}
	var many []kgo.RecordHeader
	for range 10000 {
		many = append(many, kgo.RecordHeader{Key: strings.Repeat("k", 1000), Value: []byte("v")})
	}
	r := &kgo.Record{Headers: many, Value: make([]byte, 1<<20)}
	if e := event([]string{"x"}, r); len(e.Facts) > maxHeaders+5 || len(e.Body) > maxBody || e.Size != 1<<20 || len(headerText(r)) > maxCell+4 {
		t.Errorf("%d facts, %d bytes", len(e.Facts), len(e.Body))
	}
}

// SECURITY 60: settings are a struct's, never a text that is parsed again.
func TestSecurity60_KfakePasswordsOfAnyKind(t *testing.T) {
	for i, pass := range []string{`practice'"@/#?%\:`, "practice only=;{}", "practice-ünïcode"} {
		user := fmt.Sprintf("u%d", i)
		k := start(t, nil, false, true, kfake.User(mechPlain, user, pass), kfake.User(mechScram256, user, pass))
		for _, m := range []string{mechPlain, mechScram256} {
			if _, err := conntest.Open(t, Type(), k.settings("user", user, "password", pass, "mechanism", m)).Check(t.Context()); err != nil {
				t.Errorf("%s: %v", m, err)
			}
		}
	}
}

// SECURITY 64: what a server says about lengths is not believed.
func TestSecurity64_AServerThatAnnouncesHugeAnswers(t *testing.T) {
	for _, head := range []string{"\x7f\xff\xff\xff", "\xff\xff\xff\xff", "HTTP/1.1 400 Bad Request\r\n\r\n", "\x15\x03\x03\x00\x02\x02\x46", "\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\xff\xff", "\x00\x00\x00\x04zzzz"} {
		host, port := conntest.Speaks(t, head)
		s := connectors.NewSettings()
		s.Plain["servers"], s.Plain["security"] = host+":"+port, secureNone
		_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, s)
		if connectors.CodeOf(err) != connectors.Refused {
			t.Errorf("%q: %v", head, err)
		}
	}
}

// SECURITY 52: a certificate is shown to those brokers alone that proved who they are.
func TestSecurity52_KfakeAStrangerGetsNoCertificate(t *testing.T) {
	ca, other := server.NewCA(t), server.NewCA(t)
	own := ca.Issue(t, server.Cert{Client: true})
	shown := make(chan int, 10)
	cfg := &tls.Config{Certificates: []tls.Certificate{other.Issue(t, server.Cert{}).TLS(t)}, ClientAuth: tls.RequestClientCert,
		VerifyConnection: func(c tls.ConnectionState) error { shown <- len(c.PeerCertificates); return nil }}
	k, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.TLS(cfg))
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{Cluster: k, ca: ca}
	_, err = Type().Open(t.Context(), conntest.NewWorld(t).Env, c.settings("security", secureTLS, "certificate", certificatePEM, "client_cert", own.Cert, "client_key", own.Key))
	k.Close()
	close(shown)
	for n := range shown {
		if n > 0 {
			t.Error("it was shown")
		}
	}
	if connectors.CodeOf(err) != connectors.Untrusted {
		t.Error(err)
	}
}

func TestKfakeExpiryAndSubjectOfAToken(t *testing.T) {
	// {"alg":"none"}.{"sub":"svc-reader","exp":1893456000}
	token := "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzdmMtcmVhZGVyIiwiZXhwIjoxODkzNDU2MDAwfQ.eA"
	s := &session{c: config{Security: secureSASLTLS, Mechanism: mechOAuth, Token: connectors.NewSecret(token)}}
	if s.expires() != "2030-01-01T00:00:00Z" || s.account() != "svc-reader" {
		t.Errorf("%q %q", s.expires(), s.account())
	}
	s.c.Token = connectors.NewSecret("opaque-practice")
	if s.expires() != "" || s.account() == "" {
		t.Errorf("%q %q", s.expires(), s.account())
	}
}

func TestEveryReasonHasWordsAndAField(t *testing.T) {
	for _, m := range meanings(config{Security: secureSASLTLS, Mechanism: mechPlain}) {
		if m.reason != "" && !connectors.English().Has(m.reason) {
			t.Errorf("no words for %s", m.reason)
		}
		if _, ok := Type().Form.Field(m.field); m.field != "" && !ok {
			t.Errorf("%s: no field %s", m.reason, m.field)
		}
	}
}

package tlsx_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/tlsx"
)

func shake(t *testing.T, spec connectors.TLS, host string, cfg *tls.Config) (string, error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_ = c.(*tls.Conn).Handshake()
		_, _ = c.Read(make([]byte, 1))
		_ = c.Close()
	}()
	client, err := tlsx.Config(spec, host)
	if err != nil {
		return "", err
	}
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, said, err := tlsx.Handshake(ctx, raw, client)
	if err == nil {
		_ = c.Close()
	}
	return said, err
}

type maker struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (m *maker) issue(change func(*x509.Certificate)) *maker {
	m.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		m.t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	change(tmpl)
	parent, signer := m.cert, m.key
	if parent == nil {
		parent, signer = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
	if err != nil {
		m.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		m.t.Fatal(err)
	}
	return &maker{m.t, cert, key}
}

func (m *maker) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.cert.Raw}))
}

func (m *maker) serve(chain ...*maker) *tls.Config {
	c := tls.Certificate{Certificate: [][]byte{m.cert.Raw}, PrivateKey: m.key}
	for _, x := range chain {
		c.Certificate = append(c.Certificate, x.cert.Raw)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}}
}

func leaf(c *x509.Certificate) {
	c.DNSNames, c.ExtKeyUsage = []string{"db.example.com"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
}

func TestSecurity51_VerificationIsAlwaysOn(t *testing.T) {
	root := (&maker{t: t}).issue(func(c *x509.Certificate) { c.IsCA, c.Subject.CommonName = true, "Root" })
	between := root.issue(func(c *x509.Certificate) { c.IsCA, c.Subject.CommonName = true, "Between" })
	narrow := root.issue(func(c *x509.Certificate) {
		c.IsCA, c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = true, []string{"other.example"}, true
	})
	good := root.issue(leaf)
	deep := between.issue(leaf)
	expired := root.issue(func(c *x509.Certificate) { leaf(c); c.NotAfter = time.Now().Add(-time.Minute) })
	old := good.serve()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	trust := connectors.TLS{CA: root.pem()}
	for name, c := range map[string]struct {
		spec connectors.TLS
		host string
		cfg  *tls.Config
		code connectors.Code
		why  string
	}{
		"good":                 {trust, "db.example.com", good.serve(), "", ""},
		"good chain":           {trust, "db.example.com", deep.serve(between), "", ""},
		"named otherwise":      {connectors.TLS{CA: root.pem(), ServerName: "db.example.com"}, "10.0.0.5", good.serve(), "", ""},
		"unknown authority":    {connectors.TLS{}, "db.example.com", good.serve(), connectors.Untrusted, "tls.unknown_ca"},
		"expired":              {trust, "db.example.com", expired.serve(), connectors.Untrusted, "tls.expired"},
		"wrong host":           {trust, "evil.example.com", good.serve(), connectors.Untrusted, "tls.wrong_host"},
		"missing intermediate": {trust, "db.example.com", deep.serve(), connectors.Untrusted, "tls.unknown_ca"},
		"name constraints":     {trust, "db.example.com", narrow.issue(leaf).serve(narrow), connectors.Untrusted, "tls.invalid"},
		"TLS 1.0":              {trust, "db.example.com", old, connectors.Unsupported, "tls.version"},
	} {
		_, err := shake(t, c.spec, c.host, c.cfg)
		e := connectors.Classify(err)
		if c.code == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if e == nil || e.Code != c.code || e.Reason != c.why {
			t.Errorf("%s: %+v (%v)", name, e, errors.Unwrap(err))
		}
	}
}

func TestSecurity51_AnExceptionIsAPinForOneCertificate(t *testing.T) {
	own := (&maker{t: t}).issue(leaf)
	said, err := shake(t, connectors.TLS{Pin: tlsx.Fingerprint(own.cert)}, "anything", own.serve())
	if err != nil || !strings.Contains(said, "pinned certificate SHA256:") {
		t.Errorf("%q %v", said, err)
	}
	other := (&maker{t: t}).issue(leaf)
	_, err = shake(t, connectors.TLS{Pin: tlsx.Fingerprint(own.cert)}, "anything", other.serve())
	if e := connectors.Classify(err); e == nil || e.Code != connectors.HostChanged || !strings.Contains(e.Said, tlsx.Fingerprint(other.cert)) {
		t.Errorf("%+v", e)
	}
}

func TestAClientCertificateIsCheckedOffline(t *testing.T) {
	ca := server.NewCA(t)
	a, b := ca.Issue(t, server.Cert{Client: true}), ca.Issue(t, server.Cert{Client: true})
	for name, c := range map[string]struct {
		cert, key, field string
	}{
		"right":           {a.Cert, a.Key, ""},
		"another key":     {a.Cert, b.Key, "client_key"},
		"no key":          {a.Cert, "", "client_key"},
		"key as cert":     {a.Key, a.Key, "client_cert"},
		"literal newline": {strings.ReplaceAll(a.Cert, "\n", `\n`), a.Key, ""}, // for answers that no form has tidied
	} {
		_, err := tlsx.Config(connectors.TLS{Cert: c.cert, Key: connectors.NewSecret(c.key)}, "x")
		e := connectors.Classify(err)
		if c.field == "" && err != nil || c.field != "" && (e == nil || e.Field != c.field || e.Code != connectors.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNotTLSAndSilence(t *testing.T) {
	host, port := conntest.Speaks(t, "220 ftp.example.com ready\r\n")
	raw, err := net.Dial("tcp", net.JoinHostPort(host, port))
	if err != nil {
		t.Fatal(err)
	}
	cfg, _ := tlsx.Config(connectors.TLS{}, "x")
	_, _, err = tlsx.Handshake(t.Context(), raw, cfg)
	if e := connectors.Classify(err); e == nil || e.Reason != "tls.not_tls" {
		t.Errorf("%+v", e)
	}
	host, port = conntest.Silent(t)
	raw, err = net.Dial("tcp", net.JoinHostPort(host, port))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, _, err = tlsx.Handshake(ctx, raw, cfg)
	if connectors.CodeOf(err) != connectors.TimedOut {
		t.Errorf("%v", err)
	}
}

// Client certificates and keys in every form, as openssl, keytool, puttygen and
// ssh-keygen write them, against a server that asks for one.
func TestAClientCertificateInEveryForm(t *testing.T) {
	const phrase = "practice-only-phrase"
	ca, dir := server.NewCA(t), t.TempDir()
	own, other, host := ca.Issue(t, server.Cert{Client: true, Name: "reader"}), ca.Issue(t, server.Cert{Client: true}), ca.Issue(t, server.Cert{})
	openssl, keytool := server.Program(t, "openssl", "openssl"), server.Program(t, "keytool", "default-jre-headless")
	file := func(name string) string { return filepath.Join(dir, name) }
	read := func(name string) string {
		data, err := os.ReadFile(file(name))
		if err != nil {
			t.Fatal(err)
		}
		return answers.TidyPEM(connectors.FileText(data))
	}
	server.WriteFile(t, dir, "cert", own.Cert, 0o600)
	server.WriteFile(t, dir, "key", own.Key, 0o600)
	server.WriteFile(t, dir, "ca", ca.PEM, 0o600)
	pass := "file:" + server.WriteFile(t, dir, "pass", phrase, 0o600)
	run := func(args ...string) { t.Helper(); server.Run(t, openssl, args...) }
	run("pkcs12", "-export", "-in", file("cert"), "-inkey", file("key"), "-certfile", file("ca"), "-out", file("pfx"), "-passout", pass)
	run("pkcs12", "-export", "-legacy", "-in", file("cert"), "-inkey", file("key"), "-out", file("old.pfx"), "-passout", pass)
	server.Run(t, keytool, "-importkeystore", "-noprompt", "-srckeystore", file("pfx"), "-srcstoretype", "PKCS12", "-srcstorepass:file", file("pass"), "-destkeystore", file("jks"), "-deststoretype", "JKS", "-deststorepass:file", file("pass"), "-destkeypass:file", file("pass"))
	run("pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", file("key"), "-out", file("pbes1"), "-passout", pass)
	run("pkcs8", "-topk8", "-scrypt", "-in", file("key"), "-out", file("scrypt"), "-passout", pass)
	run("pkey", "-in", file("key"), "-traditional", "-aes256", "-out", file("old.pem"), "-passout", pass)
	run("pkey", "-in", file("key"), "-outform", "DER", "-out", file("key.der"))
	run("x509", "-in", file("cert"), "-outform", "DER", "-out", file("cert.der"))
	run("crl2pkcs7", "-nocrl", "-certfile", file("ca"), "-certfile", file("cert"), "-outform", "DER", "-out", file("p7b"))
	pair, err := tls.X509KeyPair([]byte(host.Cert), []byte(host.Key))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(ca.PEM))
	asked := &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: tls.VersionTLS12}
	for name, c := range map[string]struct {
		cert, key string
		locked    bool
	}{
		"PFX alone": {"", read("pfx"), true}, "PFX of Windows' old kind": {"", read("old.pfx"), true}, "JKS": {"", read("jks"), true}, "PEM with both": {"", own.Key + own.Cert, false},
		"PBES1": {own.Cert, read("pbes1"), true}, "scrypt": {own.Cert, read("scrypt"), true}, "old PEM": {own.Cert, read("old.pem"), true},
		"DER": {read("cert.der"), read("key.der"), false}, "P7B": {read("p7b"), own.Key, false}, "upside down": {ca.PEM + own.Cert, own.Key, false},
	} {
		spec := connectors.TLS{CA: ca.PEM, Cert: c.cert, Key: connectors.NewSecret(c.key), Passphrase: connectors.NewSecret(phrase)}
		if _, err := shake(t, spec, "localhost", asked); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !c.locked {
			continue
		}
		for pass, reason := range map[string]string{"": "keys.passphrase_needed", "another": "keys.passphrase_wrong"} {
			spec.Passphrase = connectors.NewSecret(pass)
			_, err := tlsx.Config(spec, "localhost")
			if e := connectors.Classify(err); e == nil || e.Code != connectors.BadInput || e.Field != "client_key_passphrase" || e.Reason != reason {
				t.Errorf("%s with the passphrase %q: %+v", name, pass, e)
			}
		}
	}
	_, err = tlsx.Config(connectors.TLS{Cert: other.Cert, Key: connectors.NewSecret(read("pfx")), Passphrase: connectors.NewSecret(phrase)}, "x")
	if e := connectors.Classify(err); e == nil || e.Field != "client_key" {
		t.Errorf("another's certificate: %v", err)
	}
	f, _ := connectors.Form{Fields: tlsx.Fields(nil, true)}.Field("client_cert")
	if err := f.Valid(read("pfx")); err == nil || !strings.Contains(err.Error(), "private key") {
		t.Errorf("a PFX where no secret belongs: %v", err)
	}
}

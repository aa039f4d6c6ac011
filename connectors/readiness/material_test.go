package readiness_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/readiness"
)

// expect is one item of a checklist, by its ID.
func expect(t *testing.T, c readiness.Checklist, id string, state readiness.State, field string) readiness.Item {
	t.Helper()
	got := item(c, id)
	if got.State != state || got.Field != field {
		t.Errorf("%s is %+v in\n%s", id, got, c.Text())
	}
	return got
}

// file64 is a binary file as the form keeps it.
func file64(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(data)
}

func TestAKeytabOfKtutil(t *testing.T) {
	name := filepath.Join(t.TempDir(), "reader.keytab")
	cmd := exec.CommandContext(t.Context(), server.Program(t, "ktutil", "krb5-user"))
	cmd.Stdin = strings.NewReader("addent -password -p reader@ACME.EXAMPLE -k 3 -e aes256-cts-hmac-sha1-96\npractice-only\nwkt " + name + "\nquit\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := list(t, "keytab", "keytab", file64(t, name))
	if got := expect(t, c, "keytab.keytab", readiness.Done, "keytab"); !strings.Contains(got.Text, "It has one key.") {
		t.Errorf("%+v", got)
	}
}

func TestAKeyStoreOfKeytool(t *testing.T) {
	dir := t.TempDir()
	keytool := server.Program(t, "keytool", "default-jre-headless")
	for _, kind := range []string{"JKS", "PKCS12"} {
		name := filepath.Join(dir, kind)
		server.Run(t, keytool, "-genkeypair", "-alias", "reader", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=reader", "-validity", "200", "-storetype", kind, "-keystore", name, "-storepass", "practice-only", "-keypass", "practice-only")
		answers := []string{"servers", "b.acme.com:9093", "security", "tls", "certificate", "store", "keystore", file64(t, name)}
		expect(t, list(t, "kafka", answers...), "key.locked.keystore", readiness.Missing, "keystore_password")
		expect(t, list(t, "kafka", append(answers, "keystore_password", "practice-wrong")...), "key.passphrase.keystore", readiness.Wrong, "keystore_password")
		c := list(t, "kafka", append(answers, "keystore_password", "practice-only")...)
		expect(t, c, "key.read.keystore", readiness.Done, "keystore")
		expect(t, c, "ends.certificate.keystore", readiness.Done, "keystore")
	}
}

// signed is a new certificate, and its key.
type signed struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func (s signed) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw}))
}

func sign(tb testing.TB, name string, by *signed, end time.Time) signed {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		tb.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end, IsCA: name != "reader", BasicConstraintsValid: true}
	parent, with := template, key
	if by != nil {
		parent, with = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, with)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return signed{cert, key}
}

func TestChains(t *testing.T) {
	later := time.Now().Add(400 * 24 * time.Hour)
	root := sign(t, "Root", nil, later)
	middle := sign(t, "Middle", &root, later)
	leaf := sign(t, "reader", &middle, later)
	base := []string{"host", "broker.acme.com", "auth", "certificate", "client_key", pemKey(t, leaf.key), "client_cert"}
	whole := list(t, "mqtt", append(base, leaf.pem()+middle.pem()+root.pem())...)
	expect(t, whole, "ends.certificate.client_cert", readiness.Done, "client_cert")
	expect(t, whole, "pair.client_cert", readiness.Done, "client_cert")
	for _, id := range []string{"chain.order.client_cert", "chain.gap.client_cert", "chain.broken.client_cert"} {
		if got := item(whole, id); got.ID != "" {
			t.Errorf("a whole chain has %+v", got)
		}
	}
	turned := list(t, "mqtt", append(base, root.pem()+middle.pem()+leaf.pem())...)
	expect(t, turned, "chain.order.client_cert", readiness.Warning, "client_cert")
	expect(t, turned, "pair.client_cert", readiness.Done, "client_cert")
	gap := expect(t, list(t, "mqtt", append(base, leaf.pem())...), "chain.gap.client_cert", readiness.Warning, "client_cert")
	if !strings.Contains(gap.Text, "Middle") {
		t.Errorf("what is missing is not named: %+v", gap)
	}
}

func TestAuthoritiesAreOneLine(t *testing.T) {
	now := time.Now()
	fresh, soon, old := sign(t, "A", nil, now.Add(900*24*time.Hour)), sign(t, "B", nil, now.Add(9*24*time.Hour)), sign(t, "C", nil, now.Add(-24*time.Hour))
	for _, at := range []struct {
		ca    string
		state readiness.State
	}{
		{fresh.pem(), readiness.Done}, {old.pem(), readiness.Wrong}, {fresh.pem() + fresh.pem(), readiness.Done},
		{fresh.pem() + soon.pem(), readiness.Warning}, {fresh.pem() + old.pem(), readiness.Warning}, {old.pem() + old.pem(), readiness.Wrong},
	} {
		c := list(t, "mqtt", "host", "broker.acme.com", "user", "reader", "ca", at.ca)
		expect(t, c, "ends.certificate.ca", at.state, "ca")
		if n := strings.Count(c.Text(), "good until") + strings.Count(c.Text(), "ended") + strings.Count(c.Text(), " ends on "); n != 1 {
			t.Errorf("%d lines on authorities:\n%s", n, c.Text())
		}
	}
}

func TestARequestIsSent(t *testing.T) {
	dir := t.TempDir()
	openssl, name := server.Program(t, "openssl", "openssl"), filepath.Join(dir, "r")
	csr := made(t, name+".csr", openssl, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", name+".key", "-subj", "/O=ACME/CN=reader", "-out", name+".csr")
	key, err := os.ReadFile(name + ".key")
	if err != nil {
		t.Fatal(err)
	}
	base := []string{"host", "broker.acme.com", "auth", "certificate", "client_cert", csr, "client_key"}
	c := list(t, "mqtt", append(base, string(key))...)
	if c.State == readiness.IsUntested {
		t.Errorf("a request counts as a certificate:\n%s", c.Text())
	}
	sent := expect(t, c, "their.request.client_cert", readiness.Theirs, "client_cert")
	block, rest := pem.Decode([]byte(sent.Copy))
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(rest) > 0 || !strings.Contains(sent.Title, "reader") || sent.Who != readiness.Them {
		t.Errorf("%+v", sent)
	}
	expect(t, c, "pair.client_cert", readiness.Done, "client_cert")
	expect(t, list(t, "mqtt", append(base, edKey(t))...), "pair.client_cert", readiness.Wrong, "client_key")
	// A request that stands beside its key tells of the request alone.
	both := list(t, "mqtt", append(base, string(key)+csr)...)
	if strings.Contains(both.Text(), "PRIVATE") {
		t.Error("the key is in the checklist")
	}
}

// pairType has the names that a form chooses for itself.
func pairType(cert, key string) connectors.Type {
	return connectors.Type{ID: "own", Name: "Own", Form: connectors.Form{Fields: []connectors.Field{
		{Key: cert, Label: "Certificate", Kind: connectors.Lines}, {Key: key, Label: "Key", Kind: connectors.SecretLines},
		{Key: "jwt_key", Label: "Key for assertions", Kind: connectors.SecretLines},
	}}}
}

func TestPairsUnderAnyName(t *testing.T) {
	ca := server.NewCA(t)
	good, other := ca.Issue(t, server.Cert{Name: "reader", Client: true}), ca.Issue(t, server.Cert{Name: "reader", Client: true})
	for _, names := range [][2]string{{"client_cert", "client_key"}, {"certificate", "private_key"}, {"certificate", "client_key"}, {"client_cert", "private_key"}} {
		ty := pairType(names[0], names[1])
		for _, at := range []struct {
			key   string
			state readiness.State
			field string
		}{{good.Key, readiness.Done, names[0]}, {other.Key, readiness.Wrong, names[1]}} {
			s := conntest.Settings(ty, []string{names[0], good.Cert, names[1], at.key, "jwt_key", other.Key})
			expect(t, readiness.Of(ty, connection(ty, s), s, readiness.Options{Now: time.Now(), SecretsKnown: true}), "pair."+names[0], at.state, at.field)
		}
		s := conntest.Settings(ty, []string{names[0], good.Cert, "jwt_key", other.Key})
		if got := item(readiness.Of(ty, connection(ty, s), s, options()), "pair."+names[0]); got.ID != "" {
			t.Errorf("a key for something else: %+v", got)
		}
	}
}

// OpenSSH's certificates belong to a key, too.
func TestSSHCertificates(t *testing.T) {
	dir := t.TempDir()
	keygen, file := server.Program(t, "ssh-keygen", "openssh-client"), filepath.Join(dir, "key")
	key := made(t, file, keygen, "-q", "-t", "ed25519", "-N", "", "-f", file)
	other := made(t, file+"2", keygen, "-q", "-t", "ed25519", "-N", "", "-f", file+"2")
	cert := made(t, file+"-cert.pub", keygen, "-q", "-s", file+"2", "-I", "reader", "-n", "reader", "-V", "+10d", file+".pub")
	base := []string{"host", "files.acme.com", "user", "reader", "auth", "key", "certificate", cert, "key"}
	c := list(t, "sftp", append(base, key)...)
	expect(t, c, "pair.certificate", readiness.Done, "certificate")
	expect(t, c, "ends.certificate.certificate", readiness.Warning, "certificate")
	expect(t, list(t, "sftp", append(base, other)...), "pair.certificate", readiness.Wrong, "key")
}

func TestWhatPastingChangedIsToldOnce(t *testing.T) {
	good := edKey(t)
	for name, pasted := range map[string]string{"a mail": "> " + strings.ReplaceAll(strings.TrimSpace(good), "\n", "\n> "), "one line": strings.ReplaceAll(strings.TrimSpace(good), "\n", `\n`)} {
		ty := pairType("certificate", "private_key")
		s := conntest.Settings(ty, []string{"private_key", pasted})
		c := readiness.Of(ty, connection(ty, s), s, options())
		if got := expect(t, c, "repair.private_key", readiness.Warning, "private_key"); !strings.Contains(got.Text, "What was repaired: ") {
			t.Errorf("%s: %+v", name, got)
		}
		expect(t, c, "key.read.private_key", readiness.Done, "private_key")
	}
	// A form that repairs when it saves has nothing left to tell.
	c := list(t, "mqtt", "host", "b.acme.com", "auth", "certificate", "client_key", strings.ReplaceAll(good, "\n", "\r\n"))
	if got := item(c, "repair.client_key"); got.ID != "" {
		t.Errorf("repaired twice: %+v", got)
	}
}

func TestEndsOfTemporaryCredentials(t *testing.T) {
	c := list(t, "s3", "access_key", "ASIAIOSFODNN7EXAMPLE", "secret_key", "practice-only", "session_token", "practice-only-session")
	expect(t, c, "ends.session_token", readiness.Warning, "session_token")
	if c = list(t, "s3", "access_key", "AKIAIOSFODNN7EXAMPLE", "secret_key", "practice-only"); item(c, "ends.session_token").ID+item(c, "form.missing.session_token").ID != "" {
		t.Errorf("a lasting key is called temporary:\n%s", c.Text())
	}
	for in, state := range map[time.Duration]readiness.State{-time.Hour: readiness.Wrong, 48 * time.Hour: readiness.Warning, 2000 * time.Hour: readiness.Done} {
		end := time.Now().Add(in).UTC()
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z"} {
			sas := "?sv=2024-11-04&ss=b&srt=sco&sp=rl&se=" + strings.ReplaceAll(end.Format(layout), ":", "%3A") + "&spr=https&sig=cHJhY3RpY2Utb25seS1wcmFjdGljZS1vbmx5LXByYWM%3D"
			expect(t, list(t, "azure_blob", "account", "acme", "auth", "sas", "sas", sas), "ends.sas.sas", state, "sas")
		}
		part := func(v string) string { return base64.RawURLEncoding.EncodeToString([]byte(v)) }
		jwt := part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"nbf":%d,"exp":%d}`, end.Add(-time.Minute).Unix(), end.Unix())) + ".practice"
		want := state
		if in > 0 {
			want = readiness.Warning // it is not good yet
		}
		expect(t, list(t, "http", "base_url", "https://api.acme.com", "auth", "bearer", "token", jwt), "ends.token.token", want, "token")
	}
}

package account

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

const phrase = "practice-only-phrase"

// offlineWorld fails the test when anything is dialled.
func offlineWorld(t *testing.T) func(*conntest.World) {
	return func(w *conntest.World) {
		w.Env.Dial = func(_ context.Context, network, addr string) (net.Conn, error) {
			t.Errorf("it dialled %s %s", network, addr)
			return nil, errors.New("no network")
		}
		w.Env.HTTP = func(connectors.HTTP) (*http.Client, error) {
			t.Error("it asked for an HTTP client")
			return nil, errors.New("no network")
		}
	}
}

func load(tb testing.TB, path string) string {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return connectors.FileText(data)
}

// shelf has files that real programs made.
type shelf struct{ dir string }

func (s shelf) at(name string) string { return filepath.Join(s.dir, name) }

func (s shelf) text(tb testing.TB, name string) string {
	tb.Helper()
	return load(tb, s.at(name))
}

func newShelf(tb testing.TB) shelf {
	tb.Helper()
	s := shelf{tb.TempDir()}
	keygen, openssl := server.Program(tb, "ssh-keygen", "openssh-client"), server.Program(tb, "openssl", "openssl")
	server.Run(tb, keygen, "-q", "-t", "ed25519", "-N", "", "-C", "alice@practice", "-f", s.at("key"))
	server.Run(tb, keygen, "-q", "-t", "ed25519", "-N", phrase, "-C", "alice@practice", "-f", s.at("locked"))
	server.Run(tb, keygen, "-q", "-t", "rsa", "-b", "1024", "-m", "PEM", "-N", "", "-f", s.at("weak"))
	server.Run(tb, keygen, "-q", "-t", "dsa", "-N", "", "-f", s.at("dsa"))
	server.Run(tb, keygen, "-q", "-s", s.at("key"), "-I", "alice-id", "-n", "alice,root", "-V", "20200101:20200201", s.at("locked.pub"))
	s.certificate(tb, openssl, "root", "", "-days", "400")
	s.certificate(tb, openssl, "middle", "root", "-days", "200")
	s.certificate(tb, openssl, "leaf", "middle", "-days", "90")
	s.certificate(tb, openssl, "expired", "middle", "-days", "-1")
	s.certificate(tb, openssl, "sha1", "middle", "-days", "90", "-sha1")
	server.Run(tb, openssl, "pkcs12", "-export", "-inkey", s.at("leaf.key"), "-in", s.at("leaf"), "-certfile", s.at("middle"), "-out", s.at("pfx"), "-passout", "pass:"+phrase)
	return s
}

func (s shelf) certificate(tb testing.TB, openssl, name, parent string, args ...string) {
	tb.Helper()
	extensions := "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n"
	if len(parent) > 0 && parent != "root" {
		extensions = "subjectAltName=DNS:" + name + ".practice.example\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
	}
	ext := server.WriteFile(tb, s.dir, name+".ext", extensions, 0o600)
	server.Run(tb, openssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", s.at(name+".key"), "-out", s.at(name+".csr"), "-subj", "/CN=practice "+name)
	all := append([]string{"x509", "-req", "-in", s.at(name + ".csr"), "-out", s.at(name), "-extfile", ext, "-set_serial", "77"}, args...)
	if parent == "" {
		all = append(all, "-signkey", s.at(name+".key"))
	} else {
		all = append(all, "-CA", s.at(parent), "-CAkey", s.at(parent+".key"))
	}
	server.Run(tb, openssl, all...)
}

func find(tb testing.TB, id string) connectors.Type {
	tb.Helper()
	t, ok := connectors.Find(Types(), id)
	if !ok {
		tb.Fatalf("no type %s", id)
	}
	return t
}

func filled(t connectors.Type, values ...string) connectors.Settings {
	return conntest.Settings(t, values)
}

// A wrong is answers that cannot work.
type wrong struct {
	name   string
	values []string
	code   connectors.Code
	field  string
}

// conform runs the suite for one type.
func conform(t *testing.T, id string, good []string, wrongs ...wrong) {
	t.Helper()
	typ := find(t, id)
	suite := conntest.Suite{Type: typ, World: offlineWorld(t), Good: func(testing.TB) connectors.Settings { return filled(typ, good...) }}
	for _, w := range wrongs {
		suite.Faults = append(suite.Faults, conntest.Fault{Name: w.name, Code: w.code, Field: w.field, Settings: func(testing.TB) connectors.Settings { return filled(typ, w.values...) }})
	}
	conntest.Run(t, suite)
}

// look links and returns the facts by label, the session and the reservation.
func look(t *testing.T, id string, values ...string) (map[string]string, connectors.Session, *connectors.Error) {
	t.Helper()
	typ := find(t, id)
	w := conntest.NewWorld(t)
	offlineWorld(t)(w)
	s := conntest.OpenIn(t, w, typ, filled(typ, values...))
	out, err := conntest.Facts(t, s)
	e := connectors.Classify(err)
	if e != nil && !e.Partial {
		t.Fatalf("not partial: %v", err)
	}
	return out, s, e
}

// contents are the texts below a node, by id.
func contents(t *testing.T, s connectors.Session, parent connectors.NodeID) map[connectors.NodeID]string {
	t.Helper()
	out := map[connectors.NodeID]string{}
	for n, err := range s.(connectors.Browser).Children(context.Background(), parent) {
		if err != nil {
			t.Fatal(err)
		}
		if len(n.Views) > 0 {
			sample, err := s.(connectors.Sampler).Sample(context.Background(), n.ID, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			out[n.ID] = string(sample.Data)
		}
		if n.Branch {
			for id, text := range contents(t, s, n.ID) {
				out[id] = text
			}
		}
	}
	return out
}

func TestTypes(t *testing.T) {
	seen := map[string]bool{}
	for _, typ := range Types() {
		if err := typ.Check(); err != nil {
			t.Error(err)
		}
		if seen[typ.ID] || len([]rune(typ.Tile)) != 2 || len(typ.Guide.Steps) == 0 {
			t.Errorf("%s is there twice, or lacks something", typ.ID)
		}
		seen[typ.ID] = true
	}
}

func TestUserPasswordConforms(t *testing.T) {
	conform(t, "user_password", []string{"user", "alice", "password", "practice-only-password"},
		wrong{"no password", []string{"user", "alice"}, connectors.BadInput, "password"},
		wrong{"spaces for a password", []string{"user", "alice", "password", "  "}, connectors.BadInput, "password"},
		wrong{"no user", []string{"password", phrase}, connectors.BadInput, "user"})
}

func TestSecurity57_AnEmptyPasswordIsRefused(t *testing.T) {
	typ := find(t, "user_password")
	for _, password := range []string{"", " ", "\t\n"} {
		if _, err := typ.Open(context.Background(), conntest.NewWorld(t).Env, filled(typ, "user", "alice", "password", password)); connectors.CodeOf(err) != connectors.BadInput {
			t.Errorf("%q: %v", password, err)
		}
	}
	facts, _, _ := look(t, "user_password", "user", "alice", "domain", "CORP", "password", phrase+" ")
	if facts["Account"] != `CORP\alice` || facts["Note"] == "" || facts["Password"] != "20 to 39 characters" {
		t.Errorf("%v", facts)
	}
}

func TestPrivateKeyConforms(t *testing.T) {
	s := newShelf(t)
	conform(t, "private_key", []string{"private_key", s.text(t, "locked"), "passphrase", phrase},
		wrong{"no passphrase", []string{"private_key", s.text(t, "locked")}, connectors.BadInput, "passphrase"},
		wrong{"wrong passphrase", []string{"private_key", s.text(t, "locked"), "passphrase", "practice-only-other"}, connectors.AuthFailed, "passphrase"},
		wrong{"wrong passphrase of a PFX", []string{"private_key", s.text(t, "pfx"), "passphrase", "practice-only-other"}, connectors.AuthFailed, "passphrase"},
		wrong{"public half", []string{"private_key", s.text(t, "key.pub")}, connectors.BadInput, "private_key"},
		wrong{"certificate", []string{"private_key", s.text(t, "leaf")}, connectors.BadInput, "private_key"},
		wrong{"request", []string{"private_key", s.text(t, "leaf.csr")}, connectors.BadInput, "private_key"},
		wrong{"path", []string{"private_key", "/home/alice/.ssh/id_ed25519"}, connectors.BadInput, "private_key"},
		wrong{"web page", []string{"private_key", "<!DOCTYPE html><title>Sign in</title>"}, connectors.BadInput, "private_key"},
		wrong{"known_hosts", []string{"private_key", "files.example.com " + s.text(t, "key.pub")}, connectors.BadInput, "private_key"},
		wrong{"age", []string{"private_key", "AGE-SECRET-KEY-1PRACTICEONLY"}, connectors.BadInput, "private_key"},
		wrong{"cut", []string{"private_key", s.text(t, "key")[:200]}, connectors.BadInput, "private_key"},
		wrong{"too large", []string{"private_key", strings.Repeat("A", 2<<20)}, connectors.BadInput, "private_key"},
		wrong{"weak", []string{"private_key", s.text(t, "weak")}, connectors.Refused, "private_key"},
		wrong{"DSA", []string{"private_key", s.text(t, "dsa")}, connectors.Refused, "private_key"})
	facts, session, problem := look(t, "private_key", "private_key", strings.ReplaceAll(s.text(t, "key"), "\n", `\n`))
	if facts["Account"] != "alice@practice" || facts["Kind"] != "Ed25519" || facts["Strength"] != "strong" || !strings.HasPrefix(facts["Fingerprint"], "SHA256:") || problem != nil {
		t.Errorf("%v, %v", facts, problem)
	}
	texts := contents(t, session, "")
	if texts["key-1/openssh"] != s.text(t, "key.pub") || !strings.HasPrefix(texts["key-1/pem"], "-----BEGIN PUBLIC KEY-----") {
		t.Errorf("%v", texts)
	}
}

func TestPublicKeyConforms(t *testing.T) {
	s := newShelf(t)
	conform(t, "public_key", []string{"public_key", s.text(t, "key.pub")},
		wrong{"private half", []string{"public_key", s.text(t, "key")}, connectors.BadInput, "public_key"},
		wrong{"PFX", []string{"public_key", s.text(t, "pfx")}, connectors.BadInput, "public_key"},
		wrong{"known_hosts", []string{"public_key", "files.example.com " + s.text(t, "key.pub")}, connectors.BadInput, "public_key"},
		wrong{"weak", []string{"public_key", s.text(t, "weak.pub")}, connectors.Refused, "public_key"},
		wrong{"DSA", []string{"public_key", s.text(t, "dsa.pub")}, connectors.Refused, "public_key"},
		wrong{"expired certificate", []string{"public_key", s.text(t, "locked-cert.pub")}, connectors.Expired, "public_key"})
	facts, _, _ := look(t, "public_key", "public_key", s.text(t, "locked-cert.pub"))
	if facts["Key ID"] != "alice-id" || facts["Principals"] != "alice, root" || facts["Expires"] == "" {
		t.Errorf("%v", facts)
	}
	if facts, _, _ = look(t, "public_key", "public_key", s.text(t, "leaf")); facts["Kind"] != "ECDSA, P-256" {
		t.Errorf("of a certificate: %v", facts)
	}
}

func TestSecretKeyConforms(t *testing.T) {
	s := newShelf(t)
	conform(t, "secret_key", []string{"secret_key", "practice-only-7f3c9a1d5e8b2046", "name", "Shop"},
		wrong{"private key", []string{"secret_key", s.text(t, "key")}, connectors.BadInput, "secret_key"},
		wrong{"placeholder", []string{"secret_key", "<your-api-key>"}, connectors.BadInput, "secret_key"},
		wrong{"stars", []string{"secret_key", "****************"}, connectors.BadInput, "secret_key"},
		wrong{"dots", []string{"secret_key", "••••••••"}, connectors.BadInput, "secret_key"},
		wrong{"easy", []string{"secret_key", "abcabc"}, connectors.Refused, "secret_key"})
	for text, want := range map[string][2]string{
		"ghp_" + strings.Repeat("practice", 4): {"a GitHub personal access token", "text"}, "00112233445566778899aabbccddeeff": {"", "hexadecimal, 16 bytes"},
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=": {"", "base64, 32 bytes"},
	} {
		facts, _, _ := look(t, "secret_key", "secret_key", text)
		if facts["Looks like"] != want[0] || facts["Written as"] != want[1] || facts["Length"] == "" {
			t.Errorf("%v", facts)
		}
	}
}

func TestCertificateChainConforms(t *testing.T) {
	s := newShelf(t)
	chain := s.text(t, "root") + s.text(t, "middle") + s.text(t, "leaf")
	conform(t, "certificate_chain", []string{"client_cert", chain, "client_key", s.text(t, "leaf.key")},
		wrong{"expired", []string{"client_cert", s.text(t, "expired") + s.text(t, "middle")}, connectors.Expired, "client_cert"},
		wrong{"SHA-1", []string{"client_cert", s.text(t, "sha1")}, connectors.Refused, "client_cert"},
		wrong{"another key", []string{"client_cert", chain, "client_key", s.text(t, "key")}, connectors.BadInput, "client_key"},
		wrong{"no key there", []string{"client_cert", chain, "client_key", s.text(t, "key.pub")}, connectors.BadInput, "client_key"},
		wrong{"locked key", []string{"client_cert", chain, "client_key", s.text(t, "locked")}, connectors.BadInput, "client_key_passphrase"},
		wrong{"a key in a plain answer", []string{"client_cert", s.text(t, "leaf.key") + chain}, connectors.BadInput, "client_cert"},
		wrong{"a PFX in a plain answer", []string{"client_cert", s.text(t, "pfx")}, connectors.BadInput, "client_cert"},
		wrong{"another key in the file", []string{"source", "file", "certificate_file", s.text(t, "key") + chain}, connectors.BadInput, "certificate_file"},
		wrong{"request", []string{"client_cert", s.text(t, "leaf.csr")}, connectors.BadInput, "client_cert"},
		wrong{"PFX without its password", []string{"source", "file", "certificate_file", s.text(t, "pfx")}, connectors.BadInput, "client_key_passphrase"},
		wrong{"PFX with another password", []string{"source", "file", "certificate_file", s.text(t, "pfx"), "client_key_passphrase", "practice-only-other"}, connectors.AuthFailed, "client_key_passphrase"})
	facts, session, problem := look(t, "certificate_chain", "client_cert", chain)
	if facts["Account"] != "practice leaf" || facts["Names"] != "leaf.practice.example" || !strings.Contains(facts["Order"], "put right") || !strings.Contains(facts["Chain"], "root") || problem != nil {
		t.Errorf("%v, %v", facts, problem)
	}
	if at, err := time.Parse(time.RFC3339, facts["Expires"]); err != nil || at.Before(time.Now().AddDate(0, 0, 80)) || at.After(time.Now().AddDate(0, 0, 91)) {
		t.Errorf("expires %q", facts["Expires"])
	}
	texts := contents(t, session, "")
	if texts["chain"] != bare(s.text(t, "leaf")+s.text(t, "middle")+s.text(t, "root")) || texts["without-root"] != bare(s.text(t, "leaf")+s.text(t, "middle")) {
		t.Errorf("%v", texts)
	}
	facts, session, _ = look(t, "certificate_chain", "source", "file", "certificate_file", s.text(t, "pfx"), "client_key_passphrase", phrase)
	if texts := contents(t, session, ""); facts["Private key"] != "belongs to the certificate" || texts["chain"] != bare(s.text(t, "leaf")+s.text(t, "middle")) {
		t.Errorf("%v, %v", facts, texts)
	}
}

// bare is PEM as it is written here, with one line end after each block.
func bare(text string) string { return strings.TrimSpace(text) + "\n" }

func TestKeytabConforms(t *testing.T) {
	kdc := server.KDC(t)
	good := connectors.FileText(kdc.Keytab(t, "HTTP/www.practice.example"))
	conform(t, "keytab", []string{"keytab", good},
		wrong{"text", []string{"keytab", "hello"}, connectors.BadInput, "keytab"},
		wrong{"another file", []string{"keytab", "<!DOCTYPE html>"}, connectors.BadInput, "keytab"},
		wrong{"cut", []string{"keytab", "BQIAAABG"}, connectors.BadInput, "keytab"},
		wrong{"RC4 alone", []string{"keytab", rc4(t)}, connectors.Refused, "keytab"})
	facts, session, _ := look(t, "keytab", "keytab", good)
	if facts["Account"] != "HTTP/www.practice.example@EXAMPLE.TEST" || facts["Realm"] != "EXAMPLE.TEST" || facts["Keys"] != "2" || facts["Weak encryption"] != "" {
		t.Errorf("%v", facts)
	}
	n := 0
	for _, err := range session.(connectors.Browser).Children(context.Background(), "principal-1") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d keys", n)
	}
}

// rc4 is a keytab of an RC4 key, made with ktutil.
func rc4(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rc4")
	cmd := exec.Command(server.Program(t, "ktutil", "krb5-user"))
	cmd.Stdin = strings.NewReader("addent -password -p old@EXAMPLE.TEST -k 3 -e arcfour-hmac -s none\n" + phrase + "\nwkt " + path + "\nquit\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ktutil: %v\n%s", err, out)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("ktutil wrote nothing: %s", out)
	}
	return load(t, path)
}

func TestSecurity52_KeyAndOrderAreCheckedOffline(t *testing.T) {
	s := newShelf(t)
	typ := find(t, "certificate_chain")
	w := conntest.NewWorld(t)
	offlineWorld(t)(w)
	_, err := typ.Open(context.Background(), w.Env, filled(typ, "client_cert", s.text(t, "leaf"), "client_key", s.text(t, "middle.key")))
	if e := connectors.Classify(err); e == nil || e.Reason != "account.key_mismatch" || e.Field != "client_key" {
		t.Errorf("the issuer's key passes for the leaf's: %v", err)
	}
	_, session, _ := look(t, "certificate_chain", "client_cert", s.text(t, "middle")+s.text(t, "leaf"), "client_key", s.text(t, "leaf.key"))
	if texts := contents(t, session, ""); texts["chain"] != bare(s.text(t, "leaf")+s.text(t, "middle")) {
		t.Errorf("%v", texts)
	}
}

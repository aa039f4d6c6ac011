package keys

import (
	"crypto/x509"
	"encoding/base64"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// line makes root, intermediate and leaf with openssl and returns their paths by name.
func line(tb testing.TB, openssl, dir string) map[string]string {
	tb.Helper()
	at := func(name string) string { return filepath.Join(dir, name) }
	ca := server.WriteFile(tb, dir, "ca.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\nsubjectKeyIdentifier=hash\n", 0o600)
	leaf := server.WriteFile(tb, dir, "leaf.ext", "subjectAltName=DNS:www.practice.example,IP:10.0.0.5\nextendedKeyUsage=serverAuth\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n", 0o600)
	parent := ""
	for _, name := range []string{"root", "middle", "leaf"} {
		server.Run(tb, openssl, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at(name+".key"), "-out", at(name+".csr"), "-subj", "/CN=practice "+name)
		args := []string{"x509", "-req", "-in", at(name + ".csr"), "-out", at(name + ".crt"), "-days", "90", "-extfile", ca, "-set_serial", "77"}
		if name == "leaf" {
			args[9] = leaf
		}
		if parent == "" {
			args = append(args, "-signkey", at(name+".key"))
		} else {
			args = append(args, "-CA", at(parent+".crt"), "-CAkey", at(parent+".key"))
		}
		server.Run(tb, openssl, args...)
		parent = name
	}
	out := map[string]string{}
	for _, name := range []string{"root", "middle", "leaf"} {
		out[name], out[name+".key"], out[name+".csr"] = at(name+".crt"), at(name+".key"), at(name+".csr")
	}
	return out
}

func certificates(items []Item) []*x509.Certificate {
	var out []*x509.Certificate
	for _, i := range items {
		if i.Kind == Certificate {
			out = append(out, i.Certificate)
		}
	}
	return out
}

func names(certs []*x509.Certificate) string {
	var out []string
	for _, c := range certs {
		out = append(out, strings.TrimPrefix(c.Subject.CommonName, "practice "))
	}
	return strings.Join(out, " ")
}

func TestChainsOfOpenSSL(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	l := line(t, openssl, dir)
	join := func(parts ...string) []byte {
		var b strings.Builder
		for _, p := range parts {
			b.Write(load(t, l[p]))
		}
		return []byte(b.String())
	}
	p7 := func(format string) []byte {
		return []byte(output(t, nil, openssl, "crl2pkcs7", "-nocrl", "-certfile", l["root"], "-certfile", l["leaf"], "-certfile", l["middle"], "-outform", format))
	}
	for _, c := range []struct {
		name      string
		data      []byte
		order     string
		reordered bool
		root      bool
	}{
		{"right", join("leaf", "middle", "root"), "leaf middle root", false, true},
		{"wrong", join("root", "middle", "leaf"), "leaf middle root", true, true},
		{"no root", join("middle", "leaf"), "leaf middle", true, false},
		{"gap", join("leaf", "root"), "leaf", false, false},
		{"with key", join("leaf.key", "leaf", "middle"), "leaf middle", false, false},
		{"P7B in PEM", p7("PEM"), "leaf middle root", true, true},
		{"P7B in DER", p7("DER"), "leaf middle root", true, true},
		{"DER", []byte(output(t, nil, openssl, "x509", "-in", l["leaf"], "-outform", "DER")), "leaf", false, false},
		{"openssl's notes around", []byte(output(t, nil, openssl, "x509", "-in", l["leaf"], "-text")), "leaf", false, false},
		{"trusted", []byte(output(t, nil, openssl, "x509", "-in", l["leaf"], "-trustout", "-addtrust", "serverAuth")), "leaf", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := Order(certificates(mustRead(t, c.data, connectors.Secret{})), nil)
			if got := names(found.Certificates); got != c.order || found.Reordered != c.reordered || found.Root != c.root || (found.Missing == "") != c.root || len(found.Broken) > 0 {
				t.Errorf("%s: %+v", got, found)
			}
		})
	}
	leaf := certificates(mustRead(t, load(t, l["leaf"]), connectors.Secret{}))[0]
	want := strings.TrimSpace(strings.SplitN(output(t, nil, openssl, "x509", "-in", l["leaf"], "-noout", "-fingerprint", "-sha256"), "=", 2)[1])
	if got, _ := CertificateFingerprints(leaf); got != want {
		t.Errorf("%s, openssl says %s", got, want)
	}
	if got := CertificateNames(leaf); !slices.Equal(got, []string{"www.practice.example", "10.0.0.5"}) || Usages(leaf) != "TLS server" {
		t.Errorf("%v, %s", got, Usages(leaf))
	}
	if csr := mustRead(t, load(t, l["leaf.csr"]), connectors.Secret{}); Identify(load(t, l["leaf.csr"])) != Request || csr[0].Request == nil {
		t.Error("the request is not one")
	}
}

// An intermediate of the same name with another key does not pass for the issuer.
func TestABrokenSignatureIsFound(t *testing.T) {
	openssl := server.Program(t, "openssl", "openssl")
	one, two := line(t, openssl, t.TempDir()), line(t, openssl, t.TempDir())
	// Without key identifiers the names alone decide.
	der := certificates(mustRead(t, load(t, one["leaf"]), connectors.Secret{}))[0]
	bare := *der
	bare.AuthorityKeyId = nil
	middle := certificates(mustRead(t, load(t, two["middle"]), connectors.Secret{}))[0]
	if signedBy(&bare, middle) {
		t.Error("the signature of another key passes")
	}
	if c := Order([]*x509.Certificate{der, middle}, nil); len(c.Certificates) != 1 || len(c.Others) != 1 {
		t.Errorf("the identifiers differ, and yet: %s", names(c.Certificates))
	}
}

func TestPFXOfOpenSSL(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	l := line(t, openssl, dir)
	more := server.WriteFile(t, dir, "more", string(load(t, l["root"]))+string(load(t, l["middle"])), 0o600)
	for name, args := range map[string][]string{
		"modern": {"-passout", "pass:" + phrase}, "RC2 and 3DES": {"-legacy", "-passout", "pass:" + phrase},
		"3DES":   {"-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1", "-passout", "pass:" + phrase},
		"no MAC": {"-certpbe", "NONE", "-keypbe", "NONE", "-nomac", "-passout", "pass:"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "pfx")
			server.Run(t, openssl, append([]string{"pkcs12", "-export", "-inkey", l["leaf.key"], "-in", l["leaf"], "-certfile", more, "-out", path}, args...)...)
			data := load(t, path)
			if k := Identify(data); k != PFX {
				t.Errorf("identified as %s", k)
			}
			items := mustRead(t, data, locked)
			chain := Order(certificates(items), items[0].Public)
			if items[0].Private == nil || names(chain.Certificates) != "leaf middle root" || !Same(chain.Certificates[0].PublicKey, items[0].Public) {
				t.Errorf("%s: %+v", names(chain.Certificates), items)
			}
			if name != "no MAC" {
				lockedWell(t, data)
				if items[0].Locked == "" {
					t.Error("not said how it is locked")
				}
			}
			if again := mustRead(t, []byte(base64.StdEncoding.EncodeToString(data)), locked); len(again) != len(items) {
				t.Error("as base64 it reads differently")
			}
		})
	}
}

// Stores as Java's keytool writes them.
func TestStoresOfKeytool(t *testing.T) {
	keytool, openssl, dir := server.Program(t, "keytool", "default-jre-headless"), server.Program(t, "openssl", "openssl"), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	l := line(t, openssl, dir)
	server.Run(t, openssl, "pkcs12", "-export", "-inkey", l["leaf.key"], "-in", l["leaf"], "-name", "practice-entry", "-out", at("p12"), "-passout", "pass:"+phrase)
	for _, kind := range []string{"jks", "jceks", "pkcs12"} {
		t.Run(kind, func(t *testing.T) {
			server.Run(t, keytool, "-importkeystore", "-noprompt", "-srckeystore", at("p12"), "-srcstoretype", "pkcs12", "-srcstorepass", phrase, "-destkeystore", at(kind), "-deststoretype", kind, "-deststorepass", phrase, "-destkeypass", phrase)
			data := load(t, at(kind))
			items := mustRead(t, data, locked)
			if len(items) != 2 || items[0].Kind != PrivateKey || items[1].Certificate == nil || !Same(items[0].Public, items[1].Public) {
				t.Fatalf("%+v", items)
			}
			switch kind {
			case "jks", "jceks":
				if items[0].Err != nil || items[0].Name != "practice-entry" || items[0].Created.IsZero() {
					t.Errorf("%+v: %v", items[0], items[0].Err)
				}
				lockedWell(t, data)
			}
		})
	}
	for _, kind := range []string{"jks", "pkcs12"} {
		t.Run("trust store "+kind, func(t *testing.T) {
			server.Run(t, keytool, "-importcert", "-noprompt", "-file", l["root"], "-alias", "practice-root", "-keystore", at("trust"+kind), "-storetype", kind, "-storepass", phrase)
			data := load(t, at("trust"+kind))
			if certs := certificates(mustRead(t, data, locked)); names(certs) != "root" {
				t.Error(names(certs))
			}
			_, _, err := Read(data, connectors.NewSecret("practice-only-other"))
			if reason(err) != "keys.passphrase_wrong" {
				t.Error(reason(err))
			}
		})
	}
}

func TestKeytabsOfAKDC(t *testing.T) {
	kdc := server.KDC(t)
	data := kdc.Keytab(t, "HTTP/www.practice.example")
	if Identify(data) != Keytab {
		t.Error("not identified")
	}
	for _, form := range [][]byte{data, []byte(base64.StdEncoding.EncodeToString(data))} {
		items := mustRead(t, form, connectors.Secret{})
		if len(items) != 2 || items[0].Name != "HTTP/www.practice.example@EXAMPLE.TEST" || items[0].Entry.KVNO == 0 || !strings.HasPrefix(items[0].Algorithm, "aes") {
			t.Errorf("%+v", items)
		}
	}
}

// Two authorities that name each other as their issuer do not make an endless chain.
func TestCertificatesInACircleEnd(t *testing.T) {
	a := &x509.Certificate{Raw: []byte("a"), RawSubject: []byte("A"), RawIssuer: []byte("B")}
	b := &x509.Certificate{Raw: []byte("b"), RawSubject: []byte("B"), RawIssuer: []byte("A")}
	if got := upwards([]*x509.Certificate{a, b}, leafOf([]*x509.Certificate{a, b})); len(got) != 2 {
		t.Errorf("%d certificates", len(got))
	}
}

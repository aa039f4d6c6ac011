package keys

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// ids are the formats that items can be written as.
func ids(items []Item) []Format {
	var out []Format
	for _, f := range FormatsFor(items) {
		out = append(out, f.ID)
	}
	return out
}

func noted(w Written, part string) bool {
	return slices.ContainsFunc(w.Notes, func(n string) bool { return strings.Contains(n, part) })
}

// bundle is a key and its chain in the wrong order, with a stranger among them.
func bundle(t *testing.T, b *bench) []Item {
	t.Helper()
	l := line(t, b.openssl, b.dir)
	var data bytes.Buffer
	for _, name := range []string{"root", "leaf.key", "middle", "leaf"} {
		data.Write(load(t, l[name]))
	}
	stranger, err := NewSelfSigned(practiceKey(t, "ecdsa256"), RequestFor{CommonName: "practice stranger"}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return append(mustRead(t, data.Bytes(), connectors.Secret{}), stranger)
}

func TestAKeyWithItsChain(t *testing.T) {
	b := newBench(t)
	items := bundle(t, b)
	key := items[slices.IndexFunc(items, func(i Item) bool { return i.Private != nil })]
	for _, pass := range []connectors.Secret{{}, locked} {
		source := "pass:" // none
		if !pass.Empty() {
			source = "file:" + b.pass
		}
		w := mustWrite(t, items, as(PFXFile, pass))
		if !w.Secret || w.Name != "key.pfx" || !noted(w, "right order") || !noted(w, "1 certificate was left out") || !noted(w, "Windows Server 2016") || noted(w, "not locked") != pass.Empty() {
			t.Errorf("%q: %q", w.Name, w.Notes)
		}
		again := mustRead(t, w.Data, pass)
		if !Same(again[0].Public, key.Public) || again[0].Private == nil || names(certificates(again)) != "leaf middle root" {
			t.Errorf("%s", names(certificates(again)))
		}
		path := b.file(t, "pfx", w.Data)
		text := output(t, nil, b.openssl, "pkcs12", "-in", path, "-noenc", "-passin", source)
		if got := mustRead(t, []byte(text), connectors.Secret{}); names(certificates(got)) != "leaf middle root" || !hasPrivate(got, key) {
			t.Errorf("openssl reads %s", names(certificates(got)))
		}
		both := mustWrite(t, items, as(PEMBoth, pass))
		if got := mustRead(t, both.Data, pass); !hasPrivate(got, key) || names(certificates(got)) != "leaf middle root" {
			t.Errorf("both: %s", names(certificates(got)))
		}
		b.readByOpenSSL(t, key, b.file(t, "both", both.Data), "PEM")
	}
	chain := mustWrite(t, items, Want(PEMChain))
	if got := certificates(mustRead(t, chain.Data, connectors.Secret{})); names(got) != "leaf middle root" || chain.Secret || !noted(chain, "private key is not in it") {
		t.Errorf("%s %q", names(got), chain.Notes)
	}
	path := b.file(t, "chain", chain.Data)
	if out := server.Run(t, b.openssl, "verify", "-CAfile", path, "-untrusted", path, path); !strings.Contains(out, "OK") {
		t.Error(out)
	}
	alone := mustWrite(t, items, Want(CertificateDER))
	if got := output(t, alone.Data, b.openssl, "x509", "-inform", "DER", "-noout", "-subject"); !strings.Contains(got, "practice leaf") || !noted(alone, "3 other certificates") {
		t.Errorf("%s %q", got, alone.Notes)
	}
	p7 := mustWrite(t, items, Want(P7B))
	if got := output(t, p7.Data, b.openssl, "pkcs7", "-print_certs", "-noout"); strings.Count(got, "subject=") != 3 {
		t.Error(got)
	}
	if got := certificates(mustRead(t, p7.Data, connectors.Secret{})); names(got) != "leaf middle root" {
		t.Error(names(got))
	}
	one := mustWrite(t, items, Want(PKCS8))
	if !noted(one, "4 certificates were left out") {
		t.Errorf("%q", one.Notes)
	}
	b.readByOpenSSL(t, key, b.file(t, "one", one.Data), "PEM")
	for _, f := range []Format{PFXFile, JKS, PEMBoth, PKCS8, PEMChain, CertificateDER, P7B, SSHPublic, JWKS} {
		if !slices.Contains(ids(items), f) {
			t.Errorf("%s is not offered", f)
		}
	}
}

func hasPrivate(items []Item, key Item) bool {
	return slices.ContainsFunc(items, func(i Item) bool { return i.Private != nil && Same(i.Public, key.Public) })
}

// A certificate can be chosen; what it issued is not of its chain.
func TestAChosenCertificate(t *testing.T) {
	items := bundle(t, newBench(t))
	at := slices.IndexFunc(items, func(i Item) bool {
		return i.Certificate != nil && i.Certificate.Subject.CommonName == "practice middle"
	})
	w := Want(PEMChain)
	w.Certificate = at
	out := mustWrite(t, items, w)
	if got := names(certificates(mustRead(t, out.Data, connectors.Secret{}))); got != "middle root" || !noted(out, "2 certificates were left out") {
		t.Errorf("%s %q", got, out.Notes)
	}
	w.Format = PFXFile
	if _, err := Write(items, w); reason(err) != "keys.write_mismatch" {
		t.Error(reason(err))
	}
	// Certificates alone are all written.
	var alone []Item
	for _, i := range items {
		if i.Certificate != nil {
			alone = append(alone, i)
		}
	}
	out = mustWrite(t, alone, Want(PEMChain))
	if got := certificates(mustRead(t, out.Data, connectors.Secret{})); len(got) != 4 || !noted(out, "not part of the first chain") {
		t.Errorf("%s %q", names(got), out.Notes)
	}
}

// Each kind of key with its own certificate, in PFX and JKS, read by openssl and keytool.
func TestStoresAreReadByKeytool(t *testing.T) {
	b := newBench(t)
	keytool := server.Program(t, "keytool", "default-jre-headless")
	for _, algorithm := range []string{"rsa2048", "ecdsa384", "ed25519"} {
		key := practiceKey(t, algorithm)
		own, err := NewSelfSigned(key, RequestFor{CommonName: "www.practice.example"}, time.Hour, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		items := []Item{key, own}
		t.Run(algorithm, func(t *testing.T) {
			w := as(JKS, locked)
			w.Alias = "Practice-Entry"
			store := mustWrite(t, items, w)
			again := mustRead(t, store.Data, locked)
			if again[0].Private == nil || again[0].Name != "practice-entry" || !Same(again[0].Public, key.Public) {
				t.Errorf("%+v: %v", again, again[0].Err)
			}
			from, to := b.file(t, algorithm+".jks", store.Data), filepath.Join(b.dir, algorithm+".p12")
			server.Run(t, keytool, "-importkeystore", "-noprompt", "-srckeystore", from, "-srcstoretype", "JKS", "-srcstorepass:file", b.pass, "-destkeystore", to, "-deststoretype", "PKCS12", "-deststorepass:file", b.pass)
			text := output(t, nil, b.openssl, "pkcs12", "-in", to, "-noenc", "-passin", "file:"+b.pass)
			if got := mustRead(t, []byte(text), connectors.Secret{}); !hasPrivate(got, key) || len(certificates(got)) != 1 {
				t.Errorf("keytool made %+v of it", got)
			}
			pfx := b.file(t, algorithm+".pfx", mustWrite(t, items, as(PFXFile, locked)).Data)
			if got := server.Run(t, keytool, "-list", "-keystore", pfx, "-storetype", "PKCS12", "-storepass:file", b.pass); !strings.Contains(got, "PrivateKeyEntry") {
				t.Error(got)
			}
			back := mustWrite(t, again, Want(PKCS8))
			b.readByOpenSSL(t, key, b.file(t, "back", back.Data), "PEM")
		})
	}
	t.Run("trusted certificates", func(t *testing.T) {
		var items []Item
		for _, i := range bundle(t, b) {
			if i.Certificate != nil {
				items = append(items, i)
			}
		}
		for kind, f := range map[string]Format{"JKS": JKS, "PKCS12": PFXFile} {
			w := mustWrite(t, items, as(f, locked))
			if w.Secret || !strings.HasPrefix(w.Name, "trusted") || len(certificates(mustRead(t, w.Data, locked))) != 4 {
				t.Errorf("%s: %+v", kind, w)
			}
			path := b.file(t, "trusted."+kind, w.Data)
			if got := server.Run(t, keytool, "-list", "-keystore", path, "-storetype", kind, "-storepass:file", b.pass); strings.Count(got, "trustedCertEntry") != 4 {
				t.Error(got)
			}
		}
	})
}

// From what one program wrote to what another one reads.
func TestFromProgramToProgram(t *testing.T) {
	b := newBench(t)
	made := filepath.Join(b.dir, "made")
	b.ssh(t, "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "bob@practice", "-f", made)
	plain := mustRead(t, load(t, made), connectors.Secret{})
	for _, version := range []string{"2", "3"} {
		server.Run(t, b.puttygen, made, "-O", "private", "-o", made+".ppk", "--ppk-param", "version="+version+",memory=1024", "--new-passphrase", b.pass)
		items := mustRead(t, load(t, made+".ppk"), locked)
		out := mustWrite(t, items, as(OpenSSH, locked))
		b.readBySSH(t, plain[0], b.file(t, "from-putty", out.Data))
		if again := mustWrite(t, mustRead(t, out.Data, locked), Want(PPK3)); !strings.Contains(string(again.Data), "Comment: ") {
			t.Error("not a PuTTY key")
		}
	}
	// A passphrase is put on, changed and taken off.
	other := connectors.NewSecret("practice-only-other")
	first := mustWrite(t, plain, as(PKCS8, other))
	changed := mustWrite(t, mustRead(t, first.Data, other), as(PKCS8, locked))
	lockedWell(t, changed.Data)
	b.readByOpenSSL(t, plain[0], b.file(t, "changed", changed.Data), "PEM")
	open := mustWrite(t, mustRead(t, changed.Data, locked), Want(PKCS8))
	if string(open.Data) != string(mustWrite(t, plain, Want(PKCS8)).Data) || !noted(open, "not locked") {
		t.Error("taken off, it is another key")
	}
	// JWK and back; the set holds the public half alone.
	jwk := mustWrite(t, plain, Want(JWK))
	if back := mustWrite(t, mustRead(t, jwk.Data, connectors.Secret{}), Want(PKCS8)); string(back.Data) != string(open.Data) || !noted(jwk, "cannot be locked") {
		t.Error("JWK and back is another key")
	}
	if set := mustWrite(t, append(plain, practiceKey(t, "ed25519")), Want(JWKS)); set.Secret || strings.Contains(string(set.Data), `"d"`) || len(mustRead(t, set.Data, connectors.Secret{})) != 2 {
		t.Errorf("%s", set.Data)
	}
	modulus := strings.TrimPrefix(strings.TrimSpace(output(t, nil, b.openssl, "rsa", "-in", b.file(t, "open", open.Data), "-modulus", "-noout")), "Modulus=")
	if n := jwkModulus(t, jwk.Data); !strings.EqualFold(n, modulus) {
		t.Errorf("n is %s, openssl says %s", n, modulus)
	}
}

// From the stores that keytool and older versions of openssl make to PEM.
func TestFromStoresToPEM(t *testing.T) {
	b := newBench(t)
	keytool := server.Program(t, "keytool", "default-jre-headless")
	store := filepath.Join(b.dir, "made.jks")
	server.Run(t, keytool, "-genkeypair", "-keyalg", "EC", "-alias", "practice", "-dname", "CN=practice", "-keystore", store, "-storetype", "JKS", "-storepass:file", b.pass, "-keypass:file", b.pass)
	l := line(t, b.openssl, b.dir)
	pfx := filepath.Join(b.dir, "made.pfx")
	server.Run(t, b.openssl, "pkcs12", "-export", "-legacy", "-inkey", l["leaf.key"], "-in", l["leaf"], "-certfile", l["middle"], "-out", pfx, "-passout", "file:"+b.pass)
	for _, path := range []string{store, pfx} {
		items := mustRead(t, load(t, path), locked)
		key := items[slices.IndexFunc(items, func(i Item) bool { return i.Private != nil })]
		b.readByOpenSSL(t, key, b.file(t, "key", mustWrite(t, items, Want(PKCS8)).Data), "PEM")
		chain := b.file(t, "chain", mustWrite(t, items, Want(PEMChain)).Data)
		public := output(t, nil, b.openssl, "x509", "-in", chain, "-noout", "-pubkey")
		if public != PublicPEM(key.Public) {
			t.Errorf("%s: the first certificate is not the key's", path)
		}
	}
}

// What is offered can be written.
func TestOfferedFormatsAreWritten(t *testing.T) {
	b := newBench(t)
	chain := bundle(t, b)
	request, err := NewRequest(practiceKey(t, "ecdsa256"), RequestFor{CommonName: "practice"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		items []Item
		some  []Format
	}{
		"a key":          {chain[1:2], []Format{OpenSSH, PKCS8, SEC1, PPK3, JWK, SSHPublic, JWKS}},
		"with its chain": {chain, []Format{PFXFile, JKS, PEMBoth, PEMChain, P7B}},
		"certificates":   {[]Item{chain[0], chain[2]}, []Format{PFXFile, JKS, PEMChain, CertificateDER, PublicKeyPEM}},
		"a request":      {mustRead(t, []byte(request), connectors.Secret{}), []Format{PublicKeyPEM, SSHPublic, PublicJWK}},
	} {
		offered := ids(c.items)
		for _, f := range c.some {
			if !slices.Contains(offered, f) {
				t.Errorf("%s: %s is not offered", name, f)
			}
		}
		for _, f := range FormatsFor(c.items) {
			pass := connectors.Secret{}
			if f.ID == JKS {
				pass = locked
			}
			if w := mustWrite(t, c.items, as(f.ID, pass)); len(mustRead(t, w.Data, pass)) == 0 || w.Secret && !f.Secret {
				t.Errorf("%s as %s: %+v", name, f.ID, w)
			}
		}
	}
}

// Of several keys one is chosen; of its certificates the one that is valid longest.
func TestAChosenKeyAndARenewedCertificate(t *testing.T) {
	one, two := practiceKey(t, "ed25519"), practiceKey(t, "ecdsa256")
	items := []Item{one, two}
	for _, days := range []time.Duration{10, 30, 20} {
		c, err := NewSelfSigned(two, RequestFor{CommonName: "practice"}, days*24*time.Hour, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, c)
	}
	if !slices.Contains(ids(items), PFXFile) || !slices.Contains(ids(items), OpenSSH) {
		t.Errorf("%v", ids(items))
	}
	w := as(PFXFile, locked)
	w.Key = 1
	out := mustWrite(t, items, w)
	if got := mustRead(t, out.Data, locked); !hasPrivate(got, two) || !certificates(got)[0].Equal(items[3].Certificate) || !noted(out, "1 other private key was left out") {
		t.Errorf("%q", out.Notes)
	}
	w = Want(JWKS)
	w.Key = 0
	if got := mustRead(t, mustWrite(t, items, w).Data, connectors.Secret{}); len(got) != 1 || !Same(got[0].Public, one.Public) {
		t.Errorf("%+v", got)
	}
}

// A list of trusted certificates stays what it is; more than any is refused.
func TestSecurity53_WritingIsBounded(t *testing.T) {
	key := practiceKey(t, "ecdsa256")
	var items []Item
	for range maxCertificates + 1 {
		c, err := NewSelfSigned(key, RequestFor{CommonName: "practice"}, time.Hour, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, c)
	}
	some := mustWrite(t, items[:150], Want(PEMChain))
	if got := certificates(mustRead(t, some.Data, connectors.Secret{})); len(got) != 150 || len(some.Notes) > 3 {
		t.Errorf("%d, %q", len(got), some.Notes)
	}
	for _, f := range []Format{PEMChain, P7B, PFXFile, CertificateDER} {
		if _, err := Write(items, Want(f)); reason(err) != "keys.large" {
			t.Errorf("%s: %s", f, reason(err))
		}
	}
	if got := ids(items); slices.Contains(got, PEMChain) {
		t.Errorf("%v", got)
	}
}

// PuTTYgen takes its own files for what they are when the passphrase is wrong.
func TestTheMACOfAPuTTYKeyIsChecked(t *testing.T) {
	b := newBench(t)
	key := practiceKey(t, "ed25519")
	for _, f := range []Format{PPK2, PPK3} {
		data := mustWrite(t, []Item{key}, as(f, locked)).Data
		lockedWell(t, data)
		path := b.file(t, "wrong", bytes.Replace(data, []byte("alice@"), []byte("mallo@"), 1))
		if out, err := exec.Command(b.puttygen, path, "-O", "private-openssh", "-o", path+".out", "--old-passphrase", b.pass, "--new-passphrase", b.empty).CombinedOutput(); err == nil {
			t.Errorf("%s: a changed comment passes: %s", f, out)
		}
	}
}

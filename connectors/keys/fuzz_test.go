package keys

import (
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors/conntest/server"
)

// plausible checks what holds for everything that is read.
func plausible(t *testing.T, items []Item, err error) {
	t.Helper()
	if err != nil && reason(err) == "" {
		t.Fatalf("an error without a reason: %v", err)
	}
	for _, i := range items {
		if i.Kind == PrivateKey && (i.Private == nil) == (i.Err == nil) {
			t.Fatalf("a private key with %v and %v", i.Private, i.Err)
		}
		_ = weaknesses(i.Public)
	}
}

func FuzzPPK(f *testing.F) {
	puttygen, dir := server.Program(f, "puttygen", "putty-tools"), f.TempDir()
	pass, empty := server.WriteFile(f, dir, "pass", phrase, 0o600), server.WriteFile(f, dir, "empty", "", 0o600)
	for _, kind := range []string{"rsa", "dsa", "ecdsa", "ed25519"} {
		for _, version := range []string{"2", "3"} {
			path := filepath.Join(dir, kind+version)
			bits := map[string]string{"rsa": "1024", "dsa": "1024", "ecdsa": "256", "ed25519": "256"}[kind]
			server.Run(f, puttygen, "-q", "-t", kind, "-b", bits, "-O", "private", "-o", path, "--ppk-param", "version="+version, "--new-passphrase", empty)
			f.Add(string(load(f, path)))
			server.Run(f, puttygen, "-q", "-t", kind, "-b", bits, "-O", "private", "-o", path+"locked", "--ppk-param", "version="+version+",memory=64,passes=1,kdf=argon2d", "--new-passphrase", pass)
			f.Add(string(load(f, path+"locked")))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if f, ok := parsePPK(text); ok && f.version > 2 && f.memory*f.passes > 256 {
			return // the derivation is not what is looked for
		}
		i, err := ppkItem(text, attempt{locked, reading()})
		if err == nil {
			plausible(t, []Item{i}, nil)
		}
	})
}

func FuzzJKS(f *testing.F) {
	keytool, dir := server.Program(f, "keytool", "default-jre-headless"), f.TempDir()
	for _, kind := range []string{"jks", "jceks"} {
		path := filepath.Join(dir, kind)
		at := []string{"-keystore", path, "-storetype", kind, "-storepass", phrase, "-J-Djdk.jceks.iterationCount=10000"}
		server.Run(f, keytool, append([]string{"-genkeypair", "-alias", "practice", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=practice"}, at...)...)
		if kind == "jceks" {
			server.Run(f, keytool, append([]string{"-genseckey", "-alias", "practice-aes", "-keyalg", "AES", "-keysize", "128"}, at...)...)
		}
		f.Add(load(f, path))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 {
			return
		}
		entries, _, err := walkStore(data)
		_, err2 := storeItems(data, attempt{most: reading()})
		plausible(t, nil, err2)
		if err != nil {
			plausible(t, nil, err)
			return
		}
		for _, e := range entries { // the checksum hides them from the fuzzer otherwise
			if e.work() <= 10_000 {
				items, err := e.items("JCEKS", attempt{locked, reading()})
				plausible(t, items, err)
			}
		}
	})
}

func FuzzPFX(f *testing.F) {
	openssl, dir := server.Program(f, "openssl", "openssl"), f.TempDir()
	l := line(f, openssl, dir)
	path := filepath.Join(dir, "pfx")
	for _, args := range [][]string{{}, {"-legacy"}, {"-certpbe", "NONE", "-keypbe", "NONE", "-nomac"}, {"-nomac"}} {
		server.Run(f, openssl, append([]string{"pkcs12", "-export", "-inkey", l["leaf.key"], "-in", l["leaf"], "-certfile", l["middle"], "-out", path, "-name", "practice", "-iter", "2", "-nomaciter", "-passout", "pass:" + phrase}, args...)...)
		f.Add(load(f, path))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if lookInto(data).work > 100 {
			return // the derivation is not what is looked for
		}
		items, err := pfxItems(data, attempt{locked, reading()})
		plausible(t, items, err)
	})
}

func FuzzKeytab(f *testing.F) {
	f.Add(server.KDC(f).Keytab(f, "HTTP/www.practice.example"))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := keytabItems(data)
		plausible(t, items, err)
	})
}

func FuzzKnownHosts(f *testing.F) {
	keygen, dir := server.Program(f, "ssh-keygen", "openssh-client"), f.TempDir()
	server.Run(f, keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "k"))
	text := "files.example.com,10.0.0.5 " + string(load(f, filepath.Join(dir, "k.pub")))
	path := server.WriteFile(f, dir, "known_hosts", text, 0o600)
	f.Add(text)
	f.Add("@revoked " + text + "@cert-authority *.example " + text)
	server.Run(f, keygen, "-q", "-H", "-f", path)
	f.Add(string(load(f, path)))
	f.Fuzz(func(t *testing.T, text string) {
		for _, i := range hostItems(text) {
			if i.Host == nil || len(i.Host.Patterns) == 0 || i.Kind != KnownHosts {
				t.Fatalf("%+v", i)
			}
		}
		plausible(t, ageItems(text), nil)
		plausible(t, awsItems(text), nil)
	})
}

func FuzzJWK(f *testing.F) {
	f.Add(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}`)
	f.Add(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`)
	f.Add(`{"kty":"oct","k":"AAAA"}`)
	f.Add(`{"kty":"RSA","n":"AQ","e":"AQAB"}`)
	f.Add(`{"installed":{"client_id":"practice"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		items, err := jsonItems(text, attempt{most: reading()})
		plausible(t, items, err)
	})
}

// FuzzPEM is for OpenSSH's form and the old encryption of PEM, and for Inspect,
// without a passphrase: deriving keys would take all of the time.
func FuzzPEM(f *testing.F) {
	keygen, openssl, dir := server.Program(f, "ssh-keygen", "openssh-client"), server.Program(f, "openssl", "openssl"), f.TempDir()
	for _, cipher := range []string{"aes256-ctr", "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"} {
		path := filepath.Join(dir, strings.ReplaceAll(cipher, "@", "_"))
		server.Run(f, keygen, "-q", "-t", "ed25519", "-N", phrase, "-a", "1", "-Z", cipher, "-f", path)
		f.Add(load(f, path))
	}
	for _, kind := range []string{"dsa", "ecdsa"} {
		server.Run(f, keygen, "-q", "-t", kind, "-N", "", "-f", filepath.Join(dir, kind))
		f.Add(load(f, filepath.Join(dir, kind)))
	}
	l := line(f, openssl, dir)
	server.Run(f, openssl, "ec", "-in", l["leaf.key"], "-aes256", "-passout", "pass:"+phrase, "-out", filepath.Join(dir, "old"))
	f.Add(load(f, filepath.Join(dir, "old")))
	f.Add(append(load(f, l["leaf"]), load(f, l["leaf.csr"])...))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Inspect(data, Options{Roots: noRoots()})
		plausible(t, r.Items, err)
		if r.What == "" {
			t.Fatal("it is nothing")
		}
	})
}

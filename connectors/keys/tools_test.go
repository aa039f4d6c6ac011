package keys

import (
	"crypto/sha256"
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

const phrase = "practice-only-phrase"

var locked = connectors.NewSecret(phrase)

func load(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// output is what a program prints, fed with input.
func output(tb testing.TB, input []byte, name string, args ...string) string {
	tb.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(string(input))
	out, err := cmd.Output()
	if err != nil {
		tb.Fatalf("%s %q: %v", name, args, err)
	}
	return string(out)
}

func mustRead(tb testing.TB, data []byte, pass connectors.Secret) []Item {
	tb.Helper()
	items, _, err := Read(data, pass)
	if err != nil {
		tb.Fatalf("%v (%s)", err, connectors.Classify(err).Reason)
	}
	return items
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return connectors.Classify(err).Reason
}

// lockedWell checks what is said without the passphrase and with a wrong one.
func lockedWell(t *testing.T, data []byte) {
	t.Helper()
	for want, pass := range map[string]connectors.Secret{"keys.passphrase_needed": {}, "keys.passphrase_wrong": connectors.NewSecret("practice-only-other")} {
		items, _, err := Read(data, pass)
		if err == nil && len(items) > 0 {
			err = items[0].Err
		}
		if reason(err) != want {
			t.Errorf("%q, want %s", reason(err), want)
		}
	}
}

// Keys of every kind and form that ssh-keygen writes; the fingerprints are compared with its own.
func TestKeysOfSSHKeygen(t *testing.T) {
	keygen, dir := server.Program(t, "ssh-keygen", "openssh-client"), t.TempDir()
	for _, c := range []struct {
		kind, bits, algorithm string
		level                 Level
	}{
		{"rsa", "1024", "RSA", Weak}, {"rsa", "2048", "RSA", Fair}, {"rsa", "3072", "RSA", Strong},
		{"ecdsa", "256", "ECDSA", Strong}, {"ecdsa", "384", "ECDSA", Strong}, {"ecdsa", "521", "ECDSA", Strong}, {"ed25519", "256", "Ed25519", Strong},
	} {
		forms := [][]string{{"RFC4716", "aes256-ctr"}, {"RFC4716", "aes256-cbc"}, {"PEM", ""}, {"PKCS8", ""}}
		switch {
		case c.kind == "ed25519":
			forms = forms[:2]
		case c.bits == "3072", c.bits == "384":
			forms = forms[:1]
		}
		made := filepath.Join(dir, c.kind+c.bits)
		server.Run(t, keygen, "-q", "-t", c.kind, "-b", c.bits, "-N", "", "-C", "alice@practice", "-f", made)
		for n, form := range forms {
			for _, pass := range []string{"", phrase} {
				t.Run(strings.Join([]string{c.kind, c.bits, form[0], form[1], pass}, " "), func(t *testing.T) {
					path := filepath.Join(dir, strings.Join([]string{c.kind, c.bits, string(rune('0' + n)), pass}, "-"))
					server.WriteFile(t, dir, filepath.Base(path), string(load(t, made)), 0o600)
					server.WriteFile(t, dir, filepath.Base(path)+".pub", string(load(t, made+".pub")), 0o600)
					args := []string{"-q", "-p", "-a", "4", "-P", "", "-N", pass, "-f", path, "-m", form[0]}
					if form[1] != "" {
						args = append(args, "-Z", form[1])
					}
					server.Run(t, keygen, args...)
					data := load(t, path)
					if k := Identify(data); k != PrivateKey {
						t.Errorf("identified as %s", k)
					}
					i := mustRead(t, data, connectors.NewSecret(pass))[0]
					if i.Err != nil || i.Private == nil {
						t.Fatalf("not opened: %v", i.Err)
					}
					if (i.Locked != "") != (pass != "") || i.Algorithm != c.algorithm {
						t.Errorf("locked %q, %s", i.Locked, i.Algorithm)
					}
					if pass == "" && form[0] == "RFC4716" && i.Name != "alice@practice" {
						t.Errorf("comment %q", i.Name)
					}
					if s := KeyStrength(i.Public); s.Level != c.level {
						t.Errorf("strength %+v", s)
					}
					sameFingerprints(t, keygen, path+".pub", i)
					if pass != "" {
						lockedWell(t, data)
					}
				})
			}
		}
	}
}

func sameFingerprints(t *testing.T, keygen, path string, i Item) {
	t.Helper()
	f := KeyFingerprints(i.Public)
	for algorithm, got := range map[string]string{"sha256": f.SSH, "md5": f.SSHMD5} {
		want := strings.Fields(server.Run(t, keygen, "-l", "-E", algorithm, "-f", path))[1]
		if got != want {
			t.Errorf("%s, ssh-keygen says %s", got, want)
		}
	}
	public := load(t, path)
	again := mustRead(t, public, connectors.Secret{})[0]
	if Identify(public) != PublicKey || !Same(again.Public, i.Public) || again.Name != "alice@practice" {
		t.Errorf("the public half reads as %+v", again)
	}
	if line := SSHLine(i.Public, "alice@practice"); line != strings.TrimSpace(string(public)) {
		t.Errorf("written as %q", line)
	}
	ssh2 := server.Run(t, keygen, "-e", "-m", "RFC4716", "-f", path)
	if items := mustRead(t, []byte(ssh2), connectors.Secret{}); Identify([]byte(ssh2)) != PublicKey || !Same(items[0].Public, i.Public) {
		t.Error("SSH2's form reads differently")
	}
}

// Keys as puttygen writes them.
func TestKeysOfPuTTY(t *testing.T) {
	puttygen, keygen, dir := server.Program(t, "puttygen", "putty-tools"), server.Program(t, "ssh-keygen", "openssh-client"), t.TempDir()
	passFile := server.WriteFile(t, dir, "pass", phrase, 0o600)
	empty := server.WriteFile(t, dir, "empty", "", 0o600)
	for kind, bits := range map[string]string{"rsa": "2048", "ecdsa": "256", "ed25519": "256", "dsa": "1024"} {
		from := filepath.Join(dir, kind)
		server.Run(t, keygen, "-q", "-t", kind, "-b", bits, "-N", "", "-C", "bob@practice", "-f", from)
		for _, version := range []string{"2", "3"} {
			for _, pass := range []string{empty, passFile} {
				t.Run(kind+" "+version+" "+filepath.Base(pass), func(t *testing.T) {
					path := from + version + filepath.Base(pass) + ".ppk"
					server.Run(t, puttygen, from, "-O", "private", "-o", path, "--ppk-param", "version="+version+",memory=1024", "--new-passphrase", pass)
					data, secret := load(t, path), connectors.Secret{}
					if pass == passFile {
						secret = locked
						lockedWell(t, data)
					}
					i := mustRead(t, data, secret)[0]
					if i.Err != nil || i.Private == nil || i.Name != "bob@practice" || i.Format != "PuTTY version "+version {
						t.Fatalf("%+v: %v", i, i.Err)
					}
					if public := mustRead(t, load(t, from+".pub"), connectors.Secret{})[0].Public; !Same(public, i.Public) {
						t.Error("another key")
					}
					if crlf := mustRead(t, []byte(strings.ReplaceAll(string(data), "\n", "\r\n")), secret)[0]; crlf.Err != nil {
						t.Errorf("with Windows' line ends: %v", crlf.Err)
					}
				})
			}
		}
	}
}

// Keys as OpenSSL writes them, in every cipher that it has for them.
func TestKeysOfOpenSSL(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, args := range map[string][]string{
		"rsa": {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"}, "ec": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		"p521": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"}, "ed25519": {"-algorithm", "ED25519"}, "x25519": {"-algorithm", "X25519"},
	} {
		server.Run(t, openssl, append([]string{"genpkey", "-out", at(name)}, args...)...)
		der := output(t, nil, openssl, "pkey", "-in", at(name), "-pubout", "-outform", "DER")
		sum := sha256.Sum256([]byte(der))
		check := func(t *testing.T, data []byte, pass connectors.Secret) {
			t.Helper()
			i := mustRead(t, data, pass)[0]
			if i.Err != nil || KeyFingerprints(i.Public).SPKI != base64.StdEncoding.EncodeToString(sum[:]) {
				t.Errorf("%+v: %v", i, i.Err)
			}
		}
		t.Run(name, func(t *testing.T) {
			check(t, load(t, at(name)), connectors.Secret{})
			check(t, []byte(der), connectors.Secret{})
			plain := []byte(output(t, nil, openssl, "pkey", "-in", at(name), "-outform", "DER"))
			check(t, plain, connectors.Secret{})
			check(t, []byte(base64.StdEncoding.EncodeToString(plain)), connectors.Secret{})
		})
		if name == "x25519" {
			continue
		}
		for _, cipher := range [][]string{{"-v2", "aes-256-cbc"}, {"-v2", "aes-128-cbc"}, {"-v2", "des3"}, {"-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA1"}, {"-scrypt", "-scrypt_N", "1024"}} {
			t.Run(name+" "+strings.Join(cipher, " "), func(t *testing.T) {
				server.Run(t, openssl, append([]string{"pkcs8", "-topk8", "-in", at(name), "-out", at("locked"), "-passout", "pass:" + phrase}, cipher...)...)
				check(t, load(t, at("locked")), locked)
				lockedWell(t, load(t, at("locked")))
				server.Run(t, openssl, append([]string{"pkcs8", "-topk8", "-in", at(name), "-outform", "DER", "-out", at("der"), "-passout", "pass:" + phrase}, cipher...)...)
				check(t, load(t, at("der")), locked)
			})
		}
		for _, cipher := range []string{"-aes128", "-aes256", "-des3"} {
			if name == "ed25519" {
				break
			}
			t.Run(name+" old "+cipher, func(t *testing.T) {
				server.Run(t, openssl, "pkey", "-traditional", "-in", at(name), "-out", at("locked"), "-passout", "pass:"+phrase, cipher)
				data := load(t, at("locked"))
				check(t, data, locked)
				lockedWell(t, data)
				check(t, []byte(strings.ReplaceAll(string(data), "\n", " ")), locked)
			})
		}
	}
}

// Kinds that are recognized and cannot be used, each with its name.
func TestForeignKindsAreNamed(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	for name, args := range map[string][]string{
		"Ed448": {"-algorithm", "ED448"}, "EC secp256k1": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"},
		"EC brainpoolP256r1": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"}, "RSA for PSS alone": {"-algorithm", "RSA-PSS"},
	} {
		path := filepath.Join(dir, "k")
		server.Run(t, openssl, append([]string{"genpkey", "-out", path}, args...)...)
		if i := mustRead(t, load(t, path), connectors.Secret{})[0]; reason(i.Err) != "keys.kind" || i.Algorithm != name {
			t.Errorf("%s: %s, %s", name, i.Algorithm, reason(i.Err))
		}
		public := output(t, nil, openssl, "pkey", "-in", path, "-pubout")
		if i := mustRead(t, []byte(public), connectors.Secret{})[0]; i.Kind != PublicKey || i.Algorithm != name {
			t.Errorf("%s, public half: %+v", name, i)
		}
	}
}

package keys

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// opens checks that data is opened with the passphrase to the same key as plain.
func opens(t *testing.T, data, plain []byte) {
	t.Helper()
	i := mustRead(t, data, locked)[0]
	want := mustRead(t, plain, connectors.Secret{})[0]
	if i.Err != nil || i.Private == nil || i.Locked == "" || !Same(i.Public, want.Public) {
		t.Fatalf("%+v: %v", i, i.Err)
	}
	lockedWell(t, data)
}

// Every cipher that ssh-keygen offers, with few and with many rounds.
func TestMatrixOfSSHKeygensCiphers(t *testing.T) {
	keygen, dir := server.Program(t, "ssh-keygen", "openssh-client"), t.TempDir()
	plain := filepath.Join(dir, "plain")
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-C", "practice", "-f", plain)
	for n, cipher := range []string{"3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-ctr", "aes192-ctr", "aes256-ctr",
		"aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"} {
		t.Run(cipher, func(t *testing.T) {
			path := filepath.Join(dir, "k"+string(rune('a'+n)))
			server.WriteFile(t, dir, filepath.Base(path), string(load(t, plain)), 0o600)
			server.Run(t, keygen, "-q", "-p", "-P", "", "-N", phrase, "-a", []string{"1", "2", "6"}[n%3], "-Z", cipher, "-f", path)
			opens(t, load(t, path), load(t, plain))
			if i := mustRead(t, load(t, path), locked)[0]; !strings.HasPrefix(i.Locked, cipher) || i.Name != "practice" {
				t.Errorf("%q, %q", i.Locked, i.Name)
			}
		})
	}
}

func TestMatrixOfPuTTYsDerivations(t *testing.T) {
	puttygen, keygen, dir := server.Program(t, "puttygen", "putty-tools"), server.Program(t, "ssh-keygen", "openssh-client"), t.TempDir()
	plain, path := filepath.Join(dir, "plain"), filepath.Join(dir, "k.ppk")
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", plain)
	pass := server.WriteFile(t, dir, "pass", phrase, 0o600)
	for _, kdf := range []string{"argon2id", "argon2i", "argon2d"} {
		for _, more := range []string{"memory=1024,passes=1", "memory=1000,passes=3,parallelism=3", "memory=64,passes=2,parallelism=2"} {
			t.Run(kdf+" "+more, func(t *testing.T) {
				server.Run(t, puttygen, plain, "-O", "private", "-o", path, "--ppk-param", "version=3,kdf="+kdf+","+more, "--new-passphrase", pass)
				opens(t, load(t, path), load(t, plain))
			})
		}
	}
}

// The schemes for PKCS#8 that OpenSSL offers, and its old ciphers for PEM.
func TestMatrixOfOpenSSLsCiphers(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	plain, path := filepath.Join(dir, "plain"), filepath.Join(dir, "locked")
	server.Run(t, openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", plain)
	legacy := []string{"-provider", "legacy", "-provider", "default"}
	cases := [][]string{{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA224"}, {"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA384"}, {"-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA512"},
		{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512-256"}, {"-scrypt"}, {"-scrypt", "-scrypt_N", "1024", "-scrypt_r", "4", "-scrypt_p", "3"},
		append([]string{"-v2", "des-cbc"}, legacy...), append([]string{"-v2", "rc2-cbc"}, legacy...), append([]string{"-v2", "rc2-40-cbc"}, legacy...)}
	for _, scheme := range []string{"PBE-MD5-DES", "PBE-SHA1-DES", "PBE-SHA1-3DES", "PBE-SHA1-2DES", "PBE-SHA1-RC2-40", "PBE-SHA1-RC2-128", "PBE-SHA1-RC4-128", "PBE-SHA1-RC4-40", "PBE-MD5-RC2-64", "PBE-SHA1-RC2-64"} {
		cases = append(cases, append([]string{"-v1", scheme}, legacy...))
	}
	for _, args := range cases {
		t.Run(strings.Join(args[:2-len(args)%2], " ")+" "+args[len(args)-1], func(t *testing.T) {
			server.Run(t, openssl, append([]string{"pkcs8", "-topk8", "-in", plain, "-out", path, "-passout", "pass:" + phrase}, args...)...)
			opens(t, load(t, path), load(t, plain))
		})
	}
	for _, cipher := range []string{"-des3", "-aes128", "-aes192", "-aes256"} {
		t.Run("genrsa "+cipher, func(t *testing.T) {
			server.Run(t, openssl, "rsa", "-traditional", "-in", plain, "-out", path, "-passout", "pass:"+phrase, cipher)
			opens(t, load(t, path), load(t, plain))
		})
	}
}

// A key of a kind that is not known is told from a wrong passphrase.
func TestAWrongPassphraseIsNoForeignKind(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	path := filepath.Join(dir, "k")
	server.Run(t, openssl, "genpkey", "-algorithm", "ED448", "-out", path, "-aes256", "-pass", "pass:"+phrase)
	if i := mustRead(t, load(t, path), locked)[0]; reason(i.Err) != "keys.kind" || i.Algorithm != "Ed448" {
		t.Errorf("%s %s", i.Algorithm, reason(i.Err))
	}
	lockedWell(t, load(t, path))
}

// Two private keys in one PFX, as openssl writes them out of a store of keytool's.
func TestPFXWithSeveralKeys(t *testing.T) {
	keytool, dir := server.Program(t, "keytool", "default-jre-headless"), t.TempDir()
	path := filepath.Join(dir, "two.p12")
	for _, name := range []string{"practice-one", "practice-two"} {
		server.Run(t, keytool, "-genkeypair", "-alias", name, "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN="+name, "-keystore", path, "-storetype", "pkcs12", "-storepass", phrase)
	}
	server.Run(t, keytool, "-genseckey", "-alias", "practice-secret", "-keyalg", "AES", "-keysize", "256", "-keystore", path, "-storetype", "pkcs12", "-storepass", phrase)
	data := load(t, path)
	items := mustRead(t, data, locked)
	var names []string
	for _, i := range items {
		names = append(names, string(i.Kind)+" "+i.Name)
		if i.Err != nil {
			t.Errorf("%s: %v", i.Name, i.Err)
		}
	}
	if got := strings.Join(names, ", "); got != "private_key practice-one, private_key practice-two, shared_key practice-secret, certificate practice-one, certificate practice-two" {
		t.Error(got)
	}
	lockedWell(t, data)
}

// JCEKS holds secret keys too, and protects private ones in a way of its own.
func TestJCEKSOfKeytool(t *testing.T) {
	keytool, dir := server.Program(t, "keytool", "default-jre-headless"), t.TempDir()
	path := filepath.Join(dir, "jceks")
	at := []string{"-keystore", path, "-storetype", "jceks", "-storepass", phrase}
	server.Run(t, keytool, append([]string{"-genseckey", "-alias", "practice-aes", "-keyalg", "AES", "-keysize", "256"}, at...)...)
	server.Run(t, keytool, append([]string{"-genkeypair", "-alias", "practice-rsa", "-keyalg", "RSA", "-keysize", "2048", "-dname", "CN=practice"}, at...)...)
	server.Run(t, keytool, append([]string{"-genseckey", "-alias", "practice-own", "-keyalg", "HmacSHA256", "-keysize", "256", "-keypass", "practice-only-other"}, at...)...)
	data := load(t, path)
	got := map[string]Item{}
	for _, i := range mustRead(t, data, locked) {
		if i.Kind != Certificate {
			got[i.Name] = i
		}
	}
	if i := got["practice-aes"]; i.Err != nil || i.Algorithm != "AES" || i.Bits != 256 || i.Private == nil {
		t.Errorf("%+v: %v", i, i.Err)
	}
	if i := got["practice-rsa"]; i.Err != nil || i.Bits != 2048 || i.Locked == "" {
		t.Errorf("%+v: %v", i, i.Err)
	}
	if i := got["practice-own"]; reason(i.Err) != "keys.entry_password" {
		t.Errorf("%+v: %v", i, i.Err)
	}
	lockedWell(t, data)
	_, _, err := Read(append(data[:len(data)-1:len(data)-1], data[len(data)-1]^1), locked)
	if reason(err) != "keys.passphrase_wrong" {
		t.Error(reason(err))
	}
}

func TestKnownHostsOfOpenSSH(t *testing.T) {
	keygen, dir := server.Program(t, "ssh-keygen", "openssh-client"), t.TempDir()
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "k"))
	key := strings.Join(strings.Fields(string(load(t, filepath.Join(dir, "k.pub"))))[:2], " ")
	plain := "[files.example.com]:2222,10.0.0.5 " + key + " practice\n@cert-authority *.example.com " + key + "\n@revoked old.example.com " + key + "\n"
	path := server.WriteFile(t, dir, "known_hosts", plain, 0o600)
	items := mustRead(t, []byte(plain), connectors.Secret{})
	if len(items) != 3 || items[0].Name != "[files.example.com]:2222, 10.0.0.5" || items[1].Host.Marker != "cert-authority" || items[2].Host.Marker != "revoked" || items[0].Algorithm != "Ed25519" {
		t.Fatalf("%+v", items)
	}
	server.Run(t, keygen, "-q", "-H", "-f", path)
	items = mustRead(t, load(t, path), connectors.Secret{})
	if Identify(load(t, path)) != KnownHosts || !items[0].Host.Hashed || strings.Contains(items[0].Name, "example") {
		t.Errorf("%+v", items[0])
	}
}

func TestKeysOfAge(t *testing.T) {
	keygen := server.Program(t, "age-keygen", "age")
	text := output(t, nil, keygen)
	items := mustRead(t, []byte(text), connectors.Secret{})
	if len(items) != 1 || items[0].Private == nil || items[0].Created.IsZero() || !strings.Contains(text, "# public key: "+items[0].Name) {
		t.Fatalf("%+v", items)
	}
	again := mustRead(t, []byte(items[0].Name), connectors.Secret{})
	if len(again) != 1 || again[0].Private != nil || again[0].Kind != Age {
		t.Errorf("%+v", again)
	}
}

// The forms of AWS's documentation.
func TestKeyFilesOfAWSDocsShaped(t *testing.T) {
	const id, hidden = "AKIAPRACTICEONLY0000", "practice-only-secret-access-key"
	for name, c := range map[string]struct{ text, profile, format string }{
		"credentials": {"[default]\naws_access_key_id = " + id + "\naws_secret_access_key = " + hidden + "\n", "default", "AWS credentials file"},
		"environment": {"export AWS_ACCESS_KEY_ID=" + id + "\nexport AWS_SECRET_ACCESS_KEY=\"" + hidden + "\"\n", "", "AWS environment variables"},
		"PowerShell":  {"$Env:AWS_ACCESS_KEY_ID=\"" + id + "\"\n$Env:AWS_SECRET_ACCESS_KEY=\"" + hidden + "\"\n", "", "AWS environment variables"},
		"console":     {"\ufeffAccess key ID,Secret access key\r\n" + id + "," + hidden + "\r\n", "", "AWS access keys (CSV)"},
		"old console": {"User name,Password,Access key ID,Secret access key,Console login link\nalice,," + id + "," + hidden + ",https://example.com\n", "alice", "AWS access keys (CSV)"},
	} {
		items := mustRead(t, []byte(c.text), connectors.Secret{})
		if len(items) != 1 || items[0].Format != c.format || items[0].AWS.AccessKeyID != id || items[0].AWS.Profile != c.profile || items[0].Private == nil || Identify([]byte(c.text)) != AWS {
			t.Errorf("%s: %+v", name, items)
		}
		r, err := Inspect([]byte(c.text), Options{})
		if err != nil || strings.Contains(strings.Join(texts(r), " "), hidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRequestsAndListsOfOpenSSL(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	server.Run(t, openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("ca.key"), "-out", at("ca.crt"), "-subj", "/CN=practice ca", "-days", "90")
	csr := output(t, nil, openssl, "req", "-new", "-key", at("ca.key"), "-subj", "/CN=practice", "-addext", "subjectAltName=DNS:www.practice.example,IP:10.0.0.7")
	i := mustRead(t, []byte(csr), connectors.Secret{})[0]
	if got := strings.Join(RequestNames(i.Request), " "); got != "www.practice.example 10.0.0.7" {
		t.Error(got)
	}
	server.WriteFile(t, dir, "index", "", 0o600)
	server.WriteFile(t, dir, "number", "01\n", 0o600)
	conf := server.WriteFile(t, dir, "conf", "[ca]\ndefault_ca=d\n[d]\ndatabase="+at("index")+"\ncrlnumber="+at("number")+"\ndefault_md=sha256\ndefault_crl_days=30\n", 0o600)
	server.Run(t, openssl, "ca", "-gencrl", "-config", conf, "-keyfile", at("ca.key"), "-cert", at("ca.crt"), "-out", at("crl"))
	for _, form := range [][]byte{load(t, at("crl")), []byte(output(t, nil, openssl, "crl", "-in", at("crl"), "-outform", "DER")), []byte(base64.StdEncoding.EncodeToString([]byte(output(t, nil, openssl, "crl", "-in", at("crl"), "-outform", "DER"))))} {
		if i := mustRead(t, form, connectors.Secret{})[0]; i.Kind != Revocations || i.Name != "CN=practice ca" || Identify(form) != Revocations {
			t.Errorf("%+v", i)
		}
	}
}

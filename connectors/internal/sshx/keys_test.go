package sshx

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/answers"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

const phrase = "practice phrase"

// made is a key file and what has to be known of it.
type made struct {
	name   string
	locked bool
}

// everyKey makes keys of every kind in every form, with the programs that people
// make them with.
func everyKey(t *testing.T, dir string) []made {
	t.Helper()
	keygen := server.Program(t, "ssh-keygen", "openssh-client")
	openssl := server.Program(t, "openssl", "openssl")
	puttygen := server.Program(t, "puttygen", "putty-tools")
	pass := server.WriteFile(t, dir, "pass", phrase, 0o600)
	file := func(name string) string { return filepath.Join(dir, name) }
	var out []made
	for _, kind := range [][]string{{"rsa", "-b", "2048"}, {"dsa"}, {"ecdsa", "-b", "256"}, {"ecdsa", "-b", "384"}, {"ecdsa", "-b", "521"}, {"ed25519"}} {
		name := strings.Join(kind, "")
		add := func(form string, locked bool) string {
			out = append(out, made{name + form, locked})
			return file(name + form)
		}
		generate := func(to, phrase string, more ...string) {
			args := append([]string{"-q", "-t", kind[0], "-N", phrase, "-C", "practice", "-f", to}, kind[1:]...)
			server.Run(t, keygen, append(args, more...)...)
		}
		plain := file(name + ".openssh")
		generate(plain, "")
		add(".openssh", false)
		generate(add(".openssh.locked", true), phrase)
		for _, v := range []string{"2", "3"} {
			server.Run(t, puttygen, plain, "-O", "private", "-C", "", "--ppk-param", "version="+v, "-o", add(".ppk"+v, false))
			server.Run(t, puttygen, plain, "-O", "private", "--ppk-param", "version="+v, "--new-passphrase", pass, "-o", add(".ppk"+v+".locked", true))
		}
		if kind[0] == "ed25519" {
			server.Run(t, openssl, "genpkey", "-algorithm", "ed25519", "-out", add(".pkcs8", false))
		} else {
			generate(add(".pem", false), "", "-m", "PEM")
			generate(add(".pem.locked", true), phrase, "-m", "PEM")
		}
		if kind[0] == "dsa" {
			continue
		}
		from := map[bool]string{true: ".pkcs8", false: ".pem"}[kind[0] == "ed25519"]
		server.Run(t, openssl, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", file(name+from), "-out", add(".pkcs8.locked", true), "-passout", "file:"+pass)
	}
	for _, c := range []string{"aes128-cbc", "aes192-ctr", "3des-cbc", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com"} {
		server.Run(t, keygen, "-q", "-t", "ed25519", "-N", phrase, "-Z", c, "-f", file(c))
		out = append(out, made{c, true})
	}
	for name, how := range map[string][]string{
		"PBES1 with 3DES": {"-v1", "PBE-SHA1-3DES"}, "PBES1 with 2-key 3DES": {"-v1", "PBE-SHA1-2DES"}, "scrypt": {"-scrypt"}, "SHA-224": {"-v2prf", "hmacWithSHA224"}, "SHA-384": {"-v2prf", "hmacWithSHA384"}, "SHA-512": {"-v2prf", "hmacWithSHA512"},
	} {
		args := append([]string{"pkcs8", "-topk8", "-in", file("rsa-b2048.pem"), "-passout", "file:" + pass, "-out", file(name)}, how...)
		server.Run(t, openssl, args...)
		out = append(out, made{name, true})
	}
	for _, kdf := range []string{"Argon2d", "Argon2i", "Argon2id"} {
		server.Run(t, puttygen, file("ed25519.openssh"), "-O", "private", "--ppk-param", "kdf="+kdf+",memory=4096,passes=3,parallelism=2", "--new-passphrase", pass, "-o", file(kdf))
		out = append(out, made{kdf, true})
	}
	return out
}

func reasonOf(err error) string {
	if e := connectors.Classify(err); e != nil {
		return e.Reason + " " + e.Field
	}
	return ""
}

func TestKeysOfEveryForm(t *testing.T) {
	dir := t.TempDir()
	for _, m := range everyKey(t, dir) {
		text := answers.TidyPEM(read(t, filepath.Join(dir, m.name)))
		key, right := connectors.NewSecret(text), connectors.NewSecret(phrase)
		whole, err := Signer(key, right)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		for how, pasted := range map[string]string{
			"literal \\n": strings.ReplaceAll(text, "\n", `\n`), "spaces": strings.ReplaceAll(strings.TrimSpace(text), "\n", " "), "CR LF": strings.ReplaceAll(text, "\n", "\r\n"),
			"base64": base64.StdEncoding.EncodeToString([]byte(text)),
		} {
			if how == "base64" && !strings.HasPrefix(text, "PuTTY") {
				continue
			}
			tidied := answers.TidyPEM(pasted)
			if tidied == text { // the same text is the same key
				continue
			}
			again, err := Signer(connectors.NewSecret(tidied), right)
			if err != nil || string(again.PublicKey().Marshal()) != string(whole.PublicKey().Marshal()) {
				t.Errorf("%s pasted with %s: %v", m.name, how, err)
			}
		}
		_, missing := Signer(key, connectors.Secret{})
		_, wrong := Signer(key, connectors.NewSecret("another"))
		switch {
		case !m.locked && missing != nil:
			t.Errorf("%s: %v", m.name, missing)
		case m.locked && reasonOf(missing) != "ssh.passphrase_needed passphrase":
			t.Errorf("%s without its passphrase: %v", m.name, missing)
		case m.locked && reasonOf(wrong) != "ssh.passphrase_wrong passphrase":
			t.Errorf("%s with a wrong passphrase: %v", m.name, wrong)
		}
	}
}

func TestWhatIsNoKeySaysWhat(t *testing.T) {
	dir := t.TempDir()
	keygen, puttygen := server.Program(t, "ssh-keygen", "openssh-client"), server.Program(t, "puttygen", "putty-tools")
	openssl := server.Program(t, "openssl", "openssl")
	file := func(name string) string { return filepath.Join(dir, name) }
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", file("k"))
	server.Run(t, keygen, "-q", "-s", file("k"), "-I", "x", "-n", "y", file("k.pub"))
	server.Run(t, puttygen, file("k"), "-O", "public", "-o", file("ssh2"))
	server.Run(t, puttygen, "-t", "ed448", "-O", "private", "--new-passphrase", "/dev/null", "-o", file("ed448"))
	server.Run(t, openssl, "genpkey", "-algorithm", "RSA", "-outform", "DER", "-out", file("der"))
	server.Run(t, openssl, "pkey", "-in", file("der"), "-inform", "DER", "-pubout", "-out", file("pkix"))
	for text, want := range map[string]string{
		read(t, file("k.pub")): "ssh.public_key key", read(t, file("ssh2")): "ssh.public_key key", read(t, file("pkix")): "ssh.public_key key",
		read(t, file("k-cert.pub")): "ssh.certificate key", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n": "ssh.certificate key",
		read(t, file("ed448")): "ssh.key_kind key", "hello": "ssh.not_a_key key", strings.Repeat("A", maxKey+1): "ssh.not_a_key key",
		strings.SplitN(read(t, file("ed448")), "Private-Lines", 2)[0]: "ssh.not_a_key key",
		connectors.FileText([]byte(read(t, file("der")))):             "",
	} {
		_, err := Signer(connectors.NewSecret(text), connectors.Secret{})
		if got := reasonOf(err); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}

// A lock that is not read is no wrong passphrase, whatever the passphrase is.
func TestAnUnknownLockIsNoWrongPassphrase(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "k")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", phrase, "-Z", "aes256-cbc", "-f", name)
	block, _ := pem.Decode([]byte(read(t, name)))
	unknown := strings.Replace(string(block.Bytes), "aes256-cbc", "aes256-xyz", 1)
	block.Bytes = []byte(unknown)
	ppk := strings.Replace(ppk("8192", "13", "1"), "aes256-cbc", "aes256-xyz", 1)
	for _, text := range []string{string(pem.EncodeToMemory(block)), ppk} {
		for _, pass := range []string{phrase, "another"} {
			_, err := Signer(connectors.NewSecret(text), connectors.NewSecret(pass))
			if e := connectors.Classify(err); reasonOf(err) != "ssh.key_cipher key" || e.Said != "aes256-xyz" {
				t.Errorf("%.20q: %v", text, err)
			}
		}
	}
}

// costlyOpenSSH is a key in OpenSSH's format whose bcrypt rounds are 2³²−1.
func costlyOpenSSH(t *testing.T, dir string) string {
	t.Helper()
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "practice phrase", "-a", "16", "-f", filepath.Join(dir, "k"))
	block, _ := pem.Decode([]byte(read(t, filepath.Join(dir, "k"))))
	rounds := []byte{0, 0, 0, 16, 0, 0, 0, 1} // rounds, then the number of keys
	i := strings.Index(string(block.Bytes), string(rounds))
	if i < 0 {
		t.Fatal("the rounds are not where they are expected")
	}
	binary.BigEndian.PutUint32(block.Bytes[i:], 1<<32-1)
	return string(pem.EncodeToMemory(block))
}

// costlyPKCS8 is an encrypted key that asks for 2³¹−1 iterations, and is sound
// in everything else.
func costlyPKCS8(t *testing.T, dir string) string {
	t.Helper()
	openssl := server.Program(t, "openssl", "openssl")
	server.Run(t, openssl, "genpkey", "-algorithm", "ed25519", "-out", filepath.Join(dir, "plain"))
	server.Run(t, openssl, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", filepath.Join(dir, "plain"), "-out", filepath.Join(dir, "p8"), "-passout", "pass:practice")
	block, _ := pem.Decode([]byte(read(t, filepath.Join(dir, "p8"))))
	type algorithm struct {
		ID     asn1.ObjectIdentifier
		Params asn1.RawValue
	}
	type kdfParams struct {
		Salt       []byte
		Iterations int64
		PRF        asn1.RawValue
	}
	var info struct {
		Algorithm algorithm
		Data      []byte
	}
	var pbes2 struct{ KDF, Cipher algorithm }
	var kdf kdfParams
	unmarshal := func(der []byte, v any) {
		if rest, err := asn1.Unmarshal(der, v); err != nil || len(rest) > 0 {
			t.Fatalf("%v, %d bytes left", err, len(rest))
		}
	}
	unmarshal(block.Bytes, &info)
	unmarshal(info.Algorithm.Params.FullBytes, &pbes2)
	unmarshal(pbes2.KDF.Params.FullBytes, &kdf)
	marshal := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	written := func(iterations int64) string {
		kdf.Iterations = iterations
		pbes2.KDF.Params = asn1.RawValue{FullBytes: marshal(kdf)}
		info.Algorithm.Params = asn1.RawValue{FullBytes: marshal(pbes2)}
		return string(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: marshal(info)}))
	}
	if _, err := Signer(connectors.NewSecret(written(kdf.Iterations)), connectors.NewSecret("practice")); err != nil {
		t.Fatalf("written again it does not open: %v", err)
	}
	return written(1<<31 - 1)
}

// ppk is a PuTTY file of version 3 with these numbers for its derivation.
func ppk(memory, passes, threads string) string {
	return "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: x\nPublic-Lines: 2\nAAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAA\nKey-Derivation: Argon2id\nArgon2-Memory: " + memory +
		"\nArgon2-Passes: " + passes + "\nArgon2-Parallelism: " + threads + "\nArgon2-Salt: 00000000000000000000000000000000\nPrivate-Lines: 1\n" +
		base64.StdEncoding.EncodeToString(make([]byte, 48)) + "\nPrivate-MAC: " + strings.Repeat("0", 64) + "\n"
}

func TestSecurity50_KeyParsersAreBounded(t *testing.T) {
	dir := t.TempDir()
	const costly, broken = "ssh.key_too_costly key", "ssh.not_a_key key"
	for name, c := range map[string]struct{ key, want string }{
		"bcrypt rounds": {costlyOpenSSH(t, dir), costly}, "iterations": {costlyPKCS8(t, dir), costly},
		"Argon2 memory": {ppk("4000000000", "13", "1"), costly}, "a gigabyte": {ppk("1048576", "1", "1"), costly},
		"negative memory": {ppk("-1", "1", "1"), broken}, "passes": {ppk("8192", "9999", "1"), costly}, "negative passes": {ppk("8", "-1", "1"), broken},
		"little memory, many passes": {ppk("8", "4000000000", "1"), costly}, "threads": {ppk("8192", "1", "255"), costly},
		"usual":      {ppk("8192", "13", "1"), "ssh.passphrase_wrong passphrase"},
		"a megabyte": {"-----BEGIN OPENSSH PRIVATE KEY-----\n" + strings.Repeat("AAAA", 1<<18), broken}, "PEM in PEM": {strings.Repeat("-----BEGIN RSA PRIVATE KEY-----\n", 1000), broken},
	} {
		if _, err := Signer(connectors.NewSecret(c.key), connectors.NewSecret("practice")); reasonOf(err) != c.want {
			t.Errorf("%s: %q, want %q", name, reasonOf(err), c.want)
		}
	}
}

// The library that reads PuTTY files trusts the lengths in them.
func TestSecurity50_PuTTYFilesWithPartsThatDoNotFit(t *testing.T) {
	str := func(parts ...string) string {
		var b []byte
		for _, p := range parts {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
		}
		return string(b)
	}
	const kind = "ecdsa-sha2-nistp256"
	for name, c := range map[string]struct{ public, private string }{
		"no point":    {str(kind, "nistp256", ""), str("\x01")},
		"short point": {str(kind, "nistp256", "\x04"), str("\x01")},
		"long length": {"\xff\xff\xff\xff", str("\x01")},
		"long secret": {str(kind, "nistp256", "\x04"+strings.Repeat("\x01", 64)), "\x7f\xff\xff\xff"},
		"nothing":     {"", ""},
	} {
		mac := hmac.New(sha256.New, nil) // version 3, not encrypted: the MAC's key is empty
		if _, err := io.WriteString(mac, str(kind, "none", "x", c.public, c.private)); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("PuTTY-User-Key-File-3: %s\nEncryption: none\nComment: x\nPublic-Lines: 1\n%s\nPrivate-Lines: 1\n%s\nPrivate-MAC: %x\n",
			kind, base64.StdEncoding.EncodeToString([]byte(c.public)), base64.StdEncoding.EncodeToString([]byte(c.private)), mac.Sum(nil))
		if len(c.public) > 48 {
			text = strings.Replace(text, "Public-Lines: 1", "Public-Lines: 3", 1)
			line := base64.StdEncoding.EncodeToString([]byte(c.public))
			text = strings.Replace(text, line, line[:64]+"\n"+line[64:128]+"\n"+line[128:], 1)
		}
		if _, err := Signer(connectors.NewSecret(text), connectors.Secret{}); reasonOf(err) != "ssh.not_a_key key" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSigner(f *testing.F) {
	f.Add("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n")
	f.Add("PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nComment: x\n")
	f.Fuzz(func(_ *testing.T, key string) {
		_, _ = Signer(connectors.NewSecret(key), connectors.NewSecret("x"))
	})
}

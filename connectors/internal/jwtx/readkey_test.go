package jwtx

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/keys"
)

const phrase = "practice phrase"

// A form is a key as some program writes it.
type form struct {
	name, text string
	locked     bool
	of         string // the name of the key that it holds
}

// bench makes keys with the programs that people make them with.
type bench struct {
	t                         *testing.T
	dir                       string
	openssl, keygen, puttygen string
	keys                      map[string]crypto.Signer // by kind: what OpenSSL's PKCS#8 holds
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), openssl: server.Program(t, "openssl", "openssl"), keygen: server.Program(t, "ssh-keygen", "openssh-client"), puttygen: server.Program(t, "puttygen", "putty-tools")}
	server.WriteFile(t, b.dir, "pass", phrase, 0o600)
	b.keys = map[string]crypto.Signer{}
	for _, method := range []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"} {
		key, err := ReadKey(read(t, keyFor(t, b.openssl, b.dir, method)), none)
		if err != nil {
			t.Fatal(err)
		}
		b.keys[method] = key
	}
	return b
}

func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

// made runs a program that writes the file name, and returns what it wrote.
func (b *bench) made(name, program string, args ...string) string {
	b.t.Helper()
	server.Run(b.t, program, args...)
	return read(b.t, b.file(name))
}

func (b *bench) openSSLForms() []form {
	pass := "file:" + b.file("pass")
	var out []form
	for _, kind := range []string{"RS256", "ES256", "ES512"} {
		in := b.file(kind + ".pem")
		out = append(out,
			form{kind + " PKCS#8", read(b.t, in), false, kind},
			form{kind + " PKCS#1 or SEC 1", b.made("trad", b.openssl, "pkey", "-in", in, "-traditional", "-out", b.file("trad")), false, kind},
			form{kind + " old encryption, AES", b.made("dek", b.openssl, "pkey", "-in", in, "-traditional", "-aes256", "-passout", pass, "-out", b.file("dek")), true, kind},
			form{kind + " old encryption, 3DES", b.made("dek3", b.openssl, "pkey", "-in", in, "-traditional", "-des3", "-passout", pass, "-out", b.file("dek3")), true, kind},
		)
	}
	for _, kind := range []string{"RS256", "ES384", "EdDSA"} {
		in := b.file(kind + ".pem")
		out = append(out,
			form{kind + " encrypted PKCS#8", b.made("p8", b.openssl, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", in, "-out", b.file("p8"), "-passout", pass), true, kind},
			form{kind + " encrypted PKCS#8, PBES1 with 3DES", b.made("p81", b.openssl, "pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES", "-in", in, "-out", b.file("p81"), "-passout", pass), true, kind},
			form{kind + " encrypted PKCS#8 with SHA-384", b.made("p84", b.openssl, "pkcs8", "-topk8", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA384", "-in", in, "-out", b.file("p84"), "-passout", pass), true, kind},
			form{kind + " encrypted PKCS#8 with scrypt", b.made("p8s", b.openssl, "pkcs8", "-topk8", "-scrypt", "-in", in, "-out", b.file("p8s"), "-passout", pass), true, kind},
		)
	}
	der := b.made("der", b.openssl, "pkey", "-in", b.file("EdDSA.pem"), "-outform", "DER", "-out", b.file("der"))
	parameters := b.made("params", b.openssl, "ecparam", "-name", "prime256v1", "-out", b.file("params"))
	trad := b.made("sec1", b.openssl, "pkey", "-in", b.file("ES256.pem"), "-traditional", "-out", b.file("sec1"))
	return append(out, form{"base64 of DER", base64.StdEncoding.EncodeToString([]byte(der)), false, "EdDSA"},
		form{"after EC PARAMETERS", parameters + trad, false, "ES256"})
}

func (b *bench) sshForms() []form {
	var out []form
	for _, kind := range []string{"RS256", "ES256", "ES384", "ES512", "EdDSA"} {
		text, err := ToPEM(b.keys[kind])
		if err != nil {
			b.t.Fatal(err)
		}
		// ssh-keygen reads no Ed25519 from PKCS#8; puttygen writes what OpenSSH does.
		in := server.WriteFile(b.t, b.dir, "in", text, 0o600)
		if kind == "EdDSA" {
			continue
		}
		for _, locked := range []bool{false, true} {
			new := ""
			if locked {
				new = phrase
			}
			server.Run(b.t, b.keygen, "-q", "-p", "-f", in, "-P", "", "-N", new)
			out = append(out, form{fmt.Sprintf("%s OpenSSH, locked %v", kind, locked), read(b.t, in), locked, kind})
		}
		server.Run(b.t, b.keygen, "-q", "-p", "-f", in, "-P", phrase, "-N", "")
		out = append(out, b.puttyForms(in, kind)...)
	}
	ed := b.made("ed", b.keygen, "-q", "-t", "ed25519", "-N", "", "-C", "practice", "-f", b.file("ed"))
	key, err := ReadKey(ed, none)
	if err != nil {
		b.t.Fatal(err)
	}
	b.keys["new Ed25519"] = key
	return append(out, b.puttyForms(b.file("ed"), "new Ed25519")...)
}

func (b *bench) puttyForms(in, kind string) []form {
	var out []form
	for _, version := range []string{"2", "3"} {
		plain, locked := b.file("plain.ppk"), b.file("locked.ppk")
		out = append(out,
			form{kind + " PPK " + version, b.made("plain.ppk", b.puttygen, in, "-O", "private", "--ppk-param", "version="+version, "-o", plain), false, kind},
			form{kind + " locked PPK " + version, b.made("locked.ppk", b.puttygen, in, "-O", "private", "--ppk-param", "version="+version, "--new-passphrase", b.file("pass"), "-o", locked), true, kind})
	}
	return out
}

func same(a, b crypto.Signer) bool {
	return a != nil && b != nil && keys.Same(a.Public(), b.Public())
}

// Every form in which people have keys, made by the programs that make them.
func TestKeysOfEveryForm(t *testing.T) {
	b := newBench(t)
	right, wrong := connectors.NewSecret(phrase), connectors.NewSecret("another")
	for _, f := range append(b.openSSLForms(), b.sshForms()...) {
		want := b.keys[f.of]
		if key, err := ReadKey(f.text, right); err != nil || !same(key, want) {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		if !f.locked {
			if key, err := ReadKey(f.text, none); err != nil || !same(key, want) {
				t.Errorf("%s without a passphrase: %v", f.name, err)
			}
			continue
		}
		_, err := ReadKey(f.text, none)
		wants(t, f.name, err, "jwt.passphrase_needed", fieldPassphrase, "")
		_, err = ReadKey(f.text, wrong)
		wants(t, f.name, err, "jwt.passphrase_wrong", fieldPassphrase, "")
	}
}

func TestJSONKeys(t *testing.T) {
	b := newBench(t)
	account, err := json.MarshalIndent(map[string]string{"type": "service_account", "project_id": "practice", "private_key": read(t, b.file("RS256.pem")), "client_email": "a@example.com"}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"as it is": string(account), "with a BOM": "\ufeff\n" + string(account),
		"after its \\n were tidied": strings.ReplaceAll(string(account), `\n`, "\n"),
	} {
		if key, err := ReadKey(text, none); err != nil || !same(key, b.keys["RS256"]) {
			t.Errorf("service account %s: %v", name, err)
		}
	}
	for kind, key := range b.keys {
		data, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{string(data), `{"keys":[` + string(data) + `]}`} {
			if got, err := ReadKey(text, none); err != nil || !same(got, key) {
				t.Errorf("JWK of %s: %v", kind, err)
			}
		}
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: b.keys["ES256"].Public()})
	if err != nil {
		t.Fatal(err)
	}
	for text, reason := range map[string]string{
		string(public): "jwt.public_key", `{"kty":"oct","k":"cHJhY3RpY2U"}`: "jwt.key_shared", `{"kty":"EC","crv":"P-256","d":"AA","x":"AA","y":"AA"}`: "jwt.not_a_key",
		`{"type":"authorized_user"}`: "jwt.key_json", `{"private_key":"practice"}`: "jwt.not_a_key", `{"keys":[{},{}]}`: "jwt.key_json", "{": "jwt.not_a_key",
		`{"kty":"RSA","x":"` + strings.Repeat("A", 16<<10) + `"}`: "jwt.key_large", `{"private_key":"{\"private_key\":\"x\"}"}`: "jwt.not_a_key",
	} {
		_, err := ReadKey(text, none)
		wants(t, text[:min(len(text), 40)], err, reason, fieldKey, "")
	}
}

func TestPastedKeysAreRepaired(t *testing.T) {
	b := newBench(t)
	text := read(t, b.file("RS256.pem"))
	for name, pasted := range map[string]string{
		"literal \\n": strings.ReplaceAll(text, "\n", `\n`), "quotes": `"` + strings.TrimSpace(text) + `"`, "a BOM": "\ufeff" + text, "CR LF": strings.ReplaceAll(text, "\n", "\r\n"),
		"indented": strings.ReplaceAll(text, "\n", "\n    "), "joined by spaces": strings.ReplaceAll(text, "\n", " "), "joined": strings.ReplaceAll(text, "\n", ""),
		"text before": "Bag Attributes\n    friendlyName: x\nKey Attributes: <No Attributes>\n" + text,
	} {
		if key, err := ReadKey(pasted, none); err != nil || !same(key, b.keys["RS256"]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	trad := b.made("trad", b.openssl, "pkey", "-in", b.file("RS256.pem"), "-traditional", "-out", b.file("trad"))
	for _, f := range b.puttyForms(server.WriteFile(t, b.dir, "trad", trad, 0o600), "RS256") {
		for name, pasted := range map[string]string{"tidied": answers.TidyPEM(f.text), "CR LF": strings.ReplaceAll(f.text, "\n", "\r\n"), "a BOM": "\ufeff" + f.text} {
			if key, err := ReadKey(pasted, connectors.NewSecret(phrase)); err != nil || !same(key, b.keys["RS256"]) {
				t.Errorf("%s, %s: %v", f.name, name, err)
			}
		}
	}
}

func TestToPEMIsWhatOpenSSLReads(t *testing.T) {
	b := newBench(t)
	for kind, key := range b.keys {
		text, err := ToPEM(key)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, "-----BEGIN PRIVATE KEY-----\n") || !strings.HasSuffix(text, "-----END PRIVATE KEY-----\n") {
			t.Errorf("%s: no PKCS#8", kind)
		}
		in := server.WriteFile(t, b.dir, "topem", text, 0o600)
		if back, err := ReadKey(b.made("back", b.openssl, "pkey", "-in", in, "-out", b.file("back")), none); err != nil || !same(back, key) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	_, err := ToPEM(nil)
	wants(t, "nothing", err, "jwt.key_kind", fieldKey, "")
}

func TestWhatIsNoPrivateKeySaysWhatItIs(t *testing.T) {
	b := newBench(t)
	server.Run(t, b.keygen, "-q", "-t", "ed25519", "-N", "", "-C", "practice", "-f", b.file("pair"))
	sshPublic := read(t, b.file("pair.pub"))
	server.Run(t, b.openssl, "pkey", "-in", b.file("RS256.pem"), "-pubout", "-outform", "DER", "-out", b.file("pub.der"))
	server.Run(t, b.openssl, "req", "-x509", "-key", b.file("RS256.pem"), "-subj", "/CN=practice-only", "-outform", "DER", "-out", b.file("cert.der"))
	locked := b.made("cipher", b.keygen, "-q", "-t", "ed25519", "-N", phrase, "-Z", "aes256-cbc", "-f", b.file("cipher"))
	block, _ := pem.Decode([]byte(locked))
	block.Bytes = bytes.Replace(block.Bytes, []byte("aes256-cbc"), []byte("aes256-xyz"), 1)
	server.Run(t, b.openssl, "dsaparam", "-genkey", "-noout", "-out", b.file("dsa"), "1024")
	for _, c := range []struct{ name, text, reason, said string }{
		{"an SSH public key", sshPublic, "jwt.public_key", ""},
		{"an SSH2 public key", "---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "jwt.public_key", ""},
		{"a public key as DER", base64.StdEncoding.EncodeToString([]byte(read(t, b.file("pub.der")))), "jwt.public_key", ""},
		{"a certificate as DER", base64.StdEncoding.EncodeToString([]byte(read(t, b.file("cert.der")))), "jwt.certificate", ""},
		{"an unknown encryption", string(pem.EncodeToMemory(block)), "jwt.key_cipher", "aes256-xyz"},
		{"DSA", read(t, b.file("dsa")), "jwt.key_kind", "DSA"},
		{"DSA in its own form", b.made("dsa1", b.openssl, "pkey", "-in", b.file("dsa"), "-traditional", "-out", b.file("dsa1")), "jwt.key_kind", "DSA"},
		{"Ed448", b.made("ed448", b.openssl, "genpkey", "-algorithm", "ed448", "-out", b.file("ed448")), "jwt.key_kind", "Ed448"},
		{"RSA for PSS", b.made("pss", b.openssl, "genpkey", "-algorithm", "RSA-PSS", "-out", b.file("pss")), "jwt.key_kind", "PSS"},
		{"secp256k1", b.made("k1", b.openssl, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1", "-out", b.file("k1")), "jwt.key_kind", "secp256k1"},
		{"a request", "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n", "jwt.not_a_key", ""},
		{"half a key", read(t, b.file("RS256.pem"))[:300], "jwt.not_a_key", ""},
		{"a damaged key", "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "jwt.not_a_key", ""},
		{"a damaged encrypted key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n", "jwt.not_a_key", ""},
		{"a damaged OpenSSH key", "-----BEGIN OPENSSH PRIVATE KEY-----\nMAA=\n-----END OPENSSH PRIVATE KEY-----\n", "jwt.not_a_key", ""},
		{"a damaged PPK", "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\n", "jwt.not_a_key", ""},
		{"base64 of nothing", "AAAA", "jwt.not_a_key", ""},
	} {
		_, err := ReadKey(c.text, connectors.NewSecret("x"))
		wants(t, c.name, err, c.reason, fieldKey, c.said)
	}
}

// ppkLocked is a PPK file whose derivation asks for as much as the lines say.
func ppkLocked(memory, passes, threads string) string {
	public := base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + strings.Repeat("\x01", 32)))
	return "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: x\nPublic-Lines: 2\n" + public[:64] + "\n" + public[64:] +
		"\nKey-Derivation: Argon2id\nArgon2-Memory: " + memory + "\nArgon2-Passes: " + passes + "\nArgon2-Parallelism: " + threads + "\nArgon2-Salt: 00000000000000000000000000000000\nPrivate-Lines: 1\n" +
		base64.StdEncoding.EncodeToString(make([]byte, 48)) + "\nPrivate-MAC: " + strings.Repeat("0", 64) + "\n"
}

// armoured is a PKCS#1 key of long random numbers whose modulus is the product
// of its factors, so that parsers begin to calculate with them.
func armoured(t *testing.T, bytesOfModulus int) string {
	t.Helper()
	long := func(n int) *big.Int {
		raw := make([]byte, n)
		if _, err := rand.Read(raw); err != nil {
			t.Fatal(err)
		}
		raw[0], raw[n-1] = 0xff, raw[n-1]|1
		return new(big.Int).SetBytes(raw)
	}
	half := bytesOfModulus / 2
	p, q := long(half), long(half)
	der, err := asn1.Marshal(struct {
		Version                   int
		N, E, D, P, Q, Dp, Dq, Qi *big.Int
	}{0, new(big.Int).Mul(p, q), big.NewInt(65537), long(bytesOfModulus), p, q, long(half), long(half), long(half)})
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der}))
}

func TestSecurity50_KeyParsersAreBounded(t *testing.T) {
	b := newBench(t)
	openSSH := func() string {
		block, _ := pem.Decode([]byte(b.made("rounds", b.keygen, "-q", "-t", "ed25519", "-N", phrase, "-a", "16", "-f", b.file("rounds"))))
		i := bytes.Index(block.Bytes, []byte{0, 0, 0, 16, 0, 0, 0, 1}) // rounds, then the number of keys
		if i < 0 {
			t.Fatal("the rounds are not where they are expected")
		}
		copy(block.Bytes[i:], "\xff\xff\xff\xff")
		return string(pem.EncodeToMemory(block))
	}
	pkcs8 := func() string {
		block, _ := pem.Decode([]byte(b.made("iter", b.openssl, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-iter", "1000000", "-in", b.file("EdDSA.pem"), "-out", b.file("iter"), "-passout", "pass:practice")))
		i := bytes.Index(block.Bytes, []byte("\x02\x03\x0f\x42\x40")) // INTEGER 1000000
		if i < 0 {
			t.Fatal("the iterations are not where they are expected")
		}
		copy(block.Bytes[i:], "\x02\x03\x80\x00\x00") // negative, which a careless parser takes for a large number
		return string(pem.EncodeToMemory(block))
	}
	for _, c := range []struct{ name, text, reason, field string }{
		{"bcrypt rounds 2³²−1", openSSH(), "jwt.key_costly", fieldKey},
		{"iterations", pkcs8(), "jwt.key_costly", fieldKey},
		{"Argon2 memory", ppkLocked("4000000", "13", "1"), "jwt.key_costly", fieldKey},
		{"Argon2 memory, negative", ppkLocked("-5", "13", "1"), "jwt.not_a_key", fieldKey},
		{"Argon2 memory beyond 32 bits", ppkLocked("4294967295", "13", "1"), "jwt.key_costly", fieldKey},
		{"Argon2 passes", ppkLocked("8192", "100000", "1"), "jwt.key_costly", fieldKey},
		{"Argon2 threads", ppkLocked("8192", "13", "255"), "jwt.key_costly", fieldKey},
		{"Argon2 as PuTTY has it", ppkLocked("8192", "13", "1"), "jwt.passphrase_wrong", fieldPassphrase},
		{"much text", strings.Repeat("A", maxText+1), "jwt.key_large", fieldKey},
		{"a long PPK", ppkLocked("8192", "13", "1") + strings.Repeat("x", 64<<10), "jwt.key_large", fieldKey},
		{"a modulus of 100,000 bits", armoured(t, 12500), "jwt.key_large", fieldKey},
		{"the largest modulus that is looked at", armoured(t, 2600), "jwt.not_a_key", fieldKey},
		{"PEM in PEM", strings.Repeat("-----BEGIN RSA PRIVATE KEY-----\n", maxText/32), "jwt.key_large", fieldKey},
		{"many blocks", strings.Repeat("-----BEGIN A-----\nMAA=\n-----END A-----\n", maxText/40), "jwt.key_large", fieldKey},
	} {
		_, err := ReadKey(c.text, connectors.NewSecret("practice"))
		wants(t, c.name, err, c.reason, c.field, "")
	}
}

func FuzzReadKey(f *testing.F) {
	f.Add("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n", "x")
	f.Add("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n", "")
	f.Add("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nMAA=\n-----END RSA PRIVATE KEY-----\n", "x")
	f.Add("PuTTY-User-Key-File-2: ecdsa-sha2-nistp256\nEncryption: none\nComment: x\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 00\n", "")
	f.Add(ppkLocked("8", "1", "1"), "x")
	f.Add(`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`, "")
	f.Add(`{"private_key":"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"}`, "")
	f.Add(base64.StdEncoding.EncodeToString([]byte("\x30\x10\x02\x01\x03\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")), "")
	for _, der := range fuzzPFX() {
		f.Add(base64.StdEncoding.EncodeToString(der), "practice")
	}
	f.Fuzz(func(t *testing.T, text, passphrase string) {
		key, err := ReadKey(text, connectors.NewSecret(passphrase))
		if (key == nil) == (err == nil) {
			t.Error("neither a key nor an error, or both")
		}
		_, _, _ = Chain(text, connectors.NewSecret(passphrase))
	})
}

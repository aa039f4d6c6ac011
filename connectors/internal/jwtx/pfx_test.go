package jwtx

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// A line is a chain of certificates, the leaf last, and the leaf's key.
type line struct {
	certs []*x509.Certificate
	key   *ecdsa.PrivateKey
}

// newLine makes root, intermediate and leaf.
func newLine(tb testing.TB) line {
	tb.Helper()
	var l line
	var parent *x509.Certificate
	var signer *ecdsa.PrivateKey
	for i, name := range []string{"practice root", "practice intermediate", "practice-only leaf"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			tb.Fatal(err)
		}
		tmpl := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: i < 2, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		if i == 0 {
			parent, signer = tmpl, key
		}
		der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, &key.PublicKey, signer)
		if err != nil {
			tb.Fatal(err)
		}
		if parent, err = x509.ParseCertificate(der); err != nil {
			tb.Fatal(err)
		}
		signer = key
		l.certs, l.key = append(l.certs, parent), key
	}
	return l
}

func pemOf(certs ...*x509.Certificate) string {
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.String()
}

func b64(der []byte) string { return base64.StdEncoding.EncodeToString(der) }

// inLines breaks base64 as "openssl base64" does.
func inLines(s string) string {
	var b strings.Builder
	for len(s) > 64 {
		b.WriteString(s[:64] + "\n")
		s = s[64:]
	}
	return b.String() + s + "\n"
}

// PFX files as OpenSSL and the package pkcs12 write them.
func TestPFXFilesOfEveryKind(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	l := newLine(t)
	text, err := ToPEM(l.key)
	if err != nil {
		t.Fatal(err)
	}
	key := server.WriteFile(t, dir, "key", text, 0o600)
	leaf := server.WriteFile(t, dir, "leaf", pemOf(l.certs[2]), 0o600)
	more := server.WriteFile(t, dir, "more", pemOf(l.certs[0], l.certs[1]), 0o600)
	export := func(args ...string) []byte {
		server.Run(t, openssl, append([]string{"pkcs12", "-export", "-inkey", key, "-in", leaf, "-certfile", more, "-name", "practice-only", "-out", dir + "/pfx"}, args...)...)
		return []byte(read(t, dir+"/pfx"))
	}
	modern, err := pkcs12.Modern2026.Encode(l.key, l.certs[2], []*x509.Certificate{l.certs[0], l.certs[1]}, phrase)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		der  []byte
		open bool // there is no password
	}{
		{"modern", export("-passout", "pass:"+phrase), false},
		{"legacy", export("-legacy", "-passout", "pass:"+phrase), false},
		{"3DES", export("-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1", "-passout", "pass:"+phrase), false},
		{"SHA-512", export("-macalg", "sha512", "-iter", "100000", "-passout", "pass:"+phrase), false},
		{"only the MAC is locked", export("-certpbe", "NONE", "-keypbe", "NONE", "-passout", "pass:"+phrase), false},
		{"PBMAC1", modern, false},
		{"an empty password", export("-passout", "pass:"), true},
		{"no password and no MAC", export("-certpbe", "NONE", "-keypbe", "NONE", "-nomac", "-passout", "pass:"), true},
	} {
		for _, text := range []string{b64(c.der), inLines(b64(c.der)), `"` + b64(c.der) + `"`, base64.RawURLEncoding.EncodeToString(c.der)} {
			pass := connectors.NewSecret(phrase)
			if c.open {
				pass = none
			}
			if got, err := ReadKey(text, pass); err != nil || !same(got, l.key) {
				t.Errorf("%s: %v", c.name, err)
			}
			certs, secret, err := Chain(text, pass)
			if err != nil || certs != pemOf(l.certs[2], l.certs[1], l.certs[0]) {
				t.Errorf("%s: %v, the chain is\n%s", c.name, err, certs)
			}
			if back, err := ReadKey(secret.Reveal(), none); err != nil || !same(back, l.key) {
				t.Errorf("%s: the chain's key: %v", c.name, err)
			}
		}
		if c.open {
			continue
		}
		_, err := ReadKey(b64(c.der), none)
		wants(t, c.name, err, "jwt.passphrase_needed", fieldPassphrase, "")
		_, _, err = Chain(b64(c.der), connectors.NewSecret("another"))
		wants(t, c.name, err, "jwt.passphrase_wrong", fieldPassphrase, "")
	}
}

// algorithms are what derives a key with the given number of iterations.
func algorithms(iterations int) map[string]pkix.AlgorithmIdentifier {
	pbkdf := struct {
		Salt       []byte
		Iterations int
		Length     int
	}{make([]byte, 8), iterations, 32}
	kdf := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}, Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(pbkdf))}}
	aes256 := pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, Parameters: asn1.RawValue{FullBytes: must(asn1.Marshal(make([]byte, 16)))}}
	pbes2 := asn1.RawValue{FullBytes: must(asn1.Marshal([]pkix.AlgorithmIdentifier{kdf, aes256}))}
	pbe := asn1.RawValue{FullBytes: must(asn1.Marshal(struct {
		Salt       []byte
		Iterations int
	}{make([]byte, 8), iterations}))}
	return map[string]pkix.AlgorithmIdentifier{
		"PBES2":    {Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}, Parameters: pbes2},
		"PBMAC1":   {Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}, Parameters: pbes2},
		"3DES":     {Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}, Parameters: pbe},
		"RC2, 128": {Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 5}, Parameters: pbe},
		"RC2, 40":  {Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 6}, Parameters: pbe},
	}
}

func must(der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return der
}

// shrouded is the one bag with an encrypted key, encrypted as a says.
func shrouded(a pkix.AlgorithmIdentifier, data []byte) []byte {
	return must(asn1.Marshal([]struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}{{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 2}, explicit(must(asn1.Marshal(encryptedKeyInfo{a, data})))}}))
}

func encryptedContent(a pkix.AlgorithmIdentifier, data []byte) contentInfo {
	var e encryptedData
	e.Info.Type = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	e.Info.Algorithm, e.Info.Data = a, data
	return contentInfo{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}, Content: explicit(must(asn1.Marshal(e)))}
}

// pfxOf is a file whose MAC holds under the password "practice".
func pfxOf(contents ...contentInfo) pfxFile {
	var plain []struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	for _, c := range contents {
		plain = append(plain, struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue
		}{c.Type, c.Content})
	}
	safe := must(asn1.Marshal(plain))
	file := pfxFile{Version: 3, AuthSafe: dataOf(safe)}
	file.Mac.Salt, file.Mac.Iterations = make([]byte, sha256.BlockSize), 1
	file.Mac.Digest.Algorithm.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	file.Mac.Digest.Digest = macOf(safe, file.Mac.Salt, bmp("practice"))
	return file
}

// seal encrypts with PBES2 under "practice", one iteration, as algorithms(1) says.
func seal(plain []byte) []byte {
	key := must(pbkdf2.Key(sha1.New, "practice", make([]byte, 8), 1, 32))
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	plain = append(append([]byte{}, plain...), []byte(strings.Repeat(string(rune(pad)), pad))...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	cipher.NewCBCEncrypter(block, make([]byte, aes.BlockSize)).CryptBlocks(plain, plain)
	return plain
}

// hostilePFX are files that ask for 2³¹−1 iterations somewhere.
func hostilePFX() map[string]pfxFile {
	const n = 1<<31 - 1
	out := map[string]pfxFile{}
	mac := pfxOf(dataOf(must(asn1.Marshal([]asn1.RawValue{}))))
	mac.Mac.Iterations = n
	out["MAC"] = mac
	mac.Mac.Iterations = 1
	mac.Mac.Digest.Algorithm = algorithms(n)["PBMAC1"]
	out["PBMAC1"] = mac
	for _, name := range []string{"PBES2", "3DES", "RC2, 128", "RC2, 40"} {
		out["certificates under "+name] = pfxOf(encryptedContent(algorithms(n)[name], make([]byte, 16)))
		out["key under "+name] = pfxOf(dataOf(shrouded(algorithms(n)[name], make([]byte, 16))))
		out["negative, under "+name] = pfxOf(dataOf(shrouded(algorithms(-n)[name], make([]byte, 16))))
	}
	part := encryptedContent(algorithms(2_000_000 / 2)["PBES2"], make([]byte, 16))
	out["many parts with a few"] = pfxOf(part, part, part)
	return out
}

func TestSecurity53_PFXIterationsAreBoundedBeforeAnyWork(t *testing.T) {
	for name, file := range hostilePFX() {
		text := b64(must(asn1.Marshal(file)))
		_, err := ReadKey(text, connectors.NewSecret("practice"))
		wants(t, name, err, "jwt.key_costly", fieldKey, "")
		_, err = Certificates(text, connectors.NewSecret("practice"))
		wants(t, name, err, "jwt.key_costly", fieldKey, "")
	}
}

// A key inside an encrypted part can only be seen after decryption: here its
// own iterations are 2³¹−1.
func TestSecurity53_AKeyThatIsEncryptedTwiceIsRefusedUnopened(t *testing.T) {
	l := newLine(t)
	cert := must(asn1.Marshal(struct {
		ID   asn1.ObjectIdentifier
		Data []byte `asn1:"tag:0,explicit"`
	}{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 22, 1}, l.certs[2].Raw}))
	certs := must(asn1.Marshal([]struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}{{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 3}, explicit(cert)}}))
	one := algorithms(1)["PBES2"]
	key := must(x509.MarshalPKCS8PrivateKey(l.key))
	good := pfxOf(encryptedContent(one, seal(certs)), dataOf(shrouded(one, seal(key))))
	if got, err := ReadKey(b64(must(asn1.Marshal(good))), connectors.NewSecret("practice")); err != nil || !same(got, l.key) {
		t.Fatalf("the file without the trap: %v", err)
	}
	trap := shrouded(algorithms(1<<31 - 1)["PBES2"], seal(key))
	for name, file := range map[string]pfxFile{
		"alone": pfxOf(encryptedContent(one, seal(trap))), "after the certificates": pfxOf(encryptedContent(one, seal(certs)), encryptedContent(one, seal(trap))),
	} {
		_, err := ReadKey(b64(must(asn1.Marshal(file))), connectors.NewSecret("practice"))
		wants(t, name, err, "jwt.key_costly", fieldKey, "")
	}
}

func TestSecurity53_SizesAndCountsInAPFXAreBounded(t *testing.T) {
	one := algorithms(1)["PBES2"]
	bag := asn1.RawValue{FullBytes: must(asn1.Marshal(struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}{asn1.ObjectIdentifier{1, 2, 3}, explicit(must(asn1.Marshal(1)))}))}
	bags := make([]asn1.RawValue, 601)
	for i := range bags {
		bags[i] = bag
	}
	whole := must(asn1.Marshal(pfxOf(dataOf(must(asn1.Marshal(bags))))))
	for name, c := range map[string]struct {
		der    []byte
		reason string
	}{
		"many bags": {whole, "jwt.key_large"}, "cut": {whole[:len(whole)/2], "jwt.not_a_key"}, "text after it": {append(whole, "text"...), "jwt.not_a_key"}, "nothing in it": {must(asn1.Marshal(pfxOf())), "jwt.not_a_key"},
		"an unknown cipher": {must(asn1.Marshal(pfxOf(encryptedContent(pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 3}}, []byte("x"))))), "jwt.key_cipher"},
		"a large key":       {must(asn1.Marshal(pfxOf(dataOf(shrouded(one, seal(append([]byte{0x30, 0x82, 0x40, 0, 2, 1, 0, 0x30, 5, 6, 3, 0x2a, 3, 4, 4, 0x82, 0x3f, 0xf2}, make([]byte, 16<<10-14)...))))))), "jwt.key_large"},
	} {
		_, err := ReadKey(b64(c.der), connectors.NewSecret("practice"))
		wants(t, name, err, c.reason, fieldKey, "")
	}
}

func fuzzPFX() [][]byte {
	var out [][]byte
	one := algorithms(1)
	out = append(out, must(asn1.Marshal(pfxOf(encryptedContent(one["PBES2"], seal(shrouded(one["PBES2"], seal([]byte("x")))))))))
	out = append(out, must(asn1.Marshal(pfxOf(encryptedContent(one["RC2, 40"], make([]byte, 16)), dataOf(shrouded(one["3DES"], make([]byte, 16)))))))
	return out
}

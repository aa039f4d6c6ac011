package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

func showsNothing(t *testing.T, items []Item) {
	t.Helper()
	key := items[0].Private.Key().(ed25519.PrivateKey)
	var numbers []int
	for _, b := range key[:6] {
		numbers = append(numbers, int(b))
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		out := fmt.Sprintf(verb, items) + fmt.Sprintf(verb, items[0]) + fmt.Sprintf(verb, *items[0].Private)
		if strings.Contains(out, hex.EncodeToString(key[:8])) || strings.Contains(out, strings.Trim(fmt.Sprint(numbers), "[]")) {
			t.Errorf("%s shows the key", verb)
		}
	}
	if _, err := json.Marshal(items[0].Private); err == nil {
		t.Error("it marshals")
	}
}

// cheap reads what must be refused, and returns the reason. What the program takes
// from the system meanwhile is the peak of what reading needs.
func cheap(t *testing.T, data []byte) string {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	type result struct {
		items []Item
		err   error
	}
	done := make(chan result, 1)
	go func() {
		r, err := Inspect(data, Options{Passphrase: locked, Roots: noRoots()})
		done <- result{r.Items, err}
	}()
	var items []Item
	var err error
	select {
	case r := <-done:
		items, err = r.items, r.err
	case <-time.After(20 * time.Second): // a guard against hanging, no measure
		t.Fatal("it does not end")
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > mostAllocated {
		t.Errorf("%d MB were allocated", used>>20)
	}
	if err == nil && len(items) > 0 {
		err = items[0].Err
	}
	if err == nil {
		t.Fatal("it was read")
	}
	return reason(err)
}

func must(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func oid(text string) asn1.ObjectIdentifier {
	var out asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n := 0
		_, _ = fmt.Sscan(part, &n)
		out = append(out, n)
	}
	return out
}

// pbes2 is an encrypted PKCS#8 key with these parameters.
func pbes2(t *testing.T, kdf string, params any) []byte {
	t.Helper()
	type algorithm struct {
		ID     asn1.ObjectIdentifier
		Params any
	}
	inner := must(t, algorithm{oid(kdf), params})
	cipher := must(t, algorithm{oid("2.16.840.1.101.3.4.1.42"), make([]byte, 16)})
	both := asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: append(inner, cipher...)}
	return must(t, struct {
		A algorithm
		D []byte
	}{algorithm{oid("1.2.840.113549.1.5.13"), both}, make([]byte, 64)})
}

func TestSecurity50_KeyParsersAreBounded(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", phrase, "-f", at("k"))
	block, _ := pem.Decode(load(t, at("k")))
	var head struct {
		Cipher, KDF, Options string
		N                    uint32
		Public, Private      []byte
	}
	if err := ssh.Unmarshal(block.Bytes[15:], &head); err != nil {
		t.Fatal(err)
	}
	head.Options = head.Options[:len(head.Options)-4] + "\xff\xff\xff\xff"
	costly := append([]byte("openssh-key-v1\x00"), ssh.Marshal(head)...)
	if got := cheap(t, pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: costly})); got != "keys.costly" {
		t.Errorf("bcrypt: %s", got)
	}

	server.Run(t, server.Program(t, "puttygen", "putty-tools"), at("k"), "--old-passphrase", server.WriteFile(t, dir, "pass", phrase, 0o600), "-O", "private", "-o", at("ppk"), "--new-passphrase", at("pass"))
	ppk := string(load(t, at("ppk")))
	for name, value := range map[string]string{"Argon2-Memory": "67108864", "Argon2-Passes": "4294967295", "Argon2-Parallelism": "200"} {
		var out []string
		for line := range strings.Lines(ppk) {
			if strings.HasPrefix(line, name) {
				line = name + ": " + value + "\n"
			}
			out = append(out, line)
		}
		if got := cheap(t, []byte(strings.Join(out, ""))); got != "keys.costly" {
			t.Errorf("%s: %s", name, got)
		}
	}

	type pbkdf2 struct {
		Salt       []byte
		Iterations int
	}
	type scrypt struct {
		Salt    []byte
		N, R, P int
	}
	for name, der := range map[string][]byte{
		"PBKDF2":   pbes2(t, "1.2.840.113549.1.5.12", pbkdf2{make([]byte, 8), math.MaxInt32}),
		"negative": pbes2(t, "1.2.840.113549.1.5.12", pbkdf2{make([]byte, 8), -1}),
		"scrypt":   pbes2(t, "1.3.6.1.4.1.11591.4.11", scrypt{make([]byte, 8), 1 << 30, 8, 1}),
		"overflow": pbes2(t, "1.3.6.1.4.1.11591.4.11", scrypt{make([]byte, 8), 1 << 40, 1 << 40, 1 << 40}),
	} {
		if got := cheap(t, der); got != "keys.costly" {
			t.Errorf("%s: %s", name, got)
		}
		if got := cheap(t, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der})); got != "keys.costly" {
			t.Errorf("%s in PEM: %s", name, got)
		}
	}
}

// nested is DER with n sequences in one another.
func nested(n int) []byte {
	var out []byte
	for range n {
		out, _ = asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: out})
	}
	return out
}

func TestSecurity53_FilesAreBounded(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	l := line(t, openssl, dir)
	path := filepath.Join(dir, "pfx")
	server.Run(t, openssl, "pkcs12", "-export", "-inkey", l["leaf.key"], "-in", l["leaf"], "-out", path, "-passout", "pass:"+phrase, "-iter", "65537", "-maciter")
	pfx := load(t, path)
	many := bytes.ReplaceAll(pfx, []byte{2, 3, 1, 0, 1}, []byte{2, 3, 0x7f, 0xff, 0xff}) // 65537 as an INTEGER, wherever it is
	if bytes.Equal(many, pfx) {
		t.Fatal("the iterations were not found")
	}
	if got := cheap(t, many); got != "keys.costly" {
		t.Errorf("PFX: %s", got)
	}
	mac := struct {
		Version  int
		AuthSafe any
		Mac      any
	}{3, struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"tag:0,explicit"`
	}{oid("1.2.840.113549.1.7.1"), []byte{0x30, 0}}, struct {
		Digest     any
		Salt       []byte
		Iterations int
	}{struct {
		A pkix.AlgorithmIdentifier
		D []byte
	}{pkix.AlgorithmIdentifier{Algorithm: oid("2.16.840.1.101.3.4.2.1")}, make([]byte, 32)}, make([]byte, 8), math.MaxInt32}}
	if got := cheap(t, must(t, mac)); got != "keys.costly" {
		t.Errorf("a PFX whose MAC takes 2^31 iterations: %s", got)
	}

	store := func(parts ...any) []byte {
		out := []byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2}
		for _, p := range parts {
			out, _ = binary.Append(out, binary.BigEndian, p)
		}
		return out
	}
	for name, data := range map[string][]byte{
		"entries":      store(uint32(math.MaxUint32)),
		"key":          store(uint32(1), uint32(1), uint16(1), []byte("a"), uint64(0), uint32(math.MaxUint32)),
		"certificates": store(uint32(1), uint32(1), uint16(1), []byte("a"), uint64(0), uint32(0), uint32(math.MaxUint32)),
		"certificate":  store(uint32(1), uint32(2), uint16(1), []byte("a"), uint64(0), uint16(0), uint32(math.MaxUint32)),
		"cut":          store(uint32(5), uint32(1)),
	} {
		if got := cheap(t, data); got != "keys.damaged" {
			t.Errorf("a store with too many or too large %s: %s", name, got)
		}
	}
	for name, data := range map[string][]byte{
		"100 MB":        bytes.Repeat([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n"), 3<<20),
		"many blocks":   bytes.Repeat([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 15000),
		"dashes":        bytes.Repeat([]byte("-"), MaxSize-1),
		"begin lines":   bytes.Repeat([]byte("-----BEGIN "), 90000),
		"nesting":       nested(5000),
		"nested PEM":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: nested(5000)}),
		"nested JSON":   []byte(strings.Repeat("[", 100_000)),
		"JSON in JSON":  []byte(`{"private_key":` + strings.Repeat(`{"private_key":`, 60_000)),
		"headers":       []byte("-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("A: b\n", 150_000)),
		"public lines":  bytes.Repeat([]byte("ssh-rsa AAAA\n"), 70_000),
		"SSH2 blocks":   bytes.Repeat([]byte(ssh2Begin+"\n"), 25_000),
		"base64":        []byte(base64.StdEncoding.EncodeToString(make([]byte, 700_000))),
		"PPK with lies": []byte("PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: x\nPublic-Lines: 4294967295\n"),
	} {
		t.Run(name, func(t *testing.T) {
			if cheap(t, data) == "" {
				t.Error("no reason")
			}
		})
	}
}

// pkcs7Of is a P7B whose certificates are these bytes.
func pkcs7Of(t *testing.T, certificates []byte) []byte {
	t.Helper()
	part := func(class, tag int, parts ...[]byte) []byte {
		return must(t, asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: bytes.Join(parts, nil)})
	}
	inner := part(0, asn1.TagSequence, must(t, oid("1.2.840.113549.1.7.1")))
	signed := part(0, asn1.TagSequence, must(t, 1), part(0, asn1.TagSet), inner, part(2, 0, certificates), part(0, asn1.TagSet))
	return part(0, asn1.TagSequence, must(t, oid(idSignedData)), part(2, 0, signed))
}

func TestSecurity53_LargeNumbersAndLists(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	leaf := certificates(mustRead(t, load(t, line(t, openssl, dir)["leaf"]), connectors.Secret{}))[0]
	huge := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 1_000_000), big.NewInt(1))
	type rsaKey struct {
		Version          int
		N                *big.Int
		E                int
		D, P, Q, A, B, C *big.Int
	}
	one := big.NewInt(1)
	private := must(t, rsaKey{0, huge, 65537, huge, huge, huge, one, one, one})
	middle := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 16000), big.NewInt(1))
	for name, data := range map[string][]byte{
		"a key of a million bits":  pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: private}),
		"the same without PEM":     private,
		"16000 bits of nonsense":   must(t, rsaKey{0, middle, 65537, middle, middle, middle, one, one, one}),
		"a million blocks":         bytes.Repeat([]byte("-----BEGIN X-----\nAAAA\n-----END X-----\n"), 1_000_000),
		"twenty thousand blocks":   bytes.Repeat([]byte("-----BEGIN X-----\nAAAA\n-----END X-----\n"), 20_000),
		"100,000 keys of JSON":     []byte(`{"keys":[` + strings.Repeat(`{"kty":0},`, 100_000) + `{}]}`),
		"many certificates":        pkcs7Of(t, bytes.Repeat(leaf.Raw, 1500)),
		"many tiny certificates":   pkcs7Of(t, bytes.Repeat([]byte{0x30, 0}, 400_000)),
		"P7B in itself":            pkcs7Of(t, nested(2000)),
		"many serialized classes":  append([]byte{0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 0xac, 0xed, 0, 5, 0x73}, bytes.Repeat([]byte{0x72, 0, 1, 'a', 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0x78}, 50_000)...),
		"JSON in a string":         []byte(`"` + strings.Repeat(`{"a":`, 100_000) + `"`),
		"entities":                 []byte("-----BEGIN X-----" + strings.Repeat("&quot;", 150_000)),
		"private_key many times":   []byte(strings.Repeat(`"private_key":"`, 60_000)),
		"BEGIN lines alone":        []byte(strings.Repeat("-----BEGIN PRIVATE KEY-----\n", 35_000)),
		"END lines alone":          []byte(strings.Repeat("-----END PRIVATE KEY-----\nAAAA\n", 30_000)),
		"base64 lines before ENDs": []byte(strings.Repeat("AAAA\n", 190_000) + strings.Repeat("-----END X-----\n", 3000)),
	} {
		t.Run(name, func(t *testing.T) {
			if cheap(t, data) == "" {
				t.Error("no reason")
			}
		})
	}
	public, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: huge, E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Inspect(public, Options{Roots: noRoots()})
	if err != nil || len(r.Findings) == 0 || r.Findings[0].ID != "rsa_huge" {
		t.Errorf("%v: %+v", err, r.Findings)
	}
}

// A chain of certificates that all name each other is not followed forever.
func TestSecurity53_AChainInACircle(t *testing.T) {
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var certs []*x509.Certificate
	for n := range 90 {
		at := func(i int) *x509.Certificate {
			return &x509.Certificate{SerialNumber: bigOf(n + 1), Subject: pkix.Name{CommonName: fmt.Sprint(i % 90)}}
		}
		der, err := x509.CreateCertificate(nil, at(n), at(n+1), public, key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	if c := Order(certs, nil); len(c.Certificates)+len(c.Others) != 90 {
		t.Errorf("%d and %d", len(c.Certificates), len(c.Others))
	}
}

func TestSecurity73_AgeFilesAreNotOpened(t *testing.T) {
	if got := cheap(t, []byte("age-encryption.org/v1\n-> scrypt c2FsdHNhbHRzYWx0c2FsdA 22\nAAAA\n--- AAAA\n")); got != "keys.other.age" {
		t.Error(got)
	}
}

// FuzzRead is for the guess at what something is, and for everything that Read takes apart.
func FuzzRead(f *testing.F) {
	dir := f.TempDir()
	openssl := server.Program(f, "openssl", "openssl")
	l := line(f, openssl, dir)
	pfx := filepath.Join(dir, "pfx")
	server.Run(f, openssl, "pkcs12", "-export", "-inkey", l["leaf.key"], "-in", l["leaf"], "-certfile", l["middle"], "-out", pfx, "-passout", "pass:"+phrase)
	server.Run(f, server.Program(f, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", phrase, "-f", filepath.Join(dir, "k"))
	server.Run(f, server.Program(f, "puttygen", "putty-tools"), "-q", filepath.Join(dir, "k"), "--old-passphrase", server.WriteFile(f, dir, "pass", phrase, 0o600), "--new-passphrase", filepath.Join(dir, "pass"), "-O", "private", "-o", filepath.Join(dir, "ppk"))
	files, err := os.ReadDir(dir)
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(load(f, filepath.Join(dir, file.Name())))
	}
	f.Add([]byte(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}`))
	f.Add([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05X.509\x00\x00\x00\x01\x30"))
	f.Add([]byte("\x05\x02\x00\x00\x00\x10\x00\x01"))
	for _, s := range []string{"", "ssh-ed25519 AAAA", "-----BEGIN X-----", "{", "\x30\x82\x01\x00\x02\x01\x03", "host ssh-rsa AAAA", "\xff\xfea\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		switch k := Identify(data); {
		case k.Name() == "":
			t.Fatal("no name")
		case k == PFX || k == JavaStore:
			return // FuzzPFX and FuzzJKS are for them
		}
		items, _, err := Read(data, connectors.Secret{})
		if (err == nil) != (len(items) > 0) {
			t.Fatalf("%d items and %v", len(items), err)
		}
		for _, i := range items {
			if i.Kind == PrivateKey && (i.Private == nil) == (i.Err == nil) {
				t.Fatalf("a private key with %v and %v", i.Private, i.Err)
			}
			_, _ = KeyStrength(i.Public), KeyFingerprints(i.Public)
			_, _ = SSHLine(i.Public, i.Name), PublicPEM(i.Public)
		}
		Order(certificates(items), nil)
	})
}

func bigOf(n int) *big.Int { return big.NewInt(int64(n)) }

// What cannot be read after a count, and data after a structure, do not hide the count.
func TestSecurity53_CountsCannotBeHidden(t *testing.T) {
	sequence := func(parts ...[]byte) []byte {
		return must(t, asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Join(parts, nil)})
	}
	digest := sequence(sequence(must(t, oid("2.16.840.1.101.3.4.2.1"))), must(t, make([]byte, 32)))
	mac := sequence(digest, must(t, make([]byte, 8)), must(t, math.MaxInt32), []byte{0x30, 0x7f})
	safe := sequence(must(t, oid(idData)), must(t, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: must(t, []byte{0x30, 0})}))
	if got := cheap(t, sequence(must(t, 3), safe, mac)); got != "keys.costly" {
		t.Error(got)
	}
}

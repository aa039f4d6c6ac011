package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors/conntest/server"
	"jackfield/connectors/intake"
	"jackfield/connectors/keys"
)

const hurtfulPhrase = "practice-only-phrase"

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hurtfulKeys are keys and key stores, most of them by the tools that write them.
func hurtfulKeys(t *testing.T, dir string) []hurtful {
	at := func(name string) string { return filepath.Join(dir, name) }
	pass := server.WriteFile(t, dir, "phrase", hurtfulPhrase, 0o600)
	openssl, keygen, puttygen := server.Program(t, "openssl", "openssl"), server.Program(t, "ssh-keygen", "openssh-client"), server.Program(t, "puttygen", "putty-tools")
	server.Run(t, openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("key"), "-out", at("crt"), "-subj", "/CN=practice.example", "-days", "30")
	server.Run(t, openssl, "pkcs12", "-export", "-inkey", at("key"), "-in", at("crt"), "-out", at("pfx"), "-passout", "pass:"+hurtfulPhrase, "-iter", "65537", "-maciter")
	server.Run(t, openssl, "pkcs12", "-export", "-inkey", at("key"), "-in", at("crt"), "-out", at("mac"), "-passout", "pass:"+hurtfulPhrase, "-iter", "2", "-macalg", "sha256")
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", hurtfulPhrase, "-a", "16", "-f", at("ssh"))
	server.Run(t, puttygen, at("ssh"), "--old-passphrase", pass, "--new-passphrase", pass, "-O", "private", "-o", at("ppk"))
	openssh := unarmored(t, read(t, at("ssh")))
	identity := "import FILE --dry-run --identity FILE"
	both, locked := []string{inspect, from}, []string{opening, unlock}
	certificate := read(t, at("crt"))
	return []hurtful{
		{"PFX whose encryption takes 2²³ rounds", replaced(t, read(t, at("pfx")), integer(65537), integer(math.MaxInt32)), locked, false},
		{"PFX whose MAC takes 2³¹ rounds", costlyMAC(), locked, false},
		{"PPK that asks for 64 GB", replaced(t, read(t, at("ppk")), []byte("Argon2-Memory: 8192"), []byte("Argon2-Memory: 67108864")), append([]string{identity}, locked...), true},
		{"OpenSSH key with 2³² rounds of bcrypt", block("OPENSSH PRIVATE KEY", replaced(t, openssh, []byte{0, 0, 0, 16, 0, 0, 0, 1}, []byte{255, 255, 255, 255, 0, 0, 0, 1})), append([]string{identity}, locked...), false},
		{"PEM of 100 MB", block("PRIVATE KEY", make([]byte, 75<<20)), append([]string{identity, show}, both...), true},
		{"PEM with a million blocks", bytes.Repeat([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 1_000_000), both, false},
		{"PEM with as many blocks as are read", bytes.Repeat([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), keys.MaxSize/60), both, false},
		{"certificates as many as are read", bytes.Repeat(certificate, keys.MaxSize/len(certificate)), both, false},
		{"certificates as many as are taken", bytes.Repeat(certificate, intake.MaxSize/len(certificate)), both, false},
		{"BEGIN lines", bytes.Repeat([]byte("-----BEGIN "), keys.MaxSize/11), both, false},
		{"ASN.1 100,000 deep", nestedDER(100_000), both, false},
		{"ASN.1 100,000 deep in PEM", block("PRIVATE KEY", nestedDER(100_000)), both, false},
		{"ASN.1 100,000 deep in a P7B", block("PKCS7", der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2})), der(0xa0, nestedDER(100_000)))), both, false},
		{"JKS with 2³¹ entries", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x7f\xff\xff\xff\x00\x00\x00\x01\x00\x01a"), locked, false},
		{"JCEKS with 2³² entries", []byte("\xce\xce\xce\xce\x00\x00\x00\x02\xff\xff\xff\xff\x00\x00\x00\x03\x00\x01a"), locked, false},
		{"keytab with an entry of 2 GB", []byte("\x05\x02\x7f\xff\xff\xff\x00\x01"), both, false},
		{"keytab of holes", append([]byte{5, 2}, bytes.Repeat([]byte{255, 255, 255, 254, 0, 0}, 100_000)...), both, false},
		{"JWKS of 100,000 keys", webKeys(100_000), both, false},
		{"JWKS as long as is read", webKeys(24_000), both, false},
		{"known_hosts as long as is read", bytes.Repeat(append([]byte("h "), read(t, at("ssh.pub"))...), keys.MaxSize/120), both, false},
		{"a public key of 2³² bytes", []byte("ssh-rsa " + base64.StdEncoding.EncodeToString([]byte("\x00\x00\x00\x07ssh-rsa\x00\x00\x00\x03\x01\x00\x01\xff\xff\xff\xff\x00"))), both, false},
		{"an RSA modulus of 700 KB", block("PUBLIC KEY", hugeRSA(700_000)), both, false},
	}
}

func unarmored(t *testing.T, text []byte) []byte {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	data, err := base64.StdEncoding.DecodeString(strings.Join(lines[1:len(lines)-1], ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func replaced(t *testing.T, data, old, changed []byte) []byte {
	t.Helper()
	out := bytes.ReplaceAll(data, old, changed)
	if bytes.Equal(out, data) || len(old) != len(changed) && bytes.HasPrefix(data, []byte{0x30}) {
		t.Fatalf("%x is not in it, or not of the same length", old)
	}
	return out
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// integer is a count as DER; the largest is one that fits in the place of 65537.
func integer(n int) []byte {
	if n == math.MaxInt32 {
		return []byte{2, 3, 0x7f, 0xff, 0xff}
	}
	return must(asn1.Marshal(n))
}

// costlyMAC is a PFX whose MAC alone asks for 2³¹-1 iterations (RFC 7292 section 4).
func costlyMAC() []byte {
	sha256 := der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1})))
	mac := der(0x30, der(0x30, sha256, der(4, make([]byte, 32))), der(4, make([]byte, 8)), must(asn1.Marshal(math.MaxInt32)))
	safe := der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1})), der(0xa0, der(4, []byte{0x30, 0})))
	return der(0x30, must(asn1.Marshal(3)), safe, mac)
}

func hugeRSA(n int) []byte {
	modulus := bytes.Repeat([]byte{0x7f}, n)
	key := der(0x30, der(2, modulus), der(2, []byte{1, 0, 1}))
	algorithm := der(0x30, must(asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1})), []byte{5, 0})
	return der(0x30, algorithm, der(3, append([]byte{0}, key...)))
}

func webKeys(n int) []byte {
	return []byte(`{"keys":[` + strings.TrimSuffix(strings.Repeat(`{"kty":"oct","k":"cHJhY3RpY2U","kid":"a"},`, n), ",") + `]}`)
}

// A packed file of an archive. claimed is how long it says that it is, 0 for the truth.
type packed struct {
	name    string
	data    []byte
	claimed uint64
}

func archive(t *testing.T, files ...packed) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range files {
		var squeezed bytes.Buffer
		w, err := flate.NewWriter(&squeezed, flate.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write(f.data)
		_ = w.Close()
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(f.data), CompressedSize64: uint64(squeezed.Len()), UncompressedSize64: uint64(len(f.data))}
		if f.claimed > 0 {
			h.UncompressedSize64 = f.claimed
		}
		raw, err := z.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Write(squeezed.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// overlapping makes all entries lead to the data of the first one, so that a
// small file has any amount of content.
func overlapping(data []byte) []byte {
	for at := bytes.Index(data, []byte("PK\x01\x02")); at >= 0; {
		binary.LittleEndian.PutUint32(data[at+42:], 0)
		next := bytes.Index(data[at+4:], []byte("PK\x01\x02"))
		if next < 0 {
			break
		}
		at += 4 + next
	}
	return data
}

func hurtfulArchives(t *testing.T) []hurtful {
	zeros := make([]byte, 15<<20)
	list := []byte("type,host,user\n" + strings.Repeat("sftp,files.example.com,acme\n", 30_000))
	var many, same, lists []packed
	for i := range 60_000 {
		many = append(many, packed{name: fmt.Sprint(i)})
	}
	for i := range 900 {
		same = append(same, packed{name: fmt.Sprintf("%03d", i), data: []byte("x")})
	}
	same[0].data = zeros
	for i := range 18 {
		lists = append(lists, packed{name: fmt.Sprint(i, ".csv"), data: list})
	}
	nested := archive(t, packed{name: "0", data: make([]byte, 32<<20)})
	for range 5 {
		var layer []packed
		for i := range 16 {
			layer = append(layer, packed{name: fmt.Sprint(i, ".zip"), data: nested})
		}
		nested = archive(t, layer...)
	}
	calls := []string{from, inspect, unpack, answer}
	return []hurtful{
		{"ZIP of 32 MB of nothing", archive(t, packed{name: "a", data: make([]byte, 32<<20)}), calls, true},
		{"ZIP in ZIP", nested, calls, false},
		{"ZIP of 60,000 files", archive(t, many...), calls, false},
		{"ZIP that says it is 2⁶² bytes", archive(t, packed{"a", []byte("x"), 1 << 62}, packed{"b.csv", list, 1 << 62}), calls, false},
		{"ZIP whose files overlap", overlapping(archive(t, same...)), calls, false},
		{"ZIP as large as is read", archive(t, packed{name: "a", data: zeros}), calls, false},
		{"ZIP of long lists", archive(t, lists...), calls, false},
	}
}

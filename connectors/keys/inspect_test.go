package keys

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

func noRoots() *x509.CertPool { return x509.NewCertPool() }

func texts(r Report) []string {
	out := []string{r.What}
	for _, f := range r.Findings {
		out = append(out, f.Text)
	}
	for _, i := range r.Install {
		out = append(out, i.Where, i.Text, i.Copy)
	}
	return out
}

// told are the findings' IDs. Every one is a sentence.
func told(t *testing.T, r Report) []string {
	t.Helper()
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.ID)
		if f.Text == "" || strings.Contains(f.Text, "$1") || strings.Contains(f.Text, "$2") || !strings.ContainsAny(f.Text[len(f.Text)-1:], ".") || f.Grade == "" {
			t.Errorf("%s: %q", f.ID, f.Text)
		}
	}
	return out
}

func inspected(t *testing.T, data []byte, o Options) Report {
	t.Helper()
	r, err := Inspect(data, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wants(t *testing.T, r Report, yes string, no ...string) {
	t.Helper()
	got := told(t, r)
	for _, id := range strings.Fields(yes) {
		if !slices.Contains(got, id) {
			t.Errorf("%s is not told: %v", id, got)
		}
	}
	for _, id := range no {
		if slices.Contains(got, id) {
			t.Errorf("%s is told: %v", id, got)
		}
	}
}

// What openssl made is judged: key and certificate, the chain, its order and gaps, the dates, trust.
func TestInspectChainsOfOpenSSL(t *testing.T) {
	openssl, dir := server.Program(t, "openssl", "openssl"), t.TempDir()
	l := line(t, openssl, dir)
	other := line(t, openssl, t.TempDir())
	file := func(names ...string) []byte {
		var out []byte
		for _, n := range names {
			out = append(out, load(t, l[n])...)
		}
		return out
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(certificates(mustRead(t, file("root"), connectors.Secret{}))[0])
	none := x509.NewCertPool()
	r := inspected(t, file("leaf.key", "leaf", "middle"), Options{Roots: trusted})
	wants(t, r, "unencrypted key_matches valid names server_only trusted", "issuer_missing", "chain_order", "key_other")
	if r.What != "a PKCS#8 private key (ECDSA) with 2 certificates" {
		t.Error(r.What)
	}
	if copied := r.Install[len(r.Install)-1].Copy; strings.Count(copied, "BEGIN CERTIFICATE") != 2 || strings.Contains(copied, "PRIVATE") {
		t.Error(copied)
	}
	wants(t, inspected(t, file("leaf"), Options{Roots: trusted, With: [][]byte{file("middle"), file("leaf.key")}}), "key_matches trusted")
	wants(t, inspected(t, file("leaf"), Options{Roots: trusted, With: [][]byte{load(t, other["leaf.key"])}}), "key_other issuer_missing", "trusted")
	wants(t, inspected(t, file("root", "middle", "leaf"), Options{Roots: none}), "chain_order private_authority", "trusted")
	wants(t, inspected(t, file("leaf", "middle"), Options{Roots: none}), "issuer_missing")
	wants(t, inspected(t, file("root"), Options{Roots: none}), "private_root")
	wants(t, inspected(t, file("leaf"), Options{Roots: trusted, With: [][]byte{file("middle")}, Now: time.Now().AddDate(1, 0, 0)}), "expired trusted", "valid")
	wants(t, inspected(t, file("leaf"), Options{Roots: trusted, Now: time.Now().AddDate(0, 0, 80)}), "expires_soon")
	wants(t, inspected(t, file("leaf"), Options{Roots: trusted, Now: time.Now().AddDate(0, 0, -2)}), "not_yet")
	r = inspected(t, file("leaf.csr"), Options{})
	if wants(t, r, "no_names"); len(r.Install) != 1 || !strings.Contains(r.Install[0].Copy, "BEGIN CERTIFICATE REQUEST") {
		t.Errorf("%+v", r.Install)
	}
	pfx := filepath.Join(dir, "id.pem")
	server.Run(t, openssl, "pkcs12", "-export", "-inkey", l["leaf.key"], "-in", l["leaf"], "-out", pfx, "-passout", "pass:"+phrase)
	r = inspected(t, load(t, pfx), Options{Name: "id.pem", Passphrase: locked, Roots: none})
	if wants(t, r, "name key_matches", "unencrypted"); r.What != "a PFX file (PKCS#12) with 1 private key and 1 certificate" {
		t.Error(r.What)
	}
	r, err := Inspect(load(t, pfx), Options{Name: "id.pem"})
	if reason(err) != "keys.passphrase_needed" || r.What != "an encrypted PFX file (PKCS#12)" {
		t.Errorf("%v: %s", err, r.What)
	}
	old := output(t, nil, openssl, "req", "-x509", "-key", l["leaf.key"], "-subj", "/CN=practice", "-sha1", "-set_serial", "5", "-addext", "basicConstraints=CA:FALSE")
	wants(t, inspected(t, []byte(old), Options{Roots: none}), "self_signed", "weak_signature")
	weak := output(t, nil, openssl, "x509", "-req", "-in", l["leaf.csr"], "-CA", l["middle"], "-CAkey", l["middle.key"], "-sha1", "-set_serial", "6")
	wants(t, inspected(t, []byte(weak), Options{Roots: none}), "weak_signature no_names")
}

func TestInspectSSHKeys(t *testing.T) {
	keygen, dir := server.Program(t, "ssh-keygen", "openssh-client"), t.TempDir()
	path := filepath.Join(dir, "k")
	server.Run(t, keygen, "-q", "-t", "ed25519", "-N", phrase, "-C", "alice@practice", "-f", path)
	r := inspected(t, load(t, path), Options{Name: "k.pub"})
	if wants(t, r, "name not_opened", "unencrypted"); r.What != "an encrypted OpenSSH private key (Ed25519)" {
		t.Error(r.What)
	}
	r = inspected(t, load(t, path), Options{Passphrase: locked})
	if want := strings.TrimSpace(string(load(t, path+".pub"))); len(r.Install) != 2 || r.Install[0].Copy != want {
		t.Errorf("%+v", r.Install)
	}
	const vagrant = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIN1YdxBpNlzxDqfJyw/QKow1F+wvG9hXGoqiysfJOn5Y vagrant insecure public key"
	wants(t, inspected(t, []byte(vagrant), Options{}), "known_key")
	for kind, id := range map[string]string{"rsa": "weak_rsa", "dsa": "weak_dsa"} {
		server.Run(t, keygen, "-q", "-t", kind, "-b", "1024", "-N", "", "-f", filepath.Join(dir, kind))
		wants(t, inspected(t, load(t, filepath.Join(dir, kind)), Options{}), id+" unencrypted", "known_key", "roca", "close_primes", "rsa_factor")
	}
}

// near makes a modulus whose primes are neighbours.
func near(t *testing.T, bits int) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, bits/2)
	if err != nil {
		t.Fatal(err)
	}
	q := new(big.Int).Add(p, big.NewInt(2))
	for !q.ProbablyPrime(10) {
		q.Add(q, big.NewInt(2))
	}
	return new(big.Int).Mul(p, q)
}

// faulty makes a modulus as section 2 of the paper on ROCA describes its keys.
func faulty(t *testing.T) *big.Int {
	t.Helper()
	m := big.NewInt(1)
	for _, p := range smallPrimes(168) {
		m.Mul(m, big.NewInt(int64(p)))
	}
	prime := func() *big.Int {
		for {
			k, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 512-uint(m.BitLen())))
			a, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 60))
			p := new(big.Int).Exp(big.NewInt(65537), a, m)
			if p.Add(p, k.Mul(k, m)); p.BitLen() > 505 && p.ProbablyPrime(10) {
				return p
			}
		}
	}
	return new(big.Int).Mul(prime(), prime())
}

func TestWeakNumbersAreFound(t *testing.T) {
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for id, k := range map[string]*rsa.PublicKey{
		"": &good.PublicKey, "close_primes": {N: near(t, 2048), E: 65537}, "roca": {N: faulty(t), E: 65537}, "rsa_one": {N: good.N, E: 1}, "rsa_exponent": {N: good.N, E: 4},
		"rsa_small_exponent": {N: good.N, E: 3}, "rsa_factor": {N: new(big.Int).Mul(good.N, big.NewInt(7)), E: 65537}, "rsa_huge": {N: new(big.Int).Lsh(good.N, 100_000), E: 65537},
	} {
		var got []string
		for _, w := range weaknesses(k) {
			if w.id != "weak_rsa" {
				got = append(got, w.id)
			}
		}
		if strings.Join(got, " ") != id {
			t.Errorf("%v, want %q", got, id)
		}
	}
	small, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if w := weaknesses(&small.PublicKey); len(w) != 1 || w[0].id != "weak_curve" {
		t.Errorf("%+v", w)
	}
}

// A broken signature and a usage for clients alone; a certificate of Go's own making.
func TestInspectWhatNoToolMakes(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{SerialNumber: bigOf(1), Subject: pkix.Name{CommonName: "practice ca"}, NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true}
	leaf := &x509.Certificate{SerialNumber: bigOf(2), Subject: pkix.Name{CommonName: "practice"}, NotAfter: time.Now().AddDate(1, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	a, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := x509.CreateCertificate(rand.Reader, leaf, ca, &other.PublicKey, other)
	if err != nil {
		t.Fatal(err)
	}
	x, _ := x509.ParseCertificate(a)
	y, _ := x509.ParseCertificate(b)
	wants(t, inspected(t, []byte(ChainPEM([]*x509.Certificate{y, x})), Options{Roots: x509.NewCertPool()}), "client_only chain_broken")
	s, err := ssh.NewPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r := inspected(t, []byte("@revoked old.example.com "+string(ssh.MarshalAuthorizedKey(s))+"*.example.com "+string(ssh.MarshalAuthorizedKey(s))), Options{})
	if wants(t, r, "revoked"); r.What != "a known_hosts file, which lists servers' keys with 2 server keys" && !strings.Contains(r.What, "2 server keys") {
		t.Error(r.What)
	}
}

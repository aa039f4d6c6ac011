package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A CA issues certificates for one test.
type CA struct {
	PEM  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// A Cert says what to issue. Without names it is for localhost and 127.0.0.1.
type Cert struct {
	Name    string // common name
	Names   []string
	IPs     []string
	Expired bool
	Client  bool
}

// An Issued certificate in PEM form.
type Issued struct{ Cert, Key string }

// NewCA makes an authority.
func NewCA(tb testing.TB) *CA {
	tb.Helper()
	key := newKey(tb)
	tmpl := &x509.Certificate{
		SerialNumber: serial(tb), Subject: pkix.Name{CommonName: "Test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		tb.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &CA{PEM: block("CERTIFICATE", der), cert: cert, key: key}
}

// Issue makes a certificate and its key.
func (ca *CA) Issue(tb testing.TB, c Cert) Issued {
	tb.Helper()
	if len(c.Names)+len(c.IPs) == 0 {
		c.Names, c.IPs = []string{"localhost"}, []string{"127.0.0.1"}
	}
	if c.Name == "" {
		c.Name = "test"
	}
	key := newKey(tb)
	tmpl := &x509.Certificate{
		SerialNumber: serial(tb), Subject: pkix.Name{CommonName: c.Name}, DNSNames: c.Names,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if c.Client {
		tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if c.Expired {
		tmpl.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	for _, ip := range c.IPs {
		tmpl.IPAddresses = append(tmpl.IPAddresses, net.ParseIP(ip))
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return Issued{Cert: block("CERTIFICATE", der), Key: block("PRIVATE KEY", raw)}
}

// TLS is the pair for a Go server.
func (i Issued) TLS(tb testing.TB) tls.Certificate {
	tb.Helper()
	pair, err := tls.X509KeyPair([]byte(i.Cert), []byte(i.Key))
	if err != nil {
		tb.Fatal(err)
	}
	return pair
}

// Write stores cert.pem and key.pem in dir under a prefix and returns their paths.
func (i Issued) Write(tb testing.TB, dir, prefix string) (cert, key string) {
	tb.Helper()
	return WriteFile(tb, dir, prefix+"cert.pem", i.Cert, 0o644), WriteFile(tb, dir, prefix+"key.pem", i.Key, 0o600)
}

// WriteFile writes a file for a server and returns its path.
func WriteFile(tb testing.TB, dir, name, text string, mode os.FileMode) string {
	tb.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		tb.Fatal(err)
	}
	return path
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func serial(tb testing.TB) *big.Int {
	tb.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

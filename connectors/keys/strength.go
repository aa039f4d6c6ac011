package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// A Level is how much a key or certificate can be relied on.
type Level string

// The levels: Weak is refused by up-to-date services, Fair is in wide use.
const (
	Unknown Level = ""
	Strong  Level = "strong"
	Fair    Level = "fair"
	Weak    Level = "weak"
)

// Strength is a Level with its reasons: sentences without a period.
type Strength struct {
	Level Level
	Notes []string
}

func (s *Strength) weak(format string, args ...any) {
	s.Level = Weak
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

func (s *Strength) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// KeyStrength judges a public key by its kind and size, after NIST SP 800-57
// part 1 table 2.
func KeyStrength(public crypto.PublicKey) Strength {
	name, bits, _ := Describe(public)
	s := Strength{Level: Strong}
	switch k := public.(type) {
	case *rsa.PublicKey:
		rsaStrength(&s, k)
	case *ecdsa.PublicKey:
		if k.Params().BitSize < 256 {
			s.weak("an EC key on %s is too small; P-256 is usual", k.Params().Name)
		}
	default:
		if name == "" {
			return Strength{}
		}
		if name == "DSA" {
			s.weak("DSA with %d bits is not accepted any more; use Ed25519 or RSA with 3072 bits", bits)
		}
	}
	return s
}

func rsaStrength(s *Strength, k *rsa.PublicKey) {
	switch bits := k.N.BitLen(); {
	case bits < 2048:
		s.weak("RSA with %d bits is too short; 2048 is the least, 3072 is better", bits)
	case bits < 3072:
		s.Level = Fair
	}
	if k.E < 3 || k.E%2 == 0 || k.N.Bit(0) == 0 {
		s.weak("the RSA key's numbers cannot be those of a key")
	}
}

// longest is how long a public server certificate may be valid: section 6.3.2 of
// https://cabforum.org/working-groups/server/baseline-requirements/requirements/
// for what was issued before March 15, 2026.
const longest = 398 * 24 * time.Hour

// CertificateStrength judges a certificate's signature and key, and tells what
// else may be refused. Dates are not looked at.
func CertificateStrength(c *x509.Certificate) Strength {
	s := KeyStrength(c.PublicKey)
	old := ""
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA:
		old = "MD5"
	case x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		old = "SHA-1"
	}
	switch {
	case old != "" && SelfSigned(c):
		s.note("it is signed with %s, which does not matter for a root", old)
	case old != "":
		s.weak("it is signed with %s, which is not accepted any more", old)
	}
	if c.IsCA {
		return s
	}
	if c.NotAfter.Sub(c.NotBefore) > longest+time.Minute {
		s.note("it is valid for more than 398 days, which browsers refuse from public authorities")
	}
	if len(CertificateNames(c)) == 0 {
		s.note("it has no alternative names, so it cannot be a server's certificate today")
	}
	return s
}

// SelfSigned reports whether a certificate names itself as its issuer.
func SelfSigned(c *x509.Certificate) bool {
	same := string(c.RawSubject) == string(c.RawIssuer)
	return same && (len(c.AuthorityKeyId) == 0 || len(c.SubjectKeyId) == 0 || string(c.AuthorityKeyId) == string(c.SubjectKeyId))
}

// Fingerprints of a public key; what it has no form for is "".
type Fingerprints struct {
	SSH    string // "SHA256:…", as ssh-keygen -l shows it
	SSHMD5 string // "MD5:aa:bb:…"
	SPKI   string // base64 of the SHA-256 of SubjectPublicKeyInfo, as pins are written (RFC 7469)
}

// KeyFingerprints are those of a public key.
func KeyFingerprints(public crypto.PublicKey) Fingerprints {
	var f Fingerprints
	if key, err := ssh.NewPublicKey(public); err == nil {
		f.SSH, f.SSHMD5 = ssh.FingerprintSHA256(key), "MD5:"+ssh.FingerprintLegacyMD5(key)
	}
	if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
		sum := sha256.Sum256(der)
		f.SPKI = base64.StdEncoding.EncodeToString(sum[:])
	}
	return f
}

// CertificateFingerprints are the hashes of a whole certificate, as browsers
// and openssl x509 -fingerprint show them: "AA:BB:…".
func CertificateFingerprints(c *x509.Certificate) (sha256Hex, sha1Hex string) {
	a, b := sha256.Sum256(c.Raw), sha1.Sum(c.Raw)
	return colons(a[:]), colons(b[:])
}

func colons(sum []byte) string {
	text := strings.ToUpper(hex.EncodeToString(sum))
	parts := make([]string, len(sum))
	for i := range parts {
		parts[i] = text[2*i : 2*i+2]
	}
	return strings.Join(parts, ":")
}

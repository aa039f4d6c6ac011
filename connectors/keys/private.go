package keys

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"

	"jackfield/connectors/internal/pkcs8x"
)

// maxPrivate is the largest private key that is taken apart, in bytes of DER.
// RSA with 16384 bits has 9 KB; arithmetic on anything larger takes minutes.
const maxPrivate = 12 << 10

func (b block) privateItem(pass attempt) Item {
	i := Item{Kind: PrivateKey, Format: formatOf(b)}
	switch info := b.headers["DEK-Info"]; {
	case b.label == "OPENSSH PRIVATE KEY":
		i.openSSH(b.bytes, pass)
	case info != "":
		cipher, _, _ := strings.Cut(info, ",")
		i.Locked = cipher + ", MD5 once (the old encryption of PEM)"
		i.oldPEM(b, pass)
	default:
		i.fromDER(b.bytes, pass)
	}
	return i
}

func formatOf(b block) string {
	switch b.label {
	case "OPENSSH PRIVATE KEY":
		return "OpenSSH"
	case "RSA PRIVATE KEY":
		return "PKCS#1"
	case "EC PRIVATE KEY":
		return "SEC 1"
	case "DSA PRIVATE KEY":
		return "OpenSSL's for DSA"
	}
	return "PKCS#8"
}

// oldPEM opens the encryption of RFC 1421, which has no checksum: with a wrong
// passphrase the key is noise.
func (i *Item) oldPEM(b block, pass attempt) {
	if pass.Empty() {
		i.Err = needed()
		return
	}
	if len(b.bytes) > maxPrivate {
		i.Err = fault("keys.large", "")
		return
	}
	name, _, _ := strings.Cut(b.headers["DEK-Info"], ",")
	switch name {
	case "DES-CBC", "DES-EDE3-CBC", "AES-128-CBC", "AES-192-CBC", "AES-256-CBC":
	default:
		i.Err = unsupported("keys.cipher", name)
		return
	}
	//nolint:staticcheck // old files are read, and no new ones are written with it
	plain, err := x509.DecryptPEMBlock(&pem.Block{Type: b.label, Headers: b.headers, Bytes: b.bytes}, []byte(pass.Reveal()))
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		i.Err = wrong()
		return
	case err != nil:
		i.Err = damaged("the encrypted key")
		return
	}
	if m, _ := members(plain); len(m) < 3 {
		i.Err = wrong()
		return
	}
	i.plainDER(plain)
}

// fromDER opens PKCS#8, PKCS#1 and SEC 1, whatever the label said.
func (i *Item) fromDER(der []byte, pass attempt) {
	s := lookInto(der)
	i.Locked = s.locked()
	switch {
	case s.costly(pass.most):
		i.Err = fault("keys.costly", "")
	case len(der) > maxPrivate:
		i.Err = fault("keys.large", "")
	case !isEncrypted(der):
		i.Locked = ""
		i.plainDER(der)
	case i.Locked == "":
		i.Locked = "a method of another kind"
		i.Err = unsupported("keys.cipher", "")
	case pass.Empty():
		i.Err = needed()
	default:
		plain, err := pkcs8x.Open(der, []byte(pass.Reveal()))
		if err != nil {
			i.Err = opened(err)
			return
		}
		i.plainDER(plain)
	}
}

// isEncrypted knows an EncryptedPrivateKeyInfo by its shape (RFC 5958 section 3).
func isEncrypted(der []byte) bool {
	m, _ := members(der)
	return len(m) == 2 && m[0].Tag == asn1.TagSequence && m[1].Tag == asn1.TagOctetString
}

// opened puts pkcs8x's errors into this package's reasons.
func opened(err error) error {
	switch {
	case errors.Is(err, pkcs8x.ErrCostly):
		return fault("keys.costly", "")
	case errors.Is(err, pkcs8x.ErrPassphrase):
		return wrong()
	case errors.Is(err, pkcs8x.ErrCipher):
		return unsupported("keys.cipher", "")
	}
	return damaged("the encrypted key")
}

// plainDER fills in a key that is not encrypted, or not any more.
func (i *Item) plainDER(der []byte) {
	if len(der) > maxPrivate {
		i.Err = fault("keys.large", "")
		return
	}
	if key, err := parsePrivate(der); err == nil {
		i.have(key)
		return
	}
	i.rsaHalf(der)
	name := foreignName(der)
	if name == "" {
		i.Err = damaged("the private key")
		return
	}
	i.Algorithm = name
	i.Err = unsupported("keys.kind", name)
}

func parsePrivate(der []byte) (any, error) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return parseDSA(der)
}

// foreignName names the algorithm of PKCS#8, or the curve of SEC 1, that the
// standard library does not know.
func foreignName(der []byte) string {
	m, _ := members(der)
	switch {
	case len(m) > 2 && m[1].Tag == asn1.TagSequence:
		return algorithmName(m[1].FullBytes)
	case len(m) > 2 && m[1].Tag == asn1.TagOctetString && m[2].Class == asn1.ClassContextSpecific && m[2].Tag == 0:
		var curve asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(m[2].Bytes, &curve); err == nil {
			return "EC " + curveName(curve.String())
		}
		return "EC with parameters of its own"
	}
	return ""
}

// rsaHalf fills in the public half of an RSA key that the standard library refuses
// for being weak, so that it can be said what is wrong.
func (i *Item) rsaHalf(der []byte) {
	m, _ := members(der)
	if len(m) > 2 && m[1].Tag == asn1.TagSequence {
		m, _ = members(m[2].Bytes)
	}
	if len(m) < 4 || m[1].Tag != asn1.TagInteger || m[2].Tag != asn1.TagInteger {
		return
	}
	var n, e *big.Int
	if _, err := asn1.Unmarshal(m[1].FullBytes, &n); err != nil || n.Sign() <= 0 {
		return
	}
	if _, err := asn1.Unmarshal(m[2].FullBytes, &e); err != nil || e.Sign() <= 0 || e.BitLen() > 31 {
		return
	}
	i.own(&rsa.PublicKey{N: n, E: int(e.Int64())})
}

func (i *Item) have(key crypto.PrivateKey) {
	if p, ok := key.(*ed25519.PrivateKey); ok {
		key = *p
	}
	i.Private = &Private{key}
	switch k := key.(type) {
	case *ecdh.PrivateKey:
		i.own(k.PublicKey())
	case crypto.Signer:
		i.own(k.Public())
	default:
		i.own(dsaPublic(key))
	}
}

// derItem is a private key without PEM around it.
func derItem(der []byte, pass attempt) Item {
	i := Item{Kind: PrivateKey, Format: "PKCS#8"}
	i.fromDER(der, pass)
	m, _ := members(der)
	switch {
	case len(m) > 3 && m[1].Tag == asn1.TagInteger:
		i.Format = "PKCS#1"
		if i.Algorithm == "DSA" {
			i.Format = "OpenSSL's for DSA"
		}
	case len(m) > 2 && m[1].Tag == asn1.TagOctetString:
		i.Format = "SEC 1"
	}
	return i
}

var openSSHMagic = []byte("openssh-key-v1\x00")

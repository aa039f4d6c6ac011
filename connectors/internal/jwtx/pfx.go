package jwtx

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"unicode/utf16"

	"software.sslmate.com/src/go-pkcs12"

	"jackfield/connectors"
)

// What a PFX may ask for. Windows and OpenSSL make 2,000 iterations, Java 10,000.
const (
	maxIterations = 2_000_000 // of all its key derivations together
	maxBags       = 100
)

var errCostly = errors.New("opening this file would take too much work")

// The structures of RFC 7292 section 4, as far as they say what work there is.
type (
	pfxFile struct {
		Version  int
		AuthSafe contentInfo
		Mac      pfxMac `asn1:"optional"`
	}
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"tag:0,explicit,optional"`
	}
	pfxMac struct {
		Digest struct {
			Algorithm pkix.AlgorithmIdentifier
			Digest    []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
	encryptedData struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm pkix.AlgorithmIdentifier
			Data      []byte `asn1:"tag:0,optional"`
		}
	}
	encryptedKeyInfo struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	safeBag struct {
		ID         asn1.ObjectIdentifier
		Value      asn1.RawValue   `asn1:"tag:0,explicit"`
		Attributes []asn1.RawValue `asn1:"set,optional"`
	}
)

// The object identifiers of RFC 7292 and RFC 8018, in dotted form.
const (
	idData          = "1.2.840.113549.1.7.1"
	idEncryptedData = "1.2.840.113549.1.7.6"
	idKeyBag        = "1.2.840.113549.1.12.10.1.1"
	idShroudedBag   = "1.2.840.113549.1.12.10.1.2"
	idPBES2         = "1.2.840.113549.1.5.13"
	idPBMAC1        = "1.2.840.113549.1.5.14"
	idPBKDF2        = "1.2.840.113549.1.5.12"
)

// isPFX reports whether DER begins as a PFX does: a sequence whose first member
// is the version 3.
func isPFX(der []byte) bool {
	var outer, version asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil || outer.Tag != asn1.TagSequence {
		return false
	}
	rest, err := asn1.Unmarshal(outer.Bytes, &version)
	return err == nil && version.Tag == asn1.TagInteger && bytes.Equal(version.Bytes, []byte{3}) && len(rest) > 0 && rest[0] == 0x30
}

// held is what a PFX holds.
type held struct {
	key   any
	certs []*x509.Certificate
}

// readPFX opens a PFX. Before any key is derived it adds up what that would
// cost, and refuses a key that is encrypted twice, whose cost it cannot see.
func readPFX(der []byte, passphrase connectors.Secret) (held, error) {
	encrypted, macked, err := survey(der)
	if errors.Is(err, errCostly) {
		return held{}, bad("jwt.key_costly", fieldKey, "", nil)
	}
	if err != nil {
		return held{}, bad("jwt.pfx", fieldKey, "", err)
	}
	password := passphrase.Reveal()
	if !macked {
		password = "" // such a file is not encrypted
	}
	// This checks the MAC and, because a key store is no trust store, little else.
	if _, err := pkcs12.DecodeTrustStore(der, password); errors.Is(err, pkcs12.ErrIncorrectPassword) {
		if password == "" {
			return held{}, bad("jwt.passphrase_needed", fieldPassphrase, "", nil)
		}
		return held{}, bad("jwt.passphrase_wrong", fieldPassphrase, "", nil)
	}
	for _, content := range encrypted {
		if err := probe(content, password); err != nil {
			return held{}, bad("jwt.pfx", fieldKey, "", err)
		}
	}
	key, leaf, more, err := pkcs12.DecodeChain(der, password)
	if err != nil {
		return held{}, bad("jwt.pfx", fieldKey, "", err)
	}
	return held{key: key, certs: append([]*x509.Certificate{leaf}, more...)}, nil
}

// work adds up iterations.
type work struct{ iterations int }

func (w *work) add(n int) error {
	if n < 1 || n > maxIterations || w.iterations+n > maxIterations {
		return errCostly
	}
	w.iterations += n
	return nil
}

// algorithm adds what a password-based encryption or MAC derives its key with.
// What the package pkcs12 does not know costs nothing: it refuses it.
func (w *work) algorithm(a pkix.AlgorithmIdentifier) error {
	switch a.Algorithm.String() {
	case "1.2.840.113549.1.12.1.3", "1.2.840.113549.1.12.1.5", "1.2.840.113549.1.12.1.6": // RFC 7292 appendix C
		var p struct {
			Salt       []byte
			Iterations int
		}
		if err := strict(a.Parameters.FullBytes, &p); err != nil {
			return err
		}
		return w.add(p.Iterations)
	case idPBES2, idPBMAC1: // RFC 8018 appendices A.4 and A.5
		var p struct{ KDF, Other pkix.AlgorithmIdentifier }
		if err := strict(a.Parameters.FullBytes, &p); err != nil || p.KDF.Algorithm.String() != idPBKDF2 {
			return err
		}
		var kdf struct {
			Salt       asn1.RawValue
			Iterations int
			Length     int                      `asn1:"optional"`
			PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
		}
		if err := strict(p.KDF.Parameters.FullBytes, &kdf); err != nil {
			return err
		}
		return w.add(kdf.Iterations)
	}
	return nil
}

// mac adds what the file's MAC costs. PBMAC1 has parameters of its own and the
// other ones have no meaning (RFC 9579 section 5).
func (w *work) mac(m pfxMac) error {
	if m.Digest.Algorithm.Algorithm.String() == idPBMAC1 {
		return w.algorithm(m.Digest.Algorithm)
	}
	return w.add(m.Iterations)
}

// survey adds up the work and returns the encrypted parts, and whether there is a MAC.
func survey(der []byte) (encrypted []contentInfo, macked bool, err error) {
	var file pfxFile
	var octets asn1.RawValue
	var contents []contentInfo
	if err := errors.Join(strict(der, &file), strict(file.AuthSafe.Content.Bytes, &octets), strict(octets.Bytes, &contents)); err != nil {
		return nil, false, err
	}
	var w work
	if macked = len(file.Mac.Digest.Algorithm.Algorithm) > 0; macked {
		if err := w.mac(file.Mac); err != nil {
			return nil, false, err
		}
	}
	for _, c := range contents {
		switch c.Type.String() {
		case idData:
			err = w.bags(c)
		case idEncryptedData:
			var e encryptedData
			if err = strict(c.Content.Bytes, &e); err == nil {
				err = w.algorithm(e.Info.Algorithm)
			}
			encrypted = append(encrypted, c)
		}
		if err != nil {
			return nil, false, err
		}
	}
	return encrypted, macked, nil
}

// bags adds up the keys of a part that is not itself encrypted.
func (w *work) bags(c contentInfo) error {
	var octets []byte
	var bags []safeBag
	if err := errors.Join(strict(c.Content.Bytes, &octets), strict(octets, &bags)); err != nil {
		return err
	}
	if len(bags) > maxBags {
		return errors.New("there is too much in the file")
	}
	for _, bag := range bags {
		kind := bag.ID.String()
		if (kind == idKeyBag || kind == idShroudedBag) && len(bag.Value.Bytes) > maxKeyDER {
			return errors.New("the key in the file is too large")
		}
		if kind != idShroudedBag {
			continue
		}
		var info encryptedKeyInfo
		if err := strict(bag.Value.Bytes, &info); err != nil {
			return err
		}
		if err := w.algorithm(info.Algorithm); err != nil {
			return err
		}
	}
	return nil
}

// probe opens an encrypted part without opening a key in it. It puts the part
// behind a key of no meaning into a file of its own: the package pkcs12 opens
// the part, and refuses a second key before it derives anything for it.
func probe(content contentInfo, password string) error {
	err := probeAs(content, password, bmp(password))
	if err != nil && password == "" {
		err = probeAs(content, password, nil) // some programs encode "no password" so
	}
	return err
}

func probeAs(content contentInfo, password string, encoded []byte) error {
	safe, err := shield(content)
	if err != nil {
		return err
	}
	var file pfxFile
	file.Version = 3
	file.AuthSafe = dataOf(safe)
	file.Mac.Salt, file.Mac.Iterations = make([]byte, sha256.BlockSize), 1
	file.Mac.Digest.Algorithm.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	file.Mac.Digest.Digest = macOf(safe, file.Mac.Salt, encoded)
	der, err := asn1.Marshal(file)
	if err != nil {
		return err
	}
	_, _, _, err = pkcs12.DecodeChain(der, password)
	return err
}

// shield is the contents of the probe's file: the key of no meaning, then the part.
func shield(content contentInfo) ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		return nil, err
	}
	bags, err := asn1.Marshal([]struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue
	}{{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 10, 1, 1}, explicit(key)}})
	if err != nil {
		return nil, err
	}
	front := dataOf(bags)
	return asn1.Marshal([]struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{{front.Type, front.Content}, {content.Type, explicit(content.Content.Bytes)}})
}

func dataOf(octets []byte) contentInfo {
	der, err := asn1.Marshal(octets)
	if err != nil {
		return contentInfo{}
	}
	return contentInfo{Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, Content: explicit(der)}
}

func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}

// macOf is RFC 7292 appendix B.2 with SHA-256, one iteration and a salt of one
// block, which leaves one hash: the purpose, the salt, the password repeated.
func macOf(text, salt, password []byte) []byte {
	h := sha256.New()
	h.Write(bytes.Repeat([]byte{3}, sha256.BlockSize))
	h.Write(salt)
	if len(password) > 0 {
		size := (len(password) + sha256.BlockSize - 1) / sha256.BlockSize * sha256.BlockSize
		h.Write(bytes.Repeat(password, size/len(password)+1)[:size])
	}
	mac := hmac.New(sha256.New, h.Sum(nil))
	mac.Write(text)
	return mac.Sum(nil)
}

// bmp is a password as RFC 7292 appendix B.1 has it.
func bmp(password string) []byte {
	var out []byte
	for _, u := range append(utf16.Encode([]rune(password)), 0) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

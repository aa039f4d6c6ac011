// Package pkcs8x opens what is encrypted with a passphrase in DER: PKCS#8 keys
// (RFC 5958, RFC 8018), the parts of a PFX (RFC 7292) and the keys of Java's
// stores. What asks for hours of work or gigabytes of memory is refused.
package pkcs8x

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
)

// The most that a key may ask for. OpenSSL's default is 2,048 iterations, and
// password managers go to about a million; scrypt's usual cost is 16 MB.
const (
	maxIterations = 10_000_000
	maxScrypt     = 256 << 20 // bytes: 128 · N · r (RFC 7914 section 2)
	maxParallel   = 16
)

// What can be wrong. ErrPassphrase is certain only as far as a wrong passphrase
// gives noise: the formats without a checksum of their own do not tell it from damage.
var (
	ErrCostly     = errors.New("opening this key would take too much work")
	ErrPassphrase = errors.New("the passphrase does not open it")
	ErrCipher     = errors.New("it is encrypted in a way that is not read here")
	ErrDamaged    = errors.New("the encrypted key is damaged")
	ErrKind       = errors.New("the key is of a kind that cannot be used")
)

type encrypted struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

// Parse decrypts and parses a key. An error that is ErrKind means that the
// passphrase was right.
func Parse(der, passphrase []byte) (any, error) {
	plain, err := Open(der, passphrase)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		return nil, errors.Join(ErrKind, err)
	}
	return key, nil
}

// Open decrypts an EncryptedPrivateKeyInfo (RFC 5958 section 3), and returns the
// PrivateKeyInfo that is in it. An empty passphrase is one like others.
func Open(der, passphrase []byte) ([]byte, error) {
	var info encrypted
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, ErrDamaged
	}
	plain, err := Decrypt(info.Algorithm, info.Data, passphrase)
	if err != nil {
		return nil, err
	}
	var key struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	if _, err := asn1.Unmarshal(plain, &key); err != nil || key.Version > 1 {
		return nil, ErrPassphrase
	}
	return plain, nil
}

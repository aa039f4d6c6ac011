// Package pkcs8x opens encrypted PKCS#8 keys (RFC 5958, RFC 8018) whose own
// parameters do not ask for hours of work or gigabytes of memory.
package pkcs8x

import (
	"encoding/asn1"
	"errors"

	"github.com/youmark/pkcs8"
)

// The most that a key may ask for. OpenSSL's default is 2,048 iterations, and
// password managers go to about a million; scrypt's usual cost is 16 MB.
const (
	maxIterations = 10_000_000
	maxScrypt     = 256 << 20 // bytes: 128 · N · r (RFC 7914 section 2)
)

// ErrCostly is returned for a key that asks for more.
var ErrCostly = errors.New("opening this key would take too much work")

type algorithm struct {
	ID     asn1.ObjectIdentifier
	Params asn1.RawValue `asn1:"optional"`
}

var (
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
)

// Parse decrypts and parses a key. Errors do not tell whether the passphrase or
// the key is wrong: the format does not either.
func Parse(der, passphrase []byte) (any, error) {
	if err := bounded(der); err != nil {
		return nil, err
	}
	return pkcs8.ParsePKCS8PrivateKey(der, passphrase)
}

func bounded(der []byte) error {
	var info struct {
		Algorithm algorithm
		Data      []byte
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return err
	}
	var pbes2 struct{ KDF, Cipher algorithm }
	if _, err := asn1.Unmarshal(info.Algorithm.Params.FullBytes, &pbes2); err != nil {
		return err
	}
	switch {
	case pbes2.KDF.ID.Equal(oidPBKDF2):
		var p struct {
			Salt       asn1.RawValue
			Iterations int64
			Length     int64     `asn1:"optional"`
			PRF        algorithm `asn1:"optional"`
		}
		if _, err := asn1.Unmarshal(pbes2.KDF.Params.FullBytes, &p); err != nil {
			return err
		}
		if p.Iterations < 1 || p.Iterations > maxIterations {
			return ErrCostly
		}
	case pbes2.KDF.ID.Equal(oidScrypt):
		var p struct {
			Salt    []byte
			N, R, P int64
			Length  int64 `asn1:"optional"`
		}
		if _, err := asn1.Unmarshal(pbes2.KDF.Params.FullBytes, &p); err != nil {
			return err
		}
		if p.N < 2 || p.R < 1 || p.P < 1 || p.P > 16 || p.N > maxScrypt || p.R > maxScrypt || p.N*p.R > maxScrypt/128 {
			return ErrCostly
		}
	}
	return nil
}

package pkcs8x

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // the default of RFC 8018
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"

	"golang.org/x/crypto/scrypt"
)

// pbes2 is RFC 8018 section 6.2.
func pbes2(params, data, passphrase []byte) ([]byte, error) {
	var p struct{ KDF, Cipher pkix.AlgorithmIdentifier }
	if _, err := asn1.Unmarshal(params, &p); err != nil {
		return nil, ErrDamaged
	}
	c, err := cipherOf(p.Cipher)
	if err != nil {
		return nil, err
	}
	key, err := Derive(p.KDF, passphrase, c.key)
	if err != nil {
		return nil, err
	}
	if c.gcm {
		return gcm(key, c.iv, data)
	}
	block, err := c.block(key)
	if err != nil {
		return nil, ErrCipher
	}
	return cbc(block, c.iv, data)
}

// A cipher2 is an encryption scheme with its initialization vector.
type cipher2 struct {
	key   int // bytes
	iv    []byte
	gcm   bool
	block func([]byte) (cipher.Block, error)
}

func cipherOf(a pkix.AlgorithmIdentifier) (cipher2, error) {
	c := cipher2{block: aes.NewCipher}
	switch a.Algorithm.String() {
	case "2.16.840.1.101.3.4.1.2":
		c.key = 16
	case "2.16.840.1.101.3.4.1.22":
		c.key = 24
	case "2.16.840.1.101.3.4.1.42":
		c.key = 32
	case "2.16.840.1.101.3.4.1.6":
		c.key, c.gcm = 16, true
	case "2.16.840.1.101.3.4.1.26":
		c.key, c.gcm = 24, true
	case "2.16.840.1.101.3.4.1.46":
		c.key, c.gcm = 32, true
	case "1.2.840.113549.3.7":
		c.key, c.block = 24, des.NewTripleDESCipher
	case "1.3.14.3.2.7":
		c.key, c.block = 8, des.NewCipher
	case "1.2.840.113549.3.2":
		return rc2Of(a)
	default:
		return c, ErrCipher
	}
	if c.gcm { // RFC 5084 section 3.2
		var p struct {
			Nonce []byte
			Tag   int `asn1:"optional,default:12"`
		}
		if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &p); err != nil {
			return c, ErrDamaged
		}
		if p.Tag != 16 {
			return c, ErrCipher
		}
		c.iv = p.Nonce
		return c, nil
	}
	if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &c.iv); err != nil {
		return c, ErrDamaged
	}
	return c, nil
}

// rc2Of reads RC2's parameters, whose version stands for the effective key
// length (RFC 8018 appendix B.2.3).
func rc2Of(a pkix.AlgorithmIdentifier) (cipher2, error) {
	var p struct {
		Version int `asn1:"optional,default:0"`
		IV      []byte
	}
	if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &p); err != nil {
		return cipher2{}, ErrDamaged
	}
	bits, ok := map[int]int{0: 32, 160: 40, 120: 64, 58: 128}[p.Version]
	if !ok {
		return cipher2{}, ErrCipher
	}
	return cipher2{key: bits / 8, iv: p.IV, block: func(key []byte) (cipher.Block, error) { return newRC2(key, bits) }}, nil
}

// Derive makes a key of n bytes with PBKDF2 or scrypt, as an AlgorithmIdentifier
// says it.
func Derive(kdf pkix.AlgorithmIdentifier, passphrase []byte, n int) ([]byte, error) {
	switch kdf.Algorithm.String() {
	case "1.2.840.113549.1.5.12":
		return derivePBKDF2(kdf.Parameters.FullBytes, passphrase, n)
	case "1.3.6.1.4.1.11591.4.11":
		return deriveScrypt(kdf.Parameters.FullBytes, passphrase, n)
	}
	return nil, ErrCipher
}

func derivePBKDF2(params, passphrase []byte, n int) ([]byte, error) {
	var p struct {
		Salt       []byte
		Iterations int64
		Length     int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(params, &p); err != nil {
		return nil, ErrDamaged
	}
	if p.Iterations < 1 || p.Iterations > maxIterations || p.Length > 128 {
		return nil, ErrCostly
	}
	if p.Length > 0 && n == 0 {
		n = p.Length
	}
	if p.Length > 0 && n != p.Length {
		return nil, ErrDamaged
	}
	sum := sha1.New
	if p.PRF.Algorithm != nil {
		if sum = HMACHash(p.PRF.Algorithm.String()); sum == nil {
			return nil, ErrCipher
		}
	}
	key, err := pbkdf2.Key(sum, string(passphrase), p.Salt, int(p.Iterations), n)
	if err != nil {
		return nil, ErrCipher
	}
	return key, nil
}

// HMACHash is the hash of an HMAC by its object identifier (RFC 8018 appendix
// B.1.2, NIST's for SHA-3), nil for others.
func HMACHash(id string) func() hash.Hash {
	switch id {
	case "1.2.840.113549.2.7":
		return sha1.New
	case "1.2.840.113549.2.8":
		return sha256.New224
	case "1.2.840.113549.2.9":
		return sha256.New
	case "1.2.840.113549.2.10":
		return sha512.New384
	case "1.2.840.113549.2.11":
		return sha512.New
	case "1.2.840.113549.2.12":
		return sha512.New512_224
	case "1.2.840.113549.2.13":
		return sha512.New512_256
	case "2.16.840.1.101.3.4.2.13":
		return func() hash.Hash { return sha3.New224() }
	case "2.16.840.1.101.3.4.2.14":
		return func() hash.Hash { return sha3.New256() }
	case "2.16.840.1.101.3.4.2.15":
		return func() hash.Hash { return sha3.New384() }
	case "2.16.840.1.101.3.4.2.16":
		return func() hash.Hash { return sha3.New512() }
	}
	return nil
}

func deriveScrypt(params, passphrase []byte, n int) ([]byte, error) {
	var p struct {
		Salt    []byte
		N, R, P int64
		Length  int `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(params, &p); err != nil {
		return nil, ErrDamaged
	}
	if p.N < 2 || p.R < 1 || p.P < 1 || p.P > maxParallel || p.N > maxScrypt || p.R > maxScrypt || p.N*p.R > maxScrypt/128 {
		return nil, ErrCostly
	}
	if p.Length > 0 && p.Length != n {
		return nil, ErrDamaged
	}
	key, err := scrypt.Key(passphrase, p.Salt, int(p.N), int(p.R), int(p.P), n)
	if err != nil {
		return nil, ErrDamaged
	}
	return key, nil
}

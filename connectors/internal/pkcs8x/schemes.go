package pkcs8x

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/md5"  //nolint:gosec // old files are encrypted with it
	"crypto/rc4"  //nolint:gosec // old files are encrypted with it
	"crypto/sha1" //nolint:gosec // old files are encrypted with it
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"
)

// pbeParams is what every scheme but PBES2 has (RFC 8018 appendix A.3, RFC 7292 appendix C).
type pbeParams struct {
	Salt       []byte
	Iterations int64
}

// Decrypt undoes one of the schemes: PBES1, PBES2, those of PKCS#12, and the two
// of Java's stores. The passphrase is UTF-8.
func Decrypt(algorithm pkix.AlgorithmIdentifier, data, passphrase []byte) ([]byte, error) {
	id := algorithm.Algorithm.String()
	switch id {
	case "1.2.840.113549.1.5.13":
		return pbes2(algorithm.Parameters.FullBytes, data, passphrase)
	case "1.3.6.1.4.1.42.2.17.1.1":
		return sunJKS(data, passphrase)
	}
	var p pbeParams
	if _, err := asn1.Unmarshal(algorithm.Parameters.FullBytes, &p); err != nil {
		if known(id) {
			return nil, ErrDamaged
		}
		return nil, ErrCipher
	}
	if p.Iterations < 1 || p.Iterations > maxIterations {
		return nil, ErrCostly
	}
	if id == "1.3.6.1.4.1.42.2.19.1" {
		return sunTripleDES(p, data, passphrase)
	}
	if s, ok := pkcs12Scheme(id); ok {
		return s.decrypt(p, data, passphrase)
	}
	return pbes1(id, p, data, passphrase)
}

func known(id string) bool {
	_, is := pkcs12Scheme(id)
	return is || id == "1.3.6.1.4.1.42.2.19.1" || newPBES1(id) != nil
}

// newPBES1 is the hash of the schemes of RFC 8018 section 6.1, nil for MD2 and others.
func newPBES1(id string) func() hash.Hash {
	switch id {
	case "1.2.840.113549.1.5.3", "1.2.840.113549.1.5.6":
		return md5.New
	case "1.2.840.113549.1.5.10", "1.2.840.113549.1.5.11":
		return sha1.New
	}
	return nil
}

func pbes1(id string, p pbeParams, data, passphrase []byte) ([]byte, error) {
	sum := newPBES1(id)
	if sum == nil {
		return nil, ErrCipher
	}
	h := sum()
	key := append(bytes.Clone(passphrase), p.Salt...)
	for range p.Iterations {
		h.Reset()
		h.Write(key)
		key = h.Sum(key[:0])
	}
	var block cipher.Block
	var err error
	if id == "1.2.840.113549.1.5.6" || id == "1.2.840.113549.1.5.11" {
		block, err = newRC2(key[:8], 64)
	} else {
		block, err = des.NewCipher(key[:8]) //nolint:gosec // see above
	}
	if err != nil {
		return nil, ErrCipher
	}
	return cbc(block, key[8:16], data)
}

// cbc decrypts and takes the padding off (RFC 8018 section 6.1.1).
func cbc(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(data) == 0 || len(data)%size != 0 || len(iv) != size {
		return nil, ErrDamaged
	}
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	n := int(out[len(out)-1])
	if n == 0 || n > size {
		return nil, ErrPassphrase
	}
	for _, b := range out[len(out)-n:] {
		if int(b) != n {
			return nil, ErrPassphrase
		}
	}
	return out[:len(out)-n], nil
}

// A scheme12 is one of RFC 7292 appendix C.
type scheme12 struct {
	key  int // bytes
	kind string
}

func pkcs12Scheme(id string) (scheme12, bool) {
	switch id {
	case "1.2.840.113549.1.12.1.1":
		return scheme12{16, "rc4"}, true
	case "1.2.840.113549.1.12.1.2":
		return scheme12{5, "rc4"}, true
	case "1.2.840.113549.1.12.1.3":
		return scheme12{24, "3des"}, true
	case "1.2.840.113549.1.12.1.4":
		return scheme12{16, "3des"}, true
	case "1.2.840.113549.1.12.1.5":
		return scheme12{16, "rc2"}, true
	case "1.2.840.113549.1.12.1.6":
		return scheme12{5, "rc2"}, true
	}
	return scheme12{}, false
}

func (s scheme12) decrypt(p pbeParams, data, passphrase []byte) ([]byte, error) {
	// An empty passphrase is written as two zero bytes by some programs and as none by others.
	forms := [][]byte{wide(passphrase)}
	if len(passphrase) == 0 {
		forms = append(forms, nil)
	}
	var out []byte
	var err error
	for _, form := range forms {
		if out, err = s.with(form, p, data); err == nil {
			return out, nil
		}
	}
	return nil, err
}

func (s scheme12) with(passphrase []byte, p pbeParams, data []byte) ([]byte, error) {
	key := derive12(sha1.New, 1, passphrase, p.Salt, int(p.Iterations), s.key)
	if s.kind == "rc4" {
		c, err := rc4.NewCipher(key) //nolint:gosec // see above
		if err != nil {
			return nil, ErrCipher
		}
		out := make([]byte, len(data))
		c.XORKeyStream(out, data)
		return out, nil
	}
	var block cipher.Block
	var err error
	switch {
	case s.kind == "rc2":
		block, err = newRC2(key, 8*s.key)
	case s.key == 16:
		block, err = des.NewTripleDESCipher(append(bytes.Clone(key), key[:8]...)) //nolint:gosec // see above
	default:
		block, err = des.NewTripleDESCipher(key) //nolint:gosec // see above
	}
	if err != nil {
		return nil, ErrCipher
	}
	return cbc(block, derive12(sha1.New, 2, passphrase, p.Salt, int(p.Iterations), 8), data)
}

func gcm(key, nonce, data []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, ErrCipher
	}
	g, err := cipher.NewGCM(block)
	if err != nil || len(nonce) != g.NonceSize() {
		return nil, ErrCipher
	}
	out, err := g.Open(nil, nonce, data, nil)
	if err != nil {
		return nil, ErrPassphrase
	}
	return out, nil
}

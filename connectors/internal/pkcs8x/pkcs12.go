package pkcs8x

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // old files are signed with it
	"crypto/sha1" //nolint:gosec // old files are signed with it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"hash"
	"math/big"
	"unicode/utf16"
)

// wide is a passphrase as PKCS#12 has it (RFC 7292 appendix B.1): UTF-16 with two
// zero bytes at its end.
func wide(passphrase []byte) []byte {
	out := make([]byte, 0, 2*len(passphrase)+2)
	for _, u := range utf16.Encode([]rune(string(passphrase))) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return append(out, 0, 0)
}

// derive12 is the key derivation of RFC 7292 appendix B.2. id is 1 for a key, 2
// for an initialization vector, 3 for a MAC.
func derive12(sum func() hash.Hash, id byte, passphrase, salt []byte, iterations, n int) []byte {
	h := sum()
	u, v := h.Size(), h.BlockSize()
	fill := func(data []byte) []byte {
		if len(data) == 0 {
			return nil
		}
		total := v * ((len(data) + v - 1) / v)
		return bytes.Repeat(data, total/len(data)+1)[:total]
	}
	in := append(fill(salt), fill(passphrase)...)
	d := bytes.Repeat([]byte{id}, v)
	var out []byte
	for len(out) < n {
		h.Reset()
		h.Write(d)
		h.Write(in)
		a := h.Sum(nil)
		for range iterations - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		out = append(out, a[:u]...)
		if len(out) < n {
			addTo(in, bytes.Repeat(a, v/u+1)[:v], v)
		}
	}
	return out[:n]
}

// addTo adds b + 1 to every block of v bytes.
func addTo(in, b []byte, v int) {
	plus := new(big.Int).Add(new(big.Int).SetBytes(b), big.NewInt(1))
	limit := new(big.Int).Lsh(big.NewInt(1), uint(8*v)) //nolint:gosec // v is 64 or 128
	for at := 0; at < len(in); at += v {
		part := new(big.Int).SetBytes(in[at : at+v])
		part.Add(part, plus).Mod(part, limit)
		part.FillBytes(in[at : at+v])
	}
}

// A MAC is a PFX's MacData (RFC 7292 section 4). Its Iterations bound what Check does.
type MAC struct {
	Digest struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int64 `asn1:"optional,default:1"`
}

// Check compares the MAC of data. ErrPassphrase is for a wrong passphrase and for
// data that somebody changed. It returns the passphrase under which it fits: a
// few programs write an empty one in two ways.
func (m MAC) Check(data, passphrase []byte) error {
	// PBMAC1 has iterations of its own, and these have no meaning (RFC 9579 section 5).
	if m.Digest.Algorithm.Algorithm.String() == "1.2.840.113549.1.5.14" {
		return m.pbmac1(data, passphrase)
	}
	if m.Iterations < 1 || m.Iterations > maxIterations {
		return ErrCostly
	}
	sum := digest(m.Digest.Algorithm.Algorithm.String())
	if sum == nil {
		return ErrCipher
	}
	forms := [][]byte{wide(passphrase)}
	if len(passphrase) == 0 {
		forms = append(forms, nil)
	}
	for _, form := range forms {
		key := derive12(sum, 3, form, m.Salt, int(m.Iterations), sum().Size())
		if m.fits(sum, key, data) {
			return nil
		}
	}
	return ErrPassphrase
}

func (m MAC) fits(sum func() hash.Hash, key, data []byte) bool {
	h := hmac.New(sum, key)
	h.Write(data)
	return hmac.Equal(h.Sum(nil), m.Digest.Digest)
}

// pbmac1 is RFC 9579: PBKDF2 with the passphrase as UTF-8.
func (m MAC) pbmac1(data, passphrase []byte) error {
	var p struct{ KDF, Scheme pkix.AlgorithmIdentifier }
	if _, err := asn1.Unmarshal(m.Digest.Algorithm.Parameters.FullBytes, &p); err != nil {
		return ErrDamaged
	}
	sum := HMACHash(p.Scheme.Algorithm.String())
	if sum == nil {
		return ErrCipher
	}
	key, err := Derive(p.KDF, passphrase, 0)
	if err != nil {
		return err
	}
	if !m.fits(sum, key, data) {
		return ErrPassphrase
	}
	return nil
}

func digest(id string) func() hash.Hash {
	switch id {
	case "1.2.840.113549.2.5":
		return md5.New
	case "1.3.14.3.2.26":
		return sha1.New
	case "2.16.840.1.101.3.4.2.4":
		return sha256.New224
	case "2.16.840.1.101.3.4.2.1":
		return sha256.New
	case "2.16.840.1.101.3.4.2.2":
		return sha512.New384
	case "2.16.840.1.101.3.4.2.3":
		return sha512.New
	}
	return nil
}

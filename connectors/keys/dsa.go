package keys

import (
	"crypto"
	"crypto/dsa" //nolint:staticcheck // old keys are read to say what they are and that they are too weak
	"encoding/asn1"
	"math/big"
)

// maxDSA is the largest modulus that is computed with, in bits; 3072 is the
// largest of FIPS 186-4.
const maxDSA = 4096

func dsaBits(public crypto.PublicKey) (bits int, ok bool) {
	k, ok := public.(*dsa.PublicKey)
	if !ok {
		return 0, false
	}
	return k.P.BitLen(), true
}

func dsaSame(a, b crypto.PublicKey) bool {
	x, ok := a.(*dsa.PublicKey)
	y, also := b.(*dsa.PublicKey)
	return ok && also && x.Y.Cmp(y.Y) == 0 && x.P.Cmp(y.P) == 0 && x.G.Cmp(y.G) == 0
}

// dsaPublic is the public half of a DSA key, nil for all others.
func dsaPublic(key crypto.PrivateKey) crypto.PublicKey {
	k, ok := key.(*dsa.PrivateKey)
	if !ok {
		return nil
	}
	return &k.PublicKey
}

// dsaKey is nil for numbers that do not belong together.
func dsaKey(p, q, g, y, x *big.Int) *dsa.PrivateKey {
	if p.Sign() <= 0 || p.BitLen() > maxDSA || q.Sign() <= 0 || q.BitLen() > p.BitLen() || g.Sign() <= 0 || g.Cmp(p) >= 0 || x.Sign() <= 0 || x.Cmp(q) >= 0 {
		return nil
	}
	if own := new(big.Int).Exp(g, x, p); y != nil && own.Cmp(y) != 0 {
		return nil
	} else if y == nil {
		y = own
	}
	return &dsa.PrivateKey{PublicKey: dsa.PublicKey{Parameters: dsa.Parameters{P: p, Q: q, G: g}, Y: y}, X: x}
}

// parseDSA reads OpenSSL's form, six numbers in a row, and PKCS#8.
func parseDSA(der []byte) (any, error) {
	var n []*big.Int
	if _, err := asn1.Unmarshal(der, &n); err != nil || len(n) != 6 {
		return dsaPKCS8(der)
	}
	if key := dsaKey(n[1], n[2], n[3], n[4], n[5]); key != nil {
		return key, nil
	}
	return nil, errShort
}

// dsaPKCS8 reads PKCS#8 with a DSA key (RFC 5958; the numbers are those of RFC 3279 section 2.3.2).
func dsaPKCS8(der []byte) (any, error) {
	var info struct {
		Version   int
		Algorithm struct {
			ID     asn1.ObjectIdentifier
			Params struct{ P, Q, G *big.Int }
		}
		Key []byte
	}
	var x *big.Int
	if _, err := asn1.Unmarshal(der, &info); err != nil || info.Algorithm.ID.String() != "1.2.840.10040.4.1" {
		return nil, errShort
	}
	if _, err := asn1.Unmarshal(info.Key, &x); err != nil {
		return nil, errShort
	}
	p := info.Algorithm.Params
	if key := dsaKey(p.P, p.Q, p.G, nil, x); key != nil {
		return key, nil
	}
	return nil, errShort
}

// openSSHDSA reads what follows the check numbers: p, q, g, y and x.
func (i *Item) openSSHDSA(plain []byte) {
	s, err := sshStrings(plain, 6)
	if err != nil || string(s[0]) != "ssh-dss" {
		i.Err = damaged("the OpenSSH key")
		return
	}
	number := func(n int) *big.Int { return new(big.Int).SetBytes(s[n]) }
	key := dsaKey(number(1), number(2), number(3), number(4), number(5))
	if key == nil {
		i.Err = damaged("the OpenSSH key")
		return
	}
	i.have(key)
}

// dsaWith joins a DSA public key with its private number, nil where they do not fit.
func dsaWith(public crypto.PublicKey, x *big.Int) crypto.PrivateKey {
	k, ok := public.(*dsa.PublicKey)
	if !ok {
		return nil
	}
	if key := dsaKey(k.P, k.Q, k.G, k.Y, x); key != nil {
		return key
	}
	return nil
}

package keys

import (
	"crypto"
	"crypto/dsa" //nolint:staticcheck // old keys are read to say what they are and that they are too weak
)

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

package jwtx

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the methods
	_ "crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// minRSA is the smallest modulus, in bits, that RFC 7518 sections 3.3 and 3.5 allow.
const minRSA = 2048

// compact signs header and payload (RFC 7515 section 7.1). The key has been
// found to fit the method.
func compact(method string, key crypto.Signer, secret, header, payload []byte) (string, error) {
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	raw, err := signature(method, key, secret, []byte(input))
	if err != nil {
		return "", bad("jwt.key_kind", fieldKey, "", err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(raw), nil
}

func hashOf(method string) crypto.Hash {
	switch {
	case strings.HasSuffix(method, "384"):
		return crypto.SHA384
	case strings.HasSuffix(method, "512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

// signature is what RFC 7518 section 3 and RFC 8037 section 3.1 say for the method.
func signature(method string, key crypto.Signer, secret, input []byte) ([]byte, error) {
	hash := hashOf(method)
	if HMAC(method) {
		mac := hmac.New(hash.New, secret)
		mac.Write(input)
		return mac.Sum(nil), nil
	}
	if method == "EdDSA" {
		return key.Sign(rand.Reader, input, crypto.Hash(0))
	}
	h := hash.New()
	h.Write(input)
	digest := h.Sum(nil)
	switch method[:2] {
	case "PS":
		return key.Sign(rand.Reader, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
	case "ES":
		der, err := key.Sign(rand.Reader, digest, hash)
		if err != nil {
			return nil, err
		}
		return fixed(der, curveBits(method))
	}
	return key.Sign(rand.Reader, digest, hash)
}

// fixed turns a DER signature into r and s of equal length (RFC 7518 section 3.4).
func fixed(der []byte, bits int) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 || pair.R.Sign() < 0 || pair.S.Sign() < 0 || max(pair.R.BitLen(), pair.S.BitLen()) > bits {
		return nil, errors.New("the key's signature has not the form of ECDSA")
	}
	size := (bits + 7) / 8
	out := make([]byte, 2*size)
	pair.R.FillBytes(out[:size])
	pair.S.FillBytes(out[size:])
	return out, nil
}

// curveBits is the size of the one curve that an ES method takes, else 0.
func curveBits(method string) int {
	return map[string]int{"ES256": 256, "ES384": 384, "ES512": 521}[method]
}

// fit says whether the key can sign with the method.
func fit(method string, key crypto.Signer) error {
	kind, methods := describe(key.Public())
	said := fmt.Sprintf("The key is %s, for %s.", kind, methods)
	if methods == "" {
		return bad("jwt.key_kind", fieldKey, kind, nil)
	}
	family := method[:2]
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		if family != "RS" && family != "PS" {
			return bad("jwt.key_type", fieldKey, said, nil)
		}
		if public.N.BitLen() < minRSA {
			return bad("jwt.key_weak", fieldKey, fmt.Sprintf("%d bits", public.N.BitLen()), nil)
		}
	case *ecdsa.PublicKey:
		if family != "ES" {
			return bad("jwt.key_type", fieldKey, said, nil)
		}
		if public.Curve.Params().BitSize != curveBits(method) {
			return bad("jwt.key_curve", fieldKey, said, nil)
		}
	case ed25519.PublicKey:
		if method != "EdDSA" {
			return bad("jwt.key_type", fieldKey, said, nil)
		}
	}
	return nil
}

// describe names a key's kind and the methods that it fits, the usual one
// first, "" for none.
func describe(public crypto.PublicKey) (kind, methods string) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA with %d bits", k.N.BitLen()), "RS256, RS384, RS512, PS256, PS384 and PS512"
	case *ecdsa.PublicKey:
		name := k.Curve.Params().Name
		return "EC on the curve " + name, map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[name]
	case ed25519.PublicKey:
		return "Ed25519", "EdDSA"
	}
	return fmt.Sprintf("%T", public), ""
}

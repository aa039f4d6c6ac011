package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"strings"
)

// FieldAlgorithm is the Error.Field of an algorithm that there is not.
const FieldAlgorithm = "algorithm"

// AlgorithmInfo describes a kind of key that can be made.
type AlgorithmInfo struct {
	ID   string // "ed25519"
	Name string // for people
	For  string // when to take it, a sentence
}

// Algorithms lists the kinds of keys that Generate makes, the usual choice first.
func Algorithms() []AlgorithmInfo {
	return []AlgorithmInfo{
		{"ed25519", "Ed25519", "The usual choice for SSH: short, fast and strong. Some older servers and services for certificates do not take it."},
		{"rsa3072", "RSA, 3072 bits", "The choice for whatever does not take Ed25519; every program reads it."},
		{"rsa4096", "RSA, 4096 bits", "When a rule asks for it; it is slower, and making one takes a few seconds."},
		{"ecdsa256", "ECDSA on P-256", "The usual choice for TLS certificates and for tokens (ES256)."},
		{"ecdsa384", "ECDSA on P-384", "When a rule asks for it, such as in government."},
		{"ecdsa521", "ECDSA on P-521", "When a rule asks for it; many services do not take it in certificates."},
	}
}

// Generate makes a private key. The item can be given to Write, for the private
// half and for the public one. RSA with 4096 bits may take several seconds. The
// error is an *connectors.Error whose Field is FieldAlgorithm.
func Generate(algorithm string, comment string) (Item, error) {
	key, err := newKey(algorithm)
	if err != nil {
		return Item{}, err
	}
	i := Item{Kind: PrivateKey, Format: "new", Name: oneLine(comment, maxComment)}
	i.have(key)
	return i, nil
}

func newKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "rsa3072":
		return rsa.GenerateKey(rand.Reader, 3072)
	case "rsa4096":
		return rsa.GenerateKey(rand.Reader, 4096)
	case "ecdsa256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ecdsa384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ecdsa521":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	}
	return nil, refuse("keys.generate_algorithm", FieldAlgorithm, known())
}

func known() string {
	var out []string
	for _, a := range Algorithms() {
		out = append(out, a.ID)
	}
	return strings.Join(slices.Sorted(slices.Values(out)), ", ")
}

package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "embed" // for the list of known keys
	"math/big"
	"strings"
)

// largestRSA is the largest modulus that is computed with, in bits.
const largestRSA = 16384

func tooLarge(public crypto.PublicKey) bool {
	k, ok := public.(*rsa.PublicKey)
	return ok && (k.N.BitLen() > largestRSA || k.N.Sign() <= 0)
}

// A weakness is a Finding before it has its place.
type weakness struct {
	id    string
	grade Grade
	text  string
}

// knownKeys are fingerprints of private keys that everybody can download, one
// to a line, each with the product that came with it. They are those of
// https://github.com/rapid7/ssh-badkeys and https://github.com/hashicorp/vagrant/tree/main/keys.
//
//go:embed known_keys.txt
var knownKeys string

// weaknesses are what is wrong with a public key.
func weaknesses(public crypto.PublicKey) []weakness {
	var out []weakness
	add := func(id string, grade Grade, args ...string) { out = append(out, weakness{id, grade, say(id, args...)}) }
	if public == nil {
		return nil
	}
	name, bits, curve := Describe(public)
	switch k := public.(type) {
	case *rsa.PublicKey:
		rsaWeaknesses(k, add)
	case *ecdsa.PublicKey:
		if bits < 256 {
			add("weak_curve", Bad, curve)
		}
	default:
		if name == "DSA" {
			add("weak_dsa", Bad, count64(bits))
		}
	}
	if !tooLarge(public) {
		if product := knownKey(KeyFingerprints(public).SSH); product != "" {
			add("known_key", Bad, product)
		}
	}
	return out
}

func knownKey(fingerprint string) string {
	if fingerprint == "" {
		return ""
	}
	_, rest, ok := strings.Cut(knownKeys, fingerprint+" ")
	if !ok {
		return ""
	}
	product, _, _ := strings.Cut(rest, "\n")
	return product
}

func rsaWeaknesses(k *rsa.PublicKey, add func(string, Grade, ...string)) {
	bits := k.N.BitLen()
	if tooLarge(k) {
		add("rsa_huge", Bad, count64(bits))
		return
	}
	if bits < 2048 {
		add("weak_rsa", Bad, count64(bits))
	}
	switch {
	case k.E == 1:
		add("rsa_one", Bad)
	case k.E%2 == 0:
		add("rsa_exponent", Bad)
	case k.E < 65537:
		add("rsa_small_exponent", Note, count64(k.E))
	}
	switch {
	case smallFactor(k.N):
		add("rsa_factor", Bad)
	case roca(k.N):
		add("roca", Bad)
	case closePrimes(k.N):
		add("close_primes", Bad)
	}
}

// smallPrimes are the primes below some number.
func smallPrimes(below int) []int {
	var out []int
	for n := 2; n < below; n++ {
		if big.NewInt(int64(n)).ProbablyPrime(0) { // certain for numbers of this size
			out = append(out, n)
		}
	}
	return out
}

func smallFactor(n *big.Int) bool {
	rest := new(big.Int)
	for _, p := range smallPrimes(1000) {
		if rest.Mod(n, big.NewInt(int64(p))).Sign() == 0 {
			return true
		}
	}
	return false
}

// roca tells the keys of Infineon's library (CVE-2017-15361): modulo each small
// prime they are a power of 65537. See section 2.2 of Nemec et al., "The Return of
// Coppersmith's Attack" (https://crocs.fi.muni.cz/public/papers/rsa_ccs17). The
// first 39 primes are those of the shortest keys.
func roca(n *big.Int) bool {
	if n.BitLen() < 500 {
		return false
	}
	rest := new(big.Int)
	for _, p := range smallPrimes(168) {
		if !powerOf65537(int(rest.Mod(n, big.NewInt(int64(p))).Int64()), p) {
			return false
		}
	}
	return true
}

func powerOf65537(n, p int) bool {
	power := 1 % p
	for range p {
		if power == n {
			return true
		}
		power = power * (65537 % p) % p
	}
	return false
}

// fermatSteps are enough for primes that a bad generator chose next to each other
// (CVE-2022-26320, https://fermatattack.secvuln.info).
const fermatSteps = 100

// closePrimes tries Fermat's factorization.
func closePrimes(n *big.Int) bool {
	if n.Bit(0) == 0 {
		return false
	}
	a := new(big.Int).Sqrt(n)
	square, root := new(big.Int), new(big.Int)
	if square.Mul(a, a).Cmp(n) == 0 {
		return true
	}
	for range fermatSteps {
		a.Add(a, big.NewInt(1))
		square.Sub(square.Mul(a, a), n)
		if last := square.Bits()[0] & 15; last != 0 && last != 1 && last != 4 && last != 9 {
			continue
		}
		root.Sqrt(square)
		if new(big.Int).Mul(root, root).Cmp(square) == 0 {
			return true
		}
	}
	return false
}

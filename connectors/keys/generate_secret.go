package keys

import (
	"crypto/rand"
	"slices"
	"strings"

	"filippo.io/age"
	"github.com/sethvargo/go-diceware/diceware"

	"jackfield/connectors"
)

// The names that Error.Field has for RandomSecret and Words.
const (
	FieldLength   = "length"
	FieldAlphabet = "alphabet"
)

// The bounds of what is made at random.
const (
	minSecret, maxSecret = 16, 1024 // characters
	minWords, maxWords   = 4, 12
)

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// RandomSecret is length characters (16 to 1024), each equally probable, of an
// alphabet: "letters" (with digits, 5.95 bits a character), "hex" (4 bits) or
// "base64url" (6 bits; RFC 4648 section 5). The error is an *connectors.Error
// whose Field is FieldLength or FieldAlphabet.
func RandomSecret(length int, alphabet string) (connectors.Secret, error) {
	set := map[string]string{"letters": letters, "hex": "0123456789abcdef", "base64url": letters + "-_"}[alphabet]
	switch {
	case set == "":
		return connectors.Secret{}, refuse("keys.generate_alphabet", FieldAlphabet, "")
	case length < minSecret || length > maxSecret:
		return connectors.Secret{}, refuse("keys.generate_length", FieldLength, "")
	}
	out := make([]byte, 0, length)
	some := make([]byte, 64)
	for len(out) < length {
		_, _ = rand.Read(some) // it never fails
		out = append(out, drawn(some, set, length-len(out))...)
	}
	return connectors.NewSecret(string(out)), nil
}

// drawn makes at most n characters of random bytes. Bytes above the last whole
// multiple of the set are left away, or the first characters would come more often.
func drawn(random []byte, set string, n int) []byte {
	var out []byte
	limit := 256 - 256%len(set)
	for _, b := range random {
		if int(b) < limit && len(out) < n {
			out = append(out, set[int(b)%len(set)])
		}
	}
	return out
}

// Words is a passphrase of n different words, 4 to 12, with hyphens between
// them. They are from the list of 7776 words of
// https://www.eff.org/dice, without its four that have a hyphen themselves. A
// word gives 12.9 bits of entropy: 6 words, the usual number, give 77 bits. The
// error is an *connectors.Error whose Field is FieldLength.
func Words(n int) (connectors.Secret, error) {
	if n < minWords || n > maxWords {
		return connectors.Secret{}, refuse("keys.generate_words", FieldLength, "")
	}
	for {
		words, err := diceware.Generate(n)
		if err != nil {
			return connectors.Secret{}, err
		}
		if !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "-") }) {
			return connectors.NewSecret(strings.Join(words, "-")), nil
		}
	}
}

// NewAge is a key pair of age (https://age-encryption.org/v1, X25519): the
// identity ("AGE-SECRET-KEY-1…") opens what was encrypted to the recipient
// ("age1…"), which may be given to everybody.
func NewAge() (identity connectors.Secret, recipient string, err error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return connectors.Secret{}, "", err
	}
	return connectors.NewSecret(key.String()), key.Recipient().String(), nil
}

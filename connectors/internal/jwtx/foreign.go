package jwtx

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/kayrus/putty"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
)

// What a PPK file may ask of its key derivation: PuTTY's default is 8 MB and 13 passes.
const (
	maxArgonKB   = 256 << 10
	maxArgonWork = 4 << 20 // KB times passes
	maxArgonPar  = 16
)

const ppkPrefix = "PuTTY-User-Key-File-"

func puttyKey(text string, passphrase connectors.Secret) (crypto.Signer, error) {
	if len(text) > maxKeyPPK {
		return nil, bad("jwt.key_large", fieldKey, "", nil)
	}
	// Tidying may have taken the space after the name of an empty comment, and
	// the comment is part of what the MAC covers.
	text = strings.Replace(text, "\nComment:\n", "\nComment: \n", 1)
	k, err := putty.New([]byte(text))
	if err != nil {
		return nil, bad("jwt.not_a_key", fieldKey, "", nil)
	}
	// The package trusts the public half; this checks its lengths and its curve.
	if _, err := ssh.ParsePublicKey(k.PublicKey); err != nil {
		return nil, bad("jwt.not_a_key", fieldKey, "", nil)
	}
	var pass []byte
	if k.Encryption != "none" {
		if passphrase.Empty() {
			return nil, bad("jwt.passphrase_needed", fieldPassphrase, "", nil)
		}
		if costly(k) {
			return nil, bad("jwt.key_costly", fieldKey, "", nil)
		}
		pass = []byte(passphrase.Reveal())
	}
	raw, err := k.ParseRawPrivateKey(pass)
	if err != nil && pass != nil {
		return nil, bad("jwt.passphrase_wrong", fieldPassphrase, "", nil)
	}
	if err != nil {
		return nil, bad("jwt.not_a_key", fieldKey, "", nil)
	}
	return signerOf(raw)
}

func costly(k *putty.Key) bool {
	return k.Version >= 3 && (k.Argon2Memory > maxArgonKB || k.Argon2Parallelism > maxArgonPar ||
		uint64(k.Argon2Memory)*uint64(k.Argon2Passes) > maxArgonWork)
}

// maxJWK bounds the JSON of a key, in bytes.
const maxJWK = 16 << 10

// jsonKey reads the JSON of a Google service account or a JWK (RFC 7517).
func jsonKey(text string, passphrase connectors.Secret) (crypto.Signer, error) {
	var file struct {
		PrivateKey string            `json:"private_key"`
		Kty        string            `json:"kty"`
		Keys       []json.RawMessage `json:"keys"`
	}
	if len(text) > maxJWK {
		return nil, bad("jwt.key_large", fieldKey, "", nil)
	}
	if json.Unmarshal([]byte(text), &file) != nil {
		text = escapeLines(text)
		if err := json.Unmarshal([]byte(text), &file); err != nil {
			return nil, bad("jwt.not_a_key", fieldKey, "", nil)
		}
	}
	switch {
	case file.PrivateKey != "":
		return textKey(answers.TidyPEM(file.PrivateKey), passphrase)
	case len(file.Keys) == 1: // a set with one key (section 5)
		return webKey(file.Keys[0])
	case file.Kty != "":
		return webKey([]byte(text))
	}
	return nil, bad("jwt.key_json", fieldKey, "", nil)
}

// escapeLines puts back the \n of JSON strings that tidying had turned into
// line breaks.
func escapeLines(text string) string {
	var b strings.Builder
	inside, escaped := false, false
	for _, r := range text {
		if inside && (r == '\n' || r == '\r') {
			b.WriteString(`\n`)
			continue
		}
		if r == '"' && !escaped {
			inside = !inside
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

func webKey(data []byte) (crypto.Signer, error) {
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(data); err != nil {
		return nil, bad("jwt.not_a_key", fieldKey, "", nil)
	}
	if _, shared := key.Key.([]byte); shared {
		return nil, bad("jwt.key_shared", fieldKey, "", nil)
	}
	if key.IsPublic() {
		return nil, bad("jwt.public_key", fieldKey, "", nil)
	}
	if !key.Valid() {
		return nil, bad("jwt.not_a_key", fieldKey, "", nil)
	}
	return signerOf(key.Key)
}

// foreignKind names what a PKCS#8 key is for when the standard library does not
// know it, "" for all else.
func foreignKind(der []byte) string {
	var info struct {
		Version    int
		Algorithm  pkix.AlgorithmIdentifier
		Key        []byte
		Attributes asn1.RawValue `asn1:"optional,tag:0"`
	}
	if strict(der, &info) != nil {
		return ""
	}
	switch id := info.Algorithm.Algorithm.String(); id {
	case "1.2.840.113549.1.1.1", "1.3.101.112": // RSA and Ed25519 that are damaged
		return ""
	case "1.2.840.10045.2.1":
		return "EC on another curve"
	case "1.2.840.113549.1.1.10":
		return "RSA for PSS alone"
	case "1.2.840.10040.4.1":
		return "DSA"
	case "1.3.101.113":
		return "Ed448"
	default:
		return id
	}
}

// kindOf names a key that cannot sign tokens by its Go package: DSA, ECDH.
func kindOf(raw any) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprintf("%T", raw), "*"), ".")
	return strings.ToUpper(name)
}

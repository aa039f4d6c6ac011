package jwtx

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// maxText is what is read at most, in bytes.
const maxText = 256 << 10

// ReadKey reads a private key in whatever form people have it, which is everything
// that package keys opens: PEM (PKCS#1, SEC 1, PKCS#8, encrypted or not, OpenSSH),
// PuTTY's PPK, base64 of a PFX, of a Java key store or of DER, a JWK, or the JSON
// of a Google service account. What pasting does to them is repaired. Errors are
// *connectors.Error on "jwt_key" or "jwt_passphrase".
func ReadKey(text string, passphrase connectors.Secret) (crypto.Signer, error) {
	items, err := found(text, passphrase)
	if err != nil {
		return nil, err
	}
	return keyIn(items, text)
}

func found(text string, passphrase connectors.Secret) ([]keys.Item, error) {
	if len(text) > maxText {
		return nil, bad("jwt.key_large", fieldKey, "", nil)
	}
	items, err := keys.Use([]byte(text), passphrase)
	if err != nil {
		return nil, unread(err, text)
	}
	return items, nil
}

// keyIn is the one private key of items. A set of several JWKs leaves open which
// of them is meant.
func keyIn(items []keys.Item, text string) (crypto.Signer, error) {
	i := keys.First(items)
	switch {
	case i == nil:
		return nil, instead(items[0].Kind, text)
	case i.Err != nil:
		return nil, unread(i.Err, text)
	case i.Format == "JWK" && len(items) > 1:
		return nil, bad("jwt.key_json", fieldKey, "", nil)
	}
	signer, ok := i.Private.Signer()
	if !ok {
		return nil, bad("jwt.key_kind", fieldKey, kindOf(i.Private.Key()), nil)
	}
	return signer, nil
}

// instead says what was given where no private key is in it.
func instead(kind keys.Kind, text string) error {
	reason := "jwt.not_a_key"
	switch kind {
	case keys.Empty:
		reason = "jwt.key_needed"
	case keys.Certificate, keys.PKCS7:
		reason = "jwt.certificate"
	case keys.PublicKey:
		reason = "jwt.public_key"
	case keys.SharedKey:
		reason = "jwt.key_shared"
	case keys.JSON, keys.OAuthClient, keys.AuthorizedUser:
		if json.Valid([]byte(keys.JSONText(text))) {
			reason = "jwt.key_json"
		}
	}
	return bad(reason, fieldKey, "", nil)
}

// unread puts the reasons of package keys into those of tokens.
func unread(err error, text string) error {
	e := connectors.Classify(err)
	switch strings.TrimPrefix(e.Reason, "keys.") {
	case "passphrase_needed":
		return bad("jwt.passphrase_needed", fieldPassphrase, "", nil)
	case "passphrase_wrong", "entry_password":
		return bad("jwt.passphrase_wrong", fieldPassphrase, "", nil)
	case "costly":
		return bad("jwt.key_costly", fieldKey, "", nil)
	case "cipher":
		return bad("jwt.key_cipher", fieldKey, e.Said, nil)
	case "kind", "security_key":
		return bad("jwt.key_kind", fieldKey, e.Said, nil)
	case "large", "many":
		return bad("jwt.key_large", fieldKey, "", nil)
	case "pfx":
		return bad("jwt.pfx", fieldKey, "", nil)
	}
	return instead(keys.Identify([]byte(text)), text)
}

// kindOf names a key that cannot sign tokens by its Go package: DSA, ECDH.
func kindOf(raw any) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprintf("%T", raw), "*"), ".")
	return strings.ToUpper(name)
}

// ToPEM writes the key as PKCS#8 (RFC 5958), unencrypted.
func ToPEM(key crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", bad("jwt.key_kind", fieldKey, "", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// Certificates reads the certificates of a PFX, a Java key store, a P7B or PEM
// and returns the chain of the first leaf among them: the leaf, its issuer, and so
// on. Certificates that are not of that chain are left out. Errors are
// *connectors.Error on "jwt_key" or "jwt_passphrase".
func Certificates(text string, passphrase connectors.Secret) ([]*x509.Certificate, error) {
	_, certs, err := bundle(text, passphrase)
	if err != nil {
		return nil, err
	}
	return keys.Order(certs, nil).Certificates, nil
}

// Chain reads a client certificate with its key from a PFX, a Java key store, or
// PEM that has both. The certificates come out in the order in which they are
// sent: the key's own first, then the one that issued it, and so on. Errors are
// *connectors.Error on "jwt_key" or "jwt_passphrase".
func Chain(text string, passphrase connectors.Secret) (certPEM string, keyPEM connectors.Secret, err error) {
	items, certs, err := bundle(text, passphrase)
	if err != nil {
		return "", connectors.Secret{}, err
	}
	key, err := keyIn(items, text)
	if err != nil {
		return "", connectors.Secret{}, err
	}
	if !slices.ContainsFunc(certs, func(c *x509.Certificate) bool { return keys.Same(c.PublicKey, key.Public()) }) {
		return "", connectors.Secret{}, bad("jwt.key_mismatch", fieldKey, "", nil)
	}
	pemKey, err := ToPEM(key)
	if err != nil {
		return "", connectors.Secret{}, err
	}
	return keys.ChainPEM(keys.Order(certs, key.Public()).Certificates), connectors.NewSecret(pemKey), nil
}

// bundle returns what is in text, with at least one certificate.
func bundle(text string, passphrase connectors.Secret) ([]keys.Item, []*x509.Certificate, error) {
	items, err := found(text, passphrase)
	kind := keys.Identify([]byte(text))
	e := connectors.Classify(err)
	switch {
	case e != nil && e.Reason == "jwt.not_a_key" && strings.Contains(text, "BEGIN CERTIFICATE"), e != nil && e.Reason == "jwt.certificate":
		return nil, nil, bad("jwt.certificate_damaged", fieldKey, "", nil)
	case e != nil && e.Field == fieldKey && kind != keys.PFX && kind != keys.JavaStore && e.Reason != "jwt.key_large":
		return nil, nil, bad("jwt.no_certificate", fieldKey, "", nil)
	case err != nil:
		return nil, nil, err
	}
	certs := keys.Certificates(items)
	if len(certs) == 0 {
		return nil, nil, bad("jwt.no_certificate", fieldKey, "", nil)
	}
	return items, certs, nil
}

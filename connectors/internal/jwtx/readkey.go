package jwtx

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/pkcs8x"
)

// What is read at most, in bytes. The largest RSA key in use, with 16384 bits,
// is 9 KB of DER; arithmetic on anything larger takes minutes.
const (
	maxText   = 256 << 10
	maxKeyDER = 12 << 10
	maxKeyPPK = 20 << 10
)

// ReadKey reads a private key in whatever form people have it: PEM (PKCS#1,
// SEC 1, PKCS#8, encrypted or not, OpenSSH), PuTTY's PPK versions 2 and 3,
// base64 of a PFX or of DER, a JWK, or the JSON of a Google service account.
// What pasting does to them is repaired. Errors are *connectors.Error on
// "jwt_key" or "jwt_passphrase".
func ReadKey(text string, passphrase connectors.Secret) (crypto.Signer, error) {
	if len(text) > maxText {
		return nil, bad("jwt.key_large", fieldKey, "", nil)
	}
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"))
	if text == "" {
		return nil, bad("jwt.key_needed", fieldKey, "", nil)
	}
	if strings.HasPrefix(text, "{") {
		return jsonKey(text, passphrase)
	}
	if strings.HasPrefix(text, ppkPrefix) {
		return puttyKey(text, passphrase)
	}
	return textKey(answers.TidyPEM(text), passphrase)
}

func textKey(text string, passphrase connectors.Secret) (crypto.Signer, error) {
	switch {
	case strings.HasPrefix(text, ppkPrefix):
		return puttyKey(text, passphrase)
	case strings.Contains(text, "-----BEGIN "):
		return pemKey(text, passphrase)
	case strings.HasPrefix(text, "ssh-"), strings.HasPrefix(text, "ecdsa-"), strings.Contains(text, "BEGIN SSH2 PUBLIC KEY"):
		return nil, bad("jwt.public_key", fieldKey, "", nil)
	}
	der, err := fromBase64(text)
	if err != nil || len(der) < 2 {
		return nil, bad("jwt.not_a_key", fieldKey, "", nil)
	}
	if isPFX(der) {
		found, err := readPFX(der, passphrase)
		if err != nil {
			return nil, err
		}
		return signerOf(found.key)
	}
	return derKey(der, passphrase)
}

// blocks are the PEM blocks of a text, also when its lines were joined.
func blocks(text string) []*pem.Block {
	text = joined.ReplaceAllStringFunc(text, func(s string) string {
		part := joined.FindStringSubmatch(s)
		return "-----BEGIN " + part[1] + "-----\n" + strings.Join(strings.Fields(part[2]), "\n") + "\n-----END " + part[3] + "-----\n"
	})
	var out []*pem.Block
	for rest := []byte(text); len(out) < maxCerts; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		out = append(out, block)
	}
	return out
}

// joined is a block whose line breaks became spaces, or nothing.
var joined = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*([A-Za-z0-9+/= \t]+?)[ \t]*-----END ([A-Z0-9 ]{1,40})-----`)

func pemKey(text string, passphrase connectors.Secret) (crypto.Signer, error) {
	reason := "jwt.not_a_key"
	for _, block := range blocks(text) {
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return blockKey(block, passphrase)
		case block.Type == "CERTIFICATE" || block.Type == "TRUSTED CERTIFICATE":
			reason = "jwt.certificate"
		case strings.HasSuffix(block.Type, "PUBLIC KEY"):
			reason = "jwt.public_key"
		}
	}
	return nil, bad(reason, fieldKey, "", nil)
}

func blockKey(block *pem.Block, passphrase connectors.Secret) (crypto.Signer, error) {
	if len(block.Bytes) > maxKeyDER {
		return nil, bad("jwt.key_large", fieldKey, "", nil)
	}
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return encryptedKey(block.Bytes, passphrase)
	case block.Type == "OPENSSH PRIVATE KEY", block.Type == "DSA PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return sshKey(block, passphrase)
	}
	return derKey(block.Bytes, passphrase)
}

// sshKey opens OpenSSH's own format, whose bcrypt rounds x/crypto bounds, and
// the old encryption of PEM (RFC 1421 section 4.6.1.3).
func sshKey(block *pem.Block, passphrase connectors.Secret) (crypto.Signer, error) {
	text := pem.EncodeToMemory(block)
	raw, err := ssh.ParseRawPrivateKey(text)
	var locked *ssh.PassphraseMissingError
	if !errors.As(err, &locked) {
		if err != nil {
			return nil, bad("jwt.not_a_key", fieldKey, "", err)
		}
		return signerOf(raw)
	}
	if passphrase.Empty() {
		return nil, bad("jwt.passphrase_needed", fieldPassphrase, "", nil)
	}
	if raw, err = ssh.ParseRawPrivateKeyWithPassphrase(text, []byte(passphrase.Reveal())); err == nil {
		return signerOf(raw)
	}
	// With the wrong passphrase PEM's old encryption gives noise, in which
	// anything may be wrong.
	if errors.Is(err, x509.IncorrectPasswordError) || block.Type != "OPENSSH PRIVATE KEY" {
		return nil, bad("jwt.passphrase_wrong", fieldPassphrase, "", nil)
	}
	return nil, bad("jwt.not_a_key", fieldKey, "", err)
}

// encryptedKey opens PKCS#8 under PBES2, the only encryption that pkcs8x reads.
func encryptedKey(der []byte, passphrase connectors.Secret) (crypto.Signer, error) {
	var info encryptedKeyInfo
	if strict(der, &info) != nil {
		return nil, bad("jwt.not_a_key", fieldKey, "", nil)
	}
	if info.Algorithm.Algorithm.String() != idPBES2 {
		return nil, bad("jwt.key_cipher", fieldKey, "", nil)
	}
	if passphrase.Empty() {
		return nil, bad("jwt.passphrase_needed", fieldPassphrase, "", nil)
	}
	raw, err := pkcs8x.Parse(der, []byte(passphrase.Reveal()))
	if errors.Is(err, pkcs8x.ErrCostly) {
		return nil, bad("jwt.key_costly", fieldKey, "", nil)
	}
	if err != nil {
		return nil, bad("jwt.passphrase_wrong", fieldPassphrase, "", nil)
	}
	return signerOf(raw)
}

// derKey reads PKCS#8, PKCS#1 and SEC 1, whatever the label said.
func derKey(der []byte, passphrase connectors.Secret) (crypto.Signer, error) {
	if len(der) > maxKeyDER {
		return nil, bad("jwt.key_large", fieldKey, "", nil)
	}
	raw, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		return signerOf(raw)
	}
	if rsa, e := x509.ParsePKCS1PrivateKey(der); e == nil {
		return rsa, nil
	}
	if ec, e := x509.ParseECPrivateKey(der); e == nil {
		return ec, nil
	}
	if kind := foreignKind(der); kind != "" {
		return nil, bad("jwt.key_kind", fieldKey, kind, nil)
	}
	if _, e := x509.ParseCertificate(der); e == nil {
		return nil, bad("jwt.certificate", fieldKey, "", nil)
	}
	if _, e := x509.ParsePKIXPublicKey(der); e == nil {
		return nil, bad("jwt.public_key", fieldKey, "", nil)
	}
	var locked encryptedKeyInfo
	if strict(der, &locked) == nil {
		return encryptedKey(der, passphrase)
	}
	return nil, bad("jwt.not_a_key", fieldKey, "", err)
}

// signerOf takes what parsers return. A key that cannot sign (DSA, X25519) is
// an error that names it.
func signerOf(raw any) (crypto.Signer, error) {
	if p, ok := raw.(*ed25519.PrivateKey); ok {
		raw = *p
	}
	signer, ok := raw.(crypto.Signer)
	if !ok {
		return nil, bad("jwt.key_kind", fieldKey, kindOf(raw), nil)
	}
	return signer, nil
}

// ToPEM writes the key as PKCS#8 (RFC 5958), unencrypted.
func ToPEM(key crypto.Signer) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", bad("jwt.key_kind", fieldKey, "", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

// samePublic reports whether the key is the private half of public.
func samePublic(public crypto.PublicKey, key crypto.Signer) bool {
	p, ok := public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key != nil && p.Equal(key.Public())
}

// strict reads one DER value and nothing after it.
func strict(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("there is data after the value")
	}
	return err
}

// Package sshx opens SSH connections: keys, certificates, host keys, sign-in,
// and tunnels through them.
package sshx

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/pkcs8x"
)

// maxKey bounds what is parsed as a key.
const maxKey = 64 << 10

// maxRounds is the library's limit for OpenSSH's own key derivation; ssh-keygen
// takes 16 where nothing else is asked for.
const maxRounds = 1 << 11

// Signer reads a private key in whatever form people have it: OpenSSH, PEM,
// PKCS#8 (encrypted or not), PuTTY, and a DER file as base64. Errors are
// *connectors.Error whose Field is "key" or "passphrase".
func Signer(key, passphrase connectors.Secret) (ssh.Signer, error) {
	text := key.Reveal()
	if len(text) > maxKey {
		return nil, keyError("ssh.not_a_key", "key", nil)
	}
	text = unwrapped(text)
	switch {
	case strings.HasPrefix(text, "PuTTY-User-Key-File-"):
		return puttyKey(text, passphrase)
	case strings.Contains(firstWord(text), "-cert-v01@openssh.com"):
		return nil, keyError("ssh.certificate", "key", nil)
	case isPublic(text):
		return nil, keyError("ssh.public_key", "key", nil)
	}
	block, _ := pem.Decode([]byte(text))
	switch {
	case block == nil:
		return nil, keyError("ssh.not_a_key", "key", nil)
	case block.Type == "CERTIFICATE":
		return nil, keyError("ssh.certificate", "key", nil)
	case block.Type == "ENCRYPTED PRIVATE KEY":
		return pkcs8Key(block.Bytes, passphrase)
	case block.Type == "OPENSSH PRIVATE KEY":
		if err := supported(block.Bytes); err != nil {
			return nil, err
		}
	}
	return pemKey([]byte(text), passphrase)
}

func pemKey(text []byte, passphrase connectors.Secret) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(text)
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if passphrase.Empty() {
			return nil, keyError("ssh.passphrase_needed", "passphrase", err)
		}
		signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase.Reveal()))
		if errors.Is(err, x509.IncorrectPasswordError) {
			return nil, keyError("ssh.passphrase_wrong", "passphrase", err)
		}
	}
	if err != nil {
		return nil, keyError("ssh.not_a_key", "key", err)
	}
	return signer, nil
}

// supported looks into OpenSSH's format (PROTOCOL.key of its source) for what
// the library refuses without a typed error: costly derivation, and the kinds
// of key whose private half is in a device.
func supported(data []byte) error {
	rest, ok := strings.CutPrefix(string(data), "openssh-key-v1\x00")
	if !ok {
		return keyError("ssh.not_a_key", "key", nil)
	}
	var file struct {
		Cipher, KDF, Options string
		Number               uint32
		Public               string
		Rest                 []byte `ssh:"rest"`
	}
	if ssh.Unmarshal([]byte(rest), &file) != nil {
		return keyError("ssh.not_a_key", "key", nil)
	}
	var options struct {
		Salt   string
		Rounds uint32
	}
	if file.KDF == "bcrypt" && ssh.Unmarshal([]byte(file.Options), &options) == nil && options.Rounds > maxRounds {
		return keyError("ssh.key_too_costly", "key", nil)
	}
	var public struct {
		Kind string
		Rest []byte `ssh:"rest"`
	}
	err := ssh.Unmarshal([]byte(file.Public), &public)
	switch {
	case err == nil && strings.HasPrefix(public.Kind, "sk-"):
		return keyError("ssh.key_kind", "key", nil)
	case err == nil && isDSA(public.Kind):
		return keyError("ssh.key_dsa_form", "key", nil)
	}
	return nil
}

// unwrapped undoes what keeps a file that is no text as an answer: base64 of it.
func unwrapped(text string) string {
	der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(der) == 0 {
		return text
	}
	if strings.HasPrefix(string(der), "PuTTY-User-Key-File-") {
		return strings.ReplaceAll(string(der), "\r\n", "\n")
	}
	kind := ""
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		kind = "PRIVATE KEY"
	} else if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		kind = "RSA PRIVATE KEY"
	} else if _, err := x509.ParseECPrivateKey(der); err == nil {
		kind = "EC PRIVATE KEY"
	} else if encryptedPKCS8(der) {
		kind = "ENCRYPTED PRIVATE KEY"
	}
	if kind == "" {
		return text
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// encryptedPKCS8 knows an EncryptedPrivateKeyInfo by its shape (RFC 5958 section 3).
func encryptedPKCS8(der []byte) bool {
	var info struct {
		Algorithm struct {
			ID     asn1.ObjectIdentifier
			Params asn1.RawValue `asn1:"optional"`
		}
		Data []byte
	}
	_, err := asn1.Unmarshal(der, &info)
	return err == nil
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return word
}

func isPublic(text string) bool {
	for _, start := range []string{"ssh-", "ecdsa-", "sk-"} {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	for _, head := range []string{"BEGIN SSH2 PUBLIC KEY", "BEGIN PUBLIC KEY", "BEGIN RSA PUBLIC KEY"} {
		if strings.Contains(text, head) {
			return true
		}
	}
	return false
}

func pkcs8Key(der []byte, passphrase connectors.Secret) (ssh.Signer, error) {
	if passphrase.Empty() {
		return nil, keyError("ssh.passphrase_needed", "passphrase", nil)
	}
	raw, err := pkcs8x.Parse(der, []byte(passphrase.Reveal()))
	if errors.Is(err, pkcs8x.ErrCostly) {
		return nil, keyError("ssh.key_too_costly", "key", err)
	}
	if err != nil {
		return nil, keyError("ssh.passphrase_wrong", "passphrase", err)
	}
	return signerOf(raw)
}

func signerOf(raw any) (ssh.Signer, error) {
	s, err := ssh.NewSignerFromKey(raw)
	if err != nil {
		return nil, keyError("ssh.not_a_key", "key", err)
	}
	return s, nil
}

func keyError(reason, field string, err error) error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageSignIn, Field: field, Err: err}
}

// Package sshx opens SSH connections: keys, host keys, sign-in.
package sshx

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/kayrus/putty"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/internal/pkcs8x"
)

// maxKey bounds what is parsed as a key.
const maxKey = 64 << 10

// Signer reads a private key in whatever form people have it: OpenSSH, PEM,
// PKCS#8 (encrypted or not), PuTTY. Errors are *connectors.Error whose Field is
// "key" or "passphrase".
func Signer(key, passphrase connectors.Secret) (ssh.Signer, error) {
	text := key.Reveal()
	switch {
	case len(text) > maxKey:
		return nil, keyError("ssh.not_a_key", "key", nil)
	case strings.HasPrefix(text, "PuTTY-User-Key-File-"):
		return puttyKey(text, passphrase)
	case strings.HasPrefix(text, "ssh-"), strings.HasPrefix(text, "ecdsa-"), strings.Contains(text, "BEGIN SSH2 PUBLIC KEY"), strings.Contains(text, "BEGIN PUBLIC KEY"):
		return nil, keyError("ssh.public_key", "key", nil)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, keyError("ssh.not_a_key", "key", nil)
	}
	if block.Type == "CERTIFICATE" {
		return nil, keyError("ssh.certificate", "key", nil)
	}
	if block.Type == "ENCRYPTED PRIVATE KEY" {
		return pkcs8Key(block.Bytes, passphrase)
	}
	signer, err := ssh.ParsePrivateKey([]byte(text))
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if passphrase.Empty() {
			return nil, keyError("ssh.passphrase_needed", "passphrase", err)
		}
		signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(text), []byte(passphrase.Reveal()))
		if errors.Is(err, x509.IncorrectPasswordError) {
			return nil, keyError("ssh.passphrase_wrong", "passphrase", err)
		}
	}
	if err != nil {
		return nil, keyError("ssh.not_a_key", "key", err)
	}
	return signer, nil
}

func puttyKey(text string, passphrase connectors.Secret) (ssh.Signer, error) {
	k, err := putty.New([]byte(text))
	if err != nil {
		return nil, keyError("ssh.not_a_key", "key", err)
	}
	var pass []byte
	if k.Encryption != "none" {
		if passphrase.Empty() {
			return nil, keyError("ssh.passphrase_needed", "passphrase", nil)
		}
		// A PPK file says itself how much memory its key derivation takes.
		if tooCostly(text) {
			return nil, keyError("ssh.key_too_costly", "key", nil)
		}
		pass = []byte(passphrase.Reveal())
	}
	raw, err := k.ParseRawPrivateKey(pass)
	if err != nil && pass != nil {
		return nil, keyError("ssh.passphrase_wrong", "passphrase", err)
	}
	if err != nil {
		return nil, keyError("ssh.not_a_key", "key", err)
	}
	return signerOf(raw)
}

// tooCostly reads the Argon2 header lines of a PPK version 3 file: PuTTY's own
// default is 8 MB; a quarter of a gigabyte is the most that is accepted.
func tooCostly(text string) bool {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		limit := map[string]int{"Argon2-Memory": 6, "Argon2-Passes": 4, "Argon2-Parallelism": 2}[name]
		if limit > 0 && (len(value) > limit || name == "Argon2-Memory" && len(value) == 6 && value > "262144") {
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

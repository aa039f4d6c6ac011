// Package sshx opens SSH connections: keys, certificates, host keys, sign-in,
// and tunnels through them.
package sshx

import (
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
	"jackfield/connectors/keys"
)

// maxKey bounds what is parsed as a key.
const maxKey = 64 << 10

// Signer reads a private key in whatever form people have it, which is everything
// that package keys opens, also a file that is no text as base64. Errors are
// *connectors.Error whose Field is "key" or "passphrase".
func Signer(key, passphrase connectors.Secret) (ssh.Signer, error) {
	text := key.Reveal()
	if len(text) > maxKey {
		return nil, keyError("ssh.not_a_key", "key", nil)
	}
	items, err := keys.Use([]byte(text), passphrase)
	if err != nil {
		return nil, unread(err, keys.Identify([]byte(text)))
	}
	i := keys.First(items)
	switch {
	case i == nil:
		return nil, instead(items)
	case i.Err != nil:
		return nil, unread(i.Err, keys.PrivateKey)
	}
	s, err := ssh.NewSignerFromKey(i.Private.Key())
	if err != nil {
		return nil, keyError("ssh.key_kind", "key", err)
	}
	return s, nil
}

// instead says what was given where no private key is in it.
func instead(items []keys.Item) error {
	has := func(is func(keys.Item) bool) bool { return slices.ContainsFunc(items, is) }
	switch {
	case has(func(i keys.Item) bool {
		_, signed := i.SSH.(*ssh.Certificate)
		return signed || i.Kind == keys.Certificate
	}):
		return keyError("ssh.certificate", "key", nil)
	case has(func(i keys.Item) bool { return i.Kind == keys.PublicKey }):
		return keyError("ssh.public_key", "key", nil)
	}
	return keyError("ssh.not_a_key", "key", nil)
}

// unread puts the reasons of package keys into those of SSH. kind is what the
// answer seems to be.
func unread(err error, kind keys.Kind) error {
	e := connectors.Classify(err)
	switch strings.TrimPrefix(e.Reason, "keys.") {
	case "passphrase_needed":
		return keyError("ssh.passphrase_needed", "passphrase", nil)
	case "passphrase_wrong", "entry_password":
		return keyError("ssh.passphrase_wrong", "passphrase", nil)
	case "costly":
		return keyError("ssh.key_too_costly", "key", nil)
	case "cipher":
		out := keyError("ssh.key_cipher", "key", nil)
		out.Said = e.Said
		return out
	case "kind", "security_key":
		return keyError("ssh.key_kind", "key", nil)
	}
	switch kind {
	case keys.Certificate:
		return keyError("ssh.certificate", "key", nil)
	case keys.PublicKey:
		return keyError("ssh.public_key", "key", nil)
	}
	return keyError("ssh.not_a_key", "key", err)
}

func keyError(reason, field string, err error) *connectors.Error {
	return &connectors.Error{Code: connectors.BadInput, Reason: reason, Op: connectors.StageSignIn, Field: field, Err: err}
}

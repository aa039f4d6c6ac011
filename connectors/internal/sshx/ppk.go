package sshx

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kayrus/putty"
	"golang.org/x/crypto/ssh"

	"jackfield/connectors"
)

// The most that a PuTTY file may ask for: it says itself how much work its
// derivation is. PuTTYgen takes 8 MB and as many passes as fit in 0.1 s.
const (
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonWork    = 4 << 20   // KiB, times passes
	maxArgonThreads = 64
)

// puttyKey reads a PuTTY file, version 2 or 3.
func puttyKey(text string, passphrase connectors.Secret) (ssh.Signer, error) {
	first, _, _ := strings.Cut(text, "\n")
	if kind := strings.TrimSpace(first[strings.IndexByte(first, ':')+1:]); strings.HasPrefix(kind, "ssh-ed448") {
		return nil, keyError("ssh.key_kind", "key", nil)
	}
	k, err := guarded(func() (*putty.Key, error) { return putty.New([]byte(text)) })
	if err != nil || len(k.PrivateKey) == 0 {
		return nil, keyError("ssh.not_a_key", "key", err)
	}
	var pass []byte
	if k.Encryption != "none" {
		if passphrase.Empty() {
			return nil, keyError("ssh.passphrase_needed", "passphrase", nil)
		}
		if k.Version >= 3 && costly(k) {
			return nil, keyError("ssh.key_too_costly", "key", nil)
		}
		pass = []byte(passphrase.Reveal())
	}
	raw, err := guarded(func() (any, error) { return k.ParseRawPrivateKey(pass) })
	var broken *panicError
	if err != nil && pass != nil && !errors.As(err, &broken) {
		return nil, keyError("ssh.passphrase_wrong", "passphrase", err)
	}
	if err != nil {
		return nil, keyError("ssh.not_a_key", "key", err)
	}
	return signerOf(raw)
}

// costly judges the numbers that the library will use, however the file wrote
// them: it reads a negative or huge one modulo 2³².
func costly(k *putty.Key) bool {
	return k.Argon2Memory > maxArgonMemory || k.Argon2Parallelism > maxArgonThreads ||
		uint64(k.Argon2Passes)*uint64(max(k.Argon2Memory, 8)) > maxArgonWork
}

// panicError stands for a panic of the library's, which takes the lengths in a
// file on trust.
type panicError struct{ cause string }

func (e *panicError) Error() string { return "the key's parts do not fit together: " + e.cause }

func guarded[T any](parse func() (T, error)) (v T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicError{cause: fmt.Sprint(r)}
		}
	}()
	return parse()
}

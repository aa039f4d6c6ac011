package keychain

import (
	"context"
	"errors"
	"os"
)

// Source is what gives the data key; with create it may make one.
type Source interface {
	Key(ctx context.Context, create bool) ([]byte, error)
	Kind() string
}

// Either is the system's keychain. Where there is none, and nothing is stored
// yet, the person may choose a passphrase instead; from then on the passphrase
// it is, also when a keychain turns up later.
type Either struct {
	system Source
	pass   *Passphrase
}

// NewEither uses the passphrase's file as the sign that it was chosen.
func NewEither(system Source, pass *Passphrase) *Either { return &Either{system, pass} }

// Kind is "passphrase" once one was chosen, else the system's.
func (e *Either) Kind() string {
	if e.chosen() {
		return e.pass.Kind()
	}
	return e.system.Kind()
}

func (e *Either) chosen() bool {
	_, err := os.Lstat(e.pass.path)
	return err == nil
}

// Key asks for a passphrase only where there is no keychain at all: a locked or
// dismissed one is no reason to keep secrets elsewhere.
func (e *Either) Key(ctx context.Context, create bool) ([]byte, error) {
	if e.chosen() {
		return e.pass.Key(ctx, create)
	}
	key, err := e.system.Key(ctx, create)
	if !create || !errors.Is(err, ErrNone) {
		return key, err
	}
	key, declined := e.pass.Key(ctx, true)
	if declined != nil {
		return nil, ErrNone.with(declined)
	}
	return key, nil
}

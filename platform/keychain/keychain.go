// Package keychain keeps the one data key of a store: in the operating system's
// keychain, under a passphrase, or in memory for tests. It is never written in
// the clear.
package keychain

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/zalando/go-keyring"
)

// KeySize is the data key's length in bytes.
const KeySize = 32

// Patience is how long a call to the keychain may take. A person may have to
// answer its prompt, so seconds would be too short.
const Patience = 60 * time.Second

// The item's names are constants: on macOS they become part of a command line
// of security(1), and user text has no place there.
const (
	service = "Jackfield"
	user    = "data key"
)

// An Error says why there is no key. Its Reason names words for people.
type Error struct {
	reason, text string
	Err          error
}

func (e *Error) Error() string {
	if e.Err != nil {
		return e.text + ": " + e.Err.Error()
	}
	return e.text
}

// Reason is a stable name such as "keychain.locked".
func (e *Error) Reason() string { return e.reason }
func (e *Error) Unwrap() error  { return e.Err }

// Is compares by reason, so that a wrapped cause does not matter.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.reason == e.reason
}

func (e *Error) with(err error) error { c := *e; c.Err = err; return &c }

// The reasons why there may be no key.
var (
	ErrNone            = &Error{reason: "keychain.none", text: "no keychain can be reached"}
	ErrLocked          = &Error{reason: "keychain.locked", text: "the keychain is locked"}
	ErrDismissed       = &Error{reason: "keychain.dismissed", text: "the keychain stored nothing: its prompt was closed"}
	ErrTimeout         = &Error{reason: "keychain.timeout", text: "the keychain does not answer"}
	ErrWrongPassphrase = &Error{reason: "keychain.wrong_passphrase", text: "the passphrase does not open the store"}
	ErrDamaged         = &Error{reason: "vault.damaged", text: "the key file is damaged"}
)

// Backend is the part of a keychain that is used; tests bring faulty ones.
type Backend interface {
	Get(service, user string) (string, error)
	Set(service, user, secret string) error
	// Available says why the keychain cannot be reached without starting anything.
	Available() error
}

// System is the operating system's keychain.
type System struct {
	backend  Backend
	patience time.Duration
	noKey    error

	turn  chan struct{} // one call at a time
	whole chan struct{} // one look-up-or-create at a time: two that both find nothing would each make a key
}

// NewSystem uses the real keychain. noKey is the error that says that no key is
// stored (the vault's).
func NewSystem(noKey error) *System { return newSystem(real{}, Patience, noKey) }

func newSystem(b Backend, patience time.Duration, noKey error) *System {
	return &System{backend: b, patience: patience, noKey: noKey, turn: make(chan struct{}, 1), whole: make(chan struct{}, 1)}
}

// Kind is "system".
func (s *System) Kind() string { return "system" }

// Key reads the data key; with create it stores a new one when there is none,
// and reads it back, because a dismissed prompt looks like success.
func (s *System) Key(ctx context.Context, create bool) ([]byte, error) {
	if err := s.backend.Available(); err != nil {
		return nil, ErrNone.with(err)
	}
	select {
	case s.whole <- struct{}{}:
		defer func() { <-s.whole }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	text, err := s.call(ctx, func() (string, error) { return s.backend.Get(service, user) })
	if err == nil {
		return decode(text)
	}
	if !errors.Is(err, keyring.ErrNotFound) {
		return nil, classify(err)
	}
	if !create {
		return nil, s.noKey
	}
	key := make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	want := base64.StdEncoding.EncodeToString(key)
	// The library takes the first signal on the bus for the prompt's answer, also
	// one that was meant for others: what counts is what can be read back.
	_, failed := s.call(ctx, func() (string, error) { return "", s.backend.Set(service, user, want) })
	if errors.Is(failed, ErrTimeout) || ctx.Err() != nil {
		return nil, classify(failed)
	}
	got, err := s.call(ctx, func() (string, error) { return s.backend.Get(service, user) })
	if failed != nil && (err != nil || got != want) {
		return nil, classify(failed)
	}
	if errors.Is(err, keyring.ErrNotFound) || (err == nil && got != want) {
		return nil, ErrDismissed
	}
	if err != nil {
		return nil, classify(err)
	}
	return key, nil
}

// call runs one keychain call at a time, with a deadline. The library's calls
// cannot be cancelled; one that never returns keeps its turn, so that no second
// prompt appears over the first.
func (s *System) call(ctx context.Context, do func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.patience, ErrTimeout)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-s.turn }()
		text, err := do()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func classify(err error) error {
	var known *Error
	switch {
	case errors.As(err, &known), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, keyring.ErrUnsupportedPlatform):
		return ErrNone.with(err)
	}
	return ErrLocked.with(err)
}

func decode(text string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != KeySize {
		return nil, fmt.Errorf("the keychain's item is not Jackfield's key: %w", ErrDamaged)
	}
	return key, nil
}

type real struct{}

func (real) Get(service, user string) (string, error) { return keyring.Get(service, user) }
func (real) Set(service, user, secret string) error   { return keyring.Set(service, user, secret) }
func (real) Available() error                         { return available() }

// Memory is a key that is gone with the process, for tests.
type Memory struct {
	mu  sync.Mutex
	key []byte
}

// Kind is "memory".
func (m *Memory) Kind() string { return "memory" }

// Key makes a key on first use.
func (m *Memory) Key(context.Context, bool) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.key == nil {
		m.key = make([]byte, KeySize)
		if _, err := rand.Read(m.key); err != nil {
			return nil, err
		}
	}
	return m.key, nil
}

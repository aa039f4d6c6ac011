package keychain

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// only is a source that gives what a test says.
type only struct {
	key []byte
	err error
}

func (o only) Key(context.Context, bool) ([]byte, error) { return o.key, o.err }
func (only) Kind() string                                { return "system" }

func TestSecurity33_APassphraseOnlyWhereThereIsNoKeychainAndOnlyWhenChosen(t *testing.T) {
	asked := 0
	choose := func(context.Context, bool) ([]byte, error) { asked++; return []byte("correct horse"), nil }
	decline := func(context.Context, bool) ([]byte, error) { asked++; return nil, errors.New("declined") }
	for name, c := range map[string]struct {
		system error
		ask    Ask
		create bool
		want   error
		asks   int
	}{
		"chosen":                     {ErrNone.with(errors.New("no bus")), choose, true, nil, 1},
		"declined":                   {ErrNone, decline, true, ErrNone, 1},
		"locked":                     {ErrLocked, choose, true, ErrLocked, 0},
		"dismissed":                  {ErrDismissed, choose, true, ErrDismissed, 0},
		"something is stored by now": {ErrNone, choose, false, ErrNone, 0},
	} {
		t.Run(name, func(t *testing.T) {
			asked = 0
			file := filepath.Join(t.TempDir(), "key.json")
			e := NewEither(only{err: c.system}, NewPassphrase(file, errNoKey, c.ask))
			key, err := e.Key(t.Context(), c.create)
			if !errors.Is(err, c.want) || asked != c.asks || (err == nil) != (len(key) == KeySize) {
				t.Fatalf("%v, asked %d times", err, asked)
			}
			if _, found := os.Stat(file); (found == nil) != (err == nil) || (e.Kind() == "passphrase") != (err == nil) {
				t.Errorf("kind %s, file %v", e.Kind(), found)
			}
		})
	}
}

func TestAChosenPassphraseStaysChosen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.json")
	fresh := []bool{}
	pass := NewPassphrase(file, errNoKey, func(_ context.Context, f bool) ([]byte, error) {
		fresh = append(fresh, f)
		return []byte("correct horse"), nil
	})
	first, err := NewEither(only{err: ErrNone}, pass).Key(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewEither(only{key: make([]byte, KeySize)}, pass).Key(t.Context(), true)
	if err != nil || string(again) != string(first) {
		t.Errorf("a keychain that turned up gives another key: %v", err)
	}
	if len(fresh) != 2 || !fresh[0] || fresh[1] {
		t.Errorf("asked %v", fresh)
	}
}

// Package wire puts the parts together that the window and jf share: the
// store under the keychain, the callback listener, the browser, the types.
package wire

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
	"jackfield/platform/browser"
	"jackfield/platform/hygiene"
	"jackfield/platform/keychain"
	"jackfield/platform/loopback"
	"jackfield/platform/paths"
	"jackfield/platform/vault"
)

// KeychainVar chooses where the data key lives: system, passphrase or memory.
const KeychainVar = "JACKFIELD_KEYCHAIN"

// PassphraseVar names a file with the passphrase, for unattended use.
const PassphraseVar = "JACKFIELD_PASSPHRASE_FILE"

// Options say what differs between the programs.
type Options struct {
	Log        *slog.Logger
	Passphrase keychain.Ask // gets the store's passphrase from the person
}

// A World is everything that a program stands on.
type World struct {
	Book     *link.Book
	Dir      string
	Keys     string // "system", "passphrase" or "memory"
	Unusable []Unusable

	source vault.KeySource
	vault  *vault.Vault
}

// Lock forgets the key under which secrets are sealed.
func (w *World) Lock() { w.vault.ForgetKey() }

// Unlock asks the keychain, or the person, for it again.
func (w *World) Unlock(ctx context.Context) error { return named(w.vault.NeedKey(ctx)) }

// Desk is where this person's requests lie, in a folder of its own under the
// same key. It is made on first use.
func (w *World) Desk() (*handover.Desk, error) {
	v, err := vault.Open(vault.Options{Dir: filepath.Join(w.Dir, "requests"), Keys: w.source})
	if err != nil {
		return nil, broken(err)
	}
	return handover.NewDesk(Store{v}, time.Now), nil
}

// Open opens the data folder.
func Open(o Options) (*World, error) {
	w := &World{}
	if err := hygiene.NoCoreDumps(); err != nil && o.Log != nil {
		o.Log.Warn("core dumps could not be switched off", "error", err)
	}
	dir, err := paths.Data()
	if err != nil {
		return nil, broken(err)
	}
	keys, err := keySource(dir, o.Passphrase)
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(vault.Options{Dir: dir, Keys: keys})
	if err != nil {
		return nil, broken(err)
	}
	types, unusable := Types()
	w.Unusable = unusable
	w.Dir, w.Keys, w.source, w.vault = dir, keys.Kind(), keys, v
	w.Book = link.NewBook(types, Store{v}, link.Outside{Log: o.Log, Callback: callback})
	return w, nil
}

// Close is for symmetry: the store holds nothing open.
func (w *World) Close() {}

// OpenURL shows a page in the system's browser.
func (w *World) OpenURL(ctx context.Context, url string) error { return browser.Open(ctx, url) }

// keySource follows the user's explicit choice; without one it is the system's
// keychain, or a passphrase where there is none and the person chooses one.
func keySource(dir string, ask keychain.Ask) (vault.KeySource, error) {
	if name := os.Getenv(PassphraseVar); name != "" {
		ask = func(context.Context, bool) ([]byte, error) {
			data, err := os.ReadFile(name)
			return []byte(strings.TrimRight(string(data), "\r\n")), err
		}
	}
	if ask == nil {
		ask = func(context.Context, bool) ([]byte, error) { return nil, connectors.ErrNobody }
	}
	pass := keychain.NewPassphrase(filepath.Join(dir, "key.json"), vault.ErrNoKey, ask)
	switch os.Getenv(KeychainVar) {
	case "":
		return keychain.NewEither(keychain.NewSystem(vault.ErrNoKey), pass), nil
	case "system":
		return keychain.NewSystem(vault.ErrNoKey), nil
	case "memory":
		return &keychain.Memory{}, nil
	case "passphrase":
		return pass, nil
	}
	return nil, &connectors.Error{Code: connectors.BadInput, Said: KeychainVar + " is system, passphrase or memory"}
}

// Drafts are running practice services as the book takes them.
func Drafts(list []practice.Connection) []link.PracticeDraft {
	var out []link.PracticeDraft
	for _, c := range list {
		out = append(out, link.PracticeDraft{Draft: link.Draft{Type: c.TypeID, Name: c.Name, Description: c.Description, Practice: true, Settings: c.Settings}, Place: c.Place()})
	}
	return out
}

func broken(err error) error {
	return &connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err}
}

func callback(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
	return loopback.Listen(ctx, loopback.Options{Host: r.Host, Port: r.Port, Path: r.Path, State: r.State})
}

// Store is the vault with its errors named for people.
type Store struct{ *vault.Vault }

// ReadProfile names the vault's errors.
func (s Store) ReadProfile(ctx context.Context, id string) ([]byte, error) {
	data, err := s.Vault.ReadProfile(ctx, id)
	return data, named(err)
}

// ReadSecrets names the vault's errors.
func (s Store) ReadSecrets(ctx context.Context, id string) (map[string]string, error) {
	secrets, err := s.Vault.ReadSecrets(ctx, id)
	return secrets, named(err)
}

// Update names the vault's errors.
func (s Store) Update(ctx context.Context, id string, change func([]byte, map[string]string) ([]byte, map[string]string, error)) error {
	return named(s.Vault.Update(ctx, id, change))
}

// UpdateProfile names the vault's errors.
func (s Store) UpdateProfile(ctx context.Context, id string, change func([]byte) ([]byte, error)) error {
	return named(s.Vault.UpdateProfile(ctx, id, change))
}

func named(err error) error {
	reason := ""
	switch {
	case errors.Is(err, vault.ErrKeyMissing):
		reason = "keychain.key_missing"
	case errors.Is(err, vault.ErrDamaged):
		reason = "vault.damaged"
	default:
		return err
	}
	return &connectors.Error{Code: connectors.Storage, Reason: reason, Said: err.Error(), Err: err}
}

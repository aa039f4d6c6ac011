// Package vault keeps profiles and sealed secrets in a folder.
//
//	connections/ID.json   a profile: plain, readable, diffable
//	secrets/ID.sealed     its secrets, sealed by the data key
//	secrets/index.sealed  the newest generation of each, so that an old file put back is noticed
//	locks/                taken by whoever writes
//
// The data key lives only in the keychain (or under a passphrase): see KeySource.
package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"jackfield/platform/atomicfile"
	"jackfield/platform/filelock"
	"jackfield/platform/paths"
)

// A KeySource gives the 32-byte data key.
type KeySource interface {
	// Key returns the stored key. With create it makes and stores one when there
	// is none; without, ErrNoKey says so.
	Key(ctx context.Context, create bool) ([]byte, error)
	Kind() string // "system", "passphrase" or "memory"
}

// ErrNoKey is what a KeySource answers when no key is stored. Sources of
// package keychain wrap it through their own ErrNoKey's Is method.
var ErrNoKey = errors.New("no data key is stored")

// ErrKeyMissing means that secrets exist and the key that sealed them does not.
// Nothing is overwritten: a new key would make them unreadable for good.
var ErrKeyMissing = errors.New("the key to the saved secrets is missing")

// ErrDamaged means that a file is not what was written: cut, changed, swapped
// with another or replaced by an older one.
var ErrDamaged = errors.New("a file of the store is damaged")

// ErrBadID means that an id is no UUID, and so never becomes part of a path.
var ErrBadID = errors.New("not a connection id")

// Options say where and under which key.
type Options struct {
	Dir  string
	Keys KeySource
	Poll time.Duration // how often Changes looks; a second when zero
}

// A Vault is safe for concurrent use, also by several processes on one folder.
type Vault struct {
	dir  string
	keys KeySource
	poll time.Duration

	turn chan struct{} // held while the keychain is asked
	mu   sync.Mutex
	key  []byte
}

// Open prepares the folder: private to this user, or an error.
func Open(o Options) (*Vault, error) {
	for _, dir := range []string{o.Dir, filepath.Join(o.Dir, "connections"), filepath.Join(o.Dir, "secrets"), filepath.Join(o.Dir, "locks")} {
		if err := paths.Private(dir); err != nil {
			return nil, err
		}
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	return &Vault{dir: o.Dir, keys: o.Keys, poll: o.Poll, turn: make(chan struct{}, 1)}, nil
}

// Dir is the data folder.
func (v *Vault) Dir() string { return v.dir }

var idShape = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (v *Vault) profile(id string) string { return filepath.Join(v.dir, "connections", id+".json") }
func (v *Vault) sealed(id string) string  { return filepath.Join(v.dir, "secrets", id+".sealed") }

func good(id string) error {
	if !idShape.MatchString(id) {
		return fmt.Errorf("%w: %q", ErrBadID, id)
	}
	return nil
}

// IDs lists the profiles.
func (v *Vault) IDs(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(v.dir, "connections"))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".json"); ok && good(id) == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// ReadProfile never touches the keychain. fs.ErrNotExist says that there is none.
func (v *Vault) ReadProfile(ctx context.Context, id string) ([]byte, error) {
	if err := errors.Join(ctx.Err(), good(id)); err != nil {
		return nil, err
	}
	data, err := v.read(v.profile(id))
	if err != nil {
		return nil, err
	}
	if !json.Valid(data) {
		return nil, v.damaged(v.profile(id))
	}
	return data, nil
}

// read refuses links and other users' files.
func (v *Vault) read(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if err := paths.Own(info); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return os.ReadFile(path)
}

func (v *Vault) damaged(path string) error {
	err := fmt.Errorf("%w: %s", ErrDamaged, path)
	if _, missing := os.Lstat(path + atomicfile.Backup); missing == nil {
		err = fmt.Errorf("%w (the content before the last save is in %s)", err, filepath.Base(path)+atomicfile.Backup)
	}
	return err
}

// ReadSecrets opens a connection's secrets; the map is empty when there are none.
func (v *Vault) ReadSecrets(ctx context.Context, id string) (map[string]string, error) {
	if err := errors.Join(ctx.Err(), good(id)); err != nil {
		return nil, err
	}
	secrets, _, err := v.open(ctx, id)
	return secrets, err
}

// Update is a locked read-modify-write of profile and secrets. The profile is
// nil for a new id. When change returns nil secrets, the stored ones stay as
// they are and nothing is sealed.
func (v *Vault) Update(ctx context.Context, id string, change func(profile []byte, secrets map[string]string) ([]byte, map[string]string, error)) error {
	return v.locked(ctx, id, func(profile []byte) ([]byte, error) {
		secrets, generation, err := v.open(ctx, id)
		if err != nil {
			return nil, err
		}
		out, after, err := change(profile, maps.Clone(secrets))
		if err != nil {
			return nil, err
		}
		if after != nil && !maps.Equal(secrets, after) {
			if err := v.seal(ctx, id, after, generation+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	})
}

// UpdateProfile is Update without any keychain.
func (v *Vault) UpdateProfile(ctx context.Context, id string, change func(profile []byte) ([]byte, error)) error {
	return v.locked(ctx, id, change)
}

func (v *Vault) locked(ctx context.Context, id string, change func(profile []byte) ([]byte, error)) error {
	unlock, err := v.Lock(ctx, id, "store")
	if err != nil {
		return err
	}
	defer unlock()
	profile, err := v.ReadProfile(ctx, id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := change(profile)
	if err != nil {
		return err
	}
	if !json.Valid(out) {
		return errors.New("a profile must be JSON")
	}
	return atomicfile.Write(v.profile(id), out, 0o600)
}

// Delete removes the profile, the secrets and every backup of them.
func (v *Vault) Delete(ctx context.Context, id string) error {
	unlock, err := v.Lock(ctx, id, "store")
	if err != nil {
		return err
	}
	defer unlock()
	// The index keeps its entry: a generation without a file is harmless, and
	// the next connection never gets this id.
	return errors.Join(remove(v.sealed(id)), remove(v.profile(id)))
}

// remove deletes a file, its backups and what a crash left half-written. The
// folder is read and compared with: its path may hold a pattern's characters.
func remove(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return err
	}
	base := filepath.Base(path)
	var errs []error
	for _, e := range entries {
		if !strings.HasPrefix(strings.TrimPrefix(e.Name(), "."), base) {
			continue
		}
		if err := os.Remove(filepath.Join(filepath.Dir(path), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Lock makes all processes take turns at one purpose for one connection.
func (v *Vault) Lock(ctx context.Context, id, purpose string) (unlock func(), err error) {
	if err := good(id); err != nil {
		return nil, err
	}
	return filelock.Lock(ctx, filepath.Join(v.dir, "locks", id+"."+purpose))
}

// Changes ticks after a profile was written or removed, by anybody. Ticks that
// nobody takes are merged. The channel is closed when ctx ends.
func (v *Vault) Changes(ctx context.Context) <-chan struct{} {
	ticks := make(chan struct{}, 1)
	before := v.look()
	go func() {
		defer close(ticks)
		every := time.NewTicker(v.poll)
		defer every.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-every.C:
			}
			now := v.look()
			if slices.Equal(before, now) {
				continue
			}
			before = now
			select {
			case ticks <- struct{}{}:
			default:
			}
		}
	}()
	return ticks
}

// look is what tells one state of the profiles from another. The folder's own
// time tells of a profile that came and went between two looks: somebody may
// have read it meanwhile.
func (v *Vault) look() []string {
	dir := filepath.Join(v.dir, "connections")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	if info, err := os.Stat(dir); err == nil {
		out = append(out, fmt.Sprint(info.ModTime().UnixNano()))
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), ".json") {
			out = append(out, fmt.Sprint(e.Name(), info.ModTime().UnixNano(), info.Size()))
		}
	}
	return out
}

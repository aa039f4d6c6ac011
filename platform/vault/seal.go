package vault

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"jackfield/platform/atomicfile"
	"jackfield/platform/filelock"
)

// version is part of what is authenticated: a later format cannot be passed off as this one.
const version = 1

// index is the id under which the generations are sealed.
const index = "index"

type envelope struct {
	Version    int    `json:"version"`
	Generation uint64 `json:"generation"`
	Nonce      []byte `json:"nonce"`
	Sealed     []byte `json:"sealed"`
}

// bound is the associated data: what a sealed file is, whose, and which one.
func bound(id string, generation uint64) []byte {
	return fmt.Appendf(nil, "jackfield secrets\x00%d\x00%s\x00%d", version, id, generation)
}

// dataKey asks the keychain once per process. With create a key may be made,
// unless something is sealed already: then a missing key is a loss to be told.
func (v *Vault) dataKey(ctx context.Context, create bool) ([]byte, error) {
	if key := v.held(); key != nil {
		return key, nil
	}
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if key := v.held(); key != nil {
		return key, nil
	}
	if v.keys == nil {
		return nil, ErrNoKey
	}
	if create {
		// Two programs that start together must not each make a key; what is
		// sealed is looked at once both cannot change it any more.
		unlock, err := filelock.Lock(ctx, filepath.Join(v.dir, "locks", "key"))
		if err != nil {
			return nil, err
		}
		defer unlock()
		old, err := v.records()
		if err != nil {
			return nil, err
		}
		create = len(old) == 0
	}
	key, err := v.keys.Key(ctx, create)
	if errors.Is(err, ErrNoKey) && !create {
		return nil, ErrKeyMissing
	}
	if err != nil {
		return nil, err
	}
	if len(key) != chacha20poly1305.KeySize {
		return nil, fmt.Errorf("%w: the key has %d bytes", ErrKeyMissing, len(key))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.key = key
	return key, nil
}

// ForgetKey forgets the key; whoever needs it next has to ask the keychain again.
// What is being read or written with it goes on.
func (v *Vault) ForgetKey() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.key = nil
}

// NeedKey asks for the key, where anything is sealed under it.
func (v *Vault) NeedKey(ctx context.Context) error {
	sealed, err := v.records()
	if err != nil || len(sealed) == 0 {
		return err
	}
	_, err = v.dataKey(ctx, false)
	return err
}

func (v *Vault) held() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.key
}

// records are the files in which somebody's secrets are sealed: not the index,
// which can be made again, and backups too.
func (v *Vault) records() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(v.dir, "secrets"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		id, ok := strings.CutSuffix(strings.TrimSuffix(e.Name(), atomicfile.Backup), ".sealed")
		if ok && good(id) == nil {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// open reads the secrets and their generation; none is generation 0.
func (v *Vault) open(ctx context.Context, id string) (map[string]string, uint64, error) {
	path := v.sealed(id)
	if _, err := v.read(path); errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, 0, nil
	}
	newest, listed, err := v.newest(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	secrets := map[string]string{}
	generation, err := v.unseal(ctx, id, path, &secrets)
	if err != nil {
		return nil, 0, err
	}
	// A crash between the two writes leaves the index one behind, never ahead,
	// and only a first record may be in no index at all. Another program may have
	// written both since the index was read, so it is read once more.
	if !listed && generation > 1 {
		if newest, listed, err = v.newest(ctx, id); err != nil {
			return nil, 0, err
		}
	}
	if generation < newest || !listed && generation > 1 {
		return nil, 0, fmt.Errorf("%w: it is older than what was saved last", v.damaged(path))
	}
	return secrets, generation, nil
}

func (v *Vault) unseal(ctx context.Context, id, path string, into any) (uint64, error) {
	data, err := v.read(path)
	if err != nil {
		return 0, err
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil || e.Version != version || len(e.Nonce) != chacha20poly1305.NonceSizeX {
		return 0, v.damaged(path)
	}
	key, err := v.dataKey(ctx, false)
	if err != nil {
		return 0, err
	}
	box, err := chacha20poly1305.NewX(key)
	if err != nil {
		return 0, err
	}
	plain, err := box.Open(nil, e.Nonce, e.Sealed, bound(id, e.Generation))
	if err != nil {
		return 0, v.damaged(path)
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return 0, v.damaged(path)
	}
	return e.Generation, nil
}

func (v *Vault) seal(ctx context.Context, id string, secrets map[string]string, generation uint64) error {
	if err := v.write(ctx, id, v.sealed(id), secrets, generation); err != nil {
		return err
	}
	return v.remember(ctx, id, generation)
}

func (v *Vault) write(ctx context.Context, id, path string, what any, generation uint64) error {
	key, err := v.dataKey(ctx, true)
	if err != nil {
		return err
	}
	box, err := chacha20poly1305.NewX(key)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(what)
	if err != nil {
		return err
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	data, err := json.Marshal(envelope{version, generation, nonce, box.Seal(nil, nonce, plain, bound(id, generation))})
	if err != nil {
		return err
	}
	return atomicfile.Write(path, data, 0o600)
}

func (v *Vault) indexPath() string { return filepath.Join(v.dir, "secrets", index+".sealed") }

func (v *Vault) generations(ctx context.Context) (map[string]uint64, uint64, error) {
	all := map[string]uint64{}
	generation, err := v.unseal(ctx, index, v.indexPath(), &all)
	if errors.Is(err, fs.ErrNotExist) {
		return all, 0, nil
	}
	return all, generation, err
}

func (v *Vault) newest(ctx context.Context, id string) (newest uint64, listed bool, err error) {
	all, _, err := v.generations(ctx)
	newest, listed = all[id]
	return newest, listed, err
}

func (v *Vault) remember(ctx context.Context, id string, generation uint64) error {
	unlock, err := filelock.Lock(ctx, filepath.Join(v.dir, "locks", index))
	if err != nil {
		return err
	}
	defer unlock()
	all, newest, err := v.generations(ctx)
	if err != nil {
		// With no other record there is nothing that the index could protect: it
		// is a left-over of a key that was lost together with all that it sealed.
		if others, look := v.records(); look != nil || !only(others, id) {
			return err
		}
		all, newest = map[string]uint64{}, 0
	}
	all[id] = generation
	for known := range all {
		if _, err := v.read(v.sealed(known)); errors.Is(err, fs.ErrNotExist) && !strings.EqualFold(known, id) {
			delete(all, known)
		}
	}
	return v.write(ctx, index, v.indexPath(), all, newest+1)
}

// only reports whether all files belong to one id.
func only(names []string, id string) bool {
	for _, n := range names {
		if !strings.HasPrefix(n, id) {
			return false
		}
	}
	return true
}

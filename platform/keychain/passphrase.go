package keychain

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"jackfield/platform/atomicfile"
)

// The Argon2id parameters of new files (RFC 9106 section 4, second choice), and
// the bounds within which others are read: a file from elsewhere must not make
// this program take gigabytes or minutes.
const (
	newTime, maxTime       = 3, 16
	newMemory, maxMemory   = 64 << 10, 256 << 10 // KiB
	newThreads, maxThreads = 4, 16
)

type keyFile struct {
	Version int    `json:"version"`
	KDF     string `json:"kdf"`
	Time    uint32 `json:"time"`
	Memory  uint32 `json:"memory_kib"`
	Threads uint8  `json:"threads"`
	Salt    []byte `json:"salt"`
	Nonce   []byte `json:"nonce"`
	Sealed  []byte `json:"sealed"`
}

// Passphrase keeps the data key in a file, sealed under a passphrase.
type Passphrase struct {
	path  string
	ask   Ask
	noKey error
}

// Ask gets a passphrase from the person. fresh says that one is being chosen: it
// is then worth asking twice.
type Ask func(ctx context.Context, fresh bool) ([]byte, error)

// NewPassphrase uses the file at path; ask is called when the key is needed.
func NewPassphrase(path string, noKey error, ask Ask) *Passphrase {
	return &Passphrase{path: path, ask: ask, noKey: noKey}
}

// Kind is "passphrase".
func (p *Passphrase) Kind() string { return "passphrase" }

// Key opens the key file, or makes one when create is set and there is none.
func (p *Passphrase) Key(ctx context.Context, create bool) ([]byte, error) {
	data, err := os.ReadFile(p.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !create:
		return nil, p.noKey
	case errors.Is(err, fs.ErrNotExist):
		return p.make(ctx)
	case err != nil:
		return nil, err
	}
	var f keyFile
	if err := json.Unmarshal(data, &f); err != nil || f.check() != nil {
		return nil, ErrDamaged.with(errors.Join(err, f.check()))
	}
	pass, err := p.ask(ctx, false)
	if err != nil {
		return nil, err
	}
	box, err := chacha20poly1305.NewX(f.derive(pass))
	if err != nil {
		return nil, err
	}
	key, err := box.Open(nil, f.Nonce, f.Sealed, []byte("jackfield key file 1"))
	if err != nil {
		return nil, ErrWrongPassphrase
	}
	return key, nil
}

func (f keyFile) check() error {
	switch {
	case f.Version != 1 || f.KDF != "argon2id":
		return fmt.Errorf("version %d with %q is not known", f.Version, f.KDF)
	case f.Time < 1 || f.Time > maxTime || f.Memory < 8<<10 || f.Memory > maxMemory || f.Threads < 1 || f.Threads > maxThreads:
		return errors.New("its cost is outside of what is accepted")
	case len(f.Salt) != 16 || len(f.Nonce) != chacha20poly1305.NonceSizeX:
		return errors.New("its salt or nonce has the wrong length")
	}
	return nil
}

func (f keyFile) derive(pass []byte) []byte {
	return argon2.IDKey(pass, f.Salt, f.Time, f.Memory, f.Threads, chacha20poly1305.KeySize)
}

func (p *Passphrase) make(ctx context.Context) ([]byte, error) {
	pass, err := p.ask(ctx, true)
	if err != nil {
		return nil, err
	}
	if len(pass) == 0 {
		return nil, ErrWrongPassphrase.with(errors.New("it is empty"))
	}
	f := keyFile{Version: 1, KDF: "argon2id", Time: newTime, Memory: newMemory, Threads: newThreads, Salt: make([]byte, 16), Nonce: make([]byte, chacha20poly1305.NonceSizeX)}
	key := make([]byte, KeySize)
	for _, b := range [][]byte{f.Salt, f.Nonce, key} {
		if _, err := rand.Read(b); err != nil {
			return nil, err
		}
	}
	box, err := chacha20poly1305.NewX(f.derive(pass))
	if err != nil {
		return nil, err
	}
	f.Sealed = box.Seal(nil, f.Nonce, key, []byte("jackfield key file 1"))
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, err
	}
	return key, atomicfile.Write(p.path, data, 0o600)
}

// Package files shows what lies in any store of files: folders as they are
// listed, the first rows of data files, the beginning of anything else. A
// protocol brings a Store; a Tree is the Browser, Tabler and Sampler over it.
package files

import (
	"context"
	"iter"
	"time"

	"jackfield/connectors"
)

// A Store is what a protocol offers. Its methods may be called concurrently, and
// their errors are *connectors.Error (or what connectors.Classify recognizes).
type Store interface {
	// List yields what lies directly in a folder, in the store's own order, as it
	// arrives; dir is "" for the root. The law of connectors.Browser holds.
	List(ctx context.Context, dir string) iter.Seq2[Entry, error]
	// Open opens a file for reading, without reading more of it than has to be.
	Open(ctx context.Context, name string) (File, error)
}

// An Entry is a file or a folder of a store.
type Entry struct {
	Path      string // unique in the store and stable; what List and Open are given
	Name      string // as the store says it
	Kind      string // "" for folder or file by Folder; else bucket, container, share, link …
	Folder    bool   // may hold others
	Size      int64  // bytes, -1 when unknown; of no meaning for folders
	Modified  time.Time
	MediaType string // as the store says it; may be empty
	Access    connectors.Access
	Facts     []connectors.Fact // beyond size and time: mode, storage class, owner …
}

// A File is open for reading at any place. It is not used concurrently.
type File interface {
	// ReadAt reads len(p) bytes from off, as io.ReaderAt does: fewer only with an
	// error, io.EOF at the end. A store that can read only from the start on
	// may return ErrNoRanges for off > 0 and is then read in sequence.
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)
	// Size is the whole size in bytes, -1 when unknown.
	Size() int64
	Close() error
}

// Answers are the form's answers about encrypted data files; embed them in a
// config whose form has Fields, which errors about encrypted files name.
type Answers struct {
	PGPKey        connectors.Secret `field:"pgp_key"`
	PGPPassphrase connectors.Secret `field:"pgp_passphrase"`
}

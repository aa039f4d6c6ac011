// Package datafile reads the first rows of data files from wherever they lie:
// delimited text, JSON, Excel, Parquet, with gzip, bzip2, zstd, zip or PGP around
// them. It reads by range and as little as it can, and trusts no file: every read,
// every allocation and every depth is bounded.
package datafile

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"jackfield/connectors"
)

// A Source is a file that can be read at any place. It is not used concurrently.
type Source interface {
	// ReadAt reads len(p) bytes from off, as io.ReaderAt does: fewer only with an
	// error, io.EOF at the end.
	ReadAt(ctx context.Context, p []byte, off int64) (int, error)
	// Size is the whole size in bytes, -1 when unknown.
	Size() int64
}

// Options are what else has to be known.
type Options struct {
	// Inside leads into containers: the member of a zip, the sheet of a workbook.
	// A member that ends with "/" is a folder.
	Inside        []string
	PGPKey        connectors.Secret // armored or base64; opens files encrypted for it
	PGPPassphrase connectors.Secret // of that key, or of a file encrypted with a password
}

// Depth is how far Inside may lead.
const Depth = 3

// The bounds that hold for one call, whatever the file says.
const (
	headBytes    = 64 << 10 // what is looked at to know what a file is
	readBytes    = 96 << 20 // from the source
	unpackBytes  = 32 << 20 // of what is unpacked and kept in memory
	textBytes    = 16 << 20 // of text that is searched for rows
	maxLayers    = 5        // compressions and encryptions around each other
	maxColumns   = 1000
	maxCellBytes = 4 << 10
)

// Table reads at most limit rows. What has none gives an *connectors.Error that
// says so; one that needs a key names the field pgp_key or pgp_passphrase.
func Table(ctx context.Context, src Source, name string, limit int, o Options) (t *connectors.Table, err error) {
	err = guarded(ctx, name, func() error {
		f, err := open(ctx, src, name, o)
		if err != nil {
			return err
		}
		defer f.close()
		t, err = f.table(limit)
		if err == nil {
			t.Note = f.note(t.Note)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}

// table reads the rows of what is left when everything around it is off.
func (f *file) table(limit int) (*connectors.Table, error) {
	if f.sheet != "" {
		return f.excel(limit)
	}
	head, err := f.head()
	if err != nil {
		return nil, err
	}
	kind := kindOf(head)
	if len(head) == 0 {
		return &connectors.Table{Note: "The file is empty."}, nil
	}
	switch kind {
	case zipFile:
		return f.zipTable(limit)
	case parquetFile:
		return f.parquet(limit)
	case parquetEncrypted:
		return nil, f.fail("files.parquet_encrypted", "")
	case ole:
		return nil, f.oleError(head)
	case xzFile:
		return nil, f.fail("files.packed", "xz")
	case imageFile:
		return f.image(head)
	case pgpFile, gzipFile, bzip2File, zstdFile:
		return nil, f.fail("files.layers", "")
	case otherFile:
	}
	return f.textTable(head, limit)
}

// guarded ends a parser's panic, and what any of them says about a broken file,
// in an error for people.
func guarded(ctx context.Context, name string, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			cause := fmt.Errorf("%v", p)
			if e, ok := p.(runtime.Error); ok {
				cause = e
			}
			err = &connectors.Error{Code: connectors.Unsupported, Reason: "files.broken", Op: connectors.StageData, Target: base(name), Err: cause}
		}
	}()
	if err := do(); err != nil {
		return explain(ctx, name, err)
	}
	return nil
}

// A readerAt is a Source for the length of one call, as libraries want it.
type readerAt struct {
	ctx context.Context
	src Source
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r.src.ReadAt(r.ctx, p, off) }

// reader reads a source from its beginning.
func reader(ctx context.Context, src Source) io.Reader {
	return io.NewSectionReader(readerAt{ctx, src}, 0, 1<<62)
}

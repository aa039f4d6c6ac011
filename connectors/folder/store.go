package folder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// batch is how many names are read at once.
const batch = 256

// A store reads below a root. Its paths are relative to it, with slashes.
type store struct{ root *os.Root }

func local(name string) string {
	if name == "" {
		return "."
	}
	return filepath.FromSlash(name)
}

// List yields a folder as the system gives it, a batch of names at a time.
func (s store) List(ctx context.Context, dir string) iter.Seq2[files.Entry, error] {
	return func(yield func(files.Entry, error) bool) {
		fail := func(err error) { yield(files.Entry{}, err) }
		d, err := s.root.OpenFile(local(dir), os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			fail(explain(dir, err, ""))
			return
		}
		defer func() { _ = d.Close() }()
		if info, err := d.Stat(); err == nil && !info.IsDir() {
			fail(&connectors.Error{Code: connectors.NotFound, Reason: "files.not_a_folder", Op: connectors.StageData, Target: dir})
			return
		}
		for {
			found, err := d.ReadDir(batch)
			for _, e := range found {
				if ctx.Err() != nil {
					fail(connectors.Classify(context.Cause(ctx)))
					return
				}
				if !yield(s.entry(path.Join(dir, e.Name()), e), nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				fail(explain(dir, err, ""))
				return
			}
		}
	}
}

// entry describes one name. What it is comes through the root and not from the
// listing, whose names could be links by now.
func (s store) entry(name string, e fs.DirEntry) files.Entry {
	out := files.Entry{Path: name, Name: e.Name(), Folder: e.IsDir(), Size: -1}
	info, err := s.root.Lstat(local(name))
	if err != nil {
		out.Access = connectors.AccessListed
		return out
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		out.Kind = "link"
		target, _ := s.root.Readlink(local(name))
		out.Facts = append(out.Facts, connectors.Fact{Label: "Leads to", Text: connectors.Clean(target, 300)})
		if info, err = s.root.Stat(local(name)); err != nil {
			out.Access = connectors.AccessDenied
			if errors.Is(err, fs.ErrNotExist) {
				out.Access = connectors.AccessListed
			}
			return out
		}
	}
	out.Folder, out.Modified = info.IsDir(), info.ModTime()
	switch {
	case info.Mode().IsRegular():
		out.Size = info.Size()
	case !info.IsDir():
		// A pipe or a device: opening it could wait for ever, or act.
		out.Kind, out.Access = "special", connectors.AccessListed
	}
	out.Facts = append(out.Facts, connectors.Fact{Label: "Mode", Text: info.Mode().String()})
	return out
}

// Open opens a regular file. A pipe opened without O_NONBLOCK would wait until
// somebody writes into it.
func (s store) Open(ctx context.Context, name string) (files.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	f, err := s.root.OpenFile(local(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, explain(name, err, "")
	}
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		return &file{f: f, name: name, size: info.Size()}, nil
	}
	_ = f.Close()
	switch {
	case err != nil:
		return nil, explain(name, err, "")
	case info.IsDir():
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "files.folder", Op: connectors.StageData, Target: name}
	}
	return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "folder.special", Op: connectors.StageData, Target: name}
}

type file struct {
	f    *os.File
	name string
	size int64
}

func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, connectors.Classify(context.Cause(ctx))
	}
	n, err := f.f.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		return n, explain(f.name, err, "")
	}
	return n, err
}

func (f *file) Size() int64  { return f.size }
func (f *file) Close() error { return f.f.Close() }

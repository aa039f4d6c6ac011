package smb

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"strings"
	"sync"
	"time"

	smb2 "github.com/cloudsoda/go-smb2"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

const (
	batch   = 64  // names at a time
	looked  = 128 // names of a listing that are opened to see whether they open
	atOnce  = 16  // of them at a time, to hide the round trips
	sharesN = 32  // shares that are connected to for the same
)

// shelf is the store behind the session's Tree. Its paths are share/folder/name.
type shelf struct{ s *session }

// split takes a path apart into the share and the path within it.
func split(p string) (share, name string) {
	share, name, _ = strings.Cut(p, "/")
	return share, local(name)
}

func local(name string) string { return strings.ReplaceAll(name, "/", `\`) }

// List yields a folder in the server's own order, or the shares.
func (f shelf) List(ctx context.Context, dir string) iter.Seq2[files.Entry, error] {
	if dir == "" {
		dir = f.s.root
	}
	return f.list(ctx, dir, looked)
}

// list looks whether the first few names open.
func (f shelf) list(ctx context.Context, dir string, look int) iter.Seq2[files.Entry, error] {
	return func(yield func(files.Entry, error) bool) {
		ctx, done := f.s.bound(ctx)
		defer done()
		if ctx.Err() != nil {
			yield(files.Entry{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		if dir == "" {
			f.shares(ctx, yield, look > 0)
			return
		}
		stopped := false
		err := f.folder(ctx, dir, look, func(e files.Entry) bool {
			stopped = !yield(e, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(files.Entry{}, f.s.explain(ctx, dir, err))
		}
	}
}

func (f shelf) folder(ctx context.Context, dir string, look int, yield func(files.Entry) bool) error {
	share, name := split(dir)
	tree, err := f.s.mount(ctx, share)
	if err != nil {
		return err
	}
	d, err := f.open(ctx, tree, name)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	for {
		var found []os.FileInfo
		err := guarded(func() (err error) {
			found, err = d.f.Readdir(batch)
			return err
		})
		if errors.Is(err, io.EOF) || err == nil && len(found) == 0 || matchesNothing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		entries := make([]files.Entry, len(found))
		for i, info := range found {
			entries[i] = entry(dir, info)
		}
		if look > 0 {
			f.look(ctx, tree, entries[:min(look, len(entries))])
			look -= len(entries)
		}
		for _, e := range entries {
			if ctx.Err() != nil {
				return connectors.Classify(context.Cause(ctx))
			}
			if !yield(e) {
				return nil
			}
		}
	}
}

// look opens names for reading and closes them again: nothing else tells surely
// what the account may do, as share, folder and claims all have a say. What is
// not on the server's disk is left alone.
func (f shelf) look(ctx context.Context, tree *smb2.Share, entries []files.Entry) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range entries {
		e := &entries[i]
		if e.Kind != "" {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			_, name := split(e.Path)
			e.Access = access(ctx, tree, name)
		})
	}
	wait.Wait()
}

func access(ctx context.Context, tree *smb2.Share, name string) (out connectors.Access) {
	_ = guarded(func() error {
		f, err := tree.WithContext(ctx).Open(name)
		switch {
		case err == nil:
			out = connectors.AccessReadable
			return f.Close()
		case errors.Is(err, fs.ErrPermission):
			out = connectors.AccessDenied
		}
		return nil
	})
	return out
}

// The attributes of MS-FSCC section 2.6 that people know.
var attributes = [...]struct {
	bit  uint32
	name string
}{{1, "read-only"}, {2, "hidden"}, {4, "system"}, {0x1000, "offline"}, {0x4000, "encrypted on disk"}, {0x800, "compressed"}}

const elsewhere = 0x1000 | 0x40000 | 0x400000 // offline, recall on open, recall on access

func entry(dir string, info os.FileInfo) files.Entry {
	out := files.Entry{Path: strings.TrimSuffix(dir, "/") + "/" + info.Name(), Name: info.Name(), Folder: info.IsDir(), Size: info.Size(), Modified: usual(info.ModTime())}
	st, ok := info.Sys().(*smb2.FileStat)
	if !ok {
		return out
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		out.Kind = "link"
	case st.FileAttributes&elsewhere != 0 && !out.Folder:
		out.Kind = "file" // named, so that it is not opened only to look
	}
	var names []string
	for _, a := range attributes {
		if st.FileAttributes&a.bit != 0 {
			names = append(names, a.name)
		}
	}
	if len(names) > 0 {
		out.Facts = append(out.Facts, connectors.Fact{Label: "Attributes", Text: strings.Join(names, ", ")})
	}
	if created := usual(st.CreationTime); !created.IsZero() {
		out.Facts = append(out.Facts, connectors.Fact{Label: "Created", Text: created.Format("2006-01-02 15:04:05")})
	}
	return out
}

// usual leaves out the times that servers send for none: 1601, where the format
// begins, and 1970.
func usual(t time.Time) time.Time {
	if t.Unix() <= 0 {
		return time.Time{}
	}
	return t.UTC()
}

// Open opens a file.
func (f shelf) Open(ctx context.Context, name string) (files.File, error) {
	ctx, done := f.s.bound(ctx)
	defer done()
	if name == "" {
		name = f.s.root
	}
	folder := &connectors.Error{Code: connectors.Unsupported, Reason: "smb.is_a_folder", Op: connectors.StageData, Target: or(name, f.s.c.Host)}
	share, inner := split(name)
	if inner == "" {
		return nil, folder
	}
	tree, err := f.s.mount(ctx, share)
	if err != nil {
		return nil, f.s.explain(ctx, name, err)
	}
	file, err := f.open(ctx, tree, inner)
	if err != nil {
		return nil, f.s.explain(ctx, name, err)
	}
	var info os.FileInfo
	err = guarded(func() (err error) {
		info, err = file.f.Stat()
		return err
	})
	if err == nil && info.IsDir() {
		err = folder
	}
	if err != nil {
		_ = file.Close()
		return nil, f.s.explain(ctx, name, err)
	}
	file.name, file.size = name, info.Size()
	return file, nil
}

// open opens a file or a folder for reading.
func (f shelf) open(ctx context.Context, tree *smb2.Share, name string) (*file, error) {
	out := &file{s: f.s, under: &under{ctx: ctx}}
	err := guarded(func() (err error) {
		out.f, err = tree.WithContext(out.under).Open(name)
		return err
	})
	return out, err
}

type file struct {
	s     *session
	name  string
	f     *smb2.File
	under *under
	size  int64
}

func (f *file) Size() int64 { return f.size }

func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	if f.size >= 0 && off >= f.size {
		return 0, io.EOF
	}
	ctx, done := f.s.bound(ctx)
	defer done()
	f.under.set(ctx)
	err = guarded(func() (err error) {
		n, err = f.f.ReadAt(p, off)
		return err
	})
	switch {
	case err == nil && n < len(p), errors.Is(err, io.EOF):
		return n, io.EOF
	case err != nil:
		return n, f.s.explain(ctx, f.name, err)
	}
	return n, nil
}

// Close gives the handle back, also when what it was opened for was stopped.
func (f *file) Close() error {
	if f.f == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	ctx, done := f.s.bound(ctx)
	defer done()
	f.under.set(ctx)
	_ = guarded(func() error { return f.f.Close() })
	return nil
}

// under is the context that a handle works under. The library keeps the one that a
// handle was opened with; each exchange has its own.
type under struct {
	mu  sync.Mutex
	ctx context.Context
}

func (u *under) set(ctx context.Context) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ctx = ctx
}

func (u *under) now() context.Context {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ctx
}

func (u *under) Deadline() (time.Time, bool) { return u.now().Deadline() }
func (u *under) Done() <-chan struct{}       { return u.now().Done() }
func (u *under) Err() error                  { return u.now().Err() }
func (u *under) Value(key any) any           { return u.now().Value(key) }

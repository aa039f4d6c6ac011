package sftp

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/pkg/sftp"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

const (
	// piece is the most that is read before the end of ctx is looked for again.
	piece = 128 << 10
	// linksAtOnce is how many links are followed at a time, to hide the round trips.
	linksAtOnce = 16
	// closing bounds the wait for an answer to a file's close.
	closing = time.Second
)

// shelf is the store behind the session's Tree.
type shelf struct{ s *session }

// List yields a folder in the server's own order, as the names arrive.
func (f shelf) List(ctx context.Context, dir string) iter.Seq2[files.Entry, error] {
	return func(yield func(files.Entry, error) bool) {
		if dir == "" {
			dir = f.s.root
		}
		for e, err := range f.s.list(ctx, dir) {
			if err != nil {
				yield(files.Entry{}, atData(f.s.explain(dir, err)))
				return
			}
			if !yield(f.entry(dir, e), nil) {
				return
			}
		}
	}
}

func (f shelf) entry(dir string, e dirEntry) files.Entry {
	out := files.Entry{Path: join(dir, e.name), Name: e.name, Folder: e.mode.IsDir(), Size: -1, Access: f.s.access(e)}
	if e.sized {
		out.Size = int64(min(e.size, 1<<62))
	}
	if e.mtime > 0 {
		out.Modified = time.Unix(int64(e.mtime), 0).UTC()
	}
	switch e.mode.Type() {
	case 0, fs.ModeDir:
	case fs.ModeSymlink:
		out.Kind = "link"
		f.follow(&out, e)
	default:
		out.Kind = "special"
	}
	if e.known {
		out.Facts = append(out.Facts, connectors.Fact{Label: "Mode", Text: e.mode.String()})
	}
	if owner := e.ownership(); owner != "" {
		out.Facts = append(out.Facts, connectors.Fact{Label: "Owner", Text: owner})
	}
	return out
}

// follow tells where a link leads; size and time are those of what is there.
func (f shelf) follow(out *files.Entry, e dirEntry) {
	text := connectors.Clean(e.target, 300)
	switch {
	case e.to == nil && text != "":
		text += " (not there)"
	case e.to == nil:
		return
	case e.to.IsDir():
		out.Folder = true
	default:
		out.Size = e.to.Size()
	}
	if e.to != nil {
		out.Modified = e.to.ModTime().UTC()
	}
	if text != "" {
		out.Facts = append(out.Facts, connectors.Fact{Label: "Leads to", Text: text})
	}
}

// ownership is who owns an entry: names where the server gives them, and numbers.
func (e dirEntry) ownership() string {
	if !e.owned {
		return ""
	}
	numbers := strconv.FormatUint(uint64(e.uid), 10) + ":" + strconv.FormatUint(uint64(e.gid), 10)
	if e.owner == "" || e.owner == strconv.FormatUint(uint64(e.uid), 10) {
		return numbers
	}
	return connectors.Clean(e.owner+":"+e.group, 100) + " (" + numbers + ")"
}

// resolve looks at where the links of one packet lead.
func (s *session) resolve(ctx context.Context, dir string, batch []dirEntry) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, linksAtOnce)
	for i := range batch {
		e := &batch[i]
		name := join(dir, e.name)
		if e.mode&fs.ModeSymlink == 0 && (e.known || e.mode.IsDir()) {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			if e.mode&fs.ModeSymlink == 0 { // the server left the mode out
				if info, err := do(ctx, func() (os.FileInfo, error) { return s.files.Stat(wire(name)) }, nil); err == nil {
					e.mode |= info.Mode().Type()
				}
				return
			}
			e.target, _ = do(ctx, func() (string, error) { return s.files.ReadLink(name) }, nil)
			if info, err := do(ctx, func() (os.FileInfo, error) { return s.files.Stat(name) }, nil); err == nil {
				e.to = info
			}
		})
	}
	wait.Wait()
}

// Open opens a file and nothing else: reading a named pipe would hang, and with
// it everything else at the server.
func (f shelf) Open(ctx context.Context, name string) (files.File, error) {
	if name == "" {
		name = f.s.root
	}
	info, err := do(ctx, func() (os.FileInfo, error) { return f.s.files.Stat(wire(name)) }, nil)
	switch {
	case err != nil:
		return nil, atData(f.s.explain(name, err))
	case info.IsDir():
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "sftp.is_a_folder", Op: connectors.StageData, Target: name}
	case info.Mode().Type() != 0:
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "sftp.special", Op: connectors.StageData, Target: name}
	}
	open, err := do(ctx, func() (*sftp.File, error) { return f.s.files.Open(name) }, func(late *sftp.File) { _ = late.Close() })
	if err != nil {
		return nil, atData(f.s.explain(name, err))
	}
	return &file{s: f.s, name: name, f: open, size: info.Size()}, nil
}

type file struct {
	s    *session
	name string
	f    *sftp.File
	size int64
}

func (f *file) Size() int64 { return f.size }

// ReadAt reads into memory of its own, because an exchange that ctx has ended
// goes on until the server answers.
func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	read := 0
	for read < len(p) {
		want, at := min(len(p)-read, piece), off+int64(read)
		data, err := do(ctx, func() ([]byte, error) {
			b := make([]byte, want)
			n, err := f.f.ReadAt(b, at)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return b[:n], err
		}, nil)
		read += copy(p[read:], data)
		if err != nil {
			return read, f.explain(err)
		}
		if len(data) < want {
			return read, io.EOF
		}
	}
	return read, nil
}

// Close waits for the server's answer only so long: nothing depends on it.
func (f *file) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	_, _ = do(ctx, func() (struct{}, error) { return struct{}{}, f.f.Close() }, nil)
	return nil
}

func (f *file) explain(err error) error { return atData(f.s.explain(f.name, err)) }

// atData names the rung of an error that has none.
func atData(err error) error {
	e := connectors.Classify(err)
	if e == nil || e.Op != "" {
		return err
	}
	named := *e
	named.Op = connectors.StageData
	return &named
}

package ftp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// The server does not say where links lead to. They are tried after the listing,
// so many of a folder.
const linksTried = 64

// shelf is the store behind the session's Tree.
type shelf struct{ s *session }

// List yields a folder in the server's own order, as the lines arrive; links come last.
func (f shelf) List(ctx context.Context, dir string) iter.Seq2[files.Entry, error] {
	return func(yield func(files.Entry, error) bool) {
		if dir == "" {
			dir = f.s.root
		}
		c, err := f.s.take(ctx)
		if err != nil {
			yield(files.Entry{}, f.s.explain(dir, err))
			return
		}
		defer f.s.give(c)
		defer c.under(ctx)()
		l := &listing{f: f, c: c, dir: dir, yield: yield}
		if err := l.run(ctx); err != nil && !l.stopped {
			yield(files.Entry{}, f.s.explain(dir, cause(ctx, err)))
		}
	}
}

type listing struct {
	f       shelf
	c       *conn
	dir     string
	yield   func(files.Entry, error) bool
	links   []files.Entry
	odd     string // the first line that was not understood
	seen    int
	stopped bool
}

func (l *listing) run(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	r, err := l.c.onPath("CWD", l.dir)
	if err != nil {
		return err
	}
	if !r.done() {
		return l.f.s.refusedAt(l.dir, r)
	}
	verb, parse := "LIST", humanLine
	if l.c.has("MLST") || l.c.has("MLSD") {
		verb, parse = "MLSD", machineLine
	}
	t, err := l.c.transfer(ctx, verb, "", 0)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = t.conn.Close() })
	defer stop()
	if err := l.lines(ctx, t, parse); err != nil || l.stopped {
		t.stop()
		return err
	}
	if err := t.finish(l.dir); err != nil {
		return err
	}
	if l.seen == 0 && l.odd != "" {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "ftp.listing", Op: connectors.StageData, Target: l.dir, Said: l.odd}
	}
	return l.follow(ctx)
}

func (l *listing) lines(ctx context.Context, t *transfer, parse func(string) (line, bool, bool)) error {
	r := bufio.NewReaderSize(t, 16<<10)
	for {
		text, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text != "" && !l.take(text, parse) {
			return nil
		}
		if err != nil {
			return nil
		}
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
	}
}

// take yields one line's entry; false ends the listing.
func (l *listing) take(text string, parse func(string) (line, bool, bool)) bool {
	e, entry, ok := parse(text)
	if !ok && l.odd == "" {
		l.odd = text
	}
	if !ok || !entry {
		return true
	}
	l.seen++
	out := l.f.entry(l.dir, e)
	if e.kind == "link" && len(l.links) < linksTried {
		l.links = append(l.links, out)
		return true
	}
	l.stopped = !l.yield(out, nil)
	return !l.stopped
}

// follow finds out which links lead to folders: only these can be entered.
func (l *listing) follow(ctx context.Context) error {
	for _, e := range l.links {
		r, err := l.c.onPath("CWD", e.Path)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		e.Folder = r.done()
		if l.stopped = !l.yield(e, nil); l.stopped {
			return nil
		}
	}
	return nil
}

func (f shelf) entry(dir string, e line) files.Entry {
	name := f.s.shown(e.name)
	out := files.Entry{Path: join(dir, name), Name: name, Folder: e.kind == "folder", Size: e.size, Modified: e.modified, MediaType: e.media, Access: e.access()}
	if !out.Folder {
		out.Kind = e.kind
	}
	add := func(label, text string) {
		if text != "" {
			out.Facts = append(out.Facts, connectors.Fact{Label: label, Text: connectors.Clean(f.s.shown(text), 300)})
		}
	}
	add("Modified (server's clock)", e.local)
	add("Mode", e.mode)
	add("Owner", e.owner)
	add("Leads to", e.target)
	return out
}

func join(dir, name string) string { return strings.TrimSuffix(dir, "/") + "/" + name }

// Open finds out whether a name is a file. Nothing of it is read yet.
func (f shelf) Open(ctx context.Context, name string) (files.File, error) {
	if name == "" {
		name = f.s.root
	}
	c, err := f.s.take(ctx)
	if err != nil {
		return nil, f.s.explain(name, err)
	}
	defer f.s.give(c)
	defer c.under(ctx)()
	size, err := f.look(c, name)
	if err != nil {
		return nil, f.s.explain(name, cause(ctx, err))
	}
	return &file{s: f.s, name: name, size: size}, nil
}

// look finds out by MLST, where the server has it, else by SIZE and CWD.
func (f shelf) look(c *conn, name string) (size int64, err error) {
	if c.has("MLST") {
		e, known, err := c.machine(name)
		switch {
		case err != nil:
			return -1, err
		case known && e.kind == "folder":
			return -1, isFolder(name)
		case known && e.kind == "special":
			return -1, &connectors.Error{Code: connectors.Unsupported, Reason: "ftp.special", Target: name}
		case known && e.kind == "" && e.size >= 0:
			return e.size, nil
		}
	}
	return f.measure(c, name)
}

func isFolder(name string) error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: "ftp.is_a_folder", Target: name}
}

func (f shelf) measure(c *conn, name string) (size int64, err error) {
	r, err := c.onPath("SIZE", name)
	if err != nil {
		return -1, err
	}
	if n, bad := strconv.ParseInt(strings.TrimSpace(r.text), 10, 64); r.code == 213 && bad == nil && n >= 0 {
		return n, nil
	}
	in, err := c.onPath("CWD", name)
	if err != nil {
		return -1, err
	}
	if in.done() {
		return -1, isFolder(name)
	}
	if e := f.s.refusedAt(name, r); r.code == 550 && e.Code == connectors.NotFound {
		return -1, e
	}
	return -1, nil // reading tells
}

// machine asks for the facts of one name.
func (c *conn) machine(name string) (e line, known bool, err error) {
	r, err := c.onPath("MLST", name)
	if err != nil || r.code != 250 {
		return line{}, false, err
	}
	for text := range strings.SplitSeq(r.text, "\n") {
		if !strings.HasPrefix(text, " ") && !strings.Contains(text, "=") {
			continue
		}
		if e, _, ok := machineLine(strings.TrimPrefix(text, " ")); ok && strings.Contains(text, "=") {
			return e, true, nil
		}
	}
	return line{}, false, nil
}

// A file is read on one transfer as long as what is wanted follows on what was
// read; another place begins another transfer.
type file struct {
	s    *session
	name string
	size int64
	c    *conn
	t    *transfer
	at   int64
}

func (f *file) Size() int64 { return f.size }

func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if f.size >= 0 && off >= f.size {
		return 0, io.EOF
	}
	if f.t == nil || f.at != off {
		if err := f.seek(ctx, off); err != nil {
			return 0, err
		}
	}
	defer f.c.under(ctx)()
	conn := f.t.conn
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	n, err := fill(f.t, p)
	f.at += int64(n)
	switch {
	case n == len(p):
		return n, nil
	case errors.Is(err, io.EOF) && ctx.Err() == nil:
		return n, f.ended(ctx)
	}
	f.drop()
	return n, f.s.explain(f.name, cause(ctx, err))
}

// fill is io.ReadFull without its io.ErrUnexpectedEOF, which is what TLS has for
// an end that nobody vouches for.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// ended asks whether the end of the transfer was the end of the file.
func (f *file) ended(ctx context.Context) error {
	err := f.t.finish(f.name)
	f.t = nil
	f.release()
	if err != nil {
		return f.s.explain(f.name, cause(ctx, err))
	}
	if f.at < f.size {
		return &connectors.Error{Code: connectors.Refused, Reason: "ftp.cut", Op: connectors.StageData, Target: f.name}
	}
	return io.EOF
}

// seek begins a transfer at a place.
func (f *file) seek(ctx context.Context, off int64) error {
	f.drop()
	c, err := f.s.take(ctx)
	if err != nil {
		return f.s.explain(f.name, err)
	}
	f.c = c
	defer c.under(ctx)()
	if off > 0 && c.noRest {
		f.release()
		return files.ErrNoRanges
	}
	t, err := c.transfer(ctx, "RETR", f.name, off)
	if err != nil {
		f.release()
		if errors.Is(err, errNoRest) {
			return files.ErrNoRanges
		}
		return f.s.explain(f.name, cause(ctx, err))
	}
	f.t, f.at = t, off
	return nil
}

func (f *file) drop() {
	if f.t != nil {
		f.t.stop()
		f.t = nil
	}
	f.release()
}

func (f *file) release() {
	if f.c != nil {
		f.s.give(f.c)
		f.c = nil
	}
}

func (f *file) Close() error {
	f.drop()
	return nil
}

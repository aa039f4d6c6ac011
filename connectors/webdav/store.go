package webdav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// ahead is how much is asked for at a time, so that small reads one after the
// other are one request.
const ahead = 256 << 10

// shelf is the store behind the session's Tree. Its paths are below the folder to
// begin with, without slashes around them.
type shelf struct{ s *session }

// List yields a folder as the server sends it.
func (f shelf) List(ctx context.Context, dir string) iter.Seq2[files.Entry, error] {
	return func(yield func(files.Entry, error) bool) {
		if ctx.Err() != nil {
			yield(files.Entry{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		res, err := f.s.propfind(ctx, dir, "1")
		if err != nil {
			yield(files.Entry{}, f.noFolder(dir, err))
			return
		}
		defer func() { _ = res.Body.Close() }()
		l := &listing{dir: dir, self: clean(res.Request.URL)}
		stopped := false
		err = responses(res.Body, func(r response) bool {
			if err := ctx.Err(); err != nil {
				return false
			}
			e, ok := l.entry(r.resource(), res.Request.URL)
			if !ok {
				return true
			}
			stopped = !yield(e, nil)
			return !stopped
		})
		switch {
		case stopped:
		case ctx.Err() != nil:
			yield(files.Entry{}, connectors.Classify(context.Cause(ctx)))
		case err != nil:
			yield(files.Entry{}, f.s.explain(ctx, dir, err))
		case l.file:
			yield(files.Entry{}, &connectors.Error{Code: connectors.NotFound, Reason: "webdav.not_a_folder", Op: connectors.StageData, Target: f.s.shown(dir)})
		case l.status >= http.StatusBadRequest:
			yield(files.Entry{}, f.s.status(dir, l.status, ""))
		}
	}
}

// noFolder explains a listing that was refused. That a file is asked for as if it
// were a folder, with a slash at its end, some servers call a bad request.
func (f shelf) noFolder(dir string, err error) error {
	e := connectors.Classify(err)
	if dir == "" || e.Code != connectors.Unsupported {
		return atRung(e, connectors.StageData, "")
	}
	return &connectors.Error{Code: connectors.NotFound, Reason: "webdav.not_a_folder", Op: connectors.StageData, Target: f.s.shown(dir), Said: e.Said, Err: err}
}

type listing struct {
	dir    string
	self   string // the folder's own path, as the server writes it
	any    bool
	file   bool // it is no folder
	status int  // of the folder itself
}

// clean is an address's path without the slash at its end, with names escaped in
// one way.
func clean(u *url.URL) string {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[i] = url.PathEscape(plain)
		}
	}
	return strings.Join(parts, "/")
}

// entry is what lies directly in the folder; the folder itself and anything from
// elsewhere is none. A server behind a proxy may write other paths than those it
// is asked for: then the first answer is the folder.
func (l *listing) entry(r resource, asked *url.URL) (files.Entry, bool) {
	u, err := asked.Parse(r.href)
	if err != nil || r.href == "" {
		return files.Entry{}, false
	}
	whole := clean(u)
	parent, last := "", whole
	if i := strings.LastIndexByte(whole, '/'); i >= 0 {
		parent, last = whole[:i], whole[i+1:]
	}
	first := !l.any
	l.any = true
	switch {
	case whole == l.self, first && parent != l.self:
		l.self, l.file, l.status = whole, r.status == 0 && !r.folder(), r.status
		return files.Entry{}, false
	case parent != l.self || last == "":
		return files.Entry{}, false
	}
	name, err := url.PathUnescape(last)
	if err != nil || name == "." || name == ".." {
		return files.Entry{}, false
	}
	return describe(l.dir, name, r), true
}

func describe(dir, name string, r resource) files.Entry {
	full := strings.ReplaceAll(name, "/", "%2F")
	if dir != "" {
		full = dir + "/" + full
	}
	e := files.Entry{Path: full, Name: name, Folder: r.folder(), Size: r.size(), Modified: r.modified(), Access: r.access()}
	if !e.Folder {
		e.MediaType = r.Media
	}
	add := func(label, text string) {
		if text = strings.TrimSpace(text); text != "" {
			e.Facts = append(e.Facts, connectors.Fact{Label: label, Text: connectors.Clean(text, 200)})
		}
	}
	add("Created", r.Created)
	add("Owner", r.Owner)
	add("Permissions", r.Letters)
	add("ETag", strings.Trim(r.ETag, `"`))
	return e
}

// Open asks whether a name is a file.
func (f shelf) Open(ctx context.Context, name string) (files.File, error) {
	r, err := f.s.stat(ctx, name)
	if err != nil {
		return nil, atRung(err, connectors.StageData, "")
	}
	if r.folder() {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "webdav.is_a_folder", Op: connectors.StageData, Target: f.s.shown(name)}
	}
	return &file{s: f.s, name: name, size: r.size()}, nil
}

// A file is read by ranges; what was asked for ahead is kept open.
type file struct {
	s    *session
	name string
	size int64
	body io.ReadCloser
	stop context.CancelFunc
	at   int64

	from, want int64 // what the answer is to: want bytes from here
	whole      bool  // it is the whole file all the same
}

func (f *file) Size() int64 { return f.size }

func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		if f.size >= 0 && off+int64(n) >= f.size {
			return n, io.EOF
		}
		if f.body == nil || f.at != off+int64(n) {
			if err := f.ask(ctx, off+int64(n), len(p)-n); err != nil {
				return n, err
			}
		}
		stop := context.AfterFunc(ctx, f.stop)
		more, err := f.body.Read(p[n:])
		stop()
		n += more
		f.at += int64(more)
		if err == nil {
			continue
		}
		_ = f.Close()
		if !errors.Is(err, io.EOF) {
			return n, atRung(f.s.explain(ctx, f.name, err), connectors.StageData, "")
		}
		if done, err := f.ended(); done && n < len(p) {
			return n, err
		}
	}
	return n, nil
}

// ended says what the end of an answer means: the file's, too early, or that the
// next range is to be asked for.
func (f *file) ended() (done bool, err error) {
	switch {
	case f.size >= 0 && f.at >= f.size, f.size < 0 && (f.whole || f.at-f.from < f.want):
		return true, io.EOF
	case f.whole, f.at == f.from:
		return true, f.s.explain(context.Background(), f.name, io.ErrUnexpectedEOF)
	}
	return false, nil
}

// ask requests a range (RFC 9110 section 14).
func (f *file) ask(ctx context.Context, off int64, want int) error {
	_ = f.Close()
	last := off + int64(max(want, ahead)) - 1
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", off, last)}, "Accept-Encoding": {"identity"}}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	watch := context.AfterFunc(ctx, stop)
	res, err := f.s.send(life, http.MethodGet, f.s.at(f.name), header, "")
	watch()
	if err != nil {
		stop()
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		return atRung(err, connectors.StageData, "")
	}
	if err := f.answered(res, off); err != nil {
		stop()
		_ = res.Body.Close()
		return err
	}
	f.body, f.stop, f.at, f.from, f.want = res.Body, stop, off, off, last-off+1
	f.whole = res.StatusCode == http.StatusOK
	return nil
}

func (f *file) answered(res *http.Response, off int64) error {
	switch {
	case res.StatusCode == http.StatusPartialContent:
		if from, _, ok := strings.Cut(strings.TrimPrefix(res.Header.Get("Content-Range"), "bytes "), "-"); !ok || from != strconv.FormatInt(off, 10) {
			return files.ErrNoRanges
		}
		return nil
	case res.StatusCode == http.StatusOK && off == 0:
		return nil
	case res.StatusCode == http.StatusOK:
		return files.ErrNoRanges
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return io.EOF
	}
	return atRung(f.s.refused(res, f.name), connectors.StageData, "")
}

func (f *file) Close() error {
	if f.body != nil {
		f.stop()
		_ = f.body.Close()
		f.body = nil
	}
	return nil
}

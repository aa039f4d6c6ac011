package objectstore

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/httpx"
)

// A file is an object that is read in ranges (RFC 9110 section 14).
type file struct {
	cloud       cloud
	bucket, key string
	begin       []byte
	size        int64
	ranges      bool // whether the server minds the range that is asked for
}

func (f *file) Size() int64  { return f.size }
func (f *file) Close() error { return nil }

// ReadAt fills p from what is here already, then from the server.
func (f *file) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(f.begin)) {
		n = copy(p, f.begin[off:])
	}
	for n < len(p) {
		at := off + int64(n)
		if f.size >= 0 && at >= f.size {
			return n, io.EOF
		}
		if !f.ranges {
			return n, files.ErrNoRanges
		}
		got, err := f.get(ctx, at, min(len(p)-n, piece))
		if err != nil {
			return n, err
		}
		if len(got) == 0 {
			return n, io.EOF
		}
		n += copy(p[n:], got)
	}
	return n, nil
}

// get reads one range, and learns the size. Nothing and no error mean that the
// object ends before off.
func (f *file) get(ctx context.Context, off int64, n int) ([]byte, error) {
	if f.size >= 0 {
		n = int(min(int64(n), f.size-off))
	}
	res, err := f.cloud.read(ctx, f.bucket, f.key, off, n)
	if err != nil {
		return nil, err
	}
	switch res.Status {
	case http.StatusRequestedRangeNotSatisfiable:
		_, f.size = contentRange(res)
		if f.size < 0 {
			f.size = off // such an answer is given to empty objects
		}
		return nil, nil
	case http.StatusPartialContent:
		from, size := contentRange(res)
		if from != off {
			return nil, &connectors.Error{Code: connectors.Refused, Reason: "objectstore.range", Op: connectors.StageData, Target: f.key}
		}
		if size >= 0 {
			f.size = size
		}
		return res.Body, nil
	}
	f.ranges = false
	f.size = contentLength(res)
	if off > 0 {
		return nil, files.ErrNoRanges
	}
	return res.Body, nil
}

// contentRange reads "bytes 0-99/1234"; what is not told is -1.
func contentRange(res *httpx.Response) (from, size int64) {
	v, ok := strings.CutPrefix(res.Header.Get("Content-Range"), "bytes ")
	if !ok {
		return -1, -1
	}
	span, whole, _ := strings.Cut(v, "/")
	begin, _, _ := strings.Cut(span, "-")
	return number(begin), number(whole)
}

// contentLength is the whole size where the whole was sent.
func contentLength(res *httpx.Response) int64 {
	if !res.Truncated {
		return int64(len(res.Body))
	}
	return number(res.Header.Get("Content-Length"))
}

func number(v string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// rangeOf is the header for n bytes from off.
func rangeOf(off int64, n int) string {
	return "bytes=" + strconv.FormatInt(off, 10) + "-" + strconv.FormatInt(off+int64(n)-1, 10)
}

package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/httpx"
)

// A download is a file of a service that is read where it has to be: by ranges
// (RFC 9110 section 14) where the service has them, else from its beginning.
type download struct {
	s    *session
	at   place
	size int64
}

func (s *session) download(at place) *download { return &download{s: s, at: at, size: -1} }

func (d *download) Size() int64  { return d.size }
func (d *download) Close() error { return nil }

func (d *download) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off > 0 && !d.at.content.Range {
		return 0, files.ErrNoRanges
	}
	res, err := d.s.part(ctx, d.at, off, len(p))
	if err != nil {
		return 0, err
	}
	if off > 0 && res.Status == http.StatusOK && len(res.Body) > 0 {
		return 0, files.ErrNoRanges // it answers with the whole file
	}
	n := copy(p, res.Body)
	if whole, ok := wholeSize(res); ok {
		d.size = whole
	} else if !res.Truncated {
		d.size = off + int64(len(res.Body))
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// wholeSize is the size that an answer to a range names.
func wholeSize(res *httpx.Response) (int64, bool) {
	_, whole, ok := strings.Cut(res.Header.Get("Content-Range"), "/")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	return n, err == nil
}

func span(off int64, n int) string { return fmt.Sprintf("bytes=%d-%d", off, off+int64(n)-1) }

package datafile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// counted is a Source that counts what is read of it.
type counted struct {
	r    io.ReaderAt
	size int64
	read int64
}

func (c *counted) Size() int64 { return c.size }

func (c *counted) ReadAt(_ context.Context, p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.read += int64(n)
	return n, err
}

func memory(b []byte) *counted { return &counted{r: bytes.NewReader(b), size: int64(len(b))} }

func text(s string) *counted { return memory([]byte(s)) }

func disk(tb testing.TB, parts ...string) *counted {
	tb.Helper()
	f, err := os.Open(filepath.Join(parts...))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	return &counted{r: f, size: info.Size()}
}

func table(tb testing.TB, src Source, name string, o Options) *connectors.Table {
	tb.Helper()
	t, err := Table(tb.Context(), src, name, 100, o)
	if err != nil {
		tb.Fatalf("%s: %v (%+v)", name, err, errors.Unwrap(err))
	}
	for _, row := range t.Rows {
		if len(row) != len(t.Columns) {
			tb.Fatalf("%s: a row of %d cells under %d columns", name, len(row), len(t.Columns))
		}
	}
	return t
}

// heads are the columns as "name:type", with # for numbers.
func shown(t *connectors.Table) string {
	var out []string
	for _, c := range t.Columns {
		mark := ""
		if c.Numeric {
			mark = "#"
		}
		out = append(out, c.Name+":"+c.Type+mark)
	}
	return strings.Join(out, " ")
}

// wants is conntest.WantError, and wants sentences.
func wants(tb testing.TB, err error, code connectors.Code, reason, field string) {
	tb.Helper()
	if err == nil {
		tb.Fatal("it worked")
	}
	conntest.WantError(tb, err, code, reason, field)
	p := connectors.Explain(err)
	for _, s := range []string{p.Title, p.Hint} {
		if !strings.HasSuffix(s, ".") && !strings.Contains(s, ": ") {
			tb.Errorf("%q is no sentence", s)
		}
	}
}

func row(t *connectors.Table, i int) string {
	if i >= len(t.Rows) {
		return "(no row)"
	}
	return fmt.Sprint(t.Rows[i])
}

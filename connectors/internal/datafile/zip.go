package datafile

import (
	"archive/zip"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"jackfield/connectors"
)

// The bounds of a zip's directory. archive/zip keeps some 300 bytes for every
// member, and an entry has 46 at least.
const (
	maxMembers   = 100_000
	maxDirectory = 10 << 20
)

// The methods of compression that the standard library does not know
// (APPNOTE.TXT 4.4.5).
const (
	methodBzip2 = 12
	methodZstd  = 93
	methodAES   = 99
)

// An archive is a zip whose directory was read; no member was.
type archive struct {
	members []*zip.File
	names   []string // of the members, as text
}

// metered ends a reading that goes on for too long.
type metered struct {
	r    io.ReaderAt
	left int64
}

func (m *metered) ReadAt(p []byte, off int64) (int, error) {
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, broken{"the list of its members is too long"}
	}
	return m.r.ReadAt(p, off)
}

// zip reads the directory at the file's end.
func (f *file) zip() (*archive, error) {
	r, size, err := f.random()
	if err != nil {
		return nil, err
	}
	if err := f.countMembers(r, size); err != nil {
		return nil, err
	}
	limited := &metered{r: r, left: maxDirectory}
	z, err := zip.NewReader(limited, size)
	if err != nil {
		return nil, err
	}
	limited.left = 1 << 62
	if len(z.File) > maxMembers {
		return nil, f.fail("files.many", "")
	}
	z.RegisterDecompressor(methodBzip2, func(in io.Reader) io.ReadCloser { return io.NopCloser(bzip2.NewReader(in)) })
	z.RegisterDecompressor(methodZstd, func(in io.Reader) io.ReadCloser {
		d, err := f.zstd(in)
		if err != nil {
			return io.NopCloser(failing{err})
		}
		return io.NopCloser(d)
	})
	a := &archive{members: z.File}
	for _, m := range z.File {
		a.names = append(a.names, memberName(m))
	}
	return a, nil
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// countMembers reads the end of the directory (APPNOTE.TXT 4.3.16) before the
// directory itself, and refuses what says that it is too long.
func (f *file) countMembers(r io.ReaderAt, size int64) error {
	tail := make([]byte, min(size, block))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	at := strings.LastIndex(string(tail), "PK\x05\x06")
	if at < 0 || len(tail)-at < 22 {
		return broken{"the list of its members is missing: the file is not whole"}
	}
	if binary.LittleEndian.Uint32(tail[at+12:]) > maxDirectory && binary.LittleEndian.Uint32(tail[at+12:]) != 0xffffffff {
		return f.fail("files.many", "")
	}
	return nil
}

// memberName is a member's name as text: UTF-8 where it is, else the code page
// of the format's first days (APPNOTE.TXT appendix D).
func memberName(m *zip.File) string {
	name := m.Name
	if !utf8.ValidString(name) {
		name, _ = charmap.CodePage437.NewDecoder().String(name)
	}
	if !strings.Contains(name, "/") {
		name = strings.ReplaceAll(name, `\`, "/")
	}
	return name
}

// find returns the member with a name.
func (a *archive) find(name string) *zip.File {
	if i := slices.Index(a.names, name); i >= 0 {
		return a.members[i]
	}
	return nil
}

// member goes on with a member's content.
func (f *file) member(a *archive, name string) error {
	m := a.find(name)
	if m == nil {
		return f.notFound(name)
	}
	outer := f.src
	f.name = base(name)
	if m.Flags&1 != 0 || m.Method == methodAES {
		return f.fail("files.zip_encrypted", "")
	}
	if m.Method == zip.Store && m.CompressedSize64 == m.UncompressedSize64 {
		at, err := m.DataOffset()
		if err != nil {
			return err
		}
		f.src = section{outer, at, int64(m.UncompressedSize64)}
		return nil
	}
	r, err := openMember(m)
	if err != nil {
		return f.fail("files.packed", err.Error())
	}
	f.ends = append(f.ends, func() { _ = r.Close() })
	f.wrap(r, "", sizeOf(m))
	return nil
}

func openMember(m *zip.File) (io.ReadCloser, error) {
	switch m.Method {
	case zip.Store, zip.Deflate, methodBzip2, methodZstd:
		return m.Open()
	}
	return nil, fmt.Errorf("zip method %d", m.Method)
}

// sizeOf is a member's size as its directory says it: true in an honest file.
func sizeOf(m *zip.File) int64 {
	if m.UncompressedSize64 > 1<<62 {
		return -1
	}
	return int64(m.UncompressedSize64)
}

// litter is what some programs put into every zip.
func litter(name string) bool {
	return strings.HasSuffix(name, "/") || strings.HasPrefix(name, "__MACOSX/") || base(name) == ".DS_Store"
}

// zipTable shows a workbook's first sheet, the rows of an only member, or else
// the list of members.
func (f *file) zipTable(limit int) (*connectors.Table, error) {
	a, err := f.zip()
	if err != nil {
		return nil, err
	}
	if a.workbook() {
		return f.excel(limit)
	}
	inside := ""
	if n := len(f.o.Inside); n > 0 && strings.HasSuffix(f.o.Inside[n-1], "/") {
		inside = f.o.Inside[n-1]
	}
	var only []string
	for _, name := range a.names {
		if !litter(name) && strings.HasPrefix(name, inside) {
			only = append(only, name)
		}
	}
	if len(only) == 1 && inside == "" {
		f.around = append(f.around, "zip")
		if err := f.member(a, only[0]); err != nil {
			return nil, err
		}
		if err := f.unwrap(); err != nil {
			return nil, err
		}
		if head, err := f.first(4 << 10); err != nil || kindOf(head) != zipFile {
			return f.table(limit)
		}
		return nil, f.fail("files.no_rows", "")
	}
	return a.list(inside, limit), nil
}

// list is a table of what is in a zip.
func (a *archive) list(inside string, limit int) *connectors.Table {
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Name"}, {Name: "Size", Type: "integer", Numeric: true}, {Name: "Compressed", Type: "integer", Numeric: true}, {Name: "Modified", Type: "timestamp"}, {Name: "Encrypted", Type: "boolean"}}}
	for i, m := range a.members {
		if litter(a.names[i]) || !strings.HasPrefix(a.names[i], inside) {
			continue
		}
		if len(t.Rows) >= limit {
			t.Truncated = true
			break
		}
		var modified any
		if !m.Modified.IsZero() {
			modified = m.Modified.Format("2006-01-02 15:04:05")
		}
		t.Rows = append(t.Rows, []any{a.names[i], sizeOf(m), int64(min(m.CompressedSize64, 1<<62)), modified, m.Flags&1 != 0})
	}
	return t
}

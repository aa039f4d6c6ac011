package datafile

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"jackfield/connectors"
)

// A file is what is left of a source when the compressions, encryptions and
// containers around it are off.
type file struct {
	ctx    context.Context // of the one call that a file lives for
	src    Source
	name   string
	sheet  string   // of a workbook, where Options.Inside named one
	around []string // what was taken off, from the outside: "gzip", "PGP"
	o      Options
	left   int64 // bytes that may still be unpacked
	ends   []func()
	stored *blocks // the outermost, as the store has it
}

func open(ctx context.Context, src Source, name string, o Options) (*file, error) {
	if len(o.Inside) > Depth {
		return nil, failure("files.depth", name, "")
	}
	outer := newBlocks(src)
	f := &file{ctx: ctx, src: outer, stored: outer, name: base(name), o: o, left: unpackBytes}
	err := f.unwrap()
	for i := 0; err == nil && i < len(o.Inside); i++ {
		err = f.enter(o.Inside[i], i == len(o.Inside)-1)
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *file) close() {
	for _, end := range f.ends {
		end()
	}
}

// head is what tells the kind of a file.
func (f *file) head() ([]byte, error) { return f.first(headBytes) }

// first reads at most n bytes from the beginning.
func (f *file) first(n int) ([]byte, error) {
	data := make([]byte, n)
	n, err := f.src.ReadAt(f.ctx, data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}

// unwrap takes off what compresses and encrypts.
func (f *file) unwrap() error {
	for range maxLayers {
		head, err := f.first(4 << 10)
		if err != nil {
			return err
		}
		var r io.Reader
		kind := kindOf(head)
		in := bufio.NewReaderSize(reader(f.ctx, f.src), block)
		switch kind {
		case gzipFile:
			r, err = gzip.NewReader(in)
		case bzip2File:
			r = bzip2.NewReader(in)
		case zstdFile:
			r, err = f.zstd(in)
		case pgpFile:
			r, err = f.decrypt(head)
		default:
			return nil
		}
		if err != nil {
			return err
		}
		f.wrap(r, string(kind), -1)
		f.name, _ = strings.CutSuffix(f.name, extOf(f.name))
	}
	return nil
}

// extOf is the last ending of a name, if it is one of a wrapper.
func extOf(name string) string {
	inner, wrapped := Unwrapped(name)
	if !wrapped || len(inner) == len(name) {
		return ""
	}
	return name[strings.LastIndexByte(name, '.'):]
}

// wrap goes on with what r unpacks.
func (f *file) wrap(r io.Reader, what string, size int64) {
	f.src = &sequence{r: r, size: size, left: &f.left}
	if what != "" {
		f.around = append(f.around, what)
	}
}

// zstd starts no goroutines, and refuses windows that need more memory than a
// preview is worth (RFC 8878 section 3.1.1.1.2).
func (f *file) zstd(r io.Reader) (io.Reader, error) {
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(16<<20), zstd.WithDecoderMaxMemory(unpackBytes))
	if err != nil {
		return nil, err
	}
	f.ends = append(f.ends, d.Close)
	return d, nil
}

// random gives a source whose size is known, by unpacking it to the end where
// it has to be.
func (f *file) random() (io.ReaderAt, int64, error) {
	if s, ok := f.src.(*sequence); ok {
		size, err := s.all(f.ctx)
		return readerAt{f.ctx, f.src}, size, err
	}
	if size := f.src.Size(); size >= 0 {
		return readerAt{f.ctx, f.src}, size, nil
	}
	// A store that does not tell the size is read to the end, as a compression is.
	s := &sequence{r: reader(f.ctx, f.src), size: -1, left: &f.left}
	f.src = s
	size, err := s.all(f.ctx)
	return readerAt{f.ctx, s}, size, err
}

// note adds to a table's note what was around the file.
func (f *file) note(note string) string {
	if len(f.around) == 0 {
		return note
	}
	around := strings.Join(f.around, ", ")
	if note == "" {
		return around
	}
	return around + ", " + note
}

// enter goes into a container.
func (f *file) enter(member string, last bool) error {
	head, err := f.first(4 << 10)
	if err != nil {
		return err
	}
	switch kindOf(head) {
	case zipFile:
	case ole:
		return f.oleError(head)
	default:
		return f.notFound(member)
	}
	z, err := f.zip()
	if err != nil {
		return err
	}
	if z.workbook() {
		if !last {
			return f.notFound(member)
		}
		f.sheet = member
		return nil
	}
	if strings.HasSuffix(member, "/") {
		if !last {
			return f.notFound(member)
		}
		return nil
	}
	if err := f.member(z, member); err != nil {
		return err
	}
	return f.unwrap()
}

func (f *file) notFound(member string) error {
	return &connectors.Error{Code: connectors.NotFound, Reason: "files.no_member", Op: connectors.StageData, Target: base(member), Said: f.name}
}

package rows

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// The bounds of one record.
const (
	maxCell    = 4 << 10 // bytes of one cell that are kept
	maxColumns = 1000
	maxRecord  = 1 << 20 // bytes from a record's begin to its end
)

// ErrLong is returned for a record without an end: a quote that never closes, or
// something that is no table.
var ErrLong = errors.New("a line goes on for more than a megabyte")

// A Dialect is how a delimited file is written (RFC 4180 is one).
type Dialect struct {
	Comma  byte // between cells
	Quote  byte // around cells that contain a comma; 0 for none
	Escape bool // \" stands for a quote within quotes, not ""
	Header bool // the first record names the columns
	Skip   int  // lines before the first record
}

// A Reader reads the records of a delimited file, more lenient than RFC 4180:
// records may differ in length, and a quote within a cell is only a character.
type Reader struct {
	r    *bufio.Reader
	d    Dialect
	size int // bytes of the record so far
	cell strings.Builder
	long bool // the cell was cut
	skip int
}

// NewReader reads UTF-8.
func NewReader(r io.Reader, d Dialect) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 16<<10), d: d, skip: d.Skip}
}

// Read returns the next record that is not an empty line; cells beyond the bounds
// are cut. ended is false for a record that stops with the file instead of with a
// line's end. The last error is io.EOF.
func (r *Reader) Read() (record []string, ended bool, err error) {
	for ; r.skip > 0; r.skip-- {
		if err := r.line(); err != nil {
			return nil, false, err
		}
	}
	for {
		r.size = 0
		record, ended, err = r.record()
		if err != nil || len(record) > 1 || len(record) == 1 && record[0] != "" {
			return record, ended, err
		}
		if !ended {
			return nil, false, io.EOF
		}
	}
}

func (r *Reader) line() error {
	for {
		b, err := r.next()
		if err != nil || b == '\n' {
			return err
		}
	}
}

func (r *Reader) next() (byte, error) {
	b, err := r.r.ReadByte()
	if err == nil {
		if r.size++; r.size > maxRecord {
			return 0, ErrLong
		}
	}
	return b, err
}

func (r *Reader) record() (out []string, ended bool, err error) {
	for {
		end, err := r.field()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, err
		}
		if err != nil && len(out) == 0 && r.cell.Len() == 0 {
			return nil, false, io.EOF
		}
		if len(out) < maxColumns {
			out = append(out, r.text())
		}
		if err != nil {
			return out, false, nil
		}
		if end == '\n' {
			return out, true, nil
		}
	}
}

// field reads one cell and what ends it: the comma, '\n', or the error.
func (r *Reader) field() (end byte, err error) {
	r.cell.Reset()
	r.long = false
	b, err := r.next()
	if err != nil {
		return 0, err
	}
	if r.d.Quote != 0 && b == r.d.Quote {
		return r.quoted()
	}
	for {
		switch b {
		case r.d.Comma, '\n':
			return b, nil
		case '\r':
			r.lineFeed()
			return '\n', nil
		default:
			r.keep(b)
		}
		if b, err = r.next(); err != nil {
			return 0, err
		}
	}
}

// lineFeed takes the line feed that may follow a return; a lone return ends a
// line too (old Macintosh files).
func (r *Reader) lineFeed() {
	if p, err := r.r.Peek(1); err == nil && p[0] == '\n' {
		_, _ = r.r.ReadByte()
	}
}

// quoted reads to the quote that a comma or a line's end follows.
func (r *Reader) quoted() (end byte, err error) {
	for {
		b, err := r.next()
		if err != nil {
			return 0, err
		}
		switch {
		case b == '\\' && r.d.Escape:
			if b, err = r.next(); err != nil {
				return 0, err
			}
			r.keep(b)
		case b != r.d.Quote:
			r.keep(b)
		default:
			closed, end, err := r.closing()
			if closed || err != nil {
				return end, err
			}
		}
	}
}

// closing looks at what follows a quote within quotes.
func (r *Reader) closing() (closed bool, end byte, err error) {
	b, err := r.next()
	switch {
	case err != nil:
		return true, 0, err
	case b == r.d.Comma, b == '\n':
		return true, b, nil
	case b == '\r':
		r.lineFeed()
		return true, '\n', nil
	case b == r.d.Quote:
		r.keep(b)
		return false, 0, nil
	}
	r.keep(r.d.Quote)
	r.keep(b)
	return false, 0, nil
}

func (r *Reader) keep(b byte) {
	if r.cell.Len() < maxCell {
		r.cell.WriteByte(b)
	} else {
		r.long = true
	}
}

func (r *Reader) text() string {
	if !r.long {
		return r.cell.String()
	}
	return string(wholeRunes([]byte(r.cell.String()))) + "…"
}

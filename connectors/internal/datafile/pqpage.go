package datafile

import (
	"encoding/binary"
	"errors"
	"io"
)

// The bounds of a page. Writers make pages of a megabyte, and some of a whole
// row group.
const (
	maxPage       = 24 << 20
	maxPageValues = 1 << 26
	maxPageHeader = 1 << 20
	pagePart      = 128 << 10 // of a page's content, to begin with
)

// The kinds of pages.
const (
	pageData       = 0
	pageDictionary = 2
	pageDataV2     = 3
)

// A pageHead stands before each page.
type pageHead struct {
	kind, size, packed int64 // the size before and after compression
	values, nulls      int64
	encoding           int64
	defEncoding        int64
	repEncoding        int64
	defBytes, repBytes int64 // of a data page of the second version
	plainData          bool  // the values of such a page are not compressed
}

func readPageHead(b []byte) (pageHead, int, error) {
	h := pageHead{values: -1}
	r := &thrift{b: b}
	whole := map[int]*int64{1: &h.kind, 2: &h.size, 3: &h.packed}
	err := r.fields(func(id int, t byte) (err error) {
		switch {
		case whole[id] != nil:
			*whole[id], err = r.whole(t)
		case t != thriftStruct:
			err = r.skip(t)
		case id == 5:
			err = r.numbers(map[int]*int64{1: &h.values, 2: &h.encoding, 3: &h.defEncoding, 4: &h.repEncoding}, nil)
		case id == 7:
			err = r.numbers(map[int]*int64{1: &h.values, 2: &h.encoding}, nil)
		case id == 8:
			err = r.numbers(map[int]*int64{1: &h.values, 2: &h.nulls, 4: &h.encoding, 5: &h.defBytes, 6: &h.repBytes}, &h.plainData)
		default:
			err = r.skip(t)
		}
		return err
	})
	if err == nil {
		err = h.check()
	}
	return h, r.at, err
}

func (h pageHead) check() error {
	if h.packed < 0 || h.size < 0 || h.values > maxPageValues || h.defBytes < 0 || h.repBytes < 0 || h.defBytes > maxPage || h.repBytes > maxPage {
		return errThrift
	}
	if h.packed > maxPage || h.size > maxPage {
		return errBudget
	}
	return nil
}

// numbers reads the whole numbers of a structure; the seventh member of a data
// page's head says that its values are not compressed, when it is false.
func (r *thrift) numbers(to map[int]*int64, plainData *bool) error {
	return r.fields(func(id int, t byte) error {
		if v := to[id]; v != nil {
			n, err := r.whole(t)
			*v = n
			return err
		}
		if id == 7 && plainData != nil {
			*plainData = t == thriftFalse
		}
		return r.skip(t)
	})
}

// pages reads one column chunk, a page at a time.
type pages struct {
	f       *file
	l       leaf
	c       chunk
	at, end int64
	dict    *dictionary
	left    int64 // values of the chunk that were not yet seen
	last    stored
	want    int64 // bytes of the last page
}

func (f *file) pages(l leaf, c chunk) (*pages, error) {
	if c.encrypted {
		return nil, f.fail("files.parquet_encrypted", "")
	}
	if c.remote || c.data < 4 || c.size < 0 || c.values < 0 {
		return nil, broken{"a column does not lie in the file"}
	}
	p := &pages{f: f, l: l, c: c, at: c.data, left: c.values}
	if c.dictionary > 0 && c.dictionary < c.data {
		p.at = c.dictionary
	}
	p.end = p.at + c.size
	return p, nil
}

// A page is a data page, ready to be read.
type page struct {
	reps, defs *hybrid
	values     values
	count      int64
	short      bool // its end is missing: see pages.again
}

// A stored page lies in the file.
type stored struct {
	pageHead
	at int64
}

// next returns the next data page, nil at the chunk's end. Of a large page it is
// only the beginning.
func (p *pages) next() (*page, error) {
	for p.left > 0 && p.at < p.end {
		s, err := p.head()
		if err != nil {
			return nil, err
		}
		switch s.kind {
		case pageDictionary:
			data, err := p.unpack(s.at, s.packed, s.size, s.size)
			if err != nil {
				return nil, err
			}
			if p.dict, err = newDictionary(data, p.l.kind, p.l.length, int(max(s.values, 0))); err != nil {
				return nil, err
			}
		case pageData, pageDataV2:
			if s.values < 0 {
				return nil, errThrift
			}
			if p.left -= s.values; s.values > 0 {
				p.last, p.want = s, pagePart
				return p.page()
			}
		}
	}
	return nil, nil
}

// again returns the last page with more of it.
func (p *pages) again() (*page, error) {
	p.want *= 4
	return p.page()
}

// head reads what stands before a page, and goes on behind the page.
func (p *pages) head() (stored, error) {
	for n := int64(4 << 10); ; n *= 4 {
		b := make([]byte, min(n, p.end-p.at))
		m, err := p.f.src.ReadAt(p.f.ctx, b, p.at)
		if err != nil && !errors.Is(err, io.EOF) {
			return stored{}, err
		}
		h, size, err := readPageHead(b[:m])
		if errors.Is(err, errShort) && m == len(b) && n < maxPageHeader && n < p.end-p.at {
			continue
		}
		if err != nil {
			return stored{}, err
		}
		s := stored{h, p.at + int64(size)}
		p.at = s.at + h.packed
		if p.at > p.end {
			return s, errShort
		}
		return s, nil
	}
}

func (p *pages) page() (*page, error) {
	h := p.last
	short := h.size > p.want
	reps, defs, data, err := p.parts()
	if err == nil && short && partless(int(h.encoding)) || short && errors.Is(err, errShort) {
		return p.again()
	}
	if err != nil {
		return nil, err
	}
	v, err := newValues(int(h.encoding), data, p.l, p.dict, int(h.values))
	if err != nil && short {
		return p.again()
	}
	if err != nil && len(data) == 0 {
		v, err = &plain{}, nil // nothing but NULLs
	}
	return &page{reps: levels(reps, p.l.maxRep), defs: levels(defs, p.l.maxDef), values: v, count: h.values, short: short}, err
}

// parts are the levels and the values of the last page.
func (p *pages) parts() (reps, defs, data []byte, err error) {
	h := p.last
	if h.kind == pageDataV2 {
		return p.parts2()
	}
	data, err = p.unpack(h.at, h.packed, h.size, p.want)
	if err == nil && p.l.maxRep > 0 {
		reps, data, err = prefixed(data, h.repEncoding)
	}
	if err == nil && p.l.maxDef > 0 {
		defs, data, err = prefixed(data, h.defEncoding)
	}
	return reps, defs, data, err
}

// parts2 are those of the second version, where levels are never compressed.
func (p *pages) parts2() (reps, defs, data []byte, err error) {
	h := p.last
	levels := h.repBytes + h.defBytes
	if levels > h.packed || levels > h.size {
		return nil, nil, nil, errThrift
	}
	front := make([]byte, levels)
	if err := p.full(front, h.at); err != nil {
		return nil, nil, nil, err
	}
	reps, defs = front[:h.repBytes], front[h.repBytes:]
	if p.l.maxDef == 0 {
		defs = nil
	}
	codec := p.c.codec
	if h.plainData {
		p.c.codec = 0
	}
	data, err = p.unpack(h.at+levels, h.packed-levels, h.size-levels, p.want)
	p.c.codec = codec
	return reps, defs, data, err
}

// partless reports whether an encoding has to be there as a whole: the parts of
// one value lie far from each other.
func partless(encoding int) bool {
	return encoding == pqByteStreamSplit || encoding == pqDeltaLength || encoding == pqDeltaBytes
}

// prefixed takes levels off a data page of the first version.
func prefixed(b []byte, encoding int64) (levels, rest []byte, err error) {
	if encoding != pqRLE {
		return nil, nil, broken{"its levels are written in a way that was given up in 2014"}
	}
	if len(b) < 4 || int64(binary.LittleEndian.Uint32(b)) > int64(len(b)-4) {
		return nil, nil, errShort
	}
	n := 4 + int(binary.LittleEndian.Uint32(b))
	return b[4:n], b[n:], nil
}

// full reads all of b.
func (p *pages) full(b []byte, at int64) error {
	n, err := p.f.src.ReadAt(p.f.ctx, b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = errShort
	}
	return err
}

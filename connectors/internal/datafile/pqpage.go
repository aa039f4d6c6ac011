package datafile

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
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
	err := r.fields(func(id int, t byte) (err error) {
		switch {
		case id == 1:
			h.kind, err = r.whole(t)
		case id == 2:
			h.size, err = r.whole(t)
		case id == 3:
			h.packed, err = r.whole(t)
		case id == 5 && t == thriftStruct:
			err = r.numbers(map[int]*int64{1: &h.values, 2: &h.encoding, 3: &h.defEncoding, 4: &h.repEncoding}, nil)
		case id == 7 && t == thriftStruct:
			err = r.numbers(map[int]*int64{1: &h.values, 2: &h.encoding}, nil)
		case id == 8 && t == thriftStruct:
			h.defEncoding, h.repEncoding = pqRLE, pqRLE
			err = r.numbers(map[int]*int64{1: &h.values, 2: &h.nulls, 4: &h.encoding, 5: &h.defBytes, 6: &h.repBytes}, &h.plainData)
		default:
			err = r.skip(t)
		}
		return err
	})
	if err != nil {
		return h, 0, err
	}
	if h.packed < 0 || h.size < 0 || h.values > maxPageValues || h.defBytes < 0 || h.repBytes < 0 {
		return h, 0, errThrift
	}
	if h.packed > maxPage || h.size > maxPage {
		return h, 0, errBudget
	}
	return h, r.at, nil
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
	var reps, defs, data []byte
	var err error
	short := h.size > p.want
	if h.kind == pageDataV2 {
		levels := h.repBytes + h.defBytes
		if levels > h.packed || levels > h.size {
			return nil, errShort
		}
		front := make([]byte, levels)
		if err := p.full(front, h.at); err != nil {
			return nil, err
		}
		reps, defs = front[:h.repBytes], front[h.repBytes:]
		codec := p.c.codec
		if h.plainData {
			p.c.codec = 0
		}
		data, err = p.unpack(h.at+levels, h.packed-levels, h.size-levels, p.want)
		p.c.codec = codec
	} else {
		data, err = p.unpack(h.at, h.packed, h.size, p.want)
		if err == nil && p.l.maxRep > 0 {
			reps, data, err = prefixed(data, h.repEncoding)
		}
		if err == nil && p.l.maxDef > 0 {
			defs, data, err = prefixed(data, h.defEncoding)
		}
	}
	if err == nil && short && partless(int(h.encoding)) {
		err = errShort
	}
	if short && errors.Is(err, errShort) {
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
	if p.l.maxDef == 0 {
		defs = nil
	}
	return &page{reps: levels(reps, p.l.maxRep), defs: levels(defs, p.l.maxDef), values: v, count: h.values, short: short}, err
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

// unpack makes the first want bytes of size, whatever else is in a page, and
// reads no more of the packed ones than that takes.
func (p *pages) unpack(at, packed, size, want int64) ([]byte, error) {
	if size < 0 || size > maxPage || packed < 0 {
		return nil, errThrift
	}
	want = min(want, size)
	if want == 0 {
		return nil, nil
	}
	in := io.NewSectionReader(readerAt{p.f.ctx, p.f.src}, at, packed)
	var unpacked io.Reader
	switch p.c.codec {
	case 0:
		unpacked = in
	case 1:
		return p.snappy(at, packed, size, want)
	case 2:
		z, err := gzip.NewReader(bufio.NewReader(in))
		if err != nil {
			return nil, err
		}
		unpacked = z
	case 4:
		unpacked = brotli.NewReader(in)
	case 6:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(2*maxPage), zstd.WithDecoderMaxWindow(maxPage/2))
		if err != nil {
			return nil, err
		}
		defer z.Close()
		unpacked = z
	case 7:
		return p.lz4(at, packed, size)
	default:
		return nil, p.f.fail("files.packed", codecName(p.c.codec))
	}
	out := make([]byte, want)
	_, err := io.ReadFull(unpacked, out)
	return out, err
}

func (p *pages) lz4(at, packed, size int64) ([]byte, error) {
	b := make([]byte, packed)
	if err := p.full(b, at); err != nil {
		return nil, err
	}
	out := make([]byte, size)
	n, err := lz4.UncompressBlock(b, out)
	return out[:max(n, 0)], err
}

// snappy reads a block from its beginning on; one that does not give size bytes
// as a whole is refused.
func (p *pages) snappy(at, packed, size, want int64) ([]byte, error) {
	part := want + 64
	if want == size {
		part = packed
	}
	b := make([]byte, min(packed, part))
	if err := p.full(b, at); err != nil {
		return nil, err
	}
	n, skip := binary.Uvarint(b)
	if skip <= 0 || int64(n) != size {
		return nil, errValues
	}
	out, err := unsnap(b[skip:], int(want))
	if err == nil && int64(len(out)) < want && int64(len(b)) < packed {
		return p.snappy(at, packed, size, min(size, want*4))
	}
	if err == nil && int64(len(out)) < want {
		err = errValues
	}
	return out, err
}

// unsnap decodes Snappy's raw format until it has want bytes or b ends
// (https://github.com/google/snappy/blob/main/format_description.txt). The library
// decodes whole blocks alone, and a page can be twenty megabytes long.
func unsnap(b []byte, want int) ([]byte, error) {
	out := make([]byte, 0, want)
	for len(out) < want && len(b) > 0 {
		tag := b[0]
		length, offset, head := 0, 0, 1
		switch tag & 3 {
		case 0:
			length = int(tag >> 2)
			if length >= 60 {
				extra := length - 59
				if len(b) < 1+extra {
					return out, nil
				}
				length, head = int(little(b[1:1+extra])), 1+extra
			}
			length++
			b = b[head:]
			n := min(length, want-len(out), len(b))
			out = append(out, b[:n]...)
			if n < length {
				return out, nil
			}
			b = b[length:]
			continue
		case 1:
			if len(b) < 2 {
				return out, nil
			}
			length, offset, head = int(tag>>2&7)+4, int(tag>>5)<<8|int(b[1]), 2
		default:
			head = 3 + 2*int(tag&3-2)
			if len(b) < head {
				return out, nil
			}
			length, offset = int(tag>>2)+1, int(little(b[1:head]))
		}
		if offset == 0 || offset > len(out) {
			return nil, errValues
		}
		b = b[head:]
		for range min(length, want-len(out)) {
			out = append(out, out[len(out)-offset])
		}
	}
	return out, nil
}

func little(b []byte) uint32 {
	var v uint32
	for i, c := range b {
		v |= uint32(c) << (8 * i)
	}
	return v
}

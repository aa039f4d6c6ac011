package datafile

import (
	"encoding/binary"
	"math/bits"
)

// The encodings of values (Encodings.md of https://github.com/apache/parquet-format).
const (
	pqPlain           = 0
	pqPlainDictionary = 2
	pqRLE             = 3
	pqDeltaBinary     = 5
	pqDeltaLength     = 6
	pqDeltaBytes      = 7
	pqDictionary      = 8
	pqByteStreamSplit = 9
)

// A raw value is a number, or the bits of one, or bytes.
type raw struct {
	n int64
	b []byte
}

// Values are read one by one, as many as a preview has rows, so that what a page
// claims to hold costs nothing.
type values interface{ next() (raw, error) }

var errValues = broken{"a page ends before its values do"}

// hybrid reads numbers that are run-length encoded or packed into bits.
type hybrid struct {
	b      []byte
	width  int
	run    uint64 // values left of a run
	value  uint32
	packed int // values left that are packed
	bit    int // where in b the next one begins
}

func (h *hybrid) next() (uint32, error) {
	for h.run == 0 && h.packed == 0 {
		if err := h.header(); err != nil {
			return 0, err
		}
	}
	if h.run > 0 {
		h.run--
		return h.value, nil
	}
	h.packed--
	v := uint32(bitsAt(h.b, h.bit, h.width))
	h.bit += h.width
	if h.packed == 0 {
		h.b = h.b[min((h.bit+7)/8, len(h.b)):]
	}
	return v, nil
}

func (h *hybrid) header() error {
	if h.width == 0 && len(h.b) == 0 {
		h.run = 1 << 62 // all values are 0, and nothing has to say so
		return nil
	}
	v, n := binary.Uvarint(h.b)
	if n <= 0 {
		return errValues
	}
	h.b = h.b[n:]
	if v&1 == 1 {
		count := v >> 1
		if count > uint64(len(h.b))*8/uint64(max(h.width, 1))+8 || count == 0 {
			return errValues
		}
		h.packed, h.bit = int(count)*8, 0
		return nil
	}
	size := (h.width + 7) / 8
	if len(h.b) < size {
		return errValues
	}
	h.run, h.value = v>>1, 0
	for i := range size {
		h.value |= uint32(h.b[i]) << (8 * i)
	}
	h.b = h.b[size:]
	if h.run == 0 {
		return errValues
	}
	return nil
}

// bitsAt reads a number of at most 64 bits, least significant bit first; what
// lies beyond the end is 0.
func bitsAt(b []byte, at, width int) uint64 {
	var v uint64
	for got := 0; got < width; {
		i, shift := at/8, at%8
		if i >= len(b) {
			break
		}
		v |= uint64(b[i]>>shift) << got
		got += 8 - shift
		at += 8 - shift
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v
}

// levels reads definition or repetition levels; none are stored where the
// highest is 0.
func levels(b []byte, highest int) *hybrid { return &hybrid{b: b, width: bits.Len(uint(highest))} }

// plain reads values that stand one after the other.
type plain struct {
	b            []byte
	kind, length int
	bit          int
}

func (p *plain) next() (raw, error) {
	if p.kind == pqBoolean {
		if p.bit/8 >= len(p.b) {
			return raw{}, errValues
		}
		p.bit++
		return raw{n: int64(bitsAt(p.b, p.bit-1, 1))}, nil
	}
	size := width(p.kind, p.length)
	if p.kind == pqBytes {
		if len(p.b) < 4 {
			return raw{}, errValues
		}
		size = int(binary.LittleEndian.Uint32(p.b))
		p.b = p.b[4:]
	}
	if size < 0 || size > len(p.b) {
		return raw{}, errValues
	}
	v := fixed(p.kind, p.b[:size])
	p.b = p.b[size:]
	return v, nil
}

// width is the size of values that all have the same.
func width(kind, length int) int {
	switch kind {
	case pqInt32, pqFloat:
		return 4
	case pqInt64, pqDouble:
		return 8
	case pqInt96:
		return 12
	}
	return length
}

func fixed(kind int, b []byte) raw {
	switch kind {
	case pqInt32, pqFloat:
		return raw{n: int64(int32(binary.LittleEndian.Uint32(b)))}
	case pqInt64, pqDouble:
		return raw{n: int64(binary.LittleEndian.Uint64(b))}
	}
	return raw{b: b}
}

// A dictionary holds each value once. Of values of the same size it keeps only
// the bytes, of others where they begin.
type dictionary struct {
	b            []byte
	kind, length int
	starts       []uint32
}

func newDictionary(b []byte, kind, length, count int) (*dictionary, error) {
	d := &dictionary{b: b, kind: kind, length: length}
	if kind != pqBytes {
		return d, nil
	}
	for at := 0; len(d.starts) < count && at+4 <= len(b); {
		d.starts = append(d.starts, uint32(at))
		n := int64(binary.LittleEndian.Uint32(b[at:]))
		if n > int64(len(b)-at-4) {
			return nil, errValues
		}
		at += 4 + int(n)
	}
	return d, nil
}

func (d *dictionary) at(i uint32) (raw, error) {
	if d.kind == pqBytes {
		if int64(i) >= int64(len(d.starts)) {
			return raw{}, errValues
		}
		b := d.b[d.starts[i]:]
		return raw{b: b[4 : 4+binary.LittleEndian.Uint32(b)]}, nil
	}
	if d.kind == pqBoolean {
		return (&plain{b: d.b, kind: d.kind, bit: int(i)}).next()
	}
	size := int64(width(d.kind, d.length))
	if at := int64(i) * size; at+size <= int64(len(d.b)) {
		return fixed(d.kind, d.b[at:at+size]), nil
	}
	return raw{}, errValues
}

// indexed values are numbers of a dictionary's.
type indexed struct {
	h *hybrid
	d *dictionary
}

func (x indexed) next() (raw, error) {
	i, err := x.h.next()
	if err != nil {
		return raw{}, err
	}
	return x.d.at(i)
}

// runs are booleans, run-length encoded.
type runs struct{ h *hybrid }

func (r runs) next() (raw, error) {
	v, err := r.h.next()
	return raw{n: int64(v)}, err
}

// delta reads numbers as differences: blocks of small blocks, each with a width
// of its own.
type delta struct {
	b                []byte
	mini, perMini    int // small blocks in a block, numbers in a small block
	left             int // numbers altogether
	value            int64
	least            int64
	widths           []byte
	at, inMini, bits int // in the block: the small block, the number, the bit
	begun            bool
	narrow           bool // of 32 bits
}

func newDelta(b []byte, most int, narrow bool) (*delta, error) {
	d := &delta{b: b, narrow: narrow}
	var v [3]uint64
	for i := range v {
		n := 0
		if v[i], n = binary.Uvarint(d.b); n <= 0 {
			return nil, errValues
		}
		d.b = d.b[n:]
	}
	first, n := binary.Varint(d.b)
	if n <= 0 || v[0] == 0 || v[0] > 1<<20 || v[1] == 0 || v[1] > 1<<10 || v[0]%v[1] != 0 || v[2] > uint64(most) {
		return nil, errValues
	}
	d.b = d.b[n:]
	d.mini, d.perMini, d.left, d.value = int(v[1]), int(v[0]/v[1]), int(v[2]), first
	return d, nil
}

func (d *delta) number() (int64, error) {
	if d.left == 0 {
		return 0, errValues
	}
	if !d.begun {
		d.begun = true
		d.left--
		return d.value, nil
	}
	if d.widths == nil || d.inMini == d.perMini {
		if err := d.advance(); err != nil {
			return 0, err
		}
	}
	w := int(d.widths[d.at])
	d.value += d.least + int64(bitsAt(d.b, d.bits, w))
	if d.narrow {
		d.value = int64(int32(d.value))
	}
	d.bits += w
	d.inMini++
	d.left--
	return d.value, nil
}

// advance goes to the next small block.
func (d *delta) advance() error {
	if d.widths != nil {
		d.b = d.b[min(len(d.b), int(d.widths[d.at])*d.perMini/8):]
		d.at++
	}
	d.inMini, d.bits = 0, 0
	if d.widths == nil || d.at == d.mini {
		least, n := binary.Varint(d.b)
		if n <= 0 || len(d.b) < n+d.mini {
			return errValues
		}
		d.least, d.widths, d.b, d.at = least, d.b[n:n+d.mini], d.b[n+d.mini:], 0
	}
	if d.widths[d.at] > 64 {
		return errValues
	}
	return nil
}

// rest reads on to the last number and returns what follows.
func (d *delta) rest() ([]byte, error) {
	for d.left > 0 {
		if _, err := d.number(); err != nil {
			return nil, err
		}
	}
	if d.widths == nil {
		return d.b, nil
	}
	return d.b[min(len(d.b), int(d.widths[d.at])*d.perMini/8):], nil
}

func (d *delta) next() (raw, error) {
	n, err := d.number()
	return raw{n: n}, err
}

// deltaLength reads strings whose lengths stand before them all.
type deltaLength struct {
	lengths *delta
	b       []byte
}

func newDeltaLength(b []byte, most int) (*deltaLength, error) {
	lengths, err := newDelta(b, most, true)
	if err != nil {
		return nil, err
	}
	whole := *lengths
	rest, err := whole.rest()
	return &deltaLength{lengths: lengths, b: rest}, err
}

func (d *deltaLength) next() (raw, error) {
	n, err := d.lengths.number()
	if err != nil {
		return raw{}, err
	}
	if n < 0 || n > int64(len(d.b)) {
		return raw{}, errValues
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return raw{b: v}, nil
}

// deltaBytes reads strings that begin like the ones before them.
type deltaBytes struct {
	prefixes *delta
	suffixes *deltaLength
	last     []byte
}

// maxShared bounds a string that is put together: each may be as long as all
// before it.
const maxShared = 256 << 10

func newDeltaBytes(b []byte, most int) (*deltaBytes, error) {
	prefixes, err := newDelta(b, most, true)
	if err != nil {
		return nil, err
	}
	whole := *prefixes
	rest, err := whole.rest()
	if err != nil {
		return nil, err
	}
	suffixes, err := newDeltaLength(rest, most)
	return &deltaBytes{prefixes: prefixes, suffixes: suffixes}, err
}

func (d *deltaBytes) next() (raw, error) {
	n, err := d.prefixes.number()
	if err != nil {
		return raw{}, err
	}
	v, err := d.suffixes.next()
	if err != nil {
		return raw{}, err
	}
	if n < 0 || n > int64(len(d.last)) || n+int64(len(v.b)) > maxShared {
		return raw{}, errValues
	}
	d.last = append(append(make([]byte, 0, int(n)+len(v.b)), d.last[:n]...), v.b...)
	return raw{b: d.last}, nil
}

// split reads values whose first bytes stand together, then their second ones …
type split struct {
	b          []byte
	kind, size int
	i          int
}

func (s *split) next() (raw, error) {
	if s.size <= 0 {
		return raw{}, errValues
	}
	n := len(s.b) / s.size
	if s.i >= n {
		return raw{}, errValues
	}
	v := make([]byte, s.size)
	for k := range v {
		v[k] = s.b[k*n+s.i]
	}
	s.i++
	return fixed(s.kind, v), nil
}

// newValues reads a page's values; most is how many there can be.
func newValues(encoding int, b []byte, l leaf, d *dictionary, most int) (values, error) {
	switch encoding {
	case pqPlain:
		return &plain{b: b, kind: l.kind, length: l.length}, nil
	case pqPlainDictionary, pqDictionary:
		if d == nil || len(b) == 0 || b[0] > 32 {
			return nil, errValues
		}
		return indexed{&hybrid{b: b[1:], width: int(b[0])}, d}, nil
	case pqRLE:
		if l.kind != pqBoolean || len(b) < 4 {
			return nil, errValues
		}
		return runs{&hybrid{b: b[4:], width: 1}}, nil
	case pqDeltaBinary:
		return orNone(newDelta(b, most, l.kind == pqInt32))
	case pqDeltaLength:
		return orNone(newDeltaLength(b, most))
	case pqDeltaBytes:
		return orNone(newDeltaBytes(b, most))
	case pqByteStreamSplit:
		return &split{b: b, kind: l.kind, size: width(l.kind, l.length)}, nil
	}
	return nil, errValues
}

func orNone[V values](v V, err error) (values, error) {
	if err != nil {
		return nil, err
	}
	return v, nil
}

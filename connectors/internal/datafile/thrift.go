package datafile

import "encoding/binary"

// The types of Thrift's compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

// thriftDepth is far more than Parquet's own structures have.
const thriftDepth = 24

var (
	errThrift = broken{"its structure is not as Parquet has it"}
	errShort  = broken{"its structure ends too early"}
)

// A thrift reader goes through structures in the compact protocol. It allocates
// nothing: a list of two billion elements is five bytes long, and what a caller
// keeps is what it asks for.
type thrift struct {
	b     []byte
	at    int
	depth int
}

func (r *thrift) byte() (byte, error) {
	if r.at >= len(r.b) {
		return 0, errShort
	}
	r.at++
	return r.b[r.at-1], nil
}

func (r *thrift) uvarint() (uint64, error) {
	v, n := binary.Uvarint(r.b[r.at:])
	switch {
	case n == 0:
		return 0, errShort
	case n < 0:
		return 0, errThrift
	}
	r.at += n
	return v, nil
}

// whole reads a whole number of any width.
func (r *thrift) whole(t byte) (int64, error) {
	switch t {
	case thriftByte:
		b, err := r.byte()
		return int64(int8(b)), err
	case thriftI16, thriftI32, thriftI64:
		v, err := r.uvarint()
		return int64(v>>1) ^ -int64(v&1), err
	}
	return 0, errThrift
}

// bytes reads a string; the result is a part of the reader's own bytes.
func (r *thrift) bytes(t byte) ([]byte, error) {
	if t != thriftBinary {
		return nil, errThrift
	}
	n, err := r.uvarint()
	if err != nil {
		return nil, err
	}
	return r.take(n)
}

func (r *thrift) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.b)-r.at) {
		return nil, errShort
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at], nil
}

// fields calls field for every member of a structure; it has to read the value, or
// skip it. A boolean's value is its type.
func (r *thrift) fields(field func(id int, t byte) error) error {
	if r.depth++; r.depth > thriftDepth {
		return errThrift
	}
	defer func() { r.depth-- }()
	id := 0
	for {
		c, err := r.byte()
		if err != nil || c == 0 {
			return err
		}
		if delta := int(c >> 4); delta > 0 {
			id += delta
		} else {
			v, err := r.whole(thriftI16)
			if err != nil {
				return err
			}
			id = int(int16(v))
		}
		if err := field(id, c&15); err != nil {
			return err
		}
	}
}

// list calls item for every element. Each takes a byte at least, so that no list
// is longer than what is left.
func (r *thrift) list(t byte, item func(i int, t byte) error) error {
	if t != thriftList && t != thriftSet {
		return errThrift
	}
	if r.depth++; r.depth > thriftDepth {
		return errThrift
	}
	defer func() { r.depth-- }()
	c, err := r.byte()
	if err != nil {
		return err
	}
	n, kind := uint64(c>>4), c&15
	if n == 15 {
		if n, err = r.uvarint(); err != nil {
			return err
		}
	}
	if n > uint64(len(r.b)-r.at) {
		return errShort
	}
	for i := range int(n) {
		before := r.at
		if err := item(i, kind); err != nil {
			return err
		}
		if r.at == before {
			return errThrift
		}
	}
	return nil
}

// skip passes over a member of a structure.
func (r *thrift) skip(t byte) error {
	if t == thriftTrue || t == thriftFalse {
		return nil
	}
	return r.skipItem(t)
}

// skipItem passes over an element of a list, where a boolean takes a byte.
func (r *thrift) skipItem(t byte) error {
	var err error
	switch t {
	case thriftTrue, thriftFalse, thriftByte:
		_, err = r.byte()
	case thriftI16, thriftI32, thriftI64:
		_, err = r.uvarint()
	case thriftDouble:
		_, err = r.take(8)
	case thriftUUID:
		_, err = r.take(16)
	case thriftBinary:
		_, err = r.bytes(t)
	case thriftList, thriftSet:
		return r.list(t, func(_ int, t byte) error { return r.skipItem(t) })
	case thriftMap:
		return r.skipMap()
	case thriftStruct:
		return r.fields(func(_ int, t byte) error { return r.skip(t) })
	default:
		return errThrift
	}
	return err
}

func (r *thrift) skipMap() error {
	if r.depth++; r.depth > thriftDepth {
		return errThrift
	}
	defer func() { r.depth-- }()
	n, err := r.uvarint()
	if err != nil || n == 0 {
		return err
	}
	kinds, err := r.byte()
	if err != nil {
		return err
	}
	if n > uint64(len(r.b)-r.at) {
		return errShort
	}
	for range n {
		if err := r.skipItem(kinds >> 4); err != nil {
			return err
		}
		if err := r.skipItem(kinds & 15); err != nil {
			return err
		}
	}
	return nil
}

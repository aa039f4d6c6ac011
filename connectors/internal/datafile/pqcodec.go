package datafile

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

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

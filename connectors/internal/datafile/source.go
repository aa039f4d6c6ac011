package datafile

import (
	"context"
	"errors"
	"io"
)

// block is what is read at once where a library asks for less: a store answers
// one request of this size as fast as one of ten bytes.
const (
	block     = 64 << 10
	maxBlocks = 64
)

// blocks reads a store in blocks and keeps the last ones. It counts what it
// reads against the budget of one call.
type blocks struct {
	src    Source
	left   int64
	size   int64
	kept   map[int64][]byte
	order  []int64
	failed error // what the store last answered instead of bytes
}

func newBlocks(src Source) *blocks {
	return &blocks{src: src, left: readBytes, size: src.Size(), kept: map[int64][]byte{}}
}

func (b *blocks) Size() int64 { return b.size }

func (b *blocks) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, broken{"a place before the file's beginning"}
	}
	n := 0
	for n < len(p) {
		if rest := p[n:]; len(rest) >= block && off%block == 0 {
			whole := rest[:len(rest)-len(rest)%block]
			m, err := b.fetch(ctx, whole, off)
			n, off = n+m, off+int64(m)
			if err != nil {
				return n, err
			}
			continue
		}
		data, err := b.block(ctx, off/block)
		if at := int(off % block); at < len(data) {
			m := copy(p[n:], data[at:])
			n, off = n+m, off+int64(m)
		}
		if n < len(p) && (err != nil || len(data) < block) {
			if err == nil {
				err = io.EOF
			}
			return n, err
		}
	}
	return n, nil
}

// block returns one block; the file's last one is shorter and comes without an error.
func (b *blocks) block(ctx context.Context, i int64) ([]byte, error) {
	if data, ok := b.kept[i]; ok {
		return data, nil
	}
	want := int64(block)
	if b.size >= 0 {
		want = min(want, b.size-i*block)
	}
	if want <= 0 {
		return nil, io.EOF
	}
	data := make([]byte, want)
	n, err := b.fetch(ctx, data, i*block)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	data = data[:n]
	if len(b.order) == maxBlocks {
		delete(b.kept, b.order[0])
		b.order = b.order[1:]
	}
	b.kept[i], b.order = data, append(b.order, i)
	return data, nil
}

func (b *blocks) fetch(ctx context.Context, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errBudget
	}
	n, err := b.src.ReadAt(ctx, p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = errStore{err}
		return n, b.failed
	}
	if n == len(p) {
		err = nil
	}
	return n, err
}

// A section is a part of a source, such as a member that a zip stores as it is.
type section struct {
	src       Source
	off, size int64
}

func (s section) Size() int64 { return s.size }

func (s section) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > s.size-off
	if short {
		p = p[:s.size-off]
	}
	n, err := s.src.ReadAt(ctx, p, s.off+off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// A sequence makes a Source of what can only be read from its beginning on: it
// keeps what was read, as long as the layers of one call together keep no more
// than unpackBytes.
type sequence struct {
	r    io.Reader
	data []byte
	err  error  // how r ended
	size int64  // as promised by what is around it; -1 when unknown
	left *int64 // that may still be kept
}

// Size is known once everything was read.
func (s *sequence) Size() int64 {
	if errors.Is(s.err, io.EOF) {
		return int64(len(s.data))
	}
	return s.size
}

func (s *sequence) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := s.fill(ctx, off+int64(len(p))); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if off >= int64(len(s.data)) {
		return 0, io.EOF
	}
	n := copy(p, s.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// fill reads until end, or until there is no more. An error beyond end does not
// matter yet.
func (s *sequence) fill(ctx context.Context, end int64) error {
	for int64(len(s.data)) < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.err != nil {
			return s.err
		}
		if len(s.data) == cap(s.data) {
			grown := make([]byte, len(s.data), min(max(2*cap(s.data), 2*block), len(s.data)+int(*s.left)+block))
			copy(grown, s.data)
			s.data = grown
		}
		n, err := s.r.Read(s.data[len(s.data):min(cap(s.data), len(s.data)+block)])
		s.data, s.err = s.data[:len(s.data)+n], err
		if *s.left -= int64(n); *s.left < 0 {
			s.err = errBudget
		}
	}
	return nil
}

// all reads everything and returns its size.
func (s *sequence) all(ctx context.Context) (int64, error) {
	err := s.fill(ctx, unpackBytes+1)
	switch {
	case err == nil:
		return 0, errBudget
	case !errors.Is(err, io.EOF):
		return 0, err
	}
	return int64(len(s.data)), nil
}

package files

import (
	"context"
	"errors"
	"io"

	"jackfield/connectors"
)

// maxSequence is how much of a file is kept that can only be read from its
// beginning on.
const maxSequence = 32 << 20

// A source reads a File as often as it is asked for, in any order: what a store
// without ranges gives is kept.
type source struct {
	File
	name   string
	prefix []byte
	ended  bool // prefix is the whole file
	inOnce bool // only from the beginning: a read that goes on was refused
	noJump bool // the store has no ranges
}

func (s *source) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if !s.noJump {
		n, err := s.File.ReadAt(ctx, p, off)
		if !errors.Is(err, ErrNoRanges) {
			if off == 0 && n > len(s.prefix) && n <= maxSequence {
				s.prefix = append(s.prefix[:0], p[:n]...)
			}
			return n, err
		}
		s.noJump = true
	}
	if err := s.fill(ctx, off+int64(len(p))); err != nil {
		return 0, err
	}
	if off >= int64(len(s.prefix)) {
		return 0, io.EOF
	}
	n := copy(p, s.prefix[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// fill reads on to end. Where even that is refused, it reads from the beginning
// again, twice as far each time.
func (s *source) fill(ctx context.Context, end int64) error {
	for !s.ended && int64(len(s.prefix)) < end {
		if end > maxSequence {
			return &connectors.Error{Code: connectors.Unsupported, Reason: "files.no_ranges", Op: connectors.StageData, Target: s.name}
		}
		if s.inOnce {
			if err := s.again(ctx, end); err != nil {
				return err
			}
			continue
		}
		next := make([]byte, min(max(end-int64(len(s.prefix)), 64<<10), maxSequence))
		n, err := s.File.ReadAt(ctx, next, int64(len(s.prefix)))
		if errors.Is(err, ErrNoRanges) {
			s.inOnce = true
			continue
		}
		s.prefix = append(s.prefix, next[:n]...)
		s.ended = errors.Is(err, io.EOF)
		if err != nil && !s.ended {
			return err
		}
	}
	return nil
}

func (s *source) again(ctx context.Context, end int64) error {
	all := make([]byte, min(max(end, 2*int64(len(s.prefix)), 256<<10), maxSequence+1))
	n, err := s.File.ReadAt(ctx, all, 0)
	s.prefix = all[:n]
	s.ended = errors.Is(err, io.EOF)
	if err != nil && !s.ended {
		return err
	}
	return nil
}

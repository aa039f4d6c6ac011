package sftp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"jackfield/connectors"
)

// The packets of SFTP version 3 that listing needs (draft-ietf-secsh-filexfer-02).
const (
	fxInit, fxVersion  = 1, 2
	fxClose            = 4
	fxOpendir          = 11
	fxReaddir          = 12
	fxStatus, fxHandle = 101, 102
	fxName             = 104
	statusEOF          = 1
	attrSize           = 1
	attrOwner          = 2
	attrPermissions    = 4
	attrTimes          = 8
	attrExtended       = 0x80000000
	inFlight           = 8       // READDIR requests under way, to hide the round trip
	maxPacket          = 1 << 20 // a server's largest answer: OpenSSH's are 256 kB at most
)

var errPacket = errors.New("the server's answer is not SFTP")

type dirEntry struct {
	name  string
	size  uint64
	mode  os.FileMode
	mtime uint32
}

// lister is one SFTP channel of its own for one listing. pkg/sftp reads a whole
// folder before it returns the first name; this yields names as they arrive and
// keeps only one packet in memory.
type lister struct {
	w   io.Writer
	r   io.Reader
	id  uint32
	buf []byte
}

func (s *session) list(ctx context.Context, dir string) iter.Seq2[dirEntry, error] {
	return func(yield func(dirEntry, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(dirEntry{}, connectors.Classify(err))
			return
		}
		ch, err := s.ssh.NewSession()
		if err != nil {
			yield(dirEntry{}, err)
			return
		}
		defer func() { _ = ch.Close() }()
		stop := context.AfterFunc(ctx, func() { _ = ch.Close() })
		defer stop()
		fail := func(err error) {
			if ctx.Err() != nil {
				err = connectors.Classify(context.Cause(ctx))
			}
			yield(dirEntry{}, err)
		}
		l := &lister{}
		if l.w, err = ch.StdinPipe(); err != nil {
			fail(err)
			return
		}
		if l.r, err = ch.StdoutPipe(); err != nil {
			fail(err)
			return
		}
		if err := ch.RequestSubsystem("sftp"); err != nil {
			fail(err)
			return
		}
		stopped := false
		err = l.read(dir, func(e dirEntry) bool {
			if ctx.Err() != nil {
				return false
			}
			stopped = !yield(e, nil)
			return !stopped
		})
		if stopped {
			return
		}
		if err != nil || ctx.Err() != nil {
			fail(err)
		}
	}
}

func (l *lister) read(dir string, yield func(dirEntry) bool) error {
	if err := l.send(fxInit, binary.BigEndian.AppendUint32(nil, 3)); err != nil {
		return err
	}
	if kind, _, err := l.receive(); err != nil || kind != fxVersion {
		return errors.Join(errPacket, err)
	}
	if err := l.request(fxOpendir, []byte(dir)); err != nil {
		return err
	}
	kind, body, err := l.receive()
	if err != nil {
		return err
	}
	if kind == fxStatus {
		return status(dir, body)
	}
	if kind != fxHandle || len(body) < 4 {
		return errPacket
	}
	handle, _, err := text(body[4:])
	if err != nil {
		return err
	}
	return l.names(dir, []byte(handle), yield)
}

func (l *lister) names(dir string, handle []byte, yield func(dirEntry) bool) error {
	waiting := 0
	for range inFlight {
		if err := l.request(fxReaddir, handle); err != nil {
			return err
		}
		waiting++
	}
	ended := false
	for waiting > 0 {
		kind, body, err := l.receive()
		if err != nil {
			return err
		}
		waiting--
		switch kind {
		case fxName:
			if !ended {
				if err := l.request(fxReaddir, handle); err != nil {
					return err
				}
				waiting++
			}
			more, err := entries(body, yield)
			if err != nil || !more {
				return err
			}
		case fxStatus:
			ended = true
			if err := status(dir, body); err != nil {
				return err
			}
		default:
			return errPacket
		}
	}
	return nil
}

// entries reads one NAME packet.
func entries(body []byte, yield func(dirEntry) bool) (bool, error) {
	if len(body) < 8 {
		return false, errPacket
	}
	n := binary.BigEndian.Uint32(body[4:])
	body = body[8:]
	for range n {
		var e dirEntry
		var err error
		if e.name, body, err = text(body); err != nil {
			return false, err
		}
		if _, body, err = text(body); err != nil { // the line as ls -l would print it
			return false, err
		}
		if body, err = e.attributes(body); err != nil {
			return false, err
		}
		if e.name == "." || e.name == ".." {
			continue
		}
		if !yield(e) {
			return false, nil
		}
	}
	return true, nil
}

func (e *dirEntry) attributes(b []byte) ([]byte, error) {
	r := reader{b: b}
	flags := r.u32()
	if flags&attrSize != 0 {
		e.size = uint64(r.u32())<<32 | uint64(r.u32())
	}
	if flags&attrOwner != 0 {
		r.u32()
		r.u32()
	}
	if flags&attrPermissions != 0 {
		e.mode = fileMode(r.u32())
	}
	if flags&attrTimes != 0 {
		r.u32()
		e.mtime = r.u32()
	}
	if flags&attrExtended != 0 {
		for n := r.u32(); n > 0 && !r.bad; n-- {
			r.skip()
			r.skip()
		}
	}
	if r.bad {
		return nil, errPacket
	}
	return r.b, nil
}

type reader struct {
	b   []byte
	bad bool
}

func (r *reader) u32() uint32 {
	if len(r.b) < 4 {
		r.bad = true
		return 0
	}
	v := binary.BigEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) skip() {
	n := r.u32()
	if uint64(len(r.b)) < uint64(n) {
		r.bad = true
		return
	}
	r.b = r.b[n:]
}

// fileMode reads the POSIX mode bits.
func fileMode(m uint32) os.FileMode {
	mode := os.FileMode(m & 0o777)
	switch m & 0o170000 {
	case 0o040000:
		mode |= fs.ModeDir
	case 0o120000:
		mode |= fs.ModeSymlink
	case 0o010000:
		mode |= fs.ModeNamedPipe
	case 0o140000:
		mode |= fs.ModeSocket
	case 0o020000, 0o060000:
		mode |= fs.ModeDevice
	}
	return mode
}

func text(b []byte) (string, []byte, error) {
	if len(b) < 4 {
		return "", nil, errPacket
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return "", nil, errPacket
	}
	return string(b[4 : 4+n]), b[4+n:], nil
}

func status(dir string, body []byte) error {
	if len(body) < 8 {
		return errPacket
	}
	code := binary.BigEndian.Uint32(body[4:])
	if code == 0 || code == statusEOF {
		return nil
	}
	return statusError(dir, code, fmt.Errorf("status %d", code))
}

func (l *lister) request(kind byte, arg []byte) error {
	l.id++
	b := binary.BigEndian.AppendUint32(nil, l.id)
	b = binary.BigEndian.AppendUint32(b, uint32(len(arg)))
	return l.send(kind, append(b, arg...))
}

func (l *lister) send(kind byte, body []byte) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+1))
	_, err := l.w.Write(append(append(b, kind), body...))
	return err
}

// receive reads one packet into a buffer that the next one overwrites.
func (l *lister) receive() (kind byte, body []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(l.r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n < 1 || n > maxPacket {
		return 0, nil, errPacket
	}
	if cap(l.buf) < int(n) {
		l.buf = make([]byte, n)
	}
	l.buf = l.buf[:n-1]
	_, err = io.ReadFull(l.r, l.buf)
	return head[4], l.buf, err
}

package sftp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
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

// lister is one SFTP channel of its own for one listing. pkg/sftp reads a whole
// folder before it returns the first name; this yields names as they arrive and
// keeps only one packet in memory.
type lister struct {
	w   io.Writer
	r   io.Reader
	id  uint32
	buf []byte
}

func (l *lister) read(dir string, yield func([]dirEntry) bool) error {
	if err := l.send(fxInit, binary.BigEndian.AppendUint32(nil, 3)); err != nil {
		return err
	}
	if kind, _, err := l.receive(); err != nil || kind != fxVersion {
		return errors.Join(errPacket, err)
	}
	if err := l.request(fxOpendir, []byte(wire(dir))); err != nil {
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
	r := reader{b: body[4:]}
	handle := r.text()
	if r.bad {
		return errPacket
	}
	return l.names(dir, []byte(handle), yield)
}

func (l *lister) names(dir string, handle []byte, yield func([]dirEntry) bool) error {
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
			batch, err := entries(body)
			if err != nil || !yield(batch) {
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
func entries(body []byte) ([]dirEntry, error) {
	if len(body) < 8 {
		return nil, errPacket
	}
	n := binary.BigEndian.Uint32(body[4:])
	r := reader{b: body[8:]}
	var out []dirEntry
	for ; n > 0 && !r.bad; n-- {
		e := dirEntry{name: r.text()}
		long := r.text()
		e.attributes(&r)
		e.describe(long)
		if !r.bad && e.name != "" && e.name != "." && e.name != ".." {
			out = append(out, e)
		}
	}
	if r.bad {
		return nil, errPacket
	}
	return out, nil
}

func (e *dirEntry) attributes(r *reader) {
	flags := r.u32()
	if e.sized = flags&attrSize != 0; e.sized {
		e.size = uint64(r.u32())<<32 | uint64(r.u32())
	}
	if e.owned = flags&attrOwner != 0; e.owned {
		e.uid, e.gid = r.u32(), r.u32()
	}
	if e.known = flags&attrPermissions != 0; e.known {
		e.mode = fileMode(r.u32())
	}
	if flags&attrTimes != 0 {
		r.u32()
		e.mtime = r.u32()
	}
	if flags&attrExtended != 0 {
		for n := r.u32(); n > 0 && !r.bad; n-- {
			r.text()
			r.text()
		}
	}
}

// describe takes from the line that ls -l would print what the attributes do not
// say: the owners' names, and the kind where the mode is missing. Its form is not
// laid down (draft-ietf-secsh-filexfer-02 section 7); only the usual one counts.
func (e *dirEntry) describe(long string) {
	words := strings.Fields(long)
	if len(words) < 8 || len(words[0]) < 10 {
		return
	}
	if _, err := strconv.Atoi(words[1]); err != nil {
		return
	}
	e.owner, e.group = words[2], words[3]
	if !e.known {
		switch words[0][0] {
		case 'd':
			e.mode |= fs.ModeDir
		case 'l':
			e.mode |= fs.ModeSymlink
		}
	}
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

func (r *reader) text() string {
	n := r.u32()
	if uint64(len(r.b)) < uint64(n) {
		r.bad = true
		return ""
	}
	text := string(r.b[:n])
	r.b = r.b[n:]
	return text
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

package ldap

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// What one exchange may bring (one page, one entry). The BER library takes
// packets of 2 GiB and makes hundreds of bytes of every two that come in.
const (
	maxBytes    = 32 << 20
	maxElements = 400_000
	maxDepth    = 24
)

var (
	errNotLDAP = errors.New("the server's answer is not LDAP")
	errIsTLS   = errors.New("the server answers with TLS")
	errTooBig  = errors.New("the server's answer is too large")
)

// A wire is a connection whose incoming packets are looked at before the
// library sees them: definite lengths (RFC 4511 section 5.1), children within
// their parents, bounded depth, number and size. It also keeps what broke the
// connection, because the library turns that into text.
type wire struct {
	net.Conn // what the library reads and writes: TCP, or TLS over it
	tcp      net.Conn

	bytes    atomic.Int64 // since the last refill
	elements atomic.Int64

	// Only the one reading goroutine uses these.
	begun bool
	head  []byte  // of an element that has not come in whole
	body  int64   // still to come of a primitive element
	open  []int64 // still to come of each enclosing element

	mu  sync.Mutex
	err error
}

func newWire(conn, tcp net.Conn) *wire { return &wire{Conn: conn, tcp: tcp} }

// refill allows the next exchange its bounds.
func (w *wire) refill() {
	w.bytes.Store(0)
	w.elements.Store(0)
}

// failure is what first went wrong, or nil.
func (w *wire) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *wire) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if bad := w.look(p[:n]); bad != nil {
		w.fail(bad)
		_ = w.Close()
		return 0, bad
	}
	if err != nil {
		w.fail(err)
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.fail(err)
	}
	return n, err
}

// Close ends the connection without TLS's farewell, which could block.
func (w *wire) Close() error { return w.tcp.Close() }

// look follows the structure of what comes in.
func (w *wire) look(p []byte) error {
	for len(p) > 0 {
		if w.body > 0 {
			n := min(w.body, int64(len(p)))
			p, w.body = p[n:], w.body-n
			w.ended()
			continue
		}
		w.head = append(w.head, p[0])
		p = p[1:]
		if err := w.header(); err != nil {
			return err
		}
	}
	return nil
}

// header reads the octets of tag and length (X.690 section 8.1) once all are there.
func (w *wire) header() error {
	tag := w.head[0]
	if len(w.head) == 1 {
		return w.first(tag)
	}
	length, size := int64(w.head[1]), 2
	if w.head[1] >= 0x80 {
		// 0x80 would be the indefinite form; more than four octets are more than 4 GiB.
		n := int(w.head[1] & 0x7f)
		if n < 1 || n > 4 {
			return errNotLDAP
		}
		if size = 2 + n; len(w.head) < size {
			return nil
		}
		length = 0
		for _, b := range w.head[2:size] {
			length = length<<8 | int64(b)
		}
	}
	w.head = w.head[:0]
	return w.element(tag, length, int64(size))
}

func (w *wire) first(tag byte) error {
	fresh := !w.begun
	w.begun = true
	switch {
	case len(w.open) == 0 && tag != 0x30 && fresh && tag == 0x15: // a TLS alert (RFC 8446 section 5.1)
		return errIsTLS
	case len(w.open) == 0 && tag != 0x30, tag&0x1f == 0x1f:
		return errNotLDAP
	}
	return nil
}

func (w *wire) element(tag byte, length, size int64) error {
	if w.elements.Add(1) > maxElements {
		return errTooBig
	}
	if top := len(w.open) - 1; top >= 0 {
		if w.open[top] -= size + length; w.open[top] < 0 {
			return errNotLDAP
		}
	} else if w.bytes.Add(size+length) > maxBytes {
		return errTooBig
	}
	if tag&0x20 == 0 {
		w.body = length
	} else if w.open = append(w.open, length); len(w.open) > maxDepth {
		return errNotLDAP
	}
	w.ended()
	return nil
}

// ended leaves the elements of which everything has come in.
func (w *wire) ended() {
	for w.body == 0 && len(w.open) > 0 && w.open[len(w.open)-1] == 0 {
		w.open = w.open[:len(w.open)-1]
	}
}

package ldap

import (
	"errors"
	"net"
	"slices"
	"sync"
)

// What may come in. The BER library takes packets of 2 GiB and makes hundreds
// of bytes of every two; it sees only the small packets that end an exchange.
const (
	maxPage  = 32 << 20  // all entries of one exchange
	maxOther = 256 << 10 // any other packet
	maxMore  = 4 << 20   // all other packets of one exchange
	maxDepth = 24
	readSize = 32 << 10
	keepSize = 1 << 20 // larger buffers are not kept for the next exchange
)

var (
	errNotLDAP = errors.New("the server's answer is not LDAP")
	errIsTLS   = errors.New("the server answers with TLS")
	errTooBig  = errors.New("the server's answer is too large")
)

// A wire is a connection whose incoming packets are looked at before the
// library sees them: definite lengths (RFC 4511 section 5.1), children within
// their parents, bounded depth and size. It takes the entries of a search out of
// the stream and keeps them as they came, because the library makes a tree of
// objects of each, which costs more than all the rest of a long listing. It also
// keeps what broke the connection, because the library turns that into text.
type wire struct {
	net.Conn // TCP, or TLS over it
	tcp      net.Conn

	// Only the one reading goroutine uses these.
	begun bool
	in    []byte // what has come in and is no whole packet yet
	ready []byte // whole packets for the library

	mu   sync.Mutex
	page []byte // the packets of this exchange's entries
	more int    // bytes of its other packets
	err  error
}

func newWire(conn, tcp net.Conn) *wire { return &wire{Conn: conn, tcp: tcp} }

// refill begins another exchange: the entries of the one before are forgotten.
func (w *wire) refill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.more = 0
	if w.page = w.page[:0]; cap(w.page) > keepSize {
		w.page = nil
	}
}

// entries are those of the last exchange; they stand until the next one.
func (w *wire) entries() entries {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.page[:len(w.page):len(w.page)]
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
	for len(w.ready) == 0 {
		w.in = slices.Grow(w.in, readSize)
		n, err := w.Conn.Read(w.in[len(w.in):cap(w.in)])
		w.in = w.in[:len(w.in)+n]
		if bad := w.deal(); bad != nil {
			w.fail(bad)
			_ = w.Close()
			return 0, bad
		}
		if err != nil && len(w.ready) == 0 {
			w.fail(err)
			return 0, err
		}
	}
	n := copy(p, w.ready)
	w.ready = w.ready[n:]
	return n, nil
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

// deal takes whole packets from what has come in: entries to the page, others
// to the library.
func (w *wire) deal() error {
	rest := w.in
	for len(rest) > 0 {
		if rest[0] != tagSequence {
			if rest[0] == 0x15 && !w.begun { // a TLS alert (RFC 8446 section 5.1)
				return errIsTLS
			}
			return errNotLDAP
		}
		w.begun = true
		head, length, err := measure(rest)
		if err != nil {
			return err
		}
		if head > 0 && length > maxPage {
			return errTooBig
		}
		if head == 0 || len(rest) < head+length {
			break
		}
		packet := rest[:head+length]
		rest = rest[head+length:]
		if err := w.accept(packet, packet[head:]); err != nil {
			return err
		}
	}
	n := copy(w.in, rest)
	w.in = w.in[:n]
	if n == 0 && cap(w.in) > keepSize {
		w.in = nil
	}
	return nil
}

func (w *wire) accept(packet, content []byte) error {
	if !sound(content, 1) {
		return errNotLDAP
	}
	_, _, op, _ := split(content) // past the message's number
	isEntry := len(op) > 0 && op[0] == tagEntry
	if _, ok := read(content); isEntry && !ok {
		return errNotLDAP
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if isEntry {
		w.page = append(w.page, packet...)
	} else {
		w.ready = append(w.ready, packet...)
		w.more += len(packet)
	}
	if len(w.page) > maxPage || w.more > maxMore || (!isEntry && len(packet) > maxOther) {
		return errTooBig
	}
	return nil
}

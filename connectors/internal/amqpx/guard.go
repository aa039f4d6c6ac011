package amqpx

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of what a broker may send.
const (
	MaxFrame   = 64 << 10 // announced when opening; the library itself takes 2 GiB
	MaxMessage = 8 << 20  // a larger message ends the connection; the library has no bound where the broker names none
	maxModes   = 1000     // links whose distribution mode is remembered
)

// silence is how long a broker may take for its first word before it is asked
// whether it is a web server.
const silence = 3 * time.Second

// What ends a conversation.
var (
	ErrNotAMQP = errors.New("the first bytes are no AMQP header")
	ErrVersion = errors.New("the server speaks another version of AMQP")
	ErrTLS     = errors.New("the port speaks TLS")
	ErrWeb     = errors.New("the port speaks HTTP")
	ErrFrame   = errors.New("a frame is larger than was agreed on")
	ErrMessage = errors.New("a message is too large")
)

// The frame types and performatives that are looked at (AMQP 1.0 transport,
// sections 2.3 and 2.7; security, section 5.3.3).
const (
	typeAMQP = 0
	typeSASL = 1

	codeAttach     = 0x12
	codeTransfer   = 0x14
	codeSource     = 0x28
	codeMechanisms = 0x40
	codeOutcome    = 0x44
)

// A Guard stands between the socket and the library. It bounds frames, ends a
// connection to what is no AMQP 1.0 broker, and notes what the library does not
// tell: the outcome of the sign-in as a number, and whether the broker agreed to
// hand out copies of messages.
type Guard struct {
	net.Conn
	isWeb func() bool // asks whether a silent server is a web server; may be nil
	r     *bufio.Reader
	wrote atomic.Bool
	begun bool
	out   []byte

	mu      sync.Mutex
	err     error
	offered bool           // ways to sign in came
	outcome int            // of the sign-in, -1 before it
	modes   modes          // distribution mode by link name
	parts   map[string]int // bytes of messages whose end has not come, by channel and link
}

type modes map[string]string

// NewGuard guards conn.
func NewGuard(conn net.Conn, isWeb func() bool) *Guard {
	return &Guard{Conn: conn, isWeb: isWeb, r: bufio.NewReaderSize(conn, 16<<10), outcome: -1, modes: modes{}, parts: map[string]int{}}
}

// Why is what ended the connection, nil while it stands.
func (g *Guard) Why() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

func (g *Guard) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
}

// SignIn is how the sign-in went: whether ways were offered, and its outcome.
func (g *Guard) SignIn() (offered bool, outcome int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.offered, g.outcome
}

// Mode is what the broker agreed on for a link, and forgets it.
func (g *Guard) Mode(link string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.modes[link]
	delete(g.modes, link)
	return m
}

// Write tells why the broker hung up where it said so before the first bytes
// reached it (RFC 8446 section 4.4.2.4).
func (g *Guard) Write(p []byte) (int, error) {
	first := !g.wrote.Swap(true)
	n, err := g.Conn.Write(p)
	if err == nil || !first {
		return n, err
	}
	_ = g.SetReadDeadline(time.Now().Add(time.Second))
	var alert *net.OpError
	if _, said := g.Conn.Read(make([]byte, 1)); errors.As(said, &alert) && alert.Op == "remote error" {
		g.fail(said)
		return n, said
	}
	return n, err
}

// Read hands out what was looked at.
func (g *Guard) Read(p []byte) (int, error) {
	for len(g.out) == 0 {
		if err := g.Why(); err != nil {
			return 0, err
		}
		if err := g.next(); err != nil {
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				return 0, err
			}
			g.fail(err)
		}
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// next leaves one header or frame in out.
func (g *Guard) next() error {
	if !g.begun {
		if err := g.greeting(); err != nil {
			return err
		}
		g.begun = true
	}
	head, err := g.r.Peek(8)
	if err != nil {
		return err
	}
	if string(head[:4]) == "AMQP" {
		if head[5] != 1 || head[6] != 0 {
			return ErrVersion
		}
		g.out = make([]byte, 8)
		_, err = io.ReadFull(g.r, g.out)
		return err
	}
	size := binary.BigEndian.Uint32(head)
	if size < 8 || size > MaxFrame {
		return ErrFrame
	}
	frame := make([]byte, size)
	if _, err := io.ReadFull(g.r, frame); err != nil {
		return err
	}
	g.out = frame
	return g.note(frame)
}

func (g *Guard) greeting() error {
	// The library has set a deadline of its own, and sets it anew for every read.
	_ = g.SetReadDeadline(time.Now().Add(silence))
	_, err := g.r.Peek(1)
	if err != nil && g.isWeb != nil && g.isWeb() {
		return ErrWeb
	}
	_ = g.SetReadDeadline(time.Time{})
	first, err := g.r.Peek(3)
	if err != nil {
		return err
	}
	switch {
	case string(first) == "AMQ":
		return nil
	case string(first) == "HTT":
		return ErrWeb
	case first[0] == 0x15 && first[1] == 3, first[0] == 0x16 && first[1] == 3: // a TLS record
		return ErrTLS
	}
	return ErrNotAMQP
}

// note looks into the few frames that matter; what it does not understand is the
// library's to judge.
func (g *Guard) note(frame []byte) error {
	offset := int(frame[4]) * 4
	if offset < 8 || offset >= len(frame) {
		return nil
	}
	code, fields, ok := described(frame[offset:])
	if !ok {
		return nil
	}
	link := frame[6:8] // the channel
	switch {
	case frame[5] == typeSASL:
		g.saslFrame(code, fields)
	case code == codeAttach && len(fields) > 5:
		g.attached(fields)
	case code == codeTransfer && len(fields) > 0:
		return g.transfer(string(link)+string(fields[0]), len(frame), len(fields) > 5 && isTrue(fields[5]))
	}
	return nil
}

func (g *Guard) saslFrame(code uint64, fields [][]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case code == codeMechanisms:
		g.offered = true
	case code == codeOutcome && len(fields) > 0 && len(fields[0]) == 2:
		g.outcome = int(fields[0][1]) // a ubyte
	}
}

func (g *Guard) attached(fields [][]byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	name, _ := text(fields[0])
	if kind, source, ok := described(fields[5]); ok && kind == codeSource && len(source) > 6 && len(g.modes) < maxModes {
		g.modes[name], _ = text(source[6])
	}
}

// transfer adds up the parts of a message (transport section 2.7.5).
func (g *Guard) transfer(link string, size int, more bool) error {
	g.parts[link] += size
	if len(g.parts) > maxModes || g.parts[link] > MaxMessage {
		return ErrMessage
	}
	if !more {
		delete(g.parts, link)
	}
	return nil
}

func isTrue(b []byte) bool { return b[0] == 0x41 || len(b) == 2 && b[0] == 0x56 && b[1] == 1 }

// described takes apart a described list: its numeric descriptor and the encoded
// fields (AMQP 1.0 types, sections 1.2 and 1.6).
func described(b []byte) (code uint64, fields [][]byte, ok bool) {
	switch {
	case len(b) >= 4 && b[0] == 0 && b[1] == 0x53:
		code, b = uint64(b[2]), b[3:]
	case len(b) >= 11 && b[0] == 0 && b[1] == 0x80:
		code, b = binary.BigEndian.Uint64(b[2:]), b[10:]
	default:
		return 0, nil, false
	}
	count, b, ok := elements(b)
	if !ok {
		return 0, nil, false
	}
	for range count {
		n := width(b)
		if n == 0 || n > len(b) {
			return 0, nil, false
		}
		fields, b = append(fields, b[:n]), b[n:]
	}
	return code, fields, true
}

// elements takes off the head of a list (section 1.6.22).
func elements(b []byte) (count int, rest []byte, ok bool) {
	switch {
	case b[0] == 0x45:
		return 0, nil, true
	case b[0] == 0xc0 && len(b) >= 3:
		return int(b[2]), b[3:], true
	case b[0] == 0xd0 && len(b) >= 9:
		return int(binary.BigEndian.Uint32(b[5:])), b[9:], true
	}
	return 0, nil, false
}

// width is how many bytes one encoded value takes; 0 when that cannot be known.
// The constructor's upper half tells the kind (section 1.2).
func width(b []byte) int {
	at := 0
	for at < len(b) && b[at] == 0 { // a descriptor goes before the value
		n := plainWidth(b[at+1:])
		if n == 0 {
			return 0
		}
		at += 1 + n
	}
	if at >= len(b) {
		return 0
	}
	n := plainWidth(b[at:])
	if n == 0 {
		return 0
	}
	return at + n
}

func plainWidth(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch kind := b[0] >> 4; kind {
	case 0x4:
		return 1
	case 0x5, 0x6, 0x7, 0x8, 0x9:
		return 1 + 1<<(kind-5)
	case 0xa, 0xc, 0xe:
		if len(b) >= 2 {
			return 2 + int(b[1])
		}
	case 0xb, 0xd, 0xf:
		if len(b) >= 5 {
			return 5 + int(binary.BigEndian.Uint32(b[1:]))
		}
	}
	return 0
}

// text is an encoded string or symbol.
func text(b []byte) (string, bool) {
	switch {
	case len(b) >= 2 && (b[0] == 0xa1 || b[0] == 0xa3):
		return string(b[2:]), true
	case len(b) >= 5 && (b[0] == 0xb1 || b[0] == 0xb3):
		return string(b[5:]), true
	}
	return "", false
}

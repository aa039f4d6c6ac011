package rabbitmq

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of what a broker may send.
const (
	maxFrame     = 128 << 10 // of one frame with its header; asked for when connecting, RabbitMQ's own default
	maxHandshake = 256 << 10 // of all frames until the virtual host is open
	maxBody      = 64 << 10  // of one message that is kept
	maxSizes     = 4096      // messages that were cut and not asked for
)

// silence is how long a broker may take for its first word before it is asked
// whether it is a web server. A broker speaks at once.
const silence = 3 * time.Second

// The frame types (AMQP 0-9-1 specification, section 4.2.3).
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
	frameEnd       = 0xce
	frameHead      = 7
)

var (
	errNotAMQP  = errors.New("the first bytes are no AMQP frame")
	errVersion  = errors.New("the server speaks another version of AMQP")
	errTLS      = errors.New("the port speaks TLS")
	errWeb      = errors.New("the port speaks HTTP")
	errTooLarge = errors.New("a frame is larger than was agreed on")
)

// A guard stands between the socket and the library: it ends a connection to
// what is no AMQP broker, bounds frames and the handshake, and cuts message
// bodies, because the library collects a body of any size.
type guard struct {
	net.Conn
	isWeb func() bool // asks whether a silent server is a web server; may be nil
	r     *bufio.Reader
	wrote atomic.Bool

	out     []byte // of checked frames; waits for the reader
	frame   []byte
	begun   bool
	opened  bool // the virtual host is open
	shaking int  // bytes until then
	bodies  map[uint16]*body

	mu    sync.Mutex
	err   error
	sizes map[delivery]uint64
}

// A body is a message that is being received on a channel.
type body struct {
	of   delivery
	left uint64 // still to come
	keep uint64 // of it to be passed on
}

// A delivery names a message: a consumer's tag, "" for basic.get, and its number.
type delivery struct {
	consumer string
	tag      uint64
}

func newGuard(conn net.Conn, isWeb func() bool) *guard {
	return &guard{Conn: conn, isWeb: isWeb, r: bufio.NewReaderSize(conn, 32<<10), bodies: map[uint16]*body{}, sizes: map[delivery]uint64{}}
}

// why is what ended the reading.
func (g *guard) why() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// whole is the size of a message of which n bytes were passed on.
func (g *guard) whole(of delivery, n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	size, cut := g.sizes[of]
	if !cut {
		return n
	}
	delete(g.sizes, of)
	return int(min(size, 1<<40))
}

// Write tells why the broker hung up where it said so before the first bytes
// reached it: with TLS 1.3 a client certificate is refused after the client's
// handshake is done (RFC 8446 section 4.4.2.4).
func (g *guard) Write(p []byte) (int, error) {
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

func (g *guard) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
}

func (g *guard) Read(p []byte) (int, error) {
	for len(g.out) == 0 {
		if err := g.why(); err != nil {
			return 0, err
		}
		if err := g.next(); err != nil {
			g.fail(err)
		}
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// next reads and checks one frame; it is left in out.
func (g *guard) next() error {
	if !g.begun {
		if err := g.greeting(); err != nil {
			return err
		}
		g.begun = true
	}
	var head [frameHead]byte
	if _, err := io.ReadFull(g.r, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[3:])
	if size > maxFrame-frameHead-1 {
		return errTooLarge
	}
	if g.shaking += int(size); !g.opened && g.shaking > maxHandshake {
		return errTooLarge
	}
	g.frame = append(append(g.frame[:0], head[:]...), make([]byte, size+1)...)
	if _, err := io.ReadFull(g.r, g.frame[frameHead:]); err != nil {
		return err
	}
	if g.frame[len(g.frame)-1] != frameEnd {
		return errNotAMQP
	}
	g.out = g.take(g.frame)
	return nil
}

// greeting looks at the first bytes: a method frame on channel 0, or the header
// with which a server answers to a version that it does not speak (specification,
// section 4.2.2).
func (g *guard) greeting() error {
	_ = g.SetReadDeadline(time.Now().Add(silence))
	_, err := g.r.Peek(1)
	_ = g.SetReadDeadline(time.Time{})
	if err != nil {
		if g.isWeb != nil && g.isWeb() {
			return errWeb
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	first, err := g.r.Peek(3)
	if err != nil {
		return err
	}
	switch {
	case string(first) == "AMQ":
		return errVersion
	case string(first) == "HTT":
		return errWeb
	case first[0] == 0x15 && first[1] == 3, first[0] == 0x16 && first[1] == 3: // a TLS alert or handshake record
		return errTLS
	case first[0] != frameMethod || first[1] != 0 || first[2] != 0:
		return errNotAMQP
	}
	return nil
}

// take is what to pass on of a whole frame.
func (g *guard) take(f []byte) []byte {
	channel, payload := binary.BigEndian.Uint16(f[1:]), f[frameHead:len(f)-1]
	switch f[0] {
	case frameMethod:
		g.method(channel, payload)
	case frameHeader:
		g.header(channel, payload)
	case frameBody:
		return g.part(channel, f)
	}
	return f
}

// The methods that matter here, as class and number.
const (
	methodOpenOK  = 10<<16 | 41
	methodDeliver = 60<<16 | 60
	methodGetOK   = 60<<16 | 71
)

func (g *guard) method(channel uint16, payload []byte) {
	if len(payload) < 4 {
		return
	}
	args := payload[4:]
	switch binary.BigEndian.Uint32(payload) {
	case methodOpenOK:
		g.opened = true
	case methodDeliver:
		if len(args) > 0 && len(args) >= 1+int(args[0])+8 {
			n := 1 + int(args[0])
			g.bodies[channel] = &body{of: delivery{string(args[1:n]), binary.BigEndian.Uint64(args[n:])}}
		}
	case methodGetOK:
		if len(args) >= 8 {
			g.bodies[channel] = &body{of: delivery{"", binary.BigEndian.Uint64(args)}}
		}
	}
}

// header rewrites the size of a body that will be cut.
func (g *guard) header(channel uint16, payload []byte) {
	if len(payload) < 12 {
		return
	}
	b := g.bodies[channel]
	if b == nil {
		b = &body{}
		g.bodies[channel] = b
	}
	b.left = binary.BigEndian.Uint64(payload[4:])
	b.keep = min(b.left, maxBody)
	if b.left > maxBody {
		binary.BigEndian.PutUint64(payload[4:], maxBody)
		g.cut(b.of, b.left)
	}
}

func (g *guard) cut(of delivery, size uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.sizes) >= maxSizes {
		clear(g.sizes)
	}
	g.sizes[of] = size
}

// part is what remains of a body frame; nothing once there is enough.
func (g *guard) part(channel uint16, f []byte) []byte {
	n := uint64(len(f) - frameHead - 1)
	b := g.bodies[channel]
	if b == nil {
		return nil
	}
	kept := min(n, b.keep)
	b.keep -= kept
	if b.left -= min(n, b.left); b.left == 0 {
		delete(g.bodies, channel)
	}
	if kept == 0 {
		return nil
	}
	binary.BigEndian.PutUint32(f[3:], uint32(kept))
	f[frameHead+kept] = frameEnd
	return f[:frameHead+kept+1]
}

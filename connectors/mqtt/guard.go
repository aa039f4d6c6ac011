package mqtt

import (
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// The packet types that a client gets (MQTT 3.1.1 section 2.2.1).
const (
	typeConnack = 2
	typePublish = 3
)

// The bounds of a packet. The library allocates what a header announces, up to
// 256 MiB, before it has read one byte of it.
const (
	maxPublish = 8 << 20
	maxControl = 64 << 10
)

var (
	errNotMQTT  = errors.New("the first packet is no CONNACK")
	errTooLarge = errors.New("a control packet is too large")
)

// A guard reads along on a connection: it ends it when what comes is no MQTT,
// and leaves out messages that are too large to be looked at (they have no
// acknowledgement at QoS 0, so that nobody misses them).
type guard struct {
	net.Conn
	skipped *atomic.Uint64
	wrote   atomic.Bool // the first packet was handed over

	head  []byte // of the packet that is being read, while incomplete
	out   []byte // checked bytes that wait for the reader
	left  int    // bytes of the packet's body that are still to come
	drop  bool   // the body is left out
	begun bool   // the first packet was a CONNACK
	in    [4096]byte
	err   error
}

// Write tells why the broker hung up where it said so before the first packet
// reached it: with TLS 1.3 a client certificate is refused after the client's
// handshake is done (RFC 8446 section 4.4.2.4), and the alert waits to be read
// while the write only learns of a reset.
func (g *guard) Write(p []byte) (int, error) {
	first := !g.wrote.Swap(true)
	n, err := g.Conn.Write(p)
	if err == nil || !first {
		return n, err
	}
	_ = g.SetReadDeadline(time.Now().Add(time.Second))
	var alert *net.OpError
	if _, said := g.Conn.Read(g.in[:]); errors.As(said, &alert) && alert.Op == "remote error" {
		return n, said
	}
	return n, err
}

func (g *guard) Read(p []byte) (int, error) {
	for len(g.out) == 0 {
		if g.err != nil {
			return 0, g.err
		}
		n, err := g.Conn.Read(g.in[:])
		g.take(g.in[:n])
		if err != nil && g.err == nil {
			g.err = err
		}
	}
	n := copy(p, g.out)
	g.out = g.out[n:]
	return n, nil
}

// take moves checked bytes of data to out.
func (g *guard) take(data []byte) {
	g.out = g.out[:0]
	for len(data) > 0 && (g.err == nil) {
		if g.left > 0 {
			n := min(g.left, len(data))
			if !g.drop {
				g.out = append(g.out, data[:n]...)
			}
			g.left -= n
			data = data[n:]
			continue
		}
		g.head = append(g.head, data[0])
		data = data[1:]
		g.header()
	}
}

// header looks at a fixed header once it is complete (section 2.2.3: at most
// four bytes of length, seven bits each).
func (g *guard) header() {
	kind := g.head[0] >> 4
	if !g.begun && kind != typeConnack {
		g.err = errNotMQTT
		return
	}
	if len(g.head) < 2 {
		return
	}
	last := g.head[len(g.head)-1]
	if last&0x80 != 0 {
		if len(g.head) == 5 {
			g.err = errTooLarge
		}
		return
	}
	length := 0
	for i, b := range g.head[1:] {
		length |= int(b&0x7f) << (7 * i)
	}
	switch {
	case !g.begun && length != 2:
		g.err = errNotMQTT
		return
	case kind != typePublish && length > maxControl:
		g.err = errTooLarge
		return
	}
	g.begun = true
	g.drop = kind == typePublish && length > maxPublish
	if g.drop {
		g.skipped.Add(1)
	} else {
		g.out = append(g.out, g.head...)
	}
	g.head, g.left = g.head[:0], length
}

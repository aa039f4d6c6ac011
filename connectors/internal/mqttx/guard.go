package mqttx

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The packet types that a client gets (MQTT 3.1.1 section 2.2.1, MQTT 5 section 2.1.2).
const (
	typeConnack    = 2
	typePublish    = 3
	typeDisconnect = 14 // MQTT 5
)

// delivered are the types that a server may send after its CONNACK. AUTH is not
// among them: nobody here asks for enhanced authentication.
const delivered = 1<<typePublish | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<9 | 1<<11 | 1<<13

// The bounds of a packet. The library allocates what a header announces, up to
// 256 MiB, before it has read one byte of it.
const (
	maxPublish = 8 << 20
	maxControl = 64 << 10
)

var (
	errNotMQTT  = errors.New("the first packet is no CONNACK")
	errTooLarge = errors.New("a control packet is too large")
	errStray    = errors.New("a packet that no broker may send")
)

// errOlder is the CONNACK of a broker that knows no MQTT 5: it has no properties.
type errOlder byte

func (e errOlder) Error() string {
	return "the broker answers in MQTT 3, with return code " + strconv.Itoa(int(e))
}

var ()

// A guard reads along on a connection: it ends it when what comes is no MQTT,
// and leaves out messages that are too large to be looked at (they have no
// acknowledgement at QoS 0, so that nobody misses them).
type guard struct {
	net.Conn
	five    bool // the version is 5
	skipped *atomic.Uint64
	read    atomic.Bool // something came
	rushed  atomic.Bool
	writing sync.Mutex

	head  []byte // of the packet that is being read, while incomplete
	out   []byte // checked bytes that wait for the reader
	left  int    // bytes of the packet's body that are still to come
	drop  bool   // the body is left out
	begun bool   // the first packet was a CONNACK
	old   bool   // it is being read, and of MQTT 3
	in    [4096]byte
	err   error
}

// goodbye bounds the last packet's write.
const goodbye = 300 * time.Millisecond

// hurry makes what is still written wait for nobody.
func (g *guard) hurry() {
	g.rushed.Store(true)
	_ = g.SetWriteDeadline(time.Now().Add(goodbye))
}

// Write is bounded: a broker that does not read holds nobody up. It tells why the
// broker hung up where it said so before the first packet reached it: with TLS
// 1.3 a client certificate is refused after the client's handshake is done (RFC
// 8446 section 4.4.2.4), and the alert waits to be read while the write only
// learns of a reset.
func (g *guard) Write(p []byte) (int, error) {
	g.writing.Lock()
	defer g.writing.Unlock()
	if !g.rushed.Load() {
		_ = g.SetWriteDeadline(time.Now().Add(writing))
	}
	n, err := g.Conn.Write(p)
	if err == nil || g.read.Load() {
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
		g.read.Store(true)
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
			if g.old && n == g.left {
				g.err = errOlder(data[n-1])
				return
			}
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
	if g.err = g.kindError(kind, g.head[0]); g.err != nil {
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
	case !g.begun && !g.connack(length):
		g.err = errNotMQTT
		return
	case kind != typePublish && length > maxControl:
		g.err = errTooLarge
		return
	}
	g.old = !g.begun && g.five && length == 2
	g.begun = true
	g.drop = kind == typePublish && length > maxPublish
	if g.drop {
		g.skipped.Add(1)
	} else {
		g.out = append(g.out, g.head...)
	}
	g.head, g.left = g.head[:0], length
}

// kindError judges the first byte of a packet.
func (g *guard) kindError(kind, first byte) error {
	switch {
	case !g.begun && kind != typeConnack:
		return errNotMQTT
	case !g.begun:
		return nil
	case kind == typePublish && first>>1&3 == 3: // QoS 3 (section 3.3.1.2)
		return errStray
	case g.five && kind == typeDisconnect:
		return nil
	case delivered>>kind&1 == 0:
		return errStray
	}
	return nil
}

// connack reports whether a CONNACK may have that length: two bytes, and in MQTT
// 5 properties after them. Older brokers answer MQTT 5 with the two bytes alone
// (MQTT 3.1.1 section 3.1.2.2), which the library would take for a cut packet.
func (g *guard) connack(length int) bool {
	return length == 2 || g.five && length > 2
}

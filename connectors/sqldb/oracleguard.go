package sqldb

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
)

// What a TNS packet may be: its header of 8 bytes says the length in 2, and in 4
// once both sides agreed on a version that does. The type is in the fifth byte.
const (
	tnsHeader = 8
	tnsAccept = 2
	tnsWide   = 315     // the version from which lengths have 4 bytes
	maxPacket = 4 << 20 // twice what is asked for as the session's data unit
)

var errPacket = errors.New("a packet has a length that cannot be")

// A guardedDialer dials connections on which lengths are looked at before the
// library makes room for them. Within TLS that cannot be, and there the server
// is known.
type guardedDialer struct {
	*leash
	plain bool
}

func (g guardedDialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := g.leash.DialContext(ctx, network, addr)
	if err != nil || !g.plain {
		return c, err
	}
	return &guardedConn{Conn: c, note: g.note}, nil
}

type guardedConn struct {
	net.Conn
	note func(error) error

	head []byte // of the packet that begins, and of an ACCEPT its version too
	left int    // bytes of the packet that are still to come
	wide bool
}

func (g *guardedConn) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if bad := g.look(p[:n]); bad != nil {
		_ = g.Close()
		return 0, g.note(bad)
	}
	return n, err
}

func (g *guardedConn) look(p []byte) error {
	for len(p) > 0 {
		if len(g.head) < tnsHeader {
			take := min(tnsHeader-len(g.head), len(p))
			g.head, p = append(g.head, p[:take]...), p[take:]
			if len(g.head) == tnsHeader {
				if err := g.begin(); err != nil {
					return err
				}
			}
			continue
		}
		take := min(g.left, len(p))
		if g.head[4] == tnsAccept && len(g.head) < tnsHeader+2 {
			g.head = append(g.head, p[:min(tnsHeader+2-len(g.head), take)]...)
		}
		p, g.left = p[take:], g.left-take
		g.end()
	}
	return nil
}

func (g *guardedConn) begin() error {
	length := int(binary.BigEndian.Uint16(g.head))
	if g.wide {
		length = int(binary.BigEndian.Uint32(g.head))
	}
	if length < tnsHeader || length > maxPacket {
		return errPacket
	}
	g.left = length - tnsHeader
	g.end()
	return nil
}

func (g *guardedConn) end() {
	if g.left > 0 {
		return
	}
	if g.head[4] == tnsAccept && len(g.head) == tnsHeader+2 {
		g.wide = binary.BigEndian.Uint16(g.head[tnsHeader:]) >= tnsWide
	}
	g.head = nil
}

package nats

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

// The bounds of what a server may send, in bytes.
const (
	// maxMessage is the most that a server can be configured to let pass:
	// https://docs.nats.io/running-a-nats-service/configuration (max_payload).
	maxMessage = 64<<20 + 64<<10
	maxLine    = 1 << 20
)

var (
	errTooLarge = errors.New("the server announced more than a NATS message can have")
	errNotNATS  = errors.New("the server's first bytes are not NATS")
	errWeb      = errors.New("the server answered in HTTP")
	errTLS      = errors.New("the server answered in TLS")
)

// A guard reads along, so that no length that a server announces is believed:
// the library allocates what a MSG line says. For WebSocket, which frames the
// same lines, only the bytes before were looked at.
// The protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol
type guard struct {
	net.Conn
	replay []byte // read already, and not yet by the library
	web    bool

	line []byte // of a control line so far
	skip int    // bytes of a message's payload that are still to come
}

func (g *guard) Read(p []byte) (int, error) {
	if len(g.replay) > 0 {
		n := copy(p, g.replay)
		g.replay = g.replay[n:]
		return n, nil
	}
	n, err := g.Conn.Read(p)
	if !g.web {
		if strange := g.follow(p[:n]); strange != nil {
			_ = g.Close()
			return 0, strange
		}
	}
	return n, err
}

// farewell is how long a server's last words are waited for.
const farewell = 300 * time.Millisecond

// Write fails with the server's own words where it said why before it hung up, as
// one does that has too many connections.
func (g *guard) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	if err == nil || g.web || g.SetReadDeadline(time.Now().Add(farewell)) != nil {
		return n, err
	}
	rest, why := io.ReadAll(io.LimitReader(g.Conn, 4096))
	if e := connectors.Classify(why); e != nil && strings.HasPrefix(e.Reason, "tls.") {
		return n, e // TLS 1.3 says only now what it thinks of the certificate
	}
	if _, after, ok := bytes.Cut(rest, []byte("-ERR ")); ok {
		line, _, _ := bytes.Cut(after, []byte("\r\n"))
		return n, errors.New("nats: " + strings.Trim(string(line), "'"))
	}
	return n, err
}

func (g *guard) follow(p []byte) error {
	for len(p) > 0 {
		if g.skip > 0 {
			n := min(g.skip, len(p))
			g.skip -= n
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			end = len(p) - 1
		}
		g.line = append(g.line, p[:end+1]...)
		p = p[end+1:]
		if len(g.line) > maxLine {
			return errTooLarge
		}
		if g.line[len(g.line)-1] == '\n' {
			if err := g.control(); err != nil {
				return err
			}
			g.line = g.line[:0]
		}
	}
	return nil
}

// control reads the length of what follows a MSG or HMSG line: its last field.
func (g *guard) control() error {
	fields := bytes.Fields(g.line)
	if len(fields) < 4 || !bytes.EqualFold(fields[0], []byte("MSG")) && !bytes.EqualFold(fields[0], []byte("HMSG")) {
		return nil
	}
	n, err := strconv.Atoi(string(fields[len(fields)-1]))
	if err != nil || n < 0 || n > maxMessage {
		return errTooLarge
	}
	g.skip = n + 2 // CR LF
	return nil
}

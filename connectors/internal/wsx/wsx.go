// Package wsx makes a WebSocket of a connection (RFC 6455), for protocols that
// run over one as over a socket.
package wsx

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/websocket"

	"jackfield/connectors"
)

// upgradeBytes is more than any answer to an upgrade has.
const upgradeBytes = 64 << 10

var (
	// ErrAnswer ends an upgrade whose answer never ends.
	ErrAnswer = errors.New("the answer to the upgrade is too large")
	// ErrText ends a stream in which text comes where only bytes may.
	ErrText = errors.New("the server sent text over the WebSocket")
)

// Upgrade makes a WebSocket of conn: binary frames, with the subprotocol. u is
// sent as it stands, with its query. Where the server answers in HTTP and does
// not upgrade, the response comes back beside the error, with up to 1 kB of its
// body. On failure conn is closed.
func Upgrade(ctx context.Context, conn net.Conn, u *url.URL, subprotocol string) (net.Conn, *http.Response, error) {
	first := &capped{Conn: conn, left: upgradeBytes}
	given := func(context.Context, string, string) (net.Conn, error) { return first, nil }
	d := websocket.Dialer{NetDialContext: given, NetDialTLSContext: given, Subprotocols: []string{subprotocol}}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	ws, res, err := d.DialContext(ctx, u.String(), nil)
	if ctx.Err() != nil {
		_ = conn.Close()
		return nil, nil, connectors.Classify(context.Cause(ctx))
	}
	if err != nil {
		_ = conn.Close()
		if !errors.Is(err, websocket.ErrBadHandshake) {
			res = nil
		}
		return nil, res, err
	}
	first.left = -1
	return &stream{Conn: ws}, nil, nil
}

// capped ends the connection of a server whose answer to the upgrade never ends.
type capped struct {
	net.Conn
	left int // -1: without limit
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return c.Conn.Read(p)
	}
	if c.left == 0 {
		return 0, ErrAnswer
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// A stream is a WebSocket read and written as bytes: what it carries does not
// respect the frames. A frame of any size is read in pieces.
type stream struct {
	*websocket.Conn
	r io.Reader
}

func (s *stream) Read(p []byte) (int, error) {
	for {
		if s.r == nil {
			kind, r, err := s.NextReader()
			if err != nil {
				if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway) {
					return 0, io.EOF
				}
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, ErrText
			}
			s.r = r
		}
		n, err := s.r.Read(p)
		if errors.Is(err, io.EOF) {
			s.r, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (s *stream) Write(p []byte) (int, error) {
	if err := s.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

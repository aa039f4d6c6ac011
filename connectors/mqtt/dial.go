package mqtt

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/tlsx"
)

// connect climbs the rungs up to the encryption and, for WebSocket, the upgrade.
func connect(ctx context.Context, env *connectors.Env, c config) (net.Conn, string, error) {
	addr := net.JoinHostPort(c.Host, c.port())
	conn, err := env.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, "", err
	}
	secured := "none"
	if c.secure() {
		err = env.Climb(ctx, connectors.StageSecure, c.Host, func(ctx context.Context) (string, error) {
			cfg, err := tlsx.Config(c.Spec(), c.Host)
			if err != nil {
				_ = conn.Close()
				return "", err
			}
			safe, said, err := tlsx.Handshake(ctx, conn, cfg)
			if err != nil {
				return "", trust(c, err, addr)
			}
			conn, secured = safe, said
			return said, nil
		})
		if err != nil {
			return nil, "", err
		}
	}
	if !c.web() {
		return conn, secured, nil
	}
	ws, err := upgrade(ctx, conn, c)
	if err != nil {
		_ = conn.Close()
		return nil, "", err
	}
	return ws, secured, nil
}

// trust points at the field in which a private authority is told.
func trust(c config, err error, addr string) error {
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = addr
	}
	if e.Field == "" && e.Code == connectors.Untrusted {
		e.Field = "ca"
	}
	return certificate(c, &e)
}

// upgrade makes a WebSocket of the connection (RFC 6455; section 6 of the MQTT
// standard: binary frames, subprotocol "mqtt").
func upgrade(ctx context.Context, conn net.Conn, c config) (net.Conn, error) {
	given := func(context.Context, string, string) (net.Conn, error) { return conn, nil }
	d := websocket.Dialer{NetDialContext: given, NetDialTLSContext: given, Subprotocols: []string{"mqtt"}}
	scheme := "ws"
	if c.secure() {
		scheme = "wss"
	}
	u := url.URL{Scheme: scheme, Host: net.JoinHostPort(c.Host, c.port()), Path: c.Path}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	ws, res, err := d.DialContext(ctx, u.String(), nil)
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	if errors.Is(err, websocket.ErrBadHandshake) && res != nil {
		r := &httpx.Response{Status: res.StatusCode, Header: res.Header, URL: &u}
		e := r.Err("")
		if e == nil || e.Code != connectors.AuthFailed && e.Code != connectors.Denied {
			return nil, &connectors.Error{Code: connectors.Refused, Reason: "mqtt.websocket", Op: connectors.StageConnect, Target: u.Host, Field: "path", Said: http.StatusText(res.StatusCode), Err: err}
		}
		e.Op = connectors.StageSignIn
		return nil, e
	}
	if err != nil {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "mqtt.websocket", Op: connectors.StageConnect, Target: u.Host, Field: "port", Err: err}
	}
	ws.SetReadLimit(maxPublish + maxControl)
	return &stream{Conn: ws}, nil
}

// A stream is a WebSocket read and written as bytes: MQTT packets do not respect
// the frames (section 6.0).
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
				return 0, errNotMQTT
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

// clean takes the library's own prefix off what a broker said.
func clean(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), "network Error : ")
}

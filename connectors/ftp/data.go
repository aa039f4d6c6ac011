package ftp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"jackfield/connectors"
)

// resumed is a session cache for one control connection and its data connections:
// these resume the control connection's session, as servers require that want to
// know that both have the same client (RFC 4217 section 12.6 speaks of it).
type resumed struct {
	mu  sync.Mutex
	all []*tls.ClientSessionState // newest last
}

func (c *resumed) Get(string) (*tls.ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.all) == 0 {
		return nil, false
	}
	return c.all[len(c.all)-1], true
}

// Put keeps what the server issues. That TLS 1.3 tickets are meant for one use is
// a matter of not being recognized again (RFC 8446 appendix C.4); here that is
// wanted, so the last one stays when crypto/tls would drop it.
func (c *resumed) Put(_ string, s *tls.ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s != nil {
		c.all = []*tls.ClientSessionState{s}
	}
}

// A transfer is a data connection while the server sends on it.
type transfer struct {
	c     *conn
	conn  net.Conn // raw, to break it off
	r     io.Reader
	final *reply // a reply that came before its time
}

// transfer has a command send on a data connection, "" is a command without a
// path. A path is tried in each spelling that it may have, over a connection of
// its own: servers give the prepared one up with the first refusal.
func (c *conn) transfer(ctx context.Context, verb, name string, skip int64) (*transfer, error) {
	var first error
	for _, spelled := range c.s.wire(name) {
		t, err := c.transferAs(ctx, verb, spelled, name, skip)
		if code := connectors.CodeOf(err); code != connectors.NotFound && code != connectors.Denied {
			return t, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func (c *conn) transferAs(ctx context.Context, verb, spelled, name string, skip int64) (*transfer, error) {
	addr, err := c.passive()
	if err != nil {
		return nil, err
	}
	conn, err := c.s.env.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, c.s.noData(ctx, addr, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	t := &transfer{c: c, conn: conn, r: conn}
	if err = t.ask(verb, spelled, name, skip); err == nil {
		err = t.secure(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return t, nil
}

// ask sends the command and reads the reply that announces the data.
func (t *transfer) ask(verb, spelled, name string, skip int64) error {
	if skip > 0 {
		r, err := t.c.cmd("REST", strconv.FormatInt(skip, 10))
		if err != nil {
			return err
		}
		if !r.more() {
			t.c.noRest = true
			return errNoRest
		}
	}
	r, err := t.c.cmd(verb, spelled)
	switch {
	case err != nil:
		return err
	case r.done(): // sent already, as an empty listing may be
		t.final = &r
	case skip > 0 && (r.code == 451 || r.unknown()): // ProFTPD's AllowRetrieveRestart off
		t.c.noRest = true
		return errNoRest
	case !r.begun():
		return t.c.s.refusedAt(name, r)
	}
	return nil
}

func (t *transfer) secure(ctx context.Context) error {
	if t.c.cfg == nil {
		return nil
	}
	secure := tls.Client(t.conn, t.c.cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		return t.insecure(err)
	}
	t.r = secure
	return nil
}

var errNoRest = errors.New("the server cannot send from the middle")

// insecure tells why a data connection was not made secure: the server's reply
// says more than how the handshake ended. Some servers end an empty transfer
// without a handshake.
func (t *transfer) insecure(err error) error {
	_ = t.conn.Close()
	r, again := t.end()
	switch {
	case again != nil:
		return connectors.Classify(err)
	case !r.done():
		return t.c.s.refusedData(r)
	case errors.Is(err, io.EOF):
		t.r = strings.NewReader("")
		return nil
	}
	return connectors.Classify(err)
}

// end waits a little for the reply that ends a transfer.
func (t *transfer) end() (reply, error) {
	if t.final != nil {
		return *t.final, nil
	}
	_ = t.c.c.SetReadDeadline(time.Now().Add(closing))
	r, err := readReply(t.c.r)
	if err != nil || r.code == 421 {
		t.c.broken.Store(true)
	}
	t.final = &r
	return r, err
}

func (t *transfer) Read(p []byte) (int, error) {
	_ = t.conn.SetReadDeadline(time.Now().Add(patience))
	return t.r.Read(p)
}

// finish ends a transfer that was read to its end: only the server's reply says
// that it was the whole.
func (t *transfer) finish(name string) error {
	_ = t.conn.Close()
	if t.final != nil {
		return nil
	}
	r, err := t.c.receive()
	if err != nil {
		return err
	}
	t.final = &r
	if !r.done() {
		return t.c.s.refusedAt(name, r)
	}
	return nil
}

// stop breaks a transfer off. The control connection stays of use where the
// server answers soon.
func (t *transfer) stop() {
	_ = t.conn.Close()
	if t.c.broken.Load() {
		return
	}
	_, _ = t.end()
}

// passive asks where to connect to (RFC 2428, RFC 959 section 4.1.2).
func (c *conn) passive() (addr string, err error) {
	if !c.noEPSV && !c.s.c.Passive {
		r, err := c.cmd("EPSV", "")
		if err != nil {
			return "", err
		}
		if r.code == 229 {
			port, ok := extendedPort(r.text)
			if !ok {
				return "", c.s.notFTP(&oddLine{r.said()})
			}
			return net.JoinHostPort(c.dataHost(), port), nil
		}
		if !r.unknown() && r.code != 522 {
			return "", c.s.refusedData(r)
		}
		c.noEPSV = true
	}
	r, err := c.cmd("PASV", "")
	if err != nil {
		return "", err
	}
	if r.code != 227 {
		return "", c.s.refusedData(r)
	}
	host, port, ok := passiveAddr(r.text)
	if !ok {
		return "", c.s.notFTP(&oddLine{r.said()})
	}
	if !c.s.c.Passive {
		host = c.dataHost()
	}
	return net.JoinHostPort(host, port), nil
}

// dataHost is the machine of the control connection. A name may stand for several
// machines; what was connected to counts, unless a proxy is in between, which
// shows in its port.
func (c *conn) dataHost() string {
	a, ok := c.raw.RemoteAddr().(*net.TCPAddr)
	if ok && a.Port == c.s.c.Port && !a.IP.IsUnspecified() {
		return (&net.IPAddr{IP: a.IP, Zone: a.Zone}).String()
	}
	return c.s.c.Host
}

// extendedPort reads "Entering Extended Passive Mode (|||6446|)".
func extendedPort(text string) (string, bool) {
	_, rest, ok := strings.Cut(text, "(")
	if !ok || len(rest) < 5 || rest[0] != rest[1] || rest[1] != rest[2] {
		return "", false
	}
	port, _, ok := strings.Cut(rest[3:], rest[:1])
	return port, ok && validDataPort(port)
}

func validDataPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// passiveAddr reads "Entering Passive Mode (192,0,2,7,25,46)"; some servers leave
// the brackets out (RFC 1123 section 4.1.2.6).
func passiveAddr(text string) (host, port string, ok bool) {
	start := strings.IndexAny(text, "0123456789")
	if start < 0 {
		return "", "", false
	}
	numbers := strings.FieldsFunc(text[start:], func(r rune) bool { return r < '0' || r > '9' })
	if len(numbers) < 6 {
		return "", "", false
	}
	var n [6]int
	for i := range n {
		v, err := strconv.ParseUint(numbers[i], 10, 8)
		if err != nil {
			return "", "", false
		}
		n[i] = int(v)
	}
	port = strconv.Itoa(n[4]<<8 | n[5])
	return net.IPv4(byte(n[0]), byte(n[1]), byte(n[2]), byte(n[3])).String(), port, validDataPort(port)
}

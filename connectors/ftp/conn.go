package ftp

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

const (
	// patience bounds the wait for a server that stopped in the middle.
	patience = time.Minute
	// closing bounds the wait for the reply to a transfer that was broken off.
	closing = 2 * time.Second
)

// A conn is one control connection. It serves one at a time.
type conn struct {
	s      *session
	raw    net.Conn
	c      net.Conn // raw, or TLS over it
	r      *bufio.Reader
	cfg    *tls.Config // nil without encryption
	hello  string
	secure string // what the handshake agreed on
	login  string // the server's words at the sign-in
	system string
	home   string

	features map[string]string // of RFC 2389, in capitals
	noEPSV   bool
	noRest   bool
	broken   atomic.Bool
	used     time.Time
}

func (c *conn) abort() {
	c.broken.Store(true)
	_ = c.raw.Close()
}

// under lets the end of ctx break the connection off, until the func is called.
func (c *conn) under(ctx context.Context) func() bool { return context.AfterFunc(ctx, c.abort) }

func (c *conn) receive() (reply, error) {
	_ = c.c.SetReadDeadline(time.Now().Add(patience))
	r, err := readReply(c.r)
	if err != nil {
		c.broken.Store(true)
	}
	if r.code == 421 { // the server hangs up after it
		c.broken.Store(true)
	}
	return r, err
}

// cmd sends a command and reads its reply. The argument is sent as it is.
func (c *conn) cmd(verb, arg string) (reply, error) {
	line := verb
	if arg != "" {
		line += " " + arg
	}
	if strings.ContainsAny(line, "\r\n\x00") {
		return reply{}, errName
	}
	_ = c.c.SetWriteDeadline(time.Now().Add(patience))
	if _, err := c.c.Write([]byte(line + "\r\n")); err != nil {
		c.broken.Store(true)
		return reply{}, err
	}
	return c.receive()
}

// greet reads the first reply; 120 announces that another follows.
func (c *conn) greet() error {
	for range 3 {
		r, err := c.receive()
		if err != nil {
			return c.s.notFTP(err)
		}
		c.hello = r.text
		switch {
		case r.done():
			return nil
		case !r.begun():
			return c.s.refused(connectors.StageSecure, c.s.c.Host, r)
		}
	}
	return c.s.notFTP(errReply)
}

// protect makes the connection secure as the form says, before anything else is
// sent. A server that will not is left at once (RFC 4217 section 4).
func (c *conn) protect(ctx context.Context) (string, error) {
	if c.s.c.TLS == tlsImplicit {
		if err := c.handshake(ctx); err != nil {
			return "", err
		}
		return c.secure, c.greet()
	}
	if err := c.greet(); err != nil {
		return "", err
	}
	if c.s.c.TLS == tlsNone {
		return "no encryption", nil
	}
	r, err := c.cmd("AUTH", "TLS")
	if err != nil {
		return "", err
	}
	if r.code != 234 {
		return "", &connectors.Error{Code: connectors.Unsupported, Reason: "ftp.no_tls", Op: connectors.StageSecure, Field: "tls", Target: c.s.c.Host, Said: r.said()}
	}
	if c.r.Buffered() > 0 { // what came in the clear must not count as said under TLS
		return "", c.s.notFTP(errReply)
	}
	err = c.handshake(ctx)
	return c.secure, err
}

func (c *conn) handshake(ctx context.Context) error {
	secure, said, err := tlsx.Handshake(ctx, c.raw, c.cfg)
	if err != nil {
		c.broken.Store(true)
		return err
	}
	c.c, c.secure, c.r = secure, said, bufio.NewReader(secure)
	return nil
}

// signIn sends the name, and the password only when it is asked for.
func (c *conn) signIn() error {
	user, password := c.s.c.User, c.s.c.Password.Reveal()
	if c.s.c.Auth == anonymous {
		user, password = anonymous, "guest@" // RFC 1635 section 1
	}
	r, err := c.cmd("USER", c.s.wire(user)[0])
	if err != nil {
		return err
	}
	if r.code == 331 {
		if r, err = c.cmd("PASS", c.s.wire(password)[0]); err != nil {
			return err
		}
		if password != "" {
			r.text = strings.ReplaceAll(r.text, password, "…")
		}
	}
	if !r.done() {
		return c.s.notSignedIn(r)
	}
	c.login = r.text
	return c.settle()
}

// settle asks what the server can do and prepares transfers.
func (c *conn) settle() error {
	if c.cfg != nil {
		if err := c.private(); err != nil {
			return err
		}
	}
	r, err := c.cmd("FEAT", "")
	if err != nil {
		return err
	}
	if r.done() {
		c.features = features(r.text)
	}
	if _, ok := c.features["UTF8"]; ok && c.s.c.Names != namesLatin {
		if _, err := c.cmd("OPTS", "UTF8 ON"); err != nil {
			return err
		}
	}
	if r, err = c.cmd("SYST", ""); err != nil {
		return err
	}
	if r.done() {
		c.system = r.text
	}
	if r, err = c.cmd("TYPE", "I"); err != nil {
		return err
	}
	if !r.done() {
		return c.s.refused(connectors.StageSignIn, c.s.c.Host, r)
	}
	return nil
}

// private has the data connections encrypted too (RFC 4217 section 9).
func (c *conn) private() error {
	if _, err := c.cmd("PBSZ", "0"); err != nil {
		return err
	}
	r, err := c.cmd("PROT", "P")
	if err != nil {
		return err
	}
	if !r.done() {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "ftp.no_private_data", Op: connectors.StageSecure, Field: "tls", Target: c.s.c.Host, Said: r.said()}
	}
	return nil
}

// features reads the lines of FEAT's reply: " MLST type*;size*;".
func features(text string) map[string]string {
	out := map[string]string{}
	lines := strings.Split(text, "\n")
	for _, line := range lines[1:] {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		out[strings.ToUpper(name)] = rest
	}
	return out
}

func (c *conn) has(feature string) bool { _, ok := c.features[feature]; return ok }

// where asks for the current folder: 257 "/a ""b""" (RFC 959 appendix II).
func (c *conn) where() (string, error) {
	r, err := c.cmd("PWD", "")
	if err != nil {
		return "", err
	}
	if r.code != 257 {
		return "/", nil
	}
	return quoted(r.text), nil
}

func quoted(text string) string {
	_, rest, ok := strings.Cut(text, `"`)
	if !ok {
		return "/"
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		if rest[i] != '"' {
			b.WriteByte(rest[i])
			continue
		}
		if i+1 >= len(rest) || rest[i+1] != '"' {
			break
		}
		b.WriteByte('"')
		i++
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}

// bye says so, and waits for nothing.
func (c *conn) bye() {
	if !c.broken.Load() {
		_ = c.c.SetWriteDeadline(time.Now().Add(closing / 4))
		_, _ = c.c.Write([]byte("QUIT\r\n"))
	}
	_ = c.raw.Close()
}

// onPath runs a command on a path, in each spelling that the path may have on
// the wire, until one is not refused as missing.
func (c *conn) onPath(verb, name string) (reply, error) {
	var first reply
	for i, spelled := range c.s.wire(name) {
		r, err := c.cmd(verb, spelled)
		if err != nil || r.code != 550 && r.code != 553 && r.code != 501 {
			return r, err
		}
		if i == 0 {
			first = r
		}
	}
	return first, nil
}

// cause lets the end of ctx win over what it brings about.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		var known *connectors.Error
		if errors.As(err, &known) && (known.Code == connectors.Cancelled || known.Code == connectors.TimedOut) {
			return err
		}
		code := connectors.Cancelled
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			code = connectors.TimedOut
		}
		return &connectors.Error{Code: code, Err: err}
	}
	return err
}

package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

const (
	// quietly is how long a server may be silent before another connection finds
	// out whether the port wants TLS. Some are slow on purpose.
	quietly = 2 * time.Second
	probing = 3 * time.Second
)

// A door knows how to connect, secure the connection and sign in.
type door struct {
	kind     string // "smtp" or "imap": the family of reasons
	account  account
	addr     string
	tls      *tls.Config // nil for an unencrypted connection
	dialing  time.Duration
	patience time.Duration
}

// A talk is one protocol's side of opening a connection. Its errors are
// *connectors.Error, or what broke the connection.
type talk interface {
	greet() error    // reads the greeting and learns what the server can do
	startTLS() error // nil when the handshake may begin
	again() error    // learns anew what the server can do
	signIn() error   // called only where a sign-in is wanted
}

func newDoor(kind string, a account, p ports) (*door, error) {
	if a.Auth != authNone && (a.User == "" || a.tokens() && a.Token.Empty() || !a.tokens() && a.Password.Empty()) {
		return nil, &connectors.Error{Code: connectors.BadInput, Reason: "mail.no_secret", Op: connectors.StageForm, Field: a.secretField()}
	}
	d := &door{kind: kind, account: a, addr: a.addr(p)}
	if a.Security != secNone {
		cfg, err := tlsx.Config(a.Spec(), a.Host)
		if err != nil {
			return nil, err
		}
		d.tls = cfg
	}
	return d, nil
}

// dial connects, within the time that the properties allow.
func (d *door) dial(ctx context.Context, env *connectors.Env) (*wire, error) {
	within := ctx
	if d.dialing > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, d.dialing)
		defer cancel()
	}
	conn, err := env.Dial(within, "tcp", d.addr)
	if err != nil {
		return nil, err
	}
	return newWire(conn, d.patience), nil
}

// enter climbs from the greeting to the sign-in. On failure the connection is
// ended. It returns how the connection is secured.
func (d *door) enter(ctx context.Context, env *connectors.Env, w *wire, t talk) (string, error) {
	secured := "none"
	err := env.Climb(ctx, connectors.StageSecure, d.account.Security, func(ctx context.Context) (string, error) {
		said, err := d.secure(ctx, env, w, t)
		if err != nil {
			return "", d.explain(w, err)
		}
		if said == "" {
			return "not encrypted", nil
		}
		secured = said
		return secured, nil
	})
	if err == nil && d.account.Auth != authNone {
		err = env.Climb(ctx, connectors.StageSignIn, d.account.User, func(ctx context.Context) (string, error) {
			return d.account.User, d.explain(w, w.within(ctx, t.signIn))
		})
	}
	if err != nil {
		w.kill()
		return "", err
	}
	return secured, nil
}

func (d *door) secure(ctx context.Context, env *connectors.Env, w *wire, t talk) (said string, err error) {
	if d.account.Security == secTLS {
		if said, err = d.handshake(ctx, w); err != nil {
			return "", err
		}
		return said, w.within(ctx, t.greet)
	}
	if err = d.listen(ctx, env, w); err != nil {
		return "", err
	}
	if err = w.within(ctx, t.greet); err != nil || d.account.Security == secNone {
		return "", err
	}
	if err = w.within(ctx, t.startTLS); err != nil {
		return "", err
	}
	if w.br.Buffered() > 0 {
		return "", errInjected
	}
	if said, err = d.handshake(ctx, w); err != nil {
		return "", err
	}
	return said, w.within(ctx, t.again)
}

func (d *door) handshake(ctx context.Context, w *wire) (string, error) {
	conn, said, err := tlsx.Handshake(ctx, w.tcp, d.tls.Clone())
	if err != nil {
		e := *connectors.Classify(err)
		e.Target = d.addr
		if e.Field == "" {
			switch e.Reason {
			case "tls.unknown_ca":
				e.Field = "ca"
			case "tls.wrong_host":
				e.Field = "tls_name"
			}
		}
		return "", &e
	}
	w.over(conn)
	return said, nil
}

// listen waits for the server's first byte. Both protocols have the server speak
// first, TLS the client: a port that wants TLS is silent for ever.
func (d *door) listen(ctx context.Context, env *connectors.Env, w *wire) error {
	return w.within(ctx, func() error {
		_ = w.conn.SetReadDeadline(time.Now().Add(quietly))
		first, err := w.br.Peek(1)
		if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() == nil {
			if d.wantsTLS(ctx, env) {
				return d.isTLS(err)
			}
			_ = w.conn.SetReadDeadline(time.Time{})
			w.hurry()
			first, err = w.br.Peek(1)
		}
		if err == nil && (first[0] == 0x15 || first[0] == 0x16) { // alert and handshake, RFC 8446 section 5.1
			return d.isTLS(nil)
		}
		_ = w.conn.SetReadDeadline(time.Time{})
		w.hurry()
		return err
	})
}

func (d *door) isTLS(err error) error {
	return &connectors.Error{Code: connectors.Refused, Reason: "mail.is_tls", Target: d.addr, Field: "security", Err: err}
}

// wantsTLS begins a handshake on a connection of its own. A certificate that is
// not trusted is as good a sign as one that is; nothing else is sent.
func (d *door) wantsTLS(ctx context.Context, env *connectors.Env) bool {
	ctx, cancel := context.WithTimeout(ctx, probing)
	defer cancel()
	conn, err := env.Dial(ctx, "tcp", d.addr)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	cfg, err := tlsx.Config(d.account.Spec(), d.account.Host)
	if err != nil {
		return false
	}
	if _, _, err = tlsx.Handshake(ctx, conn, cfg); err == nil {
		return true
	}
	e := connectors.Classify(err)
	return e.Code == connectors.Untrusted || e.Code == connectors.HostChanged || e.Reason == "tls.version"
}

// explain maps what broke a connection; what a server said is mapped already.
func (d *door) explain(w *wire, err error) error {
	if err == nil {
		return nil
	}
	var known *connectors.Error
	if errors.As(err, &known) {
		return err
	}
	out := &connectors.Error{Code: connectors.Refused, Target: d.addr, Field: "port", Err: err}
	switch {
	case errors.Is(err, errInjected):
		out.Reason, out.Field = "mail.injected", "security"
	case errors.Is(err, errTooLong):
		out.Reason = "mail.too_long"
	case errors.Is(err, errNoProtocol):
		out.Reason = "mail.not_" + d.kind
	case errors.Is(err, errTooCostly), errors.Is(err, errDialogue):
		out.Reason, out.Field, out.Said = "mail.dialogue", "auth", err.Error()
	case errors.Is(err, errUnproven):
		out.Code, out.Reason, out.Field = connectors.Untrusted, "mail.unproven", ""
	default:
		found := *connectors.Classify(err)
		if found.Target == "" {
			found.Target = d.addr
		}
		return &found
	}
	return out
}

var errNoProtocol = errors.New("the server's answer does not follow the protocol")

// local is the name of this end for EHLO: an address literal (RFC 5321 section
// 4.1.3), which needs no name service.
func local(conn net.Conn) string {
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok && a.IP != nil {
		if v4 := a.IP.To4(); v4 != nil {
			return "[" + v4.String() + "]"
		}
		return "[IPv6:" + a.IP.String() + "]"
	}
	return "localhost"
}

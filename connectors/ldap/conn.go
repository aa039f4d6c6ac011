package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"jackfield/connectors"
	"jackfield/connectors/internal/tlsx"
)

// farewell bounds the polite end of a connection.
const farewell = 500 * time.Millisecond

// startTLSName is the extended operation of RFC 4511 section 4.14.
const startTLSName = "1.3.6.1.4.1.1466.20037"

// A door knows how to connect and sign in.
type door struct {
	c   config
	tls *tls.Config // nil for an unencrypted connection
	keeper
}

// A link is one signed-in connection. It serves one exchange at a time: a
// paged search belongs to its connection.
type link struct {
	wire   *wire
	ldap   *ldap.Conn
	idled  bool // it has waited, and the server may have left meanwhile
	secure string
	// bindings tie a sign-in to the TLS connection; nil where there is none.
	bindings []byte
	policy   *ldap.ControlBeheraPasswordPolicy
}

// enter connects, makes the connection secure and signs in.
func (d *door) enter(ctx context.Context, env *connectors.Env) (*link, error) {
	conn, err := env.Dial(ctx, "tcp", d.c.addr())
	if err != nil {
		return nil, err
	}
	k := &link{}
	err = env.Climb(ctx, connectors.StageSecure, d.c.Security, func(ctx context.Context) (string, error) {
		return d.secure(ctx, conn, k)
	})
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	k.ldap = ldap.NewConn(k.wire, d.tls != nil)
	err = env.Climb(ctx, connectors.StageSignIn, d.who(), func(ctx context.Context) (string, error) {
		return d.who(), d.signIn(ctx, env, k)
	})
	if err != nil {
		k.kill()
		return nil, err
	}
	return k, nil
}

// who is the account as it is typed, or as the certificate has it.
func (d *door) who() string {
	switch d.c.Auth {
	case anonymous:
		return anonymous
	case certificate:
		return "the client certificate"
	case byKerberos, byKeytab:
		return d.c.principal()
	}
	return bindName(d.c.Domain, d.c.User)
}

func (d *door) secure(ctx context.Context, conn net.Conn, k *link) (string, error) {
	if d.tls == nil {
		k.wire = newWire(conn, conn)
		k.secure = "none"
		return "not encrypted", nil
	}
	if d.c.Security == startTLS {
		if err := d.askTLS(ctx, conn); err != nil {
			return "", err
		}
	}
	secure, shown, err := tlsx.Handshake(ctx, conn, d.tls.Clone())
	if err != nil {
		return "", d.untrusted(err)
	}
	k.wire, k.secure, k.bindings = newWire(secure, conn), shown, bindings(secure.ConnectionState())
	return shown, nil
}

// untrusted names the field that puts a TLS failure right.
func (d *door) untrusted(err error) error {
	e := *connectors.Classify(err)
	e.Target = d.c.addr()
	if e.Field == "" {
		switch e.Reason {
		case "tls.unknown_ca":
			e.Field = "ca"
		case "tls.wrong_host":
			e.Field = "tls_name"
		}
	}
	return &e
}

// askTLS does the exchange before the handshake itself. The library's StartTLS
// has no deadline, and after a refusal it would sign in in the clear.
func (d *door) askTLS(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	ask := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	ask.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(1), ""))
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "")
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, startTLSName, ""))
	ask.AppendChild(op)
	if _, err := conn.Write(ask.Bytes()); err != nil {
		return d.noLDAP(err)
	}
	// Unbuffered, so that nothing sent behind the answer can count as protected.
	w := newWire(conn, conn)
	answer, err := ber.ReadPacket(w)
	if err != nil {
		return d.noLDAP(errors.Join(w.failure(), err))
	}
	if len(answer.Children) < 2 || answer.Children[0].Value != int64(1) || answer.Children[1].Tag != ldap.ApplicationExtendedResponse {
		return d.refusedTLS(errors.New("another answer came"))
	}
	if err := ldap.GetLDAPError(answer); err != nil {
		return d.refusedTLS(err)
	}
	return nil
}

func (d *door) refusedTLS(err error) error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: "ldap.no_starttls", Target: d.c.addr(), Field: "security", Said: d.c.said(err), Err: err}
}

func (d *door) noLDAP(err error) error { return notAnswered(d.c.addr(), err) }

// signIn is the only place from which a secret leaves.
func (d *door) signIn(ctx context.Context, env *connectors.Env, k *link) error {
	if d.c.Auth == simple || d.c.Auth == anonymous {
		k.ldap.Start()
		return d.simpleBind(ctx, k)
	}
	name, m, err := d.mechanism(ctx, env, k)
	if err != nil {
		return err
	}
	if err := d.sasl(ctx, k, name, m); err != nil {
		return d.unknownCert(ctx, bindError(d.c, nil, err))
	}
	k.ldap.Start()
	return nil
}

// unknownCert says why a server leaves that was shown a certificate: in TLS 1.3
// it looks at it only after the handshake is over on this side.
func (d *door) unknownCert(ctx context.Context, err error) error {
	e := connectors.Classify(err)
	if d.c.Auth != certificate || e.Reason != "connect.closed" || ctx.Err() != nil {
		return err
	}
	return &connectors.Error{Code: connectors.AuthFailed, Reason: "ldap.certificate", Target: e.Target, Field: "client_cert", Said: "the server closed the connection", Err: e.Err}
}

func (d *door) mechanism(ctx context.Context, env *connectors.Env, k *link) (string, mechanism, error) {
	switch d.c.Auth {
	case byNTLM:
		return "GSS-SPNEGO", &ntlm{name: d.who(), password: d.c.Password, bindings: k.bindings}, nil
	case certificate:
		return "EXTERNAL", external{}, nil
	}
	m, err := d.kerberos(ctx, env, k)
	return "GSSAPI", m, err
}

func (d *door) simpleBind(ctx context.Context, k *link) error {
	request := ldap.NewSimpleBindRequest("", "", nil)
	request.AllowEmptyPassword = d.c.Auth == anonymous
	if d.c.Auth == simple {
		// The control of draft-behera-ldap-password-policy tells why OpenLDAP refuses.
		request = ldap.NewSimpleBindRequest(d.who(), d.c.Password.Reveal(), []ldap.Control{ldap.NewControlBeheraPasswordPolicy()})
	}
	var result *ldap.SimpleBindResult
	err := k.do(ctx, func(k *link) (err error) {
		result, err = k.ldap.SimpleBind(request)
		return err
	})
	if result != nil {
		k.policy, _ = ldap.FindControl(result.Controls, ldap.ControlTypeBeheraPasswordPolicy).(*ldap.ControlBeheraPasswordPolicy)
	}
	return bindError(d.c, k.policy, err)
}

// do runs one exchange of the library, which knows no contexts: the connection
// ends with ctx, and so do all who wait for it.
func (k *link) do(ctx context.Context, exchange func(*link) error) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, k.kill)
	defer func() {
		// The library's decoders have panicked on hostile controls before.
		if r := recover(); r != nil {
			k.kill()
			err = fmt.Errorf("%w: %v", errNotLDAP, r)
		}
		if !stop() {
			k.kill()
			err = context.Cause(ctx)
		}
	}()
	err = exchange(k)
	if err == nil || answered(err) {
		return err
	}
	// The library tells a broken connection and a broken answer alike.
	cause := k.wire.failure()
	if cause == nil {
		cause = errNotLDAP
	}
	return errors.Join(cause, err)
}

// answered reports whether err is the server's own answer, after which the
// connection goes on. Codes from 200 are the library's.
func answered(err error) bool {
	var e *ldap.Error
	return errors.As(err, &e) && e.ResultCode < ldap.ErrorNetwork
}

// search runs one search; the entries stand until the next. What came
// before an error is kept.
func (k *link) search(r *ldap.SearchRequest) (entries, *ldap.SearchResult, error) {
	k.wire.refill()
	result, err := k.ldap.Search(r)
	return k.wire.entries(), result, err
}

// kill ends the connection at once; the library's goroutines end with it.
func (k *link) kill() { _ = k.wire.Close() }

// leave ends the connection as RFC 4511 section 4.3 has it.
func (k *link) leave() {
	stop := time.AfterFunc(farewell, k.kill)
	defer stop.Stop()
	_ = k.ldap.Unbind()
	k.kill()
}

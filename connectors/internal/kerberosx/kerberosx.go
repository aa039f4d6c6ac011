// Package kerberosx signs in to Kerberos (RFC 4120) with a password or a
// keytab, and to web services with the tickets (SPNEGO, RFC 4559).
//
// Nothing of this computer's own Kerberos is read: no krb5.conf, no ticket
// cache, no default keytab. gokrb5 makes and reads the messages; the exchanges
// stand here, because gokrb5's client dials by itself, ignores contexts,
// believes any length that a KDC announces, and renews tickets on a goroutine
// of its own, where a panic could not be caught.
package kerberosx

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"

	"jackfield/connectors"
)

// Fields name the form's fields for errors; an empty name means the default,
// which is the same word in lower case.
type Fields struct{ User, Password, Keytab, Realm, KDC, SPN string }

// Config says who signs in, and where.
type Config struct {
	Realm string // "CORP.EXAMPLE.COM", in the case that the KDC uses; may be left to User or Keytab
	// KDC is host[:port], several after commas, which are tried in turn. "" asks
	// the DNS for _kerberos._tcp and _kerberos._udp of the realm. KDCs of other
	// realms, to which the own one refers, are always looked up.
	KDC string
	// User is "alice", "alice/admin" or "alice@REALM". With a keytab of one
	// principal it may be empty.
	User     string
	Password connectors.Secret
	// Keytab is a keytab file's content, or its base64. It goes before Password.
	Keytab connectors.Secret
	// SPN is the service's principal; "" is HTTP/ and the host of the address as
	// it was typed: no DNS answer decides for whom a ticket is.
	SPN    string
	Fields Fields

	// Dial connects to the KDC, over TCP alone, which every KDC must answer (RFC
	// 4120 section 7.2.2): connectors.Env.Dial. nil connects directly.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// LookupSRV is net.Resolver's; nil is this computer's resolver.
	LookupSRV func(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// A Client is somebody who signed in. Its methods may be called concurrently.
// It keeps tickets in memory, gets new ones as they run out, and has no
// goroutine.
type Client struct {
	cfg    Config
	name   types.PrincipalName
	realm  string
	secret secret

	turn    chan struct{} // holds one item while somebody uses what follows
	tgt     ticket
	tickets map[string]ticket
	closed  bool
}

var errClosed = errors.New("kerberos: the client is closed")

// Open signs in (the AS exchange of RFC 4120 section 3.1) and ends with ctx.
// Errors are *connectors.Error naming the field.
func Open(ctx context.Context, cfg Config) (c *Client, err error) {
	defer func() {
		if err != nil {
			c = nil
		}
	}()
	defer guard(&err, cfg.Fields.kdc())
	if c, err = newClient(cfg); err != nil {
		return nil, err
	}
	return c, c.signIn(ctx)
}

// Principal is who signed in: "alice@CORP.EXAMPLE.COM".
func (c *Client) Principal() string { return c.name.PrincipalNameString() + "@" + c.realm }

// Expires is when the present sign-in runs out; a new one follows by itself
// when it is needed.
func (c *Client) Expires() time.Time {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	return c.tgt.ends
}

// Close waits for a running exchange, whose ctx bounds it, and forgets the
// tickets and the password; what needs them fails from then on.
func (c *Client) Close() error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	c.closed, c.tgt, c.tickets, c.secret = true, ticket{}, nil, secret{}
	return nil
}

// ticketFor returns a usable ticket for a service, from memory where there is one.
func (c *Client) ticketFor(ctx context.Context, spn string) (ticket, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return ticket{}, c.ended(ctx, ctx.Err())
	}
	if c.closed {
		return ticket{}, &connectors.Error{Code: connectors.Cancelled, Op: connectors.StageSignIn, Err: errClosed}
	}
	if held, ok := c.tickets[spn]; ok && held.lasts(c.now()) {
		return held, nil
	}
	if !c.tgt.lasts(c.now()) {
		if err := c.signIn(ctx); err != nil {
			return ticket{}, err
		}
	}
	got, err := c.serviceTicket(ctx, spn)
	if err != nil {
		return ticket{}, err
	}
	if c.tickets == nil {
		c.tickets = map[string]ticket{}
	}
	c.tickets[spn] = got
	return got, nil
}

// forget drops a ticket that its service refused.
func (c *Client) forget(ctx context.Context, spn string) {
	select {
	case c.turn <- struct{}{}:
		delete(c.tickets, spn)
		<-c.turn
	case <-ctx.Done():
	}
}

func (c *Client) now() time.Time {
	if c.cfg.Now == nil {
		return time.Now()
	}
	return c.cfg.Now()
}

func (c *Client) ended(ctx context.Context, err error) *connectors.Error {
	code := connectors.Cancelled
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		code = connectors.TimedOut
	}
	return &connectors.Error{Code: code, Op: connectors.StageSignIn, Target: c.realm, Field: c.cfg.Fields.kdc(), Err: err}
}

// guard turns a panic of a message parser into an error. What was panicked with
// may quote the message, and is dropped.
func guard(err *error, field string) {
	if recover() != nil {
		*err = &connectors.Error{Code: connectors.Refused, Reason: "kerberos.reply", Op: connectors.StageSignIn, Field: field, Err: errReply}
	}
}

func or(name, other string) string {
	if name == "" {
		return other
	}
	return name
}

func (f Fields) user() string     { return or(f.User, "user") }
func (f Fields) password() string { return or(f.Password, "password") }
func (f Fields) keytab() string   { return or(f.Keytab, "keytab") }
func (f Fields) realm() string    { return or(f.Realm, "realm") }
func (f Fields) kdc() string      { return or(f.KDC, "kdc") }
func (f Fields) spn() string      { return or(f.SPN, "spn") }

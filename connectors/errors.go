package connectors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
)

// A Code is the class of a failure. Programs branch on it; Explain has words for each.
type Code string

// The codes. They appear in JSON and never change.
const (
	BadInput    Code = "bad_input"     // an answer cannot be right; no network was needed to know
	AuthFailed  Code = "auth_failed"   // the server refused these credentials
	SignInAgain Code = "sign_in_again" // what was issued no longer works; a person must sign in
	Expired     Code = "expired"       // a password, certificate or account ran out
	Denied      Code = "denied"        // signed in, but not allowed to do this
	NotFound    Code = "not_found"     // the base DN, database, folder … does not exist
	Unreachable Code = "unreachable"   // no such name, no route, nothing listens
	TimedOut    Code = "timed_out"     // no answer in time
	Untrusted   Code = "untrusted"     // nothing vouches for the server's identity
	HostChanged Code = "host_changed"  // the identity is not the one that was trusted
	Throttled   Code = "throttled"     // too many requests, or locked out for a while
	Refused     Code = "refused"       // the server does not want to talk, or speaks another protocol
	Unsupported Code = "unsupported"   // the server or this program cannot do it
	Cancelled   Code = "cancelled"     // the person stopped it
	Storage     Code = "storage"       // this computer's keychain or disk
)

// Codes lists every code.
func Codes() []Code {
	return []Code{BadInput, AuthFailed, SignInAgain, Expired, Denied, NotFound, Unreachable, TimedOut,
		Untrusted, HostChanged, Throttled, Refused, Unsupported, Cancelled, Storage}
}

// An Error is a failure that a person can do something about. It never
// contains a secret: Said is capped and cleaned, Err is for the log's reader.
type Error struct {
	Code    Code
	Reason  string // a finer key into the words, such as "ldap.locked"; falls back to Code
	Op      Stage  // the rung that failed
	Target  string // what was reached for: host:port, a DN, a table
	Field   string // the form field to put right; may be empty
	Said    string // the server's own words or number
	Title   string // words that came with a catalogue file; they go before the reason's
	Hint    string
	Partial bool // the rest works: see Session.Check
	Err     error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(string(e.Code), "_", " "))
	if e.Target != "" {
		b.WriteString(" at " + Clean(e.Target, 200))
	}
	if e.Said != "" {
		b.WriteString(": " + Clean(e.Said, 300))
	} else if e.Err != nil {
		b.WriteString(": " + Clean(e.Err.Error(), 300))
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// CodeOf is the code of err once classified, "" for nil.
func CodeOf(err error) Code {
	if c := Classify(err); c != nil {
		return c.Code
	}
	return ""
}

// Classify recognizes the causes that the standard library reports: contexts,
// names, sockets, TLS and X.509. An *Error anywhere in the chain is returned as
// it is. Causes that only one protocol knows (SSH, OAuth, LDAP results, SQL
// states) are mapped by that protocol's package before they come here, so that
// this vocabulary depends on none of them.
// What it does not recognize is Refused, with the cause kept in Err.
func Classify(err error) *Error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	for _, look := range []func(error) *Error{classifyContext, classifyTrust, classifyName, classifySocket} {
		if found := look(err); found != nil {
			found.Err = err
			return found
		}
	}
	return &Error{Code: Refused, Err: err}
}

func classifyContext(err error) *Error {
	if errors.Is(err, context.Canceled) {
		return &Error{Code: Cancelled}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return &Error{Code: TimedOut}
	}
	var slow net.Error
	if errors.As(err, &slow) && slow.Timeout() {
		return &Error{Code: TimedOut}
	}
	if errors.Is(err, ErrNobody) {
		return &Error{Code: SignInAgain, Reason: "nobody"}
	}
	return nil
}

func classifyName(err error) *Error {
	var dns *net.DNSError
	if !errors.As(err, &dns) {
		return nil
	}
	reason := "dns"
	if dns.IsNotFound {
		reason = "dns.not_found"
	}
	return &Error{Code: Unreachable, Reason: reason, Op: StageResolve, Target: dns.Name, Field: "host"}
}

func classifyTrust(err error) *Error {
	var host x509.HostnameError
	if errors.As(err, &host) {
		return &Error{Code: Untrusted, Reason: "tls.wrong_host", Op: StageSecure, Target: host.Host, Said: namesOn(host.Certificate)}
	}
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		if invalid.Reason == x509.Expired {
			return &Error{Code: Untrusted, Reason: "tls.expired", Op: StageSecure, Said: validity(invalid.Cert)}
		}
		return &Error{Code: Untrusted, Reason: "tls.invalid", Op: StageSecure}
	}
	var authority x509.UnknownAuthorityError
	if errors.As(err, &authority) {
		return &Error{Code: Untrusted, Reason: "tls.unknown_ca", Op: StageSecure, Said: issuer(authority.Cert)}
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return &Error{Code: Refused, Reason: "tls.not_tls", Op: StageSecure, Field: "port"}
	}
	var alert tls.AlertError
	if errors.As(err, &alert) {
		return alertError(alert)
	}
	// Over TCP crypto/tls wraps an alert of an unexported type: a uint8 with the
	// number in it.
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" && op.Err != nil {
		if v := reflect.ValueOf(op.Err); v.Kind() == reflect.Uint8 {
			return alertError(tls.AlertError(v.Uint()))
		}
	}
	return nil
}

// alertError maps the TLS alerts (RFC 8446 section 6) that a person can act on.
func alertError(alert tls.AlertError) *Error {
	out := &Error{Code: Refused, Reason: "tls.alert", Op: StageSecure, Said: alert.Error()}
	switch alert {
	case 42, 43, 44, 45, 46, 48, 116: // bad, unsupported, revoked, expired, unknown certificate, unknown CA, certificate required
		out.Code, out.Reason, out.Field = AuthFailed, "tls.client_cert", "client_cert"
	case 70, 40: // protocol version, handshake failure
		out.Code, out.Reason = Unsupported, "tls.version"
	}
	return out
}

func classifySocket(err error) *Error {
	var addr *net.AddrError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.Errno(10061)): // WSAECONNREFUSED
		return &Error{Code: Unreachable, Reason: "connect.refused", Op: StageConnect, Field: "port"}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.Errno(10065)), errors.Is(err, syscall.Errno(10051)):
		return &Error{Code: Unreachable, Reason: "connect.no_route", Op: StageConnect, Field: "host"}
	case errors.As(err, &addr):
		return &Error{Code: BadInput, Op: StageForm, Field: "host"}
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.Errno(10054)):
		return &Error{Code: Refused, Reason: "connect.closed", Field: "port"}
	case errors.Is(err, syscall.ENOSPC):
		return &Error{Code: Storage, Reason: "disk.full"}
	}
	return nil
}

func namesOn(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return strings.Join(names, ", ")
}

func issuer(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return c.Issuer.String()
}

func validity(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return c.NotBefore.Format("2006-01-02") + " – " + c.NotAfter.Format("2006-01-02")
}

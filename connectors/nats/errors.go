package nats

import (
	"context"
	"errors"
	"strings"
	"time"

	client "github.com/nats-io/nats.go"

	"jackfield/connectors"
)

// fitting points what other packages say at the questions that this form asks.
func fitting(c config, err error) error {
	if err == nil {
		return nil
	}
	e := *connectors.Classify(err)
	switch e.Field {
	case "host", "port":
		e.Field = "servers"
	case "client_cert", "client_key":
		if c.Auth != byCertificate {
			e.Field = "auth"
		}
		if !c.encrypted() {
			e.Field = "transport"
		}
	}
	return &e
}

// trust points at the field in which a private authority is told.
func trust(c config, addr string, err error) error {
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = addr
	}
	switch {
	case e.Field == "" && e.Code == connectors.Untrusted:
		e.Field = "ca"
	case e.Reason == "tls.not_tls":
		e.Reason, e.Field = "nats.not_tls", "transport"
	}
	return fitting(c, &e)
}

// A meaning is what a server's -ERR says to a person.
type meaning struct {
	text   string // how it begins, in lower case
	code   connectors.Code
	reason string
	field  string
}

// meanings are the protocol's errors, which have no numbers:
// https://docs.nats.io/reference/reference-protocols/nats-protocol#okerr
func meanings(c config) []meaning {
	secret := c.credential()
	return []meaning{
		{"authorization violation", connectors.AuthFailed, "nats.auth", secret},
		{"user authentication expired", connectors.Expired, "nats.expired", secret},
		{"account authentication expired", connectors.Expired, "nats.account_expired", ""},
		{"user authentication revoked", connectors.AuthFailed, "nats.revoked", secret},
		{"authentication expired", connectors.Expired, "nats.expired", secret}, // as the library says it
		{"authentication revoked", connectors.AuthFailed, "nats.revoked", secret},
		{"authentication timeout", connectors.TimedOut, "nats.auth_timeout", ""},
		{"authentication error", connectors.AuthFailed, "nats.auth", secret},
		{"maximum connections exceeded", connectors.Throttled, "nats.max_connections", ""},
		{"maximum account active connections exceeded", connectors.Throttled, "nats.max_account_connections", ""},
		{"maximum subscriptions exceeded", connectors.Throttled, "nats.max_subscriptions", ""},
		{"stale connection", connectors.Unreachable, "nats.stale", ""},
		{"secure connection - tls required", connectors.Refused, "nats.wants_tls", "transport"},
		{"attempted to connect to", connectors.Refused, "nats.wrong_port", "servers"},
		{"server shutdown", connectors.Unreachable, "nats.shutdown", ""},
		{"permissions violation", connectors.Denied, "nats.denied", ""},
	}
}

// said is the text of a server's -ERR, or of the library's error for one.
func said(err error) string {
	text := strings.TrimPrefix(err.Error(), "nats: ")
	return strings.Trim(text, "'")
}

// known is what err says about the server, nil where this package does not know it.
func known(c config, err error) *connectors.Error {
	var found *connectors.Error
	if errors.As(err, &found) {
		return connectors.Classify(fitting(c, found))
	}
	refused := func(reason, field string) *connectors.Error {
		return &connectors.Error{Code: connectors.Refused, Reason: reason, Field: field, Err: err}
	}
	switch {
	case errors.Is(err, errTLS):
		return refused("nats.tls_first", "transport")
	case errors.Is(err, errWeb):
		return refused("nats.web", "transport")
	case errors.Is(err, errNotNATS), errors.Is(err, errTooLarge), errors.Is(err, client.ErrNoInfoReceived):
		return refused("nats.not_nats", "servers")
	case errors.Is(err, client.ErrNkeysNotSupported):
		return &connectors.Error{Code: connectors.Unsupported, Reason: "nats.no_nkeys", Field: "auth", Err: err}
	}
	lower := strings.ToLower(said(err))
	for _, m := range meanings(c) {
		if strings.HasPrefix(lower, m.text) {
			return &connectors.Error{Code: m.code, Reason: m.reason, Field: m.field, Said: said(err), Err: err}
		}
	}
	return nil
}

// explained classifies what went wrong at target. The end of ctx wins over what
// it caused.
func explained(ctx context.Context, c config, stage connectors.Stage, target string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	e := known(c, err)
	if e == nil {
		e = &connectors.Error{}
		*e = *connectors.Classify(fitting(c, err))
	} else {
		copied := *e
		e = &copied
	}
	if e.Op == "" {
		e.Op = stage
	}
	if e.Target == "" {
		e.Target = target
	}
	return e
}

// refused says why nobody was signed in.
func (s *session) refused(ctx context.Context, err error) error {
	c := s.c
	e := connectors.Classify(explained(ctx, c, connectors.StageSignIn, s.addr, err))
	switch {
	case e.Reason == "connect.closed" && s.hello.TLSVerify:
		// The server's word on the certificate is lost where the connection is reset.
		return fitting(c, &connectors.Error{Code: connectors.AuthFailed, Reason: "tls.client_cert", Op: connectors.StageSignIn, Target: s.addr, Field: "client_cert", Err: err})
	case e.Reason == "connect.closed" && !c.encrypted():
		e.Field = "transport"
	case c.web() && e.Code == connectors.Refused && e.Reason == "":
		e.Reason, e.Field = "nats.websocket", "transport"
	case e.Code != connectors.AuthFailed || strings.HasPrefix(e.Reason, "tls."):
	case c.Auth == byNothing:
		e.Reason, e.Field = "nats.anonymous", "auth"
	case c.Auth == byCreds:
		// A server says of what has run out only that it does not fit.
		if at := expires(c); !at.IsZero() && at.Before(s.env.Time()) {
			e.Code, e.Reason, e.Said = connectors.Expired, "nats.expired", at.UTC().Format(time.RFC3339)
		}
	}
	return e
}

package amqp1

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
)

// strange are the causes that the guard found.
var strange = []struct {
	err           error
	reason, field string
}{
	{amqpx.ErrWeb, "amqp1.web_port", "port"}, {amqpx.ErrTLS, "amqp1.tls_port", "security"}, {amqpx.ErrVersion, "amqp1.version", "port"},
	{amqpx.ErrNotAMQP, "amqp1.not_amqp", "port"}, {amqpx.ErrFrame, "amqp1.not_amqp", "port"},
}

// refused says why a connection was not opened.
func (t *target) refused(ctx context.Context, g *amqpx.Guard, err error) error {
	addr := t.Addr()
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	cause := g.Why()
	for _, one := range strange {
		if errors.Is(cause, one.err) {
			return &connectors.Error{Code: connectors.Refused, Reason: one.reason, Op: connectors.StageSignIn, Target: addr, Field: one.field, Err: cause}
		}
	}
	if e := t.notSignedIn(g, addr, cause, err); e != nil {
		return e
	}
	if cause != nil {
		err = cause
	}
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = addr
	}
	e.Op = connectors.StageSignIn
	if e.Reason == "" && e.Code == connectors.Refused {
		e.Reason, e.Field = "amqp1.not_amqp", "port"
	}
	return &e
}

// notSignedIn is what the broker said about the sign-in: the outcome's number
// (security section 5.3.3.6: 1 is wrong, more are the broker's own problems), an
// error when opening, or nothing at all; nil when it was not about that.
func (t *target) notSignedIn(g *amqpx.Guard, addr string, cause, err error) error {
	e := &connectors.Error{Code: connectors.AuthFailed, Reason: "amqp1.auth", Op: connectors.StageSignIn, Target: addr, Field: t.authField, Err: err}
	offered, outcome := g.SignIn()
	var said *amqp.Error
	switch {
	case outcome > 1:
		e.Code, e.Reason, e.Field = connectors.Unreachable, "amqp1.unavailable", ""
	case outcome == 1:
	case errors.As(err, &said):
		e.Said = strings.TrimSpace(string(said.Condition) + " " + said.Description)
		if said.Condition == amqp.ErrCondNotFound {
			e.Code, e.Reason, e.Field = connectors.NotFound, "amqp1.vhost", "hostname"
		} else if said.Condition != amqp.ErrCondUnauthorizedAccess {
			e.Code, e.Reason, e.Field = connectors.Refused, "amqp1.closed", ""
		}
	case !offered || outcome == 0:
		return nil
	case cause == nil:
		e.Code, e.Reason, e.Field = connectors.Unsupported, "amqp1.mechanism", "auth"
	case !errors.Is(cause, io.EOF): // some hang up on a wrong password
		return nil
	}
	return e
}

// failed maps what went wrong with an address of an open connection (transport
// section 2.8.15, AMQP error conditions).
func (s *session) failed(ctx context.Context, address string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	var known *connectors.Error
	if errors.As(err, &known) {
		return known
	}
	e := &connectors.Error{Code: connectors.Refused, Reason: "amqp1.closed", Op: connectors.StageData, Target: address, Err: err}
	var said *amqp.Error
	if !errors.As(err, &said) {
		var gone *amqp.ConnError
		if errors.Is(s.conn.Guard.Why(), amqpx.ErrMessage) {
			e.Code, e.Reason = connectors.Unsupported, "amqp1.large"
			return e
		}
		if errors.As(err, &gone) || s.conn.AMQP.Err() != nil {
			return &connectors.Error{Code: connectors.Unreachable, Reason: "amqp1.lost", Op: connectors.StageData, Target: s.conn.Target.Addr(), Err: err}
		}
		e.Said = err.Error()
		return e
	}
	e.Said = strings.TrimSpace(string(said.Condition) + " " + said.Description)
	switch said.Condition {
	case amqp.ErrCondNotFound:
		e.Code, e.Reason = connectors.NotFound, "amqp1.not_found"
	case amqp.ErrCondUnauthorizedAccess, amqp.ErrCondNotAllowed:
		e.Code, e.Reason, e.Op = connectors.Denied, "amqp1.denied", connectors.StageRights
	case amqp.ErrCondResourceLocked:
		e.Code, e.Reason = connectors.Denied, "amqp1.locked"
	case amqp.ErrCondMessageSizeExceeded:
		e.Code, e.Reason = connectors.Unsupported, "amqp1.large"
	case amqp.ErrCondConnectionForced:
		e.Code, e.Reason = connectors.Unreachable, "amqp1.lost"
	}
	return e
}

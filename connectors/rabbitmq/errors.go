package rabbitmq

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"jackfield/connectors"
)

// strange are the causes that the guard found, the reason for each, and the field
// to put right.
func strange(err error) (reason, field string) {
	switch {
	case errors.Is(err, errWeb):
		return "rabbitmq.web_port", "port"
	case errors.Is(err, errTLS):
		return "rabbitmq.tls_port", "security"
	case errors.Is(err, errVersion):
		return "rabbitmq.version", "port"
	case errors.Is(err, errNotAMQP), errors.Is(err, errTooLarge):
		return "rabbitmq.not_amqp", "port"
	}
	return "", ""
}

// refused says why the connection to addr was not opened.
func refused(ctx context.Context, c config, remote net.Addr, g *guard, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	addr := net.JoinHostPort(c.Host, c.port())
	cause := g.why()
	if reason, field := strange(cause); reason != "" {
		return &connectors.Error{Code: connectors.Refused, Reason: reason, Op: connectors.StageSignIn, Target: addr, Field: field, Err: cause}
	}
	var said *amqp.Error
	if errors.As(err, &said) && said.Server {
		return closedBy(c, said)
	}
	switch {
	case errors.Is(err, amqp.ErrSASL):
		return &connectors.Error{Code: connectors.Unsupported, Reason: "rabbitmq.mechanism", Op: connectors.StageSignIn, Target: addr, Field: "auth", Err: err}
	case errors.Is(err, amqp.ErrCredentials) && (cause == nil || connectors.Classify(cause).Reason == "connect.closed"):
		// The broker hangs up on a wrong password, after a pause: it gives reasons
		// only to clients with the capability authentication_failure_close.
		return notSignedIn(c, addr, remote, err)
	case cause == nil:
		return &connectors.Error{Code: connectors.Refused, Reason: "rabbitmq.not_amqp", Op: connectors.StageSignIn, Target: addr, Field: "port", Err: err}
	}
	e := *connectors.Classify(cause)
	if e.Target == "" {
		e.Target = addr
	}
	e.Op = connectors.StageSignIn
	if e.Reason == "" && e.Code == connectors.Refused {
		e.Reason, e.Field = "connect.closed", "port"
	}
	return &e
}

func notSignedIn(c config, addr string, remote net.Addr, err error) error {
	e := &connectors.Error{Code: connectors.AuthFailed, Reason: "rabbitmq.auth", Op: connectors.StageSignIn, Target: addr, Field: "password", Err: err}
	switch {
	case c.Auth == byCertificate && !c.Presents():
		e.Reason, e.Field = "rabbitmq.no_certificate", "client_cert"
	case c.Auth == byCertificate:
		e.Reason, e.Field = "rabbitmq.certificate", "client_cert"
	case c.User == "guest" && !loopback(remote):
		e.Reason, e.Field = "rabbitmq.loopback", "user"
	}
	return e
}

func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// closedBy maps the reply codes with which a broker closes a connection that it
// does not want (specification section 1.1). The texts are RabbitMQ's own, from
// rabbit_reader.erl; they are looked at where one code has several meanings.
func closedBy(c config, said *amqp.Error) error {
	e := &connectors.Error{Code: connectors.Refused, Reason: "rabbitmq.closed", Op: connectors.StageSignIn, Target: c.Vhost, Said: said.Reason, Err: said}
	switch said.Code {
	case amqp.AccessRefused:
		e.Code, e.Reason, e.Field, e.Target = connectors.AuthFailed, "rabbitmq.auth", "password", net.JoinHostPort(c.Host, c.port())
		if c.Auth == byCertificate {
			e.Reason, e.Field = "rabbitmq.certificate", "client_cert"
		}
	case amqp.NotAllowed:
		e.Op = connectors.StageRights
		switch {
		case strings.Contains(said.Reason, "limit"):
			e.Code, e.Reason = connectors.Throttled, "rabbitmq.limit"
		case strings.Contains(said.Reason, "not found"):
			e.Code, e.Reason, e.Field = connectors.NotFound, "rabbitmq.vhost_missing", "vhost"
		default:
			e.Code, e.Reason, e.Field = connectors.Denied, "rabbitmq.vhost_denied", "vhost"
		}
	case amqp.InternalError:
		e.Code, e.Reason = connectors.Unreachable, "rabbitmq.vhost_down"
	case amqp.ConnectionForced:
		e.Code, e.Reason = connectors.Unreachable, "rabbitmq.forced"
	}
	return e
}

// failed maps what went wrong on a channel of an open connection.
func (s *session) failed(err error, target, reason string) error {
	if err == nil {
		return nil
	}
	var known *connectors.Error
	if errors.As(err, &known) {
		return known
	}
	var said *amqp.Error
	if !errors.As(err, &said) || !said.Server || s.link.IsClosed() {
		return s.why(said)
	}
	e := &connectors.Error{Code: connectors.Refused, Reason: "rabbitmq.closed", Op: connectors.StageData, Target: target, Said: said.Reason, Err: said}
	switch said.Code {
	case amqp.AccessRefused:
		e.Code, e.Reason, e.Op = connectors.Denied, "rabbitmq.denied", connectors.StageRights
		if reason != "" {
			e.Reason = reason
		}
	case amqp.NotFound:
		e.Code, e.Reason = connectors.NotFound, "rabbitmq.not_found"
	case amqp.ResourceLocked:
		e.Code, e.Reason = connectors.Denied, "rabbitmq.exclusive"
	case amqp.NotImplemented:
		e.Code, e.Reason = connectors.Unsupported, "rabbitmq.unsupported"
	case amqp.PreconditionFailed:
		e.Reason = "rabbitmq.precondition"
	}
	return e
}

// why is what ended the connection; said is what a call on it heard, if any.
func (s *session) why(said *amqp.Error) error {
	if said == nil || !said.Server {
		if s.link.IsClosed() { // then the reason is on its way
			select {
			case <-s.lost:
			case <-time.After(grace):
			}
		}
		s.mu.Lock()
		said = s.cause
		s.mu.Unlock()
	}
	e := &connectors.Error{Code: connectors.Unreachable, Reason: "rabbitmq.lost", Op: connectors.StageData, Target: net.JoinHostPort(s.c.Host, s.c.port())}
	if said != nil && said.Server {
		e.Said, e.Err = said.Reason, said
		if said.Code == amqp.ConnectionForced {
			e.Reason = "rabbitmq.forced"
		}
		return e
	}
	switch cause := s.guard.why(); {
	case errors.Is(cause, os.ErrDeadlineExceeded):
		e.Code, e.Reason, e.Err = connectors.TimedOut, "rabbitmq.heartbeat", cause
	case cause != nil && !errors.Is(cause, io.EOF) && !errors.Is(cause, net.ErrClosed):
		e.Err = cause
	}
	return e
}

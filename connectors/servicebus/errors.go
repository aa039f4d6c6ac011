package servicebus

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/Azure/go-amqp"

	"jackfield/connectors"
	"jackfield/connectors/internal/amqpx"
)

// A saying is what the service says in its answers of status 401 and some others.
// Its numbers do not tell these apart; the words at the beginning of its text do.
type saying struct {
	words  string // in lower case
	code   connectors.Code
	reason string
	stage  connectors.Stage
}

// The sayings, the more telling ones first. They are the same over AMQP and HTTP
// (https://learn.microsoft.com/azure/service-bus-messaging/service-bus-troubleshooting-guide,
// https://learn.microsoft.com/azure/service-bus-messaging/service-bus-ip-filtering).
var sayings = []saying{
	{"ip has been prevented", connectors.Denied, "servicebus.firewall", connectors.StageConnect},
	{"public network access", connectors.Denied, "servicebus.firewall", connectors.StageConnect},
	{"localauthdisabled", connectors.Denied, "servicebus.local_auth", connectors.StageSignIn},
	{"local authentication", connectors.Denied, "servicebus.local_auth", connectors.StageSignIn},
	{"expiredtoken", connectors.Expired, "servicebus.clock", connectors.StageSignIn},
	{"token is expired", connectors.Expired, "servicebus.clock", connectors.StageSignIn},
	{"invalidsignature", connectors.AuthFailed, "servicebus.signature", connectors.StageSignIn},
	{"invalid authorization token signature", connectors.AuthFailed, "servicebus.signature", connectors.StageSignIn},
	{"invalidaudience", connectors.AuthFailed, "servicebus.audience", connectors.StageSignIn},
	{"token audience", connectors.AuthFailed, "servicebus.audience", connectors.StageSignIn},
	{"'listen' claim", connectors.Denied, "servicebus.needs_listen", connectors.StageRights},
	{"manage,entityread claims", connectors.Denied, "servicebus.needs_manage", connectors.StageRights},
	{"'manage' claim", connectors.Denied, "servicebus.needs_manage", connectors.StageRights},
	{"claim(s) are required", connectors.Denied, "servicebus.claims", connectors.StageRights},
	{"claims required", connectors.Denied, "servicebus.claims", connectors.StageRights},
	{"claim is empty", connectors.Denied, "servicebus.claims", connectors.StageRights},
	{"could not be found", connectors.NotFound, "servicebus.not_found", connectors.StageData},
	{"'basic' tier", connectors.Unsupported, "servicebus.tier", connectors.StageData},
	{"currently disabled", connectors.Denied, "servicebus.disabled", connectors.StageData},
}

// refusal puts into words what a node or the management interface answered; the
// status is as in HTTP, 0 when there is only a condition.
func (s *session) refusal(status int, condition, said, target string, stage connectors.Stage) *connectors.Error {
	e := &connectors.Error{Code: connectors.Refused, Reason: "servicebus.refused", Op: stage, Target: target, Said: tidySaid(condition, said)}
	if target == "" {
		e.Target = s.c.host()
	}
	switch condition {
	case "com.microsoft:entity-disabled":
		e.Code, e.Reason = connectors.Denied, "servicebus.disabled"
		return e
	case "com.microsoft:server-busy":
		status = 429
	case "com.microsoft:timeout":
		status = 408
	case string(amqp.ErrCondNotFound), "com.microsoft:message-not-found":
		status = 404
	case string(amqp.ErrCondUnauthorizedAccess), "com.microsoft:auth-failed":
		status = 401
	}
	low := strings.ToLower(said)
	for _, one := range sayings {
		if strings.Contains(low, one.words) && (status == 0 || status >= 400 && status < 500) {
			e.Code, e.Reason, e.Op = one.code, one.reason, one.stage
			s.point(e)
			return e
		}
	}
	switch {
	case status == 401:
		e.Code, e.Reason, e.Op = connectors.AuthFailed, "servicebus.auth", connectors.StageSignIn
	case status == 403:
		e.Code, e.Reason, e.Op = connectors.Denied, "servicebus.claims", connectors.StageRights
	case status == 404, status == 410:
		e.Code, e.Reason = connectors.NotFound, "servicebus.not_found"
	case status == 429:
		e.Code, e.Reason = connectors.Throttled, "servicebus.busy"
	case status == 408:
		e.Code, e.Reason = connectors.TimedOut, "servicebus.busy"
	case status >= 500:
		e.Code, e.Reason = connectors.Unreachable, "servicebus.down"
	}
	s.point(e)
	return e
}

// point names the field to put right.
func (s *session) point(e *connectors.Error) {
	secret := "access_key"
	if s.c.Auth == bySAS {
		secret = "sas"
	}
	switch e.Reason {
	case "servicebus.clock":
		// A token of our own lasts for twenty minutes from now; only a clock that is
		// behind makes it old.
		if s.c.Auth == bySAS {
			e.Reason, e.Field = "servicebus.sas_expired", secret
		}
	case "servicebus.signature", "servicebus.auth", "servicebus.local_auth":
		e.Field = secret
	case "servicebus.audience", "servicebus.not_found":
		if s.c.Auth == bySAS && e.Reason == "servicebus.audience" {
			e.Field = secret
		} else if s.entity != "" {
			e.Field = "entity"
		}
	case "servicebus.needs_listen", "servicebus.claims", "servicebus.needs_manage":
		e.Field = secret
		if s.entity == "" && e.Reason == "servicebus.needs_manage" {
			e.Field = "entity"
		}
	}
}

// tidySaid is the service's own words without what only its makers can read.
func tidySaid(condition, said string) string {
	said, _, _ = strings.Cut(said, "TrackingId:")
	said, _, _ = strings.Cut(strings.Join(strings.Fields(said), " "), "For more information see:")
	if said = strings.TrimRight(said, " ."); said == "" {
		return condition
	}
	return said
}

// failed maps what went wrong on an open connection.
func (s *session) failed(ctx context.Context, target string, err error) error {
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
	if errors.Is(s.conn.Guard.Why(), amqpx.ErrMessage) {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "servicebus.large", Op: connectors.StageData, Target: target, Err: err}
	}
	var said *amqp.Error
	if errors.As(err, &said) {
		return s.refusal(0, string(said.Condition), said.Description, target, connectors.StageData)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &connectors.Error{Code: connectors.TimedOut, Op: connectors.StageData, Target: target, Err: err}
	}
	return &connectors.Error{Code: connectors.Unreachable, Reason: "servicebus.lost", Op: connectors.StageData, Target: s.conn.Target.Addr(), Err: err}
}

// notOpened says why there is no connection that speaks AMQP.
func (s *session) notOpened(ctx context.Context, g *amqpx.Guard, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	addr := net.JoinHostPort(s.c.host(), s.c.port())
	e := &connectors.Error{Code: connectors.Refused, Reason: "servicebus.not_amqp", Op: connectors.StageSignIn, Target: addr, Field: "port", Err: err}
	cause := g.Why()
	var said *amqp.Error
	switch {
	case errors.Is(cause, amqpx.ErrTLS), s.c.Transport == toEmulator && (cause == nil || errors.Is(cause, io.EOF)): // some only hang up
		e.Reason, e.Field = "servicebus.tls_port", "transport"
		return e
	case errors.As(err, &said):
		return s.refusal(0, string(said.Condition), said.Description, "", connectors.StageSignIn)
	case cause == nil, errors.Is(cause, amqpx.ErrWeb), errors.Is(cause, amqpx.ErrNotAMQP), errors.Is(cause, amqpx.ErrVersion), errors.Is(cause, amqpx.ErrFrame), errors.Is(cause, io.EOF):
		return e
	}
	found := *s.reached(cause)
	found.Op = connectors.StageSignIn
	return &found
}

// reached says with this form's fields why a server was not reached.
func (s *session) reached(err error) *connectors.Error {
	e := *connectors.Classify(err)
	if e.Reason == "dns.not_found" && s.c.Transport != toEmulator {
		e.Reason = "servicebus.no_namespace"
	}
	if e.Field == "host" {
		e.Field = "namespace"
	}
	if e.Target == "" {
		e.Target = s.c.host()
	}
	return &e
}

package redis

import (
	"context"
	"errors"
	"strings"

	"jackfield/connectors"
)

// lost maps what ended a connection.
func (s *session) lost(ctx context.Context, w *wire, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	out := &connectors.Error{Code: connectors.Refused, Op: connectors.StageSignIn, Target: s.c.addr(), Field: "port", Err: err}
	switch {
	case errors.Is(err, errTLS):
		out.Reason, out.Field = "redis.tls_port", "security"
	case errors.Is(err, errTooLarge):
		out.Code, out.Reason, out.Op, out.Field = connectors.Unsupported, "redis.too_large", connectors.StageData, ""
	case errors.Is(err, errNotRedis):
		out.Reason = "redis.not_redis"
	case !w.heard && !s.c.secure() && connectors.Classify(err).Reason == "connect.closed":
		out.Reason, out.Field = "redis.hung_up", "security"
	default:
		e := *connectors.Classify(err)
		if e.Target == "" {
			e.Target = s.c.addr()
		}
		if e.Reason == "connect.closed" && w.heard {
			e.Reason, e.Code, e.Field = "redis.lost", connectors.Unreachable, ""
		}
		return &e
	}
	return out
}

type verdict struct {
	code   connectors.Code
	reason string
	op     connectors.Stage
	field  string
}

// verdicts are the first words of error replies: Redis' src/server.c (shared
// objects), src/acl.c, src/cluster.c.
func verdicts() map[string]verdict {
	return map[string]verdict{
		"NOAUTH":      {connectors.AuthFailed, "redis.noauth", connectors.StageSignIn, "auth"},
		"WRONGPASS":   {connectors.AuthFailed, "redis.auth", connectors.StageSignIn, "password"},
		"NOPERM":      {connectors.Denied, "redis.noperm", connectors.StageRights, ""},
		"DENIED":      {connectors.Refused, "redis.protected", connectors.StageSignIn, "host"},
		"LOADING":     {connectors.Unreachable, "redis.loading", "", ""},
		"BUSY":        {connectors.Unreachable, "redis.busy", "", ""},
		"MASTERDOWN":  {connectors.Unreachable, "redis.masterdown", "", ""},
		"READONLY":    {connectors.Refused, "redis.readonly", "", ""},
		"MOVED":       {connectors.NotFound, "redis.moved", "", "host"},
		"ASK":         {connectors.NotFound, "redis.moved", "", "host"},
		"TRYAGAIN":    {connectors.Unreachable, "redis.cluster_down", "", ""},
		"CLUSTERDOWN": {connectors.Unreachable, "redis.cluster_down", "", ""},
		"WRONGTYPE":   {connectors.NotFound, "redis.changed", "", ""},
	}
}

// errVerdicts are the beginnings of the texts whose first word is only ERR, lower
// case; the older ones are from before Redis 6.
func errVerdicts() []struct {
	begins string
	verdict
} {
	type entry = struct {
		begins string
		verdict
	}
	return []entry{
		{"max number of clients", verdict{connectors.Throttled, "redis.max_clients", connectors.StageSignIn, ""}},
		{"db index is out of range", verdict{connectors.NotFound, "redis.no_database", "", "database"}},
		{"invalid db index", verdict{connectors.NotFound, "redis.no_database", "", "database"}},
		{"select is not allowed in cluster mode", verdict{connectors.Unsupported, "redis.cluster_database", "", "database"}},
		{"auth <password> called without any password", verdict{connectors.AuthFailed, "redis.no_password", connectors.StageSignIn, "auth"}},
		{"client sent auth, but no password is set", verdict{connectors.AuthFailed, "redis.no_password", connectors.StageSignIn, "auth"}},
		{"wrong number of arguments for 'auth'", verdict{connectors.Unsupported, "redis.no_users", connectors.StageSignIn, "user"}},
		{"invalid password", verdict{connectors.AuthFailed, "redis.auth", connectors.StageSignIn, "password"}},
		{"operation not permitted", verdict{connectors.AuthFailed, "redis.noauth", connectors.StageSignIn, "auth"}},
		{"unknown command", verdict{connectors.Unsupported, "redis.command", "", ""}},
	}
}

// refused maps an error reply. A field that these answers hide is left out.
func (s *session) refused(err error, target string, op connectors.Stage) error {
	var said refusal
	if !errors.As(err, &said) {
		return connectors.Classify(err)
	}
	if target == "" {
		target = s.c.addr()
	}
	text := string(said)
	v, ok := verdicts()[said.prefix()]
	if rest, plain := strings.CutPrefix(text, "ERR "); plain {
		for _, e := range errVerdicts() {
			if strings.HasPrefix(strings.ToLower(rest), e.begins) {
				v, ok = e.verdict, true
				break
			}
		}
	}
	if !ok {
		v = verdict{connectors.Refused, "redis.other", "", ""}
	}
	out := &connectors.Error{Code: v.code, Reason: v.reason, Op: op, Target: target, Field: v.field, Said: text, Err: errors.New(v.reason)}
	if v.op != "" {
		out.Op = v.op
	}
	if out.Reason == "redis.noauth" && s.c.Auth == byPassword {
		out.Field = "password"
	}
	return out
}

// denied reports whether an answer is a missing right.
func denied(err error) bool {
	var said refusal
	return errors.As(err, &said) && said.prefix() == "NOPERM"
}

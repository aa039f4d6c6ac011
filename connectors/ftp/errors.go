package ftp

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"jackfield/connectors"
)

func (s *session) fail(code connectors.Code, reason string, op connectors.Stage, field, target string, r reply) *connectors.Error {
	return &connectors.Error{Code: code, Reason: reason, Op: op, Field: field, Target: target, Said: r.said()}
}

// notFTP explains what is no reply: another protocol on that port, or the end.
func (s *session) notFTP(err error) error {
	var odd *oddLine
	switch {
	case errors.As(err, &odd):
		reason := "ftp.not_ftp"
		if strings.HasPrefix(odd.line, "SSH-") {
			reason = "ftp.is_ssh"
		}
		return &connectors.Error{Code: connectors.Refused, Reason: reason, Op: connectors.StageSecure, Field: "port", Target: s.c.Host, Said: connectors.Clean(odd.line, 100), Err: errReply}
	case errors.Is(err, errLong), errors.Is(err, errReply):
		return &connectors.Error{Code: connectors.Refused, Reason: "ftp.not_ftp", Op: connectors.StageSecure, Field: "port", Target: s.c.Host, Err: err}
	}
	return err
}

// unanswered explains a server that says nothing before TLS is spoken: that is
// what the port for TLS from the start does.
func (s *session) unanswered(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && s.c.Port == 990 && s.c.TLS != tlsImplicit && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return &connectors.Error{Code: connectors.TimedOut, Reason: "ftp.implicit_port", Op: connectors.StageSecure, Field: "tls", Target: s.c.Host, Err: err}
	}
	return err
}

// wantsTLS reports that a server lets nobody in without TLS: by its code (RFC 2228
// section 5.1), or where it uses another one, by the words that it has for that.
func (s *session) wantsTLS(r reply) bool {
	if s.c.TLS != tlsNone {
		return false
	}
	return r.code == 534 || r.code == 522 || r.code >= 500 && containsAny(r.text, "tls", "ssl", "encrypt")
}

func containsAny(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// notSignedIn explains the refusal of a name or a password.
func (s *session) notSignedIn(r reply) error {
	op, host := connectors.StageSignIn, s.c.Host
	switch {
	case s.wantsTLS(r):
		return s.fail(connectors.Denied, "ftp.tls_required", op, "tls", host, r)
	case r.code == 332, r.code == 532:
		return s.fail(connectors.Unsupported, "ftp.account", op, "user", host, r)
	case r.code == 421:
		return s.fail(connectors.Throttled, "ftp.busy", op, "", host, r)
	case r.code == 530 && containsAny(r.text, "too many", "maximum number"):
		return s.fail(connectors.Throttled, "ftp.busy", op, "", host, r)
	case s.c.Auth == anonymous && (r.code == 530 || r.code == 331 || r.code == 550):
		return s.fail(connectors.AuthFailed, "ftp.no_anonymous", op, "auth", host, r)
	case r.code == 530, r.code == 430, r.code == 331:
		return s.fail(connectors.AuthFailed, "ftp.sign_in", op, "password", host, r)
	}
	return s.fail(connectors.Refused, "ftp.failure", op, "", host, r) // vsftpd's "500 OOPS"
}

// refused maps the codes that mean the same everywhere.
func (s *session) refused(op connectors.Stage, target string, r reply) *connectors.Error {
	switch {
	case r.code == 421:
		return s.fail(connectors.Throttled, "ftp.busy", op, "", s.c.Host, r)
	case s.wantsTLS(r):
		return s.fail(connectors.Denied, "ftp.tls_required", op, "tls", s.c.Host, r)
	case r.code == 530:
		return s.fail(connectors.Denied, "ftp.denied", op, "", target, r)
	case r.unknown():
		return s.fail(connectors.Unsupported, "ftp.unknown", op, "", target, r)
	}
	return s.fail(connectors.Refused, "ftp.failure", op, "", target, r)
}

// refusedAt maps what is said about a path. One code, 550, stands for a missing
// name and for a forbidden one (RFC 959 section 4.2.2: "not found, no access");
// only the words tell these apart.
func (s *session) refusedAt(target string, r reply) *connectors.Error {
	op := connectors.StageData
	said := strings.ToLower(r.text)
	switch r.code {
	case 425, 426, 522:
		return s.refusedData(r)
	case 450, 550, 553, 501:
		switch {
		case s.wantsTLS(r):
		case containsAny(said, "denied", "permi", "not allowed", "forbidden", "privilege", "failed to open"):
			return s.fail(connectors.Denied, "ftp.denied", op, "", target, r)
		case r.code == 450 && !strings.Contains(said, "no such"):
			return s.fail(connectors.Refused, "ftp.busy_file", op, "", target, r)
		case r.code != 501:
			return s.fail(connectors.NotFound, "ftp.not_found", op, "", target, r)
		}
	}
	return s.refused(op, target, r)
}

// refusedData maps the refusals of a data connection.
func (s *session) refusedData(r reply) *connectors.Error {
	op, host := connectors.StageData, s.c.Host
	switch {
	case s.wantsTLS(r):
		return s.fail(connectors.Denied, "ftp.tls_required", op, "tls", host, r)
	case s.c.TLS != tlsNone && (r.code == 522 || r.code == 425 && containsAny(r.text, "reuse", "not permitted")):
		// ProFTPD's mod_tls answers the last, with EPERM in words.
		return s.fail(connectors.Refused, "ftp.tls_reuse", op, "", host, r)
	case r.code == 425:
		return s.fail(connectors.Unreachable, "ftp.data", op, "", host, r)
	case r.code == 426:
		return s.fail(connectors.Refused, "ftp.cut", op, "", host, r)
	}
	return s.refused(op, host, r)
}

// noData explains a data connection that did not come about.
func (s *session) noData(ctx context.Context, addr string, err error) error {
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return cause(ctx, err)
	}
	found := connectors.Classify(err)
	out := &connectors.Error{Code: connectors.Unreachable, Reason: "ftp.data", Op: connectors.StageData, Target: addr, Said: found.Said, Err: err}
	if found.Code == connectors.TimedOut {
		out.Code = connectors.TimedOut
	}
	return out
}

// explain names the target and the rung of what has none.
func (s *session) explain(name string, err error) error {
	if err == nil || errors.Is(err, io.EOF) && connectors.CodeOf(err) == "" {
		return err
	}
	if errors.Is(err, errName) {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "ftp.name", Op: connectors.StageData, Target: name, Err: err}
	}
	out := *connectors.Classify(err)
	if out.Target == "" {
		out.Target = name
	}
	if out.Op == "" {
		out.Op = connectors.StageData
	}
	return &out
}

func field(err error, key string) error {
	e := *connectors.Classify(err)
	e.Field, e.Op = key, connectors.StageRights
	return &e
}

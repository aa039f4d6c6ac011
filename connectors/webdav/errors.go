package webdav

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/challenge"
	"jackfield/connectors/internal/httpx"
)

// refused explains an answer that is neither a multistatus nor content.
func (s *session) refused(res *http.Response, name string) error {
	media := (&httpx.Response{Header: res.Header}).Media()
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return s.unauthorized(res)
	case res.StatusCode >= 200 && res.StatusCode < 300:
		reason := "webdav.not_dav"
		if media == "text/html" {
			reason = "webdav.page"
		}
		return &connectors.Error{Code: connectors.Unsupported, Reason: reason, Op: connectors.StageSignIn, Field: "url", Target: s.base.Host, Said: res.Status}
	}
	return s.status(name, res.StatusCode, res.Header.Get("Retry-After"))
}

// status maps a code of HTTP (RFC 9110 section 15, RFC 4918 section 11).
func (s *session) status(name string, code int, wait string) error {
	target := s.shown(name)
	fail := func(c connectors.Code, reason, field string) error {
		return &connectors.Error{Code: c, Reason: reason, Field: field, Target: target, Said: strings.TrimSpace(http.StatusText(code) + " " + wait)}
	}
	switch code {
	case http.StatusUnauthorized:
		return fail(connectors.AuthFailed, "webdav.sign_in", "")
	case http.StatusForbidden:
		return fail(connectors.Denied, "webdav.denied", "")
	case http.StatusNotFound, http.StatusGone, http.StatusConflict:
		return fail(connectors.NotFound, "webdav.not_found", "")
	case http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusBadRequest, http.StatusUnsupportedMediaType:
		return fail(connectors.Unsupported, "webdav.not_dav", "url")
	case http.StatusTooManyRequests:
		return fail(connectors.Throttled, "", "")
	case http.StatusLocked:
		return fail(connectors.Refused, "webdav.locked", "")
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return fail(connectors.Unreachable, "webdav.down", "")
	}
	return fail(connectors.Refused, "webdav.failure", "")
}

// unauthorized explains a 401: by the sign-in that was chosen, and what the
// server would take.
func (s *session) unauthorized(res *http.Response) error {
	var offers []string
	chosen := map[string]string{byBasic: "Basic", byDigest: "Digest", byToken: "Bearer", byNTLM: "NTLM"}[s.c.Auth]
	taken := false
	for _, scheme := range []string{"Basic", "Digest", "Bearer", "NTLM", "Negotiate"} {
		if _, ok := challenge.Offered(res.Header, scheme); ok {
			offers = append(offers, scheme)
			taken = taken || scheme == chosen || chosen == "NTLM" && scheme == "Negotiate"
		}
	}
	e := &connectors.Error{Code: connectors.AuthFailed, Reason: "webdav.sign_in", Op: connectors.StageSignIn, Field: "password", Target: s.base.Host, Said: strings.Join(offers, ", ")}
	switch {
	case s.c.Auth == byNone:
		e.Reason, e.Field = "webdav.needs_sign_in", "auth"
	case len(offers) > 0 && !taken:
		e.Reason, e.Field = "webdav.other_sign_in", "auth"
	case s.c.Auth == byToken:
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "webdav.token", "token"
	}
	return e
}

// explain maps what reading an answer brings up.
func (s *session) explain(ctx context.Context, name string, err error) error {
	var known *connectors.Error
	switch {
	case errors.As(err, &known):
		return atRung(known, connectors.StageData, "")
	case ctx.Err() != nil:
		return connectors.Classify(context.Cause(ctx))
	case errors.Is(err, errXML), errors.Is(err, errLarge):
		return &connectors.Error{Code: connectors.Refused, Reason: "webdav.xml", Op: connectors.StageData, Target: s.shown(name), Err: err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &connectors.Error{Code: connectors.Refused, Reason: "webdav.cut", Op: connectors.StageData, Target: s.shown(name), Err: err}
	}
	return s.failed(ctx, err)
}

// atRung names the rung of an error that has none; key, where it is given, is the
// field to put right.
func atRung(err error, stage connectors.Stage, key string) error {
	e := connectors.Classify(err)
	if e == nil {
		return nil
	}
	out := *e
	if out.Op == "" || key != "" {
		out.Op = stage
	}
	if key != "" {
		out.Field = key
	}
	return &out
}

package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

// MaxBody is how much of an answer is read when nothing else is said, after
// decompression.
const MaxBody = 8 << 20

// A Response is an answer whose body was read, up to a limit.
type Response struct {
	Status    int
	Header    http.Header
	Body      []byte
	Truncated bool // there was more than the limit
	URL       *url.URL
}

// Do sends req and reads at most limit bytes of the answer (MaxBody when 0),
// counted after decompression. Errors are classified; an HTTP status is no
// error here: see Response.Err.
func Do(client *http.Client, req *http.Request, limit int) (*Response, error) {
	if limit <= 0 {
		limit = MaxBody
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, classify(req, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, int64(limit)+1))
	if err != nil {
		return nil, classify(req, err)
	}
	out := &Response{Status: res.StatusCode, Header: res.Header, Body: body, URL: res.Request.URL}
	if len(body) > limit {
		out.Body, out.Truncated = body[:limit], true
	}
	return out, nil
}

func classify(req *http.Request, err error) error {
	ctx := req.Context()
	var known *connectors.Error
	if ctx.Err() != nil && !errors.As(err, &known) {
		known = &connectors.Error{Code: connectors.Cancelled, Err: err}
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			known.Code = connectors.TimedOut
		}
	} else if errors.Is(err, http.ErrSchemeMismatch) {
		known = &connectors.Error{Code: connectors.Refused, Reason: "tls.not_tls", Op: connectors.StageSecure, Field: "port", Err: without(err)}
	} else {
		known = connectors.Classify(err)
	}
	out := *known
	if out.Target == "" {
		out.Target = req.URL.Host
	}
	// net/http names the method and the whole URL in its errors; a query may hold a key.
	if out.Code == connectors.Refused && out.Reason == "" {
		out.Reason, out.Err = "http.protocol", without(err)
	}
	return &out
}

func without(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Media is the answer's media type without parameters, lower case.
func (r *Response) Media() string {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return t
}

// Err is what a status means that is not a success; nil for 2xx. said is the
// service's own words, taken from its body by who knows its shape.
func (r *Response) Err(said string) *connectors.Error {
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	e := &connectors.Error{Target: r.URL.Host, Said: strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, said))}
	switch {
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusProxyAuthRequired:
		e.Code = connectors.AuthFailed
	case r.Status == http.StatusForbidden:
		e.Code = connectors.Denied
	case r.Status == http.StatusNotFound, r.Status == http.StatusGone:
		e.Code, e.Reason = connectors.NotFound, "http.not_found"
		e.Target = r.URL.Path
	case r.Status == http.StatusTooManyRequests:
		e.Code, e.Said = connectors.Throttled, r.wait()
	case r.Status >= 300 && r.Status < 400:
		e.Code, e.Reason, e.Said = connectors.Refused, "http.redirect", r.leadsTo()
	case r.Status == http.StatusServiceUnavailable, r.Status == http.StatusBadGateway, r.Status == http.StatusGatewayTimeout:
		e.Code, e.Reason = connectors.Unreachable, "http.down"
	case r.Status >= 500:
		e.Code, e.Reason = connectors.Refused, "http.server"
	default:
		e.Code, e.Reason = connectors.Refused, "http.request"
	}
	return e
}

// wait reads Retry-After: seconds or a date (RFC 9110 section 10.2.3).
func (r *Response) wait() string {
	v := r.Header.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return "try again in " + (time.Duration(n) * time.Second).String()
	}
	if at, err := http.ParseTime(v); err == nil {
		return "try again after " + at.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	return ""
}

// leadsTo names where a redirect goes, without its query.
func (r *Response) leadsTo() string {
	u, err := r.URL.Parse(r.Header.Get("Location"))
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host + u.Path
}

package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/bodyx"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// first is the value at the first of several paths ("a.b|c") where there is one.
func first(v jsonx.Value, paths string) jsonx.Value {
	for path := range strings.SplitSeq(paths, "|") {
		if at := jsonx.At(v, path); at != nil {
			return at
		}
	}
	return nil
}

func (c cond) holds(v jsonx.Value) bool {
	at := first(v, c.Path)
	shown := jsonx.Show(at)
	switch {
	case c.None:
		return shown == ""
	case len(c.Not) > 0 && slices.Contains(c.Not, shown):
		return false
	case len(c.Is) > 0:
		return at != nil && slices.Contains(c.Is, shown)
	case len(c.Begins) > 0:
		return slices.ContainsFunc(c.Begins, func(start string) bool { return strings.HasPrefix(shown, start) })
	case len(c.Ends) > 0:
		return slices.ContainsFunc(c.Ends, func(end string) bool { return strings.HasSuffix(strings.ToLower(shown), end) })
	case len(c.Not) > 0:
		return true
	}
	return at != nil
}

func all(conds []cond, v jsonx.Value) bool {
	return !slices.ContainsFunc(conds, func(c cond) bool { return !c.holds(v) })
}

func (r rule) matches(res *httpx.Response, v jsonx.Value) bool {
	if r.At != "" && (res.URL == nil || !strings.HasPrefix(res.URL.Path, r.At)) {
		return false
	}
	if len(r.Status) > 0 && !slices.Contains(r.Status, res.Status) || r.HTML && res.Media() != "text/html" {
		return false
	}
	switch {
	case r.Header != "":
		return r.fits(res.Header.Get(r.Header), res.Header.Get(r.Header) != "")
	case r.Path != "":
		at := first(v, r.Path)
		return r.fits(jsonx.Show(at), at != nil)
	case len(r.Has) > 0:
		return r.fits(string(res.Body[:min(len(res.Body), 64<<10)]), true)
	}
	return true
}

func (r rule) fits(value string, there bool) bool {
	switch {
	case len(r.Is) > 0:
		return there && slices.Contains(r.Is, value)
	case len(r.Has) > 0:
		low := strings.ToLower(value)
		return slices.ContainsFunc(r.Has, func(part string) bool { return strings.Contains(low, strings.ToLower(part)) })
	}
	return there
}

func (r rule) failure(res *httpx.Response, said string) *connectors.Error {
	return &connectors.Error{Code: r.Code, Reason: r.Reason, Title: r.Title, Hint: r.Hint, Field: r.Field, Op: r.Stage, Target: res.URL.Host, Said: said}
}

// judge tells a failure from an answer: the service's own rules first, then
// what the status means, then whether it is data at all.
func (s *spec) judge(res *httpx.Response) (jsonx.Value, error) {
	v, format, parseErr := bodyx.Parse(res.Header.Get("Content-Type"), res.Body)
	said := ""
	if s.Said != "" {
		said = jsonx.Text(v, s.Said)
	}
	for _, r := range s.Errors {
		if !r.matches(res, v) {
			continue
		}
		e := r.failure(res, said)
		switch e.Code {
		case connectors.AuthFailed, connectors.Expired, connectors.SignInAgain:
			if e.Field == "" {
				e.Field = s.Blame
			}
			if e.Op == "" {
				e.Op = connectors.StageSignIn
			}
		}
		return nil, e
	}
	if e := s.status(res, said, format); e != nil {
		return nil, e
	}
	if res.Truncated && parseErr != nil && !s.Lenient {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "web.large", Op: connectors.StageData, Target: res.URL.Path}
	}
	if s.Success != "" && !strings.HasPrefix(res.Media(), s.Success) {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "web.media", Field: s.Address, Target: res.URL.Host, Said: res.Media()}
	}
	if parseErr == nil || s.Lenient {
		return v, nil
	}
	if len(res.Body) == 0 {
		return nil, nil
	}
	// A web page where data is expected is a sign-in page or another site.
	return nil, &connectors.Error{Code: connectors.Refused, Reason: "web.not_json", Field: s.Address, Target: res.URL.Host, Said: res.Media(), Err: parseErr}
}

func (s *spec) status(res *httpx.Response, said string, format bodyx.Format) error {
	e := res.Err(said)
	if len(s.Good) > 0 {
		if slices.Contains(s.Good, res.Status) {
			return nil
		}
		if e == nil {
			return &connectors.Error{Code: connectors.Refused, Reason: "web.status", Target: res.URL.Host, Said: strconv.Itoa(res.Status)}
		}
	}
	if e == nil {
		return nil
	}
	switch e.Code {
	case connectors.AuthFailed:
		e.Op, e.Field = connectors.StageSignIn, s.Blame
		if res.Status == http.StatusProxyAuthRequired {
			e.Op, e.Field, e.Reason = connectors.StageConnect, "", "http.proxy"
		}
	case connectors.NotFound, connectors.Refused:
		if format == bodyx.HTML || e.Reason == "http.redirect" {
			e.Field = s.Address
		}
	}
	return e
}

func (c check) verdict(s *spec, res *httpx.Response, v jsonx.Value) error {
	for _, r := range c.FailWhen {
		if r.matches(res, v) {
			e := r.failure(res, jsonx.Text(v, orElse(s.Said, messages)))
			if e.Field == "" && (e.Code == connectors.AuthFailed || e.Code == connectors.Expired) {
				e.Field = s.Blame
			}
			return e
		}
	}
	for _, p := range c.PassWhen {
		if !p.holds(v) {
			return &connectors.Error{Code: connectors.Refused, Reason: "web.not_this", Field: s.Address, Target: res.URL.Host, Said: p.Path + " is missing in the answer"}
		}
	}
	return nil
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

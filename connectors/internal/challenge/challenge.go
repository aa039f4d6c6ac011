// Package challenge has what sign-ins that answer a 401 share: which requests
// they may answer for, what the server offers, and how a request is sent again.
package challenge

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

const (
	maxBody   = 8 << 20   // of a request that cannot say how to read it again
	maxAnswer = 256 << 10 // of a 401, to keep its connection
)

// Origin is the origin of an address, or "" where it has none, which no request
// is within.
func Origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return strings.ToLower(httpx.Origin(u))
}

// Within reports whether u is of an origin that Origin returned.
func Within(origin string, u *url.URL) bool {
	return origin != "" && strings.ToLower(httpx.Origin(u)) == origin
}

// Offered finds a scheme in WWW-Authenticate (RFC 9110 section 11.6.1), and the
// token after it, which is empty in a first offer.
func Offered(h http.Header, scheme string) (token string, ok bool) {
	for _, line := range h.Values("Www-Authenticate") {
		for _, part := range Split(line) {
			name, rest, _ := strings.Cut(part, " ")
			if strings.EqualFold(name, scheme) {
				return strings.TrimSpace(rest), true
			}
		}
	}
	return "", false
}

// Split cuts at the commas that stand outside of quotes and leaves out what is
// empty (RFC 9110 section 5.6.1).
func Split(line string) []string {
	var out []string
	quoted, escaped, start := false, false, 0
	add := func(s string) {
		if s = strings.Trim(s, " \t"); s != "" {
			out = append(out, s)
		}
	}
	for i := range len(line) {
		switch {
		case escaped:
			escaped = false
		case quoted && line[i] == '\\':
			escaped = true
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ',' && !quoted:
			add(line[start:i])
			start = i + 1
		}
	}
	add(line[start:])
	return out
}

// Replay takes req over and returns a func that makes a copy of it, without
// its Authorization and with its body from the start. A body that cannot be
// read again is kept in memory; one above 8 MiB is refused.
func Replay(req *http.Request) (func() (*http.Request, error), error) {
	open := req.GetBody
	if req.Body != nil && req.Body != http.NoBody {
		defer func() { _ = req.Body.Close() }()
		if open == nil {
			data, err := io.ReadAll(io.LimitReader(req.Body, maxBody+1))
			if err != nil {
				return nil, err
			}
			if len(data) > maxBody {
				return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "challenge.body", Op: connectors.StageData, Target: req.URL.Host}
			}
			open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
		}
	}
	return func() (*http.Request, error) {
		out := req.Clone(req.Context())
		out.Header.Del("Authorization")
		if req.Body == nil || req.Body == http.NoBody {
			return out, nil
		}
		var err error
		out.Body, err = open()
		return out, err
	}, nil
}

// Discard reads an answer that nobody wants, so that its connection can serve
// the next request.
func Discard(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer)
	_ = res.Body.Close()
}

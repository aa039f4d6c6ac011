package oauthx

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// maxAnswer bounds a token answer.
const maxAnswer = 1 << 20

// maxSkew is how far apart the clocks may be before an assertion is refused for it.
const maxSkew = 2 * time.Minute

// request asks for a token.
func (c Config) request(ctx context.Context, client *http.Client, endpoint string, form url.Values, now time.Time) (Token, error) {
	answer, err := c.exchange(ctx, client, endpoint, form, now)
	if err != nil {
		return Token{}, err
	}
	t := c.read(answer, now)
	if t.Access == "" || !c.takes(t.Type) {
		return Token{}, &connectors.Error{Code: connectors.Unsupported, Reason: "oauth.not_bearer", Op: connectors.StageSignIn, Target: host(endpoint), Said: t.Type}
	}
	return t, nil
}

// exchange posts form to endpoint, once, following no redirect. What was sent
// may have been spent even when no answer came, so nothing is sent again.
func (c Config) exchange(ctx context.Context, client *http.Client, endpoint string, form url.Values, now time.Time) (*jsonx.Object, error) {
	form = maps.Clone(form)
	if c.Resource != "" && !form.Has("resource") {
		form.Set("resource", c.Resource)
	}
	req, err := c.post(ctx, endpoint, form, now)
	if err != nil {
		return nil, err
	}
	res, err := httpx.Do(httpx.WithoutRedirects(client), req, maxAnswer)
	if err != nil {
		return nil, err
	}
	answer, bad := parse(res)
	said := ""
	if bad == nil {
		said = c.hides(jsonx.Text(answer, "error_description|error_message|message"))
		if code := errorCode(answer); code != "" {
			return nil, later(res, c.skewed(c.refused(code, said, form.Get("grant_type")), code, res, now))
		}
	}
	if e := res.Err(said); e != nil {
		e.Op = connectors.StageSignIn
		return nil, later(res, e)
	}
	if bad != nil {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "oauth.not_json", Op: connectors.StageSignIn, Target: req.URL.Host, Err: bad}
	}
	return answer, nil
}

// post makes the request, with the client's proof.
func (c Config) post(ctx context.Context, endpoint string, form url.Values, now time.Time) (*http.Request, error) {
	if err := c.identify(ctx, form, now); err != nil {
		return nil, err
	}
	body, media := form.Encode(), "application/x-www-form-urlencoded"
	if c.JSONBody {
		flat := map[string]string{}
		for k := range form {
			flat[k] = form.Get(k)
		}
		data, err := json.Marshal(flat)
		if err != nil {
			return nil, err
		}
		body, media = string(data), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
	}
	// A retry by the transport after a lost connection would spend a token twice.
	req.GetBody = nil
	req.Header.Set("Accept", "application/json")
	for k, v := range c.Headers {
		req.Header.Set(k, v)
	}
	req.Header.Set("Content-Type", media)
	c.prove(req)
	return req, nil
}

// skewed says that the clocks differ where a signed assertion was refused and
// the answer's Date shows it: assertions live for minutes.
func (c Config) skewed(e *connectors.Error, code string, res *httpx.Response, now time.Time) *connectors.Error {
	if c.ClientAuth != ClientJWT && c.Grant != GrantAssertion || code != "invalid_grant" && code != "invalid_client" {
		return e
	}
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return e
	}
	way, off := "ahead", now.Sub(at)
	if off < 0 {
		way, off = "behind", -off
	}
	if off <= maxSkew {
		return e
	}
	e.Code, e.Reason, e.Field = connectors.AuthFailed, "oauth.clock", ""
	e.Said = "this computer's clock is " + strconv.FormatInt(int64(off/time.Minute), 10) + " minutes " + way
	return e
}

// A later error is one after which the server wants to be left alone for a while.
type laterError struct {
	cause error
	wait  time.Duration
}

func (l *laterError) Error() string { return "the server asks to wait " + l.wait.String() }
func (l *laterError) Unwrap() error { return l.cause }

// later notes Retry-After in seconds (RFC 9110 section 10.2.3) on e.
func later(res *httpx.Response, e *connectors.Error) error {
	n, err := strconv.Atoi(res.Header.Get("Retry-After"))
	if err == nil && n > 0 {
		e.Err = &laterError{cause: e.Err, wait: min(time.Duration(min(n, 1<<20))*time.Second, maxPause)}
	}
	return e
}

func asksToWait(err error) time.Duration {
	var l *laterError
	if errors.As(err, &l) {
		return l.wait
	}
	return 0
}

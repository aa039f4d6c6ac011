package oauthx

import (
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// parse reads an answer of the token endpoint (RFC 6749 sections 5.1 and 5.2):
// a JSON object, or a form where a provider answers with one.
func parse(res *httpx.Response) (*jsonx.Object, error) {
	v, err := jsonx.Parse(res.Body)
	if o, ok := v.(*jsonx.Object); ok && err == nil {
		return o, nil
	}
	if res.Media() != "application/x-www-form-urlencoded" {
		if err == nil {
			err = errors.New("the answer is no JSON object")
		}
		return nil, err
	}
	form, err := url.ParseQuery(string(res.Body))
	if err != nil {
		return nil, errors.New("the answer is no form")
	}
	o := &jsonx.Object{Members: map[string]jsonx.Value{}}
	for k := range form {
		o.Keys = append(o.Keys, k)
		o.Members[k] = form.Get(k)
	}
	return o, nil
}

// errorCode is the error of an answer, whatever its status. Providers also put
// an object there, whose message then stands for a code.
func errorCode(o *jsonx.Object) string {
	switch x := jsonx.At(o, "error").(type) {
	case string:
		return x
	case *jsonx.Object:
		if len(x.Keys) == 0 {
			return ""
		}
		if said := jsonx.Text(x, "message|type|code"); said != "" {
			return said
		}
		return "error"
	}
	return ""
}

// read takes the token out of an answer.
func (c Config) read(o *jsonx.Object, now time.Time) Token {
	now = now.Round(0) // what runs out is compared with the wall clock: the other one stands still in sleep
	path := c.TokenPath
	if path == "" {
		path = "access_token"
	}
	var at jsonx.Value = o
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		at = jsonx.At(o, path[:i])
	}
	t := Token{
		Access: jsonx.Text(o, path), Refresh: jsonx.Text(at, "refresh_token"), Type: jsonx.Text(at, "token_type"),
		Scope: scopeOf(jsonx.At(at, "scope")), IDToken: jsonx.Text(at, "id_token"), Issued: now,
	}
	if life := c.life(jsonx.Show(jsonx.At(at, "expires_in"))); life > 0 {
		t.Expiry = now.Add(life)
	}
	for name, where := range c.Capture {
		t.capture(name, jsonx.Text(o, where))
	}
	return t
}

// takes reports whether a token of this type can be used as a bearer's.
func (c Config) takes(kind string) bool {
	same := func(other string) bool { return strings.EqualFold(kind, other) }
	return kind == "" || same("bearer") || slices.ContainsFunc(c.ExtraTokenTypes, same)
}

func scopeOf(v jsonx.Value) string {
	switch x := v.(type) {
	case string:
		return x
	case []jsonx.Value:
		var all []string
		for _, one := range x {
			all = append(all, jsonx.Show(one))
		}
		return strings.Join(all, " ")
	}
	return ""
}

// life reads what providers make of expires_in: 3600, 3600.0, "3600", "", null.
// x/oauth2 drops the whole answer, and with it a rotated refresh token, on some
// of these. 0 means unknown.
func (c Config) life(expiresIn string) time.Duration {
	n, ok := number(expiresIn)
	if !ok || n <= 0 {
		return c.Lifetime
	}
	if c.LifetimeMillis {
		n /= 1000
	}
	const tenYears = 10 * 365 * 24 * 3600
	return time.Duration(min(n, tenYears) * float64(time.Second))
}

func number(text string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(f) {
		return 0, false
	}
	return f, true
}

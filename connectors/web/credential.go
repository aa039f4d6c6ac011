// Package web is one engine for services that speak HTTP: the generic types
// "http" and "oauth", and every service of the catalogue.
package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/oauthx"
)

// A credential signs requests. It is asked only for requests to the origins
// that the form or the service's file names.
type credential interface {
	// sign adds what proves the account; used is for stale.
	sign(ctx context.Context, req *http.Request) (used string, err error)
	// stale is told of a 401; true means that signing anew is worth one try.
	stale(ctx context.Context, used string) (bool, error)
	// blamed may say more precisely why the answer refused what was signed; err
	// is what the service's own rules made of it, nil when nothing was refused.
	blamed(err error, res *httpx.Response, now time.Time) error
}

// nothing is for services that need no sign-in.
type nothing struct{}

func (nothing) sign(context.Context, *http.Request) (string, error)    { return "", nil }
func (nothing) stale(context.Context, string) (bool, error)            { return false, nil }
func (nothing) blamed(err error, _ *httpx.Response, _ time.Time) error { return err }

// basic is RFC 7617.
type basic struct {
	nothing
	user     string
	password connectors.Secret
}

func (b basic) sign(_ context.Context, req *http.Request) (string, error) {
	req.SetBasicAuth(b.user, b.password.Reveal())
	return "", nil
}

// key is one or more secrets in a header, in the query or in a cookie.
type key struct {
	nothing
	parts []part
}

// part is one of them; prefix stands in front of it ("Bearer ").
type part struct {
	in, name, prefix string
	secret           connectors.Secret
}

func (k key) sign(_ context.Context, req *http.Request) (string, error) {
	for _, p := range k.parts {
		p.put(req)
	}
	return "", nil
}

func (p part) put(req *http.Request) {
	v := p.prefix + p.secret.Reveal()
	switch p.in {
	case "query":
		q := req.URL.Query()
		q.Set(p.name, v)
		req.URL.RawQuery = q.Encode()
	case "cookie":
		req.AddCookie(&http.Cookie{Name: p.name, Value: v})
	default:
		req.Header.Set(p.name, v)
	}
}

// headersOf reads lines "Name: value".
func headersOf(lines connectors.Secret, field string) (credential, error) {
	var out key
	for l := range strings.Lines(lines.Reveal()) {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		name, value, ok := strings.Cut(l, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || validHeaderName(name) != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: field, Said: "one header a line is needed, as Name: value"}
		}
		out.parts = append(out.parts, part{name: name, secret: connectors.NewSecret(strings.TrimSpace(value))})
	}
	return out, nil
}

// bearer is an OAuth access token (RFC 6750 section 2.1).
type bearer struct{ source *oauthx.Source }

func (b bearer) sign(ctx context.Context, req *http.Request) (string, error) {
	t, err := b.source.Token(ctx)
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+t.AccessToken)
	return t.AccessToken, nil
}

func (b bearer) stale(ctx context.Context, used string) (bool, error) {
	if err := b.source.Stale(ctx, used); err != nil {
		return false, err
	}
	return true, nil
}

// blamed: a token that the service refuses although it was just issued is a
// matter of signing in again, not of a password.
func (bearer) blamed(err error, _ *httpx.Response, _ time.Time) error {
	e := connectors.Classify(err)
	if e == nil || e.Code != connectors.AuthFailed || e.Title != "" || e.Reason != "" {
		return err
	}
	out := *e
	out.Code, out.Reason, out.Field = connectors.SignInAgain, "oauth.token_refused", ""
	return &out
}

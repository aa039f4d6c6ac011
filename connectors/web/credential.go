// Package web is one engine for services that speak HTTP: the generic types
// "http" and "oauth", and every service of the catalogue.
package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/oauthx"
)

// A credential signs requests. It is asked only for requests to the origins
// that the form names.
type credential interface {
	// sign adds what proves the account; used is for stale.
	sign(ctx context.Context, req *http.Request) (used string, err error)
	// stale is told of a 401; true means that signing anew is worth one try.
	stale(ctx context.Context, used string) (bool, error)
}

// nothing is for services that need no sign-in.
type nothing struct{}

func (nothing) sign(context.Context, *http.Request) (string, error) { return "", nil }
func (nothing) stale(context.Context, string) (bool, error)         { return false, nil }

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

// key is a secret in a header, in the query or in a cookie; prefix stands in
// front of it ("Bearer ").
type key struct {
	nothing
	in, name, prefix string
	secret           connectors.Secret
}

func (k key) sign(_ context.Context, req *http.Request) (string, error) {
	v := k.prefix + k.secret.Reveal()
	switch k.in {
	case "query":
		q := req.URL.Query()
		q.Set(k.name, v)
		req.URL.RawQuery = q.Encode()
	case "cookie":
		req.AddCookie(&http.Cookie{Name: k.name, Value: v})
	default:
		req.Header.Set(k.name, v)
	}
	return "", nil
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

// validHeaderName wants an RFC 9110 token.
func validHeaderName(v string) error {
	if strings.ContainsFunc(v, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) {
		return errors.New("This is no name of a header or parameter: letters, digits and - only.")
	}
	return nil
}

// validHeaderValue refuses what could end the header and begin another.
func validHeaderValue(v string) error {
	if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("This contains a line break or another control character. Copy it again, on one line.")
	}
	return nil
}

// tidyURL adds https:// to a bare host and takes a final slash off.
func tidyURL(v string) string {
	v = strings.TrimSpace(v)
	if v != "" && !strings.Contains(v, "://") {
		v = "https://" + v
	}
	return strings.TrimRight(v, "/")
}

// validURL wants https, or http where the user typed it: a service inside the
// company may have nothing else, and the facts then say that it is not encrypted.
func validURL(v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("A web address is expected here, such as https://api.example.com.")
	}
	if u.User != nil {
		return errors.New("The address must not contain a user or password: they have fields of their own.")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return errors.New("Only the address is expected here, without ? or #.")
	}
	return nil
}

// validSecureURL is validURL for what sign-ins are sent to: http only to this computer.
func validSecureURL(v string) error {
	if err := validURL(v); err != nil {
		return err
	}
	if oauthx.Secure(v) != nil {
		return errors.New("An address that begins with https:// is needed here.")
	}
	return nil
}

package oauthx

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// Revoke takes a kept token back at the provider's revocation endpoint (RFC
// 7009), Config.RevokeURL when endpoint is empty: the refresh token, with which
// most providers end the whole grant, or else the access token. Without a token
// nothing is sent.
func Revoke(ctx context.Context, client *http.Client, c Config, endpoint string, kept connectors.Secret) error {
	if endpoint == "" {
		endpoint = c.RevokeURL
	}
	t := readToken(kept)
	form := url.Values{"token": {t.Refresh}, "token_type_hint": {"refresh_token"}}
	if t.Refresh == "" {
		form = url.Values{"token": {t.Access}, "token_type_hint": {"access_token"}}
	}
	if form.Get("token") == "" {
		return nil
	}
	if err := revocable(endpoint); err != nil {
		return err
	}
	c.JSONBody = false // section 2.1
	req, err := c.post(ctx, endpoint, form, time.Now())
	if err != nil {
		return err
	}
	return revoke(client, req) // 200 also for a token that is unknown: section 2.2
}

// RevokeByDelete is for providers whose tokens are resources: DELETE of endpoint
// with the token at its end. One that is gone already is no error.
func RevokeByDelete(ctx context.Context, client *http.Client, endpoint string, kept connectors.Secret) error {
	t := readToken(kept)
	token := t.Refresh
	if token == "" {
		token = t.Access
	}
	if token == "" {
		return nil
	}
	if err := revocable(endpoint); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodDelete, strings.TrimSuffix(endpoint, "/")+"/"+url.PathEscape(token), nil)
	if err != nil {
		return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageSignIn}
	}
	err = revoke(client, req)
	if connectors.CodeOf(err) == connectors.NotFound {
		return nil
	}
	return err
}

// RevokeBearer is for providers that take back the access token with which
// endpoint is posted to.
func RevokeBearer(ctx context.Context, client *http.Client, endpoint string, kept connectors.Secret) error {
	t := readToken(kept)
	if t.Access == "" {
		return nil
	}
	if err := revocable(endpoint); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, nil)
	if err != nil {
		return &connectors.Error{Code: connectors.BadInput, Op: connectors.StageSignIn, Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+t.Access)
	return revoke(client, req)
}

func revocable(endpoint string) error {
	if err := Secure(endpoint); err != nil {
		return &connectors.Error{Code: connectors.Untrusted, Reason: "oauth.insecure", Op: connectors.StageSignIn, Target: endpoint, Err: err}
	}
	return nil
}

func revoke(client *http.Client, req *http.Request) error {
	res, err := httpx.Do(httpx.WithoutRedirects(client), req, maxAnswer)
	if err != nil {
		return withoutAddress(err)
	}
	if e := res.Err(""); e != nil {
		e.Op, e.Target = connectors.StageSignIn, req.URL.Host
		return e
	}
	return nil
}

// withoutAddress leaves the address out of err: a token may stand in it.
func withoutAddress(err error) error {
	e := *connectors.Classify(err)
	var u *url.Error
	if errors.As(e.Err, &u) {
		e.Err = u.Err
	}
	return &e
}

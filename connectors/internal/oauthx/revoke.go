package oauthx

import (
	"context"
	"net/http"
	"net/url"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// Revoke takes a kept token back at the provider's revocation endpoint (RFC
// 7009): the refresh token, with which most providers end the whole grant, or
// else the access token. Without a token nothing is sent.
func Revoke(ctx context.Context, client *http.Client, c Config, endpoint string, kept connectors.Secret) error {
	t := readToken(kept)
	form := url.Values{"token": {t.Refresh}, "token_type_hint": {"refresh_token"}}
	if t.Refresh == "" {
		form = url.Values{"token": {t.Access}, "token_type_hint": {"access_token"}}
	}
	if form.Get("token") == "" {
		return nil
	}
	if err := Secure(endpoint); err != nil {
		return &connectors.Error{Code: connectors.Untrusted, Reason: "oauth.insecure", Op: connectors.StageSignIn, Target: endpoint, Err: err}
	}
	c.TokenURL = endpoint
	req, err := c.tokenRequest(ctx, form)
	if err != nil {
		return err
	}
	res, err := httpx.Do(httpx.WithoutRedirects(client), req, maxAnswer)
	if err != nil {
		return err
	}
	if e := res.Err(""); e != nil { // 200 also for a token that is unknown: section 2.2
		e.Op, e.Target = connectors.StageSignIn, req.URL.Host
		return e
	}
	return nil
}

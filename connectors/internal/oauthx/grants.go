package oauthx

import (
	"context"
	"net/http"
	"net/url"

	"jackfield/connectors"
)

const assertionGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// obtain asks for a token by a grant that needs nobody. What a provider gives as
// refresh token beside it is not kept: the grant itself renews.
func (c Config) obtain(ctx context.Context, env *connectors.Env, client *http.Client) (Token, error) {
	now := env.Time()
	form := url.Values{"grant_type": {c.Grant}}
	switch c.Grant {
	case GrantAssertion:
		signed, err := assert(ctx, c.Assertion, now)
		if err != nil {
			return Token{}, err
		}
		form.Set("grant_type", assertionGrant)
		form.Set("assertion", signed)
	case GrantPassword:
		form.Set("username", c.User)
		form.Set("password", c.Password.Reveal())
	}
	if len(c.Scopes) > 0 {
		form.Set("scope", c.scope())
	}
	t, err := c.request(ctx, client, c.TokenURL, with(form, c.TokenParams), now)
	if err != nil {
		return Token{}, err
	}
	t.Refresh = ""
	t.Asked, t.Made = c.asked(), c.made()
	return t, nil
}

// refresh trades the refresh token of old, whose scopes are asked for again as
// they were (RFC 6749 section 6: others would be refused).
func (c Config) refresh(ctx context.Context, env *connectors.Env, client *http.Client, old Token) (Token, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}}
	if scope := c.refreshScope(old); scope != "" {
		form.Set("scope", scope)
	}
	endpoint := c.RefreshURL
	if endpoint == "" {
		endpoint = c.TokenURL
	}
	t, err := c.request(ctx, client, endpoint, with(form, c.RefreshParams), env.Time())
	if err != nil {
		return Token{}, err
	}
	return t.after(old), nil
}

func (c Config) refreshScope(old Token) string {
	if old.other(c) && c.Grant != GrantRefresh {
		c.Scopes = old.Asked
	}
	return c.scope()
}

// pastedToken is the refresh token of the form as a token that has run out.
func (c Config) pastedToken() Token {
	return Token{Refresh: c.PastedRefresh.Reveal(), Made: c.made(), Asked: c.asked()}
}

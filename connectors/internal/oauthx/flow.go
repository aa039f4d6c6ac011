// Package oauthx is OAuth 2.0 for native apps: the authorization code with PKCE
// over a loopback redirect (RFC 6749, 7636, 8252, 9207, 9700), the grants that
// need no browser on this computer (RFC 8628) or no person at all (RFC 6749
// section 4.4, RFC 7523), and the life of the tokens afterwards.
//
// golang.org/x/oauth2 builds the authorization URL and the verifier. The token
// request is made here, because its own follows redirects with the secret,
// probes client authentication by sending twice, and drops answers whose
// expires_in is no plain integer; its device flow panics on a negative interval
// and ends at the first lost connection.
package oauthx

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/oauth2"

	"jackfield/connectors"
)

// unattended is how long a sign-in page may stay unanswered.
const unattended = 10 * time.Minute

// pastePort is in the redirect URI where nothing listens and the person pastes
// the address back.
const pastePort = 8917

const errUnattended = text("nobody completed the sign-in page")

// signIn lets the person sign in, and returns what was granted.
func (c Config) signIn(ctx context.Context, env *connectors.Env, client *http.Client) (Token, error) {
	if !c.attended(env) {
		return Token{}, &connectors.Error{Code: connectors.SignInAgain, Reason: "nobody", Op: connectors.StageSignIn, Err: connectors.ErrNobody}
	}
	var t Token
	var err error
	if c.Grant == GrantDevice {
		t, err = c.device(ctx, env, client)
	} else {
		t, err = c.code(ctx, env, client)
	}
	t.Asked = c.asked()
	return t, err
}

// code sends the person to the provider and trades the code for tokens.
func (c Config) code(ctx context.Context, env *connectors.Env, client *http.Client) (Token, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, unattended, errUnattended)
	defer cancel()
	state := nonce()
	back, redirect, err := c.callback(ctx, env, state)
	if err != nil {
		return Token{}, err
	}
	if back != nil {
		defer func() { _ = back.Close() }()
	}
	verifier := oauth2.GenerateVerifier()
	if err := env.Ask.OpenURL(ctx, c.authCodeURL(redirect, state, verifier)); err != nil && ctx.Err() != nil {
		return Token{}, err
	}
	query, err := await(ctx, env, back, redirect, state)
	if err != nil {
		if errors.Is(context.Cause(ctx), errUnattended) {
			return Token{}, &connectors.Error{Code: connectors.TimedOut, Reason: "oauth.unattended", Op: connectors.StageSignIn, Err: err}
		}
		return Token{}, err
	}
	if err := c.judge(query); err != nil {
		return Token{}, err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {query.Get("code")}, "redirect_uri": {redirect}}
	if !c.WithoutPKCE {
		form.Set("code_verifier", verifier)
	}
	t, err := c.request(ctx, client, c.TokenURL, with(form, c.TokenParams), env.Time())
	if err != nil {
		return Token{}, err
	}
	for name, parameter := range c.CaptureCallback {
		t.capture(name, query.Get(parameter))
	}
	return t, nil
}

// callback opens the listener. Where none can be had the redirect URI is one at
// which nothing listens, and the person pastes it back.
func (c Config) callback(ctx context.Context, env *connectors.Env, state string) (connectors.Callback, string, error) {
	if env.Callback == nil {
		host, port := cmp.Or(c.RedirectHost, "127.0.0.1"), cmp.Or(c.RedirectPort, pastePort)
		return nil, "http://" + host + ":" + strconv.Itoa(port) + cmp.Or(c.RedirectPath, "/callback"), nil
	}
	back, err := env.Callback(ctx, connectors.CallbackRequest{Host: c.RedirectHost, Port: c.RedirectPort, Path: c.RedirectPath, State: state})
	if err != nil {
		return nil, "", &connectors.Error{Code: connectors.Refused, Reason: "oauth.port", Op: connectors.StageSignIn, Field: c.PortField, Err: err}
	}
	return back, back.RedirectURI(), nil
}

func (c Config) authCodeURL(redirect, state, verifier string) string {
	conf := oauth2.Config{ClientID: c.ClientID, RedirectURL: redirect, Endpoint: oauth2.Endpoint{AuthURL: c.AuthURL}}
	form := url.Values{}
	if len(c.Scopes) > 0 {
		form.Set("scope", c.scope())
	}
	if c.Resource != "" {
		form.Set("resource", c.Resource)
	}
	var more []oauth2.AuthCodeOption
	if !c.WithoutPKCE {
		more = append(more, oauth2.S256ChallengeOption(verifier))
	}
	for k, v := range with(form, c.AuthParams) {
		more = append(more, oauth2.SetAuthURLParam(k, v[0]))
	}
	return conf.AuthCodeURL(state, more...)
}

// with is form with the provider's own parameters; an empty one leaves out. What
// the flow's safety rests on stays as it is.
func with(form url.Values, params map[string]string) url.Values {
	kept := []string{"state", "redirect_uri", "code_challenge", "code_challenge_method", "code", "code_verifier", "device_code", "refresh_token", "assertion", "username", "password"}
	for k, v := range params {
		switch {
		case slices.Contains(kept, k):
		case v == "":
			form.Del(k)
		default:
			form.Set(k, v)
		}
	}
	return form
}

func nonce() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// judge looks at the callback: who answered (RFC 9207 section 2.4), then what.
func (c Config) judge(query url.Values) error {
	iss, named := query["iss"]
	if len(iss) > 1 || named && c.Issuer != "" && iss[0] != c.Issuer || !named && c.NamesIssuer {
		said := "no issuer was named"
		if named {
			said = iss[0]
		}
		return &connectors.Error{Code: connectors.Untrusted, Reason: "oauth.mixed_up", Op: connectors.StageSignIn, Target: c.Issuer, Said: said}
	}
	if code := query.Get("error"); code != "" {
		return c.refused(code, c.hides(query.Get("error_description")), "")
	}
	return nil
}

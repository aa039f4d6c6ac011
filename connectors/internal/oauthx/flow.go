// Package oauthx is OAuth 2.0 for native apps: the authorization code with PKCE
// over a loopback redirect (RFC 6749, 7636, 8252, 9207, 9700), and the life of
// the tokens afterwards.
//
// golang.org/x/oauth2 builds the authorization URL and the verifier. The token
// request is made here, because its own follows redirects with the secret,
// probes client authentication by sending twice, and drops answers whose
// expires_in is no plain integer.
package oauthx

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// How a client proves itself at the token endpoint (RFC 6749 section 2.3). It
// is always one of these: trying both would send a refresh token twice.
const (
	ClientNone  = "none"
	ClientPost  = "post"
	ClientBasic = "basic"
)

// unattended is how long a sign-in page may stay unanswered.
const unattended = 10 * time.Minute

// maxAnswer bounds a token answer.
const maxAnswer = 1 << 20

// A Config is one client at one provider.
type Config struct {
	Issuer       string // expected in the callback when the provider names it
	AuthURL      string
	TokenURL     string
	UserInfoURL  string
	ClientID     string
	ClientSecret connectors.Secret
	ClientAuth   string
	Scopes       []string
	Resource     string // RFC 8707; the same at every request
	RedirectHost string // "127.0.0.1", "localhost" or "[::1]"
	RedirectPort int    // 0 for any
	RedirectPath string
	AuthParams   map[string]string // the provider's own, such as prompt or access_type
	// NamesIssuer says that the provider promised iss in the callback (RFC 9207).
	NamesIssuer bool
	// WithoutPKCE allows a provider whose metadata does not offer S256.
	WithoutPKCE bool
	SecretField string // form fields to point at
	ClientField string
}

// Apply takes over what discovery found. It refuses a provider that does not
// offer S256, unless WithoutPKCE says that the user knows.
func (c *Config) Apply(m Metadata) error {
	c.Issuer, c.AuthURL, c.TokenURL, c.UserInfoURL, c.NamesIssuer = m.Issuer, m.AuthURL, m.TokenURL, m.UserInfoURL, m.NamesIssuer
	if !m.s256() && !c.WithoutPKCE {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "oauth.no_pkce", Op: connectors.StageSignIn, Target: m.Issuer, Field: "without_pkce"}
	}
	return nil
}

// signIn sends the person to the provider and trades the code for tokens.
func (c Config) signIn(ctx context.Context, env *connectors.Env, client *http.Client) (Token, error) {
	if env.Ask.OpenURL == nil || env.Callback == nil {
		return Token{}, &connectors.Error{Code: connectors.SignInAgain, Reason: "nobody", Op: connectors.StageSignIn, Err: connectors.ErrNobody}
	}
	for _, place := range []string{c.AuthURL, c.TokenURL} {
		if err := Secure(place); err != nil {
			return Token{}, &connectors.Error{Code: connectors.BadInput, Reason: "oauth.insecure", Op: connectors.StageForm, Target: place, Err: err}
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, unattended, errUnattended)
	defer cancel()
	state := nonce()
	back, err := env.Callback(ctx, connectors.CallbackRequest{Host: c.RedirectHost, Port: c.RedirectPort, Path: c.RedirectPath, State: state})
	if err != nil {
		return Token{}, &connectors.Error{Code: connectors.Refused, Reason: "oauth.port", Op: connectors.StageSignIn, Field: "redirect_port", Err: err}
	}
	defer func() { _ = back.Close() }()
	verifier := oauth2.GenerateVerifier()
	if err := env.Ask.OpenURL(ctx, c.authCodeURL(back.RedirectURI(), state, verifier)); err != nil && ctx.Err() != nil {
		return Token{}, err
	}
	query, err := back.Wait(ctx)
	if err != nil {
		if errors.Is(context.Cause(ctx), errUnattended) {
			return Token{}, &connectors.Error{Code: connectors.TimedOut, Reason: "oauth.unattended", Op: connectors.StageSignIn, Err: err}
		}
		return Token{}, err
	}
	if err := c.judge(query); err != nil {
		return Token{}, err
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {query.Get("code")}, "redirect_uri": {back.RedirectURI()}}
	if !c.WithoutPKCE {
		form.Set("code_verifier", verifier)
	}
	return c.request(ctx, client, form, env.Time())
}

const errUnattended = text("nobody completed the sign-in page")

func (c Config) authCodeURL(redirect, state, verifier string) string {
	conf := oauth2.Config{ClientID: c.ClientID, RedirectURL: redirect, Scopes: c.Scopes, Endpoint: oauth2.Endpoint{AuthURL: c.AuthURL}}
	var more []oauth2.AuthCodeOption
	if !c.WithoutPKCE {
		more = append(more, oauth2.S256ChallengeOption(verifier))
	}
	if c.Resource != "" {
		more = append(more, oauth2.SetAuthURLParam("resource", c.Resource))
	}
	for k, v := range c.AuthParams {
		more = append(more, oauth2.SetAuthURLParam(k, v))
	}
	return conf.AuthCodeURL(state, more...)
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
		return c.refused(code, query.Get("error_description"), "")
	}
	return nil
}

// request posts to the token endpoint, once, following no redirect. What was
// sent may have been spent even when no answer came, so nothing is sent again.
func (c Config) request(ctx context.Context, client *http.Client, form url.Values, now time.Time) (Token, error) {
	if c.Resource != "" {
		form.Set("resource", c.Resource)
	}
	req, err := c.tokenRequest(ctx, form)
	if err != nil {
		return Token{}, err
	}
	res, err := httpx.Do(httpx.WithoutRedirects(client), req, maxAnswer)
	if err != nil {
		return Token{}, err
	}
	var a answer
	if err := parseAnswer(res, &a); err != nil {
		if e := res.Err(""); e != nil {
			e.Op = connectors.StageSignIn
			return Token{}, e
		}
		return Token{}, &connectors.Error{Code: connectors.Refused, Reason: "oauth.not_json", Op: connectors.StageSignIn, Target: req.URL.Host, Err: err}
	}
	if code := a.errorCode(); code != "" {
		return Token{}, c.refused(code, a.Description, form.Get("grant_type"))
	}
	if e := res.Err(""); e != nil {
		e.Op = connectors.StageSignIn
		return Token{}, e
	}
	if a.Access == "" || a.Type != "" && !strings.EqualFold(a.Type, "bearer") {
		return Token{}, &connectors.Error{Code: connectors.Unsupported, Reason: "oauth.not_bearer", Op: connectors.StageSignIn, Target: req.URL.Host, Said: a.Type}
	}
	t := Token{Access: a.Access, Refresh: a.Refresh, Type: "Bearer", Scope: a.scope(), IDToken: a.IDToken, Issued: now}
	if n, ok := expiresIn(a.ExpiresIn); ok {
		t.Expiry = now.Add(time.Duration(n) * time.Second)
	}
	return t, nil
}

func (c Config) tokenRequest(ctx context.Context, form url.Values) (*http.Request, error) {
	if c.ClientAuth != ClientBasic {
		form.Set("client_id", c.ClientID)
	}
	if c.ClientAuth == ClientPost {
		form.Set("client_secret", c.ClientSecret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
	}
	// A retry by the transport after a lost connection would spend a token twice.
	req.GetBody = nil
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if c.ClientAuth == ClientBasic {
		// RFC 6749 section 2.3.1: both are form-encoded first.
		req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret.Reveal()))
	}
	return req, nil
}

func parseAnswer(res *httpx.Response, a *answer) error {
	err := json.Unmarshal(res.Body, a)
	if err == nil || res.Media() != "application/x-www-form-urlencoded" {
		return err
	}
	v, err := url.ParseQuery(string(res.Body))
	if err != nil {
		return err
	}
	quoted := func(key string) json.RawMessage {
		data, _ := json.Marshal(v.Get(key))
		return data
	}
	*a = answer{Access: v.Get("access_token"), Refresh: v.Get("refresh_token"), Type: v.Get("token_type"), Scope: quoted("scope"), ExpiresIn: quoted("expires_in"), Description: v.Get("error_description")}
	if v.Has("error") {
		a.Error = quoted("error")
	}
	return nil
}

package web

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/jwtx"
	"jackfield/connectors/internal/oauthx"
)

// oauthWay is OAuth 2.0 in a catalogue file.
type oauthWay struct {
	Grant         string            `yaml:"grant"` // code, client_credentials, device, assertion, refresh_token, password
	Authorize     string            `yaml:"authorize"`
	Token         string            `yaml:"token"`
	Device        string            `yaml:"device"`
	Issuer        string            `yaml:"issuer"`
	Revoke        revoke            `yaml:"revoke"`
	ClientID      string            `yaml:"client_id"`
	ClientAuth    string            `yaml:"client_auth"` // none, post, basic, private_key_jwt, mtls; post or none when left out
	Scopes        string            `yaml:"scopes"`
	Separator     string            `yaml:"scope_separator"`
	RedirectHost  string            `yaml:"redirect_host"`
	RedirectPort  string            `yaml:"redirect_port"`
	RedirectPath  string            `yaml:"redirect_path"`
	Params        map[string]string `yaml:"params"`
	TokenParams   map[string]string `yaml:"token_params"`
	RefreshParams map[string]string `yaml:"refresh_params"`
	RefreshURL    string            `yaml:"refresh_url"`
	Lifetime      int               `yaml:"lifetime"` // seconds, where the answer does not say
	Capture       map[string]string `yaml:"capture"`  // placeholder: path in the token answer
	Callback      map[string]string `yaml:"callback"` // placeholder: parameter of the callback
	WithoutPKCE   string            `yaml:"without_pkce"`
	Resource      string            `yaml:"resource"`
	JSONBody      bool              `yaml:"json_body"`
	Sends         map[string]string `yaml:"token_headers"`
	TokenPath     string            `yaml:"token_path"`
	TokenTypes    []string          `yaml:"token_types"`
	PastedRefresh string            `yaml:"refresh"` // the field of a refresh token
	Refused       []rule            `yaml:"refused"` // what refusals of a token mean here: has, in the error's code and words
	Partial       string            `yaml:"partial"` // the field to point at when fewer scopes were granted; the one of the scopes when left out
}

// revoke says how a token is taken back: RFC 7009 unless told otherwise.
type revoke struct {
	Post   string `yaml:"post"`
	Delete string `yaml:"delete"` // the address ends with the token
	Bearer bool   `yaml:"bearer"` // no form: the access token in the header is the one
}

func grants() []string {
	return []string{"", "code", "client_credentials", "device", "assertion", "refresh_token", "password"}
}

func (w oauthWay) sound() error {
	if !slices.Contains(grants(), w.Grant) && !strings.HasPrefix(w.Grant, "{") {
		return &flaw{part: w.Grant, err: fmt.Errorf("sign_in: unknown grant %q", w.Grant)}
	}
	return nil
}

func (w oauthWay) places() []string {
	return []string{w.Authorize, w.Token, w.Device, w.RefreshURL, w.Revoke.Post, w.Revoke.Delete}
}

func (w oauthWay) templates() []string {
	out := append(w.places(), w.Grant, w.Issuer, w.ClientID, w.ClientAuth, w.Scopes, w.RedirectHost, w.RedirectPort, w.RedirectPath, w.WithoutPKCE, w.Resource)
	for _, params := range []map[string]string{w.Params, w.TokenParams, w.RefreshParams, w.Sends} {
		for _, v := range params {
			out = append(out, v)
		}
	}
	return out
}

func texts(params, vars map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range params {
		if v = text(v, vars); v != "" {
			out[k] = v
		}
	}
	return out
}

// config is the client that the answers describe.
func (w signIn) config(o *opening) oauthx.Config {
	a := w.OAuth
	c := oauthx.Config{
		Grant: o.text(a.Grant), AuthURL: fill(a.Authorize, o.vars, nil), TokenURL: fill(a.Token, o.vars, nil), DeviceURL: fill(a.Device, o.vars, nil), Issuer: o.text(a.Issuer),
		ClientID: o.text(a.ClientID), ClientAuth: o.text(a.ClientAuth), ClientSecret: o.secret(w.Secret), Scopes: strings.Fields(o.text(a.Scopes)), ScopeSeparator: a.Separator,
		RedirectHost: o.text(a.RedirectHost), RedirectPort: o.number(a.RedirectPort), RedirectPath: o.text(a.RedirectPath),
		AuthParams: texts(a.Params, o.vars), TokenParams: texts(a.TokenParams, o.vars), RefreshParams: texts(a.RefreshParams, o.vars), RefreshURL: fill(a.RefreshURL, o.vars, nil),
		Lifetime: time.Duration(a.Lifetime) * time.Second, Capture: a.Capture, CaptureCallback: a.Callback, WithoutPKCE: o.text(a.WithoutPKCE) == "true",
		Resource: o.text(a.Resource), JSONBody: a.JSONBody, Headers: texts(a.Sends, o.vars), TokenPath: a.TokenPath, ExtraTokenTypes: a.TokenTypes,
		PastedRefresh: o.secret(a.PastedRefresh), User: o.text(w.User), SecretField: w.Secret,
	}
	if fields := names(a.ClientID); len(fields) == 1 {
		c.ClientField = fields[0]
	}
	if fields := names(a.Scopes); len(fields) == 1 {
		c.ScopesField = fields[0]
	}
	c.RedirectField, c.PortField, c.PKCEField, c.ResourceField = field1(a.RedirectHost), field1(a.RedirectPort), field1(a.WithoutPKCE), field1(a.Resource)
	switch c.Grant {
	case oauthx.GrantPassword, oauthx.GrantAssertion:
		c.GrantField = w.Key
	case oauthx.GrantRefresh:
		c.GrantField = a.PastedRefresh
	}
	if slices.Contains(names(a.Authorize+a.Token), "tenant") {
		c.TenantField = "tenant"
	}
	if c.ClientAuth == "" {
		c.ClientAuth = oauthx.ClientNone
		if !c.ClientSecret.Empty() {
			c.ClientAuth = oauthx.ClientPost
		}
	}
	if c.ClientAuth == oauthx.ClientJWT {
		c.SecretField = w.Key
	}
	if c.Grant == "password" {
		c.Password = o.secret(w.Key)
	}
	return c
}

// oauth signs in and keeps the tokens alive.
func (w signIn) oauth(ctx context.Context, o *opening) (credential, error) {
	if w.Kind == "google" {
		return w.google(ctx, o)
	}
	c := w.config(o)
	if c.ClientAuth == "private_key_jwt" || c.Grant == "assertion" {
		sign, mark, err := w.assertion(o, c.TokenURL)
		if err != nil {
			return nil, err
		}
		c.Mark = mark
		if c.ClientAuth == "private_key_jwt" {
			c.ClientAssertion = sign
		}
		if c.Grant == "assertion" {
			c.Assertion = sign
		}
	}
	o.retold = w.OAuth.retold
	cred, err := o.start(ctx, c, orElse(w.OAuth.Partial, field1(w.OAuth.Scopes)))
	if err != nil {
		return nil, err
	}
	return retelling{cred, o.retold}, nil
}

func (o *opening) start(ctx context.Context, c oauthx.Config, partial string) (credential, error) {
	source, err := linked(ctx, o.env, o.client, c, o.secret(oauthx.Key), o.retold)
	if err != nil {
		return nil, addressed(err, o.address)
	}
	for name, v := range source.Captured() {
		o.vars[name] = v
	}
	o.facts = source.Facts
	o.partial = func() error { return narrower(source, partial) }
	return bearer{source}, nil
}

// linked climbs the rung of the sign-in. What retold makes of a refusal, if
// anything, is what is shown.
func linked(ctx context.Context, env *connectors.Env, client httpClient, c oauthx.Config, kept connectors.Secret, retold func(error) error) (*oauthx.Source, error) {
	var source *oauthx.Source
	place := c.TokenURL
	if c.Grant == "" || c.Grant == "code" {
		place = c.AuthURL
	}
	u, err := url.Parse(place)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
	}
	err = env.Climb(ctx, connectors.StageSignIn, u.Host, func(ctx context.Context) (string, error) {
		var err error
		source, err = oauthx.Start(ctx, env, client, c, kept)
		if err != nil && retold != nil {
			err = retold(err)
		}
		return "", err
	})
	return source, err
}

// assertion makes JWTs that prove the client (RFC 7523): aud is what the
// provider documents, the token address where it documents nothing.
// mark tells this key and subject from others: a token that was kept for another
// one is not used.
func (w signIn) assertion(o *opening, audience string) (sign oauthx.Maker, mark string, err error) {
	signer, err := jwtx.ReadKey(o.secret(w.Key).Reveal(), o.secret(w.Passphrase))
	if err != nil {
		return nil, "", inField(err, w.Key, w.Passphrase)
	}
	a := jwtx.Assertion{Method: o.text(w.Method), Key: signer, KeyID: o.text(w.KeyID), Issuer: orElse(o.text(w.IssuedBy), o.text(w.OAuth.ClientID)),
		Subject: orElse(o.text(w.Subject), o.text(w.OAuth.ClientID)), Audience: orElse(o.text(w.Audience), audience), Scope: ""}
	if w.OAuth.Grant == "assertion" {
		a.Scope = o.text(w.OAuth.Scopes)
	}
	return func(_ context.Context, now time.Time) (string, error) { return a.Sign(now) }, marked(a), nil
}

// marked is a hash of who signs and for whom.
func marked(a jwtx.Assertion) string {
	public, err := x509.MarshalPKIXPublicKey(a.Key.Public())
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(slices.Concat(public, []byte("\x00"+a.Issuer+"\x00"+a.Subject)))
	return hex.EncodeToString(sum[:])
}

func (w signIn) google(ctx context.Context, o *opening) (credential, error) {
	bad := func(said string) error {
		return &connectors.Error{Code: connectors.BadInput, Reason: "google.key", Op: connectors.StageForm, Field: w.Secret, Said: said}
	}
	var k jwtx.GoogleKey
	if err := json.Unmarshal([]byte(o.secret(w.Secret).Reveal()), &k); err != nil {
		return nil, bad("it is no JSON")
	}
	if !k.Whole() {
		return nil, bad("type, client_email or private_key is missing")
	}
	if k.Foreign() {
		return nil, bad("token_uri is not Google's")
	}
	signer, err := jwtx.ReadKey(k.Key, connectors.Secret{})
	if err != nil {
		return nil, inField(err, w.Secret, w.Secret)
	}
	a := jwtx.Assertion{Method: "RS256", Key: signer, KeyID: k.KeyID, Issuer: k.Email, Subject: orElse(o.text(w.Subject), k.Email), Audience: jwtx.GoogleToken, Scope: o.text(w.OAuth.Scopes), Lifetime: 5 * time.Minute}
	c := oauthx.Config{Grant: "assertion", TokenURL: jwtx.GoogleToken, ClientAuth: oauthx.ClientNone, Scopes: strings.Fields(a.Scope), SecretField: w.Secret, GrantField: w.Secret,
		Mark: marked(a), Assertion: func(_ context.Context, now time.Time) (string, error) { return a.Sign(now) }}
	o.vars["service_account"] = k.Email
	o.vars["project"] = orElse(o.vars["project"], k.Project) // where the form leaves it open
	cred, err := o.start(ctx, c, "")
	return cred, w.googleSaid(err)
}

// googleSaid tells apart why Google refuses an assertion: its description says
// so, its code is invalid_grant for all of them
// (https://developers.google.com/identity/protocols/oauth2/service-account#jwt-error-codes).
func (w signIn) googleSaid(err error) error {
	e := connectors.Classify(err)
	if e == nil || e.Reason != "oauth.assertion" && e.Reason != "oauth.assertion.allowed" {
		return err
	}
	out := *e
	subject := field1(w.Subject)
	said := strings.ToLower(e.Said)
	for _, m := range []struct{ has, reason, field string }{
		{"jwt signature", "google.deleted", w.Secret},
		{"account not found", "google.account", w.Secret},
		{"reasonable timeframe", "oauth.clock", ""},
		{"invalid email or user id", "google.subject", subject},
		{"unauthorized to retrieve access tokens", "google.delegation", subject},
		{"not authorized for any of the scopes", "google.delegation", subject},
	} {
		if strings.Contains(said, m.has) {
			out.Reason, out.Field = m.reason, m.field
			return &out
		}
	}
	return err
}

// inField points an error about a key at the form's own fields.
func inField(err error, key, passphrase string) error {
	e := connectors.Classify(err)
	if e == nil {
		return nil
	}
	out := *e
	switch e.Field {
	case "jwt_key":
		out.Field = key
	case "jwt_passphrase":
		out.Field = orElse(passphrase, key)
	}
	return &out
}

// narrower says that fewer scopes were granted than asked for.
func narrower(source *oauthx.Source, field string) error {
	missing := source.Missing()
	if len(missing) == 0 {
		return nil
	}
	return &connectors.Error{Code: connectors.Denied, Reason: "oauth.narrower", Op: connectors.StageRights, Field: field, Said: strings.Join(missing, " "), Partial: true}
}

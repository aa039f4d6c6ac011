package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/answers"
	"jackfield/connectors/internal/oauthx"
	"jackfield/connectors/internal/tlsx"
)

type oauthConfig struct {
	Setup        string            `field:"setup"`
	Grant        string            `field:"grant"`
	Issuer       string            `field:"issuer"`
	AuthURL      string            `field:"auth_url"`
	TokenURL     string            `field:"token_url"`
	DeviceURL    string            `field:"device_url"`
	UserInfoURL  string            `field:"userinfo_url"`
	ClientID     string            `field:"client_id"`
	ClientAuth   string            `field:"client_auth"`
	ClientSecret connectors.Secret `field:"client_secret"`
	Scopes       string            `field:"scopes"`
	Base         string            `field:"base_url"`
	Paths        string            `field:"paths"`
	Resource     string            `field:"resource"`
	RedirectHost string            `field:"redirect_host"`
	RedirectPort int               `field:"redirect_port"`
	WithoutPKCE  bool              `field:"without_pkce"`
	Token        connectors.Secret `field:"oauth_token,issued"`
	tlsx.ServerAnswers
}

// OAuth is any provider of OAuth 2.0 or OpenID Connect, and the API behind it.
func OAuth() connectors.Type {
	t := connectors.Define(connectors.Type{
		ID: "oauth", Name: "OAuth 2.0 / OpenID Connect", Group: connectors.GroupWeb, Tile: "OA",
		Summary:  "Sign in through the browser, then read what the sign-in opens",
		Keywords: []string{"oauth2", "oidc", "openid", "sso", "single sign-on", "pkce", "keycloak", "okta", "auth0", "entra"},
		Where:    []string{"issuer", "auth_url"},
		Form:     oauthForm(),
		Guide: connectors.Guide{
			Steps:       []string{"Register an application of the kind “native”, “desktop” or “public client” with the provider.", "Copy its client ID; a secret is only needed when the provider made one.", "Enter the redirect address below where the provider asks for it; any port must be allowed, or set a fixed one under Advanced."},
			Rights:      "The scopes that you type. openid and profile tell who you are.",
			Admin:       "Some providers want an administrator to approve an application once.",
			RedirectURI: "http://127.0.0.1/callback",
		},
	}, openOAuth)
	return connectors.Revokes(t, revokeOAuth)
}

// revokeOAuth takes the token back where discovery names the place for it.
func revokeOAuth(ctx context.Context, env *connectors.Env, c oauthConfig) error {
	if c.Token.Empty() || c.Setup != "discovery" {
		return nil
	}
	client, err := env.HTTP(connectors.HTTP{TLS: c.Spec()})
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	m, err := oauthx.Discover(ctx, client, c.Issuer)
	if err != nil || m.RevokeURL == "" {
		return err
	}
	return oauthx.Revoke(ctx, client, oauthx.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, ClientAuth: c.ClientAuth}, m.RevokeURL, c.Token)
}

func oauthForm() connectors.Form {
	manual, browser := connectors.When("setup", "manual"), connectors.When("grant", oauthx.GrantCode)
	secret := connectors.When("client_auth", oauthx.ClientBasic, oauthx.ClientPost)
	fields := []connectors.Field{
		{Key: "setup", Label: "The provider's addresses", Kind: connectors.Choice, Default: "discovery", Section: "Provider", Options: []connectors.Option{
			{Value: "discovery", Label: "Found from the issuer"}, {Value: "manual", Label: "Typed in"},
		}},
		{Key: "grant", Label: "The sign-in is", Kind: connectors.Choice, Default: "code", Options: []connectors.Option{
			{Value: oauthx.GrantCode, Label: "A person's, in the browser"}, {Value: oauthx.GrantDevice, Label: "A person's, with a code on another device"},
			{Value: oauthx.GrantClient, Label: "The application's own (client credentials)"},
		}},
		{Key: "issuer", Label: "Issuer", Kind: connectors.URL, Required: true, Show: connectors.When("setup", "discovery"), Example: "https://login.example.com",
			Help: "Exactly as the provider writes it.", Tidy: tidyIssuer, Valid: validSecureURL},
		{Key: "auth_url", Label: "Authorization address", Kind: connectors.URL, Required: true, Show: append(connectors.When("grant", oauthx.GrantCode), manual...), Example: "https://login.example.com/authorize", Valid: validSecureURL},
		{Key: "device_url", Label: "Device address", Kind: connectors.URL, Required: true, Show: append(connectors.When("grant", oauthx.GrantDevice), manual...), Example: "https://login.example.com/device/code", Valid: validSecureURL},
		{Key: "token_url", Label: "Token address", Kind: connectors.URL, Required: true, Show: manual, Example: "https://login.example.com/token", Valid: validSecureURL},
		{Key: "userinfo_url", Label: "User info address", Kind: connectors.URL, Show: manual, Example: "https://login.example.com/userinfo", Valid: validSecureURL},
		{Key: "client_id", Label: "Client ID", Kind: connectors.Text, Required: true, Section: "Application", Example: "jackfield-desktop"},
		{Key: "client_auth", Label: "The application has", Kind: connectors.Choice, Default: oauthx.ClientNone, Options: []connectors.Option{
			{Value: oauthx.ClientNone, Label: "No secret (public client)"}, {Value: oauthx.ClientBasic, Label: "A secret, sent in the header"}, {Value: oauthx.ClientPost, Label: "A secret, sent in the form"},
		}},
		{Key: "client_secret", Label: "Client secret", Kind: connectors.SecretText, Required: true, Show: secret, Tidy: answers.TidySecret()},
		{Key: "scopes", Label: "Scopes", Kind: connectors.Text, Default: "openid profile email", Help: "Separated by spaces. Add offline_access to stay signed in."},
		{Key: "base_url", Label: "Base address of the API", Kind: connectors.URL, Section: "What to read", Example: "https://api.example.com/v1", Tidy: tidyURL, Valid: validURL},
		{Key: "paths", Label: "Paths to show", Kind: connectors.Lines, Example: "/me", Help: "One a line, below the base address."},
		{Key: "resource", Label: "Resource", Kind: connectors.Text, Advanced: true, Section: "Details of the sign-in", Help: "Only where the provider asks for one (RFC 8707).", Example: "https://api.example.com"},
		{Key: "redirect_host", Label: "Redirect host", Kind: connectors.Choice, Default: "127.0.0.1", Advanced: true, Show: browser, Help: "As it is registered with the provider.", Options: []connectors.Option{
			{Value: "127.0.0.1", Label: "127.0.0.1"}, {Value: "localhost", Label: "localhost"}, {Value: "[::1]", Label: "[::1]"},
		}},
		{Key: "redirect_port", Label: "Redirect port", Kind: connectors.Integer, Advanced: true, Short: true, Show: browser, Valid: answers.ValidPort, Help: "Leave empty for any; some providers want a fixed one.", Example: "8917"},
		{Key: "without_pkce", Label: "The provider does not know PKCE", Kind: connectors.Toggle, Default: "false", Advanced: true, Show: browser,
			Help: "Only when linking says so: it makes the sign-in easier to steal."},
	}
	return connectors.Form{Fields: append(fields, tlsx.Fields(nil, false)...)}
}

// tidyIssuer keeps a final slash: issuers are compared letter by letter. A
// pasted discovery address is cut back to the issuer.
func tidyIssuer(v string) string {
	v = strings.TrimSpace(v)
	if v != "" && !strings.Contains(v, "://") {
		v = "https://" + v
	}
	before, _, cut := strings.Cut(v, "/.well-known/")
	if cut {
		return before
	}
	return v
}

func openOAuth(ctx context.Context, env *connectors.Env, c oauthConfig) (connectors.Session, error) {
	client, err := env.HTTP(connectors.HTTP{TLS: c.Spec()})
	if err != nil {
		return nil, err
	}
	conf := oauthx.Config{
		Grant: c.Grant, DeviceURL: c.DeviceURL,
		AuthURL: c.AuthURL, TokenURL: c.TokenURL, UserInfoURL: c.UserInfoURL, ClientID: c.ClientID, ClientSecret: c.ClientSecret, ClientAuth: c.ClientAuth,
		Scopes: strings.Fields(c.Scopes), Resource: c.Resource, RedirectHost: c.RedirectHost, RedirectPort: c.RedirectPort, WithoutPKCE: c.WithoutPKCE,
		SecretField: "client_secret", ClientField: "client_id", ScopesField: "scopes", RedirectField: "redirect_host", PortField: "redirect_port", PKCEField: "without_pkce",
	}
	if slices.Contains(conf.Scopes, "offline_access") {
		// OpenID Connect Core section 11: without it the scope is ignored.
		conf.AuthParams = map[string]string{"prompt": "consent"}
	}
	if c.Setup == "discovery" {
		m, err := oauthx.Discover(ctx, client, c.Issuer)
		if err == nil {
			err = conf.Apply(m)
		}
		if err != nil {
			client.CloseIdleConnections()
			return nil, addressed(err, "issuer")
		}
	}
	if c.Grant == oauthx.GrantClient {
		conf.UserInfoURL = "" // it tells of a person, and there is none
	}
	source, err := linked(ctx, env, client, conf, c.Token, nil)
	if err != nil {
		client.CloseIdleConnections()
		if c.Setup == "discovery" {
			return nil, addressed(err, "issuer")
		}
		return nil, addressed(err, "token_url")
	}
	return oauthSession(client, env.Time, source, conf, c)
}

func oauthSession(client *http.Client, now func() time.Time, source *oauthx.Source, conf oauthx.Config, c oauthConfig) (connectors.Session, error) {
	s := &session{client: client, plain: client, cred: bearer{source}, free: true, facts: source.Facts, now: now, gate: newGate(limits{}, now)}
	s.spec = &spec{Lenient: true, Said: messages, Address: "base_url", Blame: "scopes"}
	s.partial = func() error { return narrower(source, "scopes") }
	info := &apart{}
	if conf.UserInfoURL != "" {
		u, err := url.Parse(conf.UserInfoURL)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "userinfo_url", Err: err}
		}
		info = &apart{url: u}
	}
	if c.Base == "" {
		place := conf.UserInfoURL
		if place == "" {
			place = conf.TokenURL
		}
		u, err := url.Parse(place)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Err: err}
		}
		s.base = &url.URL{Scheme: u.Scheme, Host: u.Host}
	} else {
		u, err := url.Parse(c.Base)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm, Field: "base_url", Err: err}
		}
		s.base = u
		s.spec.Tree = append(s.spec.Tree, entry("/"))
	}
	s.spec.Tree = append(s.spec.Tree, entries(c.Paths)...)
	return &signedIn{session: s, info: info}, nil
}

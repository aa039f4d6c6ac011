package oauthx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
)

// How a token is had for the first time.
const (
	GrantCode      = "code"               // RFC 6749 section 4.1; also ""
	GrantClient    = "client_credentials" // RFC 6749 section 4.4
	GrantDevice    = "device"             // RFC 8628
	GrantAssertion = "assertion"          // RFC 7523 section 2.1
	GrantRefresh   = "refresh_token"      // a refresh token that was made elsewhere and pasted
	GrantPassword  = "password"           // RFC 6749 section 4.3; legacy, RFC 9700 section 2.4 forbids it
)

// How a client proves itself at the token endpoint (RFC 6749 section 2.3). It
// is always one of these: trying several would send a refresh token twice.
const (
	ClientNone  = "none"
	ClientPost  = "post"
	ClientBasic = "basic"
	ClientJWT   = "private_key_jwt" // RFC 7523 section 2.2
	ClientMTLS  = "mtls"            // RFC 8705; the HTTP client presents the certificate
)

// A Maker makes one signed assertion that is valid at now. It is asked again
// for every request, so that none is used twice. An assertion names iss, sub,
// the aud that the provider documents and a fresh jti, and lives five minutes
// at most.
type Maker func(ctx context.Context, now time.Time) (string, error)

// A Config is one client at one provider.
type Config struct {
	Grant       string
	Issuer      string // expected in the callback when the provider names it
	AuthURL     string
	TokenURL    string
	RefreshURL  string // where another address than TokenURL renews
	DeviceURL   string
	RevokeURL   string
	UserInfoURL string

	ClientID        string
	ClientSecret    connectors.Secret
	ClientAuth      string
	ClientAssertion Maker // for ClientJWT

	Assertion     Maker             // for GrantAssertion
	User          string            // for GrantPassword
	Password      connectors.Secret // for GrantPassword
	PastedRefresh connectors.Secret // for GrantRefresh
	// Mark stands for what Assertion signs with, such as the key's thumbprint: a
	// kept token that was made with another mark is not used.
	Mark string

	Scopes         []string
	ScopeSeparator string // " " when empty
	Resource       string // RFC 8707; the same at every request
	RedirectHost   string // "127.0.0.1", "localhost" or "[::1]"
	RedirectPort   int    // 0 for any
	RedirectPath   string

	// The provider's own parameters, such as prompt or audience: of the
	// authorization (and device) request, of the request for the first token, and
	// of its renewal with a refresh token. An empty value leaves a parameter out
	// that would be sent. What protects the flow cannot be overridden.
	AuthParams    map[string]string
	TokenParams   map[string]string
	RefreshParams map[string]string
	Headers       map[string]string // of token requests
	JSONBody      bool              // token requests are JSON instead of a form

	Lifetime        time.Duration // of an access token where the provider does not say
	LifetimeMillis  bool          // expires_in counts milliseconds
	ExtraTokenTypes []string      // accepted beside bearer
	// TokenPath is the dotted path of the access token in the answer,
	// "access_token" when empty. Refresh token, scope and the rest are its siblings.
	TokenPath string
	// Capture names more of the answer to keep: name to dotted path.
	Capture map[string]string
	// CaptureCallback does so for the callback's query: name to parameter.
	CaptureCallback map[string]string

	// NamesIssuer says that the provider promised iss in the callback (RFC 9207).
	NamesIssuer bool
	// WithoutPKCE allows a provider whose metadata does not offer S256.
	WithoutPKCE bool

	// The form's fields to point at when something is refused; empty where the
	// form has none.
	ClientField   string
	SecretField   string // what the client proves itself with: secret, key or certificate
	GrantField    string // password, assertion key or pasted refresh token
	ScopesField   string
	TenantField   string
	ResourceField string // where the resource's address comes from
	RedirectField string
	PortField     string // of the redirect
	PKCEField     string
}

// silent reports whether the grant needs nobody and can be repeated at will.
func (c Config) silent() bool {
	return c.Grant == GrantClient || c.Grant == GrantAssertion || c.Grant == GrantPassword
}

// browser reports whether the grant opens the provider's page.
func (c Config) browser() bool { return c.Grant == "" || c.Grant == GrantCode }

// attended reports whether the one whom the grant needs is there.
func (c Config) attended(env *connectors.Env) bool {
	switch {
	case c.browser():
		return env.Ask.OpenURL != nil && (env.Callback != nil || env.Ask.Pasted != nil)
	case c.Grant == GrantDevice:
		return env.Ask.ShowCode != nil
	}
	return false
}

// sound looks at what needs no network.
func (c Config) sound() error {
	places := []string{c.TokenURL}
	if c.RefreshURL != "" {
		places = append(places, c.RefreshURL)
	}
	switch {
	case c.browser():
		places = append(places, c.AuthURL)
	case c.Grant == GrantDevice:
		places = append(places, c.DeviceURL)
	case !c.silent() && c.Grant != GrantRefresh:
		return &connectors.Error{Code: connectors.Unsupported, Reason: "oauth.grant_type", Op: connectors.StageForm, Said: c.Grant}
	}
	for _, place := range places {
		if err := Secure(place); err != nil {
			return &connectors.Error{Code: connectors.BadInput, Reason: "oauth.insecure", Op: connectors.StageForm, Target: place, Err: err}
		}
	}
	return nil
}

// Apply takes over what discovery found. It refuses a provider that does not
// offer S256, unless WithoutPKCE says that the user knows, and one that does not
// offer the place where the grant begins.
func (c *Config) Apply(m Metadata) error {
	c.Issuer, c.AuthURL, c.TokenURL, c.UserInfoURL, c.NamesIssuer = m.Issuer, m.AuthURL, m.TokenURL, m.UserInfoURL, m.NamesIssuer
	c.DeviceURL, c.RevokeURL = m.DeviceURL, m.RevokeURL
	lacks := func(reason, field string) error {
		return &connectors.Error{Code: connectors.Unsupported, Reason: reason, Op: connectors.StageSignIn, Target: m.Issuer, Field: field}
	}
	switch {
	case c.browser() && c.AuthURL == "":
		return lacks("oauth.no_browser", "")
	case c.browser() && !m.s256() && !c.WithoutPKCE:
		return lacks("oauth.no_pkce", c.PKCEField)
	case c.Grant == GrantDevice && c.DeviceURL == "":
		return lacks("oauth.device.none", "")
	}
	return nil
}

func (c Config) scope() string {
	if c.ScopeSeparator == "" {
		return strings.Join(c.Scopes, " ")
	}
	return strings.Join(c.Scopes, c.ScopeSeparator)
}

// made is a mark of the answers that a token was had with, for the grants in
// which the form and not a person decides: other answers, another token. It is
// kept next to the token, which opens more than what is hashed here.
func (c Config) made() string {
	var of []string
	switch {
	case c.Grant == GrantRefresh:
		of = []string{c.Grant, c.PastedRefresh.Reveal()}
	case c.silent():
		of = []string{c.Grant, c.TokenURL, c.ClientID, c.ClientSecret.Reveal(), c.User, c.Password.Reveal(), c.Mark, c.Resource, c.scope()}
		for _, k := range slices.Sorted(maps.Keys(c.TokenParams)) {
			of = append(of, k, c.TokenParams[k])
		}
	default:
		return ""
	}
	data, _ := json.Marshal(of) // strings always marshal
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// asked is the scopes in the form in which they are kept and compared, never nil.
func (c Config) asked() []string {
	sorted := append([]string{}, c.Scopes...)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}

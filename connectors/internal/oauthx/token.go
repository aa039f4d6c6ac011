package oauthx

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/oauth2"

	"jackfield/connectors"
)

// maxCaptured bounds one captured value in bytes.
const maxCaptured = 2 << 10

// A Token is what is kept of a provider's answer, as JSON under the keychain's key.
type Token struct {
	Access   string            `json:"access_token"`
	Refresh  string            `json:"refresh_token,omitempty"`
	Type     string            `json:"token_type,omitempty"`
	Scope    string            `json:"scope,omitempty"`
	IDToken  string            `json:"id_token,omitempty"`
	Issued   time.Time         `json:"issued"`
	Expiry   time.Time         `json:"expiry,omitzero"` // zero: the provider did not say
	Asked    []string          `json:"asked"`           // the scopes asked for, sorted; nil: not recorded
	Made     string            `json:"made,omitempty"`  // see Config.made
	Captured map[string]string `json:"captured,omitempty"`
}

// readToken parses a kept token; an empty or damaged one is the zero Token.
func readToken(s connectors.Secret) Token {
	var t Token
	if err := json.Unmarshal([]byte(s.Reveal()), &t); err != nil {
		return Token{}
	}
	return t
}

func (t Token) secret() (connectors.Secret, error) {
	data, err := json.Marshal(t)
	return connectors.NewSecret(string(data)), err
}

// oauth2 is the token as golang.org/x/oauth2 has it.
func (t Token) oauth2() *oauth2.Token {
	kind := t.Type
	if kind == "" {
		kind = "Bearer"
	}
	return &oauth2.Token{AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: kind, Expiry: t.Expiry}
}

// fresh reports whether the access token lasts for another minute; one that
// lives no longer than that is used to nearly its end, for it would otherwise
// be renewed at every use.
func (t Token) fresh(now time.Time) bool {
	margin := time.Minute
	if life := t.Expiry.Sub(t.Issued); !t.Issued.IsZero() && life <= margin {
		margin = life / 10
	}
	return t.Access != "" && (t.Expiry.IsZero() || now.Add(margin).Before(t.Expiry))
}

// other reports whether t was asked for with other scopes than c has now. A
// token for which none were recorded is taken as it is.
func (t Token) other(c Config) bool { return t.Asked != nil && !slices.Equal(t.Asked, c.asked()) }

// capture keeps a value of the provider's. What is no plain line of text is not
// worth keeping: it ends up in addresses.
func (t *Token) capture(name, value string) {
	if value == "" || len(value) > maxCaptured || strings.ContainsFunc(value, unicode.IsControl) {
		return
	}
	if t.Captured == nil {
		t.Captured = map[string]string{}
	}
	t.Captured[name] = value
}

// after is t as the successor of old: what the provider left out stays as it
// was (RFC 6749 section 6), and what was captured now wins.
func (t Token) after(old Token) Token {
	if t.Refresh == "" {
		t.Refresh = old.Refresh
	}
	if t.Scope == "" {
		t.Scope = old.Scope
	}
	if t.IDToken == "" {
		t.IDToken = old.IDToken
	}
	t.Captured = merged(old.Captured, t.Captured)
	t.Asked, t.Made = old.Asked, old.Made
	return t
}

func merged(old, now map[string]string) map[string]string {
	if len(old) == 0 {
		return now
	}
	out := maps.Clone(old)
	maps.Copy(out, now)
	return out
}

package oauthx

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"jackfield/connectors"
)

// A Token is what is kept of a provider's answer, as JSON under the keychain's key.
type Token struct {
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token,omitempty"`
	Type    string    `json:"token_type,omitempty"`
	Scope   string    `json:"scope,omitempty"`
	IDToken string    `json:"id_token,omitempty"`
	Issued  time.Time `json:"issued"`
	Expiry  time.Time `json:"expiry,omitzero"` // zero: the provider did not say
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
	return &oauth2.Token{AccessToken: t.Access, RefreshToken: t.Refresh, TokenType: t.Type, Expiry: t.Expiry}
}

// fresh reports whether the access token lasts for another minute.
func (t Token) fresh(now time.Time) bool {
	return t.Access != "" && (t.Expiry.IsZero() || now.Add(time.Minute).Before(t.Expiry))
}

// expiresIn reads what providers make of the seconds in expires_in: 3600,
// 3600.0, "3600", "", null. x/oauth2 drops the whole answer, and with it a
// rotated refresh token, on some of these. ok is false for no usable number.
func expiresIn(raw json.RawMessage) (seconds int64, ok bool) {
	text := strings.Trim(strings.TrimSpace(string(raw)), `"`)
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f || f <= 0 {
		return 0, false
	}
	const tenYears = 10 * 365 * 24 * 3600
	return int64(min(f, tenYears)), true
}

// answer is the token endpoint's reply (RFC 6749 sections 5.1 and 5.2).
type answer struct {
	Access      string          `json:"access_token"`
	Refresh     string          `json:"refresh_token"`
	Type        string          `json:"token_type"`
	Scope       json.RawMessage `json:"scope"`
	IDToken     string          `json:"id_token"`
	ExpiresIn   json.RawMessage `json:"expires_in"`
	Error       json.RawMessage `json:"error"`
	Description string          `json:"error_description"`
	Codes       []int           `json:"error_codes"` // Microsoft's AADSTS numbers
}

func (a answer) scope() string {
	var one string
	if json.Unmarshal(a.Scope, &one) == nil {
		return one
	}
	var many []string
	if json.Unmarshal(a.Scope, &many) == nil {
		return strings.Join(many, " ")
	}
	return ""
}

func (a answer) errorCode() string {
	var code string
	if json.Unmarshal(a.Error, &code) == nil {
		return code
	}
	var inner struct {
		Code    any    `json:"code"`
		Message string `json:"message"`
	}
	if len(a.Error) > 0 && json.Unmarshal(a.Error, &inner) == nil && inner.Message != "" {
		return inner.Message
	}
	return ""
}

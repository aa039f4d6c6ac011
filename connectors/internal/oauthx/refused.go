package oauthx

import (
	"errors"
	"slices"
	"strings"

	"jackfield/connectors"
)

// A refusal is a provider's error code.
type refusal string

func (r refusal) Error() string { return "the provider answered " + string(r) }

func refusalOf(err error) string {
	var r refusal
	if errors.As(err, &r) {
		return string(r)
	}
	return ""
}

// A meaning is what a code says to a person.
type meaning struct {
	code   connectors.Code
	reason string
	field  string
}

// refused maps the error codes of RFC 6749 (4.1.2.1 and 5.2), RFC 8628, OpenID
// Connect and of large providers. grant is the grant_type of the request, ""
// for the callback.
func (c Config) refused(code, said, grant string) *connectors.Error {
	m, known := c.codes()[code]
	if !known {
		m = meaning{connectors.Refused, "oauth.other", ""}
	}
	switch code {
	case "invalid_client", "unauthorized_client":
		m = c.badClient(code, grant)
	case "invalid_grant", "consent_required", "interaction_required":
		m = c.badGrant(code, said, grant)
	case "invalid_scope":
		if c.ScopeSeparator != "," && slices.ContainsFunc(c.Scopes, func(s string) bool { return strings.Contains(s, ",") }) {
			m.reason = "oauth.scope.commas"
		}
	case "access_denied":
		if inTesting(said) {
			m.reason, m.field = "oauth.testing", c.ClientField
		}
	}
	if found, ok := c.microsoft(said); ok {
		m = found
	}
	return &connectors.Error{Code: m.code, Reason: m.reason, Field: m.field, Op: connectors.StageSignIn, Target: host(c.TokenURL), Said: strings.TrimSpace(c.hides(code) + " " + said), Err: refusal(code)}
}

// codes are the meanings that do not depend on how the client signs in.
func (c Config) codes() map[string]meaning {
	denied := meaning{connectors.Denied, "oauth.denied", ""}
	again := meaning{connectors.SignInAgain, "oauth.grant", ""}
	down := meaning{connectors.Unreachable, "http.down", ""}
	redirect := meaning{connectors.BadInput, "oauth.redirect", c.RedirectField}
	grant := meaning{connectors.Unsupported, "oauth.grant_type", c.ClientField}
	if c.silent() {
		grant.reason = "oauth.grant_type.alone"
	}
	expired := meaning{connectors.TimedOut, "oauth.device.expired", ""}
	return map[string]meaning{
		"access_denied": denied, "authorization_declined": denied, // the latter is Microsoft's, at the device flow
		"invalid_scope":         {connectors.BadInput, "oauth.scope", c.ScopesField},
		"redirect_uri_mismatch": redirect, "invalid_redirect_uri": redirect,
		"login_required": again, "account_selection_required": again,
		"temporarily_unavailable": down, "server_error": down,
		"unsupported_response_type": grant, "unsupported_grant_type": grant,
		"invalid_target": {connectors.BadInput, "oauth.resource", c.ResourceField}, // RFC 8707 section 2
		"expired_token":  expired, "bad_verification_code": expired, "incorrect_device_code": expired,
		"authorization_pending": {connectors.Throttled, "", ""}, "slow_down": {connectors.Throttled, "", ""},
		// https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
		"device_flow_disabled":         {connectors.Unsupported, "oauth.device.disabled", c.ClientField},
		"incorrect_client_credentials": c.badClient("invalid_client", ""),
		// https://developers.google.com/identity/protocols/oauth2/native-app
		"org_internal":          {connectors.Denied, "oauth.google.internal", c.ClientField},
		"admin_policy_enforced": {connectors.Denied, "oauth.google.policy", ""},
	}
}

// badClient is for a client that is refused: which part of it depends on what
// it proves itself with.
func (c Config) badClient(code, grant string) meaning {
	if code == "unauthorized_client" {
		if grant == assertionGrant {
			return meaning{connectors.Denied, "oauth.assertion.allowed", c.ClientField}
		}
		return meaning{connectors.AuthFailed, "oauth.client", c.ClientField}
	}
	switch c.ClientAuth {
	case ClientJWT:
		return meaning{connectors.AuthFailed, "oauth.client.key", c.SecretField}
	case ClientMTLS:
		return meaning{connectors.AuthFailed, "oauth.client.certificate", c.SecretField}
	case ClientPost, ClientBasic:
		return meaning{connectors.AuthFailed, "oauth.client", c.SecretField}
	}
	return meaning{connectors.AuthFailed, "oauth.client", c.ClientField}
}

// badGrant is for what the grant itself proves: a person's sign-in, an
// assertion, a password, a pasted token.
func (c Config) badGrant(code, said, grant string) meaning {
	lower := strings.ToLower(said)
	switch {
	case c.Grant == GrantAssertion && (code == "consent_required" || strings.Contains(lower, "approved this consumer")):
		return meaning{connectors.Denied, "oauth.assertion.consent", c.ClientField}
	case c.Grant == GrantAssertion:
		return meaning{connectors.AuthFailed, "oauth.assertion", c.GrantField}
	case c.Grant == GrantPassword:
		return meaning{connectors.AuthFailed, "oauth.password", c.GrantField}
	case c.Grant == GrantClient:
		return meaning{connectors.AuthFailed, "oauth.client", c.SecretField}
	case c.Grant == GrantRefresh:
		return meaning{connectors.SignInAgain, "oauth.pasted_refresh", c.GrantField}
	case grant == "refresh_token" && strings.Contains(lower, "expired or revoked"):
		return meaning{connectors.SignInAgain, "oauth.google.revoked", ""}
	}
	return meaning{connectors.SignInAgain, "oauth.grant", ""}
}

// inTesting recognizes Google's words about an app whose publishing status is
// "Testing" (https://support.google.com/cloud/answer/15549945).
func inTesting(said string) bool {
	lower := strings.ToLower(said)
	return strings.Contains(lower, "verification process") || strings.Contains(lower, "tester") || strings.Contains(lower, "test user")
}

// hides takes the client's secrets out of a provider's words, where one repeats
// what it was sent.
func (c Config) hides(said string) string {
	for _, s := range []connectors.Secret{c.ClientSecret, c.Password, c.PastedRefresh} {
		if !s.Empty() {
			said = strings.ReplaceAll(said, s.Reveal(), "…")
		}
	}
	return said
}

func host(place string) string {
	_, rest, _ := strings.Cut(place, "://")
	h, _, _ := strings.Cut(rest, "/")
	return h
}

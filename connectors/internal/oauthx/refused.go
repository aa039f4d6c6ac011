package oauthx

import (
	"regexp"
	"strings"

	"jackfield/connectors"
)

// refused maps the error codes of RFC 6749 (4.1.2.1 and 5.2) and OpenID Connect.
func (c Config) refused(code, said, grant string) error {
	e := &connectors.Error{Op: connectors.StageSignIn, Target: host(c.TokenURL), Said: strings.TrimSpace(code + " " + said)}
	switch code {
	case "access_denied":
		e.Code, e.Reason = connectors.Denied, "oauth.denied"
	case "invalid_client", "unauthorized_client":
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "oauth.client", c.SecretField
		if c.ClientAuth == ClientNone || code == "unauthorized_client" {
			e.Field = c.ClientField
		}
	case "invalid_grant":
		e.Code, e.Reason = connectors.SignInAgain, "oauth.grant"
	case "invalid_scope":
		e.Code, e.Reason, e.Field = connectors.BadInput, "oauth.scope", "scopes"
	case "redirect_uri_mismatch", "invalid_redirect_uri":
		e.Code, e.Reason, e.Field = connectors.BadInput, "oauth.redirect", "redirect_host"
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		e.Code, e.Reason = connectors.SignInAgain, "oauth.grant"
	case "temporarily_unavailable", "server_error":
		e.Code, e.Reason = connectors.Unreachable, "http.down"
	case "unsupported_response_type", "unsupported_grant_type":
		e.Code, e.Reason, e.Field = connectors.Unsupported, "oauth.grant_type", c.ClientField
	default:
		e.Code, e.Reason = connectors.Refused, "oauth.other"
	}
	return c.microsoft(e, said, grant)
}

var aadsts = regexp.MustCompile(`AADSTS(\d{5,7})`)

// microsoft reads the number in an Entra ID description, which says more than
// the code (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
func (c Config) microsoft(e *connectors.Error, said, _ string) error {
	m := aadsts.FindStringSubmatch(said)
	if m == nil {
		return e
	}
	switch m[1] {
	case "65001", "90094", "650056":
		e.Code, e.Reason, e.Field = connectors.Denied, "oauth.aad.consent", ""
	case "50011":
		e.Code, e.Reason, e.Field = connectors.BadInput, "oauth.redirect", ""
	case "7000215", "7000222":
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "oauth.client", c.SecretField
	case "700016":
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "oauth.aad.app", c.ClientField
	case "90072", "50020", "90002":
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "oauth.aad.tenant", "tenant"
	case "50076", "50079", "50158":
		e.Code, e.Reason, e.Field = connectors.SignInAgain, "oauth.aad.mfa", ""
	case "53003", "53000", "53001":
		e.Code, e.Reason, e.Field = connectors.Denied, "oauth.aad.policy", ""
	}
	return e
}

func host(place string) string {
	_, rest, _ := strings.Cut(place, "://")
	h, _, _ := strings.Cut(rest, "/")
	return h
}

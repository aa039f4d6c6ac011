package oauthx

import (
	"regexp"

	"jackfield/connectors"
)

var aadsts = regexp.MustCompile(`AADSTS(\d{5,7})`)

// microsoft reads the number in an Entra ID description, which says more than
// the code (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
func (c Config) microsoft(said string) (meaning, bool) {
	m := aadsts.FindStringSubmatch(said)
	if m == nil {
		return meaning{}, false
	}
	for _, of := range []func(string) (meaning, bool){c.entraApp, c.entraTenant, entraPerson} {
		if found, ok := of(m[1]); ok {
			return found, true
		}
	}
	return meaning{}, false
}

// entraApp is about the registration of the application.
func (c Config) entraApp(number string) (meaning, bool) {
	switch number {
	case "65001", "90094", "650056":
		return meaning{connectors.Denied, "oauth.aad.consent", ""}, true
	case "50011", "500113":
		return meaning{connectors.BadInput, "oauth.redirect", c.RedirectField}, true
	case "7000215":
		return meaning{connectors.AuthFailed, "oauth.aad.secret", c.SecretField}, true
	case "7000222":
		return meaning{connectors.Expired, "oauth.aad.secret_expired", c.SecretField}, true
	case "7000218":
		return meaning{connectors.AuthFailed, "oauth.aad.public", c.ClientField}, true
	case "700016":
		return meaning{connectors.AuthFailed, "oauth.aad.app", c.ClientField}, true
	case "700027", "700021", "700023", "700030":
		return meaning{connectors.AuthFailed, "oauth.client.key", c.SecretField}, true
	case "700024":
		return meaning{connectors.AuthFailed, "oauth.clock", ""}, true
	case "500011":
		return meaning{connectors.BadInput, "oauth.aad.resource", c.ResourceField}, true
	}
	return meaning{}, false
}

// entraTenant is about the company that is signed in to.
func (c Config) entraTenant(number string) (meaning, bool) {
	switch number {
	case "90072", "50020":
		return meaning{connectors.AuthFailed, "oauth.aad.tenant", c.TenantField}, true
	case "50128", "90013", "90002":
		return meaning{connectors.BadInput, "oauth.aad.no_tenant", c.TenantField}, true
	case "50194":
		return meaning{connectors.BadInput, "oauth.aad.single", c.TenantField}, true
	case "50126", "50034":
		return meaning{connectors.AuthFailed, "oauth.password", c.GrantField}, true
	case "50055":
		return meaning{connectors.Expired, "oauth.aad.password_expired", c.GrantField}, true
	}
	return meaning{}, false
}

// entraPerson is about who signs in.
func entraPerson(number string) (meaning, bool) {
	switch number {
	case "50076", "50079", "50158":
		return meaning{connectors.SignInAgain, "oauth.aad.mfa", ""}, true
	case "53003", "53000", "53001":
		return meaning{connectors.Denied, "oauth.aad.policy", ""}, true
	case "50105":
		return meaning{connectors.Denied, "oauth.aad.assigned", ""}, true
	case "65004":
		return meaning{connectors.Denied, "oauth.denied", ""}, true
	case "700082", "70043", "70008":
		return meaning{connectors.SignInAgain, "oauth.aad.expired", ""}, true
	case "50173":
		return meaning{connectors.SignInAgain, "oauth.aad.revoked", ""}, true
	case "50053":
		return meaning{connectors.Throttled, "oauth.aad.locked", ""}, true
	}
	return meaning{}, false
}

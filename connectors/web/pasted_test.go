package web

import (
	"strings"
	"testing"

	"jackfield/connectors"
)

func TestWhatIsOftenPastedInsteadIsNamedOrPutRight(t *testing.T) {
	for _, c := range []struct{ id, field, pasted, becomes, says string }{
		{"zoom", "account_id", "123 456 7890", "", "account number"},
		{"zoom", "client_secret", "eyJpractice", "", "is a token"},
		{"docusign", "user_id", "mira@example.com", "", "email address"},
		{"docusign", "account_id", "12345678", "", "short account number"},
		{"docusign", "private_key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "", "public key"},
		{"quickbooks", "realm", "9130 3470-0000 0000", "9130347000000000", ""},
		{"quickbooks", "refresh_token", "eyJpracticeonlypracticeonly", "", "access token"},
		{"xero", "client_secret", strings.Repeat("0", 32), "", "Client id"},
		{"mailchimp", "server", "https://us21.admin.mailchimp.com/lists/", "us21", ""},
		{"mailchimp", "server", strings.Repeat("0", 30) + "-us7", "us7", ""},
		{"mailchimp", "api_key", "md-practiceonly", "", "Mandrill"},
		{"mailchimp", "api_key", strings.Repeat("0", 32), "", "end of the key is missing"},
		{"sendgrid", "api_key", "practiceonly0000000000", "", "API Key ID"},
		{"sendgrid", "api_key", "SK" + strings.Repeat("0", 32), "", "phone services"},
		{"okta", "domain", "https://acme-admin.okta.com/admin/users", "https://acme.okta.com", ""},
		{"okta", "domain", "acme", "https://acme.okta.com", ""},
		{"okta", "domain", "https://login.okta.com", "", "a page of Okta itself"},
		{"okta", "domain", "https://acme.example.com", "", "ends with okta.com"},
		{"okta", "domain", "https://acme.us.auth0.com", "", "Auth0"},
		{"okta", "api_token", "0oa00000000000000000", "", "client ID"},
		{"auth0", "domain", "acme.eu.auth0.com/u/login", "https://acme.eu.auth0.com", ""},
		{"auth0", "domain", "https://manage.auth0.com/dashboard/us/acme/", "", "a page of Auth0 itself"},
		{"auth0", "client_secret", "eyJpractice.only.0000", "", "is a token"},
		{"datadog", "api_key", strings.Repeat("0", 40), "", "application key"},
		{"datadog", "app_key", strings.Repeat("0", 32), "", "API key"},
	} {
		f, ok := catalogued(t, c.id).Form.Field(c.field)
		if !ok {
			t.Errorf("%s has no field %s", c.id, c.field)
			continue
		}
		v := c.pasted
		if f.Tidy != nil {
			v = f.Tidy(v)
		}
		err := f.Valid(v)
		switch {
		case c.says == "" && (err != nil || v != c.becomes):
			t.Errorf("%s %s: %q, %v, want %q", c.id, c.field, v, err, c.becomes)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s %s: %v does not say %q", c.id, c.field, err, c.says)
		}
	}
}

func TestAHostIsAnchoredUnlessTheFileItselfListsItsEnds(t *testing.T) {
	choice := func(values ...string) connectors.Type {
		f := connectors.Field{Key: "site", Kind: connectors.Choice}
		for _, v := range values {
			f.Options = append(f.Options, connectors.Option{Value: v})
		}
		return connectors.Type{Form: connectors.Form{Fields: []connectors.Field{f, {Key: "name", Kind: connectors.Text}}}}
	}
	for _, c := range []struct {
		place string
		sites []string
		good  bool
	}{
		{"https://api.{site}/v1", []string{"example.com", "example.eu"}, true},
		{"https://{site}/v1?x={name}", []string{"example.com"}, true},
		{"https://{site}", []string{"example.com", "com"}, false},
		{"https://{name}.{site}", []string{"example.com"}, true},
		{"https://{name}.{site}", []string{"com"}, false},
		{"https://api.{name}/v1", []string{"example.com"}, false},
		{"https://{site}.{name}", []string{"example.com"}, false},
	} {
		if err := (service{}).anchored(choice(c.sites...), c.place); (err == nil) != c.good {
			t.Errorf("%s with %q: %v", c.place, c.sites, err)
		}
	}
}

func TestARefusedTokenIsToldInTheFilesOwnWords(t *testing.T) {
	w := oauthWay{Refused: []rule{{Has: []string{"Not Active"}, Code: connectors.Denied, Field: "client_id", Title: "The application is switched off.", Hint: "Switch it on."}}}
	refused := &connectors.Error{Code: connectors.AuthFailed, Reason: "oauth.client", Field: "client_secret", Op: connectors.StageSignIn, Said: "invalid_client the app is not active"}
	e := connectors.Classify(w.retold(refused))
	if e.Code != connectors.Denied || e.Field != "client_id" || e.Reason != "" || e.Title == "" || e.Said != refused.Said {
		t.Errorf("%+v", e)
	}
	other := &connectors.Error{Code: connectors.AuthFailed, Op: connectors.StageSignIn, Said: "invalid_client"}
	if got := w.retold(other); got != error(other) {
		t.Errorf("%+v", got)
	}
	elsewhere := &connectors.Error{Code: connectors.Unreachable, Op: connectors.StageConnect, Said: "not active"}
	if got := w.retold(elsewhere); got != error(elsewhere) {
		t.Errorf("%+v", got)
	}
}

package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// What people paste into the wrong field has a sentence of its own.
func TestMixedUpAnswers(t *testing.T) {
	const guid, zeros = "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"
	for _, c := range []struct{ service, field, answer, says string }{
		{"dynamics365", "client_secret", guid, "This is the Secret ID."},
		{"dynamics365", "base_url", "https://acme.operations.dynamics.com/?cmp=usmf", "Finance and Operations"},
		{"dynamics365", "base_url", "https://home.dynamics.com", "start page"},
		{"dynamics365", "base_url", "https://acme.my.salesforce.com", "The environment's own address"},
		{"dynamics365", "tenant", "consumers", "Personal Microsoft accounts"},
		{"dynamics365", "login_url", "https://login.example.com", "https://login.microsoftonline.com"},
		{"coupa", "base_url", "https://supplier.coupahost.com/sessions/new", "supplier portal"},
		{"coupa", "base_url", "https://acme.service-now.com", "address of your Coupa instance"},
		{"coupa", "client_secret", "core.supplier.read", "This is a scope."},
		{"coupa", "scopes", "core.supplier.read, core.user.read", "not by commas"},
		{"twilio", "account_sid", "SK" + zeros, "SID of an API key"},
		{"twilio", "account_sid", zeros, "looks like the Auth Token"},
		{"twilio", "account_sid", "PN" + zeros, "something else"},
		{"twilio", "auth_token", "AC" + zeros, "This is the Account SID."},
		{"twilio", "auth_token", "SK" + zeros, "Choose API key"},
		{"twilio", "key_sid", "AC" + zeros, "belongs in the first field"},
		{"twilio", "key_secret", "SK" + zeros, "an SID, not the Secret"},
		{"twilio", "base_url", "https://console.twilio.com/us1/account", "page for people"},
		{"servicenow", "base_url", "https://developer.service-now.com/dev.do", "own pages"},
		{"servicenow", "base_url", "https://acme.example.com", "address of your ServiceNow instance"},
		{"alloy", "api_key", "aaaa.bbbb.cccc", "token of a user"},
		{"alloy", "api_key", "658c703c524d011f001fe3e4", "ID of a user"},
		{"salesforce", "client_id", strings.Repeat("A", 64), "This is the Consumer Secret."},
		{"salesforce", "client_secret", "3MVG9000000000000000000000", "This is the Consumer Key."},
		{"salesforce", "login_url", "https://app.hubspot.com", "Your Salesforce address"},
		{"hubspot", "token", guid, "old API key"},
		{"hubspot", "token", "eu1-" + guid, "developer API key"},
		{"hubspot", "client_secret", "pat-eu1-" + guid, "access token of a private app"},
		{"hubspot", "client_id", "1234567", "App ID is a short number"},
	} {
		t.Run(c.service+" "+c.field+" "+c.says, func(t *testing.T) {
			form := catalogued(t, c.service).Form
			f, ok := form.Field(c.field)
			if !ok || f.Valid == nil {
				t.Fatalf("%s has no rule", c.field)
			}
			v := c.answer
			if f.Tidy != nil {
				v = f.Tidy(v)
			}
			if err := f.Valid(v); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q in it", err, c.says)
			}
		})
	}
}

// What people paste from the browser is put right.
func TestPastedAddresses(t *testing.T) {
	for _, c := range []struct{ service, field, pasted, want string }{
		{"dynamics365", "base_url", "acme.crm4.dynamics.com/main.aspx?appid=1&pagetype=entitylist", "https://acme.crm4.dynamics.com"},
		{"coupa", "base_url", "https://acme.coupahost.com/suppliers", "https://acme.coupahost.com"},
		{"servicenow", "base_url", "https://acme.service-now.com/now/nav/ui/classic/params/target/incident_list.do", "https://acme.service-now.com"},
		{"salesforce", "login_url", "https://acme.lightning.force.com/lightning/o/Account/list", "https://acme.my.salesforce.com"},
		{"salesforce", "login_url", "https://acme--uat.sandbox.lightning.force.com/lightning/page/home", "https://acme--uat.sandbox.my.salesforce.com"},
		{"salesforce", "login_url", "acme.my.salesforce-setup.com/lightning/setup/SetupOneHome/home", "https://acme.my.salesforce.com"},
	} {
		f, _ := catalogued(t, c.service).Form.Field(c.field)
		if got := f.Tidy(c.pasted); got != c.want || f.Valid(got) != nil {
			t.Errorf("%s makes %q of %q: %v", c.service, got, c.pasted, f.Valid(got))
		}
	}
}

func pageSaying(says string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html;charset=UTF-8")
		_, _ = fmt.Fprintf(w, "<html><title>%s</title></html>", says)
	}
}

// A sleeping developer instance is known by its page, also before a browser
// would be opened; data that speaks of sleep is data.
func TestServiceNowSleepingInstance(t *testing.T) {
	asleep := serve(t, pageSaying("Your instance is hibernating"))
	awake := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, m{"result": []m{{"user_name": "reader", "title": "Laptop hibernates"}}})
	}))
	ty := catalogued(t, "servicenow")
	open := func(base, auth string) error {
		s := connectors.NewSettings()
		s.Plain = map[string]string{"base_url": base, "auth": auth, "user": "reader", "client_id": "0000000000000000"}
		s.Secrets["password"], s.Secrets["client_secret"] = connectors.NewSecret("practice-only"), connectors.NewSecret("practice-only")
		session, err := ty.Open(t.Context(), conntest.NewWorld(t).Env, s)
		if err == nil {
			_ = session.Close()
		}
		return err
	}
	for _, auth := range []string{"basic", "oauth"} {
		e := connectors.Classify(open(asleep, auth))
		if e == nil || e.Code != connectors.Unreachable || e.Field != "base_url" || !strings.Contains(e.Title, "asleep") {
			t.Errorf("%s: %+v", auth, e)
		}
	}
	if err := open(awake, "basic"); err != nil {
		t.Error(err)
	}
}

// The client credentials flow of Salesforce refuses in words of its own.
func TestSalesforceApplicationRefused(t *testing.T) {
	for said, want := range map[string]struct {
		code  connectors.Code
		field string
	}{
		"no client credentials user enabled":   {connectors.Denied, "client_id"},
		"request not supported on this domain": {connectors.BadInput, "login_url"},
		"ip restricted":                        {connectors.Denied, ""},
		"something else":                       {connectors.AuthFailed, "client_secret"},
	} {
		base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 400, m{"error": "invalid_grant", "error_description": said})
		}))
		s := connectors.NewSettings()
		s.Plain = map[string]string{"login_url": base, "auth": "app", "client_id": "3MVG9000000000000000000000"}
		s.Secrets["client_secret"] = connectors.NewSecret("practice-only-secret")
		_, err := catalogued(t, "salesforce").Open(t.Context(), conntest.NewWorld(t).Env, s)
		if e := connectors.Classify(err); e == nil || e.Code != want.code || e.Field != want.field {
			t.Errorf("%s: %+v", said, e)
		}
	}
}

// A token that a service made for somebody is shown taken apart, never as what
// opens something.
func TestAlloyUserTokenIsShownWithoutItsSignature(t *testing.T) {
	// {"alg":"HS256"} . {"userId":"u1"}
	token := "IHsiYWxnIjoiSFMyNTYifQ.IHsidXNlcklkIjoidTEifQ.practice-only-signature"
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/text/token"):
			_, _ = fmt.Fprint(w, token)
		case strings.HasSuffix(r.URL.Path, "/object/token"):
			answer(w, 200, m{"token": token})
		case strings.HasSuffix(r.URL.Path, "/none/token"):
			answer(w, 200, m{"message": "no token"})
		default:
			answer(w, 200, m{"data": []m{{"userId": "u1"}}})
		}
	}))
	s := connectors.NewSettings()
	s.Plain["base_url"] = base
	s.Secrets["api_key"] = connectors.NewSecret("practice-only-alloy-key")
	session := conntest.Open(t, catalogued(t, "alloy"), s)
	for _, user := range []string{"text", "object"} {
		id := connectors.NodeID("users/" + user + "/token")
		sample, err := session.(connectors.Sampler).Sample(t.Context(), id, 4096)
		if err != nil || !strings.Contains(string(sample.Data), `"userId":"u1"`) && !strings.Contains(string(sample.Data), `"userId": "u1"`) || strings.Contains(string(sample.Data), "signature") {
			t.Errorf("%s: %s %v", user, sample.Data, err)
		}
		table, err := session.(connectors.Tabler).Table(t.Context(), id, 10)
		if err != nil || !slices.Equal(table.Rows[0], []any{"userId", "u1"}) {
			t.Errorf("%s: %+v %v", user, table, err)
		}
	}
	if _, err := session.(connectors.Sampler).Sample(t.Context(), "users/none/token", 4096); err == nil {
		t.Error("an answer without a token was shown as one")
	}
}

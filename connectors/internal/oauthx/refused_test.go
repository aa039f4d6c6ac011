package oauthx_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/oauthx"
)

func TestRefusalsSayWhatToPutRight(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		q := r.URL.Query()
		_ = json.NewEncoder(w).Encode(map[string]string{"error": q.Get("code"), "error_description": q.Get("said")})
	})
	const (
		client, assertion, password, pasted = oauthx.GrantClient, oauthx.GrantAssertion, oauthx.GrantPassword, oauthx.GrantRefresh
	)
	for _, c := range []struct {
		grant, code, said string
		is                connectors.Code
		reason, field     string
	}{
		{client, "invalid_client", "", connectors.AuthFailed, "oauth.client", "secret"},
		{client, "unauthorized_client", "", connectors.AuthFailed, "oauth.client", "client"},
		{client, "invalid_scope", "", connectors.BadInput, "oauth.scope", "scopes"},
		{client, "invalid_target", "", connectors.BadInput, "oauth.resource", "resource"},
		{client, "unsupported_grant_type", "", connectors.Unsupported, "oauth.grant_type.alone", "client"},
		{client, "temporarily_unavailable", "", connectors.Unreachable, "http.down", ""},
		{client, "something_new", "", connectors.Refused, "oauth.other", ""},
		{client, "org_internal", "", connectors.Denied, "oauth.google.internal", "client"},
		{client, "admin_policy_enforced", "", connectors.Denied, "oauth.google.policy", ""},
		{client, "access_denied", "The app has not completed the Google verification process", connectors.Denied, "oauth.testing", "client"},
		{client, "access_denied", "", connectors.Denied, "oauth.denied", ""},
		{assertion, "invalid_grant", "Invalid JWT Signature.", connectors.AuthFailed, "oauth.assertion", "grant"},
		{assertion, "invalid_grant", "user hasn't approved this consumer", connectors.Denied, "oauth.assertion.consent", "client"},
		{assertion, "consent_required", "", connectors.Denied, "oauth.assertion.consent", "client"},
		{assertion, "unauthorized_client", "", connectors.Denied, "oauth.assertion.allowed", "client"},
		{password, "invalid_grant", "", connectors.AuthFailed, "oauth.password", "grant"},
		{password, "invalid_grant", "AADSTS50126: wrong", connectors.AuthFailed, "oauth.password", "grant"},
		{password, "invalid_grant", "AADSTS50055: expired", connectors.Expired, "oauth.aad.password_expired", "grant"},
		{password, "invalid_grant", "AADSTS50053: locked", connectors.Throttled, "oauth.aad.locked", ""},
		{pasted, "invalid_grant", "", connectors.SignInAgain, "oauth.pasted_refresh", "grant"},
		{pasted, "invalid_grant", "AADSTS700082: inactive", connectors.SignInAgain, "oauth.aad.expired", ""},
		{pasted, "invalid_grant", "AADSTS70043: frequency", connectors.SignInAgain, "oauth.aad.expired", ""},
		{pasted, "invalid_grant", "AADSTS50173: revoked", connectors.SignInAgain, "oauth.aad.revoked", ""},
		{client, "unauthorized_client", "AADSTS50194: not multi-tenant", connectors.BadInput, "oauth.aad.single", "tenant"},
		{client, "invalid_request", "AADSTS90002: no tenant", connectors.BadInput, "oauth.aad.no_tenant", "tenant"},
		{client, "invalid_request", "AADSTS50128: domain", connectors.BadInput, "oauth.aad.no_tenant", "tenant"},
		{client, "invalid_request", "AADSTS90013: input", connectors.BadInput, "oauth.aad.no_tenant", "tenant"},
		{client, "invalid_request", "AADSTS90072: other", connectors.AuthFailed, "oauth.aad.tenant", "tenant"},
		{client, "invalid_request", "AADSTS500113: no reply address", connectors.BadInput, "oauth.redirect", "redirect"},
		{client, "invalid_grant", "AADSTS50105: not assigned", connectors.Denied, "oauth.aad.assigned", ""},
		{client, "access_denied", "AADSTS65004: declined", connectors.Denied, "oauth.denied", ""},
		{client, "invalid_client", "AADSTS7000215: Invalid client secret", connectors.AuthFailed, "oauth.aad.secret", "secret"},
		{client, "invalid_client", "AADSTS7000222: expired", connectors.Expired, "oauth.aad.secret_expired", "secret"},
		{client, "invalid_client", "AADSTS7000218: secret or assertion", connectors.AuthFailed, "oauth.aad.public", "client"},
		{client, "invalid_client", "AADSTS700027: signature", connectors.AuthFailed, "oauth.client.key", "secret"},
		{client, "invalid_resource", "AADSTS500011: principal not found", connectors.BadInput, "oauth.aad.resource", "resource"},
	} {
		conf := alone(l)[c.grant]
		conf.TokenURL += "?" + url.Values{"code": {c.code}, "said": {c.said}}.Encode()
		conf.ClientField, conf.SecretField, conf.GrantField, conf.ScopesField, conf.TenantField, conf.ResourceField, conf.RedirectField = "client", "secret", "grant", "scopes", "tenant", "resource", "redirect"
		_, err := nobody(t, conntest.NewWorld(t), conf)
		e := connectors.Classify(err)
		if e == nil || e.Code != c.is || e.Reason != c.reason || e.Field != c.field {
			t.Errorf("%s %s %q: %+v", c.grant, c.code, c.said, e)
		}
		conf.ClientField, conf.SecretField, conf.GrantField, conf.ScopesField, conf.TenantField, conf.ResourceField, conf.RedirectField = "", "", "", "", "", "", ""
		_, err = nobody(t, conntest.NewWorld(t), conf)
		if e := connectors.Classify(err); e == nil || e.Field != "" {
			t.Errorf("%s %s points at the field %q that no form has", c.grant, c.code, e.Field)
		}
	}
}

func TestCommasBetweenScopesAreExplained(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_scope"}`)
	})
	for separator, want := range map[string]string{"": "oauth.scope.commas", ",": "oauth.scope"} {
		c := alone(l)[oauthx.GrantClient]
		c.Scopes, c.ScopeSeparator = []string{"a,b", "c"}, separator
		_, err := nobody(t, conntest.NewWorld(t), c)
		if e := connectors.Classify(err); e == nil || e.Reason != want {
			t.Errorf("%q: %v", separator, err)
		}
	}
}

func TestAClockThatIsWrongIsSaidToBe(t *testing.T) {
	for _, c := range []struct {
		off        time.Duration
		auth, code string
		reason     string
		said       string
	}{
		{7 * time.Minute, oauthx.ClientJWT, "invalid_client", "oauth.clock", "7 minutes ahead"},
		{-7*time.Minute - 30*time.Second, oauthx.ClientJWT, "invalid_client", "oauth.clock", "7 minutes behind"},
		{30 * time.Second, oauthx.ClientJWT, "invalid_client", "oauth.client.key", "invalid_client"},
		{7 * time.Minute, oauthx.ClientPost, "invalid_client", "oauth.client", "invalid_client"},
		{7 * time.Minute, oauthx.ClientJWT, "invalid_scope", "oauth.scope", "invalid_scope"},
	} {
		l := newLedger(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprintf(w, `{"error":%q}`, c.code)
		})
		conf := alone(l)[oauthx.GrantClient]
		conf.ClientAuth, conf.ClientAssertion = c.auth, fixed("practice-assertion")
		w := conntest.NewWorld(t)
		w.Env.Now = func() time.Time { return time.Now().Add(c.off) }
		_, err := nobody(t, w, conf)
		if e := connectors.Classify(err); e == nil || e.Reason != c.reason || !strings.Contains(e.Said, c.said) {
			t.Errorf("%v %s %s: %+v", c.off, c.auth, c.code, e)
		}
	}
}

func TestAProviderThatRepeatsTheSecretDoesNotPutItOnTheScreen(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_client","error_description":"practice-only-client practice-only-password practice-only-pasted are wrong"}`)
	})
	for grant, c := range alone(l) {
		w := conntest.NewWorld(t)
		_, err := nobody(t, w, c)
		if shown := fmt.Sprintf("%v %+v %+v %s", err, connectors.Classify(err), connectors.Explain(err), w.Log()); strings.Contains(shown, "practice-only-") {
			t.Errorf("%s: %s", grant, shown)
		}
	}
}

func TestDiscoveryTellsWhatAGrantNeeds(t *testing.T) {
	doc := map[string]any{}
	var base string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(doc) }))
	defer s.Close()
	base = s.URL
	_, client := world(t)
	find := func(more map[string]any) (oauthx.Metadata, error) {
		doc = map[string]any{"issuer": base, "token_endpoint": base + "/t", "grant_types_supported": []string{"client_credentials"}}
		for k, v := range more {
			doc[k] = v
		}
		return oauthx.Discover(t.Context(), client, base)
	}
	m, err := find(nil)
	if err != nil || len(m.Grants) != 1 {
		t.Fatalf("%+v %v", m, err)
	}
	for grant, want := range map[string]string{"": "oauth.no_browser", oauthx.GrantDevice: "oauth.device.none", oauthx.GrantClient: ""} {
		c := oauthx.Config{Grant: grant}
		err := c.Apply(m)
		if e := connectors.Classify(err); want == "" && err != nil || want != "" && (e == nil || e.Reason != want) {
			t.Errorf("%q: %v", grant, err)
		}
	}
	if m, err = find(map[string]any{"device_authorization_endpoint": base + "/d", "revocation_endpoint": base + "/r"}); err != nil {
		t.Fatal(err)
	}
	c := oauthx.Config{Grant: oauthx.GrantDevice}
	if err := c.Apply(m); err != nil || c.DeviceURL != base+"/d" || c.RevokeURL != base+"/r" {
		t.Errorf("%+v %v", c, err)
	}
	for _, key := range []string{"token_endpoint", "authorization_endpoint", "device_authorization_endpoint", "revocation_endpoint", "userinfo_endpoint"} {
		if _, err := find(map[string]any{key: "http://login.example.com/x"}); connectors.CodeOf(err) != connectors.Untrusted {
			t.Errorf("%s without https: %v", key, err)
		}
	}
}

func TestEveryReasonHasWordsOfItsOwn(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reason := regexp.MustCompile(`"((?:oauth|http)\.[a-z_.]+)"`)
	seen := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reason.FindAllStringSubmatch(string(data), -1) {
			seen++
			if key := m[1]; !connectors.English().Has(key) {
				t.Errorf("%s: %s has no words", file, key)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d reasons were found", seen)
	}
}

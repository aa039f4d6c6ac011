package oauthx_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/internal/oauthx"
)

func TestSecurity18_TokensAreTakenBackAsTheProviderWantsIt(t *testing.T) {
	status, got := 200, ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Method + " " + r.URL.EscapedPath() + " " + r.Header.Get("Authorization") + r.FormValue("token")
		if status == 302 {
			http.Redirect(w, r, "/elsewhere", status)
			return
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	_, client := world(t)
	kept := connectors.NewSecret(`{"access_token":"practice-access","refresh_token":"practice/refresh"}`)
	byDelete := func(where string, kept connectors.Secret) error {
		return oauthx.RevokeByDelete(t.Context(), client, where, kept)
	}
	bearer := func(where string, kept connectors.Secret) error {
		return oauthx.RevokeBearer(t.Context(), client, where, kept)
	}
	form := func(where string, kept connectors.Secret) error {
		return oauthx.Revoke(t.Context(), client, oauthx.Config{ClientAuth: oauthx.ClientNone, RevokeURL: where}, "", kept)
	}
	for _, c := range []struct {
		name string
		way  func(string, connectors.Secret) error
		sent string
	}{
		{"DELETE", byDelete, "DELETE /tokens/practice%2Frefresh "}, {"bearer", bearer, "POST /tokens Bearer practice-access"}, {"form", form, "POST /tokens practice/refresh"},
	} {
		for code, want := range map[int]connectors.Code{200: "", 302: connectors.Refused, 503: connectors.Unreachable} {
			status, got = code, ""
			if err := c.way(s.URL+"/tokens", kept); connectors.CodeOf(err) != want || got != c.sent {
				t.Errorf("%s %d: %v after %q", c.name, code, err, got)
			}
		}
		got = ""
		if err := c.way(s.URL, connectors.Secret{}); err != nil || got != "" {
			t.Errorf("%s without a token: %v after %q", c.name, err, got)
		}
		if err := c.way("http://login.example.com", kept); connectors.CodeOf(err) != connectors.Untrusted {
			t.Errorf("%s without https: %v", c.name, err)
		}
	}
	status = 404
	if err := byDelete(s.URL, kept); err != nil {
		t.Errorf("one that is gone already: %v", err)
	}
	where := s.URL
	s.Close()
	if err := byDelete(where, kept); err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, connectors.Classify(err)), "practice") {
		t.Errorf("%v", err)
	}
}

package web

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestSecurity18_RevokingEndsTheSignInAtOIDCProvider(t *testing.T) {
	issuer := startProvider(t, 600)
	w := newLinkWorld(t)
	s := oauthSettings(issuer)
	session := openLinked(t, w, s)
	rows := func() error {
		_, err := session.(connectors.Tabler).Table(t.Context(), "/customers", 5)
		return err
	}
	if err := rows(); err != nil {
		t.Fatal(err)
	}
	s.Secrets["oauth_token"] = w.Kept()["oauth_token"]
	if err := OAuth().Revoke(t.Context(), w.Env, s); err != nil {
		t.Fatal(err)
	}
	if err := rows(); connectors.CodeOf(err) != connectors.SignInAgain {
		t.Errorf("afterwards: %v", err)
	}
}

func TestSecurity18_AProviderThatDoesNotRevokeIsReported_DocsShaped(t *testing.T) {
	var base string
	base = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			_ = json.NewEncoder(w).Encode(m{"issuer": base, "authorization_endpoint": base + "/a", "token_endpoint": base + "/t", "revocation_endpoint": base + "/revoke", "code_challenge_methods_supported": []string{"S256"}})
		case "/revoke":
			if err := r.ParseForm(); err != nil || r.PostForm.Get("token") != "refresh-practice" || r.PostForm.Get("token_type_hint") != "refresh_token" || r.PostForm.Get("client_id") != "desktop" {
				t.Errorf("it was asked for %v", r.PostForm)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	s := oauthSettings(base)
	s.Secrets["oauth_token"] = connectors.NewSecret(`{"access_token":"access-practice","refresh_token":"refresh-practice"}`)
	if err := OAuth().Revoke(t.Context(), conntest.NewWorld(t).Env, s); err == nil {
		t.Error("503 passes for done")
	}
	silent := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	s.Plain["issuer"] = silent
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := OAuth().Revoke(ctx, conntest.NewWorld(t).Env, s); connectors.CodeOf(err) != connectors.TimedOut {
		t.Errorf("a silent provider: %v", err)
	}
}

package oauthx_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/oidc"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/jwtx"
	"jackfield/connectors/internal/oauthx"
)

// discovered is a client of the real provider.
func discovered(t *testing.T, client *http.Client, issuer string, c oauthx.Config) oauthx.Config {
	t.Helper()
	m, err := oauthx.Discover(t.Context(), client, issuer)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(m); err != nil {
		t.Fatal(err)
	}
	c.ClientField, c.SecretField, c.GrantField = "client_id", "client_secret", "refresh_token"
	return c
}

// opens reports whether the provider's API takes what s gives.
func opens(t *testing.T, client *http.Client, issuer string, s *oauthx.Source) bool {
	t.Helper()
	tok, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer+"/api/customers", nil)
	if err != nil {
		t.Fatal(err)
	}
	tok.SetAuthHeader(req)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// typing is a person who types the code at another device, or refuses there.
func typing(t *testing.T, w *conntest.World, refuse bool) {
	t.Helper()
	w.Env.Ask.ShowCode = func(ctx context.Context, d connectors.DeviceCode) error {
		if !strings.Contains(d.URL, "user_code=") || d.Code == "" || !d.Expires.After(time.Now()) {
			t.Errorf("shown: %+v", d)
		}
		if _, err := oidc.Visit(ctx, d.URL, refuse, false); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	}
}

func TestTheDeviceFlowAtOIDCProvider(t *testing.T) {
	issuer := oidc.Start(t, oidc.Options{})
	for name, c := range map[string]oauthx.Config{
		"public":       {ClientID: "television", ClientAuth: oauthx.ClientNone},
		"confidential": {ClientID: "printer", ClientAuth: oauthx.ClientPost, ClientSecret: connectors.NewSecret(oidc.Secret)},
	} {
		w, client := world(t)
		typing(t, w, false)
		c.Grant, c.Scopes = oauthx.GrantDevice, []string{"openid", "offline_access"}
		c.AuthParams = map[string]string{"prompt": "consent"}
		c = discovered(t, client, issuer, c)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s, err := oauthx.Start(ctx, w.Env, client, c, connectors.Secret{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !opens(t, client, issuer, s) {
			t.Errorf("%s: the token opens nothing", name)
		}
		first, err := s.Token(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Stale(ctx, first.AccessToken); err != nil || !opens(t, client, issuer, s) {
			t.Errorf("%s: the refresh: %v", name, err)
		}
		if again, err := s.Token(ctx); err != nil || again.RefreshToken == first.RefreshToken || again.RefreshToken == "" {
			t.Errorf("%s: the refresh token was not rotated: %v", name, err)
		}
		if err := oauthx.Revoke(ctx, client, c, "", w.Kept()[oauthx.Key]); err != nil || opens(t, client, issuer, s) {
			t.Errorf("%s: after revoking it works as before: %v", name, err)
		}
	}
}

func TestTheDeviceFlowIsRefusedAtOIDCProvider(t *testing.T) {
	issuer := oidc.Start(t, oidc.Options{})
	for name, c := range map[string]struct {
		conf   oauthx.Config
		refuse bool
		is     connectors.Code
		field  string
	}{
		"the person says no":  {oauthx.Config{ClientID: "television"}, true, connectors.Denied, ""},
		"a wrong secret":      {oauthx.Config{ClientID: "printer", ClientAuth: oauthx.ClientPost, ClientSecret: connectors.NewSecret("practice-only-wrong")}, false, connectors.AuthFailed, "client_secret"},
		"not for this client": {oauthx.Config{ClientID: "desktop"}, false, connectors.Refused, ""},
		"an unknown client":   {oauthx.Config{ClientID: "nobody"}, false, connectors.AuthFailed, "client_id"},
	} {
		w, client := world(t)
		typing(t, w, c.refuse)
		c.conf.Grant, c.conf.Scopes = oauthx.GrantDevice, []string{"openid"}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := oauthx.Start(ctx, w.Env, client, discovered(t, client, issuer, c.conf), connectors.Secret{})
		cancel()
		if e := connectors.Classify(err); e == nil || e.Code != c.is || e.Field != c.field {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// key makes a key pair: how the provider is told of it, and what signs with it.
func key(t *testing.T) (map[string]any, jwtx.Assertion) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.Public(), Algorithm: "ES256", Use: "sig"}}}
	return map[string]any{"jwks": public}, jwtx.Assertion{Key: k}
}

func TestSecurity14_AKeyProvesTheClientAtOIDCProvider(t *testing.T) {
	metadata, a := key(t)
	metadata["client_id"], metadata["token_endpoint_auth_method"], metadata["token_endpoint_auth_signing_alg"] = "signer", "private_key_jwt", "ES256"
	issuer := oidc.Start(t, oidc.Options{Clients: []map[string]any{metadata}})
	a.Issuer, a.Subject, a.Audience = "signer", "signer", issuer
	_, stranger := key(t)
	stranger.Issuer, stranger.Subject, stranger.Audience = "signer", "signer", issuer
	elsewhere := a
	elsewhere.Audience = "https://other.example.com"
	spent, err := a.Sign(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	signs := func(a jwtx.Assertion) oauthx.Maker {
		return func(_ context.Context, now time.Time) (string, error) { return a.Sign(now) }
	}
	for _, c := range []struct {
		name   string
		maker  oauthx.Maker
		reason string
		off    time.Duration
	}{
		{"right", signs(a), "", 0},
		{"another key", signs(stranger), "oauth.client.key", 0},
		{"another audience", signs(elsewhere), "oauth.client.key", 0},
		{"a clock an hour behind", signs(a), "oauth.clock", -time.Hour},
		{"the first use", fixed(spent), "", 0},
		{"the second use", fixed(spent), "oauth.client.key", 0},
	} {
		w := conntest.NewWorld(t)
		w.Env.Now = func() time.Time { return time.Now().Add(c.off) }
		client, err := w.Env.HTTP(connectors.HTTP{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.CloseIdleConnections)
		conf := discovered(t, client, issuer, oauthx.Config{Grant: oauthx.GrantClient, ClientID: "signer", ClientAuth: oauthx.ClientJWT, ClientAssertion: c.maker, Scopes: []string{"api.read"}})
		s, err := oauthx.Start(t.Context(), w.Env, client, conf, connectors.Secret{})
		if c.reason == "" {
			if err != nil || !opens(t, client, issuer, s) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if e := connectors.Classify(err); e == nil || e.Reason != c.reason || e.Code != connectors.AuthFailed {
			t.Errorf("%s: %+v", c.name, e)
		}
	}
}

func TestClientCredentialsAtOIDCProvider(t *testing.T) {
	issuer := oidc.Start(t, oidc.Options{})
	w := conntest.NewWorld(t)
	client, err := w.Env.HTTP(connectors.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	c := discovered(t, client, issuer, oauthx.Config{Grant: oauthx.GrantClient, ClientID: "machine", ClientAuth: oauthx.ClientBasic, ClientSecret: connectors.NewSecret(oidc.Secret), Scopes: []string{"api.read"}})
	s, err := oauthx.Start(t.Context(), w.Env, client, c, connectors.Secret{})
	if err != nil || !opens(t, client, issuer, s) {
		t.Fatal(err)
	}
	first, err := s.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stale(t.Context(), first.AccessToken); err != nil || !opens(t, client, issuer, s) {
		t.Errorf("anew: %v", err)
	}
	if second, err := s.Token(t.Context()); err != nil || second.AccessToken == first.AccessToken {
		t.Errorf("the same token: %v", err)
	}
	c.ClientSecret = connectors.NewSecret("practice-only-wrong")
	_, err = oauthx.Start(t.Context(), w.Env, client, c, w.Kept()[oauthx.Key])
	if e := connectors.Classify(err); e == nil || e.Code != connectors.AuthFailed || e.Field != "client_secret" {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestACertificateProvesTheClientAtOIDCProvider(t *testing.T) {
	ca := server.NewCA(t)
	metadata := map[string]any{"client_id": "station", "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=station"}
	issuer := oidc.Start(t, oidc.Options{TLS: ca, Clients: []map[string]any{metadata}})
	for name, works := range map[string]bool{"station": true, "stranger": false} {
		w := conntest.NewWorld(t)
		mine := ca.Issue(t, server.Cert{Name: name, Client: true})
		client, err := w.Env.HTTP(connectors.HTTP{TLS: connectors.TLS{CA: ca.PEM, Cert: mine.Cert, Key: connectors.NewSecret(mine.Key)}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.CloseIdleConnections)
		c := discovered(t, client, issuer, oauthx.Config{Grant: oauthx.GrantClient, ClientID: "station", ClientAuth: oauthx.ClientMTLS})
		s, err := oauthx.Start(t.Context(), w.Env, client, c, connectors.Secret{})
		if works {
			if err != nil || !opens(t, client, issuer, s) {
				t.Errorf("%v", err)
			}
			continue
		}
		if e := connectors.Classify(err); e == nil || e.Reason != "oauth.client.certificate" || e.Code != connectors.AuthFailed {
			t.Errorf("another certificate: %v", err)
		}
	}
}

// A browser on another machine ends at an address that does not work there; the
// refresh token that the sign-in gave is then pasted into another program.
func TestPastingAtOIDCProvider(t *testing.T) {
	issuer := oidc.Start(t, oidc.Options{})
	w, client := world(t)
	w.Env.Callback = nil
	links := make(chan string, 1)
	w.Env.Ask.OpenURL = func(_ context.Context, link string) error { links <- link; return nil }
	w.Env.Ask.Pasted = func(ctx context.Context) (string, error) { return oidc.Visit(ctx, <-links, false, true) }
	c := discovered(t, client, issuer, oauthx.Config{ClientID: "desktop", ClientAuth: oauthx.ClientNone, Scopes: []string{"openid", "offline_access"}, AuthParams: map[string]string{"prompt": "consent"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := oauthx.Start(ctx, w.Env, client, c, connectors.Secret{})
	if err != nil || !opens(t, client, issuer, s) {
		t.Fatal(err)
	}
	signed, err := s.Token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.Grant, c.PastedRefresh = oauthx.GrantRefresh, connectors.NewSecret(signed.RefreshToken)
	other := conntest.NewWorld(t)
	for range 2 { // the second start must not spend the pasted token again
		s, err := oauthx.Start(ctx, other.Env, client, c, other.Kept()[oauthx.Key])
		if err != nil || !opens(t, client, issuer, s) {
			t.Fatal(err)
		}
		tok, err := s.Token(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Stale(ctx, tok.AccessToken); err != nil {
			t.Fatal(err)
		}
	}
	_, err = oauthx.Start(ctx, conntest.NewWorld(t).Env, client, c, connectors.Secret{})
	if e := connectors.Classify(err); e == nil || e.Code != connectors.SignInAgain || e.Reason != "oauth.pasted_refresh" || e.Field != "refresh_token" {
		t.Errorf("a pasted token that was used: %v", err)
	}
}

package practice

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// plain is a client that follows no redirects and leaves nothing behind.
func plain(t *testing.T) *http.Client {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func do(t *testing.T, method, address, body string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	res, err := plain(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(data)
}

func checkAPI(t *testing.T, c Connection) {
	t.Helper()
	res, body := do(t, "GET", c.Settings.Plain["base_url"]+"/customers", "", apiKeyHeader, apiKey)
	if res.StatusCode != 200 || !strings.Contains(body, `"total": 60`) {
		t.Errorf("api: %s %s", res.Status, body)
	}
}

func TestAPI_ServesPagesToTheKey(t *testing.T) {
	c := running(t)["http"]
	base := c.Settings.Plain["base_url"]
	seen := map[float64]bool{}
	for next := "/orders"; next != ""; {
		res, body := do(t, "GET", base+next, "", c.Settings.Plain["key_name"], c.Settings.Secrets["key"].Reveal())
		var p struct {
			Items []map[string]any
			Next  string
		}
		if err := json.Unmarshal([]byte(body), &p); err != nil || res.StatusCode != 200 || len(seen) > 600 {
			t.Fatalf("%s: %s %v", next, res.Status, err)
		}
		for _, x := range p.Items {
			seen[x["id"].(float64)] = true
		}
		next = p.Next
	}
	if len(seen) != 600 {
		t.Errorf("%d orders", len(seen))
	}
	for _, x := range []struct {
		method, path, key string
		want              int
	}{
		{"GET", c.Settings.Plain["test_path"], apiKey, 200}, {"GET", "/customers/5001", apiKey, 200}, {"HEAD", "/products", apiKey, 200},
		{"GET", "/customers/1", apiKey, 404}, {"GET", "/nowhere", apiKey, 404}, {"POST", "/customers", apiKey, 405}, {"GET", "/orders?page=0", apiKey, 400},
		{"GET", "/orders?page=99999999", apiKey, 200}, {"GET", "/orders?per_page=9999", apiKey, 400}, {"GET", "/", "", 401}, {"GET", "/", "wrong", 401},
	} {
		if res, body := do(t, x.method, base+x.path, "", apiKeyHeader, x.key); res.StatusCode != x.want || strings.Contains(body, apiKey) {
			t.Errorf("%s %s with %q: %s", x.method, x.path, x.key, res.Status)
		}
	}
	if res, _ := do(t, "GET", base+"/", "", apiKeyHeader, apiKey, "Host", "rebound.example"); res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another name: %s", res.Status)
	}
}

// back is where a program waits for the browser.
func back(t *testing.T) (uri string, got chan url.Values) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got = make(chan url.Values, 5)
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.URL.Query() })}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return "http://" + l.Addr().String() + "/callback", got
}

func oauthConfig(c Connection, redirect string) *oauth2.Config {
	issuer := c.Settings.Plain["issuer"]
	return &oauth2.Config{ClientID: c.Settings.Plain["client_id"], RedirectURL: redirect, Scopes: strings.Fields(c.Settings.Plain["scopes"]),
		Endpoint: oauth2.Endpoint{AuthURL: issuer + "/authorize", TokenURL: issuer + "/token", AuthStyle: oauth2.AuthStyleInParams}}
}

// exchange signs in through the page and returns the code and what changes it.
func exchange(t *testing.T, c Connection) (cfg *oauth2.Config, ctx context.Context, code, verifier string) {
	t.Helper()
	uri, got := back(t)
	cfg, verifier = oauthConfig(c, uri), oauth2.GenerateVerifier()
	address := cfg.AuthCodeURL("state-1", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", "nonce-1"))
	if err := SignIn(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	q := <-got
	if q.Get("state") != "state-1" || q.Get("iss") != c.Settings.Plain["issuer"] || q.Get("code") == "" {
		t.Fatalf("came back with %v", q)
	}
	return cfg, context.WithValue(t.Context(), oauth2.HTTPClient, plain(t)), q.Get("code"), verifier
}

func signedIn(t *testing.T, c Connection) *oauth2.Token {
	t.Helper()
	cfg, ctx, code, verifier := exchange(t, c)
	token, err := cfg.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestOIDC_SignInOpensUserInfoAndAPI(t *testing.T) {
	c := running(t)["oauth"]
	issuer := c.Settings.Plain["issuer"]
	token := signedIn(t, c)
	if time.Until(token.Expiry) > 10*time.Minute || token.RefreshToken == "" || token.Extra("scope") != c.Settings.Plain["scopes"] {
		t.Errorf("%v %v", token.Expiry, token.Extra("scope"))
	}
	checkIDToken(t, issuer, token)
	auth := "Bearer " + token.AccessToken
	if res, body := do(t, "GET", issuer+"/userinfo", "", "Authorization", auth); res.StatusCode != 200 || !strings.Contains(body, "practice@practice.example") {
		t.Errorf("%s %s", res.Status, body)
	}
	for path := range strings.Lines("/\n" + c.Settings.Plain["paths"]) {
		if res, body := do(t, "GET", c.Settings.Plain["base_url"]+strings.TrimSpace(path), "", "Authorization", auth); res.StatusCode != 200 || len(body) < 100 {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	for _, bad := range []string{"", "Bearer", "Bearer x", "Basic " + token.AccessToken, "Bearer " + token.RefreshToken} {
		if res, _ := do(t, "GET", issuer+"/api/people", "", "Authorization", bad); res.StatusCode != 401 || !strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%q: %s", bad, res.Status)
		}
	}
}

func checkIDToken(t *testing.T, issuer string, token *oauth2.Token) {
	t.Helper()
	_, body := do(t, "GET", issuer+"/.well-known/openid-configuration", "")
	var doc struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal([]byte(body), &doc); err != nil || doc.Issuer != issuer {
		t.Fatalf("%v %s", err, body)
	}
	_, body = do(t, "GET", doc.Keys, "")
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(body), &keys); err != nil || len(keys.Keys) != 1 || !keys.Keys[0].IsPublic() {
		t.Fatalf("%v %s", err, body)
	}
	raw, _ := token.Extra("id_token").(string)
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	data, err := signed.Verify(keys.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Iss, Aud, Nonce, Sub string
		Exp                  int64
	}
	if err := json.Unmarshal(data, &claims); err != nil || claims.Iss != issuer || claims.Aud != oidcClient || claims.Nonce != "nonce-1" || claims.Sub == "" || claims.Exp < time.Now().Unix() {
		t.Errorf("%+v, %v", claims, err)
	}
}

func TestOIDC_RefreshTokensRotate(t *testing.T) {
	c := running(t)["oauth"]
	issuer := c.Settings.Plain["issuer"]
	first := signedIn(t, c)
	renew := func(token string) (int, tokens) {
		res, body := do(t, "POST", issuer+"/token", url.Values{"grant_type": {"refresh_token"}, "client_id": {oidcClient}, "refresh_token": {token}}.Encode())
		var out tokens
		if err := json.Unmarshal([]byte(body), &out); err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, out
	}
	status, second := renew(first.RefreshToken)
	if status != 200 || second.Refresh == "" || second.Refresh == first.RefreshToken || second.Access == first.AccessToken {
		t.Fatal(status)
	}
	if status, _ := renew(first.RefreshToken); status != 400 {
		t.Errorf("a spent refresh token works: %d", status)
	}
	// Showing it again looked like theft: what came of it has ended too.
	if status, _ := renew(second.Refresh); status != 400 {
		t.Errorf("its successor still works: %d", status)
	}
	if res, _ := do(t, "GET", issuer+"/userinfo", "", "Authorization", "Bearer "+second.Access); res.StatusCode != 401 {
		t.Errorf("its access token still works: %s", res.Status)
	}
	third := signedIn(t, c)
	if res, _ := do(t, "POST", issuer+"/revoke", url.Values{"client_id": {oidcClient}, "token": {third.RefreshToken}}.Encode()); res.StatusCode != 200 {
		t.Error(res.Status)
	}
	if status, _ := renew(third.RefreshToken); status != 400 {
		t.Errorf("a revoked refresh token works: %d", status)
	}
}

func TestOIDC_CodesAreForOneUseAndTheRightVerifier(t *testing.T) {
	c := running(t)["oauth"]
	cfg, ctx, code, verifier := exchange(t, c)
	if _, err := cfg.Exchange(ctx, code, oauth2.VerifierOption(oauth2.GenerateVerifier())); err == nil {
		t.Error("another verifier works")
	}
	if _, err := cfg.Exchange(ctx, code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("the code outlived a wrong verifier")
	}
	cfg, ctx, code, verifier = exchange(t, c)
	token, err := cfg.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Exchange(ctx, code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code works twice")
	}
	if res, _ := do(t, "GET", c.Settings.Plain["issuer"]+"/userinfo", "", "Authorization", "Bearer "+token.AccessToken); res.StatusCode != 401 {
		t.Errorf("tokens of a code shown twice still work: %s", res.Status)
	}
}

func TestOIDC_RefusesBrokenRequests(t *testing.T) {
	c := running(t)["oauth"]
	issuer := c.Settings.Plain["issuer"]
	good := url.Values{"response_type": {"code"}, "client_id": {oidcClient}, "redirect_uri": {"http://127.0.0.1:1/cb"}, "scope": {"openid"}, "state": {"s"},
		"code_challenge": {strings.Repeat("a", 43)}, "code_challenge_method": {"S256"}}
	for _, x := range []struct {
		key, value string
		status     int
		want       string
	}{
		{"client_id", "other", 400, ""}, {"redirect_uri", "https://evil.example/cb", 400, ""}, {"redirect_uri", "http://evil.example/cb", 400, ""},
		{"redirect_uri", "http://127.0.0.1.evil.example/", 400, ""}, {"redirect_uri", "http://a@127.0.0.1/", 400, ""}, {"response_type", "token", 302, "unsupported_response_type"},
		{"code_challenge_method", "plain", 302, "invalid_request"}, {"code_challenge", "", 302, "invalid_request"}, {"scope", "root", 302, "invalid_scope"}, {"prompt", "none", 302, "login_required"},
	} {
		q, err := url.ParseQuery(good.Encode())
		if err != nil {
			t.Fatal(err)
		}
		q.Set(x.key, x.value)
		res, _ := do(t, "GET", issuer+"/authorize?"+q.Encode(), "")
		to, err := url.Parse(res.Header.Get("Location"))
		if err != nil || res.StatusCode != x.status || to.Query().Get("error") != x.want || (x.want != "" && to.Query().Get("state") != "s") {
			t.Errorf("%s=%s: %s %s", x.key, x.value, res.Status, to)
		}
	}
	if res, _ := do(t, "GET", issuer+"/authorize?"+good.Encode()+"&state=twice", ""); res.StatusCode != 400 {
		t.Errorf("a repeated parameter: %s", res.Status)
	}
}

func TestOIDC_PageDeniesAndSaysWhatIsWrong(t *testing.T) {
	c := running(t)["oauth"]
	issuer := c.Settings.Plain["issuer"]
	uri, _ := back(t)
	address := oauthConfig(c, uri).AuthCodeURL("s", oauth2.S256ChallengeOption(oauth2.GenerateVerifier()))
	res, body := do(t, "GET", address, "")
	m := requestField.FindStringSubmatch(body)
	if res.StatusCode != 200 || m == nil || !strings.Contains(body, "Approve") || !strings.Contains(body, "Deny") || strings.Contains(body, "<script") || strings.Contains(body, "ZgotmplZ") {
		t.Fatalf("%s %s", res.Status, body)
	}
	if p := res.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "frame-ancestors 'none'") {
		t.Error(p)
	}
	post := func(decision, password string, header ...string) (*http.Response, string) {
		return do(t, "POST", issuer+"/sign-in", url.Values{"request": {m[1]}, "user": {demoUser}, "password": {password}, "decision": {decision}}.Encode(), header...)
	}
	if res, body := post("approve", "<b>wrong"); res.StatusCode != 403 || !strings.Contains(body, "do not belong together") || strings.Contains(body, "<b>") {
		t.Errorf("%s %s", res.Status, body)
	}
	if res, _ := post("approve", demoPassword, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); res.StatusCode != 403 || res.Header.Get("Location") != "" {
		t.Errorf("another site signs in: %s", res.Status)
	}
	res, _ = post("deny", "")
	if to, err := url.Parse(res.Header.Get("Location")); err != nil || res.StatusCode != 303 || to.Query().Get("error") != "access_denied" || !strings.HasPrefix(to.String(), uri) {
		t.Errorf("%s %v", res.Status, to)
	}
	if res, _ := post("approve", demoPassword); res.StatusCode != http.StatusGone {
		t.Errorf("a denied sign-in goes on: %s", res.Status)
	}
	if res, _ := do(t, "GET", address, "", "Host", "rebound.example"); res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another name: %s", res.Status)
	}
}

func TestSignIn_ServesOnlyThePracticePage(t *testing.T) {
	elsewhere, _ := back(t)
	for _, address := range []string{"https://login.example.com/authorize", "http://192.0.2.1/authorize", "::", elsewhere} {
		if err := SignIn(t.Context(), address); !errors.Is(err, errNotPractice) {
			t.Errorf("%s: %v", address, err)
		}
	}
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	_ = closed.Close()
	if err := SignIn(t.Context(), "http://"+closed.Addr().String()+"/authorize?state=hidden-state"); err == nil || strings.Contains(err.Error(), "hidden-state") {
		t.Errorf("%v", err)
	}
}

func TestGrants_Expire(t *testing.T) {
	now := time.Now()
	g := newGrants(func() time.Time { return now })
	q := &ask{back: &url.URL{}, scopes: scopes()}
	if !g.begin(q) {
		t.Fatal("no place")
	}
	out := g.issue(&family{scopes: scopes()})
	if g.accepts(out.access) == nil {
		t.Fatal("a new token opens nothing")
	}
	now = now.Add(accessLife + time.Second)
	if g.accepts(out.access) != nil {
		t.Error("an expired token opens something")
	}
	now = now.Add(askLife)
	if g.pending(q.id) != nil {
		t.Error("a sign-in waits for ever")
	}
	now = now.Add(refreshLife)
	if g.refresh(out.refresh) != nil {
		t.Error("an expired refresh token works")
	}
}

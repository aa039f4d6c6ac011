package oauthx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/oauthx"
	"jackfield/platform/loopback"
)

// provider is an OAuth provider shaped after the RFCs, whose misbehaviour a
// test chooses. The real one is in connectors/web.
type provider struct {
	*httptest.Server
	callback func(q url.Values) // changes what the browser brings back
	token    http.HandlerFunc   // answers the token request
	asked    chan url.Values    // the authorization request
}

func newProvider(t *testing.T, token http.HandlerFunc) *provider {
	t.Helper()
	p := &provider{token: token, asked: make(chan url.Values, 200)}
	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		p.asked <- q
		back := url.Values{"code": {"practice-code"}, "state": {q.Get("state")}, "iss": {p.URL}}
		if p.callback != nil {
			p.callback(back)
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) { p.token(w, r) })
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func (p *provider) config() oauthx.Config {
	return oauthx.Config{Issuer: p.URL, AuthURL: p.URL + "/authorize", TokenURL: p.URL + "/token", ClientID: "desktop", ClientAuth: oauthx.ClientNone,
		Scopes: []string{"a", "b"}, NamesIssuer: true, SecretField: "client_secret", ClientField: "client_id"}
}

func grants(w http.ResponseWriter, more map[string]any) {
	out := map[string]any{"access_token": "practice-access", "token_type": "Bearer", "refresh_token": "practice-refresh", "expires_in": 3600}
	for k, v := range more {
		out[k] = v
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func always(more map[string]any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { grants(w, more) }
}

func world(t *testing.T) (*conntest.World, *http.Client) {
	t.Helper()
	w := conntest.NewWorld(t)
	w.Env.Callback = func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
		return loopback.Listen(ctx, loopback.Options{Host: r.Host, Port: r.Port, Path: r.Path, State: r.State})
	}
	w.Env.Ask.OpenURL = func(ctx context.Context, link string) error {
		go func() {
			req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, link, nil)
			if err != nil {
				return
			}
			if res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req); err == nil {
				_ = res.Body.Close()
			}
		}()
		return nil
	}
	c, err := w.Env.HTTP(connectors.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return w, c
}

func start(t *testing.T, c oauthx.Config) (*conntest.World, *oauthx.Source, error) {
	t.Helper()
	w, client := world(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s, err := oauthx.Start(ctx, w.Env, client, c, connectors.Secret{})
	return w, s, err
}

func TestSecurity05_PKCEAlways(t *testing.T) {
	var verifiers sync.Map
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		verifiers.Store(r.FormValue("code_verifier"), true)
		grants(w, nil)
	})
	for range 3 {
		if _, _, err := start(t, p.config()); err != nil {
			t.Fatal(err)
		}
		q := <-p.asked
		if q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
			t.Errorf("asked with %v", q)
		}
	}
	n := 0
	verifiers.Range(func(any, any) bool { n++; return true })
	if n != 3 {
		t.Errorf("%d verifiers for 3 flows", n)
	}
	c := p.config()
	var plain oauthx.Metadata
	plain.Issuer, plain.AuthURL, plain.TokenURL, plain.Methods = p.URL, c.AuthURL, c.TokenURL, []string{"plain"}
	if err := c.Apply(plain); connectors.CodeOf(err) != connectors.Unsupported {
		t.Errorf("metadata without S256: %v", err)
	}
	c.WithoutPKCE = true
	if err := c.Apply(plain); err != nil {
		t.Errorf("with the explicit override: %v", err)
	}
}

func TestSecurity06_TheIssuerIsComparedByteForByte(t *testing.T) {
	for name, change := range map[string]func(url.Values){
		"slash":  func(q url.Values) { q.Set("iss", q.Get("iss")+"/") },
		"case":   func(q url.Values) { q.Set("iss", strings.Replace(q.Get("iss"), "http", "HTTP", 1)) },
		"absent": func(q url.Values) { q.Del("iss") },
		"empty":  func(q url.Values) { q.Set("iss", "") },
	} {
		asked := false
		p := newProvider(t, func(http.ResponseWriter, *http.Request) { asked = true })
		p.callback = change
		_, _, err := start(t, p.config())
		if e := connectors.Classify(err); e == nil || e.Reason != "oauth.mixed_up" {
			t.Errorf("%s: %v", name, err)
		}
		if asked {
			t.Errorf("%s: the code went to the token endpoint", name)
		}
	}
	for _, said := range []string{"https://other.example", "/", ""} {
		var base string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_ = json.NewEncoder(w).Encode(map[string]any{"issuer": base + said, "authorization_endpoint": base + "/a", "token_endpoint": base + "/t"})
		}))
		base = s.URL
		_, client := world(t)
		_, err := oauthx.Discover(t.Context(), client, s.URL)
		if said == "" && err != nil || said != "" && connectors.CodeOf(err) != connectors.Untrusted {
			t.Errorf("issuer %q: %v", said, err)
		}
		s.Close()
	}
}

func TestSecurity10_TokenRequestsFollowNoRedirect(t *testing.T) {
	var hits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1); grants(w, nil) }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, place := range []string{other.URL, "/elsewhere"} {
			p := newProvider(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, place, status) })
			_, _, err := start(t, p.config())
			if e := connectors.Classify(err); e == nil || e.Reason != "http.redirect" {
				t.Errorf("%d: %v", status, err)
			}
		}
	}
	if hits.Load() != 0 {
		t.Errorf("the second host got %d requests", hits.Load())
	}
}

func TestSecurity11_ATokenRequestIsSentOnce(t *testing.T) {
	var requests atomic.Int32
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		c, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = c.Close()
		}
	})
	if _, _, err := start(t, p.config()); err == nil {
		t.Error("it worked without an answer")
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests", n)
	}
	requests.Store(0)
	p.token = func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(401)
		_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
	}
	c := p.config()
	c.ClientAuth, c.ClientSecret = oauthx.ClientBasic, connectors.NewSecret("practice secret/+")
	_, _, err := start(t, c)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.AuthFailed || e.Field != "client_secret" || requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, requests.Load())
	}
}

func TestSecurity17_OnlyBearerAndNoErrorInA200(t *testing.T) {
	for name, more := range map[string]map[string]any{
		"mac":            {"token_type": "mac"},
		"error in 200":   {"error": "access_denied"},
		"error object":   {"error": map[string]any{"code": 7, "message": "no"}},
		"no token":       {"access_token": ""},
		"nothing usable": {"access_token": nil},
	} {
		p := newProvider(t, always(more))
		w, _, err := start(t, p.config())
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if len(w.Kept()) != 0 {
			t.Errorf("%s: something was kept", name)
		}
	}
	p := newProvider(t, always(map[string]any{"token_type": "bEaReR"}))
	if _, _, err := start(t, p.config()); err != nil {
		t.Error(err)
	}
}

func TestSecurity19_ACancelledFlowFreesPortAndGoroutines(t *testing.T) {
	p := newProvider(t, always(nil))
	ignore := goleak.IgnoreCurrent()
	for i := range 100 {
		w, client := world(t)
		var addr string
		inner := w.Env.Callback
		w.Env.Callback = func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
			c, err := inner(ctx, r)
			if err == nil {
				u, _ := url.Parse(c.RedirectURI())
				addr = u.Host
			}
			return c, err
		}
		ctx, cancel := context.WithCancel(t.Context())
		w.Env.Ask.OpenURL = func(context.Context, string) error { cancel(); return nil }
		_, err := oauthx.Start(ctx, w.Env, client, p.config(), connectors.Secret{})
		if connectors.CodeOf(err) != connectors.Cancelled {
			t.Fatalf("flow %d: %v", i, err)
		}
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			t.Fatalf("flow %d still listens", i)
		}
	}
	if err := goleak.Find(ignore); err != nil {
		t.Error(err)
	}
}

func TestSecurity24_ExpiresInIsReadTolerantly(t *testing.T) {
	for _, v := range []any{3600, 3600.0, "3600", "3600.5", "", nil, 1e300, -1, "soon", map[string]any{}} {
		p := newProvider(t, always(map[string]any{"expires_in": v}))
		w, s, err := start(t, p.config())
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		if tok, err := s.Token(t.Context()); err != nil || tok.AccessToken != "practice-access" {
			t.Errorf("%v: %v", v, err)
		}
		if !strings.Contains(w.Kept()[oauthx.Key].Reveal(), "practice-refresh") {
			t.Errorf("%v: the refresh token was lost", v)
		}
	}
}

// stale is a kept token whose access token has run out.
func stale() connectors.Secret {
	data, _ := json.Marshal(oauthx.Token{Access: "practice-old", Refresh: "practice-refresh", Expiry: time.Now().Add(-time.Hour)})
	return connectors.NewSecret(string(data))
}

func TestSecurity28_AClosedDialogPoisonsNothing(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	var requests atomic.Int32
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 1 {
			close(began)
			<-goOn
		}
		grants(w, map[string]any{"access_token": "practice-new", "refresh_token": "practice-rotated"})
	})
	w, client := world(t)
	if err := w.Env.Keep(t.Context(), oauthx.Key, stale()); err != nil {
		t.Fatal(err)
	}
	dialog, closeDialog := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := oauthx.Start(dialog, w.Env, client, p.config(), stale())
		failed <- err
	}()
	<-began
	closeDialog()
	if err := <-failed; connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("the dialog: %v", err)
	}
	close(goOn)
	for end := time.Now().Add(5 * time.Second); !strings.Contains(w.Kept()[oauthx.Key].Reveal(), "practice-rotated"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the refresh that was under way was thrown away, and its token with it")
		}
	}
	if requests.Load() != 1 {
		t.Errorf("%d refreshes", requests.Load())
	}
}

func TestSecurity20_ARefreshedTokenIsKeptBeforeItIsUsed(t *testing.T) {
	p := newProvider(t, always(map[string]any{"access_token": "practice-new", "refresh_token": "practice-rotated"}))
	w, client := world(t)
	full := errors.New("no space left")
	w.Env.Renew = func(ctx context.Context, _ string, change func(context.Context, connectors.Secret) (connectors.Secret, error)) (connectors.Secret, error) {
		if _, err := change(ctx, stale()); err != nil {
			return connectors.Secret{}, err
		}
		return connectors.Secret{}, full
	}
	if _, err := oauthx.Start(t.Context(), w.Env, client, p.config(), stale()); !errors.Is(err, full) {
		t.Errorf("a token that could not be kept was used: %v", err)
	}
}

func TestSecurity15_ResourceAndScopeAreTheSameThroughout(t *testing.T) {
	var mu sync.Mutex
	var forms []url.Values
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		mu.Lock()
		forms = append(forms, r.PostForm)
		mu.Unlock()
		grants(w, map[string]any{"expires_in": 1, "scope": "a"})
	})
	c := p.config()
	c.Resource = "https://api.example.com"
	_, s, err := start(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stale(t.Context(), "practice-access"); err != nil {
		t.Fatal(err)
	}
	q := <-p.asked
	mu.Lock()
	defer mu.Unlock()
	if len(forms) != 2 || q.Get("scope") != "a b" || forms[1].Get("scope") != "a b" {
		t.Errorf("%v %v", q, forms)
	}
	for _, v := range append(forms, q) {
		if v.Get("resource") != c.Resource {
			t.Errorf("resource is %q", v.Get("resource"))
		}
	}
	if m := s.Missing(); len(m) != 1 || m[0] != "b" {
		t.Errorf("missing %v", m)
	}
}

func TestAnInvalidGrantErasesNothing(t *testing.T) {
	p := newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = fmt.Fprint(w, `{"error":"invalid_grant","error_description":"\u202ereused"}`)
	})
	w, client := world(t)
	w.Env.Ask = connectors.Asker{}
	if err := w.Env.Keep(t.Context(), oauthx.Key, stale()); err != nil {
		t.Fatal(err)
	}
	_, err := oauthx.Start(t.Context(), w.Env, client, p.config(), stale())
	if connectors.CodeOf(err) != connectors.SignInAgain {
		t.Errorf("%v", err)
	}
	if w.Kept()[oauthx.Key].Reveal() != stale().Reveal() && !strings.Contains(w.Kept()[oauthx.Key].Reveal(), "practice-refresh") {
		t.Error("the kept token was erased")
	}
}

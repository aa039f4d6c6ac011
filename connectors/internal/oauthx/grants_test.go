package oauthx_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/oauthx"
)

// ledger is a token endpoint that remembers what it was sent.
type ledger struct {
	*httptest.Server
	mu    sync.Mutex
	forms []url.Values
	heads []http.Header
	body  []string
}

func newLedger(t *testing.T, answer http.HandlerFunc) *ledger {
	t.Helper()
	l := &ledger{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(data))
		l.mu.Lock()
		l.forms, l.heads, l.body = append(l.forms, form), append(l.heads, r.Header.Clone()), append(l.body, string(data))
		l.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *ledger) sent() []url.Values {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]url.Values(nil), l.forms...)
}

func fixed(text string) oauthx.Maker {
	return func(context.Context, time.Time) (string, error) { return text, nil }
}

// numbered counts what it makes.
func numbered() oauthx.Maker {
	var n atomic.Int32
	return func(context.Context, time.Time) (string, error) {
		return "practice-assertion-" + strconv.Itoa(int(n.Add(1))), nil
	}
}

// alone is every grant that needs nobody, against l.
func alone(l *ledger) map[string]oauthx.Config {
	base := oauthx.Config{TokenURL: l.URL + "/token", ClientID: "machine", ClientAuth: oauthx.ClientPost, ClientSecret: connectors.NewSecret("practice-only-client"), Scopes: []string{"a", "b"},
		SecretField: "client_secret", ClientField: "client_id", GrantField: "grant"}
	out := map[string]oauthx.Config{}
	for _, grant := range []string{oauthx.GrantClient, oauthx.GrantAssertion, oauthx.GrantPassword, oauthx.GrantRefresh} {
		c := base
		c.Grant = grant
		c.Assertion = fixed("practice-assertion")
		c.User, c.Password = "mira", connectors.NewSecret("practice-only-password")
		c.PastedRefresh = connectors.NewSecret("practice-only-pasted")
		out[grant] = c
	}
	return out
}

// nobody starts in a world without a person.
func nobody(t *testing.T, w *conntest.World, c oauthx.Config) (*oauthx.Source, error) {
	t.Helper()
	client, err := w.Env.HTTP(connectors.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	return oauthx.Start(t.Context(), w.Env, client, c, w.Kept()[oauthx.Key])
}

// fresh answers every request with a token of its own.
func fresh(more map[string]any) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, _ *http.Request) {
		all := map[string]any{"access_token": "practice-" + strconv.Itoa(int(n.Add(1)))}
		for k, v := range more {
			all[k] = v
		}
		grants(w, all)
	}
}

func TestGrantsThatNeedNobodyRenewBySilentlyAskingAgain(t *testing.T) {
	l := newLedger(t, fresh(map[string]any{"refresh_token": "practice-unwanted"}))
	for grant, c := range alone(l) {
		l.forms = nil
		w := conntest.NewWorld(t)
		s, err := nobody(t, w, c)
		if err != nil {
			t.Fatalf("%s: %v", grant, err)
		}
		first, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Stale(t.Context(), first.AccessToken); err != nil {
			t.Fatal(err)
		}
		second, err := s.Token(t.Context())
		if err != nil || second.AccessToken == first.AccessToken {
			t.Errorf("%s: %v %v", grant, second, err)
		}
		kept := w.Kept()[oauthx.Key].Reveal()
		if !strings.Contains(kept, second.AccessToken) {
			t.Errorf("%s: what is used is not what is kept", grant)
		}
		forms := l.sent()
		if len(forms) != 2 || grant != oauthx.GrantRefresh && forms[0].Encode() != forms[1].Encode() {
			t.Errorf("%s: %v", grant, forms)
		}
		if grant == oauthx.GrantRefresh {
			if forms[0].Get("refresh_token") != "practice-only-pasted" || forms[1].Get("refresh_token") != "practice-unwanted" {
				t.Errorf("refresh tokens %v", forms)
			}
			continue
		}
		if strings.Contains(kept, "practice-unwanted") {
			t.Errorf("%s: a refresh token is kept that nobody needs", grant)
		}
		facts := fmt.Sprint(s.Facts())
		if !strings.Contains(facts, "{Renewal by itself") || !strings.Contains(facts, "Access token until") {
			t.Errorf("%s: %s", grant, facts)
		}
	}
}

func TestOtherAnswersInTheFormMeanAnotherToken(t *testing.T) {
	l := newLedger(t, fresh(nil))
	for grant, c := range alone(l) {
		w := conntest.NewWorld(t)
		for range 2 {
			if _, err := nobody(t, w, c); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(l.sent()); n != 1 {
			t.Errorf("%s: %d requests for two starts with the same answers", grant, n)
		}
		changed := c
		changed.ClientSecret, changed.PastedRefresh = connectors.NewSecret("practice-only-other"), connectors.NewSecret("practice-only-other")
		if _, err := nobody(t, w, changed); err != nil {
			t.Fatal(err)
		}
		forms := l.sent()
		if len(forms) != 2 || grant == oauthx.GrantRefresh && forms[1].Get("refresh_token") != "practice-only-other" {
			t.Errorf("%s: %v", grant, forms)
		}
		if kept := w.Kept()[oauthx.Key].Reveal(); strings.Contains(kept, "practice-only-other") || strings.Contains(kept, "practice-only-pasted") {
			t.Errorf("%s: the form's secret is kept with the token", grant)
		}
		l.mu.Lock()
		l.forms = nil
		l.mu.Unlock()
	}
}

func TestOtherScopesAreAskedForWhenSomebodyIsThere(t *testing.T) {
	p := newProvider(t, fresh(nil))
	w, client := world(t)
	c := p.config()
	if _, err := oauthx.Start(t.Context(), w.Env, client, c, connectors.Secret{}); err != nil {
		t.Fatal(err)
	}
	<-p.asked
	kept := w.Kept()[oauthx.Key]
	c.Scopes = []string{"b", "a"}
	if _, err := oauthx.Start(t.Context(), w.Env, client, c, kept); err != nil || len(p.asked) != 0 {
		t.Errorf("the same scopes in another order: %v, asked %d times", err, len(p.asked))
	}
	c.Scopes = []string{"a", "b", "c"}
	if _, err := oauthx.Start(t.Context(), w.Env, client, c, kept); err != nil || len(p.asked) != 1 {
		t.Fatalf("%v, asked %d times", err, len(p.asked))
	}
	if q := <-p.asked; q.Get("scope") != "a b c" {
		t.Errorf("asked for %q", q.Get("scope"))
	}
	w.Env.Ask = connectors.Asker{}
	if s, err := oauthx.Start(t.Context(), w.Env, client, c, kept); err != nil {
		t.Errorf("nobody is there: %v", err)
	} else if tok, err := s.Token(t.Context()); err != nil || tok.AccessToken != "practice-1" {
		t.Errorf("%v %v", tok, err)
	}
}

func TestSecurity15_EveryRequestHasTheScopesAndTheResource(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/device" {
			_ = json.NewEncoder(w).Encode(deviceAnswer(map[string]any{"interval": 1}))
			return
		}
		fresh(nil)(w, r)
	})
	configs := alone(l)
	device := configs[oauthx.GrantClient]
	device.Grant, device.DeviceURL = oauthx.GrantDevice, l.URL+"/device"
	configs[oauthx.GrantDevice] = device
	for grant, c := range configs {
		l.mu.Lock()
		l.forms = nil
		l.mu.Unlock()
		c.Resource, c.ScopeSeparator = "https://api.example.com", ","
		w := conntest.NewWorld(t)
		w.Env.Ask.ShowCode = untilDone
		if _, err := nobody(t, w, c); err != nil {
			t.Fatalf("%s: %v", grant, err)
		}
		forms := l.sent()
		if len(forms) == 0 || forms[0].Get("scope") != "a,b" {
			t.Errorf("%s: %v", grant, forms)
		}
		for _, f := range forms {
			if f.Get("resource") != c.Resource {
				t.Errorf("%s: resource %q", grant, f.Get("resource"))
			}
		}
	}
}

func TestARefreshAsksForWhatWasGrantedAndNotForWhatTheFormHasNow(t *testing.T) {
	l := newLedger(t, fresh(nil))
	old, _ := json.Marshal(map[string]any{"access_token": "practice-old", "refresh_token": "practice-refresh", "asked": []string{"a"}, "expiry": time.Now().Add(-time.Hour), "captured": map[string]string{"instance": "old", "org": "kept"}})
	w := conntest.NewWorld(t)
	if err := w.Env.Keep(t.Context(), oauthx.Key, connectors.NewSecret(string(old))); err != nil {
		t.Fatal(err)
	}
	c := oauthx.Config{AuthURL: l.URL, TokenURL: l.URL, RefreshURL: l.URL + "/renew", ClientID: "desktop", Scopes: []string{"a", "b"}, RefreshParams: map[string]string{"audience": "x"}, Capture: map[string]string{"instance": "expires_in"}}
	s, err := nobody(t, w, c)
	if err != nil {
		t.Fatal(err)
	}
	forms := l.sent()
	if len(forms) != 1 || forms[0].Get("scope") != "a" || forms[0].Get("audience") != "x" {
		t.Errorf("%v", forms)
	}
	if got := s.Captured(); got["instance"] != "3600" || got["org"] != "kept" || oauthx.Captured(w.Kept()[oauthx.Key])["org"] != "kept" {
		t.Errorf("captured %v", got)
	}
	if m := s.Missing(); len(m) != 0 {
		t.Errorf("missing %v although the provider did not say what it granted", m)
	}
}

func TestSecurity10_NoGrantFollowsARedirect(t *testing.T) {
	other := newLedger(t, fresh(nil))
	for _, status := range []int{302, 307, 308} {
		l := newLedger(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		configs := alone(l)
		device := configs[oauthx.GrantClient]
		device.Grant, device.DeviceURL = oauthx.GrantDevice, l.URL+"/device"
		configs[oauthx.GrantDevice] = device
		for grant, c := range configs {
			w := conntest.NewWorld(t)
			w.Env.Ask.ShowCode = untilDone
			_, err := nobody(t, w, c)
			if e := connectors.Classify(err); e == nil || e.Reason != "http.redirect" {
				t.Errorf("%s %d: %v", grant, status, err)
			}
		}
	}
	if n := len(other.sent()); n != 0 {
		t.Errorf("the other host got %d requests", n)
	}
}

func TestSecurity11_TheClientProvesItselfInOneWayOnly(t *testing.T) {
	for auth, want := range map[string]func(url.Values, http.Header) bool{
		oauthx.ClientNone:  func(f url.Values, h http.Header) bool { return f.Get("client_id") == "machine" },
		oauthx.ClientMTLS:  func(f url.Values, h http.Header) bool { return f.Get("client_id") == "machine" },
		oauthx.ClientPost:  func(f url.Values, h http.Header) bool { return f.Get("client_secret") == "practice-only-client" },
		oauthx.ClientBasic: func(f url.Values, h http.Header) bool { return h.Get("Authorization") != "" && !f.Has("client_id") },
		oauthx.ClientJWT: func(f url.Values, h http.Header) bool {
			return f.Get("client_assertion") == "practice-assertion" && f.Get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
		},
	} {
		l := newLedger(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
		})
		c := alone(l)[oauthx.GrantClient]
		c.ClientAuth, c.ClientAssertion = auth, fixed("practice-assertion")
		_, err := nobody(t, conntest.NewWorld(t), c)
		e := connectors.Classify(err)
		field := "client_secret"
		if auth == oauthx.ClientNone {
			field = "client_id"
		}
		if e == nil || e.Code != connectors.AuthFailed || e.Field != field {
			t.Errorf("%s: %v", auth, err)
		}
		forms := l.sent()
		if len(forms) != 1 || !want(forms[0], l.heads[0]) {
			t.Fatalf("%s: %v", auth, forms)
		}
		ways := 0
		for _, there := range []bool{forms[0].Has("client_secret"), forms[0].Has("client_assertion"), l.heads[0].Get("Authorization") != ""} {
			if there {
				ways++
			}
		}
		if ways > 1 || ways == 0 && auth != oauthx.ClientNone && auth != oauthx.ClientMTLS {
			t.Errorf("%s: %d proofs", auth, ways)
		}
	}
}

func TestSecurity14_EveryRequestCarriesAnAssertionOfItsOwn(t *testing.T) {
	l := newLedger(t, fresh(nil))
	c := alone(l)[oauthx.GrantAssertion]
	c.ClientAuth, c.Assertion, c.ClientAssertion = oauthx.ClientJWT, numbered(), numbered()
	s, err := nobody(t, conntest.NewWorld(t), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stale(t.Context(), "practice-1"); err != nil {
		t.Fatal(err)
	}
	forms := l.sent()
	for _, key := range []string{"assertion", "client_assertion"} {
		if len(forms) != 2 || forms[0].Get(key) != "practice-assertion-1" || forms[1].Get(key) != "practice-assertion-2" {
			t.Errorf("%s: %v", key, forms)
		}
	}
	locked := errors.New("the key is locked")
	c.Assertion = func(context.Context, time.Time) (string, error) { return "", locked }
	if _, err := nobody(t, conntest.NewWorld(t), c); !errors.Is(err, locked) || len(l.sent()) != 2 {
		t.Errorf("%v after %d requests", err, len(l.sent()))
	}
	c.Assertion = nil
	if _, err := nobody(t, conntest.NewWorld(t), c); connectors.CodeOf(err) != connectors.BadInput {
		t.Errorf("without a maker: %v", err)
	}
}

func TestSecurity16_APasswordIsSentOnlyByTheGrantOfThatName(t *testing.T) {
	l := newLedger(t, fresh(nil))
	for grant, c := range alone(l) {
		l.mu.Lock()
		l.body = nil
		l.mu.Unlock()
		if _, err := nobody(t, conntest.NewWorld(t), c); err != nil {
			t.Fatal(err)
		}
		if sent := strings.Contains(strings.Join(l.body, "\n"), "practice-only-password"); sent != (grant == oauthx.GrantPassword) {
			t.Errorf("%s: the password was sent: %v", grant, sent)
		}
	}
	_, err := nobody(t, conntest.NewWorld(t), oauthx.Config{Grant: "anything", TokenURL: l.URL})
	if connectors.CodeOf(err) != connectors.Unsupported {
		t.Errorf("an unknown grant: %v", err)
	}
}

func TestTheProvidersOwnParametersCannotWeakenTheFlow(t *testing.T) {
	var form url.Values
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.PostForm
		grants(w, nil)
	})
	c := p.config()
	evil := map[string]string{"state": "x", "code_challenge": "x", "code_challenge_method": "plain", "redirect_uri": "https://evil.example", "code_verifier": "", "code": "x", "scope": "", "prompt": "consent"}
	c.AuthParams, c.TokenParams = evil, evil
	if _, _, err := start(t, c); err != nil {
		t.Fatal(err)
	}
	q := <-p.asked
	if q.Get("state") == "x" || q.Get("code_challenge_method") != "S256" || !strings.HasPrefix(q.Get("redirect_uri"), "http://127.0.0.1:") || q.Get("prompt") != "consent" || q.Has("scope") {
		t.Errorf("asked with %v", q)
	}
	if form.Get("code") != "practice-code" || form.Get("code_verifier") == "" || form.Get("prompt") != "consent" {
		t.Errorf("sent %v", form)
	}
}

func TestATokenRequestCanBeJSONWithHeadersOfItsOwn(t *testing.T) {
	l := newLedger(t, fresh(nil))
	c := alone(l)[oauthx.GrantClient]
	c.JSONBody, c.Headers, c.ClientAuth = true, map[string]string{"Practice-Version": "2", "Authorization": "no"}, oauthx.ClientBasic
	c.TokenParams = map[string]string{"grant_type": "account_credentials", "account_id": "7"}
	if _, err := nobody(t, conntest.NewWorld(t), c); err != nil {
		t.Fatal(err)
	}
	var body map[string]string
	if err := json.Unmarshal([]byte(l.body[0]), &body); err != nil || body["grant_type"] != "account_credentials" || body["account_id"] != "7" || body["scope"] != "a b" {
		t.Errorf("%v %v", body, err)
	}
	h := l.heads[0]
	if h.Get("Content-Type") != "application/json" || h.Get("Practice-Version") != "2" || !strings.HasPrefix(h.Get("Authorization"), "Basic ") {
		t.Errorf("%v", h)
	}
}

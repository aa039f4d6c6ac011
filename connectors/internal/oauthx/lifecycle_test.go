package oauthx_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/oauthx"
)

func TestSecurity17_AnotherTokenTypeIsTakenOnlyWhereItIsNamed(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
		grants(w, map[string]any{"token_type": r.URL.Query().Get("type"), "error": r.URL.Query().Get("error")})
	})
	for _, c := range []struct {
		query string
		extra []string
		works bool
	}{
		{"?type=bot", nil, false}, {"?type=bot", []string{"user"}, false}, {"?type=Bot", []string{"bot"}, true},
		{"?type=bearer", []string{"bot"}, true}, {"?type=", nil, true}, {"?type=bearer&error=no", nil, false},
	} {
		conf := alone(l)[oauthx.GrantClient]
		conf.TokenURL, conf.ExtraTokenTypes = l.URL+c.query, c.extra
		w := conntest.NewWorld(t)
		_, err := nobody(t, w, conf)
		if (err == nil) != c.works || (len(w.Kept()) == 1) != c.works {
			t.Errorf("%s with %v: %v", c.query, c.extra, err)
		}
	}
}

func TestSecurity20_NoGrantUsesATokenThatCouldNotBeKept(t *testing.T) {
	l := newLedger(t, fresh(nil))
	full := errors.New("no space left")
	for grant, c := range alone(l) {
		w := conntest.NewWorld(t)
		w.Env.Renew = func(ctx context.Context, _ string, change func(context.Context, connectors.Secret) (connectors.Secret, error)) (connectors.Secret, error) {
			if _, err := change(ctx, connectors.Secret{}); err != nil {
				return connectors.Secret{}, err
			}
			return connectors.Secret{}, full
		}
		if s, err := nobody(t, w, c); !errors.Is(err, full) || s != nil {
			t.Errorf("%s: %v", grant, err)
		}
	}
}

// Two programs share a store; the provider gives every refresh token for one
// use, and a second use would end the grant.
func TestSecurity21_ManyHoldersAskOnce(t *testing.T) {
	for _, grant := range []string{oauthx.GrantClient, oauthx.GrantRefresh} {
		var spent sync.Map
		var reused atomic.Int32
		var serial atomic.Int32
		l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
			n := serial.Add(1)
			grants(w, map[string]any{"access_token": fmt.Sprint("practice-", n), "refresh_token": fmt.Sprint("practice-refresh-", n)})
		})
		w := conntest.NewWorld(t)
		c := alone(l)[grant]
		sources := make([]*oauthx.Source, 2)
		for i := range sources {
			var err error
			if sources[i], err = nobody(t, w, c); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(l.sent()); n != 1 {
			t.Fatalf("%s: %d requests for the first token", grant, n)
		}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if err := sources[i%2].Stale(t.Context(), "practice-1"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		forms := l.sent()
		for _, f := range forms {
			if r := f.Get("refresh_token"); r != "" {
				if _, twice := spent.LoadOrStore(r, true); twice {
					reused.Add(1)
				}
			}
		}
		if len(forms) != 2 || reused.Load() != 0 {
			t.Errorf("%s: %d requests, %d refresh tokens sent twice", grant, len(forms), reused.Load())
		}
		for _, s := range sources {
			if tok, err := s.Token(t.Context()); err != nil || tok.AccessToken != "practice-2" {
				t.Errorf("%s: %v %v", grant, tok, err)
			}
		}
	}
}

func TestSecurity22_ALosersInvalidGrantLeavesTheNewerToken(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error":"invalid_grant"}`)
	})
	w := conntest.NewWorld(t)
	c := oauthx.Config{AuthURL: l.URL, TokenURL: l.URL, ClientID: "desktop"}
	client, err := w.Env.HTTP(connectors.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	newer := connectors.NewSecret(`{"access_token":"practice-newer","refresh_token":"practice-newer-refresh"}`)
	if err := w.Env.Keep(t.Context(), oauthx.Key, newer); err != nil {
		t.Fatal(err)
	}
	s, err := oauthx.Start(t.Context(), w.Env, client, c, stale()) // read before the other program wrote
	if err != nil {
		t.Fatal(err)
	}
	if tok, err := s.Token(t.Context()); err != nil || tok.AccessToken != "practice-newer" || len(l.sent()) != 0 {
		t.Errorf("%v %v after %d requests", tok, err, len(l.sent()))
	}
	if err := s.Stale(t.Context(), "practice-newer"); connectors.CodeOf(err) != connectors.SignInAgain {
		t.Errorf("%v", err)
	}
	if !strings.Contains(w.Kept()[oauthx.Key].Reveal(), "practice-newer-refresh") {
		t.Error("the kept token was erased")
	}
}

func TestSecurity23_ALostAnswerIsNotAskedForAgain(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = c.Close()
		}
	})
	for grant, c := range alone(l) {
		for _, asJSON := range []bool{false, true} {
			before := len(l.sent())
			c.JSONBody = asJSON
			if _, err := nobody(t, conntest.NewWorld(t), c); err == nil {
				t.Errorf("%s: it worked without an answer", grant)
			}
			if n := len(l.sent()) - before; n != 1 {
				t.Errorf("%s: %d requests", grant, n)
			}
		}
	}
}

func TestSecurity24_LifetimesAreReadAsTheProviderWritesThem(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		said     any
		millis   bool
		fallback time.Duration
		want     time.Duration // 0: unknown
	}{
		{3600, false, 0, time.Hour}, {"3600.0", false, 0, time.Hour}, {3600000, true, 0, time.Hour}, {"", false, 2 * time.Hour, 2 * time.Hour},
		{nil, false, 2 * time.Hour, 2 * time.Hour}, {-5, false, time.Hour, time.Hour}, {"NaN", false, time.Hour, time.Hour}, {nil, false, 0, 0},
		{1e300, false, 0, 87600 * time.Hour}, {1e300, true, 0, 87600 * time.Hour},
	} {
		l := newLedger(t, fresh(map[string]any{"expires_in": c.said}))
		conf := alone(l)[oauthx.GrantClient]
		conf.LifetimeMillis, conf.Lifetime = c.millis, c.fallback
		w := conntest.NewWorld(t)
		w.Env.Now = func() time.Time { return now }
		s, err := nobody(t, w, conf)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := s.Token(t.Context())
		var want time.Time
		if c.want > 0 {
			want = now.Add(c.want)
		}
		if err != nil || !tok.Expiry.Equal(want) {
			t.Errorf("%v: until %v, want %v (%v)", c.said, tok.Expiry, want, err)
		}
	}
}

func TestTheTokenMayStandAnywhereInTheAnswer(t *testing.T) {
	l := newLedger(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"ok":true,"access_token":"practice-bot","token_type":"bot","refresh_token":"practice-of-the-bot","team":{"id":"T1"},"instance_url":"https://x.example","odd":"a\u0000b",
			"authed_user":{"id":"U1","scope":"a,b","access_token":"practice-user","token_type":"user","expires_in":43200}}`)
	})
	c := alone(l)[oauthx.GrantRefresh]
	c.TokenPath, c.ExtraTokenTypes = "authed_user.access_token", []string{"user"}
	c.Capture = map[string]string{"team": "team.id", "instance": "instance_url", "none": "no.such", "odd": "odd"}
	w := conntest.NewWorld(t)
	s, err := nobody(t, w, c)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := s.Token(t.Context())
	if err != nil || tok.AccessToken != "practice-user" || tok.RefreshToken != "practice-only-pasted" || tok.Expiry.IsZero() || len(s.Missing()) != 0 {
		t.Errorf("%v %v, missing %v", tok, err, s.Missing())
	}
	if got := fmt.Sprint(s.Captured()); got != "map[instance:https://x.example team:T1]" {
		t.Error(got)
	}
}

func TestSecurity26_AJumpOfTheClockMakesOneRefresh(t *testing.T) {
	l := newLedger(t, fresh(nil))
	var jump atomic.Int64
	w := conntest.NewWorld(t)
	w.Env.Now = func() time.Time { return time.Now().Add(time.Duration(jump.Load())) }
	s, err := nobody(t, w, alone(l)[oauthx.GrantClient])
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []time.Duration{0, 365 * 24 * time.Hour, 0, 365*24*time.Hour + time.Minute} {
		jump.Store(int64(to))
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := s.Token(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	if n := len(l.sent()); n != 2 {
		t.Errorf("%d requests", n)
	}
	// time.Time prints its monotonic reading, which would stand still in sleep.
	p := newProvider(t, always(nil))
	_, signed, err := start(t, p.config())
	if err != nil {
		t.Fatal(err)
	}
	if tok, err := signed.Token(t.Context()); err != nil || strings.Contains(tok.Expiry.String(), "m=") {
		t.Errorf("%v %v", tok.Expiry, err)
	}
}

func TestSecurity26_ATokenThatLivesForSecondsIsUsedMoreThanOnce(t *testing.T) {
	l := newLedger(t, fresh(map[string]any{"expires_in": 50}))
	s, err := nobody(t, conntest.NewWorld(t), alone(l)[oauthx.GrantClient])
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if _, err := s.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(l.sent()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestSecurity27_AfterAFailureTheNextRefreshWaits(t *testing.T) {
	for name, header := range map[string]string{"Retry-After": "3600", "backoff": ""} {
		var down atomic.Bool
		l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
			if !down.Load() {
				fresh(nil)(w, r)
				return
			}
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusServiceUnavailable)
		})
		s, err := nobody(t, conntest.NewWorld(t), alone(l)[oauthx.GrantClient])
		if err != nil {
			t.Fatal(err)
		}
		down.Store(true)
		for range 200 {
			if err := s.Stale(t.Context(), "practice-1"); connectors.CodeOf(err) != connectors.Unreachable {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if n := len(l.sent()) - 1; n != 1 {
			t.Errorf("%s: %d requests for 200 callers", name, n)
		}
		if header != "" {
			continue
		}
		down.Store(false)
		for end := time.Now().Add(30 * time.Second); s.Stale(t.Context(), "practice-1") != nil; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("it never tries again")
			}
		}
	}
}

func TestSecurity28_AClosedDialogDoesNotSpendThePastedToken(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	l := newLedger(t, func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-goOn
		fresh(map[string]any{"refresh_token": "practice-rotated"})(w, r)
	})
	w := conntest.NewWorld(t)
	client, err := w.Env.HTTP(connectors.HTTP{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	dialog, closeDialog := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := oauthx.Start(dialog, w.Env, client, alone(l)[oauthx.GrantRefresh], connectors.Secret{})
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
			t.Fatal("the pasted token was spent for nothing")
		}
	}
	if _, err := nobody(t, w, alone(l)[oauthx.GrantRefresh]); err != nil || len(l.sent()) != 1 {
		t.Errorf("the next start: %v after %d requests", err, len(l.sent()))
	}
}

func TestSecurity25_ATokenThatWasRefusedIsReplacedOnce(t *testing.T) {
	l := newLedger(t, fresh(nil))
	for grant, c := range alone(l) {
		s, err := nobody(t, conntest.NewWorld(t), c)
		if err != nil {
			t.Fatal(err)
		}
		used, err := s.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before := len(l.sent())
		for range 5 { // five requests were under way with the same token
			if err := s.Stale(t.Context(), used.AccessToken); err != nil {
				t.Error(err)
			}
		}
		if n := len(l.sent()) - before; n != 1 {
			t.Errorf("%s: %d requests", grant, n)
		}
	}
}

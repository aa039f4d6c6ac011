package web

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func oauthSettings(issuer string, more ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"setup": "discovery", "issuer": issuer, "client_id": "desktop", "client_auth": "none", "scopes": "openid profile email offline_access", "base_url": issuer + "/api", "paths": "/customers\n/closed"}
	for i := 0; i+1 < len(more); i += 2 {
		s.Plain[more[i]] = more[i+1]
	}
	return s
}

func TestOAuthAgainstOIDCProvider(t *testing.T) {
	issuer := startProvider(t, 600)
	good := func(testing.TB) connectors.Settings { return oauthSettings(issuer) }
	with := func(more ...string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings { return oauthSettings(issuer, more...) }
	}
	wrongSecret := func(testing.TB) connectors.Settings {
		s := oauthSettings(issuer, "client_id", "confidential", "client_auth", "basic")
		s.Secrets["client_secret"] = connectors.NewSecret("wrong-practice")
		return s
	}
	elsewhere := func(tb testing.TB) connectors.Settings {
		host, port := conntest.Speaks(tb, "SSH-2.0-OpenSSH_9.2\r\n")
		return oauthSettings("http://" + host + ":" + port)
	}
	conntest.Run(t, conntest.Suite{Type: OAuth(), Good: good, Ask: person(false), World: loopbacks,
		Aim: func(s connectors.Settings, host, port string) connectors.Settings {
			s.Plain["issuer"] = "http://" + host + ":" + port
			return s
		},
		Faults: []conntest.Fault{
			{Name: "denied in the browser", Settings: good, Ask: person(true), Code: connectors.Denied, Stage: connectors.StageSignIn},
			{Name: "nobody there", Settings: good, Code: connectors.SignInAgain, Stage: connectors.StageSignIn},
			{Name: "wrong secret", Settings: wrongSecret, Ask: person(false), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "client_secret"},
			{Name: "issuer with a slash", Settings: with("issuer", issuer+"/"), Ask: person(false), Code: connectors.Untrusted, Field: "issuer"},
			{Name: "no provider there", Settings: with("issuer", issuer+"/nothing"), Ask: person(false), Code: connectors.NotFound, Field: "issuer"},
			{Name: "another protocol", Settings: elsewhere, Ask: person(false), Code: connectors.Refused},
			{Name: "unknown host", Settings: with("issuer", "https://no-such-host.invalid"), Ask: person(false), Code: connectors.Unreachable, Stage: connectors.StageResolve},
			{Name: "issuer without https", Settings: with("issuer", "http://login.example.com"), Ask: person(false), Code: connectors.BadInput, Field: "issuer"},
		},
	})
}

func openLinked(t *testing.T, w *conntest.World, s connectors.Settings) connectors.Session {
	t.Helper()
	return conntest.OpenIn(t, w, OAuth(), s)
}

func newLinkWorld(t *testing.T) *conntest.World {
	w := conntest.NewWorld(t)
	loopbacks(w)
	w.Env.Ask = person(false)
	return w
}

func TestOAuthReadsWhatTheSignInOpens(t *testing.T) {
	issuer := startProvider(t, 600)
	w := newLinkWorld(t)
	s := openLinked(t, w, oauthSettings(issuer))
	facts, err := s.Check(t.Context())
	if err != nil || len(facts) == 0 || facts[0].Text != "mira" {
		t.Fatalf("%v %v", facts, err)
	}
	table, err := s.(connectors.Tabler).Table(t.Context(), "/customers", 10)
	if err != nil || len(table.Rows) != 10 || !table.Truncated || table.Columns[1].Name != "name" || !table.Columns[0].Numeric {
		t.Errorf("%+v %v", table, err)
	}
	if _, err := s.(connectors.Tabler).Table(t.Context(), "/closed", 10); connectors.CodeOf(err) != connectors.Denied {
		t.Errorf("closed: %v", err)
	}
	if _, err := s.(connectors.Tabler).Table(t.Context(), "/typed/by/hand", 10); connectors.CodeOf(err) != connectors.NotFound {
		t.Errorf("missing: %v", err)
	}
	info, err := s.(connectors.Tabler).Table(t.Context(), infoID, 10)
	if err != nil || len(info.Rows) == 0 {
		t.Errorf("user info: %+v %v", info, err)
	}
	if w.Kept()["oauth_token"].Empty() {
		t.Error("no token was kept")
	}
	// The next start needs nobody.
	later := conntest.NewWorld(t)
	again := oauthSettings(issuer)
	again.Secrets["oauth_token"] = w.Kept()["oauth_token"]
	session, err := OAuth().Open(t.Context(), later.Env, again)
	if err != nil {
		t.Fatal(err)
	}
	_ = session.Close()
}

func TestSecurity15_ANarrowerGrantIsShown(t *testing.T) {
	issuer := startProvider(t, 600)
	w := newLinkWorld(t)
	var asked string
	inner := w.Env.Ask.OpenURL
	w.Env.Ask.OpenURL = func(ctx context.Context, link string) error {
		if u, err := url.Parse(link); err == nil {
			asked = u.Query().Get("scope")
		}
		return inner(ctx, link)
	}
	s := openLinked(t, w, oauthSettings(issuer, "scopes", "openid profile reports.read offline_access"))
	if asked != "openid profile reports.read offline_access" {
		t.Errorf("asked for %q", asked)
	}
	facts, err := s.Check(t.Context())
	e := connectors.Classify(err)
	if e == nil || !e.Partial || e.Code != connectors.Denied || !strings.Contains(e.Said, "reports.read") {
		t.Errorf("%v", err)
	}
	seen := ""
	for _, f := range facts {
		seen += f.Label + "=" + f.Text + ";"
	}
	if !strings.Contains(seen, "not granted=reports.read") {
		t.Error(seen)
	}
}

// The provider's access tokens live three seconds, and it revokes the whole
// grant when a refresh token is used twice.
func TestSecurity20_RotatedTokensSurviveManyReaders(t *testing.T) {
	issuer := startProvider(t, 62)
	w := newLinkWorld(t)
	s := openLinked(t, w, oauthSettings(issuer))
	first := w.Kept()["oauth_token"].Reveal()
	// Tokens count as stale a minute before they run out.
	time.Sleep(3 * time.Second)
	errs := make(chan error, 20)
	for range 20 {
		go func() {
			_, err := s.(connectors.Tabler).Table(t.Context(), "/customers", 5)
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if w.Kept()["oauth_token"].Reveal() == first {
		t.Error("the rotated token was not kept")
	}
}

func TestOAuthWithoutABrowserOnThisMachine(t *testing.T) {
	issuer := startProvider(t, 600)
	w := newLinkWorld(t)
	w.Env.Ask.OpenURL = nil
	w.Env.Ask.ShowCode = func(ctx context.Context, d connectors.DeviceCode) error {
		return visit(ctx, d.URL, false)
	}
	s := openLinked(t, w, oauthSettings(issuer, "grant", "device", "client_id", "television", "scopes", "openid"))
	if _, err := s.(connectors.Tabler).Table(t.Context(), "/customers", 5); err != nil {
		t.Error(err)
	}
	alone := conntest.NewWorld(t)
	machine := oauthSettings(issuer, "grant", "client_credentials", "client_id", "machine", "client_auth", "basic", "scopes", "")
	machine.Secrets["client_secret"] = connectors.NewSecret("practice-only-client")
	s = openLinked(t, alone, machine)
	if facts, err := s.Check(t.Context()); err != nil || len(facts) == 0 {
		t.Errorf("%+v %v", facts, err)
	}
	if _, err := s.(connectors.Tabler).Table(t.Context(), "/customers", 5); err != nil {
		t.Error(err)
	}
}

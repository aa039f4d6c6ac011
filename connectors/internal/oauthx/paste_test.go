package oauthx_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/internal/oauthx"
)

// elsewhere is a person whose browser runs on another machine: change turns the
// address at which it ended into what is pasted.
func elsewhere(env *connectors.Env, change func(n int, address string) string) *int {
	links, n := make(chan string, 1), 0
	env.Ask.OpenURL = func(_ context.Context, link string) error { links <- link; return nil }
	ended := ""
	env.Ask.Pasted = func(ctx context.Context) (string, error) {
		if ended == "" {
			select {
			case link := <-links:
				ended = finalAddress(ctx, link)
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		n++
		return change(n, ended), nil
	}
	return &n
}

func finalAddress(ctx context.Context, link string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return "broken"
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return "broken"
	}
	_ = res.Body.Close()
	return res.Header.Get("Location")
}

func TestSecurity03_APastedAddressIsTakenOnlyWhenItIsTheRedirectURIOfThisFlow(t *testing.T) {
	edit := func(f func(u *url.URL, q url.Values)) func(int, string) string {
		return func(_ int, address string) string {
			u, err := url.Parse(address)
			if err != nil {
				return "broken"
			}
			q := u.Query()
			f(u, q)
			u.RawQuery = q.Encode()
			return u.String()
		}
	}
	for name, change := range map[string]func(int, string) string{
		"nothing":        func(int, string) string { return "" },
		"only the code":  func(int, string) string { return "practice-code" },
		"another host":   edit(func(u *url.URL, _ url.Values) { u.Host = "evil.example" }),
		"localhost":      edit(func(u *url.URL, _ url.Values) { u.Host = "localhost:" + u.Port() }),
		"another port":   edit(func(u *url.URL, _ url.Values) { u.Host = "127.0.0.1:1" }),
		"another path":   edit(func(u *url.URL, _ url.Values) { u.Path = "/callback/" }),
		"encoded path":   func(_ int, a string) string { return strings.Replace(a, "/callback", "/%63allback", 1) },
		"https":          edit(func(u *url.URL, _ url.Values) { u.Scheme = "https" }),
		"a user":         edit(func(u *url.URL, _ url.Values) { u.User = url.User("x") }),
		"another state":  edit(func(_ *url.URL, q url.Values) { q.Set("state", "x") }),
		"no state":       edit(func(_ *url.URL, q url.Values) { q.Del("state") }),
		"two states":     edit(func(_ *url.URL, q url.Values) { q.Add("state", q.Get("state")) }),
		"no code":        edit(func(_ *url.URL, q url.Values) { q.Del("code") }),
		"two codes":      edit(func(_ *url.URL, q url.Values) { q.Add("code", "x") }),
		"code and error": edit(func(_ *url.URL, q url.Values) { q.Set("error", "x") }),
		"NUL":            edit(func(_ *url.URL, q url.Values) { q.Set("code", "a\x00b") }),
		"too long":       edit(func(_ *url.URL, q url.Values) { q.Set("more", strings.Repeat("x", 8<<10)) }),
		"damaged":        func(_ int, a string) string { return a + "&x=%zz" },
	} {
		asked := false
		p := newProvider(t, func(http.ResponseWriter, *http.Request) { asked = true })
		w, client := world(t)
		w.Env.Callback = nil
		n := elsewhere(w.Env, change)
		_, err := oauthx.Start(t.Context(), w.Env, client, p.config(), connectors.Secret{})
		e := connectors.Classify(err)
		if e == nil || e.Code != connectors.BadInput || e.Reason != "oauth.pasted" || e.Said == "" || *n != 5 {
			t.Errorf("%s: %v after %d", name, err, *n)
		}
		if asked {
			t.Errorf("%s: the code went to the token endpoint", name)
		}
		if strings.Contains(err.Error()+w.Log(), "practice-code") {
			t.Errorf("%s: the code is in the error or the log", name)
		}
	}
}

func TestThePastedAddressOfAnotherMachineSignsIn(t *testing.T) {
	for name, c := range map[string]struct {
		change   func(int, string) string
		callback bool
	}{
		"as it is":              {func(_ int, a string) string { return a }, false},
		"with spaces and #":     {func(_ int, a string) string { return "\n " + a + "#_=_ \n" }, false},
		"right at the fifth":    {func(n int, a string) string { return strings.Repeat("x", 5-n) + a }, false},
		"while a listener runs": {func(_ int, a string) string { return a }, true},
	} {
		p := newProvider(t, always(nil))
		w, client := world(t)
		if !c.callback {
			w.Env.Callback = nil
		}
		elsewhere(w.Env, c.change)
		conf := p.config()
		conf.CaptureCallback = map[string]string{"realm": "iss"}
		s, err := oauthx.Start(t.Context(), w.Env, client, conf, connectors.Secret{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Captured()["realm"] != p.URL {
			t.Errorf("%s: captured %v", name, s.Captured())
		}
		q := <-p.asked
		if want := "http://127.0.0.1:8917/callback"; !c.callback && q.Get("redirect_uri") != want {
			t.Errorf("%s: came back to %s", name, q.Get("redirect_uri"))
		}
	}
}

func TestTheBrowserHereWinsOverPasting(t *testing.T) {
	p := newProvider(t, always(nil))
	ignore := goleak.IgnoreCurrent()
	for name, pasted := range map[string]func(context.Context) (string, error){
		"waits":  func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() },
		"cannot": func(context.Context) (string, error) { return "", errors.New("there is no terminal") },
	} {
		w, client := world(t)
		w.Env.Ask.Pasted = pasted
		if _, err := oauthx.Start(t.Context(), w.Env, client, p.config(), connectors.Secret{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		client.CloseIdleConnections()
	}
	p.CloseClientConnections()
	if err := goleak.Find(ignore); err != nil {
		t.Error(err)
	}
}

func TestSecurity19_GivingUpWhilePastingEndsTheFlow(t *testing.T) {
	p := newProvider(t, always(nil))
	w, client := world(t)
	w.Env.Ask.OpenURL = func(context.Context, string) error { return nil }
	w.Env.Ask.Pasted = func(context.Context) (string, error) { return "", context.Canceled }
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := oauthx.Start(ctx, w.Env, client, p.config(), connectors.Secret{}); connectors.CodeOf(err) != connectors.Cancelled || ctx.Err() != nil {
		t.Errorf("%v", err)
	}
}

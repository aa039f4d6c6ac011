package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

const askedBefore = `
id: asked_before
name: Asked before
group: services
summary: A service that names its company
tile: AB
fields:
  - {key: base_url, label: Address, kind: url, required: true, example: "https://a.example.com"}
  - {key: company, label: Company, kind: text, default: everybody, example: acme, pattern: "[a-z0-9-]+", wrong: A name is expected here.}
  - {key: token, label: Token, kind: secret, required: true}
base: "{base_url}"
address: base_url
before:
  - get: /who
    header: WWW-Authenticate
    set: {company: "company=([^ ,]+)"}
sign_in:
  - {kind: bearer, secret: token}
check:
  get: "/check/{company}"
  facts:
    - {label: Account, text: "{company}"}
    - {label: Path, path: path}
`

func TestWhatTheServiceNamesBeforeTheSignIn(t *testing.T) {
	for _, c := range []struct {
		name, said, typed, want string
	}{
		{"it is used", `Bearer company=acme, resource=x`, "", "acme"},
		{"also when the default was typed", `Bearer company=acme`, "everybody", "acme"},
		{"what was typed wins", `Bearer company=acme`, "fabrikam", "fabrikam"},
		{"nothing is named", `Bearer`, "", "everybody"},
		{"no header at all", ``, "", "everybody"},
		{"what the field's rule refuses is not used", `Bearer company=../evil`, "", "everybody"},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/who" {
					if r.Header.Get("Authorization") != "" {
						t.Error("the token was sent along")
					}
					w.Header().Set("WWW-Authenticate", c.said)
					w.WriteHeader(http.StatusUnauthorized)
					return
				}
				answer(w, 200, m{"path": r.URL.Path})
			}))
			facts, err := conntest.Open(t, askedBeforeType(t), beforeSettings(base, c.typed)).Check(t.Context())
			if err != nil || facts[0].Text != c.want || facts[1].Text != "/check/"+c.want {
				t.Errorf("%+v %v, want %s", facts, err, c.want)
			}
		})
	}
}

func TestAskingBeforeFollowsNoRedirect(t *testing.T) {
	var reached atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		reached.Store(true)
		w.Header().Set("WWW-Authenticate", "company=evil")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(other.Close)
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/who" {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		answer(w, 200, m{"path": r.URL.Path})
	}))
	facts, err := conntest.Open(t, askedBeforeType(t), beforeSettings(base, "")).Check(t.Context())
	if err != nil || facts[0].Text != "everybody" || reached.Load() {
		t.Errorf("%+v %v, followed: %v", facts, err, reached.Load())
	}
}

func TestAskingBeforeFindsAWrongAddressFirst(t *testing.T) {
	w := conntest.NewWorld(t)
	_, err := askedBeforeType(t).Open(t.Context(), w.Env, beforeSettings("https://no-such-host.invalid", ""))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Unreachable || e.Field != "base_url" {
		t.Errorf("%+v", e)
	}
}

func TestUnsoundBefore(t *testing.T) {
	for old, bad := range map[string]string{
		`set: {company: "company=([^ ,]+)"}`: `set: {company: "no group"}`,
		"{company: \"company=":               "{token: \"company=",
		"get: /who":                          "get: https://{company}/who",
		`text: "{company}"`:                  `text: "{token}"`,
	} {
		if _, err := parse([]byte(strings.Replace(askedBefore, old, bad, 1))); err == nil {
			t.Errorf("%s is taken for sound", bad)
		}
	}
}

func askedBeforeType(t *testing.T) connectors.Type {
	t.Helper()
	ty, err := parse([]byte(askedBefore))
	if err != nil {
		t.Fatal(err)
	}
	return ty
}

func beforeSettings(base, company string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain["base_url"] = base
	if company != "" {
		s.Plain["company"] = company
	}
	s.Secrets["token"] = connectors.NewSecret("practice-only-token")
	return s
}

package web

import (
	"net/http"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// No service in particular stands behind this type: net/http answers.
func TestHTTPAgainstALocalAPI(t *testing.T) {
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		cookie, _ := r.Cookie("X-API-Key")
		ok := r.Header.Get("X-API-Key") == "practice-only-key" || r.URL.Query().Get("X-API-Key") == "practice-only-key" ||
			cookie != nil && cookie.Value == "practice-only-key" || r.Header.Get("Authorization") == "Bearer practice-only-token" || user == "mira" && password == " practice only "
		switch {
		case !ok:
			answer(w, 401, m{"message": "who are you?"})
		case r.URL.Path == "/v1/me":
			answer(w, 200, m{"login": "mira", "plan": "practice"})
		case r.URL.Path == "/v1/customers":
			answer(w, 200, m{"data": []m{{"id": 1, "name": "Adatum"}, {"id": 2, "name": "Fabrikam"}}})
		case r.URL.Path == "/v1/notes.txt":
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("hello"))
		default:
			answer(w, 404, m{"message": "nothing"})
		}
	}))
	with := func(plain map[string]string, secret, value string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			s := connectors.NewSettings()
			s.Plain = map[string]string{"base_url": base + "/v1", "test_path": "me", "paths": "/customers\n/notes.txt"}
			for k, v := range plain {
				s.Plain[k] = v
			}
			s.Secrets[secret] = connectors.NewSecret(value)
			return s
		}
	}
	good := with(nil, "key", "practice-only-key")
	conntest.Run(t, conntest.Suite{Type: HTTP(), Good: good,
		Aim: func(s connectors.Settings, host, port string) connectors.Settings { return aimBase(s, host, port) },
		Faults: []conntest.Fault{
			{Name: "wrong key", Settings: with(nil, "key", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "key"},
			{Name: "wrong token", Settings: with(map[string]string{"auth": "bearer"}, "token", "wrong-practice"), Code: connectors.AuthFailed, Field: "token"},
			{Name: "wrong path", Settings: with(map[string]string{"test_path": "/nowhere"}, "key", "practice-only-key"), Code: connectors.NotFound},
			{Name: "https where http is", Settings: with(map[string]string{"base_url": "https" + base[4:]}, "key", "practice-only-key"), Code: connectors.Refused, Stage: connectors.StageSecure, Field: "base_url"},
			{Name: "password in the address", Settings: with(map[string]string{"base_url": "https://u:p@api.example.com"}, "key", "practice-only-key"), Code: connectors.BadInput, Field: "base_url"},
		}})
	for name, settings := range map[string]func(testing.TB) connectors.Settings{
		"query":  with(map[string]string{"key_in": "query"}, "key", "practice-only-key"),
		"cookie": with(map[string]string{"key_in": "cookie"}, "key", "practice-only-key"),
		"bearer": with(map[string]string{"auth": "bearer"}, "token", "Bearer practice-only-token"),
		"basic":  with(map[string]string{"auth": "basic", "user": "mira"}, "password", " practice only "),
	} {
		t.Run(name, func(t *testing.T) {
			s := conntest.Open(t, HTTP(), settings(t))
			table, err := s.(connectors.Tabler).Table(t.Context(), "/customers", 10)
			if err != nil || len(table.Rows) != 2 {
				t.Errorf("%+v %v", table, err)
			}
			me, err := s.(connectors.Tabler).Table(t.Context(), "/me", 10)
			if err != nil || len(me.Rows) != 2 || me.Rows[0][1] != "mira" {
				t.Errorf("%+v %v", me, err)
			}
			sample, err := s.(connectors.Sampler).Sample(t.Context(), "/notes.txt", 3)
			if err != nil || string(sample.Data) != "hel" || !sample.Truncated {
				t.Errorf("%+v %v", sample, err)
			}
		})
	}
}

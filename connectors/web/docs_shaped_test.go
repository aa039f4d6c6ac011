package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// The servers in this file are shaped after the vendors' documentation; the
// real services need accounts of their own. Their addresses go into the form's
// base address.

// services reads the catalogue once for all tests: under the race detector that
// takes a second.
var services = sync.OnceValues(Services)

func catalogued(t testing.TB, id string) connectors.Type {
	t.Helper()
	types, err := services()
	if err != nil {
		t.Fatal(err)
	}
	ty, ok := connectors.Find(types, id)
	if !ok {
		t.Fatalf("no service %s", id)
	}
	return ty
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

type m map[string]any

const (
	practiceSID   = "AC0123456789abcdef0123456789abcdef"
	practiceToken = "00000000000000000000000000000001"
	practiceKey   = "practiceonly0000000000000000000000000000"
)

func docsShapedTwilio(t testing.TB) string {
	mux := http.NewServeMux()
	account := "/2010-04-01/Accounts/" + practiceSID
	signedIn := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != practiceSID || password != practiceToken {
				answer(w, 401, m{"code": 20003, "message": "Authenticate", "status": 401})
				return
			}
			h(w, r)
		}
	}
	mux.HandleFunc(account+".json", signedIn(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, m{"friendly_name": "Practice account", "status": "active", "type": "Full", "sid": practiceSID})
	}))
	mux.HandleFunc(account+"/IncomingPhoneNumbers.json", signedIn(func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("Page"))
		var list []m
		for i := range 50 {
			list = append(list, m{"sid": fmt.Sprintf("PN%032d", page*50+i), "phone_number": fmt.Sprintf("+1555%07d", page*50+i), "friendly_name": "Line"})
		}
		next := any(nil)
		if page < 3 {
			next = account + "/IncomingPhoneNumbers.json?PageSize=50&Page=" + strconv.Itoa(page+1)
		}
		answer(w, 200, m{"incoming_phone_numbers": list, "next_page_uri": next})
	}))
	mux.HandleFunc(account+"/Messages.json", signedIn(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, m{"messages": []m{}, "next_page_uri": nil})
	}))
	return serve(t, mux)
}

func serve(t testing.TB, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func aimBase(s connectors.Settings, host, port string) connectors.Settings {
	s.Plain["base_url"] = "http://" + net.JoinHostPort(host, port)
	return s
}

func twilioSettings(base, sid, token string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"account_sid": sid, "auth": "token", "base_url": base}
	s.Secrets["auth_token"] = connectors.NewSecret(token)
	return s
}

func TestTwilioDocsShaped(t *testing.T) {
	base := docsShapedTwilio(t)
	good := func(testing.TB) connectors.Settings { return twilioSettings(base, practiceSID, practiceToken) }
	conntest.Run(t, conntest.Suite{Type: catalogued(t, "twilio"), Good: good, Aim: aimBase,
		Big: &conntest.Big{Settings: good, Parent: "numbers", Count: 200},
		Faults: []conntest.Fault{
			{Name: "wrong token", Settings: func(testing.TB) connectors.Settings {
				return twilioSettings(base, practiceSID, strings.Repeat("f", 32))
			}, Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "auth_token"},
			{Name: "swapped", Settings: func(testing.TB) connectors.Settings {
				return twilioSettings(base, practiceToken, practiceSID)
			}, Code: connectors.BadInput, Field: "account_sid"},
			{Name: "a web page answers", Settings: func(tb testing.TB) connectors.Settings {
				return twilioSettings(webPage(tb), practiceSID, practiceToken)
			}, Code: connectors.Refused, Field: "base_url"},
			{Name: "suspended", Settings: func(tb testing.TB) connectors.Settings {
				return twilioSettings(serve(tb, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					answer(w, 200, m{"friendly_name": "x", "status": "suspended"})
				})), practiceSID, practiceToken)
			}, Code: connectors.Denied},
		}})
	s := conntest.Open(t, catalogued(t, "twilio"), good(t))
	table, err := s.(connectors.Tabler).Table(t.Context(), "numbers", 75)
	if err != nil || len(table.Rows) != 75 || !table.Truncated {
		t.Errorf("paging: %d rows, %v", len(table.Rows), err)
	}
}

func webPage(tb testing.TB) string {
	return serve(tb, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<html><body>Sign in</body></html>")
	}))
}

func docsShapedCoupa(t testing.TB) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-COUPA-API-KEY") != practiceKey:
			answer(w, 401, m{"errors": m{"error": "Not authorized"}})
		case r.Header.Get("Accept") != "application/json":
			w.WriteHeader(406)
		case r.URL.Path == "/api/invoices":
			answer(w, 403, m{"errors": m{"error": "no role"}})
		default:
			offset, _ := strconv.Atoi(r.URL.Query().Get("offset"))
			limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
			var out []m
			for i := offset; i < min(offset+limit, 120); i++ {
				out = append(out, m{"id": i, "name": fmt.Sprintf("Supplier %d", i), "login": "practice"})
			}
			answer(w, 200, out)
		}
	}))
}

func TestCoupaDocsShaped(t *testing.T) {
	base := docsShapedCoupa(t)
	with := func(base, key string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			s := connectors.NewSettings()
			s.Plain = map[string]string{"base_url": base, "auth": "key"}
			s.Secrets["api_key"] = connectors.NewSecret(key)
			return s
		}
	}
	good := with(base, practiceKey)
	conntest.Run(t, conntest.Suite{Type: catalogued(t, "coupa"), Good: good, Aim: aimBase,
		Faults: []conntest.Fault{
			{Name: "wrong key", Settings: with(base, strings.ToUpper(practiceKey)), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "api_key"},
			{Name: "a web page answers", Settings: with(webPage(t), practiceKey), Code: connectors.Refused, Field: "base_url"},
			{Name: "another vendor's address", Settings: with("https://no-such-host.invalid", practiceKey), Code: connectors.BadInput, Field: "base_url"},
			{Name: "a key with a line break", Settings: with(base, "a\r\nX-Evil: 1"), Code: connectors.BadInput, Field: "api_key"},
		}})
	s := conntest.Open(t, catalogued(t, "coupa"), good(t))
	table, err := s.(connectors.Tabler).Table(t.Context(), "suppliers", 200)
	if err != nil || len(table.Rows) != 120 {
		t.Errorf("%d rows, %v", len(table.Rows), err)
	}
	if _, err := s.(connectors.Tabler).Table(t.Context(), "invoices", 10); connectors.CodeOf(err) != connectors.Denied {
		t.Errorf("a resource without the role: %v", err)
	}
}

// docsShapedDynamics is Entra ID's sign-in without a page (it sends the browser
// straight back) and the Dataverse Web API.
func docsShapedDynamics(t testing.TB) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/organizations/oauth2/v2.0/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		back, err := url.Parse(q.Get("redirect_uri"))
		if err != nil || q.Get("code_challenge_method") != "S256" || !strings.HasSuffix(strings.Fields(q.Get("scope"))[0], "/.default") {
			w.WriteHeader(400)
			return
		}
		back.RawQuery = url.Values{"code": {"practice-code"}, "state": {q.Get("state")}}.Encode()
		http.Redirect(w, r, back.String(), http.StatusFound)
	})
	mux.HandleFunc("/organizations/oauth2/v2.0/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code") != "practice-code" || r.FormValue("code_verifier") == "" || r.FormValue("client_id") == "" {
			answer(w, 400, m{"error": "invalid_grant", "error_description": "AADSTS70008: expired"})
			return
		}
		answer(w, 200, m{"access_token": "practice-access", "refresh_token": "practice-refresh", "token_type": "Bearer", "expires_in": 3599})
	})
	mux.HandleFunc("/api/data/v9.2/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer practice-access" {
			answer(w, 401, m{"error": m{"code": "0x80072560", "message": "no"}})
			return
		}
		dataverse(w, r)
	})
	return serve(t, mux)
}

func dataverse(w http.ResponseWriter, r *http.Request) {
	label := func(s string) m { return m{"UserLocalizedLabel": m{"Label": s}} }
	switch strings.TrimPrefix(r.URL.Path, "/api/data/v9.2/") {
	case "WhoAmI":
		answer(w, 200, m{"UserId": "u-1", "OrganizationId": "o-1", "BusinessUnitId": "b-1"})
	case "EntityDefinitions":
		if r.URL.Query().Get("page") == "" {
			answer(w, 200, m{"value": []m{{"LogicalName": "account", "EntitySetName": "accounts", "DisplayName": label("Account"), "IsCustomEntity": false}},
				"@odata.nextLink": "http://" + r.Host + "/api/data/v9.2/EntityDefinitions?page=2"})
			return
		}
		answer(w, 200, m{"value": []m{{"LogicalName": "secret", "EntitySetName": "secrets", "DisplayName": label("Secret"), "IsCustomEntity": true}}})
	case "accounts":
		if r.Header.Get("Prefer") == "" {
			w.WriteHeader(400)
			return
		}
		answer(w, 200, m{"value": []m{{"accountid": "1", "name": "Adatum"}, {"accountid": "2", "name": "Fabrikam"}}})
	case "secrets":
		answer(w, 403, m{"error": m{"code": "0x80040220", "message": "Principal user is missing prvReadSecret privilege"}})
	default:
		answer(w, 404, m{"error": m{"code": "0x0", "message": "no"}})
	}
}

func TestDynamicsDocsShaped(t *testing.T) {
	base := docsShapedDynamics(t)
	ask := connectors.Asker{OpenURL: func(ctx context.Context, link string) error {
		go func() { _ = visit(context.WithoutCancel(ctx), link, false) }()
		return nil
	}}
	with := func(base, client string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			s := connectors.NewSettings()
			s.Plain = map[string]string{"base_url": base, "login_url": base, "client_id": client, "tenant": "organizations"}
			return s
		}
	}
	const id = "11111111-2222-3333-4444-555555555555"
	good := with(base, id)
	conntest.Run(t, conntest.Suite{Type: catalogued(t, "dynamics365"), Good: good, Ask: ask, World: loopbacks,
		Aim: func(s connectors.Settings, host, port string) connectors.Settings {
			s = aimBase(s, host, port)
			return s
		},
		Faults: []conntest.Fault{
			{Name: "a client ID that is none", Settings: with(base, "my app"), Ask: ask, Code: connectors.BadInput, Field: "client_id"},
			{Name: "nobody there", Settings: good, Code: connectors.SignInAgain, Stage: connectors.StageSignIn},
			{Name: "another site", Settings: func(tb testing.TB) connectors.Settings {
				s := good(tb)
				s.Plain["base_url"] = webPage(tb)
				return s
			}, Ask: ask, Code: connectors.Refused, Field: "base_url"},
		}})
	w := newLinkWorld(t)
	w.Env.Ask = ask
	s, err := catalogued(t, "dynamics365").Open(t.Context(), w.Env, good(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var names []string
	for n, err := range s.(connectors.Browser).Children(t.Context(), "tables") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, n.Name+"="+string(n.ID))
	}
	if strings.Join(names, " ") != "Account=tables/accounts Secret=tables/secrets" {
		t.Error(names)
	}
	table, err := s.(connectors.Tabler).Table(t.Context(), "tables/accounts", 10)
	if err != nil || len(table.Rows) != 2 {
		t.Errorf("%+v %v", table, err)
	}
	_, err = s.(connectors.Tabler).Table(t.Context(), "tables/secrets", 10)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied || e.Reason != "dynamics.privilege" {
		t.Errorf("%v", err)
	}
}

func TestCatalogueFilesAreSound(t *testing.T) {
	types, err := services()
	if err != nil || len(types) < 3 {
		t.Fatalf("%d services: %v", len(types), err)
	}
	for _, ty := range types {
		if ty.Guide.Rights == "" || len(ty.Guide.Steps) == 0 {
			t.Errorf("%s: the guide is empty", ty.ID)
		}
	}
	for _, name := range []string{"twilio", "coupa", "dynamics365"} {
		data, err := builtIn.ReadFile("catalogue/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			_, after, ok := strings.Cut(line, "reason: ")
			if !ok {
				continue
			}
			reason := strings.TrimSpace(strings.FieldsFunc(after, func(r rune) bool { return r == ',' || r == '}' })[0])
			if !connectors.English().Has(reason) {
				t.Errorf("%s: the reason %s has no words", name, reason)
			}
		}
	}
}

func TestOwnCatalogueFiles(t *testing.T) {
	dir := t.TempDir()
	base := docsShapedCoupa(t)
	data, err := builtIn.ReadFile("catalogue/coupa.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "mine.yaml", strings.Replace(string(data), "id: coupa", "id: my_coupa", 1))
	write(t, dir, "broken.yaml", "id: broken\nunknown_key: 1\n")
	write(t, dir, "leaky.yaml", strings.Replace(strings.Replace(string(data), "id: coupa", "id: leaky", 1), "/api/users?limit=1", "/api/users?key={api_key}", 1))
	types, errs := FromFolder(dir)
	if len(types) != 1 || types[0].ID != "my_coupa" || types[0].Origin == "" || len(errs) != 2 {
		t.Fatalf("%v %v", types, errs)
	}
	s := connectors.NewSettings()
	s.Plain["base_url"], s.Plain["auth"] = base, "key"
	s.Secrets["api_key"] = connectors.NewSecret(practiceKey)
	conntest.Open(t, types[0], s)
}

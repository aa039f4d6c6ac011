package web

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/tlsx"
)

func httpSettings(base string, plain map[string]string, secrets ...string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain["base_url"], s.Plain["auth"] = base, "none"
	for k, v := range plain {
		s.Plain[k] = v
	}
	for i := 0; i+1 < len(secrets); i += 2 {
		s.Secrets[secrets[i]] = connectors.NewSecret(secrets[i+1])
	}
	return s
}

// api is a service in several media types, with paging; net/http answers.
func api(t testing.TB) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		answer(w, 200, m{"login": "mira", "status": "ok", "language": r.Header.Get("Accept-Language"), "version": r.URL.Query().Get("api-version")})
	})
	mux.HandleFunc("/failed", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, m{"status": "error", "error": m{"code": "E7", "message": "no such tenant"}})
	})
	mux.HandleFunc("/orders.xml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = fmt.Fprint(w, `<?xml version="1.0"?><orders total="2"><order id="1"><customer>Adatum</customer></order><order id="2"><customer>Fabrikam</customer></order></orders>`)
	})
	mux.HandleFunc("/orders.csv", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = fmt.Fprint(w, "id;customer\n1;Adatum\n2;Fabrikam\n3;\"Woodgrove; Bank\"\n")
	})
	mux.HandleFunc("/deep", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, m{"company": m{"name": "Adatum", "sites": []m{{"name": "Malmö", "rooms": 4}, {"name": "Lund", "rooms": 2}}}})
	})
	mux.HandleFunc("/linked", func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		if page < 2 {
			w.Header().Set("Link", fmt.Sprintf(`<http://%s/linked?page=%d>; rel="next", <http://%s/linked>; rel="first"`, r.Host, page+1, r.Host))
		}
		answer(w, 200, []m{{"n": page*2 + 1}, {"n": page*2 + 2}})
	})
	mux.HandleFunc("/next", func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		out := m{"items": []m{{"n": page}}, "next": nil}
		if page < 2 {
			out["next"] = "/next?page=" + strconv.Itoa(page+1)
		}
		answer(w, 200, out)
	})
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/me", http.StatusFound) })
	return serve(t, mux)
}

func rowsOf(t *testing.T, s connectors.Session, id string) *connectors.Table {
	t.Helper()
	table, err := s.(connectors.Tabler).Table(t.Context(), connectors.NodeID(id), 100)
	if err != nil {
		t.Fatalf("%s: %v %+v", id, err, connectors.Explain(err))
	}
	return table
}

func TestHTTPShowsEveryCommonKindOfAnswer(t *testing.T) {
	s := conntest.Open(t, HTTP(), httpSettings(api(t), map[string]string{"test_path": "/me", "paths": "/orders.xml\n/orders.csv\n/deep", "headers": "Accept-Language: sv", "query": "api-version=2"}))
	for path, rows := range map[string]int{"/orders.xml": 2, "/orders.csv": 3, "/linked": 6, "/next": 3, "/deep#/company/sites": 2} {
		if table := rowsOf(t, s, path); len(table.Rows) != rows {
			t.Errorf("%s: %d rows, want %d: %+v", path, len(table.Rows), rows, table)
		}
	}
	me := fmt.Sprint(rowsOf(t, s, "/me").Rows)
	if !strings.Contains(me, "sv") || !strings.Contains(me, "version 2") {
		t.Errorf("default headers and query were not sent: %s", me)
	}
	var names []string
	for n, err := range s.(connectors.Browser).Children(t.Context(), "/deep#/company") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, n.Name+"="+string(n.ID))
	}
	if strings.Join(names, " ") != "name=/deep#/company/name sites=/deep#/company/sites" {
		t.Error(names)
	}
	sample, err := s.(connectors.Sampler).Sample(t.Context(), "/deep#/company/name", 100)
	if err != nil || string(sample.Data) != "Adatum" {
		t.Errorf("%q %v", sample.Data, err)
	}
}

func TestHTTPTestsAsTheFormSays(t *testing.T) {
	base := api(t)
	for _, c := range []struct {
		name  string
		plain map[string]string
		code  connectors.Code
		field string
	}{
		{"success value", map[string]string{"test_path": "/me", "success_path": "status", "success_values": "active, ok"}, "", ""},
		{"other success value", map[string]string{"test_path": "/me", "success_path": "status", "success_values": "active"}, connectors.Refused, ""},
		{"fail path", map[string]string{"test_path": "/failed", "fail_path": "error.code"}, connectors.Refused, "fail_path"},
		{"fail value that is not there", map[string]string{"test_path": "/failed", "fail_path": "error.code", "fail_values": "E1,E2"}, "", ""},
		{"success status", map[string]string{"test_path": "/me", "success_status": "204"}, connectors.Refused, ""},
		{"a status that is no success elsewhere", map[string]string{"test_path": "/nothing", "success_status": "404"}, "", ""},
		{"media type", map[string]string{"test_path": "/orders.csv", "media": "json"}, connectors.Refused, "base_url"},
		{"media type named", map[string]string{"test_path": "/orders.csv", "media": "csv"}, "", ""},
		{"redirects not followed", map[string]string{"test_path": "/away", "redirects": "none"}, connectors.Refused, "base_url"},
		{"redirects followed", map[string]string{"test_path": "/away"}, "", ""},
		{"method", map[string]string{"test_path": "/me", "test_method": "HEAD"}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := HTTP().Open(t.Context(), conntest.NewWorld(t).Env, httpSettings(base, c.plain))
			if err == nil {
				_ = s.Close()
			}
			if e := connectors.Classify(err); c.code == "" && err != nil || c.code != "" && (e == nil || e.Code != c.code || c.field != "" && e.Field != c.field) {
				t.Errorf("%v %+v", err, connectors.Explain(err))
			}
		})
	}
}

func TestHTTPSlowsDownWhenAsked(t *testing.T) {
	var asked atomic.Int32
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := asked.Add(1); {
		case r.URL.Path == "/me" && n == 1:
			w.Header().Set("X-Wait", "0.05")
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/long":
			w.Header().Set("X-Wait", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/left":
			w.Header().Set("X-Left", "0")
			w.WriteHeader(http.StatusForbidden)
		default:
			answer(w, 200, m{"login": "mira"})
		}
	}))
	s := conntest.Open(t, HTTP(), httpSettings(base, map[string]string{"test_path": "/me", "retry_header": "X-Wait", "slow_status": "429, 503", "limit_header": "X-Left", "concurrency": "2"}))
	if asked.Load() != 2 {
		t.Errorf("%d requests, want one and its repetition", asked.Load())
	}
	for path, said := range map[string]string{"/long": "Try again in 1 hour.", "/left": ""} {
		_, err := s.(connectors.Tabler).Table(t.Context(), connectors.NodeID(path), 10)
		if p := connectors.Explain(err); connectors.CodeOf(err) != connectors.Throttled || !strings.Contains(p.Hint, said) {
			t.Errorf("%s: %v %+v", path, err, p)
		}
	}
}

// graphqlShaped answers as the GraphQL specification says, for one query.
func graphqlShaped(t testing.TB) string {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Query string }
		if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&q) != nil {
			w.WriteHeader(400)
			return
		}
		switch {
		case strings.Contains(q.Query, "__schema"):
			answer(w, 200, m{"data": m{"__schema": m{"queryType": m{"fields": []m{{"name": "viewer"}, {"name": "orders"}}}}}})
		case strings.Contains(q.Query, "orders"):
			answer(w, 200, m{"data": m{"orders": m{"edges": []m{{"node": m{"id": 1}}, {"node": m{"id": 2}}}}}})
		case strings.Contains(q.Query, "__typename"):
			answer(w, 200, m{"data": m{"__typename": "Query"}})
		default:
			answer(w, 200, m{"errors": []m{{"message": "cannot query"}}})
		}
	}))
}

func TestHTTPGraphQLShaped(t *testing.T) {
	s := conntest.Open(t, HTTP(), httpSettings(graphqlShaped(t), map[string]string{"test": "graphql", "test_path": "/graphql", "graphql_query": "{orders{edges{node{id}}}}"}))
	if table := rowsOf(t, s, "fields"); len(table.Rows) != 2 {
		t.Errorf("%+v", table)
	}
	if table := rowsOf(t, s, "result"); len(table.Rows) != 2 || table.Columns[0].Name != "id" {
		t.Errorf("%+v", table)
	}
	_, err := HTTP().Open(t.Context(), conntest.NewWorld(t).Env, httpSettings(api(t), map[string]string{"test": "graphql", "test_path": "/me"}))
	if err == nil {
		t.Error("what is no GraphQL passed for it")
	}
}

func TestHTTPODataShaped(t *testing.T) {
	base := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/odata/":
			answer(w, 200, m{"@odata.context": "$metadata", "value": []m{{"name": "Products", "url": "Products"}}})
		case "/odata/Products":
			if r.URL.Query().Get("$skip") == "" {
				answer(w, 200, m{"value": []m{{"ID": 1}}, "@odata.nextLink": "http://" + r.Host + "/odata/Products?$skip=1"})
				return
			}
			answer(w, 200, m{"value": []m{{"ID": 2}}})
		default:
			w.WriteHeader(404)
		}
	}))
	s := conntest.Open(t, HTTP(), httpSettings(base+"/odata", map[string]string{"test": "odata"}))
	for n, err := range s.(connectors.Browser).Children(t.Context(), "entities") {
		if err != nil || n.Name != "Products" {
			t.Fatalf("%+v %v", n, err)
		}
		if table := rowsOf(t, s, string(n.ID)); len(table.Rows) != 2 {
			t.Errorf("%+v", table)
		}
	}
}

// Strict checking cannot be switched off; one certificate can be pinned instead.
func TestSecurity51_APinReplacesTheCheckForOneConnectionAndShows(t *testing.T) {
	ca := server.NewCA(t)
	issued := ca.Issue(t, server.Cert{Names: []string{"another.example.com"}, Expired: true})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, m{"login": "mira"}) }))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{issued.TLS(t)}, MaxVersion: tls.VersionTLS12}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	base := srv.URL
	_, err := HTTP().Open(t.Context(), conntest.NewWorld(t).Env, httpSettings(base, map[string]string{"ca": ca.PEM}))
	if connectors.CodeOf(err) != connectors.Untrusted {
		t.Errorf("an expired certificate of another name: %v", err)
	}
	pin := fingerprint(t, issued)
	s := conntest.Open(t, HTTP(), httpSettings(base, map[string]string{"tls_pin": pin}))
	facts, err := s.Check(t.Context())
	if err != nil || !strings.Contains(fmt.Sprint(facts), "pinned to "+pin) {
		t.Errorf("%+v %v", facts, err)
	}
	_, err = HTTP().Open(t.Context(), conntest.NewWorld(t).Env, httpSettings(base, map[string]string{"tls_pin": pin, "tls_min": "1.3"}))
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Unsupported {
		t.Errorf("a server that only speaks TLS 1.2: %v", err)
	}
}

func fingerprint(t *testing.T, issued server.Issued) string {
	t.Helper()
	leaf, err := x509.ParseCertificate(issued.TLS(t).Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return tlsx.Fingerprint(leaf)
}

func TestSecurity54_TheProxyOfTheFormIsUsedAndShownWithoutItsPassword(t *testing.T) {
	var through atomic.Int32
	proxy := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := basicOf(r.Header.Get("Proxy-Authorization"))
		if user != "mira" || password != "practice-only-proxy" {
			w.Header().Set("Proxy-Authenticate", "Basic realm=practice")
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		through.Add(1)
		answer(w, 200, m{"login": "behind " + r.URL.Host})
	}))
	with := func(password, reach string) connectors.Settings {
		return httpSettings("http://api.practice.example", map[string]string{"test_path": "/me", "reach": reach, "proxy": proxy, "proxy_user": "mira"}, "proxy_password", password)
	}
	w := conntest.NewWorld(t)
	s, err := HTTP().Open(t.Context(), w.Env, with("practice-only-proxy", "proxy"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	facts, err := s.Check(t.Context())
	seen := fmt.Sprintf("%+v %+v %s", facts, w.Steps(), w.Log())
	if err != nil || through.Load() == 0 || !strings.Contains(seen, "{Label:Proxy Text:"+proxy+"}") || strings.Contains(seen, "practice-only-proxy") {
		t.Errorf("%s %v", seen, err)
	}
	_, err = HTTP().Open(t.Context(), conntest.NewWorld(t).Env, with("practice-only-wrong", "proxy"))
	if e := connectors.Classify(err); e == nil || e.Reason != "http.proxy" || strings.Contains(fmt.Sprintf("%v %+v", err, connectors.Explain(err)), "practice-only-wrong") {
		t.Errorf("%v", err)
	}
	_, err = HTTP().Open(t.Context(), conntest.NewWorld(t).Env, with("practice-only-proxy", "direct"))
	if connectors.CodeOf(err) != connectors.Unreachable {
		t.Errorf("directly: %v", err)
	}
}

func basicOf(header string) (user, password string, ok bool) {
	r := http.Request{Header: http.Header{"Authorization": {header}}}
	return r.BasicAuth()
}

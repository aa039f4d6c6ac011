package elastic

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

const (
	password = "practice-only-reader"
	// awkward has every sign that some syntax gives a meaning.
	awkward = `practice 'only" @/#?%\: x' ü`
	keyID   = "practice-key-id"
	keyText = "practice-only-key"
	token   = "practice-only-token"
)

// A standIn answers as Elasticsearch 8 or OpenSearch 2 do: the shapes are those of
// https://www.elastic.co/docs/api/doc/elasticsearch and
// https://docs.opensearch.org/docs/latest/api-reference/. Neither server can be
// installed where the tests run.
type standIn struct {
	open  bool                           // without OpenSearch
	deny  func(path string) string       // the action that is not allowed there
	other func(http.ResponseWriter) bool // answers in its place
	index int                            // so many more indices
	tls   *tls.Config
	seen  func(r *http.Request)

	host, port string
	mu         sync.Mutex
	calls      []string
}

func (s *standIn) start(t *testing.T) *standIn {
	t.Helper()
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if s.tls != nil {
		srv.TLS = s.tls
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.host, s.port = u.Hostname(), u.Port()
	return s
}

func (s *standIn) account(r *http.Request) string {
	a := r.Header.Get("Authorization")
	switch {
	case a == "ApiKey "+base64.StdEncoding.EncodeToString([]byte(keyID+":"+keyText)), a == "Bearer "+token:
		return "reader"
	}
	user, given, _ := r.BasicAuth()
	if user == "reader" && given == password || user == "awkward" && given == awkward {
		return user
	}
	return ""
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func refuse(w http.ResponseWriter, status int, kind, reason string) {
	answer(w, status, fmt.Sprintf(`{"error":{"root_cause":[{"type":%[2]q,"reason":%[3]q}],"type":%[2]q,"reason":%[3]q},"status":%[1]d}`, status, kind, reason))
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	if s.seen != nil {
		s.seen(r)
	}
	if s.other != nil && s.other(w) {
		return
	}
	user := s.account(r)
	switch {
	case user == "" && s.open:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte("Unauthorized"))
		return
	case user == "":
		w.Header().Add("WWW-Authenticate", `Basic realm="security" charset="UTF-8"`)
		refuse(w, 401, "security_exception", "unable to authenticate user [reader] for REST request ["+r.URL.Path+"]")
		return
	}
	if s.deny != nil {
		if action := s.deny(r.URL.Path); action != "" {
			s.denied(w, action)
			return
		}
	}
	if !s.open {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
	}
	s.route(w, r, user)
}

func (s *standIn) denied(w http.ResponseWriter, action string) {
	if s.open {
		refuse(w, 403, "security_exception", "no permissions for ["+action+"] and User [name=reader, backend_roles=[], requestedTenant=null]")
		return
	}
	refuse(w, 403, "security_exception", "action ["+action+"] is unauthorized for user [reader] with effective roles [shop], this action is granted by the index privileges [view_index_metadata,manage,all]")
}

func (s *standIn) route(w http.ResponseWriter, r *http.Request, user string) {
	switch path := r.URL.Path; {
	case path == "/" && s.open:
		answer(w, 200, `{"name":"n1","cluster_name":"practice","version":{"distribution":"opensearch","number":"2.19.1","lucene_version":"9.12.1"},"tagline":"The OpenSearch Project: https://opensearch.org/"}`)
	case path == "/":
		answer(w, 200, `{"name":"n1","cluster_name":"practice","version":{"number":"8.17.0","build_flavor":"default","lucene_version":"9.12.0"},"tagline":"You Know, for Search"}`)
	case path == "/_security/_authenticate" && strings.HasPrefix(r.Header.Get("Authorization"), "ApiKey"):
		answer(w, 200, `{"username":"`+user+`","roles":[],"authentication_type":"api_key","api_key":{"id":"`+keyID+`","name":"reports"}}`)
	case path == "/_security/_authenticate":
		answer(w, 200, `{"username":"`+user+`","roles":["shop","monitor"],"enabled":true,"authentication_type":"realm"}`)
	case path == "/_plugins/_security/authinfo":
		answer(w, 200, `{"user":"User [name=reader]","user_name":"reader","roles":["own_index","shop"]}`)
	case path == "/_security/api_key":
		answer(w, 200, `{"api_keys":[{"id":"`+keyID+`","name":"reports","creation":1,"expiration":1924992000000,"invalidated":false}]}`)
	case path == "/_cluster/health":
		answer(w, 200, `{"cluster_name":"practice","status":"yellow","number_of_nodes":3}`)
	case strings.HasPrefix(path, "/_resolve/index/"):
		s.resolve(w, strings.TrimPrefix(path, "/_resolve/index/"))
	case strings.HasPrefix(path, "/_cat/indices"):
		answer(w, 200, `[{"index":"orders","docs.count":"1200","store.size":"52428800","health":"green"},{"index":"secret","docs.count":"5","store.size":"100","health":"yellow"}]`)
	case path == "/_security/user/_has_privileges":
		answer(w, 200, `{"username":"reader","has_all_requested":false,"cluster":{},"index":{"orders":{"read":true},"secret":{"read":false},"logs":{"read":true}},"application":{}}`)
	case strings.HasSuffix(path, "/_mapping"):
		answer(w, 200, `{"orders":{"mappings":{"properties":{"customer":{"properties":{"name":{"type":"text"},"age":{"type":"integer"}}},"total":{"type":"scaled_float"}}}},"orders-2":{"mappings":{"properties":{"total":{"type":"long"},"odd\u202e %/name":{"type":"keyword"}}}}}`)
	case strings.HasSuffix(path, "/_search"):
		s.search(w, strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/_search"))
	default:
		refuse(w, 400, "illegal_argument_exception", "no handler found for uri ["+path+"]")
	}
}

func (s *standIn) resolve(w http.ResponseWriter, pattern string) {
	if pattern == "nope" {
		refuse(w, 404, "index_not_found_exception", "no such index [nope]")
		return
	}
	var b strings.Builder
	for i := range s.index {
		_, _ = fmt.Fprintf(&b, `,{"name":"i%08d","attributes":["open"]}`, i)
	}
	answer(w, 200, `{"indices":[{"name":"orders","aliases":["current"],"attributes":["open"]},{"name":"secret","attributes":["open"]},{"name":".ds-logs-000001","attributes":["hidden","open"],"data_stream":"logs"}`+b.String()+
		`],"aliases":[{"name":"current","indices":["orders"]}],"data_streams":[{"name":"logs","backing_indices":[".ds-logs-000001"],"timestamp_field":"@timestamp"}]}`)
}

func (s *standIn) search(w http.ResponseWriter, index string) {
	switch index {
	case "secret":
		s.denied(w, "indices:data/read/search")
		return
	case "gone":
		refuse(w, 404, "index_not_found_exception", "no such index [gone]")
		return
	case "deep":
		answer(w, 200, `{"hits":{"hits":[{"_id":"1","_source":{"a":`+strings.Repeat(`[`, 100_000)+strings.Repeat(`]`, 100_000)+`}}]}}`)
		return
	}
	answer(w, 200, `{"took":2,"timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"hits":[
{"_index":"orders","_id":"a1","_score":1.0,"_source":{"customer":{"name":"Ada"},"total":12.5,"n":3}},
{"_index":"orders","_id":"a2","_score":1.0,"_source":{"total":null,"note":"late"}},
{"_index":"orders","_id":"a3","_score":1.0}]}}`)
}

func (s *standIn) settings(more ...string) connectors.Settings {
	return conntest.Settings(Type(), []string{"host", s.host, "port", s.port, "auth", byPassword, "user", "reader", "security", "none", "password", password}, more...)
}

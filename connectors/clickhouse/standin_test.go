package clickhouse

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// A recent server is a stand-in that answers as current versions do: the shapes
// are those of https://clickhouse.com/docs/interfaces/http,
// /sql-reference/statements/show and /operations/system-tables.
func recent(t *testing.T, tables int, refuse func(w http.ResponseWriter, query string) bool) connectors.Settings {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-ClickHouse-User") != "reader" || r.Header.Get("X-ClickHouse-Key") != password {
			fails(w, 403, 516, "reader: Authentication failed: password is incorrect, or there is no user with such name.", "AUTHENTICATION_FAILED")
			return
		}
		body := make([]byte, 1<<16)
		n, _ := r.Body.Read(body)
		q := string(body[:n])
		if refuse != nil && refuse(w, q) {
			return
		}
		if r.Method == http.MethodGet {
			q = r.URL.Query().Get("query")
		}
		respond(w, q, tables)
	}))
	t.Cleanup(srv.Close)
	host, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	return conntest.Settings(Type(), []string{"host", host, "port", port, "auth", byPassword, "user", "reader", "security", "none", "password", password})
}

func fails(w http.ResponseWriter, status, code int, text, name string) {
	w.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(code))
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "Code: %d. DB::Exception: %s (%s) (version 25.8.1.5101 (official build))\n", code, text, name)
}

func respond(w http.ResponseWriter, q string, tables int) {
	rows, columns := [][]any{}, []column{{"a", "String"}, {"b", "String"}, {"c", "Nullable(UInt64)"}, {"d", "Nullable(UInt64)"}, {"e", "String"}}
	switch {
	case strings.HasPrefix(q, "SELECT version()"):
		rows, columns = [][]any{{"25.8.1.5101"}}, columns[:1]
	case strings.HasPrefix(q, "SHOW GRANTS"):
		rows, columns = [][]any{{"GRANT SELECT ON shop.* TO reader"}, {"REVOKE SELECT ON shop.secret FROM reader"}}, columns[:1]
	case strings.HasPrefix(q, "SELECT user()"):
		rows, columns = [][]any{{"reader", "UTC", 1200}}, columns[:3]
	case strings.Contains(q, "FROM system.databases"):
		rows, columns = [][]any{{"shop", "Atomic"}}, columns[:2]
	case strings.Contains(q, "SELECT engine FROM system.tables"):
		engine := "MergeTree"
		if strings.Contains(q, "'queue'") {
			engine = "Kafka"
		}
		rows, columns = [][]any{{engine}}, columns[:1]
	case strings.Contains(q, "FROM system.tables"):
		rows = page(q, tables)
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"meta": columns, "data": rows, "rows": len(rows), "statistics": map[string]any{"elapsed": 0.001}})
}

// page answers the tables after the name in the query.
func page(q string, tables int) [][]any {
	_, after, _ := strings.Cut(q, "name > 't")
	after, _, _ = strings.Cut(after, "'")
	first := 0
	if n, err := strconv.Atoi(after); err == nil {
		first = n + 1
	}
	var rows [][]any
	for i := first; i < tables && len(rows) < pageSize; i++ {
		rows = append(rows, []any{fmt.Sprintf("t%08d", i), "MergeTree", 1200, 52428800, "orders of a day"})
	}
	if first == 0 {
		rows = append([][]any{{"queue", "Kafka", nil, nil, ""}, {"secret", "MergeTree", 5, 100, ""}}, rows...)
		rows = rows[:min(len(rows), pageSize)]
	}
	return rows
}

func TestStandInOfARecentServer(t *testing.T) {
	good := func(testing.TB) connectors.Settings { return recent(t, 3, nil) }
	refusing := func(status, code int, text, name string) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return recent(t, 3, func(w http.ResponseWriter, _ string) bool { fails(w, status, code, text, name); return true })
		}
	}
	html := func(status int) func(testing.TB) connectors.Settings {
		return func(testing.TB) connectors.Settings {
			return recent(t, 3, func(w http.ResponseWriter, _ string) bool {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(status)
				_, _ = w.Write([]byte("<html>nginx</html>"))
				return true
			})
		}
	}
	conntest.Run(t, conntest.Suite{
		Type: Type(), Good: good,
		Big: &conntest.Big{Settings: func(testing.TB) connectors.Settings { return recent(t, manyNames, nil) }, Parent: "shop", Count: manyNames},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: func(testing.TB) connectors.Settings {
				s := recent(t, 3, nil)
				s.Secrets["password"] = connectors.NewSecret("wrong-practice")
				return s
			}, Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "too many queries", Settings: refusing(500, 202, "Too many simultaneous queries. Maximum: 100", "TOO_MANY_SIMULTANEOUS_QUERIES"), Code: connectors.Throttled},
			{Name: "quota", Settings: refusing(500, 201, "Quota for user `reader` for 3600s has been exceeded", "QUOTA_EXCEEDED"), Code: connectors.Throttled},
			{Name: "not enough privileges", Settings: refusing(403, 497, "reader: Not enough privileges.", "ACCESS_DENIED"), Code: connectors.Denied, Stage: connectors.StageRights},
			{Name: "memory", Settings: refusing(500, 241, "Memory limit (total) exceeded", "MEMORY_LIMIT_EXCEEDED"), Code: connectors.Unsupported},
			{Name: "a proxy's page", Settings: html(200), Code: connectors.Refused, Field: "port"},
			{Name: "a proxy's sign-in", Settings: html(401), Code: connectors.AuthFailed, Field: "host"},
			{Name: "down behind a proxy", Settings: html(503), Code: connectors.Unreachable},
			{Name: "throttled by a proxy", Settings: html(429), Code: connectors.Throttled},
		},
	})
	s := mustOpen(t, recent(t, 3, nil))
	facts, err := s.Check(t.Context())
	if err != nil || conntest.Fact(facts, "Server") != "ClickHouse 25.8.1.5101" || conntest.Fact(facts, "Right") != "GRANT SELECT ON shop.* TO reader" {
		t.Errorf("%v %v", facts, err)
	}
	tables := conntest.Below(t, s, "shop")
	if n := tables["t00000001"]; n.Access != connectors.AccessReadable || conntest.Fact(n.Facts, "Rows") != "1200" || conntest.Fact(n.Facts, "Size") != "50 MiB" || conntest.Fact(n.Facts, "Comment") == "" {
		t.Errorf("%+v", n)
	}
	if n := tables["secret"]; n.Access != connectors.AccessListed || len(n.Views) > 0 {
		t.Errorf("%+v", n)
	}
	if len(tables["queue"].Views) > 0 {
		t.Errorf("%+v", tables["queue"])
	}
	_, err = s.Table(t.Context(), "shop/queue", 5)
	conntest.WantError(t, err, connectors.Unsupported, "clickhouse.consuming", "")
}

// TestStandInSettingsAreLeftOutWhereTheyAreRefused has a user whose profile says
// readonly=1.
func TestStandInSettingsAreLeftOutWhereTheyAreRefused(t *testing.T) {
	for _, code := range []int{164, 452} {
		s := recent(t, 3, func(w http.ResponseWriter, q string) bool {
			if q != "" {
				fails(w, 500, code, "Cannot modify 'readonly' setting in readonly mode", "READONLY")
			}
			return q != ""
		})
		got := mustOpen(t, s)
		if _, err := got.Check(t.Context()); err != nil || freedom(got.freedom.Load()) != none {
			t.Errorf("%d: %v, freedom %d", code, err, got.freedom.Load())
		}
	}
}

func TestSecurity67_ARedirectCarriesNothing(t *testing.T) {
	var heard atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { heard.Add(1) }))
	defer other.Close()
	s := recent(t, 0, func(w http.ResponseWriter, _ string) bool {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	})
	_, err := Type().Open(t.Context(), conntest.NewWorld(t).Env, s)
	conntest.WantError(t, err, connectors.Refused, "http.redirect", "")
	if heard.Load() > 0 {
		t.Error("it followed to another server")
	}
}

func TestGrantsDocsShaped(t *testing.T) {
	g := parseGrants([]string{
		"GRANT SHOW, SELECT(id, name), INSERT ON shop.orders TO reader",
		"GRANT ALL ON `my db`.* TO reader WITH GRANT OPTION",
		"GRANT SELECT ON logs_*.* TO reader",
		"GRANT INSERT ON shop.written TO reader",
		"GRANT SELECT ON open.* TO reader", "REVOKE SELECT ON open.closed FROM reader", "REVOKE SELECT(id) ON open.half FROM reader",
	})
	for name, want := range map[string]connectors.Access{
		"shop.orders": connectors.AccessReadable, "my db.x": connectors.AccessReadable, "logs_eu.x": connectors.AccessReadable, "shop.written": connectors.AccessListed,
		"open.x": connectors.AccessReadable, "open.closed": connectors.AccessListed, "open.half": connectors.AccessReadable, "elsewhere.x": connectors.AccessListed,
	} {
		database, table, _ := strings.Cut(name, ".")
		if got := g.access(database, table); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if g := parseGrants([]string{"GRANT SELECT ON shop.* TO reader", "GRANT analyst TO reader"}); g.access("x", "y") != "" {
		t.Error("what a role adds is not known")
	}
}

func TestSplit(t *testing.T) {
	for in, want := range map[string]map[string]string{
		"https://reader@abc.clickhouse.cloud:8443/?database=shop": {"host": "abc.clickhouse.cloud", "port": "8443", "user": "reader", "database": "shop", "security": "tls"},
		"clickhouse://reader:practice@10.0.0.5:9000/shop":         {"host": "10.0.0.5", "user": "reader", "database": "shop", "security": "none"},
		"clickhouse://10.0.0.5:9440/shop":                         {"host": "10.0.0.5", "database": "shop", "security": "tls"},
		"db.example.com":                                          nil,
	} {
		got := split(in)
		if got["database"] == "" {
			delete(got, "database")
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(`{"meta":[{"name":"a","type":"UInt8"}],"data":[[1]],"rows":1}`)
	f.Add(`{"meta":[],"data":[[[[[`)
	f.Fuzz(func(_ *testing.T, text string) {
		a := &answer{}
		if a.parse(json.NewDecoder(strings.NewReader(text))) == nil {
			a.table(10)
			a.texts()
		}
	})
}

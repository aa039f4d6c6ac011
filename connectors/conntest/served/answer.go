package served

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// A Mode is the state in which every service of a World is.
type Mode string

// The modes.
const (
	Well    Mode = ""
	Expired Mode = "expired"
	Scoped  Mode = "scope"
	Slow    Mode = "slow"
	HTML    Mode = "html"
	Down    Mode = "down"
	Empty   Mode = "empty"
)

// handler answers for one service.
type handler struct {
	s     Service
	oauth *authority

	mu   sync.Mutex
	mode Mode
	way  Way
	seen []string
}

func (h *handler) set(m Mode, w Way) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mode, h.way, h.seen = m, w, nil
	h.oauth.set(m, w)
}

func (h *handler) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.seen...)
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	h.mu.Lock()
	mode, way := h.mode, h.way
	h.seen = append(h.seen, r.Method+" "+r.Host+r.URL.RequestURI())
	h.mu.Unlock()
	if h.oauth.answers(w, r, content) {
		return
	}
	route, ok := h.route(r, string(content))
	signedIn := h.accepts(way, r) || ok && route.Open
	switch {
	case mode == HTML:
		Answer{Text: "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>", Media: "text/html"}.write(w, 200)
	case mode == Down:
		Answer{Text: "<html><body>We are down for maintenance.</body></html>", Media: "text/html"}.write(w, 503)
	case !signedIn:
		h.s.Refused.write(w, 401)
	case mode == Expired && (!ok || !route.Open):
		h.s.Expired.write(w, 401)
	case mode == Slow:
		slow := h.s.Slow
		if slow.Headers == nil {
			slow.Headers = map[string]string{"Retry-After": "120"}
		}
		slow.write(w, 429)
	case !ok:
		Answer{JSON: map[string]any{"error": map[string]any{"message": "no such thing: " + r.URL.Path}, "message": "no such thing"}}.write(w, 404)
	case mode == Scoped && route.Scoped:
		h.s.Scope.write(w, 403)
	case mode == Empty && route.Empty != nil:
		route.Empty.write(w, 200)
	case route.Repeat != nil:
		count := route.Repeat.Count
		if mode == Empty {
			count = 0
		}
		route.Repeat.write(w, r, count, route.JSON)
	default:
		route.write(w, 200)
	}
}

func (h *handler) route(r *http.Request, content string) (Route, bool) {
	for _, route := range h.s.Routes {
		if route.fits(r, content) {
			return route, true
		}
	}
	return Route{}, false
}

func (route Route) fits(r *http.Request, content string) bool {
	want := map[string]string{"GET": route.Get, "POST": route.Post, "DELETE": route.Delete}[r.Method]
	if want == "" || route.Host != "" && route.Host != r.Host {
		return false
	}
	if prefix, rest := strings.CutSuffix(want, "*"); rest && !strings.HasPrefix(r.URL.Path, prefix) || !rest && r.URL.Path != want {
		return false
	}
	q := r.URL.Query()
	for k, v := range route.Query {
		if q.Get(k) != v {
			return false
		}
	}
	for k, v := range route.Header {
		if r.Header.Get(k) != v {
			return false
		}
	}
	for _, part := range route.Body {
		if !strings.Contains(content, part) {
			return false
		}
	}
	return true
}

func (h *handler) accepts(way Way, r *http.Request) bool {
	if len(way.Accept) == 0 {
		return h.oauth.accepts(r)
	}
	for _, p := range way.Accept {
		if p.fits(r) {
			return true
		}
	}
	return false
}

func (p Proof) fits(r *http.Request) bool {
	if p.Basic != "" && r.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.Basic)) {
		return false
	}
	if p.Bearer != "" && r.Header.Get("Authorization") != "Bearer "+p.Bearer {
		return false
	}
	for k, v := range p.Header {
		if r.Header.Get(k) != v {
			return false
		}
	}
	for k, v := range p.Query {
		if r.URL.Query().Get(k) != v {
			return false
		}
	}
	return true
}

func (a Answer) write(w http.ResponseWriter, status int) {
	if a.Status != 0 {
		status = a.Status
	}
	media, data := a.Media, []byte(a.Text)
	if a.JSON != nil {
		media, data = orElse(media, "application/json"), encode(a.JSON)
	}
	w.Header().Set("Content-Type", orElse(media, "text/plain"))
	for k, v := range a.Headers {
		w.Header().Set(k, v)
	}
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Appendf(nil, "%v", err)
	}
	return data
}

func (rep *Repeat) write(w http.ResponseWriter, r *http.Request, count int, around any) {
	first, limit := rep.asked(r.URL.Query())
	items := []any{}
	for n := first + 1; n <= min(count, first+limit); n++ {
		items = append(items, numbered(rep.Item, n))
	}
	out := map[string]any{}
	if m, ok := around.(map[string]any); ok {
		for k, v := range m {
			out[k] = v
		}
	}
	if rep.More != "" {
		out[rep.More] = first+limit < count
	}
	if rep.Total != "" {
		out[rep.Total] = count
	}
	if rep.Into == "" {
		Answer{JSON: items}.write(w, 200)
		return
	}
	if outer, inner, nested := strings.Cut(rep.Into, "."); nested {
		out[outer] = map[string]any{inner: items}
	} else {
		out[rep.Into] = items
	}
	Answer{JSON: out}.write(w, 200)
}

// asked is how many items come before the page that is asked for, and how many
// it has.
func (rep *Repeat) asked(q url.Values) (first, limit int) {
	number := func(name string) (int, bool) {
		v := q.Get(name)
		if rep.Within != "" {
			v = ""
			words := strings.Fields(q.Get(rep.Within))
			for i := 1; i < len(words); i++ {
				if strings.EqualFold(words[i-1], name) {
					v = words[i]
				}
			}
		}
		n, err := strconv.Atoi(v)
		return n, err == nil
	}
	if limit, _ = number(rep.Limit); limit <= 0 {
		limit = 50
	}
	begins := 0
	if rep.Page != "" {
		begins = 1
	}
	if rep.Begins != nil {
		begins = *rep.Begins
	}
	if rep.Page != "" {
		n, _ := number(rep.Page)
		return max(n-begins, 0) * limit, limit
	}
	n, _ := number(rep.Offset)
	return max(n-begins, 0), limit
}

func numbered(v any, n int) any {
	switch x := v.(type) {
	case string:
		if x == "{n}" {
			return n
		}
		return strings.ReplaceAll(x, "{n}", strconv.Itoa(n))
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			out[k] = numbered(e, n)
		}
		return out
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = numbered(e, n)
		}
		return out
	}
	return v
}

func orElse(v, other string) string {
	if v == "" {
		return other
	}
	return v
}

func form(r *http.Request, content []byte) url.Values {
	out, _ := url.ParseQuery(string(content))
	if strings.Contains(r.Header.Get("Content-Type"), "json") {
		var m map[string]any
		if json.Unmarshal(content, &m) == nil {
			for k, v := range m {
				out.Set(k, fmt.Sprint(v))
			}
		}
	}
	return out
}

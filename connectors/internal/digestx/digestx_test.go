package digestx

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/internal/challenge"
	"jackfield/connectors/internal/httpx"
)

const practicePassword = "practice-only-password"

// hashes are computed here a second time, apart from what is tested.
var hashes = map[string]func() hash.Hash{"MD5": md5.New, "SHA-256": sha256.New, "SHA-512-256": sha512.New512_256}

// params reads what a client sends. It is stricter than servers are.
func params(t *testing.T, text string) map[string]string {
	t.Helper()
	rest, ok := strings.CutPrefix(text, "Digest ")
	if !ok {
		t.Fatalf("no Digest: %q", text)
	}
	out := map[string]string{}
	for _, p := range challenge.Split(rest) {
		name, v, ok := strings.Cut(p, "=")
		if _, twice := out[name]; !ok || twice {
			t.Errorf("%q in %q", p, text)
		}
		bare := slices.Contains([]string{"algorithm", "qop", "nc", "userhash", "username*"}, name)
		if bare == strings.HasPrefix(v, `"`) {
			t.Errorf("RFC 7616 section 3.4 quotes %s otherwise: %q", name, text)
		}
		out[name] = value("Digest "+p, name)
	}
	return out
}

// expected is the response that RFC 7616 sections 3.4.1 to 3.4.3 define.
func expected(algorithm, user, password, method, body string, p map[string]string) string {
	base, session := strings.CutSuffix(algorithm, "-sess")
	h := func(parts ...string) string {
		d := hashes[base]()
		_, _ = io.WriteString(d, strings.Join(parts, ":"))
		return fmt.Sprintf("%x", d.Sum(nil))
	}
	a1 := h(user, p["realm"], password)
	if session {
		a1 = h(a1, p["nonce"], p["cnonce"])
	}
	a2 := h(method, p["uri"])
	if p["qop"] == "auth-int" {
		a2 = h(method, p["uri"], h(body))
	}
	if p["qop"] == "" {
		return h(a1, p["nonce"], a2)
	}
	return h(a1, p["nonce"], p["nc"], p["cnonce"], p["qop"], a2)
}

// A guard is a server with one account that says what it is told to say.
type guard struct {
	*httptest.Server
	t          *testing.T
	user, pass string
	challenges []string // header lines of every 401
	algorithm  string   // that is accepted
	mu         sync.Mutex
	sent       []string // Authorization of every request
	bodies     []string
	once       bool // every nonce is good for one request
	counts     map[string]bool
	n          int
}

func startGuard(t *testing.T, algorithm string, challenges ...string) *guard {
	t.Helper()
	g := &guard{t: t, user: "Mufasa", pass: practicePassword, algorithm: algorithm, challenges: challenges, counts: map[string]bool{}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sent, g.bodies = append(g.sent, r.Header.Get(header)), append(g.bodies, string(body))
	if r.Header.Get(header) != "" && g.lets(r, string(body)) {
		_, _ = fmt.Fprint(w, "welcome")
		return
	}
	g.n++
	for _, c := range g.challenges {
		w.Header().Add("Www-Authenticate", strings.ReplaceAll(c, "NONCE", fmt.Sprintf("nonce-%d", g.n)))
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = fmt.Fprint(w, "who are you?")
}

func (g *guard) lets(r *http.Request, body string) bool {
	p := params(g.t, r.Header.Get(header))
	if g.once && g.counts[p["nonce"]] || p["nc"] != "" && g.counts[p["nonce"]+p["nc"]] {
		return false
	}
	g.counts[p["nonce"]], g.counts[p["nonce"]+p["nc"]] = true, true
	return p["uri"] == r.URL.RequestURI() && p["response"] == expected(g.algorithm, g.user, g.pass, r.Method, body, p)
}

func (g *guard) seen() (sent, bodies []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.sent), slices.Clone(g.bodies)
}

func ask(ctx context.Context, t *testing.T, rt http.RoundTripper, method, place, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, place, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return send(t, rt, req)
}

func send(t *testing.T, rt http.RoundTripper, req *http.Request) (int, string) {
	t.Helper()
	c := &http.Client{Transport: rt}
	defer c.CloseIdleConnections()
	res, err := c.Do(req)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return res.StatusCode, string(data)
}

func practice(g *guard) http.RoundTripper {
	return New(&http.Transport{}, g.user, connectors.NewSecret(g.pass), g.URL)
}

// RFC 7616 section 3.9.1, exactly: one request, answered with each algorithm.
func TestTheAnswersAreTheOnesOfRFC7616(t *testing.T) {
	const rest = `realm="http-auth@example.org", qop="auth, auth-int", algorithm=%s, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	sha, old := "Digest "+fmt.Sprintf(rest, "SHA-256"), "Digest "+fmt.Sprintf(rest, "MD5")
	for _, c := range []struct {
		name, algorithm, response string
		lines                     []string
	}{
		{"SHA-256", "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", []string{sha}},
		{"MD5", "MD5", "8ca523f5e9506fed4657c9700eebdbec", []string{old}},
		{"both, SHA-256 first", "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", []string{sha, old}},
		{"both, MD5 first", "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", []string{old, sha}},
		{"both in one line, after Basic", "SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", []string{`Basic realm="x, Digest y", Negotiate, ` + old + ", " + sha}},
		{"no algorithm is MD5", "", "8ca523f5e9506fed4657c9700eebdbec", []string{strings.Replace(old, "algorithm=MD5, ", "", 1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{"Www-Authenticate": c.lines}
			o := best(h, func() string { return "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" })
			if o == nil {
				t.Fatal("not answered")
			}
			req := &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: "www.example.org", Path: "/dir/index.html"}}
			got := params(t, o.answer(req, "Mufasa", connectors.NewSecret("Circle of Life")))
			want := map[string]string{
				"username": "Mufasa", "realm": "http-auth@example.org", "uri": "/dir/index.html", "algorithm": c.algorithm,
				"nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "nc": "00000001", "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
				"qop": "auth", "response": c.response, "opaque": "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
			}
			if c.algorithm == "" {
				delete(want, "algorithm")
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

func TestEveryKindOfChallengeIsAnswered(t *testing.T) {
	for _, c := range []struct{ name, algorithm, challenge, method, body string }{
		{"MD5 without qop", "MD5", `Digest realm="r", nonce="NONCE"`, http.MethodGet, ""},
		{"MD5-sess", "MD5-sess", `Digest realm="r", nonce="NONCE", qop="auth", algorithm=MD5-sess`, http.MethodGet, ""},
		{"SHA-256", "SHA-256", `Digest realm="r", nonce="NONCE", qop="auth", algorithm=SHA-256, opaque="o\"p"`, http.MethodGet, ""},
		{"SHA-256-sess", "SHA-256-sess", `Digest realm="r", nonce="NONCE", qop="auth,auth-int", algorithm=SHA-256-sess`, http.MethodPost, "body"},
		{"SHA-512-256", "SHA-512-256", `Digest realm="r", nonce="NONCE", qop="auth", algorithm=SHA-512-256`, http.MethodPut, "body"},
		{"auth-int alone", "SHA-256", `Digest realm="r", nonce="NONCE", qop="auth-int", algorithm=SHA-256`, http.MethodPost, "the body counts"},
		{"auth-int without a body", "MD5", `Digest realm="r", nonce="NONCE", qop="auth-int"`, http.MethodGet, ""},
		{"odd spelling", "SHA-256", "digest REALM = \"a \\\"quoted\\\" r\\\\lm, with comma\",\tNonce=\"NONCE\" , QOP=\"AUTH-INT, Auth\", Algorithm=\"sha-256\",,", http.MethodGet, ""},
		{"a realm in Latin-1", "MD5", "Digest realm=\"Gesch\xfctzt\", nonce=\"NONCE\", qop=\"auth\"", http.MethodGet, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := startGuard(t, c.algorithm, c.challenge)
			rt := practice(g)
			for range 3 {
				if status, body := ask(t.Context(), t, rt, c.method, g.URL+"/a%20b?q=1&r=%22", c.body); status != 200 || body != "welcome" {
					t.Fatalf("%d %s", status, body)
				}
			}
			sent, bodies := g.seen()
			if len(sent) != 4 || sent[0] != "" {
				t.Errorf("the challenge is used again: %d requests", len(sent))
			}
			for _, b := range bodies {
				if b != c.body {
					t.Errorf("a body arrived as %q", b)
				}
			}
		})
	}
}

func TestNamesThatAreNotASCII(t *testing.T) {
	const name = "Jäsøn Doe"
	hashed := fmt.Sprintf("%x", sha256.Sum256([]byte(name+":r")))
	for _, c := range []struct{ name, more, key, want string }{
		{"userhash", ", charset=UTF-8, userhash=true", "username", hashed},
		{"charset", ", charset=UTF-8", "username*", "UTF-8''J%C3%A4s%C3%B8n%20Doe"},
		{"neither", "", "username", name},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := startGuard(t, "SHA-256", `Digest realm="r", nonce="NONCE", qop="auth", algorithm=SHA-256`+c.more)
			g.user = name
			if status, _ := ask(t.Context(), t, practice(g), http.MethodGet, g.URL, ""); status != 200 {
				t.Errorf("%d", status)
			}
			sent, _ := g.seen()
			p := params(t, sent[len(sent)-1])
			if p[c.key] != c.want || (p["userhash"] == "true") != (c.name == "userhash") {
				t.Errorf("%v", p)
			}
		})
	}
}

func TestAWrongPasswordIsTriedOnce(t *testing.T) {
	g := startGuard(t, "SHA-256", `Digest realm="r", nonce="NONCE", qop="auth", algorithm=SHA-256`)
	rt := New(&http.Transport{}, g.user, connectors.NewSecret("practice-only-wrong"), g.URL)
	if status, body := ask(t.Context(), t, rt, http.MethodGet, g.URL, ""); status != 401 || body != "who are you?" {
		t.Errorf("%d %q", status, body)
	}
	if sent, _ := g.seen(); len(sent) != 2 {
		t.Errorf("%d requests", len(sent))
	}
	// A refused answer is not offered again.
	g.pass = "practice-only-wrong"
	if status, _ := ask(t.Context(), t, rt, http.MethodGet, g.URL, ""); status != 200 {
		t.Errorf("%d", status)
	}
	if sent, _ := g.seen(); len(sent) != 4 || sent[2] != "" {
		t.Errorf("%d requests", len(sent))
	}
}

func TestANonceThatRanOutIsReplaced(t *testing.T) {
	for _, more := range []string{", stale=true", ", stale=false", ""} {
		g := startGuard(t, "MD5", `Digest realm="r", nonce="NONCE", qop="auth"`+more)
		g.once = true
		rt := practice(g)
		for range 3 {
			if status, _ := ask(t.Context(), t, rt, http.MethodPost, g.URL, "body"); status != 200 {
				t.Errorf("%q: %d", more, status)
			}
		}
		if sent, _ := g.seen(); len(sent) != 6 {
			t.Errorf("%q: %d requests", more, len(sent))
		}
	}
}

func TestThePasswordIsNotTriedAgainOnTheSameNonce(t *testing.T) {
	g := startGuard(t, "MD5", `Digest realm="r", nonce="always", qop="auth"`)
	rt := practice(g)
	if status, _ := ask(t.Context(), t, rt, http.MethodGet, g.URL, ""); status != 200 {
		t.Fatal(status)
	}
	g.mu.Lock()
	g.pass = "practice-only-changed"
	g.mu.Unlock()
	if status, _ := ask(t.Context(), t, rt, http.MethodGet, g.URL, ""); status != 401 {
		t.Error(status)
	}
	if sent, _ := g.seen(); len(sent) != 3 {
		t.Errorf("%d requests", len(sent))
	}
}

func TestABodyIsReplayedOnlyThroughGetBody(t *testing.T) {
	g := startGuard(t, "MD5", `Digest realm="r", nonce="NONCE", qop="auth"`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL, io.NopCloser(strings.NewReader("stream")))
	if err != nil {
		t.Fatal(err)
	}
	if status, body := send(t, practice(g), req); status != 401 || body != "who are you?" {
		t.Errorf("%d %q", status, body)
	}
	if sent, bodies := g.seen(); len(sent) != 1 || bodies[0] != "stream" {
		t.Errorf("%v %v", sent, bodies)
	}
}

func TestWhatCannotBeAnsweredStaysA401(t *testing.T) {
	long := strings.Repeat("x", maxChallenge)
	var many []string
	for range maxChallenges {
		many = append(many, `Other realm="r"`)
	}
	for _, c := range []struct {
		name   string
		lines  []string
		reason string
	}{
		{"Basic alone", []string{`Basic realm="Digest realm=x, nonce=y"`}, "digest.not_offered"},
		{"no challenge", nil, "digest.not_offered"},
		{"unknown algorithm", []string{`Digest realm="r", nonce="n", qop="auth", algorithm=SHA-3`}, "digest.unsupported"},
		{"unknown qop", []string{`Digest realm="r", nonce="n", qop="auth-conf"`}, "digest.unsupported"},
		{"no nonce", []string{`Digest realm="r", qop="auth"`}, "digest.unsupported"},
		{"too long", []string{`Digest realm="` + long + `", nonce="n"`}, "digest.not_offered"},
		{"too many", append(many, `Digest realm="r", nonce="n"`), "digest.not_offered"},
		{"broken", []string{`Digest realm="r, nonce="n`, "Digest ,=,=", `Digest =`, "Digest \"", "\xff", "Digest realm=\"\\"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := startGuard(t, "MD5", c.lines...)
			if status, body := ask(t.Context(), t, practice(g), http.MethodGet, g.URL, ""); status != 401 || body != "who are you?" {
				t.Errorf("%d %q", status, body)
			}
			if sent, _ := g.seen(); len(sent) != 1 {
				t.Errorf("%d requests", len(sent))
			}
			u, _ := url.Parse(g.URL)
			e := Refused(&httpx.Response{Status: 401, Header: http.Header{"Www-Authenticate": c.lines}, URL: u})
			if e == nil || e.Code != connectors.Unsupported || c.reason != "" && e.Reason != c.reason || !connectors.English().Has(e.Reason) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestRefusedNamesThePassword(t *testing.T) {
	u := &url.URL{Scheme: "https", Host: "api.example.com"}
	h := http.Header{"Www-Authenticate": {`Digest realm="r", nonce="n", qop="auth"`}}
	if e := Refused(&httpx.Response{Status: 401, Header: h, URL: u}); e == nil || e.Code != connectors.AuthFailed || e.Field != "password" || connectors.Explain(e).Title != "api.example.com refused this user and password." {
		t.Errorf("%+v", e)
	}
	if e := Refused(&httpx.Response{Status: 403, Header: h, URL: u}); e != nil {
		t.Errorf("%+v", e)
	}
}

func TestSecurity67_AnotherOriginGetsNoDigestAndNobodyGetsBasic(t *testing.T) {
	other := startGuard(t, "MD5", `Digest realm="r", nonce="NONCE", qop="auth"`, `Basic realm="r"`)
	g := startGuard(t, "MD5", `Digest realm="r", nonce="NONCE", qop="auth"`, `Basic realm="r"`)
	rt := practice(g)
	gate := httptest.NewServer(http.RedirectHandler(other.URL+"/there", http.StatusTemporaryRedirect))
	defer gate.Close()
	// The client follows every redirect, and the URL has a user: both are what
	// no connection of ours does.
	behind := New(&http.Transport{}, "Mufasa", connectors.NewSecret(practicePassword), gate.URL)
	for name, c := range map[string]struct {
		rt    http.RoundTripper
		place string
	}{"redirect": {behind, gate.URL}, "another port": {rt, other.URL}, "a user in the URL": {rt, strings.Replace(other.URL, "://", "://Mufasa:"+practicePassword+"@", 1)}} {
		if status, _ := ask(t.Context(), t, c.rt, http.MethodPost, c.place, "body"); status != 401 {
			t.Errorf("%s: %d", name, status)
		}
	}
	sent, _ := other.seen()
	if len(sent) != 3 || strings.Join(sent, "") != "" {
		t.Errorf("the other origin got %q", sent)
	}
	if status, _ := ask(t.Context(), t, rt, http.MethodGet, strings.Replace(g.URL, "://", "://Mufasa:"+practicePassword+"@", 1), ""); status != 200 {
		t.Error(status)
	}
	sent, _ = g.seen()
	for _, s := range sent {
		if s != "" && !strings.HasPrefix(s, "Digest ") || strings.Contains(s, practicePassword) {
			t.Errorf("sent %q", s)
		}
	}
}

func TestACredentialOfTheCallersIsLeftAlone(t *testing.T) {
	var got atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Header.Get(header))
		w.Header().Set("Www-Authenticate", `Digest realm="r", nonce="n"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(header, "Bearer practice-only-token")
	if status, _ := send(t, New(&http.Transport{}, "u", connectors.NewSecret(practicePassword), s.URL), req); status != 401 || got.Load() != "Bearer practice-only-token" {
		t.Errorf("%d %v", status, got.Load())
	}
}

type closing struct {
	http.RoundTripper
	closed bool
}

func (c *closing) CloseIdleConnections() { c.closed = true }

func TestCloseIdleConnectionsReachesTheTransport(t *testing.T) {
	inner := &closing{}
	(&http.Client{Transport: New(inner, "u", connectors.Secret{}, "https://api.example.com")}).CloseIdleConnections()
	if !inner.closed {
		t.Error("it does not")
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256-sess, userhash=true`)
	f.Add(`Basic realm="x", Digest realm="\"", nonce="\\", qop=auth`)
	f.Add("Digest realm=\"\xff\", nonce=\"n\", qop=\",\"")
	f.Fuzz(func(t *testing.T, line string) {
		o := best(http.Header{"Www-Authenticate": {line}}, func() string { return "c" })
		if o == nil {
			return
		}
		req := &http.Request{URL: &url.URL{Path: "/"}}
		answer := o.answer(req, "u", connectors.NewSecret(practicePassword))
		if !strings.HasPrefix(answer, "Digest username=") || strings.Contains(answer, practicePassword) {
			t.Errorf("%q", answer)
		}
	})
}

package kerberosx_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/kerberosx"
)

// plain dials addr whatever the host is, or the host where addr is "".
func plain(t *testing.T, addr string) *http.Transport {
	t.Helper()
	out := &http.Transport{DialContext: func(ctx context.Context, network, host string) (net.Conn, error) {
		if addr != "" {
			host = addr
		}
		return (&net.Dialer{}).DialContext(ctx, network, host)
	}}
	t.Cleanup(out.CloseIdleConnections)
	return out
}

func fetch(t *testing.T, client *http.Client, method, url string, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	return res, res.Body.Close()
}

// asking is a server that answers 401 with the given challenge to whoever sends
// no Authorization; seen gets every request's.
func asking(t *testing.T, challenge string, seen func(r *http.Request, body string)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if seen != nil {
			seen(r, string(body))
		}
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", challenge)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// site is an Apache that lets everybody of a realm in, and says who it was.
func site(t *testing.T, r *server.Realm, principal string) string {
	t.Helper()
	t.Setenv("KRB5_CONFIG", r.Conf)
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := server.WriteFile(t, dir, "keytab", string(r.Keytab(t, principal)), 0o644)
	return server.Apache(t, fmt.Sprintf(`<Location "/">
 AuthType GSSAPI
 AuthName practice
 GssapiCredStore keytab:%s
 GssapiAllowedMech krb5
 Require valid-user
 Header always set X-User "expr=%%{REMOTE_USER}"
</Location>`, path), "auth_gssapi", "headers")
}

const origin = "http://www.example.test"

func TestApacheKnowsWhoSignedIn(t *testing.T) {
	r := server.KDC(t)
	addr := site(t, r, "HTTP/www.example.test")
	verifyNoLeak(t)
	r.AddUser(t, "alice", password)
	for name, cfg := range map[string]kerberosx.Config{
		"password":   {User: "alice", Password: secret(password)},
		"keytab":     {User: "batch", Keytab: base64Of(r.Keytab(t, "batch"))},
		"typed SPN":  {User: "alice", Password: secret(password), SPN: "HTTP/www.example.test"},
		"with realm": {User: "alice", Password: secret(password), SPN: "HTTP/www.example.test@EXAMPLE.TEST"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.KDC, cfg.Realm = r.Addr, r.Name
			c, err := open(t, cfg)
			if err != nil {
				t.Fatal(err)
			}
			inner := plain(t, addr)
			client := &http.Client{Transport: c.Transport(inner, origin)}
			defer client.CloseIdleConnections()
			for range 3 {
				res, err := fetch(t, client, http.MethodGet, "http://WWW.example.test:80/", nil)
				if err != nil {
					t.Fatal(err)
				}
				if got := res.Header.Get("X-User"); res.StatusCode != http.StatusOK || got != c.Principal() {
					t.Errorf("%s for %q", res.Status, got)
				}
				if res.Request.Header.Get("Authorization") != "" {
					t.Error("the token is in the response's request")
				}
			}
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if res, err := fetch(t, client, http.MethodGet, origin+"/", nil); err != nil || res.StatusCode != http.StatusOK {
						t.Errorf("at once with others: %v", err)
					}
				})
			}
			all.Wait()
		})
	}
}

func TestAServiceThatTheServerDoesNotKnowIsNamed(t *testing.T) {
	r := server.KDC(t)
	r.AddUser(t, "alice", password)
	r.Keytab(t, "HTTP/disabled.example.test")
	r.Admin(t, "modprinc", "-allow_svr", "HTTP/disabled.example.test")
	url := asking(t, "Negotiate", nil)
	for _, c := range []struct {
		spn           string
		code          connectors.Code
		reason, field string
	}{
		{"", connectors.NotFound, "kerberos.spn", "spn"},
		{"HTTP/unknown.example.test", connectors.NotFound, "kerberos.spn", "spn"},
		{"HTTP/disabled.example.test", connectors.Denied, "kerberos.spn_locked", "spn"},
	} {
		t.Run(c.spn, func(t *testing.T) {
			client, err := open(t, kerberosx.Config{User: "alice", Realm: r.Name, KDC: r.Addr, Password: secret(password), SPN: c.spn})
			if err != nil {
				t.Fatal(err)
			}
			_, err = fetch(t, &http.Client{Transport: client.Transport(plain(t, ""), url)}, http.MethodGet, url, nil)
			wants(t, err, c.code, c.reason, c.field)
		})
	}
}

func TestATicketIsAskedForOnceAndAgainWhenItRunsOut(t *testing.T) {
	r := server.KDC(t)
	r.AddUser(t, "brief", password, "-maxlife", "100 seconds")
	r.Keytab(t, "HTTP/127.0.0.1")
	var ahead, dialled atomic.Int64
	c, err := open(t, kerberosx.Config{
		User: "brief", Realm: r.Name, KDC: r.Addr, Password: secret(password),
		Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dialled.Add(1)
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	url := asking(t, "Negotiate", nil)
	client := &http.Client{Transport: c.Transport(plain(t, ""), url)}
	want := int64(2) // without and with proof
	for i, step := range []struct {
		ahead time.Duration
		dials int64
	}{{0, 1}, {0, 0}, {90 * time.Second, 3}} {
		ahead.Store(int64(step.ahead))
		if _, err := fetch(t, client, http.MethodGet, url, nil); err != nil {
			t.Fatal(err)
		}
		want += step.dials
		if got := dialled.Load(); got != want {
			t.Errorf("request %d: %d connections to the KDC, want %d", i, got, want)
		}
	}
	_ = c.Close()
	if _, err := fetch(t, client, http.MethodGet, url, nil); connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("after Close: %v", err)
	}
}

// A forest: the service's realm is reached through the realm above both.
func TestARealmThatRefersToAnotherIsFollowed(t *testing.T) {
	domains := " .west.test = WEST.TEST\n .east.test = EAST.TEST\n"
	east := server.KDCFor(t, "EAST.TEST", domains)
	top := server.KDCFor(t, "TEST", domains)
	west := server.KDCFor(t, "WEST.TEST", domains)
	east.AddUser(t, "alice", password)
	for name, realms := range map[string][2]*server.Realm{"krbtgt/TEST@EAST.TEST": {east, top}, "krbtgt/WEST.TEST@TEST": {top, west}} {
		for _, r := range realms {
			r.AddUser(t, name, "practice-only-trust")
		}
	}
	addr := site(t, west, "HTTP/www.west.test")
	kdcs := map[string]*server.Realm{"TEST": top, "WEST.TEST": west}
	c, err := open(t, kerberosx.Config{
		User: "alice", Realm: "EAST.TEST", KDC: east.Addr, Password: secret(password),
		LookupSRV: func(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
			r, ok := kdcs[name]
			if !ok {
				return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
			}
			host, port, _ := net.SplitHostPort(r.Addr)
			n, err := strconv.Atoi(port)
			return "", []*net.SRV{{Target: host, Port: uint16(n)}}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: c.Transport(plain(t, addr), "http://www.west.test")}
	res, err := fetch(t, client, http.MethodGet, "http://www.west.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("X-User"); res.StatusCode != http.StatusOK || got != "alice@EAST.TEST" {
		t.Errorf("%s for %q", res.Status, got)
	}
}

func TestABodyIsSentAgainWithTheToken(t *testing.T) {
	r := server.KDC(t)
	r.AddUser(t, "alice", password)
	r.Keytab(t, "HTTP/127.0.0.1")
	c, err := open(t, kerberosx.Config{User: "alice", Realm: r.Name, KDC: r.Addr, Password: secret(password)})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var bodies []string
	url := asking(t, "Negotiate", func(r *http.Request, body string) {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Authorization") != "" {
			bodies = append(bodies, body)
		}
	})
	for _, body := range []io.Reader{strings.NewReader("said twice"), io.MultiReader(strings.NewReader("said twice"))} {
		client := &http.Client{Transport: c.Transport(plain(t, ""), url)}
		if _, err := fetch(t, client, http.MethodPost, url, body); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(bodies, ","); got != "said twice,said twice" {
		t.Errorf("got %q", got)
	}
	client := &http.Client{Transport: c.Transport(plain(t, ""), url)}
	_, err = fetch(t, client, http.MethodPost, url, io.LimitReader(zeros{}, 9<<20))
	wants(t, err, connectors.Unsupported, "challenge.body", "")
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestSecurity59_OnlyTheOriginThatAsksForNegotiateGetsAToken(t *testing.T) {
	r := server.KDC(t)
	r.AddUser(t, "alice", password)
	r.Keytab(t, "HTTP/127.0.0.1")
	c, err := open(t, kerberosx.Config{User: "alice", Realm: r.Name, KDC: r.Addr, Password: secret(password)})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string][]string{}
	record := func(name string) func(*http.Request, string) {
		return func(r *http.Request, _ string) {
			mu.Lock()
			defer mu.Unlock()
			seen[name] = append(seen[name], strings.SplitN(r.Header.Get("Authorization"), " ", 2)[0])
		}
	}
	other := asking(t, "Negotiate", record("other"))
	basic := asking(t, `Basic realm="a, Negotiate, b"`, record("basic"))
	both := asking(t, `Basic realm="x", negotiate`, record("both"))
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		record("home")(r, "")
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", "Negotiate")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, other, http.StatusFound)
	}))
	t.Cleanup(home.Close)
	for _, c := range []struct {
		name string
		via  http.RoundTripper
		url  string
	}{
		{"redirected", c.Transport(plain(t, ""), home.URL), home.URL},
		{"other origin", c.Transport(plain(t, ""), "http://elsewhere.example.test"), other},
		{"no origin", c.Transport(plain(t, ""), ""), other},
		{"Basic alone", c.Transport(plain(t, ""), basic), strings.Replace(basic, "://", "://alice:"+password+"@", 1)},
		{"Basic and Negotiate", c.Transport(plain(t, ""), both), strings.Replace(both, "://", "://alice:"+password+"@", 1)},
	} {
		if _, err := fetch(t, &http.Client{Transport: c.via}, http.MethodGet, c.url, nil); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for name, want := range map[string]string{"home": "[ Negotiate]", "other": "[  ]", "basic": "[]", "both": "[ Negotiate]"} {
		if got := fmt.Sprint(seen[name]); got != want {
			t.Errorf("%s was sent %s, want %s", name, got, want)
		}
	}
}

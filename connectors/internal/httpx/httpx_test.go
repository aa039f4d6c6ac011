package httpx_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/httpx"
)

func get(ctx context.Context, t *testing.T, client *http.Client, url string, header ...string) (*httpx.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return httpx.Do(client, req, 0)
}

func client(t *testing.T, spec connectors.TLS) (*conntest.World, *http.Client) {
	t.Helper()
	w := conntest.NewWorld(t)
	c, err := w.Env.HTTP(connectors.HTTP{TLS: spec})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return w, c
}

func TestSecurity67_ACrossOriginRedirectCarriesNothing(t *testing.T) {
	var mu sync.Mutex
	hits := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { mu.Lock(); hits++; mu.Unlock() }))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/near":
				http.Redirect(w, r, "/there", status)
			case "/there":
				if r.Header.Get("X-API-Key") != "canary-key" {
					w.WriteHeader(401)
				}
			default:
				http.Redirect(w, r, other.URL+"/x", status)
			}
		}))
		_, c := client(t, connectors.TLS{})
		res, err := get(t.Context(), t, c, first.URL+"/far", "X-API-Key", "canary-key", "Authorization", "Bearer canary")
		if err != nil || res.Status != status {
			t.Errorf("%d: %v %v", status, res, err)
		} else if e := res.Err(""); e == nil || e.Reason != "http.redirect" || !strings.Contains(e.Said, other.URL) {
			t.Errorf("%d: %+v", status, e)
		}
		if res, err := get(t.Context(), t, c, first.URL+"/near", "X-API-Key", "canary-key"); err != nil || res.Status != 200 {
			t.Errorf("%d within the origin: %v %v", status, res, err)
		}
		first.Close()
	}
	mu.Lock()
	defer mu.Unlock()
	if hits != 0 {
		t.Errorf("the other host was asked %d times", hits)
	}
}

func TestSecurity68_BodiesHeadersAndTimeAreBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	zeros := make([]byte, 1<<20)
	for range 200 {
		_, _ = z.Write(zeros)
	}
	_ = z.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		case "/headers":
			for i := range 400 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		case "/drip":
			for range 1000 {
				if _, err := w.Write([]byte(".")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}
	}))
	defer s.Close()
	_, c := client(t, connectors.TLS{})
	res, err := get(t.Context(), t, c, s.URL+"/bomb")
	if err != nil || !res.Truncated || len(res.Body) != httpx.MaxBody {
		t.Errorf("bomb: %v", err)
	}
	if _, err := get(t.Context(), t, c, s.URL+"/headers"); err == nil {
		t.Error("400 KB of headers were read")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := get(ctx, t, c, s.URL+"/drip"); connectors.CodeOf(err) != connectors.TimedOut {
		t.Errorf("drip: %v", err)
	}
	if _, err := get(t.Context(), t, c, s.URL, "X-Key", "a\r\nX-Evil: canary-1"); err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, connectors.Explain(err)), "canary") {
		t.Errorf("a header with a line break: %v", err)
	}
}

// A CONNECT proxy of our own: it dials local servers whatever name is asked for.
func proxy(t *testing.T, target string) (addr string, seen *sync.Map) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	seen = &sync.Map{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go tunnel(c, target, seen)
		}
	}()
	return l.Addr().String(), seen
}

func tunnel(c net.Conn, target string, seen *sync.Map) {
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	req, err := http.ReadRequest(r)
	if err != nil {
		return
	}
	seen.Store(req.Method+" "+req.Host, req.Header.Get("Proxy-Authorization"))
	to, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer func() { _ = to.Close() }()
	_, _ = fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(to, r) }()
	_, _ = io.Copy(c, to)
}

func TestSecurity54_TheProxyIsVisibleAndItsPasswordIsNot(t *testing.T) {
	ca := server.NewCA(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "{}") }))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, server.Cert{Names: []string{"api.example.com"}}).TLS(t)}}
	s.StartTLS()
	defer s.Close()
	addr, seen := proxy(t, s.Listener.Addr().String())
	t.Setenv("HTTPS_PROXY", "http://user:canary-password@"+addr)
	t.Setenv("NO_PROXY", "")
	w, c := client(t, connectors.TLS{CA: ca.PEM})
	res, err := get(t.Context(), t, c, "https://api.example.com/x")
	if err != nil || res.Status != 200 {
		t.Fatalf("%v %v", res, err)
	}
	if auth, ok := seen.Load("CONNECT api.example.com:443"); !ok || auth == "" {
		t.Error("the proxy was not used, or got no password")
	}
	if got := httpx.Proxy("https://api.example.com"); got != "http://"+addr {
		t.Errorf("shown as %q", got)
	}
	steps := fmt.Sprintf("%+v %s", w.Steps(), w.Log())
	if !strings.Contains(steps, addr) {
		t.Error("no rung names the proxy")
	}
	if strings.Contains(steps, "canary") {
		t.Error("the proxy's password is in a step or log")
	}
}

func TestTheHandshakeIsARungOfItsOwn(t *testing.T) {
	ca := server.NewCA(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, server.Cert{}).TLS(t)}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	w, c := client(t, connectors.TLS{CA: ca.PEM})
	if _, err := get(t.Context(), t, c, s.URL); err != nil {
		t.Fatal(err)
	}
	var stages []string
	for _, step := range w.Steps() {
		if step.Done {
			stages = append(stages, string(step.Stage))
		}
	}
	if strings.Join(stages, " ") != "resolve connect secure" {
		t.Error(stages)
	}
	_, unknown := client(t, connectors.TLS{})
	_, err := get(t.Context(), t, unknown, s.URL)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Untrusted || e.Op != connectors.StageSecure {
		t.Errorf("%+v", e)
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	_, err = get(t.Context(), t, unknown, strings.Replace(plain.URL, "http:", "https:", 1))
	if e := connectors.Classify(err); e == nil || e.Reason != "tls.not_tls" || e.Op != connectors.StageSecure {
		t.Errorf("%+v", e)
	}
}

// http.Transport lets a dial and a handshake go on when their request is gone.
func TestCancellingLeavesNothingBehind(t *testing.T) {
	options := goleak.IgnoreCurrent()
	host, port := conntest.Silent(t)
	w, c := client(t, connectors.TLS{})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	_, err := get(ctx, t, c, "https://"+host+":"+port)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Cancelled {
		t.Errorf("%v", err)
	}
	for _, s := range w.Steps() {
		if s.Stage == connectors.StageSecure && s.Done && connectors.CodeOf(s.Err) != connectors.Cancelled {
			t.Errorf("the rung ended with %v", s.Err)
		}
	}
	c.CloseIdleConnections()
	if err := goleak.Find(options, goleak.IgnoreAnyFunction("jackfield/connectors/conntest.hold"), goleak.IgnoreAnyFunction("jackfield/connectors/conntest.Serve.func1")); err != nil {
		t.Error(err)
	}
}

func TestErrNamesTheStatus(t *testing.T) {
	for status, want := range map[int]connectors.Code{401: connectors.AuthFailed, 403: connectors.Denied, 404: connectors.NotFound, 429: connectors.Throttled, 500: connectors.Refused, 503: connectors.Unreachable, 400: connectors.Refused, 302: connectors.Refused} {
		r := &httpx.Response{Status: status, Header: http.Header{"Retry-After": {"30"}, "Location": {"https://elsewhere.example/?key=canary"}}, URL: &url.URL{Scheme: "https", Host: "api.example.com", Path: "/x"}}
		e := r.Err("")
		if e.Code != want {
			t.Errorf("%d: %s", status, e.Code)
		}
		if status == 429 && e.Said != "try again in 30s" || strings.Contains(e.Said, "canary") {
			t.Errorf("%d says %q", status, e.Said)
		}
	}
}

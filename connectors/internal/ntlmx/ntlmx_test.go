package ntlmx_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/ntlmx"
)

const password = "practice-only-ntlm"

func secret(text string) connectors.Secret { return connectors.NewSecret(text) }

// site is an Apache whose NTLM is gss-ntlmssp's, which verifies the responses
// against a file of users, and which says who signed in.
func site(t *testing.T, conf string) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	users := server.WriteFile(t, dir, "users", fmt.Sprintf("PRACTICE:alice:%s\nPRACTICE:bob:%s\n", password, password+"-ü"), 0o644)
	t.Setenv("NTLM_USER_FILE", users)
	t.Setenv("NETBIOS_DOMAIN_NAME", "PRACTICE")
	t.Setenv("NETBIOS_COMPUTER_NAME", "PRACTICE1")
	return "http://" + server.Apache(t, conf+`
<Location "/">
 AuthType GSSAPI
 AuthName practice
 GssapiAllowedMech ntlmssp
 GssapiConnectionBound On
 Require valid-user
 Header always set X-User "expr=%{REMOTE_USER}"
 Header always set X-Connection "expr=%{REMOTE_PORT}"
</Location>`, "auth_gssapi", "headers")
}

// over is a client whose connections are this test's own.
func over(t *testing.T, domain, user, pass, origin string) *http.Client {
	t.Helper()
	w := conntest.NewWorld(t)
	c, err := w.Env.HTTP(connectors.HTTP{HTTP1: true})
	if err != nil {
		t.Fatal(err)
	}
	c.Transport = ntlmx.New(c.Transport, domain, user, secret(pass), origin)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func fetch(t *testing.T, client *http.Client, method, url string, body io.Reader) (*httpx.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return httpx.Do(client, req, 0)
}

func verifyNoLeak(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func TestApacheVerifiesTheResponse(t *testing.T) {
	url := site(t, "")
	verifyNoLeak(t)
	for _, c := range []struct {
		name, domain, user, pass string
		status                   int
		who                      string
	}{
		{"DOMAIN\\user", "", `PRACTICE\alice`, password, 200, `PRACTICE\alice`},
		{"domain apart", "PRACTICE", "alice", password, 200, `PRACTICE\alice`},
		{"both", "OTHER", `PRACTICE\alice`, password, 200, `PRACTICE\alice`},
		{"no domain", "", "alice", password, 200, `alice`},
		{"password with other letters", "PRACTICE", "bob", password + "-ü", 200, `PRACTICE\bob`},
		{"wrong password", "PRACTICE", "alice", "practice-only-other", 401, ""},
		{"unknown user", "PRACTICE", "nobody", password, 401, ""},
		{"wrong domain", "OTHER", "alice", password, 401, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := over(t, c.domain, c.user, c.pass, url)
			res, err := fetch(t, client, http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.Status != c.status || res.Header.Get("X-User") != c.who {
				t.Errorf("%d as %q", res.Status, res.Header.Get("X-User"))
			}
		})
	}
}

func TestASignedInConnectionIsUsedAgain(t *testing.T) {
	url := site(t, "")
	verifyNoLeak(t)
	client := over(t, "PRACTICE", "alice", password, url)
	ports := map[string]int{}
	var mu sync.Mutex
	get := func() {
		res, err := fetch(t, client, http.MethodGet, url, nil)
		if err != nil || res.Status != http.StatusOK {
			t.Errorf("%+v, %v", res, err)
			return
		}
		mu.Lock()
		ports[res.Header.Get("X-Connection")]++
		mu.Unlock()
	}
	for range 3 {
		get()
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(get)
	}
	all.Wait()
	if len(ports) != 1 {
		t.Errorf("went over the ports %v", ports)
	}
	client.CloseIdleConnections()
	get() // signs in anew
	if len(ports) != 2 {
		t.Errorf("after closing: %v", ports)
	}
}

func TestAServerThatClosesTheConnectionIsNotAWrongPassword(t *testing.T) {
	url := site(t, "KeepAlive Off")
	_, err := fetch(t, over(t, "PRACTICE", "alice", password, url), http.MethodGet, url, nil)
	wants(t, err, connectors.Refused, "ntlm.connection", "")
}

package digestx

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/httpx"
)

const practiceRealm = "practice realm"

// apache has two protected places whose names differ, as mod_auth_digest does
// it: MD5, qop auth.
func apache(t *testing.T) (addr string) {
	t.Helper()
	dir := t.TempDir()
	conf := ""
	for path, realm := range map[string]string{"/secret": practiceRealm, "/other": "another realm"} {
		var users strings.Builder
		for _, user := range []string{"Mufasa", "Jäsøn Doe"} {
			sum := md5.Sum([]byte(user + ":" + realm + ":" + practicePassword))
			_, _ = fmt.Fprintf(&users, "%s:%s:%x\n", user, realm, sum)
		}
		file := server.WriteFile(t, dir, filepath.Base(path), users.String(), 0o644)
		conf += fmt.Sprintf("Alias %s/page %q\n<Location %s>\nAuthType Digest\nAuthName %q\nAuthDigestProvider file\nAuthUserFile %q\nRequire valid-user\n</Location>\n",
			path, server.WriteFile(t, dir, filepath.Base(path)+".txt", "inside", 0o644), path, realm, file)
	}
	conf += fmt.Sprintf("<Directory %q>\nRequire all granted\n</Directory>\n", dir)
	return server.Apache(t, conf, "auth_digest", "authn_file", "alias")
}

func TestApache(t *testing.T) {
	addr := apache(t)
	client, err := conntest.NewWorld(t).Env.HTTP(connectors.HTTP{Proxy: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for _, c := range []struct {
		name, user, password, path string
		status                     int
	}{
		{"right", "Mufasa", practicePassword, "/secret/page?q=1", 200},
		{"a name that is not ASCII", "Jäsøn Doe", practicePassword, "/secret/page", 200},
		{"wrong password", "Mufasa", "practice-only-wrong", "/secret/page", 401},
		{"unknown user", "Scar", practicePassword, "/secret/page", 401},
		{"no password", "Mufasa", "", "/secret/page", 401},
		{"open page", "Mufasa", "practice-only-wrong", "/", 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			signed := *client
			signed.Transport = New(client.Transport, c.user, connectors.NewSecret(c.password), "http://"+addr)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := httpx.Do(&signed, req, 0)
			if err != nil || res.Status != c.status || c.status == 200 && c.path != "/" && string(res.Body) != "inside" {
				t.Fatalf("%v %+v", err, res)
			}
			if e := Refused(res); (e != nil) != (c.status == 401) || e != nil && e.Code != connectors.AuthFailed {
				t.Errorf("%+v", e)
			}
		})
	}
}

// Two realms on one server, asked in turn by many: every answer is for the realm
// that asked.
func TestApacheServesManyAtOnce(t *testing.T) {
	addr := apache(t)
	client, err := conntest.NewWorld(t).Env.HTTP(connectors.HTTP{Proxy: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	client.Transport = New(client.Transport, "Mufasa", connectors.NewSecret(practicePassword), "http://"+addr)
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 10 {
				path := []string{"/secret/page", "/other/page"}[(i+j)%2]
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+path, strings.NewReader("body"))
				if err != nil {
					t.Error(err)
					return
				}
				if res, err := httpx.Do(client, req, 0); err != nil || res.Status != 200 {
					t.Errorf("%s: %v %+v", path, err, res)
				}
			}
		})
	}
	all.Wait()
}

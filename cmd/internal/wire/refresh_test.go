package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/conntest/oidc"
	"jackfield/connectors/link"
	"jackfield/platform/keychain"
	"jackfield/platform/vault"
)

// childVar makes the test binary a second program: it checks the connection of
// this id, with as many goroutines as the second variable says.
const (
	childVar = "JACKFIELD_TEST_CHECKS"
	manyVar  = "JACKFIELD_TEST_HOLDERS"
)

func TestMain(m *testing.M) {
	if id := os.Getenv(childVar); id != "" {
		os.Exit(child(id, os.Getenv(manyVar)))
	}
	os.Exit(m.Run())
}

func child(id, many string) int {
	w, err := wire.Open(wire.Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return 1
	}
	n := 0
	_, _ = fmt.Sscan(many, &n)
	failed := make(chan error, n)
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if r := w.Book.Check(context.Background(), id, link.Watcher{}); r.Err != nil {
				failed <- r.Err
			}
		})
	}
	all.Wait()
	close(failed)
	for err := range failed {
		fmt.Printf("failed: %v %+v\n", err, connectors.Explain(err))
		return 1
	}
	fmt.Println("all fine")
	return 0
}

// front stands before the provider: it counts the renewals, and ends the
// program that asks when a step says so.
type front struct {
	url string

	mu       sync.Mutex
	renewals int
	step     string
	victim   *os.Process
}

// The steps at which a program is killed.
const (
	beforeSpent = "the renewal was asked for, and nothing spent"
	answered    = "the token is spent, and the answer on its way"
	used        = "the new access token is used for the first time"
)

func newFront(t *testing.T, provider string) *front {
	t.Helper()
	u, err := url.Parse(provider)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	pass := httputil.NewSingleHostReverseProxy(u)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Host = u.Host
		renews := strings.Contains(string(body), "grant_type=refresh_token")
		if renews && f.kills(beforeSpent) || r.URL.Path == "/me" && f.kills(used) {
			return
		}
		if renews {
			f.mu.Lock()
			f.renewals++
			f.mu.Unlock()
			answer := httptest.NewRecorder()
			pass.ServeHTTP(answer, r)
			if f.kills(answered) {
				return
			}
			for k, v := range answer.Header() {
				w.Header()[k] = v
			}
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func (f *front) kills(step string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.step != step || f.victim == nil {
		return false
	}
	f.step = ""
	_ = f.victim.Kill()
	return true
}

func (f *front) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.renewals
}

// linkedAccount is a data folder with one connection that is signed in.
func linkedAccount(t *testing.T) (*wire.World, string, *front) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("JACKFIELD_HOME", dir)
	t.Setenv(wire.KeychainVar, "passphrase")
	pass := filepath.Join(t.TempDir(), "passphrase")
	if err := os.WriteFile(pass, []byte("practice-only-passphrase\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(wire.PassphraseVar, pass)
	issuer := oidc.Start(t, oidc.Options{})
	f := newFront(t, issuer)
	w, err := wire.Open(wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := connectors.NewSettings()
	s.Plain = map[string]string{"setup": "manual", "auth_url": issuer + "/auth", "token_url": f.url + "/token", "client_id": "desktop", "client_auth": "none",
		"scopes": "openid offline_access", "userinfo_url": f.url + "/me", "base_url": f.url + "/api", "paths": "/customers"}
	c, err := w.Book.Create(t.Context(), link.Draft{Type: "oauth", Name: "Practice", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	r := w.Book.Link(t.Context(), c.ID, link.Watcher{Ask: oidc.Person(false)})
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	r.Close()
	return w, c.ID, f
}

// runOut makes the stored access token one that has run out.
func runOut(t *testing.T, w *wire.World, id string) {
	t.Helper()
	pass := keychain.NewPassphrase(filepath.Join(w.Dir, "key.json"), vault.ErrNoKey, func(context.Context, bool) ([]byte, error) { return []byte("practice-only-passphrase"), nil })
	v, err := vault.Open(vault.Options{Dir: w.Dir, Keys: pass})
	if err != nil {
		t.Fatal(err)
	}
	err = v.Update(t.Context(), id, func(profile []byte, secrets map[string]string) ([]byte, map[string]string, error) {
		var token map[string]any
		if err := json.Unmarshal([]byte(secrets["oauth_token"]), &token); err != nil {
			return nil, nil, err
		}
		token["expiry"] = time.Now().Add(-time.Hour)
		data, err := json.Marshal(token)
		secrets["oauth_token"] = string(data)
		return profile, secrets, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// program is a second program that waits for the word to begin.
func program(t *testing.T, id string, holders int) (cmd *exec.Cmd, begin func(), out *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(self)
	cmd.Env = append(os.Environ(), childVar+"="+id, fmt.Sprintf("%s=%d", manyVar, holders))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	r := bufio.NewReader(pipe)
	if line, err := r.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("%q %v", line, err)
	}
	out = &bytes.Buffer{}
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(out, r) }()
	return cmd, func() {
		_, _ = io.WriteString(in, "\n")
		<-done
		_ = cmd.Wait()
	}, out
}

func TestSecurity21_TwoProgramsOfFiftyHoldersRenewOnce(t *testing.T) {
	w, id, f := linkedAccount(t)
	for round := 1; round <= 2; round++ {
		runOut(t, w, id)
		var all sync.WaitGroup
		var outs []*bytes.Buffer
		for range 2 {
			_, begin, out := program(t, id, 50)
			outs = append(outs, out)
			all.Go(begin)
		}
		all.Wait()
		for _, out := range outs {
			if !strings.Contains(out.String(), "all fine") {
				t.Error(out.String())
			}
		}
		// The provider ends the whole sign-in when a spent token comes again: that
		// a second round works means that none did.
		if f.count() != round {
			t.Fatalf("%d renewals after %d rounds", f.count(), round)
		}
	}
}

func TestSecurity20_AKilledProgramLosesNoTokenThatItUsed(t *testing.T) {
	for _, c := range []struct {
		step string
		ok   bool
	}{{beforeSpent, true}, {used, true}, {answered, false}} {
		t.Run(c.step, func(t *testing.T) {
			w, id, f := linkedAccount(t)
			runOut(t, w, id)
			cmd, begin, out := program(t, id, 1)
			f.mu.Lock()
			f.step, f.victim = c.step, cmd.Process
			f.mu.Unlock()
			begin()
			if cmd.ProcessState.Success() {
				t.Fatalf("it was not killed: %s", out)
			}
			r := w.Book.Check(t.Context(), id, link.Watcher{})
			if c.ok && r.Err != nil {
				t.Errorf("after a restart: %v", r.Err)
			}
			// What was spent without an answer cannot be saved; that is told, and
			// nothing else is harmed.
			if !c.ok && connectors.CodeOf(r.Err) != connectors.SignInAgain {
				t.Errorf("after a restart: %v", r.Err)
			}
		})
	}
}

package practice

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
)

// running starts all services and proves at the end that nothing is left of them.
func running(t *testing.T) map[string]Connection {
	t.Helper()
	m, _ := runningLogged(t)
	return m
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func runningLogged(t *testing.T) (map[string]Connection, *safeBuffer) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	out := &safeBuffer{}
	s, err := Start(t.Context(), Options{Log: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, before)
	})
	m := map[string]Connection{}
	for _, c := range s.Connections() {
		m[c.TypeID] = c
	}
	return m, out
}

func (c Connection) addr() string {
	p := c.Settings.Plain
	for _, key := range []string{"issuer", "base_url"} {
		if host, ok := strings.CutPrefix(p[key], "http://"); ok {
			return host
		}
	}
	return net.JoinHostPort(p["host"], p["port"])
}

// program finds a real client of the system.
func program(t *testing.T, name, from string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("JACKFIELD_NO_SERVERS") == "1" {
		t.Skip(name + " is not installed")
	}
	t.Fatalf("%s is missing: apt-get install %s", name, from)
	return ""
}

func TestStart_TellsHowToReachEveryService(t *testing.T) {
	m := running(t)
	want := map[string]string{
		"sftp": "host port user auth folder", "ldap": "host security port auth user base_dn", "mqtt": "host transport port auth user topic",
		"sqlite": "file", "oauth": "setup issuer client_id client_auth scopes base_url", "http": "base_url auth key_in key_name test_path",
	}
	for id, keys := range want {
		c, ok := m[id]
		if !ok || c.Name == "" || c.Description == "" {
			t.Fatalf("no connection %s, or one without words: %+v", id, c)
		}
		for key := range strings.FieldsSeq(keys) {
			if c.Settings.Plain[key] == "" {
				t.Errorf("%s: no answer to %s", id, key)
			}
		}
		if id == "sqlite" {
			continue
		}
		if host, _, err := net.SplitHostPort(c.addr()); err != nil || host != "127.0.0.1" {
			t.Errorf("%s is not on loopback: %s", id, c.addr())
		}
	}
}

func TestStart_TwiceTakesOtherPorts(t *testing.T) {
	one, two := running(t), running(t)
	for id := range one {
		if id != "sqlite" && one[id].addr() == two[id].addr() {
			t.Errorf("%s: both at %s", id, one[id].addr())
		}
	}
}

func TestStart_EndedContextStartsNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestConnections_AreTheCallersOwn(t *testing.T) {
	s, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	s.Connections()[0].Settings.Plain["host"] = "elsewhere"
	if got := s.Connections()[0].Settings.Plain["host"]; got != "127.0.0.1" {
		t.Fatal(got)
	}
}

// Clients that say nothing and read nothing must not hold up the end.
func TestClose_IsQuickWithClientsConnected(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := Start(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var file string
	for _, c := range s.Connections() {
		if c.TypeID == "sqlite" {
			file = c.Settings.Plain["file"]
			continue
		}
		for range 3 {
			conn, err := net.Dial("tcp", c.addr())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
		}
	}
	begun := time.Now()
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begun); d > 5*time.Second {
		t.Errorf("closing took %s", d)
	}
	if _, err := os.Stat(filepath.Dir(file)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the database folder is still there: %v", err)
	}
	for _, c := range s.Connections() {
		if c.TypeID == "sqlite" {
			continue
		}
		if conn, err := net.Dial("tcp", c.addr()); err == nil {
			_ = conn.Close()
			t.Errorf("%s still listens", c.TypeID)
		}
	}
}

func TestStart_ListensOnLoopbackOnly(t *testing.T) {
	m := running(t)
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.Equal(net.IPv4(127, 0, 0, 1)) || n.IP.IsLinkLocalUnicast() {
			continue
		}
		for id, c := range m {
			if id == "sqlite" {
				continue
			}
			_, port, _ := net.SplitHostPort(c.addr())
			if conn, err := net.DialTimeout("tcp", net.JoinHostPort(n.IP.String(), port), 2*time.Second); err == nil {
				_ = conn.Close()
				t.Errorf("%s answers at %s", id, n.IP)
			}
		}
	}
}

// Every server is fed nonsense, some of it beginning like its own protocol, and
// must go on serving others.
func TestGarbage_LeavesTheServersRunning(t *testing.T) {
	m, log := runningLogged(t)
	r := rand.New(rand.NewPCG(1, 2))
	starts := []string{"", "SSH-2.0-x\r\n", "\x30\x84\x7f\xff\xff\xff", "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04", "\x10\x1a\x00\x04MQTT\x04\xff", "POST /token HTTP/1.1\r\nHost: x\r\n", "\x16\x03\x01"}
	for id, c := range m {
		if id == "sqlite" {
			continue
		}
		for i := range 60 {
			conn, err := net.Dial("tcp", c.addr())
			if err != nil {
				t.Fatalf("%s after %d rounds: %v", id, i, err)
			}
			junk := make([]byte, r.IntN(3000))
			for j := range junk {
				junk[j] = byte(r.Uint32())
			}
			_ = conn.SetDeadline(time.Now().Add(2 * time.Second))
			_, _ = conn.Write(append([]byte(starts[i%len(starts)]), junk...))
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
			_ = conn.Close()
		}
	}
	checkSFTP(t, m["sftp"])
	checkLDAP(t, m["ldap"])
	checkMQTT(t, m["mqtt"])
	checkAPI(t, m["http"])
	signedIn(t, m["oauth"])
	if strings.Contains(log.String(), "dropped a connection") {
		t.Errorf("a server panicked:\n%s", log)
	}
}

// A flood is turned away at the door, and those inside are still served.
func TestGate_TurnsAwayTooMany(t *testing.T) {
	m := running(t)
	var held []net.Conn
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	for range maxConns {
		c, err := net.Dial("tcp", m["ldap"].addr())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	turned := false
	for range 50 {
		c, err := net.Dial("tcp", m["ldap"].addr())
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		_, err = c.Read(make([]byte, 1))
		_ = c.Close()
		var timeout net.Error
		if turned = !errors.As(err, &timeout) || !timeout.Timeout(); turned {
			break
		}
	}
	if !turned {
		t.Error("nobody was turned away")
	}
	_ = held[0].Close()
	_ = held[1].Close()
	for i := range 50 {
		if tryLDAP(m["ldap"], demoPassword) == nil {
			return
		}
		if i == 49 {
			t.Error("a freed place is not given away")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestSecurity80_PracticeLogsHoldNoPassword(t *testing.T) {
	m, log := runningLogged(t)
	checkSFTP(t, m["sftp"])
	checkLDAP(t, m["ldap"])
	checkMQTT(t, m["mqtt"])
	checkAPI(t, m["http"])
	got := signedIn(t, m["oauth"])
	// And with what is refused: a wrong password often is the right one of elsewhere.
	const canary = "canary-of-elsewhere"
	if conn, err := ssh.Dial("tcp", m["sftp"].addr(), sshConfig(t, m["sftp"], canary)); err == nil {
		_ = conn.Close()
		t.Error("sftp let the canary in")
	}
	if err := tryLDAP(m["ldap"], canary); err == nil {
		t.Error("ldap let the canary in")
	}
	if _, err := openMQTT(t, m["mqtt"], canary); err == nil {
		t.Error("mqtt let the canary in")
	}
	do(t, "GET", m["http"].Settings.Plain["base_url"]+"/?key="+canary, "", apiKeyHeader, canary)
	do(t, "POST", m["oauth"].Settings.Plain["issuer"]+"/token", "client_id="+oidcClient+"&grant_type=refresh_token&refresh_token="+canary)
	do(t, "POST", m["oauth"].Settings.Plain["issuer"]+"/sign-in", "request=x&decision=approve&password="+canary)
	text := log.String()
	for _, secret := range []string{demoPassword, apiKey, got.AccessToken, got.RefreshToken, canary} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds a secret:\n%s", text)
		}
	}
}

func TestSQLite_HoldsTablesAndViews(t *testing.T) {
	c := running(t)["sqlite"]
	file := c.Settings.Plain["file"]
	for _, name := range []string{file, filepath.Dir(file)} {
		if info, err := os.Stat(name); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0) {
			t.Errorf("%s: others may look: %v %v", name, info.Mode(), err)
		}
	}
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for name, least := range map[string]int{"customers": 60, "products": 20, "orders": 600, "order_lines": 600, "employees": 40, "open_orders": 1, "revenue_by_month": 12, "best_customers": 10} {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+name).Scan(&n); err != nil || n < least {
			t.Errorf("%s: %d rows, %v", name, n, err)
		}
	}
	var broken int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pragma_foreign_key_check").Scan(&broken); err != nil || broken > 0 {
		t.Errorf("%d rows refer to nothing, %v", broken, err)
	}
}

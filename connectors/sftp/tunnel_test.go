package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// through opens a tunnel with the settings of an account.
func through(t *testing.T, s connectors.Settings) connectors.Tunnel {
	t.Helper()
	w := conntest.NewWorld(t)
	w.Env.Ask = conntest.TrustAll()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tunnel, err := Jump().Tunnel(ctx, w.Env, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tunnel.Close() })
	return tunnel
}

// forwards reaches a web server through a jump host, or is refused as want says.
func forwards(t *testing.T, s connectors.Settings, want *connectors.Error) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "behind the host") }))
	t.Cleanup(web.Close)
	tunnel := through(t, s)
	client := &http.Client{Transport: &http.Transport{DialContext: tunnel.DialContext, DisableKeepAlives: true}}
	_, port, _ := net.SplitHostPort(web.Listener.Addr().String())
	r, err := client.Get("http://localhost:" + port + "/") // a name, looked up at the far end
	if want != nil {
		if e := connectors.Classify(err); e == nil || e.Code != want.Code || e.Reason != want.Reason {
			t.Errorf("%v, want %s", err, want.Reason)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if body, err := io.ReadAll(r.Body); string(body) != "behind the host" || err != nil {
		t.Errorf("%q %v", body, err)
	}
	_, closed := conntest.Closed(t)
	_, err = tunnel.DialContext(t.Context(), "tcp", "127.0.0.1:"+closed)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Unreachable || e.Reason != "ssh.tunnel_unreachable" || e.Target != "127.0.0.1:"+closed {
		t.Errorf("a port on which nothing listens: %+v", e)
	}
}

func TestTunnelThroughOpenSSH(t *testing.T) {
	s := startSSHD(t, "Subsystem other internal-sftp") // the subsystem is not needed
	forwards(t, s.settings(t), nil)
	tunnel := through(t, s.settings(t))
	t.Run("deadlines", func(t *testing.T) {
		host, port := conntest.Silent(t)
		conn, err := tunnel.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if a, ok := conn.RemoteAddr().(*net.TCPAddr); !ok || a.String() != net.JoinHostPort(host, port) {
			t.Errorf("%v", conn.RemoteAddr())
		}
	})
	t.Run("an unknown name", func(t *testing.T) {
		_, err := tunnel.DialContext(t.Context(), "tcp", "no-such-host.invalid:80")
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Unreachable || e.Field != "host" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("not TCP", func(t *testing.T) {
		_, err := tunnel.DialContext(t.Context(), "udp", "127.0.0.1:53")
		if e := connectors.Classify(err); e == nil || e.Reason != "ssh.tunnel_network" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := tunnel.DialContext(ctx, "tcp", s.addr()); connectors.CodeOf(err) != connectors.Cancelled {
			t.Errorf("%v", err)
		}
	})
	t.Run("a jump through a jump", func(t *testing.T) {
		w := conntest.NewWorld(t)
		w.Env.Ask = conntest.TrustAll()
		w.Env.Dial = tunnel.DialContext
		inner, err := Type().Tunnel(t.Context(), w.Env, s.settings(t))
		if err != nil {
			t.Fatal(err)
		}
		conn, err := inner.DialContext(t.Context(), "tcp", s.addr())
		if err != nil {
			t.Fatal(err)
		}
		hello := make([]byte, 4)
		if _, err := io.ReadFull(conn, hello); err != nil || string(hello) != "SSH-" {
			t.Errorf("%q %v", hello, err)
		}
		if err := inner.Close(); err != nil {
			t.Error(err)
		}
		if n, err := io.Copy(io.Discard, conn); err == nil && n > 100 {
			t.Errorf("%d bytes after the tunnel was closed", n)
		}
		_ = conn.Close()
	})
	t.Run("closing ends its connections", func(t *testing.T) {
		conn, err := tunnel.DialContext(t.Context(), "tcp", s.addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := tunnel.Close(); err != nil {
			t.Error(err)
		}
		_, _ = io.Copy(io.Discard, conn) // it ends
		_ = conn.Close()
		_, err = tunnel.DialContext(t.Context(), "tcp", s.addr())
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Refused || e.Reason != "ssh.tunnel_lost" {
			t.Errorf("%+v", e)
		}
		_ = tunnel.Close()
	})
}

func TestATunnelLeavesNothingBehind(t *testing.T) {
	s := startSSHD(t)
	settings := s.settings(t)
	leaks := goleak.IgnoreCurrent()
	w := conntest.NewWorld(t)
	tunnel, err := Jump().Tunnel(t.Context(), w.Env, settings)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // closed by the user, left to the tunnel, and with a write under way
		conn, err := tunnel.DialContext(t.Context(), "tcp", s.addr())
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = conn.Write(make([]byte, 1<<20)) }()
	}
	if err := tunnel.Close(); err != nil {
		t.Error(err)
	}
	if err := goleak.Find(leaks); err != nil {
		t.Error(err)
	}
}

func TestForwardingThatIsNotAllowed(t *testing.T) {
	forbidden := &connectors.Error{Code: connectors.Denied, Reason: "ssh.tunnel_forbidden"}
	none := startSSHD(t, "AllowTcpForwarding no")
	forwards(t, none.settings(t), forbidden)
	forwards(t, startSSHD(t, "PermitOpen 127.0.0.1:22").settings(t), forbidden)
	forwards(t, startSSHD(t, "DisableForwarding yes", "ForceCommand internal-sftp").settings(t), forbidden)
}

func TestJumpHost(t *testing.T) {
	allowed := startSSHD(t, "UsePAM no")
	none := startSSHD(t, "AllowTcpForwarding no")
	good := func(tb testing.TB) connectors.Settings { return allowed.settings(tb) }
	conntest.Run(t, conntest.Suite{Type: Jump(), Good: good, Faults: []conntest.Fault{
		{Name: "wrong password", Settings: func(tb testing.TB) connectors.Settings { return allowed.settings(tb, "password", "wrong-practice") }, Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
		{Name: "no forwarding", Settings: func(tb testing.TB) connectors.Settings { return none.settings(tb) }, Code: connectors.Denied, Stage: connectors.StageRights, Field: "user"},
		{Name: "unknown host, nobody to ask", Settings: func(tb testing.TB) connectors.Settings { return allowed.settings(tb, "known_hosts", "") }, Code: connectors.Untrusted, Stage: connectors.StageSecure},
	}})
	for want, s := range map[string]*sshd{"Forwarding: allowed ": allowed, "Forwarding: refused in a test denied": none} {
		w := conntest.NewWorld(t)
		session, err := Jump().Open(t.Context(), w.Env, s.settings(t))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for n, err := range session.(connectors.Browser).Children(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, fmt.Sprint(n.Name, " ", n.Access))
		}
		all := strings.Join(names, "\n")
		if !strings.HasPrefix(all, "Signed in as: "+account+"@127.0.0.1") || !strings.Contains(all, want) {
			t.Errorf("%s", all)
		}
		facts, err := session.Check(t.Context())
		if e := connectors.Classify(err); len(facts) < 5 || (s == none) != (e != nil && e.Partial) {
			t.Errorf("%v %v", facts, err)
		}
		_ = session.Close()
	}
}

// A jump host that has gone without a word is noticed.
func TestTunnelToAServerThatHangs(t *testing.T) {
	s := startSSHD(t)
	tunnel := through(t, s.settings(t))
	conn, err := tunnel.DialContext(t.Context(), "tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	children := strings.Fields(output(t, "pgrep", "-P", strconv.Itoa(s.process.Cmd.Process.Pid)))
	for _, pid := range children {
		for _, p := range append(strings.Fields(output(t, "pgrep", "-P", pid)), pid) {
			_ = exec.Command("kill", "-STOP", p).Run()
			t.Cleanup(func() { _ = exec.Command("kill", "-KILL", p).Run() })
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := tunnel.DialContext(ctx, "tcp", s.addr()); connectors.CodeOf(err) != connectors.TimedOut {
		t.Errorf("%v", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := tunnel.Close(); err != nil {
		t.Error(err)
	}
}

// output is what a command prints; that it finds nothing is no failure.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out)
}

package reach_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/internal/reach"
)

const practicePassword = "practice-only-proxy"

// echo is a server that says hello and repeats what it hears.
func echo(tb testing.TB) string {
	tb.Helper()
	return net.JoinHostPort(conntest.Serve(tb, func(c net.Conn) {
		_, _ = io.WriteString(c, "hello\n")
		_, _ = io.Copy(c, c)
	}))
}

func tinyproxy(tb testing.TB) string {
	tb.Helper()
	port := server.FreePort(tb)
	conf := server.WriteFile(tb, tb.TempDir(), "tinyproxy.conf", fmt.Sprintf("Port %d\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nBasicAuth mira %s\nConnectPort 443\nConnectPort 5432\n", port, practicePassword), 0o600)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	server.Start(tb, exec.Command(server.Program(tb, "tinyproxy", "tinyproxy"), "-d", "-c", conf), addr)
	return addr
}

// openTinyproxy passes any port and asks nobody who they are.
func openTinyproxy(tb testing.TB) string {
	tb.Helper()
	port := server.FreePort(tb)
	conf := server.WriteFile(tb, tb.TempDir(), "tinyproxy.conf", fmt.Sprintf("Port %d\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\n", port), 0o600)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	server.Start(tb, exec.Command(server.Program(tb, "tinyproxy", "tinyproxy"), "-d", "-c", conf), addr)
	return addr
}

func microsocks(tb testing.TB, args ...string) string {
	tb.Helper()
	port := server.FreePort(tb)
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	server.Start(tb, exec.Command(server.Program(tb, "microsocks", "microsocks"), append([]string{"-i", "127.0.0.1", "-p", fmt.Sprint(port)}, args...)...), addr)
	return addr
}

func answers(via, proxy, user, password string) connectors.Settings {
	s := connectors.NewSettings()
	s.Plain = map[string]string{"place": "on_premise", "via": via, "via_proxy": proxy, "via_user": user}
	s.Secrets["via_password"] = connectors.NewSecret(password)
	return s
}

func dial(t *testing.T, s connectors.Settings, addr string) (*conntest.World, net.Conn, error) {
	t.Helper()
	w := conntest.NewWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := reach.Through(w.Env, reach.Of(s), reach.Direct(w.Env), nil)(ctx, "tcp", addr)
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return w, c, err
}

func speaks(t *testing.T, c net.Conn) {
	t.Helper()
	in := bufio.NewReader(c)
	if line, err := in.ReadString('\n'); err != nil || line != "hello\n" {
		t.Fatalf("the server's greeting: %q, %v", line, err)
	}
	if _, err := io.WriteString(c, "practice\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := in.ReadString('\n'); err != nil || line != "practice\n" {
		t.Fatalf("the server's answer: %q, %v", line, err)
	}
}

func TestThroughRealProxies(t *testing.T) {
	target := echo(t)
	_, port, _ := net.SplitHostPort(target)
	socks, locked, plain := microsocks(t), microsocks(t, "-u", "mira", "-P", practicePassword), openTinyproxy(t)
	for name, c := range map[string]struct {
		s    connectors.Settings
		addr string
	}{
		"SOCKS5":               {answers("socks5", socks, "", ""), target},
		"SOCKS5, user unasked": {answers("socks5", socks, "mira", practicePassword), target},
		"SOCKS5 with password": {answers("socks5", locked, "mira", practicePassword), target},
		"SOCKS5 by name":       {answers("socks5", socks, "", ""), "localhost:" + port},
		"HTTP":                 {answers("http", plain, "", ""), target},
	} {
		t.Run(name, func(t *testing.T) {
			w, conn, err := dial(t, c.s, c.addr)
			if err != nil {
				t.Fatal(err)
			}
			speaks(t, conn)
			var seen []string
			for _, s := range w.Steps() {
				if s.Done {
					seen = append(seen, string(s.Stage)+" "+s.Text)
				}
			}
			if len(seen) != 2 || !strings.HasPrefix(seen[0], "reach "+c.s.Plain["via"]+" proxy 127.0.0.1:") || seen[1] != "connect "+c.addr+" through the proxy" {
				t.Errorf("rungs: %q", seen)
			}
			if strings.Contains(fmt.Sprint(w.Steps())+w.Log(), practicePassword) {
				t.Error("the proxy's password is seen in a rung")
			}
		})
	}
}

func TestSystemProxyFollowsTheEnvironment(t *testing.T) {
	target := echo(t)
	locked := microsocks(t, "-u", "mira", "-P", practicePassword)
	for _, v := range []string{"all_proxy", "HTTPS_PROXY", "https_proxy", "no_proxy"} {
		t.Setenv(v, "")
	}
	t.Setenv("ALL_PROXY", "socks5://mira:"+practicePassword+"@"+locked)
	t.Setenv("NO_PROXY", "db.practice.example")
	// Go's own rule lets loopback addresses pass by any proxy; a name that only the
	// proxy's resolver could know shows that the proxy was asked.
	_, _, err := dial(t, answers("system", "", "", ""), "nowhere.practice.invalid:5432")
	if e := connectors.Classify(err); e == nil || e.Reason != "reach.beyond_proxy" || e.Op != connectors.StageConnect {
		t.Errorf("through the system's proxy: %+v", e)
	}
	_, _, err = dial(t, answers("system", "", "", ""), "db.practice.example:5432")
	if e := connectors.Classify(err); e == nil || e.Op != connectors.StageResolve {
		t.Errorf("NO_PROXY leads directly: %+v", e)
	}
	_, conn, err := dial(t, answers("system", "", "", ""), target)
	if err != nil {
		t.Fatal(err)
	}
	speaks(t, conn)
}

func TestWhatGoesWrongWithAProxy(t *testing.T) {
	target := echo(t)
	closedHost, closedPort := conntest.Closed(t)
	closed := net.JoinHostPort(closedHost, closedPort)
	socks, locked, http, free := microsocks(t), microsocks(t, "-u", "mira", "-P", practicePassword), tinyproxy(t), openTinyproxy(t)
	for name, c := range map[string]struct {
		s             connectors.Settings
		addr          string
		code          connectors.Code
		reason, field string
		stage         connectors.Stage
	}{
		"SOCKS5 wrong password":     {answers("socks5", locked, "mira", "practice-only-wrong"), target, connectors.AuthFailed, "reach.proxy_auth", "via_user", connectors.StageConnect},
		"SOCKS5 no user":            {answers("socks5", locked, "", ""), target, connectors.AuthFailed, "reach.proxy_auth", "via_user", connectors.StageConnect},
		"SOCKS5 nothing listens":    {answers("socks5", socks, "", ""), closed, connectors.Unreachable, "connect.refused", "port", connectors.StageConnect},
		"SOCKS5 no such name":       {answers("socks5", socks, "", ""), "nowhere.practice.invalid:80", connectors.Unreachable, "reach.beyond_proxy", "host", connectors.StageConnect},
		"HTTP wrong password":       {answers("http", http, "mira", "practice-only-wrong"), target, connectors.AuthFailed, "reach.proxy_auth", "via_user", connectors.StageConnect},
		"HTTP no user":              {answers("http", http, "", ""), target, connectors.AuthFailed, "reach.proxy_auth", "via_user", connectors.StageConnect},
		"HTTP port not allowed":     {answers("http", http, "mira", practicePassword), target, connectors.Denied, "reach.proxy_denies", "", connectors.StageConnect},
		"HTTP nothing listens":      {answers("http", free, "", ""), closed, connectors.Unreachable, "reach.beyond_proxy", "host", connectors.StageConnect},
		"no proxy there":            {answers("http", closed, "", ""), target, connectors.Unreachable, "reach.proxy", "via_proxy", connectors.StageReach},
		"SOCKS5 is an HTTP proxy":   {answers("socks5", free, "", ""), target, connectors.TimedOut, "reach.proxy_silent", "via_proxy", connectors.StageConnect},
		"HTTP is a SOCKS5 proxy":    {answers("http", socks, "", ""), target, connectors.Refused, "reach.not_a_proxy", "via_proxy", connectors.StageConnect},
		"something else than proxy": {answers("http", target, "", ""), target, connectors.Refused, "reach.not_a_proxy", "via_proxy", connectors.StageConnect},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := dial(t, c.s, c.addr)
			e := connectors.Classify(err)
			if e == nil || e.Code != c.code || e.Reason != c.reason || e.Field != c.field || e.Op != c.stage {
				t.Fatalf("%+v", e)
			}
			p := connectors.Explain(err)
			if p.Title == "" || p.Hint == "" || !connectors.English().Has(e.Reason) {
				t.Errorf("no words: %+v", p)
			}
			if strings.Contains(fmt.Sprintf("%v %+v", err, p), practicePassword) {
				t.Error("the proxy's password is in the error")
			}
		})
	}
}

func TestASilentProxyEndsWithTheContext(t *testing.T) {
	host, port := conntest.Silent(t)
	for _, via := range []string{"http", "socks5"} {
		w := conntest.NewWorld(t)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := reach.Through(w.Env, reach.Of(answers(via, net.JoinHostPort(host, port), "", "")), reach.Direct(w.Env), nil)(ctx, "tcp", "db.practice.example:5432")
		cancel()
		if connectors.CodeOf(err) != connectors.TimedOut {
			t.Errorf("%s: %v", via, err)
		}
	}
}

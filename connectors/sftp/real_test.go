package sftp

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestOpenSSH(t *testing.T) {
	s := startSSHD(t, "UsePAM no") // PAM takes two seconds to refuse; the others below have it
	many := filepath.Join(s.home, "many")
	if err := os.Mkdir(many, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 20_000 {
		server.WriteFile(t, many, fmt.Sprintf("file%05d.txt", i), "", 0o644)
	}
	set := func(more ...string) func(testing.TB) connectors.Settings {
		return func(tb testing.TB) connectors.Settings { return s.settings(tb, more...) }
	}
	locked := filepath.Join(s.dir, "locked")
	server.Run(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "practice phrase", "-f", locked)
	public := read(t, s.keyFile+".pub")
	good := set()
	conntest.Run(t, conntest.Suite{Type: Type(), Good: good,
		Big:     &conntest.Big{Settings: good, Parent: connectors.NodeID(many), Count: 20_000},
		Hostile: &conntest.Place{Settings: good, Node: connectors.NodeID(filepath.Join(s.home, "hostile"))},
		Faults: []conntest.Fault{
			{Name: "wrong password", Settings: set("password", "wrong-practice"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "unknown user", Settings: set("user", "nobody-here"), Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "password"},
			{Name: "folder missing", Settings: set("folder", "nowhere"), Code: connectors.NotFound, Stage: connectors.StageRights, Field: "folder"},
			{Name: "folder is a file", Settings: set("folder", "notes.txt"), Code: connectors.BadInput, Field: "folder"},
			{Name: "unknown host, nobody to ask", Settings: set("known_hosts", ""), Code: connectors.Untrusted, Stage: connectors.StageSecure},
			{Name: "key of another user", Settings: func(tb testing.TB) connectors.Settings {
				return s.settings(tb, "auth", "key", "key", read(tb, locked), "passphrase", "practice phrase")
			}, Code: connectors.AuthFailed, Stage: connectors.StageSignIn, Field: "user"},
			{Name: "wrong passphrase", Settings: func(tb testing.TB) connectors.Settings {
				return s.settings(tb, "auth", "key", "key", read(tb, locked), "passphrase", "other practice")
			}, Code: connectors.BadInput, Field: "passphrase"},
			{Name: "no passphrase", Settings: func(tb testing.TB) connectors.Settings {
				return s.settings(tb, "auth", "key", "key", read(tb, locked))
			}, Code: connectors.BadInput, Field: "passphrase"},
			{Name: "no key", Settings: set("auth", "key", "key", "hello"), Code: connectors.BadInput, Field: "key"},
			{Name: "public key", Settings: set("auth", "key", "key", public), Code: connectors.BadInput, Field: "key"},
			{Name: "web server", Settings: func(tb testing.TB) connectors.Settings {
				host, port := conntest.Speaks(tb, "HTTP/1.1 400 Bad Request\r\n\r\n")
				return s.settings(tb, "host", host, "port", port)
			}, Code: connectors.Refused, Stage: connectors.StageSecure, Field: "port"},
			{Name: "unknown name", Settings: set("host", "no-such-host.invalid"), Code: connectors.Unreachable, Stage: connectors.StageResolve, Field: "host"},
			{Name: "port 0", Settings: set("port", "0"), Code: connectors.BadInput, Field: "port"},
			{Name: "port 99999", Settings: set("port", "99999"), Code: connectors.BadInput, Field: "port"},
		}})
	t.Run("reading", func(t *testing.T) { s.reading(t) })
	t.Run("ways to sign in", func(t *testing.T) { startSSHD(t).ways(t) })
}

func openWith(t testing.TB, settings connectors.Settings, ask connectors.Asker) (connectors.Session, error) {
	t.Helper()
	w := conntest.NewWorld(t)
	w.Env.Ask = ask
	return conntest.TryIn(t, w, Type(), settings)
}

func (s *sshd) ways(t *testing.T) {
	key := read(t, s.keyFile)
	if _, err := openWith(t, s.settings(t, "auth", "key", "key", key), connectors.Asker{}); err != nil {
		t.Errorf("key: %v", err)
	}
	if _, err := openWith(t, s.settings(t, "auth", "key", "key", strings.ReplaceAll(key, "\n", `\n`)), connectors.Asker{}); err != nil {
		t.Errorf("key with literal \\n: %v", err)
	}
	ppk := filepath.Join(t.TempDir(), "ppk")
	server.Run(t, server.Program(t, "puttygen", "putty-tools"), s.keyFile, "-O", "private", "-o", ppk)
	for _, end := range []string{`\n`, " ", "\r\n"} {
		if _, err := openWith(t, s.settings(t, "auth", "key", "key", strings.ReplaceAll(strings.TrimSpace(read(t, ppk)), "\n", end)), connectors.Asker{}); err != nil {
			t.Errorf("PuTTY's key with %q for line ends: %v", end, err)
		}
	}
	var asked connectors.Prompt
	person := connectors.Asker{Input: func(_ context.Context, p connectors.Prompt) (connectors.Secret, error) {
		asked = p
		return connectors.NewSecret(password), nil
	}}
	if _, err := openWith(t, s.settings(t, "auth", "interactive"), person); err != nil || asked.Title != "Password" || asked.Echo {
		t.Errorf("interactive: %v, asked %+v", err, asked)
	}
	if _, err := openWith(t, s.settings(t, "host", " sftp://127.0.0.1/ "), connectors.Asker{}); err != nil {
		t.Errorf("a host pasted with a scheme and spaces: %v", err)
	}
	s.agent(t)
}

// agent signs in with a real ssh-agent, first empty, then with the key.
func (s *sshd) agent(t *testing.T) {
	sock := filepath.Join(s.dir, "agent.sock")
	cmd := exec.Command(server.Program(t, "ssh-agent", "openssh-client"), "-D", "-a", sock)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("unix", sock); err == nil {
			_ = c.Close()
			break
		}
	}
	t.Setenv("SSH_AUTH_SOCK", sock)
	if _, err := openWith(t, s.settings(t, "auth", "agent"), connectors.Asker{}); connectors.Classify(err) == nil || connectors.Classify(err).Reason != "ssh.agent_empty" {
		t.Errorf("empty agent: %v", err)
	}
	add := exec.Command("ssh-add", "-q", s.keyFile)
	add.Env = append(os.Environ(), "SSH_AUTH_SOCK="+sock)
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("ssh-add: %v %s", err, out)
	}
	if _, err := openWith(t, s.settings(t, "auth", "agent"), connectors.Asker{}); err != nil {
		t.Errorf("agent: %v", err)
	}
	t.Setenv("SSH_AUTH_SOCK", sock+".none")
	if _, err := openWith(t, s.settings(t, "auth", "agent"), connectors.Asker{}); connectors.Classify(err) == nil || connectors.Classify(err).Reason != "ssh.agent" {
		t.Errorf("no agent: %v", err)
	}
}

func (s *sshd) reading(t *testing.T) {
	session, err := openWith(t, s.settings(t, "folder", "reports"), connectors.Asker{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for n, err := range session.(connectors.Browser).Children(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, n.Name+" "+string(n.Views[0]))
	}
	if len(names) != 1 || !strings.HasPrefix(names[0], "sales.csv ") {
		t.Error(names)
	}
	table, err := session.(connectors.Tabler).Table(t.Context(), connectors.NodeID(s.home+"/reports/sales.csv"), 10)
	if err != nil || len(table.Rows) != 2 || table.Columns[1].Name != "amount" || !table.Columns[1].Numeric {
		t.Errorf("%+v %v", table, err)
	}
	sample, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(s.home+"/notes.txt"), 5)
	if err != nil || string(sample.Data) != "hello" || !sample.Truncated || sample.Size != 12 {
		t.Errorf("%+v %v", sample, err)
	}
	_, err = session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(s.home+"/closed.txt"), 5)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied {
		t.Errorf("closed file: %v", err)
	}
	_, err = session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(s.home+"/gone.txt"), 5)
	if connectors.CodeOf(err) != connectors.NotFound {
		t.Errorf("missing file: %v", err)
	}
	for n, err := range session.(connectors.Browser).Children(t.Context(), connectors.NodeID(s.home+"/empty")) {
		t.Errorf("an empty folder lists %v %v", n, err)
	}
}

func TestOddServers(t *testing.T) {
	t.Run("no sftp", func(t *testing.T) {
		s := startSSHD(t, "Subsystem other internal-sftp")
		_, err := openWith(t, s.settings(t), connectors.Asker{})
		if e := connectors.Classify(err); e == nil || e.Reason != "sftp.no_subsystem" || e.Op != connectors.StageRights {
			t.Errorf("%+v", e)
		}
	})
	t.Run("noise", func(t *testing.T) {
		noise := server.WriteFile(t, "/tmp", account+"-noise", "#!/bin/sh\necho Welcome to this fine server\nsleep 1\n", 0o755)
		t.Cleanup(func() { _ = os.Remove(noise) })
		s := startSSHD(t, "Subsystem sftp "+noise)
		_, err := openWith(t, s.settings(t), connectors.Asker{})
		if e := connectors.Classify(err); e == nil || e.Reason != "sftp.noise" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("the shell ends", func(t *testing.T) {
		s := startSSHD(t, "Subsystem sftp /bin/false")
		_, err := openWith(t, s.settings(t), connectors.Asker{})
		if e := connectors.Classify(err); e == nil || e.Reason != "sftp.shell" {
			t.Errorf("%+v", e)
		}
	})
	t.Run("two steps", func(t *testing.T) {
		s := startSSHD(t, "AuthenticationMethods publickey,keyboard-interactive")
		person := connectors.Asker{Input: func(context.Context, connectors.Prompt) (connectors.Secret, error) {
			return connectors.NewSecret(password), nil
		}}
		if _, err := openWith(t, s.settings(t, "auth", "key", "key", read(t, s.keyFile)), person); err != nil {
			t.Error(err)
		}
	})
	t.Run("chroot", func(t *testing.T) {
		s := startSSHD(t, "ChrootDirectory /tmp", "ForceCommand internal-sftp")
		server.Run(t, "chmod", "1777", "/tmp")
		_, err := openWith(t, s.settings(t), connectors.Asker{})
		// sshd refuses a chroot that others may write to; it hangs up after the sign-in.
		if connectors.CodeOf(err) == "" {
			t.Error("it worked")
		}
		if p := connectors.Explain(err); p.Hint == "" {
			t.Errorf("%+v", p)
		}
	})
	t.Run("the connection dies while listing", func(t *testing.T) {
		s := startSSHD(t)
		many := filepath.Join(s.home, "many")
		if err := os.Mkdir(many, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 5000 {
			server.WriteFile(t, many, strconv.Itoa(i), "", 0o644)
		}
		session, err := openWith(t, s.settings(t), connectors.Asker{})
		if err != nil {
			t.Fatal(err)
		}
		n, last := 0, error(nil)
		for _, err := range session.(connectors.Browser).Children(t.Context(), connectors.NodeID(many)) {
			if n++; n == 10 {
				_ = exec.Command("pkill", "-KILL", "-u", account).Run()
				_ = exec.Command("pkill", "-KILL", "-P", strconv.Itoa(s.process.Cmd.Process.Pid)).Run()
			}
			last = err
		}
		if last == nil {
			t.Fatal("the listing went on without its server")
		}
		if e := connectors.Classify(last); e.Code != connectors.Refused && e.Code != connectors.Unreachable {
			t.Errorf("%+v", e)
		}
	})
}

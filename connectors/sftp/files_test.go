//go:build unix

package sftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func list(t *testing.T, session connectors.Session, dir string) map[string]connectors.Node {
	t.Helper()
	return conntest.Below(t, session, connectors.NodeID(dir))
}

// tangle makes files and links of every kind in the account's home.
func (s *sshd) tangle(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(s.home, "tangle")
	for _, d := range []string{dir, filepath.Join(dir, "locked")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server.WriteFile(t, dir, "mine", "x", 0o600)
	server.WriteFile(t, dir, "mine closed", "x", 0o044)
	server.WriteFile(t, dir, "root's", "x", 0o600)
	server.WriteFile(t, dir, "group's", "x", 0o640)
	server.WriteFile(t, dir, "open", "x", 0o644)
	for name, mode := range map[string]os.FileMode{"mine closed": 0o044, "locked": 0o700} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"to folder": "../reports", "to file": "../notes.txt", "to nothing": "nowhere", "to itself": "to itself"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	server.Run(t, "chown", account, filepath.Join(dir, "mine"), filepath.Join(dir, "mine closed"))
	return dir
}

func TestModesOwnersAndLinks(t *testing.T) {
	s := startSSHD(t)
	dir := s.tangle(t)
	session := works(t, s.settings(t), connectors.Asker{})
	got := list(t, session, dir)
	for name, want := range map[string]connectors.Access{"mine": connectors.AccessReadable, "mine closed": connectors.AccessDenied, "root's": connectors.AccessDenied,
		"group's": "", "open": connectors.AccessReadable, "locked": connectors.AccessDenied, "pipe": "", "to file": ""} {
		if got[name].Access != want {
			t.Errorf("%s: access %q, want %q", name, got[name].Access, want)
		}
		if want == "" || !strings.HasPrefix(conntest.Fact(got[name].Facts, "Mode"), "-") {
			continue
		}
		_, err := session.(connectors.Sampler).Sample(t.Context(), got[name].ID, 1)
		if denied := connectors.CodeOf(err) == connectors.Denied; denied != (want == connectors.AccessDenied) {
			t.Errorf("%s: said %s, and reading gave %v", name, want, err)
		}
	}
	for name, want := range map[string]string{"to folder": "../reports true", "to file": "../notes.txt false", "to nothing": "nowhere (not there) false", "to itself": "to itself (not there) false"} {
		if n := got[name]; fmt.Sprint(conntest.Fact(n.Facts, "Leads to"), " ", n.Branch) != want || n.Kind != "link" {
			t.Errorf("%s: %+v", name, n)
		}
	}
	if n := got["mine"]; conntest.Fact(n.Facts, "Mode") != "-rw-------" || !strings.HasPrefix(conntest.Fact(n.Facts, "Owner"), account+":") || n.Kind != "file" {
		t.Errorf("%+v", n)
	}
	if names := list(t, session, string(got["to folder"].ID)); len(names) != 1 {
		t.Errorf("behind the link: %v", names)
	}
	for name, reason := range map[string]string{"pipe": "sftp.special", "locked": "sftp.is_a_folder", "to nothing": "sftp.not_found", "mine closed": "sftp.denied"} {
		_, err := session.(connectors.Sampler).Sample(t.Context(), connectors.NodeID(dir+"/"+name), 10)
		if e := connectors.Classify(err); e == nil || e.Reason != reason || e.Op != connectors.StageData {
			t.Errorf("%s: %+v, want %s", name, e, reason)
		}
	}
	if _, err := session.Check(t.Context()); err != nil {
		t.Errorf("after all this: %v", err)
	}
}

func TestReadingAtAnOffset(t *testing.T) {
	s := startSSHD(t)
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(i >> 10)
	}
	name := server.WriteFile(t, s.home, "big.bin", string(big), 0o644)
	session := works(t, s.settings(t), connectors.Asker{}).(interface{ store() shelf })
	f, err := session.store().Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, c := range []struct{ off, want, n int }{{0, 10, 10}, {1 << 20, 300_000, 300_000}, {len(big) - 5, 10, 5}, {len(big), 10, 0}, {len(big) + 100, 10, 0}, {7, 0, 0}} {
		p := make([]byte, c.want)
		n, err := f.ReadAt(t.Context(), p, int64(c.off))
		if n != c.n || (n < c.want) != errors.Is(err, io.EOF) || n > 0 && string(p[:n]) != string(big[c.off:c.off+n]) {
			t.Errorf("%+v: %d %v", c, n, err)
		}
	}
	if f.Size() != int64(len(big)) {
		t.Error(f.Size())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.ReadAt(ctx, make([]byte, 10), 0); connectors.CodeOf(err) != connectors.Cancelled {
		t.Errorf("%v", err)
	}
}

func (s *session) store() shelf { return shelf{s} }

// A valve is a wire that can be stopped.
type valve struct {
	net.Conn
	shut *atomic.Bool
	done chan struct{}
}

func (v valve) Read(p []byte) (int, error) {
	n, err := v.Conn.Read(p)
	for v.shut.Load() {
		select {
		case <-v.done:
			return 0, net.ErrClosed
		case <-time.After(10 * time.Millisecond):
		}
	}
	return n, err
}

func (v valve) Close() error {
	defer func() { _ = recover() }() // closed twice
	close(v.done)
	return v.Conn.Close()
}

// Everything ends with its context on a connection that has stopped.
func TestAStalledServerHoldsUpNobody(t *testing.T) {
	s := startSSHD(t)
	w := conntest.NewWorld(t)
	dial, shut := w.Env.Dial, &atomic.Bool{}
	w.Env.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return valve{c, shut, make(chan struct{})}, err
	}
	opened, err := Type().Open(t.Context(), w.Env, s.settings(t))
	if err != nil {
		t.Fatal(err)
	}
	f, err := opened.(*session).store().Open(t.Context(), s.home+"/notes.txt")
	if err != nil {
		t.Fatal(err)
	}
	shut.Store(true)
	for name, do := range map[string]func(context.Context) error{
		"check": func(ctx context.Context) error { _, err := opened.Check(ctx); return err },
		"list": func(ctx context.Context) error {
			for _, err := range opened.(connectors.Browser).Children(ctx, "") {
				return err
			}
			return nil
		},
		"open": func(ctx context.Context) error {
			_, err := opened.(*session).store().Open(ctx, s.home+"/notes.txt")
			return err
		},
		"read": func(ctx context.Context) error { _, err := f.ReadAt(ctx, make([]byte, 10), 0); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := do(ctx); connectors.CodeOf(err) != connectors.TimedOut {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	_ = f.Close()
	shut.Store(false)
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

func TestServersWithLittle(t *testing.T) {
	t.Run("one channel", func(t *testing.T) {
		s := startSSHD(t, "MaxSessions 1")
		dir := s.tangle(t)
		session := works(t, s.settings(t), connectors.Asker{})
		if got := list(t, session, dir); len(got) != 11 || !got["to folder"].Branch || conntest.Fact(got["mine"].Facts, "Mode") != "-rw-------" {
			t.Errorf("%v", got)
		}
		if _, err := session.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("a jail", func(t *testing.T) {
		jail, err := os.MkdirTemp("/", "jf-jail-*")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(jail) })
		server.Run(t, "chmod", "755", jail)
		server.WriteFile(t, jail, "inside.csv", "a,b\n1,2\n", 0o644)
		s := startSSHD(t, "ChrootDirectory "+jail, "ForceCommand internal-sftp", "AllowTcpForwarding no")
		session := works(t, s.settings(t), connectors.Asker{})
		table, err := session.(connectors.Tabler).Table(t.Context(), "/inside.csv", 5)
		if err != nil || len(table.Rows) != 1 {
			t.Errorf("%+v %v", table, err)
		}
		if got := list(t, session, ""); len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
	t.Run("a home that may not be listed", func(t *testing.T) {
		s := startSSHD(t)
		server.Run(t, "chmod", "711", s.home)
		session := works(t, s.settings(t), connectors.Asker{})
		facts, err := session.Check(t.Context())
		e := connectors.Classify(err)
		if len(facts) == 0 || e == nil || !e.Partial || e.Reason != "sftp.not_listed" || e.Field != "folder" || e.Code != connectors.Denied {
			t.Errorf("%v %+v", facts, e)
		}
		named := works(t, s.settings(t, "folder", "reports"), connectors.Asker{})
		if _, err := named.Check(t.Context()); err != nil || len(list(t, named, "")) != 1 {
			t.Errorf("a folder below it: %v", err)
		}
	})
	t.Run("a login script that prints", func(t *testing.T) {
		s := startSSHD(t, "Subsystem sftp /usr/lib/openssh/sftp-server")
		server.WriteFile(t, s.home, ".bashrc", "echo Welcome to this fine server\n", 0o644)
		server.Run(t, "chsh", "-s", "/bin/bash", account)
		said := fails(t, s.settings(t), connectors.Asker{}, connectors.Refused, "sftp.noise", "")
		if !strings.Contains(said, "Welcome to this fine") {
			t.Errorf("%q", said)
		}
	})
	t.Run("an account without a shell", func(t *testing.T) {
		s := startSSHD(t, "Subsystem sftp /usr/lib/openssh/sftp-server")
		server.Run(t, "chsh", "-s", "/usr/sbin/nologin", account)
		said := fails(t, s.settings(t), connectors.Asker{}, connectors.Denied, "sftp.shell", "user")
		if !strings.Contains(said, "not available") {
			t.Errorf("%q", said)
		}
	})
}

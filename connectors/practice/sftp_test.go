package practice

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	sftptype "jackfield/connectors/sftp"
)

func sshConfig(t *testing.T, c Connection, password string) *ssh.ClientConfig {
	t.Helper()
	name := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(name, []byte(c.Settings.Secrets["known_hosts"].Reveal()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	check, err := knownhosts.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return &ssh.ClientConfig{User: c.Settings.Plain["user"], Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: check, HostKeyAlgorithms: []string{ssh.KeyAlgoED25519}, Timeout: 10 * time.Second}
}

func openSFTP(t *testing.T, c Connection) *sftp.Client {
	t.Helper()
	conn, err := ssh.Dial("tcp", c.addr(), sshConfig(t, c, demoPassword))
	if err != nil {
		t.Fatal(err)
	}
	files, err := sftp.NewClient(conn)
	if err != nil {
		_ = conn.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close(); _ = conn.Close() })
	return files
}

func checkSFTP(t *testing.T, c Connection) {
	t.Helper()
	list, err := openSFTP(t, c).ReadDir("/logs")
	if err != nil || len(list) != 365 {
		t.Errorf("sftp: %d files, %v", len(list), err)
	}
}

func TestSFTP_ReadsEverythingButTheClosedOnes(t *testing.T) {
	files := openSFTP(t, running(t)["sftp"])
	read := 0
	for w := files.Walk("/"); w.Step(); {
		if err := w.Err(); err != nil {
			if w.Path() != "/hr/board" || !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s: %v", w.Path(), err)
			}
			continue
		}
		if w.Stat().IsDir() {
			continue
		}
		f, err := files.Open(w.Path())
		if w.Path() == "/hr/salaries.csv" {
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("%s opens: %v", w.Path(), err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", w.Path(), err)
		}
		data, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil || int64(len(data)) != w.Stat().Size() || len(data) == 0 {
			t.Errorf("%s: %d bytes of %d, %v", w.Path(), len(data), w.Stat().Size(), err)
		}
		read++
	}
	if read < 380 {
		t.Errorf("only %d files were read", read)
	}
	if _, err := files.Stat("/hr/board/minutes.txt"); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a file in a closed folder: %v", err)
	}
	if _, err := files.Stat("/nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestSFTP_ChangesNothing(t *testing.T) {
	files := openSFTP(t, running(t)["sftp"])
	f, err := files.Create("/new.txt")
	if err == nil {
		_ = f.Close()
	}
	for what, err := range map[string]error{
		"create": err, "mkdir": files.Mkdir("/new"), "remove": files.Remove("/README.txt"), "rename": files.Rename("/README.txt", "/x"),
		"truncate": files.Truncate("/README.txt", 1), "chmod": files.Chmod("/README.txt", 0o777), "symlink": files.Symlink("/README.txt", "/x"),
	} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSFTP_RefusesOthersAndShells(t *testing.T) {
	c := running(t)["sftp"]
	if conn, err := ssh.Dial("tcp", c.addr(), sshConfig(t, c, "something else")); err == nil {
		_ = conn.Close()
		t.Error("a wrong password is let in")
	}
	conn, err := ssh.Dial("tcp", c.addr(), sshConfig(t, c, demoPassword))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	s, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Run("id"); err == nil {
		t.Error("a command is run")
	}
	if l, err := conn.Listen("tcp", "127.0.0.1:0"); err == nil {
		_ = l.Close()
		t.Error("a port is forwarded")
	}
	if d, err := conn.Dial("tcp", "127.0.0.1:1"); err == nil {
		_ = d.Close()
		t.Error("a connection is forwarded")
	}
}

// OpenSSH's own client, answering the password prompt through SSH_ASKPASS.
func TestSFTP_OpenSSH(t *testing.T) {
	client := program(t, "sftp", "openssh-client")
	c := running(t)["sftp"]
	dir := t.TempDir()
	ask := filepath.Join(dir, "ask")
	known := filepath.Join(dir, "known_hosts")
	if err := errors.Join(os.WriteFile(ask, []byte("#!/bin/sh\necho "+demoPassword+"\n"), 0o700), os.WriteFile(known, []byte(c.Settings.Secrets["known_hosts"].Reveal()+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), client, "-F", "none", "-o", "UserKnownHostsFile="+known, "-o", "StrictHostKeyChecking=yes", "-o", "PubkeyAuthentication=no",
		"-o", "ConnectTimeout=10", "-P", c.Settings.Plain["port"], demoUser+"@127.0.0.1")
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("ls -l sales/2026\nget reports/2026/revenue.csv %s\nbye\n", dir))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "orders-2026-03.csv") {
		t.Fatalf("%v\n%s", err, out)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "revenue.csv")); err != nil || !strings.HasPrefix(string(data), "month,category,revenue\n") {
		t.Errorf("%v %.80q", err, data)
	}
}

// The connection type opens it with what Connections tells, and asks nobody.
func TestSFTP_LinksWithoutAQuestion(t *testing.T) {
	c := running(t)["sftp"]
	s, err := sftptype.Type().Open(t.Context(), conntest.NewWorld(t).Env, c.Settings)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	table, err := s.(connectors.Tabler).Table(t.Context(), "/offices.csv", 10)
	if err != nil || len(table.Rows) != 3 {
		t.Errorf("%+v, %v", table, err)
	}
}

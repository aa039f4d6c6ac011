package rights_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

const sftpUser = "jf-test-rights"

// startSSHD lets the user in with what file has, and takes more configuration.
func startSSHD(t *testing.T, dir, file string, more string) int {
	t.Helper()
	port := server.FreePort(t)
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Fatal(err)
	}
	host := filepath.Join(dir, "host"+strconv.Itoa(port))
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", "", "-f", host)
	conf := server.WriteFile(t, dir, "sshd"+strconv.Itoa(port), fmt.Sprintf("Port %d\nListenAddress 127.0.0.1\nPidFile none\nHostKey %s\nStrictModes no\nAuthorizedKeysFile %s\nUseDNS no\nUsePAM yes\nLogLevel ERROR\nSubsystem sftp internal-sftp\n%s", port, host, file, more), 0o644)
	server.Start(t, exec.Command(server.Program(t, "sshd", "openssh-server"), "-D", "-e", "-f", conf), "127.0.0.1:"+strconv.Itoa(port))
	return port
}

func TestOpenSSHTakesTheKeysLine(t *testing.T) {
	t.Parallel()
	home := server.NewAccount(t, sftpUser, newPassword).Home
	in := filepath.Join(home, "in%d")
	if err := os.MkdirAll(in, 0o777); err != nil {
		t.Fatal(err)
	}
	server.WriteFile(t, in, "sales.csv", "a,b\n1,2\n", 0o644)
	server.Run(t, "chmod", "777", in)
	dir := filepath.Dir(home)
	key := filepath.Join(dir, "key")
	server.Run(t, server.Program(t, "ssh-keygen", "openssh-client"), "-q", "-t", "ed25519", "-N", newPassword, "-f", key)
	private, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	as := func(port int, folder string) connectors.Settings {
		return settings(t, "sftp", "host", "127.0.0.1", "port", strconv.Itoa(port), "user", sftpUser, "auth", "key", "key", string(private), "passphrase", newPassword, "folder", folder)
	}
	line := grant(t, "sftp", as(22, in), 0)
	if !strings.Contains(line, " -d ") || !strings.HasPrefix(line, "restrict,command=") {
		t.Fatalf("the line is %s", line)
	}
	file := server.WriteFile(t, dir, "authorized", line, 0o644)
	match := grant(t, "sftp", as(22, in), 1)
	port := startSSHD(t, dir, file, "")
	all := look(t, "sftp", as(port, in))
	wants(t, all, "sales.csv", "bytes: 8")
	cannotWrite := func(t *testing.T, port int) {
		t.Helper()
		open := server.WriteFile(t, dir, "open"+strconv.Itoa(port), string(private), 0o600)
		server.Run(t, "ssh-keygen", "-p", "-q", "-P", newPassword, "-N", "", "-f", open)
		options := []string{"-q", "-i", open, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "-F", "/dev/null"}
		refused(t, "denied", nil, "put "+file+" "+in+"/new.txt\n", server.Program(t, "sftp", "openssh-client"), append(options, "-P", strconv.Itoa(port), "-b", "-", sftpUser+"@127.0.0.1")...)
		if _, err := os.Stat(filepath.Join(in, "new.txt")); err == nil {
			t.Error("a file was written")
		}
		forward := exec.Command(server.Program(t, "ssh", "openssh-client"), append(options, "-p", strconv.Itoa(port), "-W", "127.0.0.1:"+strconv.Itoa(port), sftpUser+"@127.0.0.1")...)
		if out, err := forward.CombinedOutput(); err == nil || strings.Contains(string(out), "SSH-2.0") {
			t.Errorf("it can be gone through: %v %s", err, out)
		}
	}
	cannotWrite(t, port)
	t.Run("a Match block", func(t *testing.T) {
		_, public, _ := strings.Cut(line, `" `)
		port := startSSHD(t, dir, server.WriteFile(t, dir, "bare", public, 0o644), match)
		wants(t, look(t, "sftp", as(port, in)), "sales.csv", "bytes: 8")
		cannotWrite(t, port)
	})
	t.Run("from an address", func(t *testing.T) {
		here := startSSHD(t, dir, server.WriteFile(t, dir, "here", `from="127.0.0.1",`+line, 0o644), "")
		wants(t, look(t, "sftp", as(here, in)), "sales.csv")
		there := startSSHD(t, dir, server.WriteFile(t, dir, "there", `from="203.0.113.7",`+line, 0o644), "")
		if got := look(t, "sftp", as(there, in)); !strings.Contains(got, "not opened: auth") {
			t.Errorf("from another address: %s", got)
		}
	})
	t.Run("without the line", func(t *testing.T) {
		port := startSSHD(t, dir, server.WriteFile(t, dir, "empty", "", 0o644), "")
		if got := look(t, "sftp", as(port, in)); !strings.Contains(got, "not opened: auth") {
			t.Errorf("without the line: %s", got)
		}
	})
	t.Run("without the command", func(t *testing.T) {
		_, public, _ := strings.Cut(line, `" `)
		port := startSSHD(t, dir, server.WriteFile(t, dir, "only", "restrict,command=\"/bin/true\" "+public, 0o644), "")
		if got := look(t, "sftp", as(port, in)); !strings.Contains(got, "not opened") {
			t.Errorf("without the command: %s", got)
		}
	})
}

//go:build unix

package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// An SMBSpec is what a file server shares, and with whom.
type SMBSpec struct {
	// Users are accounts of the system's, by name, with the passwords that they
	// have for the file server alone. They need no login of their own, so such
	// as Debian makes for its services will do: "games", "news".
	Users map[string]string
	// Global are further lines of smb.conf's [global].
	Global string
	// Sections are the shares: "[docs]\npath = /folder\nread only = no\n". Their
	// folders must be open to the users, and every folder above.
	Sections string
}

// SMB is a running smbd that belongs to no domain, on 127.0.0.1.
type SMB struct {
	Port    int
	Process *Process
	conf    string
}

// Smbd starts a file server and stops it when the test ends.
func Smbd(tb testing.TB, spec SMBSpec) *SMB {
	tb.Helper()
	program := Program(tb, "smbd", "samba")
	dir := tb.TempDir()
	for _, d := range []string{"private", "state", "cache", "lock", "pid", "ncalrpc", "log"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	s := &SMB{Port: FreePort(tb)}
	s.conf = WriteFile(tb, dir, "smb.conf", fmt.Sprintf(`[global]
netbios name = PRACTICE
workgroup = PRACTICE
server role = standalone server
smb ports = %[2]d
interfaces = lo
bind interfaces only = yes
disable netbios = yes
private dir = %[1]s/private
passdb backend = tdbsam:%[1]s/private/passdb.tdb
state directory = %[1]s/state
cache directory = %[1]s/cache
lock directory = %[1]s/lock
pid directory = %[1]s/pid
ncalrpc dir = %[1]s/ncalrpc
log file = %[1]s/log/smbd
load printers = no
printing = bsd
printcap name = /dev/null
obey pam restrictions = no
unix password sync = no
map to guest = never
%[3]s
%[4]s
`, dir, s.Port, spec.Global, spec.Sections), 0o600)
	for name, password := range spec.Users {
		add := exec.Command(Program(tb, "pdbedit", "samba"), "-s", s.conf, "-a", "-t", "-u", name)
		add.Stdin = strings.NewReader(password + "\n" + password + "\n")
		if out, err := add.CombinedOutput(); err != nil {
			tb.Fatalf("pdbedit: %v\n%s", err, out)
		}
	}
	cmd := exec.Command(program, "-F", "--no-process-group", "-s", s.conf)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // every client has a process of its own
	if _, err := cmd.StdinPipe(); err != nil {            // at its end smbd ends too, even if this test is killed
		tb.Fatal(err)
	}
	s.Process = Start(tb, cmd, "127.0.0.1:"+strconv.Itoa(s.Port))
	tb.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		reap(s.conf)
		if tb.Failed() {
			text, _ := os.ReadFile(filepath.Join(dir, "log", "smbd"))
			tb.Logf("smbd: %s\n%s", s.Process.Output(), text[max(0, len(text)-3000):])
		}
	})
	return s
}

// reap ends what the server has started in sessions of their own: the helpers of
// its RPC service name the configuration in their command line and outlive it.
func reap(conf string) {
	names, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is right
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(line), conf) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// Tool runs one of Samba's programs ("pdbedit", "net") on the server's accounts.
func (s *SMB) Tool(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	return Run(tb, Program(tb, name, "samba samba-common-bin"), append([]string{"-s", s.conf}, args...)...)
}

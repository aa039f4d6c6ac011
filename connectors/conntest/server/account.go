package server

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
)

// An Account is one of this machine, which servers let in.
type Account struct {
	Name, Password, UID, GID string
	Home                     string // not there yet
}

// NewAccount makes an account for the time of the test; it needs root. The home
// stands in a folder of its own, which every account may enter.
func NewAccount(tb testing.TB, name, password string) Account {
	tb.Helper()
	if os.Getuid() != 0 {
		tb.Fatal("these tests make an account, and need root for that")
	}
	dir, err := os.MkdirTemp("/tmp", name+"-*") // every folder above it may be entered by the account
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	Run(tb, "chmod", "755", dir)
	home := filepath.Join(dir, "home")
	if _, err := user.Lookup(name); err == nil {
		Run(tb, "userdel", "-f", name)
	}
	Run(tb, "useradd", "-M", "-d", home, "-s", "/bin/bash", name)
	tb.Cleanup(func() { _ = exec.Command("userdel", "-f", name).Run() })
	set := exec.Command("chpasswd")
	set.Stdin = strings.NewReader(name + ":" + password + "\n")
	if out, err := set.CombinedOutput(); err != nil {
		tb.Fatalf("chpasswd: %v %s", err, out)
	}
	u, err := user.Lookup(name)
	if err != nil {
		tb.Fatal(err)
	}
	return Account{Name: name, Password: password, UID: u.Uid, GID: u.Gid, Home: home}
}

// Line is the account as a file of its own for ProFTPD has it (AuthUserFile).
func (a Account) Line(tb testing.TB) string {
	tb.Helper()
	hash := exec.Command(Program(tb, "openssl", "openssl"), "passwd", "-6", "-stdin")
	hash.Stdin = strings.NewReader(a.Password)
	out, err := hash.Output()
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Sprintf("%s:%s:%s:%s::%s:/bin/bash\n", a.Name, strings.TrimSpace(string(out)), a.UID, a.GID, a.Home)
}

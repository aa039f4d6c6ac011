//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// reaching matches a system call that would send something off this computer, or
// ask how: a socket of an internet family, or a packet socket.
var reaching = regexp.MustCompile(`(AF_INET6?|AF_PACKET|AF_NETLINK)`)

// TestOfflineNothingAsksForANetwork prepares, hands over and opens with the cable
// out: in a network namespace of its own that has no route, where not one system
// call even asks for a socket that could leave.
func TestOfflineNothingAsksForANetwork(t *testing.T) {
	d, dir := newDesk(t), t.TempDir()
	pw := d.file("pw", handed)
	key, ppk := filepath.Join(dir, "key"), filepath.Join(dir, "key.ppk")
	age, bundle := filepath.Join(dir, "age"), filepath.Join(dir, "all.jackfield")
	ask, answer := filepath.Join(dir, "ask"), filepath.Join(dir, "answer")
	url := d.file("url", "postgres://reporting:"+handed+"@db.example.com/sales")
	evil := d.file("evil", "[x]\ntype = webdav\nurl = http://169.254.169.254/latest/meta-data\nuser = a\n")
	for n, args := range [][]string{
		{"keys", "generate", "ed25519", "--out", key},
		{"keys", "convert", key, "--to", "ppk3", "--out", ppk},
		{"keys", "inspect", ppk},
		{"keys", "generate", "age", "--out", age},
		{"new", "sftp", "Partner", "--set", "host=files.example.com", "--set", "user=acme", "--secret", "password=@" + pw},
		{"new", "--from", url, "Orders"},
		{"new", "--from", evil, "Metadata"},
		{"ready", "--all"},
		{"rights", "Orders"},
		{"use", "Orders", "--as", "uri"},
		{"use", "Partner", "--as", "rclone"},
		{"export", "--all", "--to", "AGE", "--out", bundle},
		{"import", bundle, "--identity", age, "--yes"},
		{"request", "new", "postgres", "Sales", "--set", "host=db.example.com", "--set", "database=sales", "--out", ask},
		{"request", "answer", ask, "--set", "user=reporting", "--secret", "password=@" + pw, "--out", answer},
		{"request", "open", answer, "--yes"},
		{"list"},
	} {
		for i, a := range args {
			if a == "AGE" {
				args[i] = strings.TrimSpace(run1(t, "age-keygen", "-y", age))
			}
		}
		trace := filepath.Join(t.TempDir(), "trace")
		cmd := exec.Command("unshare", append([]string{"-n", "strace", "-f", "-qq", "-e", "trace=%network", "-o", trace, self(t)}, args...)...)
		cmd.Env = d.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%d: jf %q without a network: %v\n%s", n, args, err, out)
		}
		calls, err := os.ReadFile(trace)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(calls)) {
			if reaching.MatchString(line) {
				t.Errorf("jf %q asks for a network: %s", args, line)
			}
		}
	}
}

// TestOfflineIsSeen is the proof that the trace would show it.
func TestOfflineIsSeen(t *testing.T) {
	d, trace := newDesk(t), filepath.Join(t.TempDir(), "trace")
	d.jf("new", "sftp", "Partner", "--set", "host=127.0.0.1", "--set", "user=acme", "--secret", "password=@"+d.file("pw", handed)).exits(exitFine)
	cmd := exec.Command("unshare", "-n", "strace", "-f", "-qq", "-e", "trace=%network", "-o", trace, self(t), "check", "Partner")
	cmd.Env = d.env
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Fatalf("linked without a network: %s", out)
	}
	calls, err := os.ReadFile(trace)
	if err != nil || !reaching.Match(calls) {
		t.Errorf("a check asks for a network, and the trace does not show it: %v %s", err, calls)
	}
}

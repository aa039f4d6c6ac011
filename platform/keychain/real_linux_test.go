package keychain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const insideVar = "JACKFIELD_TEST_INSIDE_SESSION"

// TestMain is also the program that runs inside a private session bus.
func TestMain(m *testing.M) {
	switch os.Getenv(insideVar) {
	case "":
		os.Exit(m.Run())
	case "system":
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		key, err := NewSystem(errNoKey).Key(ctx, os.Getenv("JACKFIELD_TEST_CREATE") == "1")
		fmt.Printf("\nkey=%x err=%v\n", key, err)
		os.Exit(0)
	}
}

// session runs this program twice inside one D-Bus session with an unlocked
// gnome-keyring: what the first stores, the second reads.
func session(t *testing.T, script string) string {
	t.Helper()
	for program, debian := range map[string]string{"dbus-run-session": "dbus", "gnome-keyring-daemon": "gnome-keyring"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("JACKFIELD_NO_SERVERS") != "" {
				t.Skipf("%s is not installed", program)
			}
			t.Fatalf("%s is needed: apt-get install %s", program, debian)
		}
	}
	home := t.TempDir()
	runtime := filepath.Join(home, "run")
	if err := os.Mkdir(runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-run-session", "--", "sh", "-c", script)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=" + filepath.Join(home, "data"), "XDG_RUNTIME_DIR=" + runtime, "SELF=" + os.Args[0], insideVar + "=system"}
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "key=") {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func TestRealGnomeKeyring(t *testing.T) {
	out := session(t, `printf %s practice | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>&1
"$SELF" -test.run='^$'
JACKFIELD_TEST_CREATE=1 "$SELF" -test.run='^$'
"$SELF" -test.run='^$'`)
	var lines []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "key=") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if len(lines) != 3 || !strings.Contains(lines[0], "err="+errNoKey.Error()) || len(lines[1]) < 64 || lines[1] != lines[2] {
		t.Errorf("got %q of:\n%s", lines, out)
	}
}

func TestSecurity36_NoBusNoLaunch(t *testing.T) {
	dir := t.TempDir()
	trap := filepath.Join(dir, "dbus-launch")
	if err := os.WriteFile(trap, []byte("#!/bin/sh\ntouch "+dir+"/launched\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "DISPLAY=:0", insideVar + "=system", "JACKFIELD_TEST_CREATE=1"}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "no keychain can be reached") {
		t.Errorf("%v %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "launched")); err == nil {
		t.Error("dbus-launch was started")
	}
}

func TestSecurity36_WhereTheBusIsLookedFor(t *testing.T) {
	dir := t.TempDir()
	for address, ok := range map[string]bool{"": false, "autolaunch:": false, "autolaunch:scope=*install-path": false, "unix:path=/run/x": true} {
		if err := busAt(address, dir); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := busAt("", dir); err != nil {
		t.Error(err)
	}
}

// Signals that look like the answer to a prompt fly about while a key is made.
func TestSecurity32_StraySignalsOnTheRealBus(t *testing.T) {
	out := session(t, `printf %s practice | gnome-keyring-daemon --unlock --components=secrets --daemonize >/dev/null 2>&1
(while :; do dbus-send --session --type=signal /org/freedesktop/secrets/prompt/p1 org.freedesktop.Secret.Prompt.Completed boolean:true variant:string:x || exit; done) &
noise=$!
sleep 0.3
JACKFIELD_TEST_CREATE=1 "$SELF" -test.run='^$'
kill $noise
"$SELF" -test.run='^$'`)
	var keys []string
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, "key=") {
			keys = append(keys, strings.TrimSpace(line))
		}
	}
	if len(keys) != 2 || len(keys[0]) < 64 || keys[0] != keys[1] {
		t.Errorf("got %q of:\n%s", keys, out)
	}
}

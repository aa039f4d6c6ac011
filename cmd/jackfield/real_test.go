//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jackfield/connectors/conntest/server"
)

// desk is a screen with a window manager, and the program's own place.
type desk struct {
	t              *testing.T
	display, dir   string
	program, store string
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, dir: t.TempDir()}
	d.program, d.store = filepath.Join(d.dir, "jackfield"), filepath.Join(d.dir, "store")
	server.Run(t, "go", "build", "-tags", "migrated_fynedo", "-buildvcs=false", "-o", d.program, ".")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := exec.Command(server.Program(t, "Xvfb", "xvfb"), "-displayfd", "3", "-screen", "0", "1600x1000x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{write}
	d.start(x)
	_ = write.Close()
	number := make([]byte, 16)
	n, err := read.Read(number)
	if err != nil {
		t.Fatal(err)
	}
	d.display = ":" + strings.TrimSpace(string(number[:n]))
	manager := exec.Command(server.Program(t, "openbox", "openbox"))
	manager.Env = d.env()
	d.start(manager)
	return d
}

// start runs something until the test ends.
func (d *desk) start(cmd *exec.Cmd) {
	d.t.Helper()
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

func (d *desk) env() []string {
	for _, sub := range []string{"tmp", "home"} {
		_ = os.MkdirAll(filepath.Join(d.dir, sub), 0o700)
	}
	home := filepath.Join(d.dir, "home")
	return append(os.Environ(), "DISPLAY="+d.display, "WAYLAND_DISPLAY=", "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_RUNTIME_DIR=", "DBUS_SESSION_BUS_ADDRESS=", "TMPDIR="+filepath.Join(d.dir, "tmp"),
		"FYNE_THEME=light", "JACKFIELD_HOME="+d.store, "JACKFIELD_KEYCHAIN=passphrase", "JACKFIELD_PASSPHRASE_FILE="+filepath.Join(d.dir, "phrase"))
}

func (d *desk) command(args ...string) *exec.Cmd {
	cmd := exec.Command(d.program, args...)
	cmd.Env = d.env()
	return cmd
}

// until waits for something on the screen or on the disk.
func (d *desk) until(what string, ok func() bool) {
	d.t.Helper()
	for end := time.Now().Add(40 * time.Second); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			d.shot("failed")
			d.t.Fatalf("waited for %s", what)
		}
	}
}

func (d *desk) xdo(args ...string) (string, error) {
	cmd := exec.Command(server.Program(d.t, "xdotool", "xdotool"), args...)
	cmd.Env = d.env()
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// window is the program's window once it is on the screen.
func (d *desk) window() string {
	d.t.Helper()
	id := ""
	d.until("the window", func() bool {
		out, err := d.xdo("search", "--onlyvisible", "--name", "^Jackfield$")
		id, _, _ = strings.Cut(out, "\n")
		return err == nil && id != ""
	})
	return id
}

// picture is what the screen shows, as rows of RGB.
func (d *desk) picture() []byte {
	cmd := exec.Command(server.Program(d.t, "import", "imagemagick"), "-window", "root", "-depth", "8", "rgb:-")
	cmd.Env = d.env()
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// shot keeps a picture where JACKFIELD_SHOTS says so.
func (d *desk) shot(name string) {
	if dir := os.Getenv("JACKFIELD_SHOTS"); dir != "" {
		cmd := exec.Command(server.Program(d.t, "import", "imagemagick"), "-window", "root", filepath.Join(dir, "real-"+name+".png"))
		cmd.Env = d.env()
		_ = cmd.Run()
	}
}

// welcomed reports whether the welcome's cards are on the screen, by the blue
// ground of their icons.
func (d *desk) welcomed() bool { return bytes.Count(d.picture(), []byte{0xe8, 0xee, 0xfc}) > 800 }

// still is the screen once two pictures in a row are the same, and unlike before.
func (d *desk) still(what string, before []byte) []byte {
	d.t.Helper()
	last := d.picture()
	d.until(what, func() bool {
		now := d.picture()
		same := bytes.Equal(now, last)
		last = now
		return same && !bytes.Equal(now, before)
	})
	return last
}

// over waits for the end of the program and returns its code.
func (d *desk) over(cmd *exec.Cmd) int {
	d.t.Helper()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		return 0
	case <-time.After(30 * time.Second):
		_ = cmd.Process.Kill()
		d.t.Fatal("the program does not end")
		return -1
	}
}

type leftPrefs struct {
	Width, Height float32
}

func TestTheRealWindow(t *testing.T) {
	d := newDesk(t)
	server.WriteFile(t, d.dir, "phrase", "practice-only-phrase\n", 0o600)
	empty := d.picture()
	first := d.command()
	var said bytes.Buffer
	first.Stderr = &said
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = first.Process.Kill() }()
	id := d.window()
	d.until("the welcome, with its focus", d.welcomed)
	welcome := d.still("the welcome", empty)
	d.shot("welcome")

	keys := func(list ...string) {
		t.Helper()
		if _, err := d.xdo(append([]string{"key", "--clearmodifiers", "--delay", "60"}, list...)...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.xdo("windowactivate", "--sync", id); err != nil {
		t.Fatal(err)
	}
	keys("ctrl+k")
	palette := d.still("the palette", welcome)
	if _, err := d.xdo("type", "--delay", "60", "settings"); err != nil {
		t.Fatal(err)
	}
	d.still("what the palette finds", palette)
	d.shot("palette")
	keys("Return")
	settings := d.still("the settings", palette)
	d.shot("settings")

	second := d.command("jackfield:new/sftp?host=files.example.com&user=mira")
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	if code := d.over(second); code != 0 {
		t.Errorf("a second start ends with %d", code)
	}
	d.still("the form that the link fills", settings)
	d.shot("link")

	if _, err := d.xdo("windowsize", "--sync", id, "1180", "760"); err != nil {
		t.Fatal(err)
	}
	d.until("the new size", func() bool { return strings.Contains(d.geometry(id), "1180x760") })
	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	code := d.over(first)
	t.Logf("SIGTERM: code %d, %q", code, said.String())
	d.nothingLeft()
}

func (d *desk) geometry(id string) string {
	out, _ := d.xdo("getwindowgeometry", id)
	return out
}

func TestTheRealWindowIsAsItWasLeft(t *testing.T) {
	d := newDesk(t)
	server.WriteFile(t, d.dir, "phrase", "practice-only-phrase\n", 0o600)
	for n := range 2 {
		cmd := d.command()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill() }()
		id := d.window()
		d.until("the welcome", d.welcomed)
		if n == 0 {
			if _, err := d.xdo("windowsize", "--sync", id, "1180", "760"); err != nil {
				t.Fatal(err)
			}
		}
		d.until("the size", func() bool { return strings.Contains(d.geometry(id), "1180x760") })
		if _, err := d.xdo("windowactivate", "--sync", id); err != nil {
			t.Fatal(err)
		}
		if _, err := d.xdo("key", "--clearmodifiers", "alt+F4"); err != nil { // the window manager's own close
			t.Fatal(err)
		}
		if code := d.over(cmd); code != 0 {
			t.Errorf("closed, it ends with %d", code)
		}
		var left leftPrefs
		data, err := os.ReadFile(filepath.Join(d.store, "window.json"))
		if err == nil {
			err = json.Unmarshal(data, &left)
		}
		if err != nil || left.Width < 1100 || left.Width > 1200 {
			t.Errorf("%s, %v", data, err)
		}
	}
	d.nothingLeft()
}

// nothingLeft looks for processes of the program and for what it put into the
// folder for temporary files.
func (d *desk) nothingLeft() {
	d.t.Helper()
	out, _ := exec.Command("pgrep", "-f", d.program).Output()
	if len(out) > 0 {
		d.t.Errorf("processes are left: %s", out)
	}
	list, err := os.ReadDir(filepath.Join(d.dir, "tmp"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, x := range list {
		d.t.Errorf("%s is left behind", fmt.Sprint(x.Name()))
	}
}

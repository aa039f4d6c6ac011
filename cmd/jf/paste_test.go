//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jackfield/connectors/practice"
)

// A tty is a terminal with jf in front of it.
type tty struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	read   chan struct{} // closed when the terminal says nothing more
	mu     sync.Mutex
	seen   bytes.Buffer
}

// onTerminal starts jf on a terminal of its own (pts(4)).
func onTerminal(t *testing.T, d *desk, args ...string) *tty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	y := &tty{t: t, master: master, cmd: d.command(args...), read: make(chan struct{})}
	y.cmd.Stdin, y.cmd.Stdout, y.cmd.Stderr = slave, slave, slave
	if err := y.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = slave.Close()
	go func() {
		defer close(y.read)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			y.mu.Lock()
			y.seen.Write(buf[:n])
			y.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = y.cmd.Process.Kill(); _ = master.Close() })
	return y
}

func (y *tty) text() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.seen.String()
}

// until waits for the nth time that something is said.
func (y *tty) until(what string, times int) {
	y.t.Helper()
	for end := time.Now().Add(30 * time.Second); strings.Count(y.text(), what) < times; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			y.t.Fatalf("waited for %q: %s", what, y.text())
		}
	}
}

func (y *tty) types(text string) {
	y.t.Helper()
	if _, err := y.master.WriteString(text); err != nil {
		y.t.Fatal(err)
	}
}

func (y *tty) ends() int {
	_ = y.cmd.Wait()
	<-y.read // what was said last may still be on its way
	return y.cmd.ProcessState.ExitCode()
}

// elsewhere signs in as a browser on another machine does: it never reaches the
// address that it is sent to in the end, which is what it returns.
func elsewhere(t *testing.T, s map[string]practice.Connection, page string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body)
	_ = res.Body.Close()
	m := regexp.MustCompile(`name="request" value="([A-Za-z0-9]+)"`).FindSubmatch(body.Bytes())
	if m == nil {
		t.Fatalf("no sign-in page: %s", body.String())
	}
	at, _ := url.Parse(page)
	form := url.Values{"request": {string(m[1])}, "user": {s["sftp"].Settings.Plain["user"]}, "password": {s["ldap"].Settings.Secrets["password"].Reveal()}, "decision": {"approve"}}
	res, err = client.PostForm("http://"+at.Host+"/sign-in", form)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.Header.Get("Location") == "" {
		t.Fatalf("%s and no way back", res.Status)
	}
	return res.Header.Get("Location")
}

var linkShape = regexp.MustCompile(`http://\S+redirect_uri=\S+`)

func TestTheAddressOfABrowserElsewhereIsPasted(t *testing.T) {
	d, s := newDesk(t), services(t)
	d.env = append(d.env, "BROWSER=/bin/false")
	d.save("One", "oauth", s["oauth"].Settings)
	y := onTerminal(t, d, "link", "One", "--paste")
	y.until("browser ended: ", 1)
	back := elsewhere(t, s, linkShape.FindString(y.text()))
	y.types("http://127.0.0.1/not-this?code=x\r")
	y.until("browser ended: ", 2)
	y.types("xx\x7f\x7f" + back + "\r")
	if code := y.ends(); code != exitFine {
		t.Fatalf("it ended with %d: %s", code, y.text())
	}
	if !strings.Contains(y.text(), "That was not where this sign-in ends") || !strings.Contains(y.text(), "One: linked") {
		t.Error(y.text())
	}
}

// A terminal's own lines end at 4095 characters.
func TestALongAddressArrivesWhole(t *testing.T) {
	d, s := newDesk(t), services(t)
	d.save("One", "oauth", s["oauth"].Settings)
	y := onTerminal(t, d, "link", "One", "--paste")
	y.until("browser ended: ", 1)
	back := elsewhere(t, s, linkShape.FindString(y.text()))
	y.types(back + "&session_state=" + strings.Repeat("a", 6000) + "\r")
	if code := y.ends(); code != exitFine {
		t.Fatalf("it ended with %d: %.3000s", code, y.text())
	}
}

func TestPastingIsStoppedByCtrlC(t *testing.T) {
	d, s := newDesk(t), services(t)
	d.save("One", "oauth", s["oauth"].Settings)
	y := onTerminal(t, d, "link", "One", "--paste")
	y.until("browser ended: ", 1)
	y.types("http\x03")
	if code := y.ends(); code != exitInterrupted {
		t.Errorf("it ended with %d: %s", code, y.text())
	}
}

func TestWithoutATerminalNobodyPastes(t *testing.T) {
	d, s := newDesk(t), services(t)
	d.save("One", "oauth", s["oauth"].Settings)
	d.jf("link", "One", "--paste").exits(exitNobody)
}

func TestRawLineKeepsWhatAddressesAreMadeOf(t *testing.T) {
	for _, c := range []struct{ keys, want, echo string }{
		{"https://a/?b=c\r", "https://a/?b=c", "https://a/?b=c"},
		{"a b\tc\x1bö\n", "abc", "abc"},
		{"ab\x7fc\x08\x08\x08\x08d\r", "d", "ab\b \bc\b \b\b \bd"},
	} {
		var echo bytes.Buffer
		got, err := rawLine(strings.NewReader(c.keys), &echo)
		if err != nil || got != c.want || echo.String() != c.echo {
			t.Errorf("%q: %q, %q, %v", c.keys, got, echo.String(), err)
		}
	}
	if _, err := rawLine(strings.NewReader("abc"), &bytes.Buffer{}); err == nil {
		t.Error("a line without an end was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (&pasting{a: &app{streams: streams{in: strings.NewReader("")}}}).ask(ctx); err == nil {
		t.Error("nobody was asked, and answered")
	}
}

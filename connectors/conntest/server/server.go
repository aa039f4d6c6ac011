// Package server starts real servers for tests: on free loopback ports, with
// private folders, stopped when the test ends.
package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// SkipVar is the environment variable that skips tests which need a program
// that is not installed. CI never sets it.
const SkipVar = "JACKFIELD_NO_SERVERS"

// Program returns the path of a needed program. Where it is missing the test
// fails and names the Debian package.
func Program(tb testing.TB, name, debian string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin/", "/usr/local/sbin/", "/usr/lib/postgresql/15/bin/"} {
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name
		}
	}
	if os.Getenv(SkipVar) != "" {
		tb.Skipf("%s is not installed and %s is set", name, SkipVar)
	}
	tb.Fatalf("%s is needed: apt-get install %s (or set %s=1 to skip)", name, debian, SkipVar)
	return ""
}

// FreePort returns a TCP port that is free on every address, and lent to nobody
// else by FreePort until the test ends. It is none of those that the system gives
// to whoever asks for any, and so to a connection: those begin at 32768 at the lowest.
func FreePort(tb testing.TB) int {
	tb.Helper()
	for range 200 {
		port := 15000 + rand.IntN(17000)
		lent, err := reserve(port)
		if err != nil {
			continue
		}
		// Without SO_REUSEADDR, as some servers (mosquitto's WebSockets) bind it: what
		// another test's connections have left in TIME_WAIT is not free for them.
		l, err := (&net.ListenConfig{Control: strict}).Listen(tb.Context(), "tcp", ":"+strconv.Itoa(port))
		if err == nil {
			_ = l.Close()
			tb.Cleanup(lent)
			return port
		}
		lent()
	}
	tb.Fatal("no free port")
	return 0
}

// A Process is a started server.
type Process struct {
	Cmd  *exec.Cmd
	out  *output
	done chan struct{}
}

// Start runs cmd in the foreground and waits until addr answers. The process
// is stopped when the test ends; its output is shown when it does not come up.
func Start(tb testing.TB, cmd *exec.Cmd, addr string) *Process {
	tb.Helper()
	p := &Process{Cmd: cmd, out: &output{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.out
	if err := cmd.Start(); err != nil {
		tb.Fatalf("%s: %v", cmd.Path, err)
	}
	go func() { _ = cmd.Wait(); close(p.done) }()
	tb.Cleanup(p.Stop)
	if err := p.await(addr); err != nil {
		tb.Fatalf("%s: %v\n%s", cmd.Path, err, p.Output())
	}
	return p
}

func (p *Process) await(addr string) error {
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		select {
		case <-p.done:
			return fmt.Errorf("ended before it listened on %s", addr)
		default:
		}
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("does not listen on %s after a minute", addr)
}

// Stop interrupts the process, and kills it when it does not go.
func (p *Process) Stop() {
	_ = p.Cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.done:
		return
	case <-time.After(5 * time.Second):
	}
	_ = p.Cmd.Process.Kill()
	<-p.done
}

// Output is what the process has printed so far.
func (p *Process) Output() string { return p.out.String() }

type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > 1<<20 {
		return len(b), nil
	}
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// Run runs a command to its end and returns its output; it fails the test when
// the command does.
func Run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

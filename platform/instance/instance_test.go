package instance_test

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"jackfield/platform/instance"
)

// TestMain lets the test be a second program: it claims the folder and says what
// came of it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("INSTANCE_DIR"); dir != "" {
		c, err := instance.Claim(context.Background(), dir, os.Args[1:])
		switch {
		case err != nil:
			println("error", err.Error())
		case c == nil:
			println("handed over")
		default:
			println("first")
			if os.Getenv("INSTANCE_HOLD") != "" {
				time.Sleep(time.Hour)
			}
			c.Close()
		}
		return
	}
	os.Exit(m.Run())
}

func program(dir string, args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "INSTANCE_DIR="+dir)
	return c
}

func TestASecondCopyHandsOverWhatItWasStartedWith(t *testing.T) {
	dir := t.TempDir()
	c, err := instance.Claim(t.Context(), dir, nil)
	if err != nil || c == nil {
		t.Fatal(c, err)
	}
	got := make(chan []string, 8)
	var serving sync.WaitGroup
	serving.Go(func() { c.Serve(func(a []string) { got <- a }) })
	out, err := program(dir, "/tmp/Sales & Café.jackfield", "jackfield:new/sftp").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "handed over" {
		t.Fatalf("%s %v", out, err)
	}
	if a := <-got; strings.Join(a, "|") != "/tmp/Sales & Café.jackfield|jackfield:new/sftp" {
		t.Errorf("%q", a)
	}
	c.Close()
	serving.Wait()
	out, err = program(dir).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "first" {
		t.Errorf("after the first ended: %s %v", out, err)
	}
}

func TestACopyThatWasKilledIsSucceeded(t *testing.T) {
	dir := t.TempDir()
	p := program(dir)
	p.Env = append(p.Env, "INSTANCE_HOLD=1")
	var said strings.Builder
	p.Stderr = &said
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := net.Dial("unix", filepath.Join(dir, "window.sock"))
		if err == nil {
			_ = c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = p.Process.Kill()
	_ = p.Wait()
	c, err := instance.Claim(t.Context(), dir, nil)
	if err != nil || c == nil {
		t.Fatal(c, err)
	}
	c.Close()
}

// A thing that listens and never answers swallows nothing: the person is told.
func TestACopyThatHangsIsAnError(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "window.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if c, err := instance.Claim(t.Context(), dir, []string{"x"}); err == nil {
		t.Errorf("%v", c)
	}
}

func TestOfManyThatStartAtOnceOneIsFirst(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	var mu sync.Mutex
	var copies []*instance.Copy
	given := 0
	for range 8 {
		all.Go(func() {
			c, err := instance.Claim(t.Context(), dir, []string{"x"})
			if err != nil {
				t.Error(err)
				return
			}
			if c == nil {
				return
			}
			mu.Lock()
			copies = append(copies, c)
			mu.Unlock()
			go c.Serve(func([]string) {
				mu.Lock()
				given++
				mu.Unlock()
			})
		})
	}
	all.Wait()
	for taken := 0; taken < 7; time.Sleep(time.Millisecond) {
		mu.Lock()
		taken = given
		mu.Unlock()
	}
	if len(copies) != 1 {
		t.Errorf("%d are first", len(copies))
	}
	for _, c := range copies {
		c.Close()
	}
}

func TestWhatIsHandedOverIsBounded(t *testing.T) {
	dir := t.TempDir()
	c, err := instance.Claim(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go c.Serve(func(a []string) { t.Errorf("%d arguments were taken", len(a)) })
	if _, err := instance.Claim(t.Context(), dir, []string{strings.Repeat("x", 100_000)}); err == nil {
		t.Error("too long, and taken")
	}
	if _, err := instance.Claim(t.Context(), dir, make([]string, 100)); err == nil {
		t.Error("too many, and taken")
	}
	if info, err := os.Stat(filepath.Join(dir, "window.sock")); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if _, err := instance.Claim(t.Context(), filepath.Join(dir, strings.Repeat("long", 40)), nil); err == nil {
		t.Error("a path that no socket can have")
	}
}

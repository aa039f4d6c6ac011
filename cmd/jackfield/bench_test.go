//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"jackfield/connectors/conntest/server"
)

// BenchmarkWindow starts the program on a virtual screen and measures the time
// until its first frame is on the screen, its memory once it is idle, and what
// it computes while it is; as ratios of a window of the same toolkit with
// nothing but a label in it.
func BenchmarkWindow(b *testing.B) {
	dir := b.TempDir()
	for name, pkg := range map[string]string{"jackfield": ".", "bare": "./testdata/bare"} {
		server.Run(b, "go", "build", "-tags", "migrated_fynedo,no_animations", "-buildvcs=false", "-o", filepath.Join(dir, name), pkg)
	}
	s := newScreen(b)
	s.open(b, dir, "jackfield") // what the disk has to read once is in memory after this
	var ours, theirs look
	for b.Loop() {
		theirs = s.open(b, dir, "bare")
		ours = s.open(b, dir, "jackfield")
	}
	b.ReportMetric(float64(ours.first)/float64(theirs.first), "first-frame/bare-window")
	b.ReportMetric(float64(ours.resident)/float64(theirs.resident), "idle-memory/bare-window")
	b.ReportMetric(float64(ours.first.Milliseconds()), "ms")
	b.ReportMetric(float64(ours.resident)/(1<<20), "MiB")
	b.ReportMetric(ours.busy*100, "idle-cpu-percent")
}

type look struct {
	first    time.Duration
	resident int64   // bytes
	busy     float64 // of one processor
}

// screen is an X server whose picture lies in a file.
type screen struct{ display, picture, home string }

func newScreen(b *testing.B) *screen {
	dir := b.TempDir()
	read, write, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(server.Program(b, "Xvfb", "xvfb"), "-displayfd", "3", "-screen", "0", "1600x1000x24", "-fbdir", dir, "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{write}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	_ = write.Close()
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	number := make([]byte, 16)
	n, err := read.Read(number)
	if err != nil {
		b.Fatal(err)
	}
	return &screen{":" + strings.TrimSpace(string(number[:n])), filepath.Join(dir, "Xvfb_screen0"), b.TempDir()}
}

// painted reports whether more than a few pixels in the middle of the screen differ from black.
func (s *screen) painted(b *testing.B) bool {
	f, err := os.Open(s.picture)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	row := make([]byte, 1600*4)
	if _, err := f.ReadAt(row, 4096+400*1600*4); err != nil {
		b.Fatal(err)
	}
	return len(row)-bytes.Count(row, []byte{0}) > 1600
}

func (s *screen) open(b *testing.B, dir, name string) look {
	for end := time.Now().Add(10 * time.Second); s.painted(b); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal("the window before stays on the screen")
		}
	}
	cmd := exec.Command(filepath.Join(dir, name))
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display, "FYNE_THEME=light", "JACKFIELD_HOME="+filepath.Join(s.home, "store"), "XDG_CONFIG_HOME="+s.home, "WAYLAND_DISPLAY=")
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for !s.painted(b) {
		if time.Since(start) > time.Minute {
			b.Fatal("no window")
		}
		time.Sleep(2 * time.Millisecond)
	}
	l := look{first: time.Since(start)}
	time.Sleep(3 * time.Second)
	before := ticks(b, cmd.Process.Pid)
	time.Sleep(3 * time.Second)
	l.busy = float64(ticks(b, cmd.Process.Pid)-before) / 100 / 3 // USER_HZ is 100, see proc_pid_stat(5)
	l.resident = resident(b, cmd.Process.Pid)
	return l
}

func ticks(b *testing.B, pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	f := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return user + system
}

func resident(b *testing.B, pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(data))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

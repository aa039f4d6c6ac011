package conntest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"jackfield/connectors"
)

// childVar marks the process that Main turns into a listing.
const childVar = "JACKFIELD_BENCH_CHILD"

// A Job is what a process of its own lists or watches, for a comparison with a
// native client: it connects, signs in, and prints a line for every node or
// message. It travels over the process's standard input, secrets included.
type Job struct {
	Type    string
	Plain   map[string]string
	Secrets map[string]string
	Node    string
	Most    int  // stop after so many
	Watch   bool // messages below Node instead of its children
}

// NewJob is a Job for settings.
func NewJob(t connectors.Type, s connectors.Settings, node connectors.NodeID, most int) Job {
	j := Job{Type: t.ID, Plain: s.Plain, Secrets: map[string]string{}, Node: string(node), Most: most}
	for k, v := range s.Secrets {
		j.Secrets[k] = v.Reveal()
	}
	return j
}

// Command is the process for a job: this test binary, whose TestMain calls Main.
func (j Job) Command(tb testing.TB) *exec.Cmd {
	tb.Helper()
	data, err := json.Marshal(j)
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"=1")
	cmd.Stdin = bytes.NewReader(data)
	cmd.Stderr = os.Stderr
	return cmd
}

// Main runs the tests, or the job of a comparison; for use as TestMain.
func Main(m *testing.M, types ...connectors.Type) {
	if os.Getenv(childVar) == "" {
		os.Exit(m.Run())
	}
	if err := work(types); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func work(types []connectors.Type) error {
	var j Job
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return err
	}
	t, ok := connectors.Find(types, j.Type)
	if !ok {
		return fmt.Errorf("no type %s", j.Type)
	}
	s := connectors.NewSettings()
	for k, v := range j.Plain {
		s.Plain[k] = v
	}
	for k, v := range j.Secrets {
		s.Secrets[k] = connectors.NewSecret(v)
	}
	ctx := context.Background()
	session, err := t.Open(ctx, newWorld().Env, s)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	out := bufio.NewWriter(os.Stdout)
	n := 0
	line := func(text string) bool {
		n++
		_, _ = fmt.Fprintln(out, text)
		if n%100 == 0 {
			_ = out.Flush()
		}
		return n < j.Most
	}
	if j.Watch {
		for e, err := range session.(connectors.Streamer).Watch(ctx, connectors.NodeID(j.Node)) {
			if err != nil {
				return err
			}
			n += int(e.Dropped)
			if !line(string(e.Body)) {
				break
			}
		}
		return out.Flush()
	}
	for node, err := range session.(connectors.Browser).Children(ctx, connectors.NodeID(j.Node)) {
		if err != nil {
			return err
		}
		if !line(node.Name) {
			break
		}
	}
	return out.Flush()
}

// Usage is what one process took, until its end.
type Usage struct {
	First, Total, CPU time.Duration // until the first 100 lines; until the last
	Peak              int64         // bytes of memory; 0 where the system does not tell
}

// Add sums the times of another run; of the peaks the higher one counts.
func (u *Usage) Add(v Usage) {
	u.First, u.Total, u.CPU, u.Peak = u.First+v.First, u.Total+v.Total, u.CPU+v.CPU, max(u.Peak, v.Peak)
}

// Measure runs a command that prints at least least lines which counts says yes to.
func Measure(tb testing.TB, cmd *exec.Cmd, least int, counts func(line []byte) bool) Usage {
	tb.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	var u Usage
	start := time.Now()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	peak := watchPeak(cmd.Process.Pid)
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if counts != nil && !counts(lines.Bytes()) {
			continue
		}
		if n++; n == 100 {
			u.First = time.Since(start)
		}
	}
	u.Total = time.Since(start)
	u.Peak = peak()
	if err := cmd.Wait(); err != nil || n < least {
		tb.Fatalf("%s: %d lines, %v", cmd.Path, n, err)
	}
	u.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return u
}

// Race runs a native client and the job in turns, and reports ours as ratios of
// the client's: below 1 is better. "flat" is our peak memory for all nodes as a
// ratio of that for a tenth of them.
func Race(b *testing.B, name string, native func() *exec.Cmd, counts func([]byte) bool, j Job) {
	b.Helper()
	Measure(b, native(), j.Most, counts) // fills the server's caches for both
	var theirs, ours Usage
	for b.Loop() {
		theirs.Add(Measure(b, native(), j.Most, counts))
		ours.Add(Measure(b, j.Command(b), j.Most, nil))
	}
	tenth := j
	tenth.Most /= 10
	small := Measure(b, tenth.Command(b), tenth.Most, nil)
	Report(b, name, ours, theirs)
	if small.Peak > 0 {
		b.ReportMetric(float64(ours.Peak)/float64(small.Peak), "flat")
	}
}

// Report writes ours as ratios of theirs.
func Report(b *testing.B, name string, ours, theirs Usage) {
	b.ReportMetric(float64(ours.Total)/float64(theirs.Total), "total/"+name)
	if theirs.First > 0 {
		b.ReportMetric(float64(ours.First)/float64(theirs.First), "first100/"+name)
	}
	b.ReportMetric(float64(ours.CPU)/float64(theirs.CPU), "cpu/"+name)
	b.ReportMetric(float64(ours.Total.Milliseconds())/float64(b.N), "ms")
	if theirs.Peak > 0 {
		b.ReportMetric(float64(ours.Peak)/float64(theirs.Peak), "peak/"+name)
		b.ReportMetric(float64(ours.Peak)/(1<<20), "MiB")
	}
}

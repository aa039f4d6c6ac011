package gui

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
	"jackfield/platform/keychain"
	"jackfield/platform/vault"
)

// slowFrame is what a person feels: three frames of a screen.
const slowFrame = 50 * time.Millisecond

// frames is a window whose own goroutine is timed: how long it is busy at once.
type frames struct {
	b     *testing.B
	a     *App
	mu    sync.Mutex
	queue []func()
	times []time.Duration
}

func newFrames(b *testing.B, kind connectors.Type) *frames {
	b.Helper()
	f := &frames{b: b}
	app := test.NewTempApp(b)
	app.Settings().SetTheme(looks.Fixed(theme.VariantLight))
	v, err := vault.Open(vault.Options{Dir: b.TempDir(), Keys: &keychain.Memory{}})
	if err != nil {
		b.Fatal(err)
	}
	book := link.NewBook(link.List([]connectors.Type{kind}), v, link.Outside{})
	f.a = New(Options{App: app, Book: book, Runner: task.NewWith(func(do func()) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.queue = append(f.queue, do)
	})})
	f.a.win.Resize(fyne.NewSize(1440, 900))
	f.a.Start()
	f.until(func() bool { return len(f.a.centre.Objects) > 0 })
	f.a.newConnection(kind)
	b.Cleanup(func() {
		f.a.quit()
		for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			f.pump()
		}
	})
	return f
}

// pump runs what was delivered, as one stretch of work.
func (f *frames) pump() {
	f.mu.Lock()
	now := f.queue
	f.queue = nil
	f.mu.Unlock()
	if len(now) == 0 {
		return
	}
	f.busy(func() {
		for _, do := range now {
			do()
		}
	})
}

func (f *frames) busy(do func()) {
	start := time.Now()
	do()
	f.times = append(f.times, time.Since(start))
}

func (f *frames) until(ok func() bool) {
	f.b.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		f.pump()
		if time.Now().After(end) {
			f.b.Fatal("it does not come to that")
		}
	}
}

func (f *frames) linked() {
	f.b.Helper()
	for key, text := range map[string]string{"host": "files.example.com", "password": "practice-only-frames"} {
		f.a.form.field(key).set(text)
		f.a.form.field(key).touched = true
	}
	f.a.form.changed()
	f.a.form.link()
	f.until(func() bool { return f.a.form.cancel == nil && f.a.form.c.State == link.OK })
}

// report tells the longest stretch and the 99th percentile, in milliseconds.
func (f *frames) report(what string) {
	slices.Sort(f.times)
	n := len(f.times)
	if n == 0 {
		f.b.Fatal("nothing was done")
	}
	longest, most := f.times[n-1], f.times[n*99/100]
	f.b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
	f.b.ReportMetric(float64(most.Microseconds())/1000, "p99-ms")
	if longest > slowFrame {
		f.b.Logf("%s: the window was busy for %v at once, more than %v", what, longest, slowFrame)
	}
}

func BenchmarkFramesTyping(b *testing.B) {
	s := &stub{}
	for b.Loop() {
		f := newFrames(b, s.typ())
		f.a.win.Canvas().Focus(f.a.form.field("host").entry)
		f.pump()
		f.times = nil
		for i := range 200 {
			f.busy(func() { f.a.win.Canvas().Focused().TypedRune('a' + rune(i%26)) })
			f.pump()
		}
		f.report("typing")
	}
}

func BenchmarkFramesScrolling(b *testing.B) {
	const many = 100_000
	s := &stub{children: func(ctx context.Context, _ connectors.NodeID) iter.Seq2[connectors.Node, error] {
		return func(yield func(connectors.Node, error) bool) {
			for i := range many {
				if ctx.Err() != nil || !yield(connectors.Node{ID: connectors.NodeID(fmt.Sprint(i)), Name: fmt.Sprintf("file-%06d", i), Kind: "file"}, nil) {
					return
				}
			}
		}
	}}
	for b.Loop() {
		f := newFrames(b, s.typ())
		f.linked()
		f.times = nil
		f.until(func() bool { p := f.a.preview; return p.nodes[""].state == "done" && len(p.nodes[""].children) == many })
		f.report("loading 100,000 rows")
		f.times = nil
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(f.a.preview.tree).AddXY(60, 200)
		for range 500 {
			f.busy(func() { test.Scroll(f.a.win.Canvas(), at, 0, -900) })
			f.pump()
		}
		f.report("scrolling 100,000 rows")
	}
}

// flood is a session that hears 10,000 messages a second on 200 topics.
type flood struct{ stubSession }

func (flood) Broadcasts() bool { return true }

func (flood) Watch(ctx context.Context, _ connectors.NodeID) iter.Seq2[connectors.Event, error] {
	return func(yield func(connectors.Event, error) bool) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				for range 100 {
					n++
					if !yield(connectors.Event{Path: []string{"plant", fmt.Sprintf("sensor-%03d", n%200)}, Body: fmt.Appendf(nil, `{"value":%d}`, n), Time: now}, nil) {
						return
					}
				}
			}
		}
	}
}

func BenchmarkFramesStream(b *testing.B) {
	kind := (&stub{}).typ()
	for b.Loop() {
		f := newFrames(b, kind)
		f.a.preview.open(&link.Result{State: link.OK, Session: flood{stubSession{&stub{}}}})
		f.times = nil
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
			f.pump()
		}
		b.ReportMetric(float64(f.a.preview.detail.live.total)/5, "messages/s")
		f.report("a stream of 10,000 messages a second")
	}
}

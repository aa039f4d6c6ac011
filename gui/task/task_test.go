package task

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// inline delivers at once, one at a time, as the toolkit's goroutine does.
func inline() *Runner {
	var mu sync.Mutex
	return NewWith(func(f func()) { mu.Lock(); defer mu.Unlock(); f() })
}

func TestRunDeliversOrStaysSilent(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := inline()
	got := make(chan error, 1)
	Run(r, func(context.Context) (int, error) { return 1, errors.New("no") }, func(_ int, err error) { got <- err })
	if err := <-got; err == nil {
		t.Error("the error is lost")
	}
	Run(r, func(context.Context) (int, error) { panic("boom") }, func(_ int, err error) { got <- err })
	if err := <-got; err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("a panic is %v", err)
	}
	started := make(chan struct{})
	cancel := Run(r, func(ctx context.Context) (int, error) { close(started); <-ctx.Done(); return 0, ctx.Err() }, func(int, error) { t.Error("delivered after a cancel") })
	<-started
	cancel()
	r.Wait()
}

func TestStreamComesInBatchesAndStops(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := inline()
	count := func(n int) func(context.Context) iter.Seq2[int, error] {
		return func(ctx context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := range n {
					if ctx.Err() != nil || !yield(i, nil) {
						return
					}
				}
			}
		}
	}
	seen, batches := 0, 0
	done := make(chan error, 1)
	Stream(r, count(100_000), func(b []int) { seen += len(b); batches++ }, func(err error) { done <- err })
	if err := <-done; err != nil || seen != 100_000 || batches < 1000 || batches > 5000 {
		t.Errorf("%d items in %d batches, %v", seen, batches, err)
	}
	var cancel func()
	var once sync.Once
	ready := make(chan struct{})
	after := 0
	cancel = Stream(r, count(1<<30), func(b []int) {
		after += len(b)
		once.Do(func() { close(ready) })
	}, func(error) { t.Error("done after a cancel") })
	<-ready
	cancel()
	r.Wait()
	if after >= 1<<30 {
		t.Error("it went on")
	}
}

func TestCoalescerMerges(t *testing.T) {
	r := inline()
	var mu sync.Mutex
	n := 0
	fired := make(chan struct{}, 100)
	c := NewCoalescer(r, func() { mu.Lock(); n++; mu.Unlock(); fired <- struct{}{} })
	for range 100_000 {
		c.Mark()
	}
	<-fired
	mu.Lock()
	defer mu.Unlock()
	if n > 1000 {
		t.Errorf("%d refreshes for 100,000 marks", n)
	}
}

func TestADebouncerDeliversOnceAfterThePause(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	done := make(chan struct{}, 10)
	d := NewDebouncer(inline(), 20*time.Millisecond, func() { done <- struct{}{} })
	for range 10 {
		d.Mark()
	}
	<-done
	d.Mark()
	d.Stop()
	time.Sleep(60 * time.Millisecond)
	if len(done) != 0 {
		t.Errorf("%d more", len(done))
	}
	d.Mark()
	<-done
}

// Package task is the only place in the window that starts goroutines and
// hands results back to the toolkit's own goroutine.
package task

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
)

// The limits under which results come back together.
const (
	batchSize = 100
	batchTime = 50 * time.Millisecond
	frame     = 50 * time.Millisecond // at most 20 refreshes a second
)

// A Runner starts work and delivers its results.
type Runner struct {
	deliver func(func())
	running sync.WaitGroup
}

// New delivers on the toolkit's goroutine.
func New() *Runner { return &Runner{deliver: fyne.Do} }

// NewWith delivers through deliver; tests pass a queue that they drain.
func NewWith(deliver func(func())) *Runner { return &Runner{deliver: deliver} }

// Wait returns when all work has ended, for tests and shutdown.
func (r *Runner) Wait() { r.running.Wait() }

// Do delivers one call, from any goroutine.
func (r *Runner) Do(f func()) { r.deliver(f) }

// Run works in the background and delivers the result, unless the returned
// cancel was called before: then nothing is delivered. A panic becomes an error.
func Run[T any](r *Runner, work func(ctx context.Context) (T, error), done func(T, error)) (cancel func()) {
	ctx, stop := context.WithCancel(context.Background())
	var cancelled atomic.Bool
	r.running.Go(func() {
		defer stop()
		v, err := safely(func() (T, error) { return work(ctx) })
		r.deliver(func() {
			if !cancelled.Load() {
				done(v, err)
			}
		})
	})
	return func() { cancelled.Store(true); stop() }
}

// Always is Run that delivers also after a cancel, with what the work made of it.
func Always[T any](r *Runner, work func(ctx context.Context) (T, error), done func(T, error)) (cancel func()) {
	ctx, stop := context.WithCancel(context.Background())
	r.running.Go(func() {
		defer stop()
		v, err := safely(func() (T, error) { return work(ctx) })
		r.deliver(func() { done(v, err) })
	})
	return stop
}

func safely[T any](f func() (T, error)) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("unexpected: %v", p)
		}
	}()
	return f()
}

// Stream delivers a sequence in batches of 100 items or 50 ms, each in one
// call, and waits until the window has taken one before it makes the next.
// done is delivered last, with the sequence's error.
func Stream[T any](r *Runner, seq func(ctx context.Context) iter.Seq2[T, error], batch func([]T), done func(error)) (cancel func()) {
	ctx, stop := context.WithCancel(context.Background())
	r.running.Go(func() {
		defer stop()
		var items []T
		last := time.Now()
		flush := func() {
			if len(items) == 0 || ctx.Err() != nil {
				return
			}
			full := items
			items = nil
			taken := make(chan struct{})
			r.deliver(func() {
				defer close(taken)
				if ctx.Err() == nil {
					batch(full)
				}
			})
			select {
			case <-taken:
			case <-ctx.Done():
			}
			last = time.Now()
		}
		_, err := safely(func() (struct{}, error) {
			for v, err := range seq(ctx) {
				if err != nil {
					return struct{}{}, err
				}
				items = append(items, v)
				if len(items) >= batchSize || time.Since(last) > batchTime {
					flush()
				}
				if ctx.Err() != nil {
					break
				}
			}
			return struct{}{}, nil
		})
		flush()
		if ctx.Err() == nil {
			r.deliver(func() { done(err) })
		}
	})
	return stop
}

// A Coalescer merges calls for a refresh: at most one is delivered per frame.
type Coalescer struct {
	r    *Runner
	do   func()
	mu   sync.Mutex
	wait bool
}

// NewCoalescer delivers do.
func NewCoalescer(r *Runner, do func()) *Coalescer { return &Coalescer{r: r, do: do} }

// Mark asks for a refresh, from any goroutine.
func (c *Coalescer) Mark() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wait {
		return
	}
	c.wait = true
	time.AfterFunc(frame, func() {
		c.r.deliver(func() {
			c.mu.Lock()
			c.wait = false
			c.mu.Unlock()
			c.do()
		})
	})
}

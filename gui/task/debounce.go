package task

import (
	"sync"
	"time"
)

// A Debouncer delivers one call once nothing has asked for it for a while.
type Debouncer struct {
	r     *Runner
	after time.Duration
	do    func()
	mu    sync.Mutex
	timer *time.Timer
}

// NewDebouncer delivers do when the last Mark is after ago.
func NewDebouncer(r *Runner, after time.Duration, do func()) *Debouncer {
	return &Debouncer{r: r, after: after, do: do}
}

// Mark asks for the call, from any goroutine.
func (d *Debouncer) Mark() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.timer = time.AfterFunc(d.after, func() { d.r.deliver(d.do) })
}

// Stop takes back what was asked for and not delivered yet.
func (d *Debouncer) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
}

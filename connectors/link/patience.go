package link

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"jackfield/connectors"
)

// patience ends a context when nothing has happened for a while. Every rung
// starts it anew, and it stands still while a person is being asked.
type patience struct {
	mu     sync.Mutex
	each   time.Duration
	timer  *time.Timer
	asking int
	over   bool
	cancel context.CancelCauseFunc
}

func newPatience(ctx context.Context, each time.Duration) (*patience, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &patience{each: each, cancel: cancel}
	p.timer = time.AfterFunc(each, func() { cancel(context.DeadlineExceeded) })
	return p, ctx
}

func (p *patience) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over && p.asking == 0 {
		p.timer.Reset(p.each)
	}
}

// pause stands still until the returned func is called.
func (p *patience) pause() func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asking++
	p.timer.Stop()
	return sync.OnceFunc(func() {
		p.mu.Lock()
		p.asking--
		p.mu.Unlock()
		p.reset()
	})
}

func (p *patience) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	p.timer.Stop()
	p.cancel(context.Canceled)
}

func (p *patience) asker(a connectors.Asker) connectors.Asker {
	out := a
	if a.OpenURL != nil {
		out.OpenURL = func(ctx context.Context, u string) error {
			defer p.pause()()
			return a.OpenURL(ctx, u)
		}
	}
	if a.ShowCode != nil {
		out.ShowCode = func(ctx context.Context, c connectors.DeviceCode) error {
			defer p.pause()()
			return a.ShowCode(ctx, c)
		}
	}
	if a.Input != nil {
		out.Input = func(ctx context.Context, q connectors.Prompt) (connectors.Secret, error) {
			defer p.pause()()
			return a.Input(ctx, q)
		}
	}
	if a.Pasted != nil {
		out.Pasted = func(ctx context.Context) (string, error) {
			defer p.pause()()
			return a.Pasted(ctx)
		}
	}
	if a.Trust != nil {
		out.Trust = func(ctx context.Context, r connectors.TrustRequest) (bool, error) {
			defer p.pause()()
			return a.Trust(ctx, r)
		}
	}
	return out
}

// waiting is a Callback whose Wait is a person's time.
type waiting struct {
	connectors.Callback
	p *patience
}

func (w waiting) Wait(ctx context.Context) (url.Values, error) {
	defer w.p.pause()()
	return w.Callback.Wait(ctx)
}

func firstWords(n int) string {
	switch {
	case n == 0:
		return "empty"
	case n == 1:
		return "1 item"
	case n >= firstNodes:
		return fmt.Sprintf("the first %d items", n)
	}
	return fmt.Sprintf("%d items", n)
}

package health

import (
	"context"
	"sync"
)

// turns lets one at a time hold a key, among all rounds of a board.
type turns struct {
	mu   sync.Mutex
	held map[string]bool
	free chan struct{} // closed and replaced when something is given back
}

func newTurns() *turns { return &turns{held: map[string]bool{}, free: make(chan struct{})} }

// take waits until all keys are free and holds them; false when ctx ended before.
func (t *turns) take(ctx context.Context, keys []string) (give func(), ok bool) {
	for {
		t.mu.Lock()
		if !t.any(keys) {
			for _, k := range keys {
				t.held[k] = true
			}
			t.mu.Unlock()
			return func() { t.give(keys) }, true
		}
		free := t.free
		t.mu.Unlock()
		select {
		case <-free:
		case <-ctx.Done():
			return nil, false
		}
	}
}

func (t *turns) any(keys []string) bool {
	for _, k := range keys {
		if t.held[k] {
			return true
		}
	}
	return false
}

func (t *turns) give(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		delete(t.held, k)
	}
	close(t.free)
	t.free = make(chan struct{})
}

package mail

import (
	"context"
	"sync"
	"time"

	"jackfield/connectors"
)

const (
	maxIdle = 2               // signed-in connections that wait for the next look
	stale   = 2 * time.Second // after which one is asked whether it is still there
)

// A link is one signed-in connection. It serves one exchange at a time.
type link interface {
	kill()
	leave()
	dead() bool
	rested() time.Duration           // since it was last used
	alive(ctx context.Context) error // one exchange that changes nothing
}

// A pool lends connections: a waiting one where there is one, else a new one.
type pool[L interface {
	comparable
	link
}] struct {
	enter func(ctx context.Context) (L, error)

	mu     sync.Mutex
	closed bool
	idle   []L
	lent   map[L]struct{}
	denied error // signing in anew was refused: asking again could lock the account
}

func closedError() error {
	return &connectors.Error{Code: connectors.Cancelled, Said: "the connection was closed"}
}

func (p *pool[L]) take(ctx context.Context) (L, error) {
	var none L
	if ctx.Err() != nil {
		return none, connectors.Classify(context.Cause(ctx))
	}
	for {
		k, ok := p.waiting()
		if !ok {
			return p.anew(ctx)
		}
		if k.rested() < stale || k.alive(ctx) == nil {
			return k, nil
		}
		p.give(k)
		if ctx.Err() != nil {
			return none, connectors.Classify(context.Cause(ctx))
		}
	}
}

// waiting lends the connection that waited the shortest.
func (p *pool[L]) waiting() (L, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var k L
	if p.closed || len(p.idle) == 0 {
		return k, false
	}
	k = p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	p.lend(k)
	return k, true
}

func (p *pool[L]) lend(k L) {
	if p.lent == nil {
		p.lent = map[L]struct{}{}
	}
	p.lent[k] = struct{}{}
}

func (p *pool[L]) anew(ctx context.Context) (L, error) {
	var none L
	p.mu.Lock()
	closed, denied := p.closed, p.denied
	p.mu.Unlock()
	if closed {
		return none, closedError()
	}
	if denied != nil {
		return none, denied
	}
	k, err := p.enter(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		switch connectors.CodeOf(err) {
		case connectors.AuthFailed, connectors.Expired, connectors.SignInAgain, connectors.Denied:
			p.denied = err
		}
		return none, err
	}
	if p.closed {
		k.kill()
		return none, closedError()
	}
	p.lend(k)
	return k, nil
}

// give takes a connection back; a dead one is forgotten.
func (p *pool[L]) give(k L) {
	p.mu.Lock()
	delete(p.lent, k)
	dead := k.dead()
	keep := !dead && !p.closed && len(p.idle) < maxIdle
	if keep {
		p.idle = append(p.idle, k)
	}
	p.mu.Unlock()
	switch {
	case keep:
	case dead:
		k.kill()
	default:
		k.leave()
	}
}

// isClosed reports whether the session's end caused an error.
func (p *pool[L]) isClosed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// close ends every connection; what is under way ends as cancelled.
func (p *pool[L]) close() {
	p.mu.Lock()
	idle, lent := p.idle, p.lent
	p.closed, p.idle, p.lent = true, nil, nil
	p.mu.Unlock()
	for k := range lent {
		k.kill()
	}
	for _, k := range idle {
		k.leave()
	}
}

package health

import (
	"context"
	"strings"
	"sync"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// Jobs is how many connections are checked at once unless a round says otherwise.
const Jobs = 4

// A Round says what to check.
type Round struct {
	IDs []string // in this order; nil: all
	// Asked: a person named these, each of them. What was refused before is tried
	// again; a refusal within the round still stops the others of the same sign-in.
	Asked    bool
	Jobs     int                   // 0: Jobs
	Timeout  time.Duration         // for each connection; 0: none beyond the book's patience
	Practice bool                  // also practice connections
	Unlinked bool                  // also what was never linked
	Began    func(link.Connection) // hears which is tried now, from any goroutine; may be nil
}

// An Outcome is how far a round got with one connection.
type Outcome struct {
	Connection link.Connection // as it was before
	Result     *link.Result    // nil when it was not tried
	Held       *Held           // why it was not tried
	After      link.Connection // as it is stored now
	Done       int             // connections that are done, this one too
	Total      int
}

// CheckMany checks connections, few at once, and never two of the same sign-in
// at the same time: see signIn. A sign-in that was refused is not tried again
// unless it was asked for, and stops the others with the same one. done is told
// each outcome as soon as it is known, one call at a time.
//
// When ctx ends, those under way end as cancelled and the rest is not begun. The
// error is of the list, or the first of the histories; the checks go on without.
func (b *Board) CheckMany(ctx context.Context, r Round, w link.Watcher, done func(Outcome)) error {
	all, err := b.book.List(ctx)
	if err != nil && len(all) == 0 {
		return err
	}
	list := chosen(all, r.IDs)
	if r.Jobs < 1 {
		r.Jobs = Jobs
	}
	b.Reload()
	n := &round{b: b, r: r, w: w, done: done, total: len(list), keys: b.signIns(all), lender: byID(all), begun: b.o.Now()}
	if !r.Asked {
		n.known = refusals(all, n.keys, func(c link.Connection) summary { return b.summary(ctx, c) })
	}
	b.enter()
	defer b.leave()
	work := queues(list, n.keys)
	next := make(chan []link.Connection)
	var running sync.WaitGroup
	for range min(r.Jobs, len(work)) {
		running.Go(func() {
			for queue := range next {
				n.through(ctx, queue)
			}
		})
	}
	for _, queue := range work {
		if ctx.Err() != nil {
			break
		}
		next <- queue
	}
	close(next)
	running.Wait()
	return n.err
}

func chosen(all []link.Connection, ids []string) []link.Connection {
	if ids == nil {
		return all
	}
	at := byID(all)
	out := make([]link.Connection, 0, len(ids))
	for _, id := range ids {
		if c := at(id); c.ID != "" {
			out = append(out, c)
		}
	}
	return out
}

// enter and leave forget what this round's refusals taught once none is running:
// by then the histories say it.
func (b *Board) enter() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rounds++
}

func (b *Board) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rounds--; b.rounds == 0 {
		clear(b.live)
	}
}

// round is a Round under way.
type round struct {
	b      *Board
	r      Round
	w      link.Watcher
	keys   map[string]signIn
	known  map[string]refusal // from before
	lender func(id string) link.Connection
	begun  time.Time

	mu    sync.Mutex
	done  func(Outcome)
	count int
	total int
	err   error
	stop  bool // nothing can be read: the keychain is shut
}

func (n *round) through(ctx context.Context, queue []link.Connection) {
	for _, c := range queue {
		if ctx.Err() != nil || n.stopped() {
			return
		}
		n.one(ctx, c)
	}
}

func (n *round) one(ctx context.Context, c link.Connection) {
	key := n.keys[c.ID]
	give, ok := n.b.busy.take(ctx, key.all())
	if !ok {
		return
	}
	defer give()
	// Since the list was read another round, or another program, may have tried it.
	if now, err := n.b.book.Get(ctx, c.ID); err == nil {
		c = now
	}
	if h := n.held(ctx, c, key); h != nil {
		n.tell(Outcome{Connection: c, After: c, Held: h})
		return
	}
	if n.r.Began != nil {
		n.r.Began(c)
	}
	one, cancel := ctx, context.CancelFunc(func() {})
	if n.r.Timeout > 0 {
		one, cancel = context.WithTimeout(ctx, n.r.Timeout)
	}
	defer cancel()
	start := time.Now()
	r := n.b.book.Check(one, c.ID, n.w)
	n.learn(ctx, c, key, r, time.Since(start))
	after, err := n.b.book.Get(context.WithoutCancel(ctx), c.ID)
	if err != nil { // deleted meanwhile
		after = c
	}
	n.tell(Outcome{Connection: c, After: after, Result: r})
}

func (n *round) held(ctx context.Context, c link.Connection, key signIn) *Held {
	n.b.mu.Lock()
	now := map[string]refusal{}
	for _, k := range key.all() {
		if old, ok := n.known[k]; ok {
			now[k] = old
		}
		if r, ok := n.b.live[k]; ok && (!n.r.Asked || !r.at.Before(n.begun)) {
			now[k] = r
		}
	}
	n.b.mu.Unlock()
	if n.r.Asked {
		if r, ok := shared(c, key, now); ok {
			h := r.held(WhyShared)
			h.By = r.name
			return h
		}
		return nil
	}
	n.b.forget(c.ID)
	return n.b.held(c, n.b.summary(ctx, c), key, now, n.lender, n.r)
}

// learn remembers a result, also when nobody waits for it any more.
func (n *round) learn(ctx context.Context, c link.Connection, key signIn, r *link.Result, took time.Duration) {
	if found := connectors.Classify(r.Err); found != nil && r.State == link.Failed {
		if ofAccount(found.Code, found.Op) {
			n.b.mu.Lock()
			spread(n.b.live, key, refusal{at: n.b.o.Now(), code: found.Code, reason: found.Reason, stage: found.Op, id: c.ID, name: c.Name})
			n.b.mu.Unlock()
		}
		if found.Code == connectors.Storage && strings.HasPrefix(found.Reason, "keychain.") && !n.r.Asked {
			n.mu.Lock()
			n.stop = true // every further one would ask the person for the keychain again
			n.mu.Unlock()
		}
	}
	store, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := n.b.Record(store, c, r, took)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil && n.err == nil {
		n.err = err
		n.b.o.Log.Warn("history", "connection", c.ID, "error", err)
	}
}

func (n *round) stopped() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stop
}

func (n *round) tell(o Outcome) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.count++
	o.Done, o.Total = n.count, n.total
	if n.done != nil {
		n.done(o)
	}
}

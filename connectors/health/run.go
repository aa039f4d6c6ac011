package health

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A Change is a connection that fares differently than before.
type Change struct {
	Connection link.Connection // as it was before
	From, To   link.State
	Problem    *connectors.Problem // in English; nil when all is well
	Err        error               // the same, for words in another language
}

// A Report is what a round on schedule has to tell. Nothing is reported when
// nothing changed.
type Report struct {
	Changes []Change // by the connections' names
	// Offline: of several connections none could be reached. That is this
	// computer's network rather than all of the servers.
	Offline bool
}

// News collects the changes of a round.
type News struct {
	changes        []Change
	tried, offline int
}

// Add looks at one outcome.
func (n *News) Add(o Outcome) {
	if o.Result == nil {
		return
	}
	code := connectors.CodeOf(o.Result.Err)
	if code == connectors.Cancelled {
		return
	}
	n.tried++
	if code == connectors.Unreachable || code == connectors.TimedOut {
		n.offline++
	}
	before := o.Connection.State
	if before == o.Result.State || before == link.Prepared && o.Result.State == link.OK {
		return
	}
	n.changes = append(n.changes, Change{Connection: o.Connection, From: before, To: o.Result.State, Problem: o.Result.Problem, Err: o.Result.Err})
}

// Report is what is to be told, and whether there is anything.
func (n *News) Report() (Report, bool) {
	slices.SortStableFunc(n.changes, func(a, b Change) int {
		switch {
		case link.NameKey(a.Connection.Name) < link.NameKey(b.Connection.Name):
			return -1
		case link.NameKey(a.Connection.Name) > link.NameKey(b.Connection.Name):
			return 1
		}
		return 0
	})
	return Report{Changes: n.changes, Offline: n.offline >= 3 && n.offline == n.tried}, len(n.changes) > 0
}

// look is how often the clock is looked at. A timer would stand still while the
// computer sleeps: what is due is found soon after it wakes.
const look = time.Minute

// Run checks all connections again and again, about every so often, until ctx
// ends. Nobody is asked anything, practice connections and what was never linked
// are left alone, and what was checked meanwhile is not due yet. told hears about
// a round in which something changed, once. ended, which may be nil, hears about
// every round.
func (b *Board) Run(ctx context.Context, every time.Duration, told func(Report), ended func()) {
	if every <= 0 {
		return
	}
	// After a start the first round waits for the rest of the desktop.
	next := b.clock().Add(rand.N(min(every, look)) + 1)
	tick := time.NewTicker(max(min(every/4, look), time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := b.clock()
		if next.Sub(now) > every+every/4 { // the clock was set back
			next = now
		}
		if now.Before(next) {
			continue
		}
		b.due(ctx, every, told)
		if ended != nil && ctx.Err() == nil {
			ended()
		}
		next = b.clock().Add(every - every/10 + rand.N(every/5+1))
	}
}

// clock is the wall clock: a monotonic one stands still while the computer sleeps.
func (b *Board) clock() time.Time { return b.o.Now().Round(0) }

// due checks what was not checked for most of the time between two rounds.
func (b *Board) due(ctx context.Context, every time.Duration, told func(Report)) {
	list, err := b.book.List(ctx)
	if err != nil {
		b.o.Log.Warn("check on schedule", "error", err)
	}
	b.Reload()
	ids := []string{}
	for _, c := range list {
		last := b.summary(ctx, c).last.At
		if c.Checked.After(last) {
			last = c.Checked
		}
		if now := b.clock(); last.After(now) || now.Sub(last) >= every*3/4 {
			ids = append(ids, c.ID)
		}
	}
	var news News
	if err := b.CheckMany(ctx, Round{IDs: ids}, link.Watcher{}, news.Add); err != nil && ctx.Err() == nil {
		b.o.Log.Warn("check on schedule", "error", err)
	}
	if report, any := news.Report(); any && ctx.Err() == nil && told != nil {
		told(report)
	}
}

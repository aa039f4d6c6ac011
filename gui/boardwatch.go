package gui

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"jackfield/connectors"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// notifier shows a message on the desktop; fyne.App is one.
type notifier interface{ SendNotification(*fyne.Notification) }

// healthDesk checks connections for the window: what goes on does so whichever
// page is shown.
type healthDesk struct {
	a        *App
	board    *health.Board
	notifier notifier
	page     *boardPage // the one on the screen, or nil
	cancel   func()     // of the check of all; nil while there is none
	stopping bool
	count    int
	total    int
	skipped  int
	unwatch  func() // ends the schedule; nil while there is none
	every    int    // minutes, of the schedule that runs

	tick     *task.Coalescer
	mu       sync.Mutex
	outcomes []health.Outcome // not shown yet
	checking map[string]bool
}

func newHealthDesk(a *App) *healthDesk {
	d := &healthDesk{a: a, board: a.o.Health, notifier: a.o.App, checking: map[string]bool{}}
	d.tick = task.NewCoalescer(a.r, d.show)
	return d
}

// schedule follows what the person chose; it may be called again at any time.
func (d *healthDesk) schedule() {
	every := d.a.prefs.CheckEvery
	if d.board == nil || d.unwatch != nil && every == d.every {
		return
	}
	d.end()
	if d.every = every; every <= 0 {
		return
	}
	d.unwatch = task.Run(d.a.r, func(ctx context.Context) (struct{}, error) {
		d.board.Run(ctx, time.Duration(every)*time.Minute,
			func(r health.Report) { d.a.r.Do(func() { d.told(r) }) },
			func() { d.a.r.Do(d.listed) })
		return struct{}{}, nil
	}, func(struct{}, error) {})
}

// end stops the schedule, also when the window closes.
func (d *healthDesk) end() {
	if d.unwatch != nil {
		d.unwatch()
		d.unwatch = nil
	}
}

// close stops all that goes on.
func (d *healthDesk) close() {
	d.end()
	d.stop()
}

// told shows what changed on the desktop, where the person wants that.
func (d *healthDesk) told(r health.Report) {
	if !d.a.prefs.Notify {
		return
	}
	n := notification(r)
	// A notification service that hangs must not stop the window.
	task.Run(d.a.r, func(context.Context) (struct{}, error) {
		d.notifier.SendNotification(n)
		return struct{}{}, nil
	}, func(_ struct{}, err error) {
		if err != nil {
			d.a.o.Log.Warn("notification", "error", err)
		}
	})
}

// notification is one message for all changes of a round.
func notification(r health.Report) *fyne.Notification {
	if r.Offline {
		return fyne.NewNotification(lang.T("board.notify.offline"), lang.T("board.notify.offlinetext"))
	}
	if len(r.Changes) == 1 {
		c := r.Changes[0]
		text := lang.T("board.notify.oktext")
		if p := lang.Explain(c.Err); p != nil {
			text = p.Title
		}
		return fyne.NewNotification(lang.T("board.notify."+string(c.To), connectors.Clean(c.Connection.Name, 60)), text)
	}
	text := ""
	for _, part := range []struct {
		state link.State
		key   string
	}{{link.Failed, "board.notify.bad"}, {link.Partial, "board.notify.some"}, {link.OK, "board.notify.good"}} {
		names, more := "", 0
		for _, c := range r.Changes {
			switch {
			case c.To != part.state:
			case len(names) > 120:
				more++
			case names == "":
				names = connectors.Clean(c.Connection.Name, 40)
			default:
				names += ", " + connectors.Clean(c.Connection.Name, 40)
			}
		}
		if more > 0 {
			names = lang.T("board.notify.more", names, more)
		}
		if names != "" && text != "" {
			text += "\n"
		}
		if names != "" {
			text += lang.T(part.key, names)
		}
	}
	return fyne.NewNotification(lang.N("board.notify.several", len(r.Changes)), text)
}

// checkAll checks all of the ids that may be tried without being asked for.
func (d *healthDesk) checkAll(ids []string) {
	if d.cancel != nil {
		return
	}
	d.count, d.total, d.skipped, d.stopping = 0, len(ids), 0, false
	round := health.Round{IDs: ids, Practice: d.a.practising}
	d.cancel = d.begin(round, func() {
		d.cancel = nil
		if d.skipped > 0 {
			d.a.toasts.say(lang.N("board.skipped", d.skipped), false)
		}
	})
	d.shown(func(p *boardPage) { p.progress() })
}

// stop ends the check of all; what is under way is cancelled.
func (d *healthDesk) stop() {
	if d.cancel != nil {
		d.stopping = true
		d.cancel()
		d.shown(func(p *boardPage) { p.progress() })
	}
}

// checkOne checks what the person named, also when it was refused before.
func (d *healthDesk) checkOne(id string) {
	d.mu.Lock()
	busy := d.checking[id]
	d.mu.Unlock()
	if !busy {
		d.begin(health.Round{IDs: []string{id}, Asked: true, Practice: true, Unlinked: true}, func() {})
	}
}

func (d *healthDesk) begin(r health.Round, ended func()) (cancel func()) {
	all := !r.Asked
	r.Began = func(c link.Connection) {
		d.mu.Lock()
		d.checking[c.ID] = true
		d.mu.Unlock()
		d.tick.Mark()
	}
	return task.Always(d.a.r, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, d.board.CheckMany(ctx, r, link.Watcher{}, func(o health.Outcome) {
			d.mu.Lock()
			delete(d.checking, o.Connection.ID)
			if !all {
				o.Total = 0
			}
			d.outcomes = append(d.outcomes, o)
			d.mu.Unlock()
			d.tick.Mark()
		})
	}, func(_ struct{}, err error) {
		d.show()
		ended()
		if err != nil {
			d.a.tell(err)
		}
		d.shown(func(p *boardPage) { p.progress() })
		d.listed()
	})
}

// show takes over what came in since the last time.
func (d *healthDesk) show() {
	d.mu.Lock()
	outcomes := d.outcomes
	d.outcomes = nil
	d.mu.Unlock()
	for _, o := range outcomes {
		if o.Total > 0 {
			d.count = max(d.count, o.Done)
		}
		if o.Held != nil && o.Held.Why != health.WhyUnlinked && o.Held.Why != health.WhyPractice {
			d.skipped++
		}
	}
	d.shown(func(p *boardPage) { p.take(outcomes) })
}

// isChecking reports whether a connection is being checked now.
func (d *healthDesk) isChecking(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.checking[id]
}

// listed follows a new list of connections.
func (d *healthDesk) listed() { d.shown(func(p *boardPage) { p.reload() }) }

// shown does something with the page while it is on the screen.
func (d *healthDesk) shown(do func(*boardPage)) {
	if d.page == nil {
		return
	}
	if len(d.a.centre.Objects) == 0 || d.a.centre.Objects[0] != d.page.root {
		d.page.close()
		d.page = nil
		return
	}
	do(d.page)
}

// link links a saved connection and remembers how that ended.
func (d *healthDesk) link(ctx context.Context, id string, w link.Watcher) *link.Result {
	before, err := d.a.o.Book.Get(ctx, id)
	begun := time.Now()
	r := d.a.o.Book.Link(ctx, id, w)
	if d.board != nil && err == nil {
		if err := d.board.Record(ctx, before, r, time.Since(begun)); err != nil {
			d.a.o.Log.Warn("history", "error", err)
		}
	}
	return r
}

// forget drops the history of a connection that is gone.
func (d *healthDesk) forget(ctx context.Context, id string) {
	if d.board == nil {
		return
	}
	if err := d.board.Forget(context.WithoutCancel(ctx), id); err != nil {
		d.a.o.Log.Warn("history", "error", err)
	}
}

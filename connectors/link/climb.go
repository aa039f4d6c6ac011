package link

import (
	"context"
	"errors"
	"sync"
	"time"

	"jackfield/connectors"
)

// DefaultPatience is how long one rung of the ladder may take. Waiting for a
// person does not count.
const DefaultPatience = 15 * time.Second

// firstNodes is how much of the root is listed to prove that data can be read.
const firstNodes = 100

// A Watcher is told what happens and asked what only a person knows. All of it may be empty.
type Watcher struct {
	Ask  connectors.Asker
	Step func(connectors.Step) // called from the caller's goroutine or a connector's; must not block
}

// A Result is how far a connection got.
type Result struct {
	State   State // OK, Partial or Failed
	Facts   []connectors.Fact
	Steps   []connectors.Step // the rungs that ended, in order
	Problem *connectors.Problem
	Err     error
	First   []connectors.Node // the beginning of the root's children, for a Browser
	Took    time.Duration
	// Kept are the secrets that were issued while trying unsaved answers.
	Kept map[string]connectors.Secret
	// Session is open when State is OK or Partial; the caller closes it.
	Session connectors.Session
}

// Link climbs the whole ladder for a saved connection and stores how it ended,
// and what was issued. The result's session is open for the preview.
func (b *Book) Link(ctx context.Context, id string, w Watcher) *Result {
	c, err := b.Get(ctx, id)
	if err != nil {
		return failed(err, nil)
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return failed(err, nil)
	}
	s, err := b.Settings(ctx, id)
	if err != nil {
		return failed(err, nil)
	}
	r := b.climb(ctx, t, s, w, b.keeper(id), id)
	if connectors.CodeOf(r.Err) == connectors.Cancelled {
		return r
	}
	// The outcome is worth storing even when the dialog is gone by now.
	store, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, err := b.edit(store, id, func(c *Connection) { remember(c, r, b.out.Now()) }); err != nil {
		b.out.Log.Warn("the outcome was not stored", "connection", id, "error", err)
	}
	return r
}

// Check is Link without the preview: the session is closed.
func (b *Book) Check(ctx context.Context, id string, w Watcher) *Result {
	r := b.Link(ctx, id, w)
	r.Close()
	return r
}

// Try climbs the ladder with answers that were not saved. Nothing is stored.
// saved names the connection that the answers belong to, or is empty.
func (b *Book) Try(ctx context.Context, typeID string, s connectors.Settings, w Watcher) *Result {
	t, err := b.Type(typeID)
	if err != nil {
		return failed(err, nil)
	}
	if s, err = b.resolved(ctx, t, s.Clone()); err != nil {
		return failed(err, nil)
	}
	return b.climb(ctx, t, s, w, newMemory(s), "")
}

// Open opens a saved connection without checking it, for one look (jf ls).
func (b *Book) Open(ctx context.Context, id string, w Watcher) (connectors.Session, error) {
	c, err := b.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return nil, err
	}
	s, err := b.Settings(ctx, id)
	if err != nil {
		return nil, err
	}
	p, ctx := newPatience(ctx, b.patience())
	defer p.stop()
	env := b.env(w, p, b.keeper(id), nil)
	b.travel(env, s, w, p, []string{id})
	if s, err = b.whole(ctx, t, s); err != nil {
		return nil, err
	}
	return t.Open(ctx, env, s)
}

// Close closes the session, if there is one.
func (r *Result) Close() {
	if r.Session != nil {
		_ = r.Session.Close()
		r.Session = nil
	}
}

func failed(err error, steps []connectors.Step) *Result {
	return &Result{State: Failed, Err: err, Problem: connectors.Explain(err), Steps: steps}
}

func remember(c *Connection, r *Result, now time.Time) {
	c.State, c.Problem = r.State, r.Problem
	if r.State == Failed {
		return
	}
	c.Facts, c.Checked, c.Took = r.Facts, now, r.Took
	for _, f := range r.Facts {
		switch f.Label {
		case "Account":
			c.Account = f.Text
		case "Expires":
			if at, err := time.Parse(time.RFC3339, f.Text); err == nil {
				c.Expires = at
			}
		}
	}
}

func (b *Book) patience() time.Duration {
	if b.out.Patience > 0 {
		return b.out.Patience
	}
	return DefaultPatience
}

// enter climbs the first rungs, from the form to the sign-in. id is the saved
// connection's, "" for answers that are not saved.
func (b *Book) enter(ctx context.Context, env *connectors.Env, t connectors.Type, s connectors.Settings, w Watcher, p *patience, id string) (connectors.Session, error) {
	s = t.Form.Tidied(s)
	b.travel(env, s, w, p, []string{id})
	err := env.Climb(ctx, connectors.StageForm, "", func(ctx context.Context) (string, error) {
		var err error
		if s, err = b.whole(ctx, t, s); err != nil {
			return "", err
		}
		if errs := t.Form.Validate(s); len(errs) > 0 {
			return "", errs[0].Refusal()
		}
		return "", nil
	})
	if err != nil {
		return nil, err
	}
	return t.Open(ctx, env, s)
}

// climb goes up the ladder; id is the saved connection's, "" for answers that are not saved.
func (b *Book) climb(ctx context.Context, t connectors.Type, s connectors.Settings, w Watcher, k keeper, id string) *Result {
	start := time.Now()
	rec := &recorder{}
	p, ctx := newPatience(ctx, b.patience())
	defer p.stop()
	env := b.env(w, p, k, rec)
	defer rec.close()

	session, err := b.enter(ctx, env, t, s, w, p, id)
	if err != nil {
		return failed(err, rec.steps())
	}
	rec.open()
	r := &Result{State: OK, Session: session}
	if err := b.prove(ctx, env, r); err != nil {
		var e *connectors.Error
		if !errors.As(err, &e) || !e.Partial {
			r.Close()
			out := failed(err, rec.steps())
			out.Facts = r.Facts
			return out
		}
		r.State, r.Err, r.Problem = Partial, err, connectors.Explain(err)
	}
	r.Steps, r.Took, r.Kept = rec.steps(), time.Since(start), k.all()
	return r
}

// prove climbs the last two rungs: what the account is, and its first data.
func (b *Book) prove(ctx context.Context, env *connectors.Env, r *Result) error {
	var partial error
	err := env.Climb(ctx, connectors.StageRights, "", func(ctx context.Context) (string, error) {
		facts, err := r.Session.Check(ctx)
		r.Facts = facts
		var e *connectors.Error
		if errors.As(err, &e) && e.Partial && ctx.Err() == nil {
			partial, err = err, nil
		}
		for _, f := range facts {
			if f.Label == "Account" {
				return f.Text, err
			}
		}
		return "", err
	})
	if err != nil {
		return err
	}
	browser, ok := r.Session.(connectors.Browser)
	if !ok {
		return partial
	}
	err = env.Climb(ctx, connectors.StageData, "", func(ctx context.Context) (string, error) {
		for n, err := range browser.Children(ctx, "") {
			if err != nil {
				return "", err
			}
			r.First = append(r.First, n)
			if len(r.First) == firstNodes {
				break
			}
		}
		return firstWords(len(r.First)), nil
	})
	if err == nil {
		return partial
	}
	// Signed in, but the first listing is refused: the credentials are good.
	var e *connectors.Error
	if errors.As(err, &e) && e.Code == connectors.Denied {
		some := *e
		some.Partial = true
		return &some
	}
	return err
}

func (b *Book) env(w Watcher, p *patience, k keeper, rec *recorder) *connectors.Env {
	env := &connectors.Env{Log: b.out.Log, Now: b.out.Now, Keep: k.keep, Renew: k.renew, Ask: p.asker(w.Ask)}
	env.Step = func(s connectors.Step) {
		p.reset()
		if rec != nil {
			var ok bool
			if s, ok = rec.add(s); !ok {
				return
			}
		}
		if w.Step != nil {
			w.Step(s)
		}
	}
	if b.out.Callback != nil {
		env.Callback = func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
			c, err := b.out.Callback(ctx, r)
			if err != nil {
				return nil, err
			}
			return waiting{c, p}, nil
		}
	}
	return env
}

// A recorder keeps the rungs that ended until the climb is over: a session goes
// on dialling while the preview is read, and that is no rung.
type recorder struct {
	mu     sync.Mutex
	done   []connectors.Step
	closed bool
	// rights is the first part of that rung, which opening climbs and the check
	// after it completes: to the person it is one.
	rights *connectors.Step
	opened bool
}

// add returns the step as it is to be told, and whether it is.
func (r *recorder) add(s connectors.Step) (connectors.Step, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return s, false
	}
	if s.Stage == connectors.StageRights {
		switch {
		case !s.Done && r.rights != nil:
			return s, false
		case s.Done && s.Err == nil && r.rights == nil && !r.opened:
			r.rights = &s
			return s, false
		case s.Done && r.rights != nil:
			s.Elapsed += r.rights.Elapsed
			if s.Text == "" {
				s.Text = r.rights.Text
			}
		}
	}
	if s.Done {
		r.done = append(r.done, s)
	}
	return s, true
}

// open tells that what follows is the check.
func (r *recorder) open() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opened = true
}

func (r *recorder) steps() []connectors.Step {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]connectors.Step(nil), r.done...)
}

func (r *recorder) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}

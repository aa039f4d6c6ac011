package gui

import (
	"context"
	"time"

	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// idle tells how long nobody has used the window.
type idle struct {
	timer *time.Timer
	last  time.Time
}

// used notes a key or a click.
func (a *App) used() { a.idle.last = time.Now() }

// watchIdle locks the window after the chosen time without use.
func (a *App) watchIdle() {
	if a.idle.timer != nil {
		a.idle.timer.Stop()
		a.idle.timer = nil
	}
	if a.prefs.LockAfter <= 0 {
		return
	}
	a.used()
	limit := time.Duration(a.prefs.LockAfter) * time.Minute
	a.idle.timer = time.AfterFunc(limit, func() { a.r.Do(func() { a.askIdle(limit) }) })
}

// askIdle locks the window when nobody was there for that long, or comes back
// when it could be so.
func (a *App) askIdle(limit time.Duration) {
	task.Run(a.r, func(context.Context) (time.Duration, error) {
		if d := a.o.Desktop; d != nil {
			if t, ok := d.Idle(); ok {
				return t, nil
			}
		}
		return -1, nil
	}, func(unused time.Duration, _ error) {
		if unused < 0 { // the system does not tell: what the window saw
			unused = time.Since(a.idle.last)
		}
		switch left := limit - unused; {
		case a.idle.timer == nil || a.locked != nil:
		case left > 0:
			a.idle.timer.Reset(left)
		default:
			a.lock()
		}
	})
}

// lock closes the open connection, forgets what was copied, and hides the window's
// content until the person is back. It keeps others from reading the screen of
// somebody who went away; it is no protection against who can use the account.
func (a *App) lock() {
	if a.locked != nil {
		return
	}
	a.forgetSecret()
	a.health.close()
	if a.preview != nil {
		a.preview.close()
		a.preview.idle()
	}
	if a.o.Lock != nil {
		a.o.Lock()
	}
	open := a.mainButton(lang.T("lock.open"), theme.LoginIcon(), a.unlock)
	a.lockNote = newLabel("", 12, looks.WarnText, false)
	box := vbox(10, title(lang.T("lock.title")), fixed(380, 44, wrapped(lang.T("lock.text"), looks.Text2)), container.NewHBox(open), a.lockNote)
	for _, o := range a.win.Canvas().Overlays().List() {
		a.win.Canvas().Overlays().Remove(o)
	}
	a.locked = a.win.Content()
	a.win.SetContent(container.NewStack(newFill(looks.Sidebar, 0), container.NewCenter(box)))
	a.win.Canvas().Focus(open)
}

// unlock asks for the passphrase, where there is one, and shows what was there.
func (a *App) unlock() {
	if a.o.Unlock == nil {
		a.unlocked()
		return
	}
	task.Run(a.r, func(ctx context.Context) (struct{}, error) { return struct{}{}, a.o.Unlock(ctx) }, func(_ struct{}, err error) {
		if err != nil {
			a.lockNote.set(lang.Explain(err).Title)
			return
		}
		a.unlocked()
	})
}

func (a *App) unlocked() {
	if a.locked == nil {
		return
	}
	a.win.SetContent(a.locked)
	a.locked = nil
	a.watchIdle()
	a.health.schedule()
	if then := a.unlocks; then != nil {
		a.unlocks = nil
		defer then()
	}
	if c, ok := a.connection(a.side.selected); ok && a.form != nil && !a.form.dirty() {
		if t, ok := a.typeOf(c.Type); ok {
			a.open(t, c)
		}
	}
}

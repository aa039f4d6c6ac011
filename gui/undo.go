package gui

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2/container"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// undoStays is how long a deleted connection can be had back. Until then it is
// only out of sight: nothing was told to its provider, and a program that is
// killed has lost nothing.
const undoStays = 8 * time.Second

// doomed is a connection that is deleted when its time is over.
type doomed struct {
	c     link.Connection
	timer *time.Timer
	gone  func() // takes the offer off the screen
}

// deleteSoon takes a connection out of sight and offers it back for a while.
func (a *App) deleteSoon(c link.Connection) {
	d := &doomed{c: c}
	a.doomed = append(a.doomed, d)
	d.gone = a.toasts.offer(lang.T("delete.done", connectors.Clean(c.Name, 80)), lang.T("delete.undo"), func() { a.bringBack(d) })
	d.timer = time.AfterFunc(undoStays, func() { a.r.Do(func() { a.destroy(d) }) })
	if a.form != nil && a.form.id == c.ID {
		a.side.selected = ""
		a.show(container.NewStack())
	}
	a.reload(func() {
		if len(a.list) == 0 {
			a.showWelcome()
		}
	})
}

// undoDelete brings back what was deleted last.
func (a *App) undoDelete() {
	if n := len(a.doomed); n > 0 && a.locked == nil {
		a.bringBack(a.doomed[n-1])
	}
}

func (a *App) bringBack(d *doomed) {
	if !a.release(d) {
		return
	}
	a.reload(func() { a.selectConnection(d.c.ID) })
}

// release takes d from those that will be deleted; false when it was deleted.
func (a *App) release(d *doomed) bool {
	i := slices.Index(a.doomed, d)
	if i < 0 {
		return false
	}
	a.doomed = slices.Delete(a.doomed, i, i+1)
	d.timer.Stop()
	d.gone()
	return true
}

func (a *App) destroy(d *doomed) {
	if !a.release(d) {
		return
	}
	a.destroying = append(a.destroying, d.c.ID)
	task.Run(a.r, func(ctx context.Context) (struct{}, error) {
		defer a.health.forget(ctx, d.c.ID)
		return struct{}{}, a.o.Book.Delete(ctx, d.c.ID)
	}, func(_ struct{}, err error) {
		a.destroying = slices.DeleteFunc(a.destroying, func(id string) bool { return id == d.c.ID })
		if err != nil {
			a.tell(err)
		}
		a.reload(nil)
	})
}

// visible leaves out what is being deleted.
func (a *App) visible(list []link.Connection) []link.Connection {
	return slices.DeleteFunc(list, func(c link.Connection) bool {
		return slices.Contains(a.destroying, c.ID) || slices.ContainsFunc(a.doomed, func(d *doomed) bool { return d.c.ID == c.ID })
	})
}

// lastWill deletes what is out of sight and not brought back, for the end of the
// program, and then goes on. A provider that does not answer holds nobody up: by
// then the connection is gone here.
func (a *App) lastWill(then func()) {
	if len(a.doomed) == 0 {
		then()
		return
	}
	var ids []string
	for _, d := range slices.Clone(a.doomed) {
		ids = append(ids, d.c.ID)
		a.release(d)
	}
	a.win.Hide()
	task.Run(a.r, func(ctx context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		for _, id := range ids {
			if err := a.o.Book.Delete(ctx, id); err != nil {
				a.o.Log.Warn("deleted at the end", "error", err)
			}
			a.health.forget(ctx, id)
		}
		return struct{}{}, nil
	}, func(struct{}, error) { then() })
}

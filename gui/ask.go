package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// A question is put over the window. Esc is the answer no; Enter presses the
// button that has the focus, which is the harmless one, or ends the entry.
type question struct {
	title   string
	text    fyne.CanvasObject
	yes, no string
	danger  bool   // yes takes something away
	entry   *entry // has the focus first; nil: the button no
	answer  func(yes bool)
}

// sheet is a question on the screen.
type sheet struct {
	*dialog.CustomDialog
	a     *App
	first fyne.Focusable
}

// Show opens the question and gives it the focus.
func (s *sheet) Show() {
	s.CustomDialog.Show()
	s.a.win.Canvas().Focus(s.first)
}

func (a *App) question(q question) *sheet {
	s := &sheet{CustomDialog: dialog.NewCustomWithoutButtons(q.title, q.text, a.win), a: a}
	answered := false
	done := func(yes bool) {
		if answered {
			return
		}
		answered = true
		s.Hide()
		q.answer(yes)
	}
	keys := func(e *fyne.KeyEvent) bool {
		if e.Name == fyne.KeyEscape {
			done(false)
		}
		return e.Name == fyne.KeyEscape || e.Name == fyne.KeyF5
	}
	no := newKeyButton(q.no, theme.CancelIcon(), func() { done(false) }, keys)
	yes := newKeyButton(q.yes, theme.ConfirmIcon(), func() { done(true) }, keys)
	yes.Importance = widget.HighImportance
	if q.danger {
		yes.Importance = widget.DangerImportance
	}
	s.first = no
	if q.entry != nil {
		s.first = q.entry
		q.entry.window = keys
		q.entry.OnSubmitted = func(string) { done(true) }
	}
	s.SetButtons([]fyne.CanvasObject{no, yes})
	return s
}

// ask shows a question and waits for its answer without blocking the window.
func ask[T any](ctx context.Context, a *App, show func(answer func(T)) *sheet) (T, error) {
	got := make(chan T, 1)
	var s *sheet
	a.r.Do(func() {
		s = show(func(v T) {
			select {
			case got <- v:
			default:
			}
		})
		s.Show()
	})
	select {
	case v := <-got:
		return v, nil
	case <-ctx.Done():
		a.r.Do(func() { s.Hide() })
		var none T
		return none, context.Cause(ctx)
	}
}

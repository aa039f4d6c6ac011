package gui

import (
	"context"

	"fyne.io/fyne/v2"

	"jackfield/gui/task"
)

// Prefs are what a person chose for the window, and how it was left. Nothing in
// them is secret, and whoever deletes them loses no work.
type Prefs struct {
	Language   string `json:"language,omitempty"`    // of lang.Languages; "": the system's
	Theme      string `json:"theme,omitempty"`       // light, dark; "": the system's
	CheckEvery int    `json:"check_every,omitempty"` // minutes between two checks of all; 0: only when asked
	Notify     bool   `json:"notify,omitempty"`      // tell on the desktop what changed
	LockAfter  int    `json:"lock_after,omitempty"`  // minutes without a key or a click; 0: never
	Captured   bool   `json:"captured,omitempty"`    // the window may be in screenshots and shared screens
	Background bool   `json:"background,omitempty"`  // closing the window leaves the program in the tray

	Width   float32 `json:"width,omitempty"`
	Height  float32 `json:"height,omitempty"`
	Sidebar float32 `json:"sidebar,omitempty"` // widths of the panes
	Form    float32 `json:"form,omitempty"`
	Last    string  `json:"last,omitempty"` // the connection that was open
}

// A PrefStore keeps them. What cannot be read counts as nothing chosen.
type PrefStore interface {
	Load() (Prefs, error)
	Save(p Prefs) error
}

// change changes the preferences and stores them, the newest last.
func (a *App) change(how func(*Prefs)) {
	before := a.prefs
	how(&a.prefs)
	if a.o.Prefs == nil || a.prefs == before {
		return
	}
	p := a.prefs
	task.Run(a.r, func(context.Context) (struct{}, error) {
		a.saving.Lock()
		defer a.saving.Unlock()
		return struct{}{}, a.o.Prefs.Save(p)
	}, func(_ struct{}, err error) {
		if err != nil {
			a.o.Log.Warn("preferences", "error", err)
		}
	})
}

// recall reads what was chosen before.
func (a *App) recall() {
	if a.o.Prefs == nil {
		return
	}
	p, err := a.o.Prefs.Load()
	if err != nil {
		a.o.Log.Warn("preferences", "error", err)
	}
	a.prefs = p
}

// The window's size where nothing was chosen, and the least that is restored.
const (
	usualWidth, usualHeight = 1440, 900
	leastWidth, leastHeight = 900, 600
)

func (p Prefs) size() fyne.Size {
	if p.Width == 0 || p.Height == 0 {
		return fyne.NewSize(usualWidth, usualHeight)
	}
	return fyne.NewSize(max(leastWidth, p.Width), max(leastHeight, p.Height))
}

// remembered gives a splitter the width that was chosen before, and stores the next.
func (a *App) remembered(s *splitter, width float32, keep func(*Prefs, float32)) {
	if width > 0 {
		s.width = max(s.least, min(s.most, width))
	}
	s.moved = func(w float32) { a.change(func(p *Prefs) { keep(p, w) }) }
}

func (a *App) sideBySide(form, preview fyne.CanvasObject) *splitter {
	s := newSplitter(form, preview, 416, 340, 640)
	a.remembered(s, a.prefs.Form, func(p *Prefs, w float32) { p.Form = w })
	return s
}

// leftBehind stores how the window is left.
func (a *App) leftBehind() {
	if a.o.Prefs == nil {
		return
	}
	size := a.win.Canvas().Size()
	a.prefs.Width, a.prefs.Height = size.Width, size.Height
	a.saving.Lock()
	defer a.saving.Unlock()
	if err := a.o.Prefs.Save(a.prefs); err != nil {
		a.o.Log.Warn("preferences", "error", err)
	}
}

package gui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver"
	"fyne.io/fyne/v2/theme"

	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// Desktop is what the window asks of the system around it.
type Desktop interface {
	Locale() string                   // "de_DE"; "" where it is not known
	AtLogin() (on, can bool)          // whether the program starts when the person signs in, and whether that can be set
	SetAtLogin(on bool) error         // *connectors.Error of the code Storage
	Idle() (time.Duration, bool)      // since the last key or move of the mouse anywhere; false where it is not known
	CanHide() bool                    // whether Hide can do anything
	Hide(hwnd uintptr, on bool) error // keeps a window out of pictures of the screen
	CopySecret(text string) bool      // puts it on the clipboard, marked as a secret for those that keep a history; false where that cannot be
}

// speak makes the window use the chosen language from now on: what is built from
// here on has its words, and so the whole window is built again.
func (a *App) speak() {
	a.useLanguage()
	a.book.forget()
	a.rebuild()
	a.showSettings()
}

func (a *App) useLanguage() {
	id := a.prefs.Language
	if id == "" && a.o.Desktop != nil {
		id = lang.Match(a.o.Desktop.Locale())
	}
	if id == "" {
		return // a test, or a program without a desktop: what lang speaks already
	}
	if err := lang.Use(id); err != nil {
		a.o.Log.Warn("language", "error", err)
	}
}

// dress applies the chosen colours.
func (a *App) dress() {
	look := looks.New()
	switch a.prefs.Theme {
	case "light":
		look = looks.Fixed(theme.VariantLight)
	case "dark":
		look = looks.Fixed(theme.VariantDark)
	}
	a.o.App.Settings().SetTheme(look)
}

// rebuild makes the window's content anew, in the language that is spoken now.
func (a *App) rebuild() {
	selected := a.side.selected
	a.build()
	a.side.selected = selected
	a.side.refresh()
}

// build makes the panes.
func (a *App) build() {
	a.side = newSidebar(a)
	a.centre = container.NewStack()
	a.toasts = newToast(a)
	a.shell = newShell(a, container.NewStack(newFill(theme.ColorNameBackground, 0), a.centre))
	a.remembered(a.shell.split, a.prefs.Sidebar, func(p *Prefs, w float32) { p.Sidebar = w })
	a.win.SetContent(container.NewStack(a.shell.box, a.toasts.root))
}

// flushLeft takes away the space that the toolkit puts before a check box.
func flushLeft(o fyne.CanvasObject) fyne.CanvasObject {
	return padded(0, 0, -theme.InnerPadding(), 0, o)
}

// hideFromPictures keeps the window out of screenshots and shared screens, as
// chosen, where the system can.
func (a *App) hideFromPictures() {
	d := a.o.Desktop
	native, ok := a.win.(driver.NativeWindow)
	if d == nil || !ok || !d.CanHide() {
		return
	}
	native.RunNative(func(ctx any) {
		if w, ok := ctx.(driver.WindowsWindowContext); ok {
			if err := d.Hide(w.HWND, !a.prefs.Captured); err != nil {
				a.o.Log.Warn("pictures of the screen", "error", err)
			}
		}
	})
}

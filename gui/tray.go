package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"jackfield/gui/lang"
)

// hasTray reports whether the system has a place for the program's icon.
func (a *App) hasTray() bool {
	_, ok := a.o.App.(desktop.App)
	return ok
}

// showTray puts the program's menu into the system tray, where it is to keep
// running without a window. The first line says how the connections stand.
func (a *App) showTray() {
	d, ok := a.o.App.(desktop.App)
	if !ok || !a.prefs.Background {
		return
	}
	state := fyne.NewMenuItem(a.summary(), a.Front)
	open := fyne.NewMenuItem(lang.T("tray.open"), a.Front)
	quit := fyne.NewMenuItem(lang.T("do.quit"), func() {
		a.Front()
		a.leave(a.quit)
	})
	quit.IsQuit = true
	d.SetSystemTrayMenu(fyne.NewMenu(lang.T("app.title"), state, fyne.NewMenuItemSeparator(), open, quit))
}

// InTray reports whether the program keeps running without a window.
func (a *App) InTray() bool { return a.prefs.Background && a.hasTray() }

// closed is told when the person closes the window.
func (a *App) closed() {
	if a.InTray() {
		a.forgetSecret()
		a.win.Hide()
		return
	}
	a.leave(a.quit)
}

package gui

import (
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors/link"
	"jackfield/gui/lang"
)

// command is something that the program can do, for the palette.
type command struct {
	name string // as it is shown, and found
	more string // what else it is found by, and why one would want it
	keys string // its shortcut
	icon fyne.Resource
	do   func()
}

// chord is a shortcut with the platform's main key, as that platform writes it.
func chord(key string) string {
	if runtime.GOOS == "darwin" {
		return "⌘" + key
	}
	return lang.T("key.ctrl", key)
}

// commands are those that make sense now, the connection's own first.
func (a *App) commands() []command {
	var out []command
	add := func(word, keys string, icon fyne.Resource, do func()) {
		out = append(out, command{name: lang.T("do." + word), more: lang.T("do." + word + ".more"), keys: keys, icon: icon, do: do})
	}
	if a.form != nil {
		add("link", chord("↵"), theme.LoginIcon(), func() { a.form.link() })
		add("save", chord("S"), theme.DocumentSaveIcon(), func() { a.form.save(nil) })
	}
	if c, ok := a.connection(a.side.selected); ok {
		a.ownCommands(c, add)
	}
	add("new", chord("N"), theme.ContentAddIcon(), a.showGallery)
	add("find", chord("F"), theme.SearchIcon(), a.findConnection)
	if a.o.Health != nil {
		add("health", "", theme.ListIcon(), a.showBoard)
	}
	add("ends", "", theme.HistoryIcon(), a.showExpiry)
	add("paste", chord("V"), theme.ContentPasteIcon(), func() { a.showPaste(nil) })
	add("keys", "", theme.DocumentIcon(), func() { a.showKeys(nil) })
	add("handover", "", theme.MailSendIcon(), a.showHandover)
	if a.o.Practice != nil {
		add("practice", "", theme.MediaPlayIcon(), a.startPractice)
	}
	if a.prefs.LockAfter > 0 {
		add("lock", "", theme.LogoutIcon(), a.lock)
	}
	add("settings", chord(","), theme.SettingsIcon(), a.showSettings)
	add("help", "F1", theme.HelpIcon(), a.showHelp)
	if len(a.doomed) > 0 {
		add("undo", chord("Z"), theme.ContentUndoIcon(), a.undoDelete)
	}
	add("quit", "", theme.LogoutIcon(), func() { a.leave(a.quit) })
	return out
}

func (a *App) ownCommands(c link.Connection, add func(word, keys string, icon fyne.Resource, do func())) {
	add("report", "", theme.VisibilityIcon(), func() { a.showReport(c) })
	add("compare", "", theme.ViewRefreshIcon(), func() { a.showCompare(c) })
	add("use", "", theme.MailForwardIcon(), func() { a.showUse(c) })
	add("seal", "", theme.MailSendIcon(), func() { a.showSeal([]string{c.ID}) })
	add("ask", "", theme.QuestionIcon(), func() { a.showAsk(c) })
	add("rename", "F2", theme.DocumentCreateIcon(), func() { a.rename(c) })
	add("duplicate", "", theme.ContentCopyIcon(), func() { a.copy(c) })
	add("delete", "", theme.DeleteIcon(), func() { a.delete(c) })
}

func (a *App) findConnection() {
	a.shell.show(true)
	a.win.Canvas().Focus(a.side.search)
	a.side.search.TypedShortcut(&fyne.ShortcutSelectAll{})
}

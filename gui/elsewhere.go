package gui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/handover/use"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// elsewhere shows a connection as other tools write it.
type elsewhere struct {
	*toolPage
	given   use.Given
	formats []use.Format
	format  *keySelect
	mode    *keySelect
	out     *fyne.Container
	text    use.Text
	made    bool // text is what the choices say
}

// showUse opens the page for a connection. Its secrets are read from the
// keychain once.
func (a *App) showUse(c link.Connection) {
	t, ok := a.typeOf(c.Type)
	if !ok {
		return
	}
	task.Run(a.r, func(ctx context.Context) (connectors.Settings, error) { return a.o.Book.Whole(ctx, c.ID) }, func(s connectors.Settings, err error) {
		if err != nil {
			a.tell(err)
			return
		}
		newElsewhere(a, use.Given{Type: t, Name: c.Name, Settings: s}).open(c)
	})
}

func newElsewhere(a *App, g use.Given) *elsewhere {
	e := &elsewhere{given: g, formats: use.Formats(g), out: vbox(10)}
	var names []string
	for _, f := range e.formats {
		names = append(names, f.Name)
	}
	e.format = newKeySelect(names, a.windowKey)
	e.mode = newKeySelect([]string{lang.T("use.hidden"), lang.T("use.variables"), lang.T("use.clear")}, a.windowKey)
	body := vbox(14, labelled(lang.T("use.format"), outlined(e.format)), labelled(lang.T("use.secrets"), outlined(e.mode)), e.out)
	if len(names) == 0 {
		body = vbox(14, wrapped(lang.T("use.none"), looks.Text2))
	}
	e.toolPage = newToolPage(a, lang.T("use.title", connectors.Clean(g.Name, 80)), lang.T("use.text"), body)
	return e
}

func (e *elsewhere) open(c link.Connection) {
	back := e.a.button(lang.T("button.backto", connectors.Clean(c.Name, 40)), theme.NavigateBackIcon(), func() { e.a.selectConnection(c.ID) })
	back.Importance = widget.LowImportance
	e.body.Add(container.NewHBox(back))
	e.format.OnChanged = func(string) { e.write() }
	e.mode.OnChanged = func(string) { e.write() }
	e.a.showPage(e.toolPage, e.format)
	if len(e.formats) > 0 {
		e.mode.SetSelectedIndex(0)
		e.format.SetSelectedIndex(0)
	}
}

func (e *elsewhere) options(reveal bool) use.Options {
	o := use.Options{Secrets: use.Placeholder}
	switch e.mode.SelectedIndex() {
	case 1:
		o.Secrets = use.Variable
	case 2:
		if reveal {
			o.Secrets = use.Reveal
		}
	}
	return o
}

// write makes the text of the chosen format. Secrets are shown only where the
// person chose so.
func (e *elsewhere) write() {
	at := e.format.SelectedIndex()
	if at < 0 || e.mode.SelectedIndex() < 0 {
		return
	}
	f := e.formats[at]
	text, err := use.Write(f.ID, e.given, e.options(true))
	e.text, e.made = text, err == nil
	e.out.Objects = []fyne.CanvasObject{wrapped(f.For, looks.Text2)}
	if err != nil {
		e.out.Add(problemNote(err))
		e.show()
		return
	}
	if f.File != "" {
		e.out.Add(wrapped(lang.T("use.file", f.File), looks.Text2))
	}
	e.out.Add(container.NewStack(newFill(looks.Stripe, 8), padded(12, 12, 12, 12, selectable(lined(text.Body.Reveal())))))
	e.out.Add(container.NewHBox(
		e.a.mainButton(lang.T("button.copyplain"), theme.ContentCopyIcon(), e.copy),
		e.a.button(lang.T("button.savefile"), theme.DocumentSaveIcon(), e.save)))
	for _, w := range text.Warnings {
		e.out.Add(note(w, looks.WarnSubtle, looks.WarnText))
	}
	for _, file := range text.Files {
		e.out.Add(e.further(file))
	}
	if len(text.Left) > 0 {
		box := vbox(4, newLabel(lang.T("use.left"), 12, theme.ColorNameForeground, true))
		for _, l := range text.Left {
			box.Add(wrapped(connectors.Clean(l, 300), looks.Text2))
		}
		e.out.Add(box)
	}
	e.show()
}

func (e *elsewhere) show() {
	e.out.Refresh()
	e.moved()
}

func (e *elsewhere) holdsSecret() bool { return e.text.Format.Clear && e.mode.SelectedIndex() == 2 }

func (e *elsewhere) copy() {
	if e.holdsSecret() {
		e.a.copySecret(e.text.Body.Reveal())
		return
	}
	e.a.clip(e.text.Body.Reveal())
}

func (e *elsewhere) save() {
	e.a.saveFile(fileName(e.text.Format.File, e.text.Format.ID), []byte(e.text.Body.Reveal()), e.holdsSecret(), nil)
}

// fileName is the last part of where a file belongs: "config" of "~/.ssh/config".
func fileName(path, otherwise string) string {
	parts := []rune(path)
	if i := slices.Index(parts, ' '); i >= 0 {
		parts = parts[:i]
	}
	for i := len(parts) - 1; i >= 0; i-- {
		if parts[i] == '/' || parts[i] == '\\' {
			parts = parts[i+1:]
			break
		}
	}
	if len(parts) == 0 {
		return otherwise + ".txt"
	}
	return string(parts)
}

// further is a key or certificate file that the text names.
func (e *elsewhere) further(f use.File) fyne.CanvasObject {
	save := e.a.button(lang.T("button.savefile"), theme.DocumentSaveIcon(), func() { e.a.saveFile(f.Name, []byte(f.Body.Reveal()), f.Mode&0o077 == 0, nil) })
	return newDock(nil, nil, nil, vbox(0, save), padded(8, 0, 0, 8, wrapped(lang.T("use.names", f.Name), looks.Text2)))
}

package gui

import (
	"context"
	"errors"
	"io"
	"os"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// mostRead is how much of a chosen or dropped file is read.
const mostRead = 16 << 20

// The width of a page's text: longer lines are hard to follow.
const pageWidth = 760

// toolPage is a page of the program that belongs to no connection.
type toolPage struct {
	a    *App
	root *fyne.Container
	body *fyne.Container
	page *page
	view *container.Scroll
}

func newToolPage(a *App, head, text string, body *fyne.Container) *toolPage {
	t := &toolPage{a: a, body: body}
	top := vbox(6, title(head), wrapped(text, looks.Text2))
	t.page = newPage(container.New(bounded(pageWidth), padded(8, 40, 40, 40, body)))
	t.view = container.NewVScroll(t.page)
	t.root = newDock(container.New(bounded(pageWidth), padded(32, 8, 40, 40, top)), nil, nil, nil, t.view)
	return t
}

// moved lays the page out after a part of it has grown, shrunk or gone.
func (t *toolPage) moved() { settle(t.page, t.view) }

// settle lays out what scrolls, anew from the leaves up.
func settle(p *page, view *container.Scroll) {
	for range 2 { // the second round is for text that wraps: its height follows its new width
		relayout(p.inner)
		view.Refresh()
	}
}

// copyable is text to send to somebody.
func (a *App) copyable(text string) fyne.CanvasObject {
	b := a.button("", theme.ContentCopyIcon(), func() { a.clip(text) })
	return container.NewStack(newFill(looks.Stripe, 6), padded(6, 6, 10, 6, newDock(nil, nil, nil, vbox(0, b), padded(6, 0, 0, 6, selectable(lined(text))))))
}

// showPage puts a page in the place of the form, after asking where changes
// would be lost.
func (a *App) showPage(t *toolPage, focus fyne.Focusable) {
	a.leave(func() {
		a.side.selected = ""
		a.side.refresh()
		a.show(t.root)
		t.moved()
		if focus != nil {
			a.win.Canvas().Focus(focus)
		}
	})
}

// bounded keeps what it lays out from growing wider than that.
type bounded float32

// Layout implements fyne.Layout.
func (b bounded) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range o {
		x.Move(fyne.NewPos(0, 0))
		x.Resize(fyne.NewSize(min(s.Width, float32(b)+80), s.Height))
	}
}

// MinSize implements fyne.Layout.
func (b bounded) MinSize(o []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, x := range o {
		s = s.Max(x.MinSize())
	}
	return s
}

// card is a part of a page.
func card(o fyne.CanvasObject) *fyne.Container {
	back := newFill(looks.Surface, 10)
	back.stroke = looks.Border
	return container.NewStack(back, padded(16, 16, 16, 16, o))
}

// labelled is an input with its name above it.
func labelled(name string, o fyne.CanvasObject) *fyne.Container {
	return vbox(4, newLabel(name, 12, theme.ColorNameForeground, true), o)
}

// note is a sentence in a coloured box.
func note(text string, back, front fyne.ThemeColorName) *fyne.Container {
	return container.NewStack(newFill(back, 8), padded(10, 10, 12, 12, flush(prose(text, front, theme.SizeNameText))))
}

// problemNote is a failure in words, with what to do next.
func problemNote(err error) *fyne.Container {
	p := lang.Explain(err)
	return note(p.Title+" "+p.Hint, looks.WarnSubtle, looks.WarnText)
}

// dotted is a part of a page with a dot that says how it stands.
func dotted(dot fyne.ThemeColorName, o fyne.CanvasObject) *fyne.Container {
	d := newFill(dot, 4)
	d.least = fyne.NewSize(8, 8)
	return newDock(nil, nil, padded(5, 0, 0, 10, vbox(0, d)), nil, o)
}

// field is an entry of a page.
func (a *App) field(placeholder string, secret bool) *entry {
	e := newEntry(false, secret)
	e.keys, e.window = &a.keys, a.windowKey
	e.SetPlaceHolder(placeholder)
	if secret {
		e.copied = func(c fyne.Clipboard) { a.copied(c, secretStays) }
	}
	return e
}

// textField is an entry of several lines.
func (a *App) textField(placeholder string, rows int) *entry {
	e := newEntry(true, false)
	e.keys, e.window = &a.keys, a.windowKey
	e.SetPlaceHolder(placeholder)
	e.SetMinRowsVisible(rows)
	return e
}

func (a *App) button(text string, icon fyne.Resource, tap func()) *keyButton {
	return newKeyButton(text, icon, tap, a.windowKey)
}

func (a *App) mainButton(text string, icon fyne.Resource, tap func()) *keyButton {
	b := a.button(text, icon, tap)
	b.Importance = widget.HighImportance
	return b
}

// copySecret copies what may hold a secret; it goes from the clipboard by itself.
func (a *App) copySecret(text string) {
	clip := a.o.App.Clipboard()
	clip.SetContent(text)
	a.copied(clip, secretStays)
	a.toasts.say(lang.T("toast.copiedsecret"), false)
}

// Files asks for files with the system's own dialogs. Both return "" where the
// person chose none, and ok is false where the system has no dialog.
type Files interface {
	Open(ctx context.Context, title string) (path string, ok bool, err error)
	Save(ctx context.Context, title, name string) (path string, ok bool, err error)
}

type picked struct {
	path string
	ok   bool
}

// system asks with the system's dialog, and with the toolkit's where there is none.
func (a *App) system(ask func(ctx context.Context) (string, bool, error), then func(path string), toolkit func()) {
	task.Run(a.r, func(ctx context.Context) (picked, error) {
		path, ok, err := ask(ctx)
		return picked{path, ok}, err
	}, func(p picked, err error) {
		switch {
		case err != nil || !p.ok:
			if err != nil {
				a.o.Log.Warn("file dialog", "error", err)
			}
			toolkit()
		case p.path != "":
			then(p.path)
		}
	})
}

// openFile lets the person choose a file.
func (a *App) openFile(then func(fyne.URIReadCloser)) {
	read := func(f fyne.URIReadCloser, err error) {
		if err != nil {
			a.toasts.say(lang.T("form.unreadable"), true)
			return
		}
		if f == nil {
			return
		}
		defer func() { _ = f.Close() }()
		then(f)
	}
	// The toolkit's dialog is resized after it is shown: before that it would crash
	// (fyne 2.8.1, FileDialog.MinSize).
	toolkit := func() {
		d := dialog.NewFileOpen(read, a.win)
		d.Show()
		d.Resize(dialogSize())
	}
	if a.o.Files == nil {
		toolkit()
		return
	}
	a.system(func(ctx context.Context) (string, bool, error) { return a.o.Files.Open(ctx, lang.T("form.file")) },
		func(path string) { read(storage.Reader(storage.NewFileURI(path))) }, toolkit)
}

func dialogSize() fyne.Size { return fyne.NewSize(800, 560) }

// chooseFile lets the person choose a file and reads it.
func (a *App) chooseFile(then func(name string, data []byte)) {
	a.openFile(func(f fyne.URIReadCloser) {
		data, err := io.ReadAll(io.LimitReader(f, mostRead+1))
		if err != nil {
			a.toasts.say(lang.T("form.unreadable"), true)
			return
		}
		then(f.URI().Name(), data)
	})
}

// saveFile lets the person choose where to write data. A secret is written to a
// file that only this user can read.
func (a *App) saveFile(name string, data []byte, secret bool, then func()) {
	write := func(f fyne.URIWriteCloser, err error) {
		if err != nil {
			a.tell(&connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err})
			return
		}
		if f == nil {
			return
		}
		path := f.URI().Path()
		if secret {
			err = os.Chmod(path, 0o600)
		}
		if err == nil {
			_, err = f.Write(data)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			a.tell(&connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err})
			return
		}
		a.toasts.say(lang.T("toast.written", connectors.Clean(path, 200)), false)
		if then != nil {
			then()
		}
	}
	toolkit := func() {
		d := dialog.NewFileSave(write, a.win)
		d.SetFileName(name)
		d.Show()
		d.Resize(dialogSize())
	}
	if a.o.Files == nil {
		toolkit()
		return
	}
	a.system(func(ctx context.Context) (string, bool, error) {
		return a.o.Files.Save(ctx, lang.T("form.saveas"), name)
	},
		func(path string) { write(storage.Writer(storage.NewFileURI(path))) }, toolkit)
}

// Package gui is the window.
package gui

import (
	"context"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// Book is what the window needs of link.Book.
type Book interface {
	Types() []connectors.Type
	Type(id string) (connectors.Type, error)
	List(ctx context.Context) ([]link.Connection, error)
	Create(ctx context.Context, d link.Draft) (link.Connection, error)
	CreateAll(ctx context.Context, drafts []link.Draft) ([]link.Connection, error)
	Save(ctx context.Context, id string, d link.Draft) (link.Connection, error)
	Copy(ctx context.Context, id, name string) (link.Connection, error)
	Rename(ctx context.Context, id, name string) (link.Connection, error)
	Delete(ctx context.Context, id string) error
	FreeName(ctx context.Context, base string) string
	Link(ctx context.Context, id string, w link.Watcher) *link.Result
	Try(ctx context.Context, typeID string, s connectors.Settings, w link.Watcher) *link.Result
	Choices(ctx context.Context, typeID, id string, s connectors.Settings, field string, w link.Watcher) ([]connectors.Option, error)
	Practice(ctx context.Context, list []link.PracticeDraft, add bool) ([]link.Connection, error)
	CanLend(t connectors.Type, f connectors.Field, c link.Connection) bool
	CheckDependents(ctx context.Context, id string, w link.Watcher, done func(link.Connection, *link.Result) bool) ([]link.Connection, error)
	Changes(ctx context.Context) <-chan struct{}
	Get(ctx context.Context, id string) (link.Connection, error)
	Settings(ctx context.Context, id string) (connectors.Settings, error)
	Whole(ctx context.Context, id string) (connectors.Settings, error)
	Forget(ctx context.Context, id string) error
	SetDate(ctx context.Context, id, field string, day time.Time) (link.Connection, error)
	Open(ctx context.Context, id string, w link.Watcher) (connectors.Session, error)
}

// Options are what the window stands on.
type Options struct {
	App      fyne.App
	Book     Book
	Runner   *task.Runner                                            // nil: the toolkit's
	Practice func(ctx context.Context) ([]link.PracticeDraft, error) // starts the services, once; nil: none
	OpenURL  func(ctx context.Context, url string) error
	Log      *slog.Logger
	Desk     func() (*handover.Desk, error)  // where the person's requests lie; nil: none can be made
	Prefs    PrefStore                       // nil: nothing is remembered
	Files    Files                           // nil: the toolkit's dialogs
	Help     fs.FS                           // the guide's chapters, as *.md; nil: those of the types alone
	Desktop  Desktop                         // nil: nothing can be asked of the system
	Lock     func()                          // forgets the key of what is stored, when the window is locked; nil: nothing is forgotten
	Unlock   func(ctx context.Context) error // asks for it again; nil: nobody is asked
	Health   *health.Board                   // nil: there is no board
	Unusable []string                        // the person's catalogue files that cannot be used, and why: told in the gallery
}

// App is the window and what it shows.
type App struct {
	o       Options
	r       *task.Runner
	win     fyne.Window
	list    []link.Connection
	side    *sidebar
	centre  *fyne.Container // gallery, welcome or the work place
	form    *formPane
	preview *previewPane
	work    *workplace
	stop    context.CancelFunc
	ctx     context.Context
	toasts  *toast
	shell   *shell
	keys    fyne.ShortcutHandler // the window's shortcuts, for entries that have the focus

	book       *worded // o.Book, in the window's language
	prefs      Prefs
	idle       idle
	health     *healthDesk
	ends       *expiryWatch
	leaving    bool
	started    bool
	given      []string          // what is to be opened once the first page is shown
	unlocks    func()            // what waits for the window to be unlocked; may be nil
	lockNote   *label            // why a locked window stays so
	locked     fyne.CanvasObject // the content of a locked window
	saving     sync.Mutex        // of the preferences
	doomed     []*doomed         // deleted, and can still be had back
	destroying []string          // being deleted
	secret     *copiedSecret     // the last one on the clipboard
	answering  *answering        // a request that is being answered
	practising bool              // the practice services were started, or could not be
}

// typeOf finds a connection's type.
func (a *App) typeOf(id string) (connectors.Type, bool) {
	t, err := a.o.Book.Type(id)
	return t, err == nil
}

// New makes the window; Show opens it.
func New(o Options) *App {
	if o.Runner == nil {
		o.Runner = task.New()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	a := &App{o: o, r: o.Runner}
	a.book = &worded{Book: o.Book, types: map[string]connectors.Type{}}
	a.o.Book = a.book
	a.recall()
	a.useLanguage()
	if a.prefs.Theme != "" {
		a.dress()
	}
	a.ctx, a.stop = context.WithCancel(context.Background())
	a.win = o.App.NewWindow(lang.T("app.title"))
	a.win.SetPadded(false)
	a.win.Resize(a.prefs.size())
	a.health = newHealthDesk(a)
	a.ends = newExpiryWatch(a, func() { a.side.showEnds() })
	a.build()
	a.shortcuts()
	a.win.SetCloseIntercept(a.closed)
	a.win.SetOnDropped(a.dropped)
	return a
}

// Window is the toolkit's window.
func (a *App) Window() fyne.Window { return a.win }

// Show opens the window and loads the connections.
func (a *App) Show() {
	a.win.Show()
	a.Start()
}

// Start loads the connections and follows their changes.
func (a *App) Start() {
	a.reload(func() {
		switch _, last := a.connection(a.prefs.Last); {
		case len(a.list) == 0:
			a.showWelcome()
		case last:
			a.selectConnection(a.prefs.Last)
		default:
			a.selectConnection(a.list[0].ID)
		}
		a.started = true
		if a.given != nil {
			a.Given(a.given)
		}
	})
	a.watchIdle()
	a.health.schedule()
	ticks := a.o.Book.Changes(a.ctx)
	task.Run(a.r, func(context.Context) (struct{}, error) {
		for range ticks {
			a.r.Do(func() { a.reload(nil) })
		}
		return struct{}{}, nil
	}, func(struct{}, error) {})
}

func (a *App) quit() {
	if !a.leaving {
		a.leaving = true
		a.lastWill(a.end)
	}
}

func (a *App) end() {
	a.leftBehind()
	a.health.close()
	a.ends.close()
	a.stop()
	a.forgetSecret()
	if a.preview != nil {
		a.preview.close()
	}
	a.win.SetCloseIntercept(nil)
	a.win.Close()
}

// reload reads the list again; then may be nil.
func (a *App) reload(then func()) {
	task.Run(a.r, func(ctx context.Context) ([]link.Connection, error) { return a.o.Book.List(ctx) },
		func(list []link.Connection, err error) {
			if err != nil {
				a.tell(err)
			}
			a.list = a.visible(list)
			a.side.refresh()
			a.health.listed()
			a.ends.refresh()
			if then != nil {
				then()
			}
		})
}

func (a *App) connection(id string) (link.Connection, bool) {
	for _, c := range a.list {
		if c.ID == id {
			return c, true
		}
	}
	return link.Connection{}, false
}

// tell shows a failure that belongs to no form.
func (a *App) tell(err error) {
	p := lang.Explain(err)
	if p != nil && p.Code != connectors.Cancelled {
		a.toasts.say(p.Title+" "+p.Hint, true)
	}
}

// leave goes on to next, after asking where changes would be lost.
func (a *App) leave(next func()) {
	if a.form == nil || !a.form.dirty() {
		next()
		return
	}
	a.question(question{title: lang.T("close.title"), text: padded(4, 12, 0, 0, widget.NewLabel(lang.T("close.text"))), yes: lang.T("close.drop"), no: lang.T("button.back"), danger: true, answer: func(drop bool) {
		if drop {
			next()
		}
	}}).Show()
}

func (a *App) show(o fyne.CanvasObject) {
	a.shell.show(false)
	if a.form != nil {
		a.form.close()
		a.form = nil
	}
	if a.preview != nil {
		a.preview.close()
		a.preview = nil
	}
	a.centre.Objects = []fyne.CanvasObject{o}
	a.centre.Refresh()
}

func (a *App) showWelcome() {
	a.side.selected = ""
	a.side.refresh()
	card := func(icon fyne.Resource, head, text string, tap func()) *pressable {
		mark := container.NewHBox(container.NewStack(fixed(36, 36, newFill(looks.AccentBack, 8)), container.NewCenter(widget.NewIcon(icon))))
		p := newPressable(looks.Surface, 10, padded(20, 20, 20, 20, vbox(12, mark, strong(head), wrapped(text, looks.Text2))), tap)
		p.look()
		return p
	}
	fresh := card(theme.ContentAddIcon(), lang.T("welcome.new"), lang.T("welcome.newtext"), func() { a.showGallery() })
	cards := hbox(16, fixed(302, 0, fresh))
	if a.o.Practice != nil {
		cards.Add(fixed(302, 0, card(theme.MediaPlayIcon(), lang.T("welcome.practice"), lang.T("welcome.practicetext"), a.startPractice)))
	}
	fresh.look()
	paste := a.button(lang.T("welcome.paste"), theme.ContentPasteIcon(), func() { a.showPaste(nil) })
	paste.Importance = widget.LowImportance
	centre := vbox(6, title(lang.T("welcome.title")), secondary(lang.T("welcome.text")), fixed(1, 14, newFill("", 0)), cards, container.NewHBox(paste))
	a.show(container.NewCenter(fixed(620, 0, centre)))
	a.win.Canvas().Focus(fresh)
}

func (a *App) showGallery() {
	a.leave(func() {
		a.side.selected = ""
		a.side.refresh()
		g := newGallery(a)
		a.show(g.root)
		a.win.Canvas().Focus(g.search)
	})
}

// selectConnection opens a saved connection.
func (a *App) selectConnection(id string) {
	if a.form != nil && a.form.id == id && id != "" {
		a.shell.show(false)
		return
	}
	a.leave(func() {
		c, ok := a.connection(id)
		if !ok {
			return
		}
		if c.Practice && !a.practising && a.o.Practice != nil {
			a.runPractice(false, func([]link.Connection) { a.selectConnection(id) })
			return
		}
		t, err := a.o.Book.Type(c.Type)
		if err != nil {
			a.tell(err)
			return
		}
		a.side.selected = id
		a.side.refresh()
		a.change(func(p *Prefs) { p.Last = id })
		a.open(t, c)
	})
}

// newConnection opens an empty form.
func (a *App) newConnection(t connectors.Type) {
	a.side.selected = ""
	a.side.refresh()
	a.open(t, link.Connection{Type: t.ID, Name: a.o.Book.FreeName(a.ctx, t.Name), Plain: t.Form.Defaults().Plain, State: link.Prepared})
}

func (a *App) open(t connectors.Type, c link.Connection) {
	form, preview := newFormPane(a, t, c), newPreviewPane(a, t)
	s := a.sideBySide(form.root, preview.root)
	wide := container.NewStack(s.box)
	a.work = &workplace{a: a, form: form.root, preview: preview.root, wide: wide}
	a.show(container.New(a.work, wide))
	a.form, a.preview = form, preview
	if c.State == link.OK || c.State == link.Partial {
		form.link()
	} else {
		preview.prepare(c)
		form.focusFirst()
	}
}

func (a *App) shortcuts() {
	add := func(key fyne.KeyName, act func()) {
		do := func() {
			if a.locked == nil && a.win.Canvas().Overlays().Top() == nil { // a question is answered first
				act()
			}
		}
		shortcut := &desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}
		a.keys.AddShortcut(shortcut, func(fyne.Shortcut) { do() })
		a.win.Canvas().AddShortcut(shortcut, func(fyne.Shortcut) { do() })
	}
	add(fyne.KeyN, a.showGallery)
	add(fyne.KeyF, a.findConnection)
	add(fyne.KeyK, a.showPalette)
	add(fyne.KeyComma, a.showSettings)
	add(fyne.KeyS, func() {
		if a.form != nil {
			a.form.save(nil)
		}
	})
	add(fyne.KeyReturn, func() {
		if a.form != nil {
			a.form.link()
		}
	})
	// Where no field has the focus, what is pasted is for the window itself.
	a.win.Canvas().AddShortcut(&fyne.ShortcutPaste{}, func(fyne.Shortcut) { a.pasted() })
	a.win.Canvas().AddShortcut(&fyne.ShortcutUndo{}, func(fyne.Shortcut) { a.undoDelete() })
	a.win.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { a.windowKey(e) })
}

// workplace shows form and preview side by side, or as two tabs where the
// window is narrow.
type workplace struct {
	a             *App
	form, preview fyne.CanvasObject
	wide          *fyne.Container
	tabs          *container.AppTabs // nil: side by side
}

// look turns to the preview or to the form, where they are tabs.
func (w *workplace) look(preview bool) {
	switch {
	case w.tabs == nil:
	case preview:
		w.tabs.SelectIndex(1)
	default:
		w.tabs.SelectIndex(0)
	}
}

// narrow is the width of form and preview together below which they become tabs.
const narrow = 1100 - 268

// Layout implements fyne.Layout.
func (w *workplace) Layout(o []fyne.CanvasObject, s fyne.Size) {
	if tabs := s.Width < narrow; tabs != (w.tabs != nil) {
		w.tabs = nil
		if tabs {
			w.tabs = container.NewAppTabs(container.NewTabItem(lang.T("tab.form"), w.form), container.NewTabItem(lang.T("tab.preview"), w.preview))
			w.wide.Objects = []fyne.CanvasObject{w.tabs}
		} else {
			w.wide.Objects = []fyne.CanvasObject{w.a.sideBySide(w.form, w.preview).box}
		}
	}
	o[0].Resize(s)
	o[0].Move(fyne.NewPos(0, 0))
}

// MinSize implements fyne.Layout.
func (w *workplace) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(380, 300) }

package gui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// sidebar lists the connections.
type sidebar struct {
	a        *App
	root     *fyne.Container
	search   *entry
	list     *keyList
	ahead    typeAhead
	shown    []link.Connection
	count    *label
	footer   *label
	empty    *label
	selected string
	ends     *keyButton
	passive  bool // the selection follows the program, not the person
}

func newSidebar(a *App) *sidebar {
	s := &sidebar{a: a, count: newLabel("0", 11.5, looks.Text2, true), footer: secondary(""), empty: secondary(lang.T("sidebar.empty"))}
	s.search = newEntry(false, false)
	s.search.keys = &a.keys
	s.search.window = func(e *fyne.KeyEvent) bool {
		if e.Name == fyne.KeyDown {
			a.win.Canvas().Focus(s.list)
			return true
		}
		return a.windowKey(e)
	}
	s.search.OnSubmitted = func(string) {
		if len(s.shown) > 0 {
			a.selectConnection(s.shown[0].ID)
		}
	}
	s.search.SetPlaceHolder(lang.T("sidebar.search"))
	s.search.Icon = theme.SearchIcon()
	s.search.OnChanged = func(string) { s.refresh() }
	add := widget.NewButtonWithIcon("", theme.ContentAddIcon(), a.showGallery)
	add.Importance = widget.LowImportance
	badge := container.NewStack(newFill(looks.IdleSubtle, 9), padded(2, 2, 8, 8, fixed(16, 14, s.count)))
	s.count.align = fyne.TextAlignCenter
	head := container.NewBorder(nil, nil, hbox(8, fixed(92, 0, heading(lang.T("sidebar.title"))), container.NewCenter(badge)), container.NewHBox(s.sortButton(), add))
	s.list = &keyList{window: s.key, typed: s.find}
	s.list.Length = func() int { return len(s.shown) }
	s.list.CreateItem = func() fyne.CanvasObject { return newRow() }
	s.list.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) { o.(*row).fill(s, s.shown[i]) }
	s.list.HideSeparators = true
	s.list.ExtendBaseWidget(s.list)
	s.list.OnSelected = func(i widget.ListItemID) {
		if !s.passive && i < len(s.shown) {
			a.selectConnection(s.shown[i].ID)
		}
	}
	s.empty.align = fyne.TextAlignCenter
	top := vbox(0, padded(10, 8, 16, 10, head), padded(0, 8, 12, 12, s.search))
	bottom := vbox(0, hairline(), padded(6, 6, 8, 8, s.tools()), hairline(), padded(8, 0, 16, 16, s.footer), padded(0, 4, 8, 8, s.corner()))
	s.root = container.NewStack(newFill(looks.Sidebar, 0), newDock(top, bottom, nil, nil, container.NewStack(s.list, container.NewCenter(fixed(200, 16, s.empty)))))
	return s
}

// corner has what belongs to the program: the palette, which says how to open it
// without the mouse, the settings and the guide.
func (s *sidebar) corner() fyne.CanvasObject {
	row := hbox(0)
	for _, b := range []*keyButton{
		s.a.button(chord("K"), nil, s.a.showPalette),
		s.a.button("", theme.SettingsIcon(), s.a.showSettings),
		s.a.button("", theme.HelpIcon(), s.a.showHelp),
	} {
		b.Importance = widget.LowImportance
		row.Add(b)
	}
	return row
}

// tools lead to the pages that belong to no connection.
func (s *sidebar) tools() fyne.CanvasObject {
	box := vbox(0)
	add := func(word string, icon fyne.Resource, open func()) *keyButton {
		b := s.a.button(lang.T(word), icon, open)
		b.Importance, b.Alignment = widget.LowImportance, widget.ButtonAlignLeading
		box.Add(b)
		return b
	}
	if s.a.o.Health != nil {
		add("sidebar.health", theme.ListIcon(), s.a.showBoard)
	}
	s.ends = add("sidebar.ends", theme.HistoryIcon(), s.a.showExpiry)
	add("sidebar.paste", theme.ContentPasteIcon(), func() { s.a.showPaste(nil) })
	add("sidebar.keys", theme.DocumentIcon(), func() { s.a.showKeys(nil) })
	add("sidebar.handover", theme.MailSendIcon(), s.a.showHandover)
	return box
}

// showEnds says how much ends soon.
func (s *sidebar) showEnds() {
	text := lang.T("sidebar.ends")
	if n := s.a.ends.expiring(soon); n > 0 {
		text = lang.N("sidebar.endssoon", n)
	}
	if s.ends.Text != text {
		s.ends.SetText(text)
	}
}

// refresh shows the app's list, filtered.
func (s *sidebar) refresh() {
	want := strings.ToLower(strings.TrimSpace(s.search.Text))
	s.shown = s.shown[:0]
	linked, attention := 0, 0
	for _, c := range s.a.list {
		switch c.State {
		case link.OK, link.Partial:
			linked++
		case link.Failed:
			attention++
		}
		t, _ := s.a.typeOf(c.Type)
		if want == "" || strings.Contains(strings.ToLower(c.Name+" "+t.Name+" "+t.Place(c.Plain)+" "+c.Description), want) {
			s.shown = append(s.shown, c)
		}
	}
	sorted(s.shown, s.order(), s.a.typeOf)
	s.count.set(fmt.Sprint(len(s.a.list)))
	words := lang.T("sidebar.linked", linked)
	if attention > 0 {
		words += " · " + lang.N("sidebar.attention", attention)
	}
	s.footer.set(words)
	s.empty.Hidden = len(s.shown) > 0
	s.empty.set(lang.T("sidebar.empty"))
	if len(s.a.list) > 0 {
		s.empty.set(lang.T("sidebar.nomatch"))
	}
	s.list.Refresh()
	s.passive = true
	defer func() { s.passive = false }()
	i := slices.IndexFunc(s.shown, func(c link.Connection) bool { return c.ID == s.selected })
	if i < 0 {
		s.list.UnselectAll()
		return
	}
	s.list.Select(i)
}

// key does what a key does in the list.
func (s *sidebar) key(e *fyne.KeyEvent) bool {
	if c, ok := s.a.connection(s.selected); ok && e.Name == fyne.KeyDelete {
		s.a.delete(c)
		return true
	}
	return s.a.windowKey(e)
}

// find selects the connection whose name starts with what is typed.
func (s *sidebar) find(r rune) {
	at := slices.IndexFunc(s.shown, func(c link.Connection) bool { return c.ID == s.selected })
	if i := s.ahead.next(r, at, len(s.shown), func(i int) string { return s.shown[i].Name }); i >= 0 {
		s.list.Select(i)
	}
}

// row is one connection.
type row struct {
	widget.BaseWidget
	box         *fyne.Container
	tileHolder  *fyne.Container
	name, below *label
	dot         *fill
	c           link.Connection
	s           *sidebar
}

func newRow() *row {
	r := &row{name: strong(""), below: secondary(""), dot: newFill(looks.Idle, 4)}
	r.dot.least = fyne.NewSize(8, 8)
	r.tileHolder = container.NewStack(tile("", 0))
	words := vbox(1, r.name, r.below)
	r.box = padded(3, 3, 6, 6, newDock(nil, nil, padded(2, 2, 2, 10, container.NewCenter(r.tileHolder)), container.NewCenter(padded(0, 0, 8, 2, r.dot)), padded(4, 4, 0, 0, words)))
	r.ExtendBaseWidget(r)
	return r
}

func (r *row) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }
func (r *row) MinSize() fyne.Size                  { return fyne.NewSize(150, 46) }

func (r *row) fill(s *sidebar, c link.Connection) {
	t, ok := s.a.typeOf(c.Type)
	r.s, r.c = s, c
	r.name.set(connectors.Clean(c.Name, 100))
	where := t.Name
	if place := t.Place(c.Plain); place != "" {
		where += " · " + place
	}
	if !ok {
		where = c.Type
	}
	if c.Practice {
		where = lang.T("sidebar.practice") + " · " + where
	}
	r.below.set(connectors.Clean(where, 120))
	look := lookOf(c.State)
	if r.dot.color != look.dot {
		r.dot.color = look.dot
		r.dot.Refresh()
	}
	r.tileHolder.Objects = []fyne.CanvasObject{typeTile(t)}
	r.tileHolder.Refresh()
}

// Tapped selects: a row that answers the secondary button takes both from the list.
func (r *row) Tapped(*fyne.PointEvent) {
	if r.s != nil {
		r.s.a.selectConnection(r.c.ID)
	}
}

// TappedSecondary opens the row's menu.
func (r *row) TappedSecondary(e *fyne.PointEvent) {
	if r.s == nil {
		return
	}
	widget.ShowPopUpMenuAtPosition(r.s.a.menu(r.c), r.s.a.win.Canvas(), e.AbsolutePosition)
}

// menu is what can be done with a connection.
func (a *App) menu(c link.Connection) *fyne.Menu {
	return fyne.NewMenu("",
		fyne.NewMenuItem(lang.T("button.duplicate"), func() { a.copy(c) }),
		fyne.NewMenuItem(lang.T("button.rename"), func() { a.rename(c) }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(lang.T("report.menu"), func() { a.showReport(c) }),
		fyne.NewMenuItem(lang.T("report.menucompare"), func() { a.showCompare(c) }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(lang.T("button.elsewhere"), func() { a.showUse(c) }),
		fyne.NewMenuItem(lang.T("button.seal"), func() { a.showSeal([]string{c.ID}) }),
		fyne.NewMenuItem(lang.T("button.ask"), func() { a.showAsk(c) }),
		fyne.NewMenuItem(lang.T("button.profile"), func() { a.copyProfile(c) }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(lang.T("button.delete"), func() { a.delete(c) }))
}

func (a *App) copy(c link.Connection) {
	task.Run(a.r, func(ctx context.Context) (link.Connection, error) {
		return a.o.Book.Copy(ctx, c.ID, a.o.Book.FreeName(ctx, c.Name))
	}, func(made link.Connection, err error) {
		if err != nil {
			a.tell(err)
			return
		}
		a.reload(func() { a.selectConnection(made.ID) })
	})
}

func (a *App) rename(c link.Connection) {
	name := newEntry(false, false)
	name.SetText(c.Name)
	a.question(question{title: lang.T("rename.title"), text: fixed(360, 0, padded(4, 12, 0, 0, oneLined(name))), yes: lang.T("button.rename"), no: lang.T("button.cancel"), entry: name, answer: func(yes bool) {
		if !yes {
			return
		}
		text := name.Text
		task.Run(a.r, func(ctx context.Context) (link.Connection, error) { return a.o.Book.Rename(ctx, c.ID, text) }, func(got link.Connection, err error) {
			if err != nil {
				a.tell(err)
				return
			}
			if a.form != nil && a.form.id == got.ID {
				a.form.renamed(got.Name)
			}
			a.reload(nil)
		})
	}}).Show()
}

// delete takes a connection away, after a question only where others need it: it
// can be had back for a while.
func (a *App) delete(c link.Connection) {
	signIn, through := link.UsedBy(a.list, c.ID)
	if len(signIn)+len(through) == 0 {
		a.deleteSoon(c)
		return
	}
	words := lang.T("delete.used", connectors.Clean(c.Name, 80), namesOf(append(signIn, through...)))
	a.question(question{title: lang.T("delete.title"), text: fixed(420, 96, wrappedText(words)), yes: lang.T("button.delete"), no: lang.T("button.cancel"), danger: true, answer: func(yes bool) {
		if yes {
			a.deleteSoon(c)
		}
	}}).Show()
}

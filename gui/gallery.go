package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// gallery shows the types in groups and finds them by what people call them.
type gallery struct {
	a      *App
	root   *fyne.Container
	search *entry
	body   *fyne.Container
	cards  []*pressable
}

const cardWidth, cardHeight, cardGap = 300, 74, 12

func newGallery(a *App) *gallery {
	g := &gallery{a: a, body: vbox(8)}
	g.search = newEntry(false, false)
	g.search.keys = &a.keys
	g.search.Icon = theme.SearchIcon()
	g.search.SetPlaceHolder(lang.T("gallery.search", len(a.o.Book.Types())))
	g.search.OnChanged = func(string) { g.fill() }
	g.search.OnSubmitted = func(string) {
		if len(g.cards) > 0 {
			g.cards[0].Tapped(nil)
		}
	}
	paste := a.button(lang.T("sidebar.paste"), theme.ContentPasteIcon(), func() { a.showPaste(nil) })
	paste.Importance = widget.LowImportance
	search := container.NewHBox(fixed(480, 0, g.search), paste)
	if a.o.Practice != nil {
		try := widget.NewButtonWithIcon(lang.T("gallery.practice"), theme.MediaPlayIcon(), a.startPractice)
		try.Importance = widget.LowImportance
		search.Add(try)
	}
	head := vbox(6, title(lang.T("gallery.title")), secondary(lang.T("gallery.text")), fixed(1, 4, newFill("", 0)), search)
	if len(a.o.Unusable) > 0 {
		head.Add(g.notice())
	}
	g.root = newDock(padded(32, 12, 40, 40, head), nil, nil, nil, container.NewVScroll(padded(0, 40, 40, 40, g.body)))
	g.fill()
	return g
}

// matches finds by name, summary, keywords and id; every word has to be found.
func matches(t connectors.Type, want string) bool {
	text := strings.ToLower(t.ID + " " + t.Name + " " + t.Summary + " " + strings.Join(t.Keywords, " ") + " " + lang.T("group."+string(t.Group)))
	for _, word := range strings.Fields(strings.ToLower(want)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

func (g *gallery) fill() {
	g.cards = nil
	var sections []fyne.CanvasObject
	for _, group := range connectors.Groups() {
		grid := container.New(wrapGrid{cardWidth, cardHeight, cardGap})
		for _, t := range g.a.o.Book.Types() {
			if t.Group == group && matches(t, g.search.Text) {
				grid.Add(g.card(t))
			}
		}
		if len(grid.Objects) > 0 {
			sections = append(sections, padded(10, 2, 0, 0, strong(lang.T("group."+string(group)))), grid)
		}
	}
	if len(sections) == 0 {
		sections = append(sections, padded(20, 0, 0, 0, secondary(lang.T("gallery.nomatch"))))
	}
	g.body.Objects = sections
	g.body.Refresh()
}

func (g *gallery) card(t connectors.Type) *pressable {
	var mark fyne.CanvasObject
	if t.Origin != "" {
		mark = padded(0, 0, 8, 6, badge(lang.T("gallery.own")))
	}
	words := vbox(2, newDock(nil, nil, nil, mark, strong(t.Name)), secondary(t.Summary))
	p := newPressable(looks.Surface, 10, padded(0, 0, 14, 12, newDock(nil, nil, padded(0, 0, 0, 12, container.NewCenter(typeTile(t))), nil, padded(18, 0, 0, 0, words))), func() { g.a.newConnection(t) })
	at := len(g.cards)
	p.onKey = func(e *fyne.KeyEvent) { g.move(at, e.Name) }
	p.look()
	g.cards = append(g.cards, p)
	return p
}

// mostUnusable is how many files the notice names.
const mostUnusable = 4

// notice names the person's catalogue files that cannot be used, until it is
// dismissed.
func (g *gallery) notice() fyne.CanvasObject {
	list := g.a.o.Unusable
	words := vbox(4, newLabel(lang.N("gallery.unusable", len(list)), 13, looks.WarnText, true))
	for _, file := range list[:min(len(list), mostUnusable)] {
		words.Add(wrapped(connectors.Clean(file, 300), theme.ColorNameForeground))
	}
	if more := len(list) - mostUnusable; more > 0 {
		words.Add(wrapped(lang.T("gallery.unusablemore", more), looks.Text2))
	}
	var out *fyne.Container
	gone := newKeyButton(lang.T("gallery.dismiss"), nil, func() {
		g.a.o.Unusable = nil
		out.Hide()
		g.root.Refresh()
		g.a.win.Canvas().Focus(g.search)
	}, g.a.windowKey)
	gone.Importance = widget.LowImportance
	out = padded(10, 0, 0, 0, container.NewStack(newFill(looks.WarnSubtle, 8), padded(12, 12, 12, 12, newDock(nil, nil, padded(0, 0, 0, 8, vbox(0, widget.NewIcon(theme.WarningIcon()))), vbox(0, gone), words))))
	return out
}

// move follows the arrow keys through the cards.
func (g *gallery) move(at int, key fyne.KeyName) {
	perRow := max(1, wrapGrid{cardWidth, cardHeight, cardGap}.columns(g.body.Size().Width))
	step := map[fyne.KeyName]int{fyne.KeyRight: 1, fyne.KeyLeft: -1, fyne.KeyDown: perRow, fyne.KeyUp: -perRow}[key]
	if key == fyne.KeyEscape || step != 0 && at+step < 0 {
		g.a.win.Canvas().Focus(g.search)
		return
	}
	if to := at + step; step != 0 && to < len(g.cards) {
		g.a.win.Canvas().Focus(g.cards[to])
	}
}

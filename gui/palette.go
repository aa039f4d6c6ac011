package gui

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// hit is a line of the palette.
type hit struct {
	name, more, note string
	text             string // lower case: what it is found by
	icon             fyne.Resource
	of               *connectors.Type // has its icon
	do               func()
}

// mostHits is how many are shown: nobody reads on, but types on.
const mostHits = 60

// palette finds any connection, action and type by what is typed.
type palette struct {
	a     *App
	over  *overlay
	entry *entry
	list  *keyList
	none  *label
	all   []hit
	shown []hit
	at    int
}

const paletteWidth, paletteRow = 620, 44

func (a *App) showPalette() {
	if a.locked != nil || a.win.Canvas().Overlays().Top() != nil { // a locked window names nothing
		return
	}
	p := &palette{a: a, all: a.hits(), none: secondary(lang.T("palette.none"))}
	p.entry = newEntry(false, false)
	p.entry.SetPlaceHolder(lang.T("palette.hint"))
	p.entry.Icon = theme.SearchIcon()
	p.entry.window = p.key
	p.entry.OnChanged = func(string) { p.find() }
	p.entry.OnSubmitted = func(string) { p.run() }
	p.list = &keyList{window: p.key, typed: func(rune) {}}
	p.list.Length = func() int { return len(p.shown) }
	p.list.CreateItem = func() fyne.CanvasObject { return newHitRow(p) }
	p.list.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < len(p.shown) {
			o.(*hitRow).fill(p.shown[i], i)
		}
	}
	p.list.HideSeparators = true
	p.list.ExtendBaseWidget(p.list)
	p.none.align = fyne.TextAlignCenter
	foot := padded(8, 8, 16, 16, secondary(lang.T("palette.keys")))
	body := newDock(vbox(0, padded(10, 10, 10, 10, oneLined(p.entry)), hairline()), vbox(0, hairline(), foot), nil, nil,
		container.NewStack(fixed(0, 8*paletteRow, padded(4, 4, 4, 4, p.list)), container.NewCenter(fixed(400, 16, p.none))))
	p.over = newOverlay(a, paletteWidth, body, nil)
	p.find()
	p.over.show(p.entry)
}

func (p *palette) key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape:
		p.over.close()
	case fyne.KeyDown:
		p.move(1)
	case fyne.KeyUp:
		p.move(-1)
	case fyne.KeyPageDown:
		p.move(7)
	case fyne.KeyPageUp:
		p.move(-7)
	case fyne.KeyF5, fyne.KeyTab:
	default:
		return false
	}
	return true
}

func (p *palette) move(by int) {
	if len(p.shown) > 0 {
		p.at = max(0, min(len(p.shown)-1, p.at+by))
		p.list.Refresh()
		p.list.ScrollTo(p.at)
	}
}

func (p *palette) run() {
	if p.at < len(p.shown) {
		p.take(p.shown[p.at])
	}
}

func (p *palette) take(h hit) {
	p.over.close()
	h.do()
}

func (p *palette) find() {
	p.shown = rank(p.all, p.entry.Text)
	p.at = 0
	p.none.Hidden = len(p.shown) > 0
	p.none.Refresh()
	p.list.Refresh()
	p.list.ScrollToTop()
}

// rank orders what has every word that was typed: names that start with it, then
// names with a word that does, then names that have it anywhere, then the rest.
// What was typed at nothing leaves the order as it is.
func rank(all []hit, typed string) []hit {
	words := strings.Fields(strings.ToLower(typed))
	var classes [4][]hit
	for _, h := range all {
		class := 0
		if len(words) > 0 {
			class = classOf(h, words)
		}
		if class >= 0 && len(classes[class]) < mostHits {
			classes[class] = append(classes[class], h)
		}
	}
	out := slices.Concat(classes[0], classes[1], classes[2], classes[3])
	return out[:min(len(out), mostHits)]
}

func classOf(h hit, words []string) int {
	for _, w := range words {
		if !strings.Contains(h.text, w) {
			return -1
		}
	}
	name, whole := strings.ToLower(h.name), strings.Join(words, " ")
	switch {
	case strings.HasPrefix(name, whole):
		return 0
	case strings.Contains(" "+name, " "+whole):
		return 1
	case strings.Contains(name, words[0]):
		return 2
	}
	return 3
}

// hits are all that can be gone to from here.
func (a *App) hits() []hit {
	var out []hit
	for _, c := range a.commands() {
		out = append(out, hit{name: c.name, note: c.keys, icon: c.icon, text: strings.ToLower(c.name + " " + c.more), do: c.do})
	}
	for _, c := range a.list {
		t, _ := a.typeOf(c.Type)
		more := connectors.Clean(strings.Trim(t.Name+" · "+t.Place(c.Plain), " ·"), 100)
		out = append(out, hit{
			name: connectors.Clean(c.Name, 100), more: more, note: lookOf(c.State).word, of: &t,
			text: strings.ToLower(c.Name + " " + more + " " + c.Description), do: func() { a.selectConnection(c.ID) },
		})
	}
	for _, t := range a.o.Book.Types() {
		out = append(out, hit{
			name: lang.T("palette.new", t.Name), more: t.Summary, of: &t,
			text: strings.ToLower(lang.T("palette.new", t.Name) + " " + t.ID + " " + t.Summary + " " + strings.Join(t.Keywords, " ")),
			do:   func() { a.leave(func() { a.newConnection(t) }) },
		})
	}
	return out
}

// hitRow is a line of the palette on the screen.
type hitRow struct {
	widget.BaseWidget
	p          *palette
	at         int
	back       *fill
	mark       *fyne.Container
	name, more *label
	note       *label
	box        *fyne.Container
}

func newHitRow(p *palette) *hitRow {
	r := &hitRow{p: p, back: newFill("", 6), mark: container.NewStack(), name: newLabel("", 13, theme.ColorNameForeground, false), more: secondary(""), note: secondary("")}
	r.note.align = fyne.TextAlignTrailing
	words := vbox(1, r.name, r.more)
	r.box = container.NewStack(r.back, padded(3, 3, 8, 10, newDock(nil, nil, padded(0, 0, 0, 10, container.NewCenter(fixed(34, 0, r.mark))), container.NewCenter(fixed(120, 14, r.note)), container.New(middle{}, words))))
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *hitRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }

// MinSize implements fyne.CanvasObject.
func (r *hitRow) MinSize() fyne.Size { return fyne.NewSize(200, paletteRow-4) }

func (r *hitRow) fill(h hit, at int) {
	r.at = at
	r.back.color = ""
	if at == r.p.at {
		r.back.color = looks.RowSelected
	}
	r.back.Refresh()
	r.name.set(h.name)
	r.more.Hidden = h.more == ""
	r.more.set(h.more)
	r.note.set(h.note)
	if h.of != nil {
		r.mark.Objects = []fyne.CanvasObject{typeTile(*h.of)}
	} else {
		r.mark.Objects = []fyne.CanvasObject{container.NewCenter(fixed(18, 18, widget.NewIcon(h.icon)))}
	}
	r.box.Refresh()
}

// Tapped runs it.
func (r *hitRow) Tapped(*fyne.PointEvent) {
	if r.at < len(r.p.shown) {
		r.p.take(r.p.shown[r.at])
	}
}

// middle puts one thing at the middle of the height, over the whole width.
type middle struct{}

// Layout implements fyne.Layout.
func (middle) Layout(o []fyne.CanvasObject, s fyne.Size) {
	h := o[0].MinSize().Height
	o[0].Resize(fyne.NewSize(s.Width, h))
	o[0].Move(fyne.NewPos(0, (s.Height-h)/2))
}

// MinSize implements fyne.Layout.
func (middle) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

const (
	dropRow  = 30
	dropMost = 8 // rows at once
	dropWide = 300

	dropLeast = 150 // however little room there is
)

// dropList is the list under a field: what can be taken, found by what is typed.
// It lies over the window as the palette does, without darkening it.
type dropList struct {
	widget.BaseWidget
	c     *chooser
	card  fyne.CanvasObject
	entry *entry
	list  *keyList
	none  *label
	shown []connectors.Option
	at    int
	back  fyne.Focusable // had the focus before
}

func newDropList(c *chooser) *dropList {
	d := &dropList{c: c, none: secondary(lang.T("choices.none"))}
	d.entry = newEntry(false, false)
	d.entry.SetPlaceHolder(lang.T("choices.filter"))
	d.entry.Icon = theme.SearchIcon()
	d.entry.window = d.key
	d.entry.OnChanged = func(string) { d.find() }
	d.entry.OnSubmitted = func(string) { d.take(d.at) }
	d.list = &keyList{window: d.key, typed: func(rune) {}}
	d.list.Length = func() int { return len(d.shown) }
	d.list.CreateItem = func() fyne.CanvasObject { return newDropRow(d) }
	d.list.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < len(d.shown) {
			o.(*dropRowView).fill(i)
		}
	}
	d.list.HideSeparators = true
	d.list.ExtendBaseWidget(d.list)
	rows := max(2, min(dropMost, len(c.known)))
	foot := vbox(2, secondary(lang.T("choices.keys")))
	if len(c.known) >= connectors.MaxChoices {
		foot.Add(secondary(lang.T("choices.first", connectors.MaxChoices)))
	}
	body := newDock(vbox(0, padded(8, 8, 8, 8, oneLined(d.entry)), hairline()), vbox(0, hairline(), padded(6, 6, 12, 12, foot)), nil, nil,
		container.NewStack(fixed(0, float32(rows)*(dropRow+4)+8, padded(4, 4, 4, 4, d.list)), container.NewCenter(fixed(dropWide-40, 16, d.none))))
	fill := newFill(theme.ColorNameOverlayBackground, 8)
	fill.stroke = looks.Border
	d.card = container.NewStack(fill, body)
	d.none.align = fyne.TextAlignCenter
	for i, o := range c.known {
		if o.Value == strings.TrimSpace(c.v.entry.Text) {
			d.at = i
		}
	}
	d.ExtendBaseWidget(d)
	return d
}

func (d *dropList) open() {
	canvas := d.c.v.p.a.win.Canvas()
	d.back = d.c.v.entry
	canvas.Unfocus() // one place at a time looks as if one typed there
	at := d.at
	d.find()
	d.at = at
	canvas.Overlays().Add(d)
	d.Resize(canvas.Size())
	canvas.Focus(d.entry)
	d.list.Refresh()
	d.list.ScrollTo(d.at)
}

func (d *dropList) close() {
	canvas := d.c.v.p.a.win.Canvas()
	canvas.Overlays().Remove(d)
	d.c.drop = nil
	canvas.Focus(d.back)
}

// CreateRenderer implements fyne.Widget.
func (d *dropList) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.New(under{d}, d.card))
}

// under lays the list out below its field, or above where there is more room.
type under struct{ d *dropList }

// Layout implements fyne.Layout.
func (u under) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	field := u.d.c.v.box
	inner := u.d.c.v.entry
	driver := fyne.CurrentApp().Driver()
	at := driver.AbsolutePositionForObject(inner)
	at.X = driver.AbsolutePositionForObject(field).X
	w := min(max(dropWide, field.Size().Width), s.Width-16)
	h := min(u.d.card.MinSize().Height, s.Height-16)
	x := max(8, min(at.X, s.Width-w-8))
	y := at.Y + inner.Size().Height + 4
	below, above := s.Height-8-y, at.Y-12
	switch { // the field itself stays to be seen
	case h <= below:
	case above > below:
		h = min(h, above)
		y = at.Y - 4 - h
	default:
		h = max(min(h, below), dropLeast)
	}
	u.d.card.Resize(fyne.NewSize(w, h))
	u.d.card.Move(fyne.NewPos(x, y))
}

// MinSize implements fyne.Layout.
func (u under) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(100, 100) }

// Tapped closes it, where the list is not what was tapped.
func (d *dropList) Tapped(e *fyne.PointEvent) {
	at, size := d.card.Position(), d.card.Size()
	p := e.Position
	if p.X < at.X || p.Y < at.Y || p.X > at.X+size.Width || p.Y > at.Y+size.Height {
		d.close()
	}
}

func (d *dropList) key(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape, fyne.KeyTab:
		d.close()
	case fyne.KeyDown:
		d.move(1)
	case fyne.KeyUp:
		d.move(-1)
	case fyne.KeyPageDown:
		d.move(dropMost - 1)
	case fyne.KeyPageUp:
		d.move(1 - dropMost)
	case fyne.KeyF5: // asks anew
		d.close()
		d.c.loaded = false
		d.c.press()
	default:
		return false
	}
	return true
}

func (d *dropList) move(by int) {
	if len(d.shown) > 0 {
		d.at = max(0, min(len(d.shown)-1, d.at+by))
		d.list.Refresh()
		d.list.ScrollTo(d.at)
	}
}

// find shows what has every word that was typed, names that begin with it first.
func (d *dropList) find() {
	words := strings.Fields(strings.ToLower(d.entry.Text))
	var first, rest []connectors.Option
	for _, o := range d.c.known {
		name := strings.ToLower(o.Label)
		switch {
		case len(words) == 0 || strings.HasPrefix(name, words[0]) && hasAll(name, words):
			first = append(first, o)
		case hasAll(name, words):
			rest = append(rest, o)
		}
	}
	d.shown, d.at = append(first, rest...), 0
	d.none.Hidden = len(d.shown) > 0
	d.none.Refresh()
	d.list.Refresh()
	d.list.ScrollToTop()
}

func hasAll(name string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(name, w) {
			return false
		}
	}
	return true
}

func (d *dropList) take(i int) {
	if i >= len(d.shown) {
		return
	}
	o := d.shown[i]
	d.close()
	d.c.take(o)
}

// dropRowView is a line of the list.
type dropRowView struct {
	widget.BaseWidget
	d    *dropList
	at   int
	over bool
	back *fill
	name *label
	box  *fyne.Container
}

func newDropRow(d *dropList) *dropRowView {
	r := &dropRowView{d: d, back: newFill("", 6), name: newLabel("", 13, theme.ColorNameForeground, false)}
	r.box = container.NewStack(r.back, padded(0, 0, 10, 10, container.New(middle{}, r.name)))
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *dropRowView) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }

// MinSize implements fyne.CanvasObject.
func (r *dropRowView) MinSize() fyne.Size { return fyne.NewSize(120, dropRow) }

func (r *dropRowView) fill(i int) {
	r.at = i
	r.name.set(r.d.shown[i].Label)
	r.look()
}

func (r *dropRowView) look() {
	r.back.color = ""
	switch {
	case r.at == r.d.at:
		r.back.color = looks.RowSelected
	case r.over:
		r.back.color = theme.ColorNameHover
	}
	r.back.Refresh()
}

// Tapped takes it.
func (r *dropRowView) Tapped(*fyne.PointEvent) { r.d.take(r.at) }

// MouseIn implements desktop.Hoverable.
func (r *dropRowView) MouseIn(*desktop.MouseEvent) { r.over = true; r.look() }

// MouseMoved implements desktop.Hoverable.
func (r *dropRowView) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (r *dropRowView) MouseOut() { r.over = false; r.look() }

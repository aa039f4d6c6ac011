package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// flatRow is one line of a tree that is shown as a list: its cost does not depend
// on how many there are.
type flatRow struct {
	path  []string
	kind  string
	aside string
	group string // what the chips choose by
	icon  connectors.Node
	marks []flatMark
	more  func() []string // what is told of it when it is chosen
}

// flatMark is a state: a dot and a word.
type flatMark struct {
	dot  fyne.ThemeColorName
	word string
}

// flatView is such a list with its filters.
type flatView struct {
	a      *App
	rows   []flatRow
	shown  []int
	heads  []string // over the marks; nil for none
	group  string
	search *entry
	list   *keyList
	chips  *fyne.Container
	groups map[string]*keyButton
	detail *fyne.Container
	empty  *label
	ahead  typeAhead
	chosen int
}

func newFlatView(a *App, rows []flatRow, heads []string) *flatView {
	v := &flatView{a: a, rows: rows, heads: heads, search: a.field(lang.T("report.filter"), false), chips: container.New(layout.NewRowWrapLayoutWithCustomPadding(6, 6)), groups: map[string]*keyButton{}, detail: vbox(2), empty: secondary(lang.T("report.nothing")), chosen: -1}
	v.search.Icon = theme.SearchIcon()
	v.search.OnChanged = func(string) { v.filter() }
	v.empty.align = fyne.TextAlignCenter
	marks := max(1, len(heads))
	v.list = &keyList{window: a.windowKey, typed: v.find}
	v.list.Length = func() int { return len(v.shown) }
	v.list.CreateItem = func() fyne.CanvasObject { return newFlatLine(marks) }
	v.list.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < len(v.shown) {
			o.(*flatLine).fill(v.rows[v.shown[i]], v.filtered(), i%2 == 1)
		}
	}
	v.list.HideSeparators = true
	v.list.ExtendBaseWidget(v.list)
	v.list.OnSelected = v.choose
	v.filter()
	v.tell(nil)
	return v
}

func (v *flatView) count(group string) int {
	n := 0
	for _, r := range v.rows {
		if r.group == group {
			n++
		}
	}
	return n
}

// chip adds a choice of what is shown; "" is everything.
func (v *flatView) chip(group, word string) {
	b := v.a.button(word, nil, func() {
		v.group = group
		v.filter()
	})
	v.groups[group] = b
	v.chips.Add(b)
	v.mark()
}

// mark shows which chip is on.
func (v *flatView) mark() {
	for g, b := range v.groups {
		want := widget.MediumImportance
		if g == v.group {
			want = widget.HighImportance
		}
		if b.Importance != want {
			b.Importance = want
			b.Refresh()
		}
	}
}

// filtered reports whether lines stand without what is above them.
func (v *flatView) filtered() bool { return v.group != "" || strings.TrimSpace(v.search.Text) != "" }

func (v *flatView) filter() {
	want := strings.ToLower(strings.TrimSpace(v.search.Text))
	v.shown = v.shown[:0]
	for i, r := range v.rows {
		if (v.group == "" || r.group == v.group) && (want == "" || strings.Contains(strings.ToLower(r.path[len(r.path)-1]), want)) {
			v.shown = append(v.shown, i)
		}
	}
	v.empty.Hidden = len(v.shown) > 0
	v.empty.Refresh()
	v.mark()
	v.chosen = -1
	v.tell(nil)
	v.list.UnselectAll()
	v.list.Refresh()
	v.list.ScrollToTop()
}

func (v *flatView) choose(i widget.ListItemID) {
	if i < len(v.shown) {
		v.chosen = i
		v.tell(&v.rows[v.shown[i]])
	}
}

// tell says what is known of a line.
func (v *flatView) tell(r *flatRow) {
	v.detail.Objects = nil
	if r == nil {
		v.detail.Add(secondary(lang.T("report.choose")))
	} else {
		v.detail.Add(strong(pathLine(r.path)))
		for _, text := range r.more() {
			if text != "" {
				v.detail.Add(secondary(text))
			}
		}
	}
	v.detail.Refresh()
}

func (v *flatView) find(r rune) {
	name := func(i int) string { p := v.rows[v.shown[i]].path; return p[len(p)-1] }
	if i := v.ahead.next(r, v.chosen, len(v.shown), name); i >= 0 {
		v.list.Select(i)
	}
}

func pathLine(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = connectors.Clean(p, 80)
	}
	return strings.Join(parts, "  ›  ")
}

// page puts the parts together: head, filters, list, what is told, buttons.
func (v *flatView) page(head fyne.CanvasObject, buttons []fyne.CanvasObject) *fyne.Container {
	top := vbox(10, padded(20, 0, 24, 24, head), padded(0, 0, 24, 24, v.chips), padded(0, 4, 24, 24, oneLined(v.search)))
	if v.heads != nil {
		line := newFlatLine(len(v.heads))
		line.head(v.heads)
		top.Add(padded(0, 0, 16, 16, line))
	}
	row := container.New(layout.NewRowWrapLayoutWithCustomPadding(8, 8), buttons...)
	bottom := vbox(0, hairline(), padded(8, 8, 24, 24, fixed(0, 58, v.detail)), hairline(), padded(8, 8, 24, 24, row))
	return newDock(top, bottom, nil, nil, padded(0, 0, 16, 16, container.NewStack(v.list, container.NewCenter(fixed(300, 16, v.empty)))))
}

// The columns of a line.
const (
	kindWidth = 120
	markWidth = 130
	indent    = 16
)

// flatLine is one line on the screen.
type flatLine struct {
	widget.BaseWidget
	back       *fill
	icon       *widget.Icon
	name       *label
	aside      *label
	kind       *label
	dots       []*fill
	words      []*label
	depth      float32
	everything *fyne.Container
}

func newFlatLine(marks int) *flatLine {
	l := &flatLine{back: newFill(looks.Surface, 4), icon: widget.NewIcon(theme.FolderIcon()), name: newLabel("", 12.5, theme.ColorNameForeground, false), aside: newLabel("", 11.5, looks.Text3, false), kind: newLabel("", 12, looks.Text2, false)}
	l.everything = container.New(flatColumns{l}, l.back, l.icon, l.name, l.aside, l.kind)
	for range marks {
		d := newFill(looks.Idle, 4)
		w := newLabel("", 12, theme.ColorNameForeground, false)
		l.dots, l.words = append(l.dots, d), append(l.words, w)
		l.everything.Add(d)
		l.everything.Add(w)
	}
	l.ExtendBaseWidget(l)
	return l
}

// CreateRenderer implements fyne.Widget.
func (l *flatLine) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(l.everything)
}

// flatColumns lays a line out.
type flatColumns struct{ *flatLine }

// MinSize implements fyne.Layout.
func (flatColumns) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(420, 28) }

// Layout implements fyne.Layout.
func (c flatColumns) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	l := c.flatLine
	l.back.Move(fyne.NewPos(0, 0))
	l.back.Resize(s)
	right := s.Width - 8 - markWidth*float32(len(l.words))
	for i := range l.words {
		x := right + markWidth*float32(i)
		l.dots[i].Move(fyne.NewPos(x, s.Height/2-4))
		l.dots[i].Resize(fyne.NewSize(8, 8))
		l.words[i].Move(fyne.NewPos(x+16, 4))
		l.words[i].Resize(fyne.NewSize(markWidth-22, s.Height-8))
	}
	kind := right - kindWidth
	l.kind.Move(fyne.NewPos(kind, 4))
	l.kind.Resize(fyne.NewSize(kindWidth-12, s.Height-8))
	x := 8 + min(l.depth*indent, kind/3)
	l.icon.Move(fyne.NewPos(x, s.Height/2-8))
	l.icon.Resize(fyne.NewSize(16, 16))
	x += 24
	whole := kind - x - 12
	name := whole
	if l.aside.text != "" && whole > 300 {
		name = max(160, whole*0.5)
		l.aside.Move(fyne.NewPos(x+name+12, 4))
		l.aside.Resize(fyne.NewSize(whole-name-12, s.Height-8))
	}
	l.aside.Hidden = name == whole
	l.name.Move(fyne.NewPos(x, 4))
	l.name.Resize(fyne.NewSize(max(name, 20), s.Height-8))
}

// MinSize implements fyne.Widget.
func (l *flatLine) MinSize() fyne.Size { return fyne.NewSize(420, 28) }

// fill shows a row; where lines stand without what is above them, all of its path.
func (l *flatLine) fill(r flatRow, whole, stripe bool) {
	name, depth := connectors.Clean(r.path[len(r.path)-1], 200), float32(len(r.path)-1)
	if whole {
		name, depth = connectors.Clean(pathLine(r.path), 300), 0
	}
	back := looks.Surface
	if stripe {
		back = looks.Stripe
	}
	if l.back.color != back {
		l.back.color = back
		l.back.Refresh()
	}
	l.name.tail = whole
	l.name.set(name)
	l.aside.set(r.aside)
	l.kind.set(lang.Text(connectors.Clean(r.kind, 40)))
	if icon := iconOf(r.icon); l.icon.Resource != icon {
		l.icon.SetResource(icon)
	}
	for i, w := range l.words {
		m := flatMark{}
		if i < len(r.marks) {
			m = r.marks[i]
		}
		w.set(m.word)
		l.dots[i].Hidden = m.word == ""
		if l.dots[i].color != m.dot {
			l.dots[i].color = m.dot
			l.dots[i].Refresh()
		}
	}
	l.depth = depth
	flatColumns{l}.Layout(nil, l.Size())
}

// head makes the line the names of the columns.
func (l *flatLine) head(names []string) {
	l.icon.Hide()
	l.back.color = theme.ColorNameHeaderBackground
	for i, w := range l.words {
		l.dots[i].Hide()
		w.style.Bold = true
		w.set(connectors.Clean(names[i], 60))
	}
}

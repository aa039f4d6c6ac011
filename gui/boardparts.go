package gui

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors/health"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// boardList is the board's list: the arrows select, Enter opens, Space checks.
type boardList struct {
	widget.List
	p *boardPage
}

func newBoardList(p *boardPage) *boardList {
	l := &boardList{p: p}
	l.Length = func() int { return len(p.shown) }
	l.CreateItem = func() fyne.CanvasObject { return newBoardRow(p) }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if r, ok := p.row(i); ok {
			o.(*boardRow).show(i, r, p.desk.isChecking(r.Connection.ID), time.Now())
		}
	}
	l.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// pageRows is how far Page Up and Page Down go.
const pageRows = 12

// TypedKey implements fyne.Focusable.
func (l *boardList) TypedKey(e *fyne.KeyEvent) {
	at, last := l.p.selected(), len(l.p.shown)-1
	switch e.Name {
	case fyne.KeyDown:
		l.p.choose(min(at+1, last))
	case fyne.KeyUp:
		l.p.choose(max(at-1, 0))
	case fyne.KeyPageDown:
		l.p.choose(min(at+pageRows, last))
	case fyne.KeyPageUp:
		l.p.choose(max(at-pageRows, 0))
	case fyne.KeyHome:
		l.p.choose(0)
	case fyne.KeyEnd:
		l.p.choose(last)
	case fyne.KeyReturn, fyne.KeyEnter:
		l.p.open(at)
	case fyne.KeySpace:
		l.p.check(at)
	case fyne.KeyF5:
		l.p.checkAll()
	case fyne.KeyEscape:
		if !l.p.a.windowKey(e) && at >= 0 {
			l.p.chosen = ""
			l.p.mark()
		}
	default:
		l.p.a.windowKey(e)
	}
}

// TypedRune starts a search.
func (l *boardList) TypedRune(r rune) {
	if r == ' ' {
		return // Space checks
	}
	l.p.a.win.Canvas().Focus(l.p.search)
	l.p.search.TypedRune(r)
}

// TypedShortcut passes on the window's shortcuts.
func (l *boardList) TypedShortcut(s fyne.Shortcut) { l.p.a.keys.TypedShortcut(s) }

// chip is a filter with how many it lets pass.
type chip struct {
	filter string
	press  *pressable
	word   *label
	count  *label
	box    *fyne.Container
	on     bool
}

func newChip(p *boardPage, filter string) *chip {
	c := &chip{filter: filter, word: newLabel(lang.T("board."+filter), 12, theme.ColorNameForeground, false), count: newLabel("0", 12, looks.Text2, true)}
	c.box = padded(6, 6, 11, 11, container.New(chipLayout{}, c.word, c.count))
	c.press = newPressable(looks.Surface, 14, c.box, func() {
		p.filter = filter
		p.order = nil // a new look at the list is sorted anew
		p.fill(p.rows)
	})
	c.press.onKey = func(e *fyne.KeyEvent) { p.a.windowKey(e) }
	c.press.look()
	return c
}

type chipLayout struct{}

// Layout implements fyne.Layout.
func (chipLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	w := wordWidth(o[0].(*label))
	o[0].Resize(fyne.NewSize(w, s.Height))
	o[1].Move(fyne.NewPos(w+6, 0))
	o[1].Resize(fyne.NewSize(s.Width-w-6, s.Height))
}

// MinSize implements fyne.Layout.
func (chipLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(wordWidth(o[0].(*label))+6+wordWidth(o[1].(*label)), 16)
}

func wordWidth(l *label) float32 { return fyne.MeasureText(l.text, l.size, l.style).Width + 1 }

// show tells the number; the one that filters is filled in.
func (c *chip) show(n int, on bool) {
	if c.count.text == strconv.Itoa(n) && c.on == on {
		return
	}
	c.on = on
	c.count.set(strconv.Itoa(n))
	front, second := theme.ColorNameForeground, looks.Text2
	if on {
		front, second = looks.AccentText, looks.AccentText
	}
	c.word.style.Bold = on
	c.word.paint(c.word.text, front)
	c.word.Refresh()
	c.count.paint(c.count.text, second)
	c.press.selected = on
	c.press.look()
	c.press.Refresh()
	relayout(c.box)
}

// progressBar has what the board offers as a whole, or how far a check is.
type progressBar struct {
	p     *boardPage
	root  *fyne.Container
	rest  *fyne.Container
	busy  *fyne.Container
	count *label
	line  *thinLine
	stop  *keyButton
	all   *keyButton
}

func newProgressBar(p *boardPage) *progressBar {
	b := &progressBar{p: p, count: newLabel("", 12, looks.Text2, false), line: newThinLine()}
	b.count.align = fyne.TextAlignTrailing
	b.all = p.a.mainButton(lang.T("board.checkall"), theme.ViewRefreshIcon(), p.checkAll)
	b.stop = p.a.button(lang.T("button.cancel"), nil, p.desk.stop)
	b.rest = hbox(8, p.a.button(lang.T("board.export"), theme.DocumentSaveIcon(), p.export), b.all)
	b.busy = hbox(10, container.NewCenter(fixed(110, 16, b.count)), container.NewCenter(fixed(120, 4, b.line.box)), b.stop)
	b.root = container.NewStack(container.NewHBox(b.rest), container.NewHBox(b.busy))
	return b
}

// thinLine is filled as far as something is done.
type thinLine struct {
	box  *fyne.Container
	part float32
}

func newThinLine() *thinLine {
	l := &thinLine{}
	l.box = container.New(l, newFill(looks.IdleSubtle, 2), newFill(theme.ColorNamePrimary, 2))
	return l
}

func (l *thinLine) set(part float32) {
	if l.part != part {
		l.part = part
		l.Layout(l.box.Objects, l.box.Size())
	}
}

// Layout implements fyne.Layout.
func (l *thinLine) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Resize(s)
	o[1].Resize(fyne.NewSize(s.Width*l.part, s.Height))
}

// MinSize implements fyne.Layout.
func (*thinLine) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(20, 4) }

func (b *progressBar) show() {
	d := b.p.desk
	busy := d.cancel != nil
	if busy {
		b.count.set(lang.T("board.progress", d.count, d.total))
		if d.stopping {
			b.count.set(lang.T("board.stopping"))
		}
		b.line.set(float32(d.count) / float32(max(1, d.total)))
	}
	if b.busy.Hidden != !busy || b.rest.Hidden != busy {
		focused := b.p.a.win.Canvas().Focused()
		b.busy.Hidden, b.rest.Hidden = !busy, busy
		b.root.Refresh()
		relayout(b.root)
		switch {
		case busy && focused == fyne.Focusable(b.all):
			b.p.a.win.Canvas().Focus(b.stop)
		case !busy && focused == fyne.Focusable(b.stop):
			b.p.a.win.Canvas().Focus(b.all)
		}
	}
}

// export writes what is shown.
func (p *boardPage) export() {
	rows := make([]health.Row, 0, len(p.shown))
	for _, i := range p.shown {
		rows = append(rows, p.rows[i])
	}
	kinds := widget.NewRadioGroup([]string{lang.T("board.html"), lang.T("board.csv"), lang.T("board.json")}, nil)
	kinds.Required = true
	kinds.SetSelected(lang.T("board.html"))
	body := fixed(380, 0, vbox(8, wrapped(lang.T("board.exporttext"), looks.Text2), kinds))
	p.a.question(question{title: lang.T("board.exporttitle"), text: padded(4, 12, 0, 0, body), yes: lang.T("button.savefile"), no: lang.T("button.cancel"), answer: func(yes bool) {
		if !yes {
			return
		}
		name, data, err := exported(rows, kinds.Selected)
		if err != nil {
			p.a.tell(err)
			return
		}
		p.a.saveFile(name, data, false, nil)
	}}).Show()
}

func exported(rows []health.Row, kind string) (name string, data []byte, err error) {
	switch kind {
	case lang.T("board.csv"):
		return "health.csv", health.CSV(rows), nil
	case lang.T("board.json"):
		data, err = health.JSON(rows)
		return "health.json", data, err
	}
	data, err = health.HTML(rows, time.Now())
	return "health.html", data, err
}

package gui

import (
	"image"
	"image/color"
	"image/draw"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// The columns of the board, in their order.
const (
	colState = iota
	colName
	colAccount
	colChecked
	colTook
	colExpires
	colDays
	colAction
	colCount
)

// boardColumns lays out a row of the board and its head. Where there is little
// room the columns that say least are left out.
type boardColumns struct{}

func (boardColumns) widths(w float32) [colCount]float32 {
	out := [colCount]float32{colState: 126, colAccount: 140, colChecked: 128, colTook: 56, colExpires: 92, colDays: 124, colAction: 84}
	for _, hide := range []struct {
		col   int
		below float32
	}{{colAccount, 1010}, {colDays, 860}, {colTook, 720}, {colExpires, 560}} {
		if w < hide.below {
			out[hide.col] = 0
		}
	}
	rest := w
	for _, x := range out {
		if x > 0 {
			rest -= x + boardGap
		}
	}
	out[colName] = max(120, rest-2*boardEdge)
	return out
}

// The gap between columns and the room at both ends of a row.
const (
	boardGap  = 12
	boardEdge = 10
)

// Layout implements fyne.Layout.
func (l boardColumns) Layout(o []fyne.CanvasObject, s fyne.Size) {
	x := float32(boardEdge)
	for i, w := range l.widths(s.Width) {
		if w == 0 {
			o[i].Hide()
			continue
		}
		o[i].Show()
		o[i].Move(fyne.NewPos(x, 0))
		o[i].Resize(fyne.NewSize(w, s.Height))
		x += w + boardGap
	}
}

// MinSize implements fyne.Layout.
func (boardColumns) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(420, boardRowHeight) }

const boardRowHeight = 36

// boardHead names the columns.
func boardHead() fyne.CanvasObject {
	var cells []fyne.CanvasObject
	for _, key := range []string{"state", "name", "account", "checked", "took", "expires", "days"} {
		l := newLabel(lang.T("board.col."+key), 11.5, looks.Text2, true)
		if key == "took" {
			l.align = fyne.TextAlignTrailing
		}
		cells = append(cells, centred(l))
	}
	cells = append(cells, newFill("", 0))
	return container.NewStack(newFill(looks.Stripe, 6), fixed(0, 28, container.New(boardColumns{}, cells...)))
}

// centred puts labels one below the other in the middle of a cell's height.
func centred(o ...fyne.CanvasObject) *fyne.Container { return container.New(cellMiddle{}, o...) }

type cellMiddle struct{}

// Layout implements fyne.Layout.
func (cellMiddle) Layout(o []fyne.CanvasObject, s fyne.Size) {
	height := float32(0)
	for _, x := range o {
		if x.Visible() {
			height += x.MinSize().Height
		}
	}
	y := (s.Height - height) / 2
	for _, x := range o {
		if !x.Visible() {
			continue
		}
		h := x.MinSize().Height
		x.Move(fyne.NewPos(0, y))
		x.Resize(fyne.NewSize(s.Width, h))
		y += h
	}
}

// MinSize implements fyne.Layout.
func (cellMiddle) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(20, 30) }

// boardRow is one connection on the board.
type boardRow struct {
	widget.BaseWidget
	p              *boardPage
	at             int
	box            *fyne.Container
	dot            *fill
	word           *label
	name, below    *label
	account        *label
	checked, exact *label
	took, expires  *label
	days           *dayStrip
	action         *rowAction
}

func newBoardRow(p *boardPage) *boardRow {
	r := &boardRow{p: p, dot: newFill(looks.Idle, 4), word: newLabel("", 12, looks.Text2, true), name: strong(""), below: secondary(""), account: newLabel("", 12, theme.ColorNameForeground, false),
		checked: newLabel("", 12, theme.ColorNameForeground, false), exact: newLabel("", 11, looks.Text3, false), took: newLabel("", 12, looks.Text2, false), expires: newLabel("", 12, looks.Text2, false), days: newDayStrip()}
	r.took.align = fyne.TextAlignTrailing
	r.dot.least = fyne.NewSize(8, 8)
	r.action = newRowAction(func() { p.act(r.at) })
	state := newDock(nil, nil, padded(0, 0, 0, 7, container.NewCenter(r.dot)), nil, centred(r.word))
	r.box = container.New(boardColumns{}, state, centred(r.name, r.below), centred(r.account), centred(r.checked, r.exact), centred(r.took), centred(r.expires), padded(9, 9, 0, 0, r.days), padded(4, 4, 0, 0, r.action))
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *boardRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }

// MinSize implements fyne.Widget.
func (r *boardRow) MinSize() fyne.Size { return fyne.NewSize(420, boardRowHeight) }

// Tapped selects: a row that answers the secondary button takes both from the list.
func (r *boardRow) Tapped(*fyne.PointEvent) { r.p.tapped(r.at) }

// TappedSecondary opens the row's menu.
func (r *boardRow) TappedSecondary(e *fyne.PointEvent) {
	r.p.tapped(r.at)
	widget.ShowPopUpMenuAtPosition(r.p.menu(r.at), r.p.a.win.Canvas(), e.AbsolutePosition)
}

// show fills the row; what stays the same is not drawn again.
func (r *boardRow) show(at int, row health.Row, checking bool, now time.Time) {
	c := row.Connection
	r.at = at
	look := lookOf(c.State)
	if checking {
		look.word, look.dot, look.fg = lang.T("board.checking"), theme.ColorNamePrimary, looks.AccentText
	}
	if r.dot.color != look.dot {
		r.dot.color = look.dot
		r.dot.Refresh()
	}
	r.word.paint(look.word, look.fg)
	r.name.set(connectors.Clean(c.Name, 100))
	below, front := rowWords(row)
	r.below.paint(connectors.Clean(below, 160), front)
	r.account.set(connectors.Clean(c.Account, 80))
	r.checked.set(checkedWords(now, c.Checked))
	r.exact.set(exactly(c.Checked))
	r.took.set(tookWords(row.Took()))
	r.expires.paint(expiryWords(now, row.Expires))
	r.days.set(row.Days)
	r.action.set(lang.T("board."+actionOf(row)), checking)
}

// paint is set with a colour.
func (l *label) paint(text string, c fyne.ThemeColorName) {
	if l.text != text || l.color != c {
		l.text, l.color = text, c
		l.Refresh()
	}
}

func checkedWords(now, t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return ago(now, t)
}

func tookWords(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Second:
		return lang.T("board.ms", max(1, d.Milliseconds()))
	}
	return lang.T("board.s", d.Seconds())
}

// soon is how long before its end a connection counts as expiring.
const soon = 30 * day

func expiryWords(now, t time.Time) (string, fyne.ThemeColorName) {
	switch left := t.Sub(now); {
	case t.IsZero():
		return "", looks.Text2
	case left <= 0:
		return lang.T("board.expired"), looks.ErrText
	case left < 7*day:
		return ago(now, t), looks.ErrText
	case left < soon:
		return ago(now, t), looks.WarnText
	default:
		return ago(now, t), looks.Text2
	}
}

// rowWords are the second line: the type and the place, or what is wrong.
func rowWords(row health.Row) (string, fyne.ThemeColorName) {
	c, kind := row.Connection, row.TypeName()
	if h := row.Held; h != nil {
		switch h.Why {
		case health.WhyRefused:
			return lang.T("board.row."+string(h.Code), kind), looks.ErrText
		case health.WhyShared:
			return lang.T("board.row.shared", h.By, kind), looks.WarnText
		case health.WhyThrottled:
			return lang.T("board.row.throttled", kind), looks.WarnText
		}
	}
	switch p := lang.Retell(c.Problem); {
	case p != nil && c.State == link.Failed:
		return lang.T("board.why", p.Title, kind), looks.ErrText
	case p != nil && c.State == link.Partial:
		return lang.T("board.why", p.Title, kind), looks.WarnText
	}
	if place := row.Type.Place(c.Plain); place != "" {
		return lang.T("board.place", kind, place), looks.Text2
	}
	return kind, looks.Text2
}

// actionOf is the one thing to do with a row: open, check or mend.
func actionOf(row health.Row) string {
	switch {
	case row.Held != nil && row.Held.Why == health.WhyRefused:
		return "mend"
	case row.Connection.State == link.Prepared:
		return "open"
	}
	return "check"
}

// rowAction is a word to tap. It takes no focus: the list has it, with a key for
// each thing to do.
type rowAction struct {
	widget.BaseWidget
	back *fill
	text *label
	off  bool
	tap  func()
}

func newRowAction(tap func()) *rowAction {
	w := &rowAction{back: newFill("", 6), text: newLabel("", 12, looks.AccentText, true), tap: tap}
	w.text.align = fyne.TextAlignCenter
	w.ExtendBaseWidget(w)
	return w
}

func (w *rowAction) set(text string, off bool) {
	w.off = off
	if off {
		text = ""
	}
	w.text.set(text)
	w.rest()
}

func (w *rowAction) rest() {
	if back := (fyne.ThemeColorName)(""); w.back.color != back {
		w.back.color = back
		w.back.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (w *rowAction) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(w.back, centred(w.text)))
}

// Tapped implements fyne.Tappable.
func (w *rowAction) Tapped(*fyne.PointEvent) {
	if !w.off {
		w.tap()
	}
}

// MouseIn implements desktop.Hoverable.
func (w *rowAction) MouseIn(*desktop.MouseEvent) {
	if !w.off {
		w.back.color = looks.AccentBack
		w.back.Refresh()
	}
}

// MouseMoved implements desktop.Hoverable.
func (w *rowAction) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (w *rowAction) MouseOut() { w.rest() }

// dayStrip draws the last 30 days as one picture: the worse the higher, so that
// it can be read without its colours.
type dayStrip struct {
	widget.BaseWidget
	days   [health.Days]health.Day
	raster *canvas.Raster
}

func newDayStrip() *dayStrip {
	s := &dayStrip{}
	s.raster = canvas.NewRaster(s.draw)
	s.ExtendBaseWidget(s)
	return s
}

func (s *dayStrip) set(days [health.Days]health.Day) {
	if s.days != days {
		s.days = days
		s.raster.Refresh()
	}
}

// CreateRenderer implements fyne.Widget.
func (s *dayStrip) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.raster) }

// Refresh draws in the theme's colours.
func (s *dayStrip) Refresh() { s.raster.Refresh(); s.BaseWidget.Refresh() }

func (s *dayStrip) draw(w, h int) image.Image {
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i, d := range s.days {
		from, to := i*w/health.Days, (i+1)*w/health.Days
		front, high := looks.Border, max(1, h/9)
		switch d {
		case health.DayOK:
			front, high = looks.OkDot, h/2
		case health.DayPartial:
			front, high = looks.WarnDot, h*3/4
		case health.DayFailed:
			front, high = looks.ErrDot, h
		}
		gap := max(1, (to-from)/4)
		draw.Draw(out, image.Rect(from, h-high, to-gap, h), image.NewUniform(color.NRGBAModel.Convert(paint(front))), image.Point{}, draw.Src)
	}
	return out
}

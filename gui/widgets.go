package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors/link"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// label is one tight line of text in a colour of the theme, cut with "…".
type label struct {
	widget.BaseWidget
	text  string
	size  float32
	color fyne.ThemeColorName
	style fyne.TextStyle
	align fyne.TextAlign
	tail  bool // what is too long is cut at its beginning
}

func newLabel(text string, size float32, c fyne.ThemeColorName, bold bool) *label {
	l := &label{text: text, size: size, color: c, style: fyne.TextStyle{Bold: bold}}
	l.ExtendBaseWidget(l)
	return l
}

func (l *label) set(text string) {
	if l.text != text {
		l.text = text
		l.Refresh()
	}
}

func (l *label) CreateRenderer() fyne.WidgetRenderer {
	r := &labelRenderer{l: l, t: canvas.NewText("", color.Black)}
	r.Refresh()
	return r
}

type labelRenderer struct {
	l        *label
	t        *canvas.Text
	measured measured
}

// measured is a text and the room that it takes.
type measured struct {
	text  string
	size  float32
	style fyne.TextStyle
	room  fyne.Size
}

func (r *labelRenderer) Destroy()                     {}
func (r *labelRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.t} }
func (r *labelRenderer) MinSize() fyne.Size {
	if m := r.measured; m.text != r.l.text || m.size != r.l.size || m.style != r.l.style || m.room.IsZero() {
		r.measured = measured{r.l.text, r.l.size, r.l.style, fyne.MeasureText(r.l.text, r.l.size, r.l.style)}
	}
	return fyne.NewSize(min(r.measured.room.Width, 24), r.measured.room.Height)
}

func (r *labelRenderer) Layout(s fyne.Size) {
	r.t.Text = fit(r.l.text, s.Width, r.l.size, r.l.style, r.l.tail)
	r.t.Resize(s)
	r.t.Refresh()
}

func (r *labelRenderer) Refresh() {
	r.t.TextSize, r.t.TextStyle, r.t.Alignment = r.l.size, r.l.style, r.l.align
	r.t.Color = paint(r.l.color)
	r.Layout(r.l.Size())
}

// fit cuts text so that it is at most width wide, at its end or its beginning.
func fit(text string, width, size float32, style fyne.TextStyle, tail bool) string {
	if width <= 0 || fyne.MeasureText(text, size, style).Width <= width+0.5 {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes)
	for low < high {
		mid := (low + high + 1) / 2
		if fyne.MeasureText(cut(runes, mid, tail), size, style).Width <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return cut(runes, low, tail)
}

func cut(runes []rune, n int, tail bool) string {
	if tail {
		return "…" + string(runes[len(runes)-n:])
	}
	return string(runes[:n]) + "…"
}

func paint(name fyne.ThemeColorName) color.Color {
	app := fyne.CurrentApp()
	return app.Settings().Theme().Color(name, app.Settings().ThemeVariant())
}

// ownLook is the program's theme, as it is set now.
func ownLook() *looks.Theme {
	if look, ok := fyne.CurrentApp().Settings().Theme().(*looks.Theme); ok {
		return look
	}
	return looks.New()
}

// oneLined is a field of one line.
func oneLined(e *entry) fyne.CanvasObject {
	return container.NewThemeOverride(e, looks.NoBars{Theme: ownLook()})
}

func title(text string) *label     { return newLabel(text, 20, theme.ColorNameForeground, true) }
func heading(text string) *label   { return newLabel(text, 15, theme.ColorNameForeground, true) }
func strong(text string) *label    { return newLabel(text, 13, theme.ColorNameForeground, true) }
func secondary(text string) *label { return newLabel(text, 12, looks.Text2, false) }

// wrapped is text of several lines, flush with what stands above it.
func wrapped(text string, c fyne.ThemeColorName) *fyne.Container {
	return flush(prose(text, c, theme.SizeNameText))
}

func prose(text string, c fyne.ThemeColorName, size fyne.ThemeSizeName) *widget.RichText {
	r := widget.NewRichText(&widget.TextSegment{Text: text, Style: widget.RichTextStyle{ColorName: c, SizeName: size}})
	r.Wrapping = fyne.TextWrapWord
	return r
}

// flush takes away the space that the toolkit puts around text.
func flush(r fyne.CanvasObject) *fyne.Container {
	p := -theme.InnerPadding()
	return padded(p, p, p, p, r)
}

// fill is a rectangle in a colour of the theme.
type fill struct {
	widget.BaseWidget
	color  fyne.ThemeColorName
	stroke fyne.ThemeColorName
	radius float32
	least  fyne.Size
}

func newFill(c fyne.ThemeColorName, radius float32) *fill {
	f := &fill{color: c, radius: radius}
	f.ExtendBaseWidget(f)
	return f
}

func (f *fill) CreateRenderer() fyne.WidgetRenderer {
	return &fillRenderer{f: f, r: canvas.NewRectangle(color.Transparent)}
}

type fillRenderer struct {
	f *fill
	r *canvas.Rectangle
}

func (r *fillRenderer) Destroy()                     {}
func (r *fillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.r} }
func (r *fillRenderer) MinSize() fyne.Size           { return r.f.least }
func (r *fillRenderer) Layout(s fyne.Size)           { r.r.Resize(s); r.Refresh() }
func (r *fillRenderer) Refresh() {
	r.r.CornerRadius = r.f.radius
	r.r.FillColor = color.Transparent
	if r.f.color != "" {
		r.r.FillColor = paint(r.f.color)
	}
	if r.f.stroke != "" {
		r.r.StrokeWidth, r.r.StrokeColor = 1, paint(r.f.stroke)
	} else {
		r.r.StrokeWidth = 0
	}
	r.r.Refresh()
}

func padded(top, bottom, left, right float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(top, bottom, left, right), o)
}

func vbox(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(gap), o...)
}

func hbox(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedHBoxLayout(gap), o...)
}

// hairline is one pixel high.
func hairline() fyne.CanvasObject {
	f := newFill(looks.Border, 0)
	f.least = fyne.NewSize(1, 1)
	return f
}

// dock lays out edges and a centre without any gaps.
type dock struct{ top, bottom, left, right fyne.CanvasObject }

func newDock(top, bottom, left, right, centre fyne.CanvasObject) *fyne.Container {
	d := dock{top, bottom, left, right}
	c := container.New(d)
	for _, o := range []fyne.CanvasObject{top, left, centre, right, bottom} {
		if o != nil {
			c.Add(o)
		}
	}
	return c
}

func (d dock) edges() (t, b, l, r float32) {
	get := func(o fyne.CanvasObject, wide bool) float32 {
		if o == nil || !o.Visible() {
			return 0
		}
		if wide {
			return o.MinSize().Width
		}
		return o.MinSize().Height
	}
	return get(d.top, false), get(d.bottom, false), get(d.left, true), get(d.right, true)
}

func (d dock) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	t, b, l, r := d.edges()
	for _, o := range objects {
		switch o {
		case d.top:
			o.Move(fyne.NewPos(0, 0))
			o.Resize(fyne.NewSize(s.Width, t))
		case d.bottom:
			o.Move(fyne.NewPos(0, s.Height-b))
			o.Resize(fyne.NewSize(s.Width, b))
		case d.left:
			o.Move(fyne.NewPos(0, t))
			o.Resize(fyne.NewSize(l, s.Height-t-b))
		case d.right:
			o.Move(fyne.NewPos(s.Width-r, t))
			o.Resize(fyne.NewSize(r, s.Height-t-b))
		default:
			o.Move(fyne.NewPos(l, t))
			o.Resize(fyne.NewSize(s.Width-l-r, s.Height-t-b))
		}
	}
}

func (d dock) MinSize(objects []fyne.CanvasObject) fyne.Size {
	t, b, l, r := d.edges()
	var c fyne.Size
	for _, o := range objects {
		if o != d.top && o != d.bottom && o != d.left && o != d.right {
			c = c.Max(o.MinSize())
		}
	}
	for _, side := range []fyne.CanvasObject{d.left, d.right} {
		if side != nil && side.Visible() {
			c.Height = max(c.Height, side.MinSize().Height)
		}
	}
	return fyne.NewSize(l+r+c.Width, t+b+c.Height)
}

// fixed gives its child a width or height in pixels; 0 keeps the child's own.
func fixed(w, h float32, o fyne.CanvasObject) fyne.CanvasObject {
	f := newFill("", 0)
	f.least = fyne.NewSize(w, h)
	return container.NewStack(f, o)
}

// pill says a state: a dot and a word.
func pill(text string, back, dot, fg fyne.ThemeColorName) fyne.CanvasObject {
	d := newFill(dot, 4)
	d.least = fyne.NewSize(6, 6)
	t := newLabel(text, 11.5, fg, true)
	w := fyne.MeasureText(text, 11.5, t.style).Width
	inside := hbox(5, container.NewCenter(d), fixed(w, 0, container.NewCenter(fixed(w, 14, t))))
	return container.NewStack(newFill(back, 10), padded(3, 3, 8, 8, inside))
}

// badge is a word that says what kind of thing something is.
func badge(text string) fyne.CanvasObject {
	t := newLabel(text, 11.5, looks.AccentText, true)
	w := fyne.MeasureText(text, 11.5, t.style).Width + 1
	return container.NewStack(newFill(looks.AccentBack, 9), padded(2, 2, 7, 7, fixed(w, 14, t)))
}

type stateLook struct {
	word          string
	back, dot, fg fyne.ThemeColorName
}

func lookOf(s link.State) stateLook {
	switch s {
	case link.OK:
		return stateLook{lang.T("state.ok"), looks.OkSubtle, looks.OkDot, looks.OkText}
	case link.Partial:
		return stateLook{lang.T("state.partial"), looks.WarnSubtle, looks.WarnDot, looks.WarnText}
	case link.Failed:
		return stateLook{lang.T("state.failed"), looks.ErrSubtle, looks.ErrDot, looks.ErrText}
	}
	return stateLook{lang.T("state.prepared"), looks.IdleSubtle, looks.Idle, looks.Text2}
}

func statePill(s link.State) fyne.CanvasObject {
	l := lookOf(s)
	return pill(l.word, l.back, l.dot, l.fg)
}

// tile is the square with a type's two letters.
func tile(letters string, group int) fyne.CanvasObject {
	back, front := tileColours(group)
	f := newFill(back, 8)
	f.least = fyne.NewSize(34, 34)
	t := newLabel(letters, 11.5, front, true)
	t.align = fyne.TextAlignCenter
	return container.NewStack(f, container.NewCenter(fixed(24, 15, t)))
}

// pressable is a surface that is tapped, hovered and focused.
type pressable struct {
	widget.BaseWidget
	content  fyne.CanvasObject
	back     *fill
	base     fyne.ThemeColorName
	hovered  bool
	focused  bool
	onTap    func()
	onKey    func(*fyne.KeyEvent)
	onMenu   func(fyne.Position)
	selected bool
}

func newPressable(base fyne.ThemeColorName, radius float32, content fyne.CanvasObject, tap func()) *pressable {
	p := &pressable{content: content, back: newFill(base, radius), base: base, onTap: tap}
	p.ExtendBaseWidget(p)
	return p
}

func (p *pressable) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(p.back, p.content))
}

func (p *pressable) look() {
	p.back.color = p.base
	switch {
	case p.selected:
		p.back.color = looks.RowSelected
	case p.hovered:
		p.back.color = theme.ColorNameHover
	}
	p.back.stroke = ""
	if p.base == looks.Surface {
		p.back.stroke = looks.Border
	}
	if p.focused {
		p.back.stroke = theme.ColorNamePrimary
	}
	p.back.Refresh()
}

func (p *pressable) Tapped(*fyne.PointEvent) {
	if p.onTap != nil {
		p.onTap()
	}
}

func (p *pressable) TappedSecondary(e *fyne.PointEvent) {
	if p.onMenu != nil {
		p.onMenu(e.AbsolutePosition)
	}
}
func (p *pressable) MouseIn(*desktop.MouseEvent)    { p.hovered = true; p.look() }
func (p *pressable) MouseMoved(*desktop.MouseEvent) {}
func (p *pressable) MouseOut()                      { p.hovered = false; p.look() }
func (p *pressable) FocusGained()                   { p.focused = true; p.look() }
func (p *pressable) FocusLost()                     { p.focused = false; p.look() }
func (p *pressable) TypedRune(r rune) {
	if r == ' ' {
		p.Tapped(nil)
	}
}

func (p *pressable) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter {
		p.Tapped(nil)
		return
	}
	if p.onKey != nil {
		p.onKey(e)
	}
}

// relayout lays a tree of containers out anew, from the leaves up: what one
// child now needs moves its siblings, and theirs.
func relayout(o fyne.CanvasObject) {
	c, ok := o.(*fyne.Container)
	if !ok || !c.Visible() {
		return
	}
	for _, child := range c.Objects {
		relayout(child)
	}
	if c.Layout != nil {
		c.Layout.Layout(c.Objects, c.Size())
	}
}

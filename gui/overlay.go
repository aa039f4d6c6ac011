package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	looks "jackfield/gui/theme"
)

// overlay lies over the whole window: a scrim that closes it, and a card in its
// upper third.
type overlay struct {
	widget.BaseWidget
	a     *App
	card  fyne.CanvasObject
	wide  float32
	scrim *fill
	gone  func()
	back  fyne.Focusable // had the focus before
}

func newOverlay(a *App, wide float32, inside fyne.CanvasObject, gone func()) *overlay {
	back := newFill(theme.ColorNameOverlayBackground, 12)
	back.stroke = looks.Border
	o := &overlay{a: a, wide: wide, card: container.NewStack(back, inside), scrim: newFill(looks.Scrim, 0), gone: gone}
	o.ExtendBaseWidget(o)
	return o
}

// CreateRenderer implements fyne.Widget.
func (o *overlay) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.New(upper{o}, o.scrim, o.card))
}

// upper lays an overlay out.
type upper struct{ o *overlay }

// Layout implements fyne.Layout.
func (u upper) Layout(_ []fyne.CanvasObject, s fyne.Size) {
	o := u.o
	o.scrim.Resize(s)
	w := min(o.wide, s.Width-32)
	h := min(o.card.MinSize().Height, s.Height-32)
	o.card.Resize(fyne.NewSize(w, h))
	o.card.Move(fyne.NewPos((s.Width-w)/2, max(16, min(s.Height/7, s.Height-h-16))))
}

// MinSize implements fyne.Layout.
func (u upper) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 200) }

// Tapped closes it, where the card is not what was tapped.
func (o *overlay) Tapped(e *fyne.PointEvent) {
	at, size := o.card.Position(), o.card.Size()
	p := e.Position
	if p.X < at.X || p.Y < at.Y || p.X > at.X+size.Width || p.Y > at.Y+size.Height {
		o.close()
	}
}

func (o *overlay) show(focus fyne.Focusable) {
	c := o.a.win.Canvas()
	o.back = c.Focused()
	c.Overlays().Add(o)
	o.Resize(c.Size())
	c.Focus(focus)
}

func (o *overlay) close() {
	c := o.a.win.Canvas()
	c.Overlays().Remove(o)
	if o.back != nil {
		c.Focus(o.back)
	}
	if o.gone != nil {
		o.gone()
	}
}

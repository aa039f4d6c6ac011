package gui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// wheel lies over a form and takes nothing but the turns of the mouse's wheel,
// for the form's own scroll. Without it the form would stand still wherever an
// entry is under the pointer: the toolkit's entries swallow the wheel, also
// where they have nothing to scroll. It is hidden while somebody types in the
// field of several lines that the pointer is on, so that the field can be scrolled.
type wheel struct {
	widget.BaseWidget
	form *container.Scroll
}

func newWheel() *wheel {
	w := &wheel{}
	w.ExtendBaseWidget(w)
	return w
}

// CreateRenderer implements fyne.Widget.
func (w *wheel) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent))
}

// Scrolled implements fyne.Scrollable.
func (w *wheel) Scrolled(e *fyne.ScrollEvent) { w.form.Scrolled(e) }

// page is what a form scrolls. A change of size lays it out and draws nothing
// else anew: the toolkit's scroll would have every widget in it measure its
// text again, which in a form of a hundred fields takes longer than a key press.
type page struct {
	widget.BaseWidget
	inner *fyne.Container
}

func newPage(inner *fyne.Container) *page {
	p := &page{inner: inner}
	p.ExtendBaseWidget(p)
	return p
}

// CreateRenderer implements fyne.Widget.
func (p *page) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(p.inner) }

// Refresh implements fyne.CanvasObject.
func (p *page) Refresh() {}

package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	looks "jackfield/gui/theme"
)

// hitZone is how wide the invisible handle around the 1 px line is.
const hitZone = 7

// splitter keeps its leading pane at a width in pixels while the window grows.
type splitter struct {
	lead, rest   fyne.CanvasObject
	handle       *handle
	width        float32
	least, most  float32
	box          *fyne.Container
	leastForRest float32
	moved        func(width float32) // the person chose a width; may be nil
	overlay      bool                // the leading pane lies over the other, which has all the room
}

func newSplitter(lead, rest fyne.CanvasObject, width, least, most float32) *splitter {
	s := &splitter{lead: lead, rest: rest, width: width, least: least, most: most, leastForRest: 200}
	s.handle = &handle{s: s, line: newFill(looks.Border, 0)}
	s.handle.ExtendBaseWidget(s.handle)
	s.box = container.New(s, lead, rest, s.handle)
	return s
}

// order puts what lies over something after it; side by side, the leading pane
// is first for the Tab key.
func (s *splitter) order() {
	s.box.Objects = []fyne.CanvasObject{s.lead, s.rest, s.handle}
	if s.overlay {
		s.box.Objects = []fyne.CanvasObject{s.rest, s.lead, s.handle}
	}
	s.box.Refresh()
}

// Layout implements fyne.Layout.
func (s *splitter) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	w := s.width
	if !s.lead.Visible() {
		w = 0
	}
	w = max(0, min(w, size.Width-s.leastForRest))
	s.lead.Move(fyne.NewPos(0, 0))
	s.lead.Resize(fyne.NewSize(w, size.Height))
	line := float32(1)
	if !s.lead.Visible() {
		line = 0
	}
	from := w + line
	if s.overlay {
		from = 0
	}
	s.rest.Move(fyne.NewPos(from, 0))
	s.rest.Resize(fyne.NewSize(size.Width-from, size.Height))
	s.handle.Hidden = !s.lead.Visible()
	s.handle.Move(fyne.NewPos(w-hitZone/2, 0))
	s.handle.Resize(fyne.NewSize(hitZone, size.Height))
}

// MinSize implements fyne.Layout.
func (s *splitter) MinSize([]fyne.CanvasObject) fyne.Size {
	h := max(s.lead.MinSize().Height, s.rest.MinSize().Height)
	return fyne.NewSize(300, h)
}

type handle struct {
	widget.BaseWidget
	s    *splitter
	line *fill
}

func (h *handle) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.New(middleLine{}, h.line))
}

type middleLine struct{}

func (middleLine) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(hitZone, 1) }
func (middleLine) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.NewPos(hitZone/2, 0))
	o[0].Resize(fyne.NewSize(1, s.Height))
}

func (h *handle) Cursor() desktop.Cursor { return desktop.HResizeCursor }
func (h *handle) Dragged(e *fyne.DragEvent) {
	h.s.width = max(h.s.least, min(h.s.most, h.s.width+e.Dragged.DX))
	h.s.box.Refresh()
}

// DragEnd implements fyne.Draggable.
func (h *handle) DragEnd() {
	if h.s.moved != nil {
		h.s.moved(h.s.width)
	}
}

func (h *handle) MouseIn(*desktop.MouseEvent) {
	h.line.color = theme.ColorNamePrimary
	h.line.Refresh()
}
func (h *handle) MouseMoved(*desktop.MouseEvent) {}
func (h *handle) MouseOut()                      { h.line.color = looks.Border; h.line.Refresh() }

// wrapGrid lays cells of one size out in as many columns as fit.
type wrapGrid struct{ w, h, gap float32 }

func (g wrapGrid) columns(width float32) int {
	return max(1, int((width+g.gap)/(g.w+g.gap)))
}

// Layout implements fyne.Layout.
func (g wrapGrid) Layout(o []fyne.CanvasObject, s fyne.Size) {
	n := g.columns(s.Width)
	for i, x := range o {
		x.Resize(fyne.NewSize(g.w, g.h))
		x.Move(fyne.NewPos(float32(i%n)*(g.w+g.gap), float32(i/n)*(g.h+g.gap)))
	}
}

// MinSize implements fyne.Layout. The height is for the width of the last
// layout: the first cell that stands below another tells how many fit.
func (g wrapGrid) MinSize(o []fyne.CanvasObject) fyne.Size {
	n := len(o)
	for i, x := range o {
		if i > 0 && x.Position().Y > 0 {
			n = i
			break
		}
	}
	rows := 1
	if n > 0 {
		rows = (len(o) + n - 1) / n
	}
	return fyne.NewSize(g.w, float32(rows)*(g.h+g.gap)-g.gap)
}

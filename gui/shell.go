package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	looks "jackfield/gui/theme"
)

// foldBelow is the width of the window under which the sidebar folds into a
// menu; railWidth is what stays of it.
const (
	foldBelow = 800
	railWidth = 44
)

// shell lays out the window: the sidebar beside the rest, or, where the window
// is too narrow for both, behind a button that opens it over the rest.
type shell struct {
	split  *splitter
	rail   *fyne.Container
	box    *fyne.Container
	folded bool
	open   bool
}

func newShell(a *App, rest fyne.CanvasObject) *shell {
	s := &shell{split: newSplitter(a.side.root, rest, 268, 200, 420)}
	menu := widget.NewButtonWithIcon("", theme.MenuIcon(), func() { s.show(!s.open) })
	add := widget.NewButtonWithIcon("", theme.ContentAddIcon(), func() { a.showGallery() })
	menu.Importance, add.Importance = widget.LowImportance, widget.LowImportance
	buttons := vbox(4, menu, add)
	s.rail = container.NewStack(newFill(looks.Sidebar, 0), newDock(nil, nil, nil, hairline(), newDock(padded(8, 0, 4, 4, buttons), nil, nil, nil, newFill("", 0))))
	s.rail.Hide()
	s.box = container.New(s, s.rail, s.split.box)
	return s
}

// show opens or shuts the folded sidebar; where it is not folded nothing happens.
func (s *shell) show(open bool) {
	if !s.folded || s.open == open {
		return
	}
	s.open = open
	s.arrange()
	s.box.Refresh()
}

func (s *shell) arrange() {
	s.split.overlay = s.folded
	s.split.lead.Hide()
	if !s.folded || s.open {
		s.split.lead.Show()
	}
	if s.folded {
		s.rail.Show()
	} else {
		s.rail.Hide()
	}
	s.split.order()
}

// Layout implements fyne.Layout.
func (s *shell) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	if folded := size.Width < foldBelow; folded != s.folded {
		s.folded, s.open = folded, false
		s.arrange()
	}
	left := float32(0)
	if s.folded {
		left = railWidth
		s.rail.Resize(fyne.NewSize(railWidth, size.Height))
		s.rail.Move(fyne.NewPos(0, 0))
	}
	s.split.box.Resize(fyne.NewSize(size.Width-left, size.Height))
	s.split.box.Move(fyne.NewPos(left, 0))
}

// MinSize implements fyne.Layout.
func (s *shell) MinSize([]fyne.CanvasObject) fyne.Size { return s.split.box.MinSize() }

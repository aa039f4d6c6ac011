package gui

import "fyne.io/fyne/v2"

// flow lays things out in lines, as words are: what does not fit goes on in the
// next one.
type flow struct{ gap float32 }

// Layout implements fyne.Layout.
func (f flow) Layout(o []fyne.CanvasObject, s fyne.Size) {
	var x, y, high float32
	for _, c := range o {
		if !c.Visible() {
			continue
		}
		least := c.MinSize()
		if x > 0 && x+least.Width > s.Width {
			x, y, high = 0, y+high+f.gap, 0
		}
		c.Resize(fyne.NewSize(min(least.Width, max(s.Width, 1)), least.Height))
		c.Move(fyne.NewPos(x, y))
		x += least.Width + f.gap
		high = max(high, least.Height)
	}
}

// MinSize implements fyne.Layout: as wide as the widest of them, and as high as
// the last layout made it.
func (f flow) MinSize(o []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, c := range o {
		if c.Visible() {
			least := c.MinSize()
			s.Width = max(s.Width, least.Width)
			s.Height = max(s.Height, c.Position().Y+least.Height)
		}
	}
	return s
}

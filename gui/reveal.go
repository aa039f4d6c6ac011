package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// The room that is left around what is brought into sight.
const sight = 16

// reveal scrolls what has just got the focus into sight, where less than half of
// it can be seen.
func reveal(o fyne.CanvasObject) {
	d := fyne.CurrentApp().Driver()
	c := d.CanvasForObject(o)
	if c == nil {
		return
	}
	view := scrollAround(c.Content(), o)
	if view == nil {
		return
	}
	top := d.AbsolutePositionForObject(o).Y - d.AbsolutePositionForObject(view).Y
	high := o.Size().Height
	seen := min(top+high, view.Size().Height) - max(top, 0)
	switch {
	case seen >= min(high, view.Size().Height)/2:
	case top < 0:
		view.ScrollToOffset(fyne.NewPos(view.Offset.X, max(0, view.Offset.Y+top-sight)))
	default:
		view.ScrollToOffset(fyne.NewPos(view.Offset.X, view.Offset.Y+top+high-view.Size().Height+sight))
	}
}

// scrollAround is the innermost scrolling view with o in it, or nil.
func scrollAround(root, o fyne.CanvasObject) *container.Scroll {
	var found *container.Scroll
	var walk func(at fyne.CanvasObject, around *container.Scroll) bool
	walk = func(at fyne.CanvasObject, around *container.Scroll) bool {
		if at == o {
			found = around
			return true
		}
		if s, ok := at.(*container.Scroll); ok {
			return walk(s.Content, s)
		}
		for _, child := range childrenOf(at) {
			if walk(child, around) {
				return true
			}
		}
		return false
	}
	walk(root, nil)
	return found
}

// childrenOf are what an object of this window is made of.
func childrenOf(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case *container.ThemeOverride:
		return []fyne.CanvasObject{o.Content}
	case *container.AppTabs:
		var out []fyne.CanvasObject
		for _, t := range o.Items {
			out = append(out, t.Content)
		}
		return out
	case *page:
		return []fyne.CanvasObject{o.inner}
	case *pressable:
		return []fyne.CanvasObject{o.content}
	}
	return nil
}

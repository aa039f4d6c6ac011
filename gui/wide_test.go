package gui

import "testing"

// TestEveryFormFitsItsPane: what is wider than the pane is cut off at its right.
func TestEveryFormFitsItsPane(t *testing.T) {
	r := newRoom(t, roomOptions{})
	for _, typ := range r.a.o.Book.Types() {
		r.a.newConnection(typ)
		r.pump()
		f := r.a.form
		f.unfold(true)
		for range 3 {
			f.moved()
		}
		if w, pane := f.page.inner.MinSize().Width, f.scroll.Size().Width; w > pane {
			t.Errorf("the form of %s is %v wide, its pane %v", typ.ID, w, pane)
		}
		f.unsaved = false
	}
}

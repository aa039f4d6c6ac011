package gui

import (
	"testing"

	"fyne.io/fyne/v2"

	"jackfield/gui/lang"
)

func TestALockedWindowDoesNothing(t *testing.T) {
	r := newRoom(t, roomOptions{})
	c := r.prepared()
	r.a.selectConnection(c.ID)
	r.a.delete(c)
	r.pump()
	r.a.lock()
	r.app.Clipboard().SetContent("sftp://mira@files.example.com/in")
	locked := r.a.win.Content()
	for name, do := range map[string]func(){
		"palette": r.a.showPalette, "undo": r.a.undoDelete, "paste": r.a.pasted,
		"F1":   func() { r.a.windowKey(&fyne.KeyEvent{Name: fyne.KeyF1}) },
		"F2":   func() { r.a.windowKey(&fyne.KeyEvent{Name: fyne.KeyF2}) },
		"drop": func() { r.a.dropped(fyne.NewPos(1, 1), []fyne.URI{nil}) },
		"link": func() { r.a.Given([]string{"jackfield:new/sftp?host=later.example.com"}) },
	} {
		do()
		r.settle()
		if r.a.win.Canvas().Overlays().Top() != nil || r.a.win.Content() != locked || r.a.locked == nil {
			t.Fatalf("%s did something", name)
		}
	}
	r.push(lang.T("lock.open"))
	r.until("the link that came meanwhile", func() bool {
		return r.a.form != nil && r.a.form.field("host") != nil && r.a.form.field("host").value() == "later.example.com"
	})
}

func TestTheFocusIsBroughtIntoSight(t *testing.T) {
	r := newRoom(t, roomOptions{size: fyne.NewSize(1024, 700)})
	r.a.showKeys(nil)
	r.pump()
	k, ok := seek(r, func(b *keyButton) bool { return b.Text == lang.T("keys.new") })
	if !ok {
		t.Fatal("the keys page is another one")
	}
	k.Tapped(nil)
	r.settle()
	canvas := r.a.win.Canvas()
	seen := map[fyne.Focusable]bool{}
	for range 60 {
		canvas.(interface{ FocusNext() }).FocusNext()
		r.pump()
		f := canvas.Focused()
		o, is := f.(fyne.CanvasObject)
		if !is || seen[f] {
			break
		}
		seen[f] = true
		y := r.app.Driver().AbsolutePositionForObject(o).Y
		if y < 0 || y+o.Size().Height/2 > 700 {
			t.Errorf("%T at %v", o, y)
		}
	}
	if len(seen) < 8 {
		t.Errorf("%d stops", len(seen))
	}
}

func TestASpacePressesAButtonAndGoesNowhereElse(t *testing.T) {
	r := newRoom(t, roomOptions{})
	e, pressed := r.a.field("", false), 0
	b := r.a.button("Go", nil, func() {
		pressed++
		r.a.win.Canvas().Focus(e)
	})
	r.a.show(vbox(0, b, e))
	r.a.win.Canvas().Focus(b)
	// As the toolkit's driver does: the key, then its rune for whatever has the focus.
	r.a.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	r.a.win.Canvas().Focused().TypedRune(' ')
	if pressed != 1 || e.Text != "" {
		t.Errorf("pressed %d times, %q typed", pressed, e.Text)
	}
}

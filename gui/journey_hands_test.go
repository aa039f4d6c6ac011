package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// hands use the window as a person does, and count what they do: keys go to
// whatever has the focus, clicks to whatever is drawn at their place.
type hands struct {
	*room
	done int
}

// inHand is a room in somebody's hands.
func inHand(r *room) *hands { return &hands{room: r} }

// A thing is something on the screen, with the part of it that nothing clips.
type thing struct {
	o        fyne.CanvasObject
	from     fyne.Position
	clip, in area // in is what can be seen of it
}

type area struct{ x, y, right, bottom float32 }

func areaOf(at fyne.Position, s fyne.Size) area {
	return area{at.X, at.Y, at.X + s.Width, at.Y + s.Height}
}

func (a area) cut(b area) area {
	return area{max(a.x, b.x), max(a.y, b.y), min(a.right, b.right), min(a.bottom, b.bottom)}
}

func (a area) empty() bool { return a.right-a.x < 1 || a.bottom-a.y < 1 }

func (a area) centre() fyne.Position { return fyne.NewPos((a.x+a.right)/2, (a.y+a.bottom)/2) }

func (a area) has(p fyne.Position) bool {
	return p.X >= a.x && p.Y >= a.y && p.X < a.right && p.Y < a.bottom
}

// things are what is on the screen, in the order in which it is drawn. Below an
// overlay nothing can be reached.
func (h *hands) things() []thing {
	c := h.a.win.Canvas()
	root := c.Overlays().Top()
	if root == nil {
		root = c.Content()
	}
	var out []thing
	var walk func(o fyne.CanvasObject, at fyne.Position, clip area)
	walk = func(o fyne.CanvasObject, at fyne.Position, clip area) {
		if o == nil || !o.Visible() {
			return
		}
		at = at.Add(o.Position())
		all := areaOf(at, o.Size())
		switch o.(type) {
		case *container.Scroll, *container.Clip, *widget.List, *widget.Tree, *widget.Table:
			clip = clip.cut(all)
		}
		out = append(out, thing{o, at, clip, clip.cut(all)})
		switch x := o.(type) {
		case *fyne.Container:
			for _, child := range x.Objects {
				walk(child, at, clip)
			}
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(x).Objects() {
				walk(child, at, clip)
			}
		}
	}
	walk(root, fyne.NewPos(0, 0), areaOf(fyne.NewPos(0, 0), c.Size()))
	return out
}

// written is the text that an object draws by itself.
func written(o fyne.CanvasObject) string {
	switch x := o.(type) {
	case *canvas.Text:
		return x.Text
	case *label:
		return x.text
	case *widget.RichText:
		return x.String()
	case *widget.Label:
		return x.Text
	}
	return ""
}

// named is the place where a word is written, whole before in part.
func (h *hands) named(word string) (thing, bool) {
	var part thing
	found := false
	for _, x := range h.things() {
		switch text := written(x.o); {
		case text == word:
			return x, true
		case !found && strings.Contains(text, word):
			part, found = x, true
		}
	}
	return part, found
}

// --- the mouse

// click presses and lets go at a place, as the toolkit's driver for screens
// does: what takes any of these and is drawn last there gets all of them.
func (h *hands) click(at fyne.Position) {
	h.t.Helper()
	h.done++
	hit, ok := h.under(at, func(o fyne.CanvasObject) bool {
		switch o.(type) {
		case fyne.Tappable, fyne.SecondaryTappable, fyne.DoubleTappable, fyne.Focusable, desktop.Mouseable, desktop.Hoverable:
			return true
		}
		return false
	})
	if !ok {
		h.t.Fatalf("nothing can be clicked at %v", at)
	}
	c := h.a.win.Canvas()
	if f, can := hit.o.(fyne.Focusable); !can || f != c.Focused() {
		c.Unfocus()
	}
	test.MoveMouse(c, at)
	point := fyne.PointEvent{AbsolutePosition: at, Position: at.Subtract(hit.from)}
	if m, can := hit.o.(desktop.Mouseable); can {
		m.MouseDown(&desktop.MouseEvent{PointEvent: point, Button: desktop.MouseButtonPrimary})
		m.MouseUp(&desktop.MouseEvent{PointEvent: point, Button: desktop.MouseButtonPrimary})
	}
	if t, can := hit.o.(fyne.Tappable); can {
		t.Tapped(&point)
	}
	h.pump()
}

// under is what is drawn last at a place, of what takes part.
func (h *hands) under(at fyne.Position, part func(fyne.CanvasObject) bool) (thing, bool) {
	var hit thing
	found := false
	for _, x := range h.things() {
		if x.in.has(at) && part(x.o) {
			hit, found = x, true
		}
	}
	return hit, found
}

// tap clicks where a word is written, after turning the wheel until it is seen.
func (h *hands) tap(word string) {
	h.t.Helper()
	h.click(h.place(word, func() (thing, bool) { return h.named(word) }))
}

// tapIn clicks into the field below its name, or with that word in it.
func (h *hands) tapIn(word string) {
	h.t.Helper()
	at := h.place(word, func() (thing, bool) {
		for _, x := range h.things() {
			if f, ok := x.o.(fyne.Focusable); ok && h.called(f, x, word) {
				if _, box := f.(*widget.Check); box { // the toolkit's takes clicks on its box and text alone
					x.in.right = min(x.in.right, x.in.x+30)
				}
				return x, true
			}
		}
		return thing{}, false
	})
	h.click(at)
}

// tapIcon clicks a button that has nothing but a picture.
func (h *hands) tapIcon(icon string) {
	h.t.Helper()
	h.click(h.place(icon, func() (thing, bool) {
		for _, x := range h.things() {
			if text, name := buttonOf(x.o); name != "" && text == "" && strings.Contains(name, icon) {
				return x, true
			}
		}
		return thing{}, false
	}))
}

func (h *hands) place(what string, find func() (thing, bool)) fyne.Position {
	h.t.Helper()
	var x thing
	h.until("the place of "+what, func() bool {
		got, ok := find()
		x = got
		return ok
	})
	for range 200 {
		all := areaOf(x.from, x.o.Size())
		if !x.in.empty() && (x.in.bottom-x.in.y)*2 > all.bottom-all.y {
			return x.in.centre()
		}
		by := float32(-60)
		if all.y < x.clip.y {
			by = 60
		}
		h.wheel(x.clip.centre(), by)
		if got, ok := find(); ok {
			x = got
		}
	}
	h.t.Fatalf("%s cannot be brought to sight: it is at %v, inside %+v", what, x.from, x.clip)
	return fyne.Position{}
}

// wheel turns the mouse's wheel at a place; below 0 is down.
func (h *hands) wheel(at fyne.Position, by float32) {
	test.Scroll(h.a.win.Canvas(), at, 0, by)
	h.pump()
}

// --- the keyboard

// hit presses a key as the toolkit's driver for screens hands it on: Tab moves
// the focus, the rest goes to what has it, or to the window.
func (h *hands) hit(list ...fyne.KeyName) {
	h.t.Helper()
	c := h.a.win.Canvas()
	for _, name := range list {
		h.done++
		if name == fyne.KeyTab {
			if t, ok := c.Focused().(fyne.Tabbable); !ok || !t.AcceptsTab() {
				c.FocusNext()
				h.pump()
				continue
			}
		}
		e := &fyne.KeyEvent{Name: name}
		switch f := c.Focused(); {
		case f != nil:
			f.TypedKey(e)
		default:
			c.OnTypedKey()(e)
		}
		if f := c.Focused(); name == fyne.KeySpace && f != nil { // a space is a letter, too
			f.TypedRune(' ')
		}
		h.pump()
	}
}

// chord presses a key together with Ctrl, or with Command on a Mac.
func (h *hands) chord(name fyne.KeyName) {
	h.t.Helper()
	h.done++
	clip := h.app.Clipboard()
	var s fyne.Shortcut
	switch name {
	case fyne.KeyA:
		s = &fyne.ShortcutSelectAll{}
	case fyne.KeyC:
		s = &fyne.ShortcutCopy{Clipboard: clip}
	case fyne.KeyV:
		s = &fyne.ShortcutPaste{Clipboard: clip}
	case fyne.KeyZ:
		s = &fyne.ShortcutUndo{}
	default:
		s = &desktop.CustomShortcut{KeyName: name, Modifier: fyne.KeyModifierShortcutDefault}
	}
	if f, ok := h.a.win.Canvas().Focused().(fyne.Shortcutable); ok {
		f.TypedShortcut(s)
	} else { // the drawing driver keeps the window's own to itself
		switch s.(type) {
		case *fyne.ShortcutPaste:
			h.a.pasted()
		case *fyne.ShortcutUndo:
			h.a.undoDelete()
		default:
			h.a.keys.TypedShortcut(s)
		}
	}
	h.pump()
}

// typed types text into whatever has the focus; it counts as one action.
func (h *hands) typed(text string) {
	h.t.Helper()
	h.done++
	for _, r := range text {
		f := h.a.win.Canvas().Focused()
		if f == nil {
			h.t.Fatalf("nothing has the focus for %q", text)
		}
		f.TypedRune(r)
	}
	h.pump()
}

// retyped replaces what stands in the field that has the focus.
func (h *hands) retyped(text string) {
	h.t.Helper()
	h.chord(fyne.KeyA)
	h.typed(text)
}

// pasteText pastes something that was copied elsewhere.
func (h *hands) pasteText(text string) {
	h.t.Helper()
	h.app.Clipboard().SetContent(text)
	h.chord(fyne.KeyV)
}

// tabTo moves on until what is called so has the focus. All the keys of one way
// are one action; what cannot be seen once it has the focus is told.
func (h *hands) tabTo(word string) {
	h.t.Helper()
	before := h.done
	var first fyne.Focusable
	var way []string
	for range 300 {
		h.hit(fyne.KeyTab)
		f := h.a.win.Canvas().Focused()
		if f == nil {
			continue
		}
		x, on := h.thingOf(f)
		if on && h.called(f, x, word) {
			h.done = before + 1
			if x.in.empty() {
				h.t.Logf("%q has the focus and is out of sight: at %v, seen is %+v", word, x.from, x.clip)
			}
			return
		}
		way = append(way, h.nameOf(f, x))
		if first == nil {
			first = f
		} else if f == first {
			break
		}
	}
	h.t.Fatalf("no Tab leads to %q: %q", word, way)
}

func (h *hands) thingOf(f fyne.Focusable) (thing, bool) {
	for _, x := range h.things() {
		if o, ok := x.o.(fyne.Focusable); ok && o == f {
			return x, true
		}
	}
	return thing{}, false
}

// pick turns to an option of the choice that has the focus.
func (h *hands) pick(option string) {
	h.t.Helper()
	before := h.done
	for range 60 {
		s, ok := h.a.win.Canvas().Focused().(*keySelect)
		if !ok {
			h.t.Fatalf("the focus is on %T, not on a choice", h.a.win.Canvas().Focused())
		}
		if s.Selected == option {
			h.done = before + 1
			return
		}
		h.hit(fyne.KeyRight)
	}
	h.t.Fatalf("no option %q", option)
}

package gui

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// What a person calls the things on the screen: by the text on them, the name
// above them, or, for a box to tick, the text beside it.

func buttonOf(o fyne.CanvasObject) (text, icon string) {
	var b *widget.Button
	switch x := o.(type) {
	case *keyButton:
		b = &x.Button
	case *widget.Button:
		b = x
	default:
		return "", ""
	}
	if b.Icon != nil {
		icon = b.Icon.Name()
	}
	return b.Text, icon
}

func (h *hands) called(f fyne.Focusable, x thing, word string) bool {
	switch w := f.(type) {
	case *keyButton, *widget.Button:
		text, icon := buttonOf(x.o)
		return text == word || text == "" && strings.Contains(icon, word)
	case *widget.Check:
		return strings.Contains(w.Text, word) || w.Text == "" && strings.Contains(h.beside(x), word)
	case *keySelect:
		return h.above(x) == word
	case *entry:
		return h.above(x) == word || strings.Contains(w.PlaceHolder, word)
	case *widget.Entry:
		return h.above(x) == word || strings.Contains(w.PlaceHolder, word)
	case *keyTree:
		return word == "the tree"
	case *widget.GridWrap:
		return word == "the files"
	case *boardList:
		return word == "the board"
	case *pressable:
		return strings.Contains(words(w), word)
	}
	return false
}

func (h *hands) nameOf(f fyne.Focusable, x thing) string {
	text, icon := "", ""
	if x.o != nil {
		text, icon = buttonOf(x.o)
		if text+icon == "" {
			text = h.above(x)
		}
	}
	return fmt.Sprintf("%T %s%s", f, text, icon)
}

// above is the text right above something.
func (h *hands) above(x thing) string {
	best, out := float32(30), ""
	for _, t := range h.things() {
		text := written(t.o)
		gap := x.from.Y - (t.from.Y + t.o.Size().Height)
		if text == "" || gap < -2 || gap > best || t.from.X > x.from.X+12 || t.from.X+t.o.Size().Width < x.from.X {
			continue
		}
		if gap < best || out == "" {
			best, out = gap, text
		}
	}
	return out
}

// beside is what is written right of something.
func (h *hands) beside(x thing) string {
	var out []string
	for _, t := range h.things() {
		middle := t.from.Y + t.o.Size().Height/2
		if text := written(t.o); text != "" && t.from.X >= x.from.X+x.o.Size().Width-4 && middle > x.from.Y && middle < x.from.Y+x.o.Size().Height {
			out = append(out, text)
		}
	}
	return strings.Join(out, " ")
}

package gui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	looks "jackfield/gui/theme"
)

// toast is a line at the bottom that goes by itself; an error stays until tapped.
type toast struct {
	a    *App
	root *fyne.Container
}

func newToast(a *App) *toast { return &toast{a: a, root: container.New(&bottomRight{})} }

// say shows text; the returned func takes it away before its time.
func (t *toast) say(text string, stays bool) (gone func()) { return t.put(text, stays, nil) }

// offer shows text that stays, with a button that does something about it.
func (t *toast) offer(text, button string, do func()) (gone func()) {
	b := t.a.button(button, nil, do)
	b.Importance = widget.LowImportance
	return t.put(text, true, container.NewThemeOverride(b, looks.Inverted{Theme: ownLook()}))
}

func (t *toast) put(text string, stays bool, button fyne.CanvasObject) (gone func()) {
	back := newFill(theme.ColorNameForeground, 8)
	body := widget.NewRichText(&widget.TextSegment{Text: text, Style: widget.RichTextStyle{ColorName: theme.ColorNameBackground}})
	body.Wrapping = fyne.TextWrapWord
	var p *pressable
	p = newPressable("", 8, container.NewStack(back, padded(4, 4, 8, 8, newDock(nil, nil, nil, button, body))), func() { t.root.Remove(p) })
	t.root.Add(p)
	if !stays {
		time.AfterFunc(3*time.Second, func() { t.a.r.Do(func() { t.root.Remove(p) }) })
	}
	return func() { t.root.Remove(p) }
}

type bottomRight struct{}

func (bottomRight) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }
func (bottomRight) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	y := s.Height - 16
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		w := min(460, s.Width-32)
		o.Resize(fyne.NewSize(w, o.MinSize().Height))
		h := o.MinSize().Height
		y -= h
		o.Move(fyne.NewPos(s.Width-w-16, y))
		o.Resize(fyne.NewSize(w, h))
		y -= 8
	}
}

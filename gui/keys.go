package gui

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// The toolkit gives a key to the widget that has the focus and to nothing else.
// These widgets pass on what belongs to the window: F5 and Esc.

// windowKey does what a key does wherever the focus is, and reports whether it
// did anything.
func (a *App) windowKey(e *fyne.KeyEvent) bool {
	a.used()
	if a.locked != nil {
		return false
	}
	switch {
	case e.Name == fyne.KeyF1:
		a.showHelp()
	case e.Name == fyne.KeyF2:
		if c, ok := a.connection(a.side.selected); ok {
			a.rename(c)
		}
	case e.Name == fyne.KeyF5 && a.preview != nil:
		a.preview.reload()
	case e.Name == fyne.KeyEscape && a.shell.open:
		a.shell.show(false)
	case e.Name == fyne.KeyEscape && a.form != nil:
		a.form.cancelLink()
	default:
		return false
	}
	return true
}

// keyTree is the preview's tree.
type keyTree struct {
	widget.Tree
	window func(*fyne.KeyEvent) bool
	typed  func(rune)
}

func (t *keyTree) TypedKey(e *fyne.KeyEvent) {
	if !t.window(e) {
		t.Tree.TypedKey(e)
	}
}

func (t *keyTree) TypedRune(r rune) { t.typed(r) }

// keyList is the sidebar's list.
type keyList struct {
	widget.List
	window func(*fyne.KeyEvent) bool
	typed  func(rune)
}

func (l *keyList) TypedKey(e *fyne.KeyEvent) {
	if !l.window(e) {
		l.List.TypedKey(e)
	}
}

func (l *keyList) TypedRune(r rune) { l.typed(r) }

// keySelect is a choice.
type keySelect struct {
	widget.Select
	window func(*fyne.KeyEvent) bool
}

func newKeySelect(options []string, window func(*fyne.KeyEvent) bool) *keySelect {
	s := &keySelect{window: window}
	s.Options = options
	s.ExtendBaseWidget(s)
	return s
}

// FocusGained brings it into sight.
func (s *keySelect) FocusGained() {
	s.Select.FocusGained()
	reveal(s)
}

func (s *keySelect) TypedKey(e *fyne.KeyEvent) {
	if s.window == nil || !s.window(e) {
		s.Select.TypedKey(e)
	}
}

// keyButton is a button that Enter presses too.
type keyButton struct {
	widget.Button
	window func(*fyne.KeyEvent) bool
}

func newKeyButton(text string, icon fyne.Resource, tap func(), window func(*fyne.KeyEvent) bool) *keyButton {
	b := &keyButton{window: window}
	b.Text, b.Icon, b.OnTapped = text, icon, tap
	b.ExtendBaseWidget(b)
	return b
}

// FocusGained brings it into sight.
func (b *keyButton) FocusGained() {
	b.Button.FocusGained()
	reveal(b)
}

// TypedRune presses at a space. The toolkit presses at the key before, and its
// rune then goes to whatever has the focus by that time.
func (b *keyButton) TypedRune(r rune) {
	if r == ' ' {
		b.Tapped(nil)
	}
}

func (b *keyButton) TypedKey(e *fyne.KeyEvent) {
	switch {
	case e.Name == fyne.KeySpace:
	case e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter:
		b.Tapped(nil)
	case b.window == nil || !b.window(e):
		b.Button.TypedKey(e)
	}
}

// keyLink is a link that Enter follows too.
type keyLink struct {
	widget.Hyperlink
	window func(*fyne.KeyEvent) bool
}

func newKeyLink(text string, tap func(), window func(*fyne.KeyEvent) bool) *keyLink {
	l := &keyLink{window: window}
	l.Text, l.OnTapped = text, tap
	l.ExtendBaseWidget(l)
	return l
}

func (l *keyLink) TypedKey(e *fyne.KeyEvent) {
	switch {
	case e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter:
		l.OnTapped()
	case l.window == nil || !l.window(e):
		l.Hyperlink.TypedKey(e)
	}
}

// forget is how long a pause ends a word that is typed to find a row.
const forget = time.Second

// typeAhead finds a row by the start of its name.
type typeAhead struct {
	text string
	last time.Time
}

// next is the row to go to after r was typed at row at, or -1. The same letter
// again goes on to the next row that starts with it.
func (t *typeAhead) next(r rune, at, n int, name func(i int) string) int {
	if time.Since(t.last) > forget {
		t.text = ""
	}
	t.last = time.Now()
	typed := strings.ToLower(string(r))
	from := at
	if t.text == typed || t.text == "" {
		from = at + 1
	}
	if t.text != typed {
		t.text += typed
	}
	for i := range n {
		j := (max(from, 0) + i) % n
		if strings.HasPrefix(strings.ToLower(name(j)), t.text) {
			return j
		}
	}
	return -1
}

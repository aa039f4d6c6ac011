package gui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// chooser is the button at the end of a field that the server can list, and what
// was listed.
type chooser struct {
	v       *fieldView
	button  *keyButton
	known   []connectors.Option
	loaded  bool
	session connectors.Session // of the last link, while its answers stand
	busy    bool               // it asks, and says so
	cancel  func()             // ends what is asked for; nil: nothing is
	turn    int                // counts loads; a late result of an older one is dropped
	drop    *dropList          // while it is shown
}

// choosable puts the button beside the field's entry.
func (v *fieldView) choosable(input fyne.CanvasObject) fyne.CanvasObject {
	c := &chooser{v: v}
	v.chooser = c
	c.button = newKeyButton(lang.T("choices.show"), theme.MenuDropDownIcon(), c.press, v.p.a.windowKey)
	c.button.IconPlacement = widget.ButtonIconTrailingText
	v.entry.down = c.press
	if v.entry.MultiLine {
		return vbox(4, input, container.NewHBox(c.button))
	}
	return newDock(nil, nil, nil, padded(0, 0, 6, 0, c.button), input)
}

// press shows what there is: at once where it is known, else after asking. Pressed
// while it asks, it stops asking.
func (c *chooser) press() {
	switch {
	case c.busy:
		c.stop()
		c.v.say(c.v.f.Help, false)
	case c.loaded:
		c.show()
	case c.ready():
		c.load(true)
	}
}

// ready reports whether enough is answered to sign in, and says what is not.
func (c *chooser) ready() bool {
	p := c.v.p
	if c.live() != nil {
		return true
	}
	s := p.judged()
	for _, x := range p.following(c.v) {
		delete(s.Plain, x.f.Key)
	}
	errs := p.t.Form.Validate(p.t.Form.Tidied(s))
	errs = slices.DeleteFunc(errs, func(e connectors.FieldError) bool {
		v := p.field(e.Key)
		return v == nil || v == c.v || v.stored && !v.touched || p.borrowed(e.Key)
	})
	if len(errs) == 0 {
		return true
	}
	var labels []string
	for _, e := range errs {
		v := p.field(e.Key)
		labels = append(labels, v.f.Label)
		v.say(e.Text, true)
	}
	c.v.say(lang.T("choices.needs", strings.Join(labels, ", ")), true)
	return false
}

// following are the listed fields from v on: what they are answered with lies in
// what v names.
func (p *formPane) following(v *fieldView) []*fieldView {
	from := slices.Index(p.fields, v)
	var out []*fieldView
	for _, x := range p.fields[from:] {
		if x.chooser != nil {
			out = append(out, x)
		}
	}
	return out
}

// load asks over the open session of the link, or over one of its own.
func (c *chooser) load(show bool) {
	p, key := c.v.p, c.v.f.Key
	c.stop()
	mine := c.turn
	session, id, w := c.live(), p.id, link.Watcher{}
	s := p.settings()
	for _, v := range p.fields {
		if _, said := s.Plain[v.f.Key]; !said && !v.f.Kind.Secret() {
			s.Plain[v.f.Key] = "" // emptied here, whatever is saved
		}
	}
	if show {
		c.busy, w.Ask = true, p.asker()
		c.button.SetIcon(nil)
		c.button.SetText(lang.T("button.cancel"))
		c.v.say(lang.T("choices.asking"), false)
	}
	c.cancel = task.Always(p.a.r, func(ctx context.Context) ([]connectors.Option, error) {
		if session == nil {
			return p.a.o.Book.Choices(ctx, p.t.ID, id, s, key, w)
		}
		ctx, end := context.WithTimeout(ctx, link.DefaultPatience)
		defer end()
		return session.(connectors.Chooser).Choices(ctx, key)
	}, func(list []connectors.Option, err error) {
		if mine != c.turn || p.a.form != p {
			return
		}
		c.stop()
		if err == nil {
			c.known, c.loaded = list, true
		}
		if show {
			c.told(err)
		}
	})
}

// told shows what came, or why nothing did.
func (c *chooser) told(err error) {
	switch {
	case err == nil && (len(c.known) == 0 || c.free()):
		c.v.say(c.v.f.Help, false)
		c.show()
		return
	case err == nil:
		c.v.say(lang.N("choices.arrived", len(c.known)), false)
		return
	}
	if connectors.CodeOf(err) == connectors.Cancelled {
		c.v.say(c.v.f.Help, false)
		return
	}
	problem := lang.Explain(err)
	c.v.say(problem.Title+" "+problem.Hint, true)
	if at := c.v.p.field(problem.Field); at != nil && at != c.v {
		at.say(problem.Title, true)
	}
}

// free reports whether a list may open by itself: somebody who types elsewhere by
// now, is asked something or has locked the window is left alone.
func (c *chooser) free() bool {
	a := c.v.p.a
	canvas := a.win.Canvas()
	if a.locked != nil || canvas.Overlays().Top() != nil {
		return false
	}
	at, typing := canvas.Focused().(*entry)
	return !typing || at == c.v.entry
}

// stop ends what is asked for; what it would have brought is dropped.
func (c *chooser) stop() {
	c.turn++
	if c.cancel != nil {
		c.cancel()
		c.cancel = nil
	}
	if !c.busy {
		return
	}
	c.busy = false
	c.button.SetText(lang.T("choices.show"))
	c.button.SetIcon(theme.MenuDropDownIcon())
}

// forget drops what was listed with other answers.
func (c *chooser) forget() {
	asked := c.busy
	c.stop()
	if asked {
		c.v.say(c.v.f.Help, false)
	}
	c.known, c.loaded, c.session = nil, false, nil
}

// stale forgets what the changed field v has a say in: everything, or the listed
// fields that follow a listed one.
func (p *formPane) stale(v *fieldView) {
	after := p.fields
	if v.chooser != nil {
		after = p.following(v)[1:]
	}
	for _, x := range after {
		if x.chooser != nil {
			x.chooser.forget()
		}
	}
}

// listed takes the lists over from the session that a link has opened, so that
// they are there at once.
func (p *formPane) listed(session connectors.Session) {
	if _, can := session.(connectors.Chooser); !can {
		return
	}
	for _, v := range p.fields {
		if v.chooser != nil && !v.box.Hidden {
			v.chooser.forget()
			v.chooser.session = session
			v.chooser.load(false)
		}
	}
}

// live is the session of the link, nil when it is closed by now.
func (c *chooser) live() connectors.Session {
	if c.session != c.v.p.a.preview.session {
		c.session = nil
	}
	return c.session
}

// hush ends all that is asked for.
func (p *formPane) hush() {
	for _, v := range p.fields {
		if v.chooser != nil {
			v.chooser.stop()
		}
	}
}

func (c *chooser) show() {
	if len(c.known) == 0 {
		c.v.say(lang.T("choices.empty"), false)
		return
	}
	c.drop = newDropList(c)
	c.drop.open()
}

// take answers the field with what was chosen; a field of several lines gets one more.
func (c *chooser) take(o connectors.Option) {
	e := c.v.entry
	text := o.Value
	if e.MultiLine {
		lines := strings.FieldsFunc(e.Text, func(r rune) bool { return r == '\n' || r == '\r' })
		if !slices.Contains(lines, text) {
			lines = append(lines, text)
		}
		text = strings.Join(lines, "\n")
	}
	e.SetText(text)
	e.CursorRow, e.CursorColumn = strings.Count(text, "\n"), len([]rune(text[strings.LastIndexByte(text, '\n')+1:]))
	c.v.blurred()
}

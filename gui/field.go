package gui

import (
	"io"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/keys"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// maxKeyFile is how much of a chosen key or certificate file is read.
const maxKeyFile = 1 << 20

// entry is an Entry that tells when the person has left it.
type entry struct {
	widget.Entry
	onBlur func()
	wheel  *wheel            // out of the way while this is scrolled itself; nil: never
	inside bool              // the mouse is
	typing bool              // it has the focus
	keys   fyne.Shortcutable // the window's
	window func(*fyne.KeyEvent) bool
	copied func(fyne.Clipboard) // for secrets: something may have been copied
	pasted func()               // something was
	down   func()               // Alt and the arrow down: what there is to choose
}

func newEntry(multi, secret bool) *entry {
	e := &entry{}
	e.MultiLine, e.Password = multi, secret
	e.Wrapping = fyne.TextWrapOff
	e.Scroll = container.ScrollBoth
	if !multi {
		e.Scroll = container.ScrollHorizontalOnly
	}
	e.ExtendBaseWidget(e)
	if multi {
		e.TextStyle.Monospace = true
		e.SetMinRowsVisible(4)
	}
	return e
}

// newNote is for a line or two of plain words.
func newNote() *entry {
	e := &entry{}
	e.MultiLine = true
	e.Wrapping = fyne.TextWrapWord
	e.ExtendBaseWidget(e)
	e.SetMinRowsVisible(2)
	return e
}

// TypedShortcut passes on what is no editing: the toolkit would end the
// window's own shortcuts at the entry that has the focus.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	own, is := s.(*desktop.CustomShortcut)
	switch {
	case !is:
		e.Entry.TypedShortcut(s)
		e.edited(s)
	case e.down != nil && own.KeyName == fyne.KeyDown && own.Modifier == fyne.KeyModifierAlt:
		e.down()
	case e.keys != nil:
		e.keys.TypedShortcut(s)
	}
}

// edited tells what a shortcut did.
func (e *entry) edited(s fyne.Shortcut) {
	switch c := s.(type) {
	case *fyne.ShortcutCopy:
		if e.copied != nil {
			e.copied(c.Clipboard)
		}
	case *fyne.ShortcutCut:
		if e.copied != nil {
			e.copied(c.Clipboard)
		}
	case *fyne.ShortcutPaste:
		if e.pasted != nil {
			e.pasted()
		}
	}
}

// TypedKey passes on what is the window's.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	if e.window == nil || !e.window(k) {
		e.Entry.TypedKey(k)
	}
}

// AcceptsTab keeps Tab for moving on, in notes and keys too.
func (e *entry) AcceptsTab() bool { return false }

func (e *entry) FocusGained() {
	e.Entry.FocusGained()
	reveal(e)
	e.typing = true
	e.turns()
}

// MouseIn implements desktop.Hoverable.
func (e *entry) MouseIn(*desktop.MouseEvent) { e.inside = true; e.turns() }

// MouseMoved implements desktop.Hoverable.
func (e *entry) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (e *entry) MouseOut() { e.inside = false; e.turns() }

// turns leaves the mouse's wheel to the entry while somebody types in it and
// points at it, and to the form otherwise.
func (e *entry) turns() {
	if e.wheel == nil {
		return
	}
	if e.inside && e.typing {
		e.wheel.Hide()
	} else {
		e.wheel.Show()
	}
}

func (e *entry) FocusLost() {
	e.Entry.FocusLost()
	e.typing = false
	e.turns()
	if e.onBlur != nil {
		e.onBlur()
	}
}

// fieldView is one question on the screen.
type fieldView struct {
	p       *formPane
	f       connectors.Field
	box     *fyne.Container
	hint    *widget.RichText
	under   *fyne.Container // around the hint
	apart   *fyne.Container // around under, where that stands below the row; nil: in box
	section *sectionHead    // the heading under which it stands
	row     *fyne.Container // that it shares with another; nil: its own
	entry   *entry          // nil for choices and toggles
	choice  *keySelect
	toggle  *widget.Check
	live    *task.Debouncer // judges while it is typed; nil: judged when it is left
	bad     bool            // it says what is wrong
	stored  bool            // a secret is kept that was not loaded
	touched bool
	chooser *chooser        // lists what there is; nil where nothing can be listed
	whole   string          // an address that is to stay as it is: it was split, and that taken back
	note    *fyne.Container // says what a paste filled in
}

func newFieldView(p *formPane, f connectors.Field, value string, stored bool) *fieldView {
	v := &fieldView{p: p, f: f, stored: stored}
	v.hint = prose("", looks.Text2, theme.SizeNameCaptionText)
	v.under = flush(v.hint)
	head := []fyne.CanvasObject{newLabel(f.Label, 12, theme.ColorNameForeground, true)}
	head[0] = fixed(fyne.MeasureText(f.Label, 12, fyne.TextStyle{Bold: true}).Width+1, 0, head[0])
	if !f.Required && f.Kind != connectors.Toggle && f.Kind != connectors.Choice && f.Kind != connectors.Reference {
		head = append(head, fixed(60, 0, secondary(lang.T("form.optional"))))
	}
	v.box = vbox(4, hbox(8, head...))
	if f.Kind == connectors.Toggle {
		v.box = vbox(0)
	}
	v.box.Add(v.input(value))
	v.box.Add(v.under)
	v.help()
	return v
}

func (v *fieldView) input(value string) fyne.CanvasObject {
	switch v.f.Kind {
	case connectors.Choice, connectors.Reference:
		if v.f.Kind == connectors.Reference {
			v.refer(value)
		}
		labels := make([]string, len(v.f.Options))
		for i, o := range v.f.Options {
			labels[i] = o.Label
		}
		v.choice = newKeySelect(labels, v.p.a.windowKey)
		v.set(value)
		v.choice.OnChanged = func(string) { v.changed(); v.help() }
		return outlined(v.choice)
	case connectors.Toggle:
		v.toggle = widget.NewCheck(v.f.Label, nil)
		v.toggle.SetChecked(value == "true")
		v.toggle.OnChanged = func(bool) { v.changed() }
		return v.toggle
	}
	multi := v.f.Kind == connectors.Lines || v.f.Kind == connectors.SecretLines || v.f.Kind == connectors.JSON
	v.entry = newEntry(multi, v.f.Kind == connectors.SecretText)
	v.entry.keys, v.entry.window = &v.p.a.keys, v.p.a.windowKey
	if multi {
		v.entry.wheel = v.p.wheel
	}
	if v.f.Kind.Secret() {
		v.entry.copied = func(c fyne.Clipboard) { v.p.a.copied(c, secretStays) }
	}
	v.entry.SetPlaceHolder(v.f.Example)
	if v.stored {
		v.entry.SetPlaceHolder(lang.T("form.stored"))
	}
	v.entry.SetText(value)
	v.entry.OnChanged = func(string) { v.changed() }
	v.entry.onBlur = v.blurred
	if v.f.Split != nil {
		v.entry.pasted = func() { v.splits() }
	}
	if v.f.Listed && multi {
		return v.choosable(v.entry)
	}
	if v.f.Listed {
		return v.choosable(oneLined(v.entry))
	}
	if !multi && v.f.Kind != connectors.File {
		return oneLined(v.entry)
	}
	if v.f.Kind == connectors.JSON {
		v.live = task.NewDebouncer(v.p.a.r, draftPause, v.judge)
		v.entry.Wrapping = fyne.TextWrapBreak
		v.entry.SetMinRowsVisible(7)
		return v.entry
	}
	if multi && !v.takesFile() {
		return v.entry
	}
	pick := widget.NewButtonWithIcon(lang.T("form.file"), theme.FolderOpenIcon(), v.pick)
	if v.f.Kind == connectors.File {
		return container.NewBorder(nil, nil, nil, pick, oneLined(v.entry))
	}
	return vbox(4, v.entry, container.NewHBox(pick))
}

// outlined draws the border that the toolkit's Select lacks.
func outlined(s fyne.CanvasObject) fyne.CanvasObject {
	line := newFill("", 6)
	line.stroke = theme.ColorNameInputBorder
	return container.NewStack(newFill(theme.ColorNameInputBackground, 6), s, line)
}

// help shows the hint of the chosen option, or the field's own.
func (v *fieldView) help() {
	for _, o := range v.f.Options {
		if v.choice != nil && o.Label == v.choice.Selected && o.Help != "" {
			v.say(o.Help, false)
			return
		}
	}
	v.say(v.f.Help, false)
}

// pick reads a chosen file into the field, or its path where the path is asked for.
func (v *fieldView) pick() {
	v.p.a.openFile(func(f fyne.URIReadCloser) {
		data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
		v.take(f.URI().Path(), data, err)
	})
}

// takesFile reports whether the field can be answered with a file. Lines that
// nothing repairs are typed, such as headers; those of a certificate are repaired.
func (v *fieldView) takesFile() bool {
	return v.f.Kind == connectors.File || v.f.Kind == connectors.SecretLines || v.f.Kind == connectors.Lines && v.f.Tidy != nil
}

// dropped puts a file into the field that it was dropped on, or a key or
// certificate into the only one on the screen that takes a file. It reports
// whether it did.
func (p *formPane) dropped(at fyne.Position, file fyne.URI) bool {
	var can []*fieldView
	under := false
	for _, v := range p.fields {
		if v.box.Hidden || !v.takesFile() || v.f.Advanced && !p.advanced.Visible() {
			continue
		}
		can = append(can, v)
		from := fyne.CurrentApp().Driver().AbsolutePositionForObject(v.box)
		size := v.box.Size()
		if at.X >= from.X && at.Y >= from.Y && at.X <= from.X+size.Width && at.Y <= from.Y+size.Height {
			can, under = []*fieldView{v}, true
			break
		}
	}
	if len(can) != 1 {
		return false
	}
	f, err := storage.Reader(file)
	if err != nil {
		can[0].say(lang.T("form.unreadable"), true)
		return true
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err == nil && !under && !forKeyField(keys.Identify(data)) {
		return false
	}
	can[0].take(file.Path(), data, err)
	return true
}

// forKeyField reports whether something that was dropped beside the fields is
// meant for the one that takes a key.
func forKeyField(k keys.Kind) bool {
	switch k {
	case keys.PrivateKey, keys.PublicKey, keys.Certificate, keys.PFX, keys.PKCS7, keys.JavaStore, keys.Keytab, keys.ServiceAccount, keys.KnownHosts:
		return true
	}
	return false
}

func (v *fieldView) take(path string, data []byte, err error) {
	if v.f.Kind == connectors.File {
		v.entry.SetText(path)
		v.blurred()
		return
	}
	switch {
	case err != nil:
		v.say(lang.T("form.unreadable"), true)
		return
	case len(data) > maxKeyFile:
		v.say(lang.T("form.toolarge"), true)
		return
	}
	v.entry.SetText(connectors.FileText(data))
	v.blurred()
}

func (v *fieldView) changed() {
	v.touched = true
	v.unnote()
	v.p.stale(v)
	v.p.changed()
	if v.live != nil {
		v.live.Mark()
	}
}

// judge says while the answer is typed whether it can be read.
func (v *fieldView) judge() {
	text, bad := v.f.Help, false
	if err := v.f.Verify(v.entry.Text); err != nil {
		text, bad = err.Error(), true
	}
	if bad != v.bad || bad && text != v.hint.String() {
		v.say(text, bad)
	}
}

// blurred repairs and checks the answer when the person leaves the field.
func (v *fieldView) blurred() {
	text := v.entry.Text
	if v.splits() {
		return
	}
	if v.f.Tidy != nil && text != "" {
		if tidy := v.f.Tidy(text); tidy != text {
			v.entry.SetText(tidy)
			text = tidy
		}
	} else if !v.f.Kind.Secret() && v.entry.Text != strings.TrimSpace(text) && !v.entry.MultiLine {
		v.entry.SetText(strings.TrimSpace(text))
		text = v.entry.Text
	}
	if err := v.f.Verify(text); err != nil {
		v.say(err.Error(), true)
		return
	}
	v.say(v.f.Help, false)
}

// say shows the hint, or the error in its place.
func (v *fieldView) say(text string, bad bool) {
	c := looks.Text2
	v.bad = bad
	if bad {
		c = looks.ErrText
	}
	v.hint.Segments = []widget.RichTextSegment{&widget.TextSegment{Text: text, Style: widget.RichTextStyle{ColorName: c, SizeName: theme.SizeNameCaptionText}}}
	v.under.Hidden = text == ""
	v.tuck()
	v.hint.Refresh()
	v.p.moved()
}

// tuck takes away the room of a hint below the row, where there is none to show.
func (v *fieldView) tuck() {
	if v.apart != nil {
		v.apart.Hidden = v.box.Hidden || v.under.Hidden
	}
}

func (v *fieldView) set(value string) {
	switch {
	case v.choice != nil:
		for _, o := range v.f.Options {
			if o.Value == value {
				v.choice.SetSelected(o.Label)
			}
		}
		v.help()
	case v.toggle != nil:
		v.toggle.SetChecked(value == "true")
	default:
		v.entry.SetText(value)
	}
}

func (v *fieldView) value() string {
	switch {
	case v.choice != nil:
		for _, o := range v.f.Options {
			if o.Label == v.choice.Selected {
				return o.Value
			}
		}
		return ""
	case v.toggle != nil:
		if v.toggle.Checked {
			return "true"
		}
		return "false"
	}
	return v.entry.Text
}

func (v *fieldView) focusable() fyne.Focusable {
	switch {
	case v.choice != nil:
		return v.choice
	case v.toggle != nil:
		return v.toggle
	}
	return v.entry
}

// twoThirds puts a long and a short field beside each other.
type twoThirds struct{}

func (twoThirds) MinSize(o []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, x := range o {
		if x.Visible() {
			s = fyne.NewSize(s.Width+x.MinSize().Width, max(s.Height, x.MinSize().Height))
		}
	}
	return s
}

func (twoThirds) Layout(o []fyne.CanvasObject, s fyne.Size) {
	if len(o) < 2 || !o[0].Visible() || !o[1].Visible() {
		for _, x := range o {
			x.Move(fyne.NewPos(0, 0))
			x.Resize(s)
		}
		return
	}
	short := min(110, s.Width/3)
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(s.Width-short-12, s.Height))
	o[1].Move(fyne.NewPos(s.Width-short, 0))
	o[1].Resize(fyne.NewSize(short, s.Height))
}

var _ fyne.Layout = twoThirds{}

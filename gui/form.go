package gui

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// formPane is the form of one connection, made from its type's fields.
type formPane struct {
	a    *App
	t    connectors.Type
	c    link.Connection
	id   string
	root *fyne.Container

	name, note *entry
	fields     []*fieldView
	sections   []*sectionHead
	body       *fyne.Container
	scroll     *container.Scroll
	page       *page
	wheel      *wheel
	head       *fyne.Container
	banner     *fyne.Container
	ladder     *ladderView
	advanced   *fyne.Container
	fold       *widget.Button
	sent       *sentView // nil where the type has nothing to show
	status     *label
	lacks      string // what a saved connection still lacks
	headed     string // what the head shows
	buttons    *fyne.Container
	progress   *fyne.Container
	running    *label

	unsaved bool
	told    bool // the banner is about answers that are not saved yet
	cancel  func()
	links   int // counts link attempts; a late result of an older one is dropped
}

func newFormPane(a *App, t connectors.Type, c link.Connection) *formPane {
	p := &formPane{a: a, t: t, c: c, id: c.ID, unsaved: c.ID == ""}
	p.name, p.note = newEntry(false, false), newNote()
	p.name.keys, p.note.keys = &a.keys, &a.keys
	p.name.window, p.note.window = a.windowKey, a.windowKey
	p.name.SetPlaceHolder(lang.T("form.nameexample"))
	p.name.SetText(c.Name)
	p.note.SetText(c.Description)
	p.name.OnChanged = func(string) { p.changed() }
	p.note.OnChanged = func(string) { p.changed() }
	p.head, p.banner = container.NewStack(), container.NewVBox()
	p.wheel = newWheel()
	p.ladder = newLadderView(p.moved)
	p.build()
	p.status = secondary("")
	p.running = secondary("")
	p.footer()
	p.body = vbox(10, p.head, p.banner, p.ladder.root, p.questions())
	p.page = newPage(container.NewStack(padded(22, 24, 20, 24, p.body), p.wheel))
	p.scroll = container.NewVScroll(p.page)
	p.wheel.form = p.scroll
	bottom := vbox(0, hairline(), padded(11, 12, 20, 16, container.NewStack(p.buttons, p.progress)))
	p.root = container.NewStack(newFill(theme.ColorNameBackground, 0), newDock(nil, bottom, nil, nil, p.scroll))
	p.showState()
	if c.Problem != nil && c.State == link.Failed {
		p.fail(c.Problem)
	}
	return p
}

// build makes a view for every field.
func (p *formPane) build() {
	stored := map[string]bool{}
	for _, k := range p.c.SecretKeys {
		stored[k] = true
	}
	for _, f := range p.t.Form.Fields {
		value := f.Default
		if v, ok := p.c.Plain[f.Key]; ok {
			value = v
		}
		if f.Kind.Secret() {
			value = ""
		}
		p.fields = append(p.fields, newFieldView(p, f, value, stored[f.Key]))
	}
}

// questions lays the fields out: sections, short fields beside long ones, the
// advanced ones folded away.
func (p *formPane) questions() fyne.CanvasObject {
	plain := vbox(12, p.plainField(lang.T("form.name"), p.name, false), p.plainField(lang.T("form.description"), p.note, true))
	p.advanced = vbox(12)
	p.advanced.Hide()
	into := map[bool]*fyne.Container{false: plain, true: p.advanced}
	heads := map[bool]*sectionHead{}
	section := ""
	for i := 0; i < len(p.fields); i++ {
		v := p.fields[i]
		box := into[v.f.Advanced]
		if v.f.Section != "" {
			section = v.f.Section
		}
		if h := heads[v.f.Advanced]; section != "" && (h == nil || h.name != section) {
			h = &sectionHead{name: section, box: vbox(6, padded(8, 0, 0, 0, strong(section)), hairline())}
			heads[v.f.Advanced] = h
			p.sections = append(p.sections, h)
			box.Add(h.box)
		}
		v.section = heads[v.f.Advanced]
		if i+1 < len(p.fields) && p.fields[i+1].besides(v) {
			i++
			short := p.fields[i]
			short.section = v.section
			// A hint in the short field's column would be a column of words.
			short.box.Remove(short.under)
			short.apart = vbox(0, short.under)
			v.row = vbox(4, container.New(twoThirds{}, v.box, short.box), short.apart)
			short.row = v.row
			box.Add(v.row)
			continue
		}
		box.Add(v.box)
	}
	if len(p.advanced.Objects) > 0 {
		p.fold = widget.NewButtonWithIcon(lang.T("form.advanced"), theme.MenuDropDownIcon(), func() { p.unfold(!p.advanced.Visible()) })
		p.fold.Importance = widget.LowImportance
		p.fold.Alignment = widget.ButtonAlignLeading
		plain.Add(container.NewHBox(p.fold))
		plain.Add(p.advanced)
	}
	if p.sent = newSentView(p); p.sent != nil {
		plain.Add(p.sent.root)
		p.sent.later()
	}
	if g := p.guide(); g != nil {
		plain.Add(g)
	}
	p.conditions()
	p.lending()
	return plain
}

// besides reports whether v shares a row with the field before it.
func (v *fieldView) besides(before *fieldView) bool {
	return v.f.Short && v.f.Section == "" && v.f.Advanced == before.f.Advanced
}

// sectionHead is a heading, shown while one of its fields is.
type sectionHead struct {
	name string
	box  *fyne.Container
}

// moved lays the form out after a part of it has grown, shrunk or gone. The
// second round is for text that wraps: its height follows its new width.
func (p *formPane) moved() {
	if p.scroll != nil {
		settle(p.page, p.scroll)
	}
}

func (p *formPane) plainField(name string, e *entry, optional bool) fyne.CanvasObject {
	head := []fyne.CanvasObject{fixed(fyne.MeasureText(name, 12, fyne.TextStyle{Bold: true}).Width+1, 0, newLabel(name, 12, theme.ColorNameForeground, true))}
	if optional {
		head = append(head, fixed(60, 0, secondary(lang.T("form.optional"))))
	}
	if e.MultiLine {
		return vbox(4, hbox(8, head...), e)
	}
	return vbox(4, hbox(8, head...), oneLined(e))
}

func (p *formPane) unfold(open bool) {
	if p.fold == nil || p.advanced.Visible() == open {
		return
	}
	if open {
		p.advanced.Show()
		p.fold.SetText(lang.T("form.less"))
		p.fold.SetIcon(theme.MenuDropUpIcon())
	} else {
		p.advanced.Hide()
		p.fold.SetText(lang.T("form.advanced"))
		p.fold.SetIcon(theme.MenuDropDownIcon())
	}
	p.moved()
}

// settings are the answers as they stand. A secret that was not typed is
// absent: the stored one stays.
func (p *formPane) settings() connectors.Settings {
	s := connectors.NewSettings()
	for _, v := range p.fields {
		switch {
		case !v.f.Kind.Secret():
			if text := v.value(); text != "" {
				s.Plain[v.f.Key] = text
			}
		case v.touched && (v.value() != "" || v.stored):
			s.Secrets[v.f.Key] = connectors.NewSecret(v.value())
		}
	}
	return s
}

// judged are the answers with a mark for each secret that is stored.
func (p *formPane) judged() connectors.Settings {
	s := p.settings()
	for _, v := range p.fields {
		if _, typed := s.Secrets[v.f.Key]; v.stored && !typed {
			s.Secrets[v.f.Key] = connectors.NewSecret("stored")
		}
	}
	return p.lent(s)
}

func (p *formPane) changed() {
	p.unsaved = true
	p.conditions()
	p.lending()
	p.showState()
	p.sent.later()
}

// conditions shows and hides fields by the other answers.
func (p *formPane) conditions() {
	s := p.settings()
	moved := false
	used := map[*sectionHead]bool{}
	rows := map[*fyne.Container]bool{}
	for _, v := range p.fields {
		show := p.t.Form.Visible(v.f.Key, s) && !v.useless()
		if show == v.box.Hidden {
			v.box.Hidden = !show
			moved = true
		}
		v.tuck()
		used[v.section] = used[v.section] || show
		if v.row != nil {
			rows[v.row] = rows[v.row] || show
		}
	}
	for row, show := range rows {
		row.Hidden = !show
	}
	for _, h := range p.sections {
		if used[h] == h.box.Hidden {
			h.box.Hidden = !used[h]
			moved = true
		}
	}
	if moved {
		p.moved()
	}
}

func (p *formPane) dirty() bool {
	if p.id != "" {
		return p.unsaved
	}
	for _, v := range p.fields {
		if v.touched {
			return true
		}
	}
	return false
}

// showState renews the title line and the footer's words.
func (p *formPane) showState() {
	if p.buttons == nil {
		return
	}
	origin := p.t.Name
	if place := p.t.Place(p.settings().Plain); place != "" {
		origin += " · " + place
	}
	name := p.c.Name
	if name == "" {
		name = p.t.Name
	}
	missing := p.t.Form.Missing(p.judged())
	p.lacks = ""
	if len(missing) > 0 && p.id != "" { // in an empty form it goes without saying
		var labels []string
		for _, key := range missing {
			f, _ := p.t.Form.Field(key)
			labels = append(labels, f.Label)
		}
		p.lacks = lang.T("form.missing", strings.Join(labels, ", "))
	}
	if now := strings.Join([]string{name, origin, string(p.c.State), p.lacks}, "\x00"); now != p.headed {
		p.headed = now
		p.showHead(name, origin)
	}
	switch {
	case len(missing) > 0:
		p.status.set(lang.N("form.tofill", len(missing)))
	case p.unsaved:
		p.status.set(lang.T("form.unsaved"))
	case p.c.State == link.OK || p.c.State == link.Partial:
		p.status.set(lang.T("form.linked", timeOfDay(p.c.Checked)))
	case p.c.State == link.Prepared:
		p.status.set(lang.T("form.complete"))
	default:
		p.status.set("")
	}
}

func (p *formPane) showHead(name, origin string) {
	w := min(280, fyne.MeasureText(name, 20, fyne.TextStyle{Bold: true}).Width+2)
	line := hbox(10, fixed(w, 0, title(connectors.Clean(name, 100))), container.NewCenter(statePill(p.c.State)))
	head := vbox(2, line, secondary(connectors.Clean(origin, 120)))
	if p.lacks != "" {
		head.Add(padded(4, 0, 0, 0, flush(prose(p.lacks, looks.WarnText, theme.SizeNameCaptionText))))
	}
	before := p.head.MinSize().Height
	p.head.Objects = []fyne.CanvasObject{head}
	p.head.Refresh()
	if p.lacks != "" || p.head.MinSize().Height != before {
		p.moved()
	}
}

func timeOfDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("15:04")
}

func (p *formPane) renamed(name string) {
	p.c.Name = name
	before := p.unsaved
	p.name.SetText(name)
	p.unsaved = before
	p.showState()
}

func (p *formPane) footer() {
	keys := p.a.windowKey
	primary := newKeyButton(lang.T("button.link"), theme.LoginIcon(), p.link, keys)
	primary.Importance = widget.HighImportance
	test := newKeyButton(lang.T("button.test"), nil, p.test, keys)
	save := newKeyButton(lang.T("button.save"), nil, func() { p.save(nil) }, keys)
	more := newKeyButton("", theme.MoreHorizontalIcon(), nil, keys)
	more.Importance = widget.LowImportance
	more.OnTapped = func() {
		items := []*fyne.MenuItem{
			fyne.NewMenuItem(lang.T("button.saveclose"), func() { p.save(p.a.showWelcome) }),
			fyne.NewMenuItem(lang.T("button.close"), func() { p.a.leave(p.a.showWelcome) }),
		}
		if p.id != "" {
			items = append(append(items, fyne.NewMenuItemSeparator()), p.a.menu(p.c).Items...)
		}
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(more)
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), p.a.win.Canvas(), at.SubtractXY(0, float32(len(items))*30))
	}
	p.buttons = newDock(nil, nil, nil, fixed(0, 32, container.NewHBox(more, test, save, primary)), padded(9, 0, 0, 6, p.status))
	stop := newKeyButton(lang.T("button.cancel"), nil, p.cancelLink, keys)
	p.progress = newDock(nil, nil, nil, fixed(0, 32, container.NewHBox(stop)), padded(9, 0, 0, 6, p.running))
	p.progress.Hide()
}

func (p *formPane) draft() link.Draft {
	name := strings.TrimSpace(p.name.Text)
	if name == "" {
		name = p.t.Name
	}
	return link.Draft{Type: p.t.ID, Name: name, Description: p.note.Text, Practice: p.c.Practice, Settings: p.settings()}
}

// save stores the answers; then may be nil. What was typed stays in the form
// when saving fails.
func (p *formPane) save(then func()) {
	p.tidy()
	d, id := p.draft(), p.id
	task.Run(p.a.r, func(ctx context.Context) (link.Connection, error) {
		if id == "" {
			return p.a.o.Book.Create(ctx, d)
		}
		return p.a.o.Book.Save(ctx, id, d)
	}, func(c link.Connection, err error) {
		if err != nil {
			p.fail(lang.Explain(err))
			return
		}
		secrets := len(d.Settings.Secrets) > 0
		p.saved(c)
		p.a.reload(nil)
		if p.a.form == p {
			p.a.preview.prepare(c)
			if secrets && p.a.preview.ready != nil { // the keychain is open already
				p.a.preview.ready.deeper()
			}
		}
		if then != nil {
			then()
		}
	})
}

func (p *formPane) saved(c link.Connection) {
	p.c, p.id, p.unsaved = c, c.ID, false
	renewed := false
	for _, v := range p.fields {
		if !v.f.Kind.Secret() {
			continue
		}
		if v.touched {
			v.stored = v.value() != ""
			renewed = true
		}
		v.touched = false
	}
	if renewed {
		p.dependents(c)
	}
	p.a.side.selected = c.ID
	if p.told {
		p.told = false
		p.banner.RemoveAll()
		p.moved()
	}
	p.showState()
	p.status.set(lang.T("form.saved"))
}

// focusFirst puts the cursor where something is missing, else on the name.
func (p *formPane) focusFirst() {
	missing := p.t.Form.Missing(p.judged())
	for _, v := range p.fields {
		if len(missing) > 0 && v.f.Key == missing[0] {
			p.a.win.Canvas().Focus(v.focusable())
			return
		}
	}
}

func (p *formPane) close() {
	if p.cancel != nil {
		p.cancel()
	}
	p.hush()
	p.sent.close()
}

package gui

import (
	"context"
	"fmt"
	"io"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/intake"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// mostFound is how many connections of one paste are listed for review.
const mostFound = 200

// pastePage takes anything that says where a connection leads.
type pastePage struct {
	*toolPage
	input *entry
	pass  *entry
	lock  *fyne.Container // around pass; hidden until something is locked
	out   *fyne.Container
	files []intake.File // dropped or chosen; nil: what stands in input
	busy  func()
	rows  []*foundRow
}

// showPaste opens the page; files are understood at once.
func (a *App) showPaste(files []intake.File) {
	p := &pastePage{out: vbox(12)}
	p.input = a.textField(lang.T("paste.example"), 7)
	p.pass = a.field("", true)
	p.pass.OnSubmitted = func(string) { p.read() }
	p.lock = labelled(lang.T("paste.passphrase"), oneLined(p.pass))
	p.lock.Hide()
	open := a.button(lang.T("form.file"), theme.FolderOpenIcon(), func() {
		a.chooseFile(func(name string, data []byte) { p.given([]intake.File{{Name: name, Data: data}}) })
	})
	clip := a.button(lang.T("paste.clipboard"), theme.ContentPasteIcon(), func() {
		p.given([]intake.File{{Data: []byte(a.o.App.Clipboard().Content())}})
	})
	read := a.mainButton(lang.T("paste.read"), nil, func() { p.files = nil; p.read() })
	line := newDock(nil, nil, nil, container.NewHBox(read), container.NewHBox(clip, open))
	p.toolPage = newToolPage(a, lang.T("paste.title"), lang.T("paste.text"), vbox(12, p.input, p.lock, line, p.out))
	a.showPage(p.toolPage, p.input)
	if len(files) > 0 {
		p.given(files)
	}
}

// given shows what was chosen and reads it. What is a secret is not shown.
func (p *pastePage) given(files []intake.File) {
	p.files = files
	p.pass.SetText("")
	p.lock.Hide()
	p.read()
}

func (p *pastePage) read() {
	files := p.files
	if files == nil {
		files = []intake.File{{Data: []byte(p.input.Text)}}
	}
	if len(files) == 1 && p.a.opened(files[0].Name, files[0].Data) {
		return
	}
	if p.busy != nil {
		p.busy()
	}
	types, pass := p.a.book.Book.Types(), connectors.NewSecret(p.pass.Text)
	p.busy = task.Run(p.a.r, func(context.Context) (intake.Found, error) {
		if len(files) == 1 {
			return intake.Read(types, files[0], pass)
		}
		return intake.ReadAll(types, files, pass)
	}, p.found)
}

// found opens the form of what is clear, and asks about the rest.
func (p *pastePage) found(f intake.Found, err error) {
	if err != nil {
		p.problem(err)
		return
	}
	if f.Locked {
		p.lock.Show()
		p.put(note(lang.T("paste.locked", f.What), looks.WarnSubtle, looks.WarnText))
		p.a.win.Canvas().Focus(p.pass)
		return
	}
	if len(f.Items) == 1 && len(f.Items[0].Readings) == 1 {
		p.a.openFound(f, f.Items[0], f.Items[0].Readings[0])
		return
	}
	head := vbox(6, strong(lang.T("paste.is", f.What)))
	p.leftOver(head, f.Left)
	switch len(f.Items) {
	case 0:
		p.put(head)
	case 1:
		p.put(head, p.choice(f, f.Items[0]))
	default:
		p.put(head, p.review(f))
	}
}

func (p *pastePage) put(o ...fyne.CanvasObject) {
	p.out.Objects = o
	p.out.Refresh()
	p.moved()
}

func (p *pastePage) problem(err error) {
	words := lang.Explain(err)
	if words.Field == "passphrase" {
		p.lock.Show()
		p.moved() // what was never laid out takes no focus
		p.a.win.Canvas().Focus(p.pass)
	}
	p.put(container.NewStack(newFill(looks.WarnSubtle, 8), padded(12, 12, 12, 12, vbox(4, flush(prose(words.Title, looks.WarnText, theme.SizeNameText)), wrapped(words.Hint, theme.ColorNameForeground)))))
}

// leftOver names what was not understood.
func (p *pastePage) leftOver(box *fyne.Container, left []intake.Left) {
	if text := leftText(left); text != "" {
		box.Add(wrapped(text, looks.Text2))
	}
}

func leftText(left []intake.Left) string {
	var parts []string
	for _, l := range left {
		text := connectors.Clean(l.Name, 120)
		if l.Why != "" {
			text += " (" + strings.TrimSuffix(connectors.Clean(l.Why, 200), ".") + ")"
		}
		parts = append(parts, text)
		if len(parts) == 12 {
			parts = append(parts, "…")
			break
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return lang.T("paste.left", strings.Join(parts, ", "))
}

// choice are cards for what one thing can be.
func (p *pastePage) choice(f intake.Found, i intake.Item) fyne.CanvasObject {
	grid := container.New(wrapGrid{cardWidth, cardHeight, cardGap})
	for _, r := range i.Readings {
		t, ok := p.a.typeOf(r.Type)
		if !ok {
			continue
		}
		words := vbox(2, strong(t.Name), secondary(t.Summary))
		one := newPressable(looks.Surface, 10, padded(0, 0, 14, 12, newDock(nil, nil, padded(0, 0, 0, 12, container.NewCenter(typeTile(t))), nil, padded(18, 0, 0, 0, words))), func() { p.a.openFound(f, i, r) })
		one.look()
		grid.Add(one)
	}
	return vbox(8, wrapped(lang.T("paste.choose"), looks.Text2), grid)
}

// foundRow is one connection of several.
type foundRow struct {
	item    intake.Item
	choices []intake.Choice
	check   *widget.Check
	kind    *keySelect // nil where it can be one type alone
}

func (r *foundRow) choice() intake.Choice {
	if r.kind == nil {
		return r.choices[0]
	}
	return r.choices[max(0, r.kind.SelectedIndex())]
}

// review lists several for the person to agree to.
func (p *pastePage) review(f intake.Found) fyne.CanvasObject {
	p.rows = nil
	list := vbox(6)
	types := p.a.o.Book.Types()
	for n, i := range f.Items {
		if n == mostFound {
			list.Add(wrapped(lang.T("paste.more", len(f.Items)-mostFound), looks.Text2))
			break
		}
		if row := p.row(i, intake.Judge(types, i)); row != nil {
			list.Add(row)
		}
	}
	save := p.a.mainButton(lang.T("paste.save"), nil, nil)
	save.OnTapped = func() { p.save(save) }
	return vbox(12, wrapped(lang.T("paste.review"), looks.Text2), list, container.NewHBox(save))
}

func (p *pastePage) row(i intake.Item, choices []intake.Choice) fyne.CanvasObject {
	if len(choices) == 0 {
		return nil
	}
	r := &foundRow{item: i, choices: choices, check: widget.NewCheck("", nil)}
	var names []string
	for _, c := range choices {
		names = append(names, c.Type.Name)
	}
	r.check.SetChecked(true)
	p.rows = append(p.rows, r)
	first := choices[0]
	words := vbox(1, strong(connectors.Clean(i.Name, 100)), secondary(connectors.Clean(p.subtitle(first.Type, first.Settings, i), 160)))
	if len(first.Missing) > 0 {
		words.Add(flush(prose(lang.T("form.missing", labelsOf(first.Type, first.Missing)), looks.WarnText, theme.SizeNameCaptionText)))
	}
	if text := leftText(first.Reading.Left); text != "" {
		words.Add(flush(prose(text, looks.Text2, theme.SizeNameCaptionText)))
	}
	var side fyne.CanvasObject
	if len(names) > 1 {
		r.kind = newKeySelect(names, p.a.windowKey)
		r.kind.SetSelectedIndex(0)
		side = fixed(210, 0, vbox(0, outlined(r.kind)))
	}
	return card(newDock(nil, nil, vbox(0, r.check), side, padded(2, 0, 6, 6, words)))
}

func (p *pastePage) subtitle(t connectors.Type, s connectors.Settings, i intake.Item) string {
	text := t.Name
	if place := t.Place(s.Plain); place != "" {
		text += " · " + place
	}
	if i.Where != "" {
		text += " · " + i.Where
	}
	return text
}

func labelsOf(t connectors.Type, keys []string) string {
	var labels []string
	for _, k := range keys {
		f, _ := t.Form.Field(k)
		labels = append(labels, f.Label)
	}
	return strings.Join(labels, ", ")
}

// save keeps what is checked as prepared connections.
func (p *pastePage) save(b *keyButton) {
	var drafts []link.Draft
	for _, r := range p.rows {
		if !r.check.Checked {
			continue
		}
		c := r.choice()
		drafts = append(drafts, link.Draft{Type: c.Type.ID, Name: r.item.Name, Settings: c.Settings})
	}
	if len(drafts) == 0 {
		return
	}
	b.Disable()
	task.Run(p.a.r, func(ctx context.Context) ([]link.Connection, error) {
		free(ctx, p.a.o.Book, drafts)
		return p.a.o.Book.CreateAll(ctx, drafts)
	}, func(made []link.Connection, err error) {
		b.Enable()
		if err != nil {
			p.a.tell(err)
			return
		}
		p.a.reload(func() {
			p.a.selectConnection(made[0].ID)
			p.a.toasts.say(lang.N("paste.saved", len(made)), false)
		})
	})
}

// free gives each draft a name that neither the book nor another of them has.
func free(ctx context.Context, b Book, drafts []link.Draft) {
	taken := map[string]bool{}
	for i := range drafts {
		name := b.FreeName(ctx, drafts[i].Name)
		for n := 2; taken[link.NameKey(name)]; n++ {
			name = b.FreeName(ctx, fmt.Sprintf("%s %d", drafts[i].Name, n))
		}
		drafts[i].Name, taken[link.NameKey(name)] = name, true
	}
}

// openFound opens a form with what was understood filled in. Nothing is saved.
func (a *App) openFound(f intake.Found, i intake.Item, r intake.Reading) {
	t, ok := a.typeOf(r.Type)
	if !ok {
		return
	}
	a.leave(func() {
		a.newConnection(t)
		a.form.filled(a.o.Book.FreeName(a.ctx, i.Name), intake.Finish(t, r))
		words := []string{lang.T("paste.filled", f.What)}
		words = append(words, r.Notes...)
		if text := leftText(append(append([]intake.Left{}, r.Left...), f.Left...)); text != "" {
			words = append(words, text)
		}
		a.form.tell(words)
	})
}

// filled puts answers into an empty form.
func (p *formPane) filled(name string, s connectors.Settings) {
	if name != "" {
		p.name.SetText(name)
	}
	rare := false
	for _, v := range p.fields {
		text := s.Plain[v.f.Key]
		if v.f.Kind.Secret() {
			text = s.Secrets[v.f.Key].Reveal()
		}
		if text == "" || text == v.value() {
			continue
		}
		v.set(text)
		v.touched = true
		rare = rare || v.f.Advanced && text != v.f.Default
	}
	p.changed()
	p.unfold(rare)
	p.focusFirst()
}

// tell says above the questions what the person should know of the answers.
func (p *formPane) tell(words []string) { p.tellWith(words) }

// tellWith is tell with buttons below.
func (p *formPane) tellWith(words []string, buttons ...fyne.CanvasObject) {
	box := vbox(4)
	for _, w := range words {
		box.Add(wrapped(connectors.Clean(w, 500), theme.ColorNameForeground))
	}
	if len(buttons) > 0 {
		box.Add(container.NewHBox(buttons...))
	}
	p.banner.Objects = []fyne.CanvasObject{container.NewStack(newFill(looks.AccentBack, 8), padded(12, 12, 12, 12, box))}
	p.banner.Refresh()
	p.told = len(buttons) == 0
	p.moved()
}

// pasted takes what is pasted where no field has the focus.
func (a *App) pasted() {
	if text := a.o.App.Clipboard().Content(); text != "" && a.locked == nil && a.win.Canvas().Overlays().Top() == nil {
		a.showPaste([]intake.File{{Data: []byte(text)}})
	}
}

// dropped takes files that were dropped on the window: into the field under the
// mouse, or else to be understood.
func (a *App) dropped(at fyne.Position, uris []fyne.URI) {
	if len(uris) == 0 || a.locked != nil {
		return
	}
	if a.form != nil && len(uris) == 1 && a.form.dropped(at, uris[0]) {
		return
	}
	a.take(uris)
}

// take opens files: what was sealed or asked for as that, the rest to be
// understood.
func (a *App) take(uris []fyne.URI) {
	var files []intake.File
	for _, u := range inFolders(uris) {
		name, data, err := readDropped(u)
		if err != nil {
			a.toasts.say(lang.T("form.unreadable"), true)
			return
		}
		if a.opened(name, data) {
			return
		}
		files = append(files, intake.File{Name: name, Data: data})
	}
	a.showPaste(files)
}

// inFolders has the files of a dropped folder in its place, not those of the
// folders in it.
func inFolders(uris []fyne.URI) []fyne.URI {
	var out []fyne.URI
	for _, u := range uris {
		list, err := storage.List(u)
		if err != nil {
			out = append(out, u)
			continue
		}
		for _, x := range list {
			if is, err := storage.CanList(x); (err != nil || !is) && len(out) < intake.MaxFiles {
				out = append(out, x)
			}
		}
	}
	return out
}

func readDropped(u fyne.URI) (string, []byte, error) {
	f, err := storage.Reader(u)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, mostRead+1))
	return u.Name(), data, err
}

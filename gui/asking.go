package gui

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// askPage makes a request: which connections, what is known, who asks.
type askPage struct {
	*toolPage
	checks []*widget.Check
	list   []link.Connection
	kind   *keySelect
	types  []connectors.Type
	name   *entry
	who    *entry
	note   *entry
	out    *fyne.Container
	do     *keyButton
}

// showAsk opens the page; c is asked for at once, unless it is the zero value.
func (a *App) showAsk(c link.Connection) {
	p := &askPage{name: a.field(lang.T("form.nameexample"), false), who: a.field(lang.T("ask.whoexample"), false), note: newNote(), out: vbox(10), types: a.o.Book.Types()}
	p.note.keys, p.note.window = &a.keys, a.windowKey
	for _, x := range a.list {
		t, ok := a.typeOf(x.Type)
		if x.Practice || !ok || x.State == link.OK && x.ID != c.ID {
			continue
		}
		check := widget.NewCheck(connectors.Clean(x.Name, 80)+"  ·  "+connectors.Clean(t.Name, 60), nil)
		check.Checked = x.ID == c.ID
		p.checks, p.list = append(p.checks, check), append(p.list, x)
	}
	names := []string{lang.T("ask.notype")}
	for _, t := range p.types {
		names = append(names, t.Name)
	}
	p.kind = newKeySelect(names, a.windowKey)
	nameRow := labelled(lang.T("form.name"), oneLined(p.name))
	nameRow.Hide()
	p.kind.OnChanged = func(string) {
		nameRow.Hidden = p.kind.SelectedIndex() < 1
		p.moved()
	}
	p.do = a.mainButton(lang.T("ask.make"), theme.DocumentSaveIcon(), p.ask)
	body := vbox(14)
	if len(p.list) > 0 {
		body.Add(labelled(lang.T("ask.which"), a.pickList(p.checks, func() { p.moved() })))
	}
	body.Add(labelled(lang.T("ask.type"), outlined(p.kind)))
	for _, o := range []fyne.CanvasObject{nameRow, labelled(lang.T("ask.who"), oneLined(p.who)), labelled(lang.T("ask.note"), p.note), container.NewHBox(p.do), p.out} {
		body.Add(o)
	}
	p.toolPage = newToolPage(a, lang.T("hand.asktitle"), lang.T("ask.text"), body)
	a.showPage(p.toolPage, p.who)
	p.kind.SetSelectedIndex(0)
}

func (p *askPage) put(o ...fyne.CanvasObject) {
	p.out.Objects = o
	p.out.Refresh()
	p.moved()
}

func (p *askPage) items() []handover.Asked {
	var out []handover.Asked
	for i, c := range p.checks {
		if t, ok := p.a.typeOf(p.list[i].Type); ok && c.Checked {
			out = append(out, handover.Ask(t, p.list[i], ""))
		}
	}
	if at := p.kind.SelectedIndex(); at > 0 {
		t := p.types[at-1]
		name := strings.TrimSpace(p.name.Text)
		if name == "" {
			name = t.Name
		}
		out = append(out, handover.Asked{Type: t.ID, Name: name})
	}
	return out
}

func (p *askPage) ask() {
	items := p.items()
	if len(items) == 0 {
		p.put(note(lang.T("ask.nothing"), looks.WarnSubtle, looks.WarnText))
		return
	}
	r := handover.Request{From: strings.TrimSpace(p.who.Text), Note: strings.TrimSpace(p.note.Text), Items: items}
	p.do.Disable()
	p.a.request(func(ctx context.Context, d *handover.Desk) (handover.Request, error) { return d.New(ctx, r) }, func(r handover.Request, err error) {
		p.do.Enable()
		if err != nil {
			p.put(problemNote(err))
			return
		}
		p.put(p.a.requestMade(r)...)
	})
}

// request does something at the desk in the background.
func (a *App) request(do func(context.Context, *handover.Desk) (handover.Request, error), then func(handover.Request, error)) {
	task.Run(a.r, func(ctx context.Context) (handover.Request, error) {
		desk, err := a.o.Desk()
		if err != nil {
			return handover.Request{}, err
		}
		return do(ctx, desk)
	}, then)
}

// requestMade shows what to send and what to compare.
func (a *App) requestMade(r handover.Request) []fyne.CanvasObject {
	save := a.mainButton(lang.T("button.savefile"), theme.DocumentSaveIcon(), func() {
		a.saveFile(handover.FileName(r.Items[0].Name, ".request"+handover.Ending), r.File(), false, nil)
	})
	copyIt := a.button(lang.T("button.copyplain"), theme.ContentCopyIcon(), func() { a.clip(string(r.File())) })
	return []fyne.CanvasObject{note(lang.T("ask.made"), looks.OkSubtle, looks.OkText), labelled(lang.T("ask.words"), selectable(r.Words())), container.NewHBox(save, copyIt)}
}

// listRequests shows the person's requests on the page of hand-overs.
func (a *App) listRequests(t *toolPage, into *fyne.Container) {
	task.Run(a.r, func(ctx context.Context) ([]handover.Kept, error) {
		desk, err := a.o.Desk()
		if err != nil {
			return nil, err
		}
		return desk.List(ctx)
	}, func(list []handover.Kept, err error) {
		if err != nil {
			a.tell(err)
		}
		into.Objects = nil
		if len(list) > 0 {
			into.Add(strong(lang.T("ask.yours")))
		}
		for _, k := range list {
			into.Add(a.requestRow(t, into, k))
		}
		into.Refresh()
		t.moved()
	})
}

func (a *App) requestRow(t *toolPage, into *fyne.Container, k handover.Kept) fyne.CanvasObject {
	var names []string
	for _, i := range k.Items {
		names = append(names, i.Name)
	}
	state := lang.T("ask.open", k.Created.Local().Format("2006-01-02"))
	switch {
	case !k.Withdrawn.IsZero():
		state = lang.T("ask.withdrawn", k.Withdrawn.Local().Format("2006-01-02"))
	case !k.Answered.IsZero():
		state = lang.T("ask.answered", k.Answered.Local().Format("2006-01-02"))
	}
	again := func(then func(r handover.Request)) func() {
		return func() {
			a.request(func(ctx context.Context, d *handover.Desk) (handover.Request, error) { return d.Again(ctx, k.ID) }, func(r handover.Request, err error) {
				if err != nil {
					a.tell(err)
					return
				}
				then(r)
			})
		}
	}
	drop := func(do func(ctx context.Context, d *handover.Desk) error) func() {
		return func() {
			a.request(func(ctx context.Context, d *handover.Desk) (handover.Request, error) {
				return handover.Request{}, do(ctx, d)
			}, func(_ handover.Request, err error) {
				if err != nil {
					a.tell(err)
				}
				a.listRequests(t, into)
			})
		}
	}
	buttons := container.NewHBox(a.button(lang.T("ask.again"), nil, again(func(r handover.Request) {
		into.Objects = a.requestMade(r)
		into.Refresh()
		t.moved()
	})))
	if k.Withdrawn.IsZero() {
		buttons.Add(a.button(lang.T("ask.withdraw"), nil, drop(func(ctx context.Context, d *handover.Desk) error { return d.Withdraw(ctx, k.ID) })))
	} else {
		buttons.Add(a.button(lang.T("button.delete"), nil, drop(func(ctx context.Context, d *handover.Desk) error { return d.Remove(ctx, k.ID) })))
	}
	return card(newDock(nil, nil, nil, vbox(0, buttons), vbox(2, strong(connectors.Clean(strings.Join(names, ", "), 100)), secondary(state), secondary(k.Words()))))
}

// answering is a request of somebody else's that is being answered here.
type answering struct {
	a       *App
	request handover.Request
	wanted  []handover.Wanted
	ids     map[int]string // the connections that answer it
	made    []string       // those of them that were made for it
}

// answer opens a request.
func (a *App) answer(r handover.Request) {
	a.answering = &answering{a: a, request: r, wanted: handover.Check(a.o.Book.Types(), r), ids: map[int]string{}}
	a.answering.show()
}

// show opens the page of the answer, over the connections as they are now.
func (w *answering) show() { w.a.reload(w.page) }

func (w *answering) page() {
	a, r := w.a, w.request
	list := vbox(8)
	for n, x := range w.wanted {
		list.Add(w.item(n, x))
	}
	comment, out := newNote(), vbox(8)
	comment.keys, comment.window = &a.keys, a.windowKey
	who := r.From
	if who == "" {
		who = lang.T("ask.somebody")
	}
	body := vbox(14)
	if r.Note != "" {
		body.Add(note(connectors.Clean(r.Note, 600), looks.AccentBack, theme.ColorNameForeground))
	}
	t := newToolPage(a, lang.T("answer.title", connectors.Clean(who, 60)), lang.T("answer.text"), body)
	do := a.mainButton(lang.T("answer.seal"), theme.DocumentSaveIcon(), func() {
		if left := w.unfinished(); left != "" {
			anyway := a.button(lang.T("answer.anyway"), nil, func() { w.seal(t, comment.Text, out) })
			out.Objects = []fyne.CanvasObject{note(lang.T("answer.unfinished", left), looks.WarnSubtle, looks.WarnText), container.NewHBox(anyway)}
			out.Refresh()
			t.moved()
			return
		}
		w.seal(t, comment.Text, out)
	})
	for _, o := range []fyne.CanvasObject{labelled(lang.T("ask.words"), selectable(r.Words())), wrapped(lang.T("ask.wordstext"), looks.Text2), list, labelled(lang.T("answer.note"), comment), container.NewHBox(do), out} {
		body.Add(o)
	}
	a.showPage(t, do)
}

func (w *answering) item(n int, x handover.Wanted) fyne.CanvasObject {
	t, _ := w.a.typeOf(x.Type)
	where := t.Name
	if place := t.Place(x.Settings.Plain); place != "" {
		where += " · " + place
	}
	words := vbox(2, strong(connectors.Clean(x.Name, 100)), secondary(connectors.Clean(where, 160)))
	if x.Note != "" {
		words.Add(wrapped(connectors.Clean(x.Note, 400), looks.Text2))
	}
	for _, f := range x.Flags {
		words.Add(dotted(looks.WarnDot, flush(prose(connectors.Clean(f.Text+" "+f.Label+": "+f.Value, 400), looks.WarnText, theme.SizeNameCaptionText))))
	}
	if !x.Known {
		words.Add(wrapped(lang.T("hand.unknown", connectors.Clean(x.Type, 60)), looks.WarnText))
		return card(words)
	}
	fill := w.a.button(lang.T("answer.fill"), theme.DocumentCreateIcon(), func() { w.fill(n) })
	if c, ok := w.a.connection(w.ids[n]); ok {
		words.Add(secondary(lang.T("answer.with", connectors.Clean(c.Name, 80), lookOf(c.State).word)))
		if missing := w.missing(t, c); missing != "" {
			words.Add(flush(prose(lang.T("form.missing", missing), looks.WarnText, theme.SizeNameCaptionText)))
		}
		fill.SetText(lang.T("answer.look"))
	} else if len(x.Ask) > 0 {
		words.Add(secondary(lang.T("answer.asked", labelsOf(t, x.Ask))))
	}
	return card(newDock(nil, nil, nil, vbox(6, fill, w.own(n, x.Type)), words))
}

// unfinished names what is not filled in yet.
func (w *answering) unfinished() string {
	var names []string
	for n, x := range w.wanted {
		t, ok := w.a.typeOf(x.Type)
		c, made := w.a.connection(w.ids[n])
		if !ok || !made || w.missing(t, c) != "" {
			names = append(names, connectors.Clean(x.Name, 80))
		}
	}
	return strings.Join(names, ", ")
}

func (w *answering) missing(t connectors.Type, c link.Connection) string {
	s := connectors.Settings{Plain: c.Plain, Secrets: map[string]connectors.Secret{}}
	for _, k := range c.SecretKeys {
		s.Secrets[k] = connectors.NewSecret("stored")
	}
	return labelsOf(t, t.Form.Missing(s))
}

// own offers the person's own connections of that type.
func (w *answering) own(n int, typeID string) fyne.CanvasObject {
	var ids, names []string
	for _, c := range w.a.list {
		if c.Type == typeID && !c.Practice && c.ID != w.ids[n] {
			ids, names = append(ids, c.ID), append(names, c.Name)
		}
	}
	if len(ids) == 0 {
		return vbox(0)
	}
	s := newKeySelect(names, w.a.windowKey)
	s.PlaceHolder = lang.T("answer.own")
	s.OnChanged = func(string) {
		if i := s.SelectedIndex(); i >= 0 {
			w.ids[n] = ids[i]
			w.show()
		}
	}
	return fixed(190, 0, outlined(s))
}

// fill makes a connection of what came along, and opens its form.
func (w *answering) fill(n int) {
	then := func(id string) {
		w.a.selectConnection(id)
		w.remind(w.a.form)
	}
	if id := w.ids[n]; id != "" {
		then(id)
		return
	}
	x := w.wanted[n]
	task.Run(w.a.r, func(ctx context.Context) (link.Connection, error) {
		return w.a.o.Book.Create(ctx, link.Draft{Type: x.Type, Name: w.a.o.Book.FreeName(ctx, x.Name), Description: x.Description, Settings: x.Settings})
	}, func(c link.Connection, err error) {
		if err != nil {
			w.a.tell(err)
			return
		}
		w.ids[n], w.made = c.ID, append(w.made, c.ID)
		w.a.reload(func() { then(c.ID) })
	})
}

// remind leads back from the form of a connection that was made for the answer.
func (w *answering) remind(p *formPane) {
	if w != nil && p != nil && p.id != "" && slices.Contains(w.made, p.id) {
		p.tellWith([]string{lang.T("answer.filling")}, w.a.button(lang.T("hand.toanswer"), theme.NavigateBackIcon(), w.show))
	}
}

func (w *answering) seal(t *toolPage, comment string, out *fyne.Container) {
	say := func(o ...fyne.CanvasObject) {
		out.Objects = o
		out.Refresh()
		t.moved()
	}
	notes := []string{}
	task.Run(w.a.r, func(ctx context.Context) ([]byte, error) {
		answer, said, err := handover.NewAnswer(ctx, w.a.o.Book, w.request, w.ids, comment)
		if err != nil {
			return nil, err
		}
		notes = said
		var file bytes.Buffer
		err = handover.SealAnswer(&file, w.request, answer)
		return file.Bytes(), err
	}, func(data []byte, err error) {
		if err != nil {
			say(problemNote(err))
			return
		}
		parts := []fyne.CanvasObject{note(lang.T("answer.sealed"), looks.OkSubtle, looks.OkText)}
		for _, n := range notes {
			parts = append(parts, wrapped(connectors.Clean(n, 400), looks.Text2))
		}
		name := handover.FileName(w.request.Items[0].Name, ".answer"+handover.Ending)
		save := w.a.mainButton(lang.T("button.savefile"), theme.DocumentSaveIcon(), func() { w.a.saveFile(name, data, true, w.over) })
		say(append(parts, container.NewHBox(save))...)
	})
}

// over offers to remove what was made for the answer alone.
func (w *answering) over() {
	a := w.a
	a.answering = nil
	if len(w.made) == 0 {
		a.showHandover()
		return
	}
	a.question(question{title: lang.T("answer.overtitle"), text: fixed(420, 60, wrappedText(lang.T("answer.overtext"))), yes: lang.T("answer.remove"), no: lang.T("answer.keep"), answer: func(yes bool) {
		if !yes {
			a.showHandover()
			return
		}
		task.Run(a.r, func(ctx context.Context) (struct{}, error) {
			for _, id := range w.made {
				if err := a.o.Book.Forget(ctx, id); err != nil {
					return struct{}{}, err
				}
			}
			return struct{}{}, nil
		}, func(_ struct{}, err error) {
			if err != nil {
				a.tell(err)
			}
			a.reload(a.showHandover)
		})
	}}).Show()
}

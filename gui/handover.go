package gui

import (
	"bytes"
	"context"
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

// showHandover leads to what can be handed over and opened.
func (a *App) showHandover() {
	requests := vbox(8)
	open := a.button(lang.T("hand.choosefile"), theme.FolderOpenIcon(), func() {
		a.chooseFile(func(name string, data []byte) {
			if !a.opened(name, data) {
				a.tell(&connectors.Error{Code: connectors.BadInput, Reason: "handover.kind", Target: name})
			}
		})
	})
	part := func(head, text string, b fyne.CanvasObject) fyne.CanvasObject {
		return card(newDock(nil, nil, nil, container.NewCenter(b), vbox(2, strong(lang.T(head)), wrapped(lang.T(text), looks.Text2))))
	}
	seal := a.button(lang.T("hand.seal"), theme.MailSendIcon(), func() { a.showSeal(nil) })
	body := vbox(12)
	if a.answering != nil {
		back := a.mainButton(lang.T("hand.toanswer"), nil, a.answering.show)
		body.Add(part("hand.answering", "hand.answeringtext", back))
	}
	body.Add(part("hand.sealtitle", "hand.sealtext", seal))
	body.Add(part("hand.opentitle", "hand.opentext", open))
	if a.o.Desk != nil {
		body.Add(part("hand.asktitle", "hand.asktext", a.button(lang.T("hand.ask"), theme.MailComposeIcon(), func() { a.showAsk(link.Connection{}) })))
	}
	body.Add(requests)
	t := newToolPage(a, lang.T("hand.title"), lang.T("hand.text"), body)
	a.showPage(t, seal)
	if a.o.Desk != nil {
		a.listRequests(t, requests)
	}
}

// sealPage seals chosen connections into a file.
type sealPage struct {
	*toolPage
	checks   []*widget.Check
	list     []link.Connection
	how      *keySelect
	pass     *entry
	keys     *entry
	note     *entry
	rotating *widget.Check
	plain    *widget.Check
	passRow  *fyne.Container
	keyRow   *fyne.Container
	out      *fyne.Container
	do       *keyButton
}

// The ways to seal, as they stand in the choice.
const (
	byWords = iota
	byOwn
	byKeys
)

func (a *App) showSeal(chosen []string) {
	p := &sealPage{out: vbox(10), pass: a.field("", true), keys: a.textField("age1…\nssh-ed25519 AAAA…", 3), note: newNote()}
	p.note.keys, p.note.window = &a.keys, a.windowKey
	for _, c := range a.list {
		if c.Practice {
			continue
		}
		t, _ := a.typeOf(c.Type)
		check := widget.NewCheck(connectors.Clean(c.Name, 80)+"  ·  "+connectors.Clean(t.Name, 60), nil)
		for _, id := range chosen {
			check.Checked = check.Checked || id == c.ID
		}
		p.checks, p.list = append(p.checks, check), append(p.list, c)
	}
	p.how = newKeySelect([]string{lang.T("hand.bywords"), lang.T("hand.byown"), lang.T("hand.bykeys")}, a.windowKey)
	p.passRow, p.keyRow = labelled(lang.T("keys.passphrase"), oneLined(p.pass)), labelled(lang.T("hand.keys"), p.keys)
	p.rotating, p.plain = widget.NewCheck(lang.T("hand.rotating"), nil), widget.NewCheck(lang.T("hand.nosecrets"), nil)
	p.how.OnChanged = func(string) {
		p.passRow.Hidden, p.keyRow.Hidden = p.how.SelectedIndex() != byOwn, p.how.SelectedIndex() != byKeys
		p.moved()
	}
	p.do = a.mainButton(lang.T("hand.do"), theme.DocumentSaveIcon(), p.seal)
	what := a.pickList(p.checks, func() { p.moved() })
	if len(p.list) == 0 {
		what = secondary(lang.T("sidebar.empty"))
	}
	p.toolPage = newToolPage(a, lang.T("hand.sealtitle"), lang.T("hand.sealtext"), vbox(14, labelled(lang.T("hand.which"), what), labelled(lang.T("hand.how"), outlined(p.how)), p.passRow, p.keyRow,
		vbox(0, p.plain, p.rotating), labelled(lang.T("hand.note"), p.note), container.NewHBox(p.do), p.out))
	a.showPage(p.toolPage, p.how)
	p.how.SetSelectedIndex(byWords)
}

// The lists of connections to tick: how many are shown at once, and from how many
// on they can be searched.
const (
	mostPicked  = 100
	searchPicks = 12
)

// pickList shows the boxes to tick; what is ticked stays in sight.
func (a *App) pickList(checks []*widget.Check, moved func()) fyne.CanvasObject {
	rows, more := vbox(2), secondary("")
	search := a.field(lang.T("sidebar.search"), false)
	search.Icon = theme.SearchIcon()
	fill := func(want string) {
		rows.Objects = nil
		left := 0
		for _, c := range checks {
			switch {
			case !c.Checked && !strings.Contains(strings.ToLower(c.Text), strings.ToLower(strings.TrimSpace(want))):
			case len(rows.Objects) >= mostPicked && !c.Checked:
				left++
			default:
				rows.Add(c)
			}
		}
		more.Hidden = left == 0
		more.set(lang.T("hand.more", left))
	}
	fill("")
	search.OnChanged = func(text string) {
		fill(text)
		rows.Refresh()
		moved()
	}
	if len(checks) < searchPicks {
		return rows
	}
	return vbox(6, oneLined(search), rows, more)
}

func (p *sealPage) put(o ...fyne.CanvasObject) {
	p.out.Objects = o
	p.out.Refresh()
	p.moved()
}

// sealedFile is what sealing gave.
type sealedFile struct {
	data  []byte
	notes []string
	pass  connectors.Secret // that was made
	count int
}

func (p *sealPage) seal() {
	var ids []string
	for i, c := range p.checks {
		if c.Checked {
			ids = append(ids, p.list[i].ID)
		}
	}
	if len(ids) == 0 {
		p.put(note(lang.T("hand.none"), looks.WarnSubtle, looks.WarnText))
		return
	}
	how, to := p.how.SelectedIndex(), handover.Recipients{}
	switch how {
	case byOwn:
		to.Passphrase = connectors.NewSecret(p.pass.Text)
	case byKeys:
		for line := range strings.Lines(p.keys.Text) {
			if line = strings.TrimSpace(line); line != "" {
				to.Keys = append(to.Keys, line)
			}
		}
	}
	o := handover.PackOptions{Secrets: !p.plain.Checked, Rotating: p.rotating.Checked, Note: p.note.Text}
	p.do.Disable()
	p.put(secondary(lang.T("hand.sealing")))
	task.Run(p.a.r, func(ctx context.Context) (sealedFile, error) {
		var out sealedFile
		if how == byWords {
			made, err := handover.NewPassphrase()
			if err != nil {
				return out, err
			}
			to.Passphrase, out.pass = made, made
		}
		bundle, notes, err := handover.Pack(ctx, p.a.o.Book, ids, o)
		if err != nil {
			return out, err
		}
		var file bytes.Buffer
		err = handover.Seal(&file, bundle, to, false)
		out.data, out.notes, out.count = file.Bytes(), notes, len(bundle.Connections)
		return out, err
	}, func(f sealedFile, err error) {
		p.do.Enable()
		if err != nil {
			p.problem(err)
			return
		}
		p.sealed(f, ids)
	})
}

func (p *sealPage) problem(err error) {
	p.put(problemNote(err))
}

// sealed shows what to save and what to tell.
func (p *sealPage) sealed(f sealedFile, ids []string) {
	name := "connections"
	if c, ok := p.a.connection(ids[0]); ok && len(ids) == 1 {
		name = c.Name
	}
	save := func() { p.a.saveFile(handover.FileName(name, handover.Ending), f.data, true, nil) }
	out := []fyne.CanvasObject{note(lang.N("hand.sealed", f.count), looks.OkSubtle, looks.OkText)}
	if !f.pass.Empty() {
		words := f.pass.Reveal()
		copyIt := p.a.button(lang.T("button.copyplain"), theme.ContentCopyIcon(), func() { p.a.copySecret(words) })
		out = append(out, labelled(lang.T("hand.passphrase"), newDock(nil, nil, nil, vbox(0, copyIt), padded(8, 0, 0, 8, selectable(words)))), wrapped(lang.T("hand.passphrasetext"), looks.Text2))
	}
	for _, n := range f.notes {
		out = append(out, wrapped(connectors.Clean(n, 400), looks.Text2))
	}
	out = append(out, container.NewHBox(p.a.mainButton(lang.T("button.savefile"), theme.DocumentSaveIcon(), save)))
	p.put(out...)
}

// copyProfile copies a connection as text for tickets and version control.
func (a *App) copyProfile(c link.Connection) {
	if t, ok := a.typeOf(c.Type); ok {
		a.clip(handover.Profile(t, c))
	}
}

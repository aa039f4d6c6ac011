package gui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/keys"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// convertView writes keys and certificates in another format, or under another
// passphrase.
type convertView struct {
	t      *toolPage
	items  []keys.Item
	list   []keys.FormatInfo
	root   *fyne.Container
	format *keySelect
	pass   *entry
	under  *fyne.Container // around pass
	what   *fyne.Container // who reads the chosen format
	said   *fyne.Container
}

// newConvertView is nil where nothing can be written.
func newConvertView(t *toolPage, items []keys.Item) *convertView {
	v := &convertView{t: t, items: items, list: keys.FormatsFor(items), what: vbox(0), said: vbox(6)}
	if len(v.list) == 0 {
		return nil
	}
	var names []string
	for _, f := range v.list {
		names = append(names, f.Name)
	}
	v.format = newKeySelect(names, t.a.windowKey)
	v.pass = t.a.field(lang.T("keys.nopass"), true)
	v.under = labelled(lang.T("keys.newpass"), oneLined(v.pass))
	v.format.OnChanged = func(string) { v.chosen() }
	buttons := container.NewHBox(
		t.a.mainButton(lang.T("button.savefile"), theme.DocumentSaveIcon(), func() {
			v.write(func(w keys.Written) { t.a.saveFile(w.Name, w.Data, w.Secret, nil) })
		}),
		t.a.button(lang.T("button.copyplain"), theme.ContentCopyIcon(), func() { v.write(v.copy) }))
	v.root = card(vbox(12, strong(lang.T("keys.convert")), labelled(lang.T("keys.to"), outlined(v.format)), v.what, v.under, buttons, v.said))
	v.format.SetSelectedIndex(0)
	return v
}

func (v *convertView) chosen() {
	f := v.list[max(0, v.format.SelectedIndex())]
	v.under.Hidden = !f.Locks
	v.what.Objects = []fyne.CanvasObject{wrapped(f.For, looks.Text2)}
	v.said.Objects = nil
	v.root.Refresh()
	v.t.moved()
}

func (v *convertView) copy(w keys.Written) {
	switch {
	case !v.list[max(0, v.format.SelectedIndex())].Text:
		v.say(lang.T("keys.binary"))
	case w.Secret:
		v.t.a.copySecret(string(w.Data))
	default:
		v.t.a.clip(string(w.Data))
	}
}

// write makes it in the background: a strong passphrase takes a while.
func (v *convertView) write(then func(keys.Written)) {
	f := v.list[max(0, v.format.SelectedIndex())]
	w := keys.Wanted{Format: f.ID, Key: -1, Certificate: -1}
	if f.Locks {
		w.Passphrase = connectors.NewSecret(v.pass.Text)
	}
	task.Run(v.t.a.r, func(context.Context) (keys.Written, error) { return keys.Write(v.items, w) }, func(out keys.Written, err error) {
		if err != nil {
			p := lang.Explain(err)
			v.say(p.Title + " " + p.Hint)
			return
		}
		v.say(out.Notes...)
		then(out)
	})
}

func (v *convertView) say(words ...string) {
	v.said.Objects = nil
	for _, w := range words {
		v.said.Add(wrapped(connectors.Clean(w, 400), looks.Text2))
	}
	v.said.Refresh()
	v.t.moved()
}

// newKeyPage makes key pairs, certificate requests, secrets and passphrases.
type newKeyPage struct {
	*toolPage
	kind    *keySelect
	comment *entry
	pass    *entry
	names   *entry
	form    *fyne.Container
	out     *fyne.Container
}

// What the page makes besides the key pairs.
const (
	makeSecret = iota
	makeWords
	makeAge
)

func (a *App) showNewKey() {
	p := &newKeyPage{out: vbox(14)}
	var names []string
	for _, x := range keys.Algorithms() {
		names = append(names, lang.T("keys.pair", x.Name))
	}
	names = append(names, lang.T("keys.makesecret"), lang.T("keys.makewords"), lang.T("keys.makeage"))
	p.kind = newKeySelect(names, a.windowKey)
	p.comment = a.field(lang.T("keys.commentexample"), false)
	p.pass = a.field(lang.T("keys.nopass"), true)
	p.names = a.field("client.example.com", false)
	p.form = vbox(12, labelled(lang.T("keys.comment"), oneLined(p.comment)), labelled(lang.T("keys.newpass"), oneLined(p.pass)), labelled(lang.T("keys.request"), oneLined(p.names)))
	p.kind.OnChanged = func(string) {
		p.form.Hidden = p.kind.SelectedIndex() >= len(keys.Algorithms())
		p.out.Objects = nil
		p.moved()
	}
	do := a.mainButton(lang.T("keys.make"), nil, p.make)
	back := a.button(lang.T("keys.back"), theme.NavigateBackIcon(), func() { a.showKeys(nil) })
	p.toolPage = newToolPage(a, lang.T("keys.newtitle"), lang.T("keys.newtext"), vbox(14, labelled(lang.T("keys.what"), outlined(p.kind)), p.form, container.NewHBox(back, do), p.out))
	a.showPage(p.toolPage, p.kind)
	p.kind.SetSelectedIndex(0)
}

func (p *newKeyPage) make() {
	switch p.kind.SelectedIndex() - len(keys.Algorithms()) {
	case makeSecret:
		s, err := keys.RandomSecret(40, "letters")
		p.secret(s, "", err)
	case makeWords:
		s, err := keys.Words(6)
		p.secret(s, "", err)
	case makeAge:
		s, public, err := keys.NewAge()
		p.secret(s, public, err)
	default:
		p.pair()
	}
}

// secret shows a secret that was made to be seen.
func (p *newKeyPage) secret(s connectors.Secret, public string, err error) {
	if err != nil {
		p.fail(err)
		return
	}
	text := s.Reveal()
	copyIt := p.a.button(lang.T("button.copyplain"), theme.ContentCopyIcon(), func() { p.a.copySecret(text) })
	out := []fyne.CanvasObject{labelled(lang.T("keys.secret"), newDock(nil, nil, nil, vbox(0, copyIt), padded(8, 0, 0, 8, selectable(text))))}
	if public != "" {
		out = append(out, labelled(lang.T("keys.send"), p.a.copyable(public)))
	}
	p.put(out...)
}

func (p *newKeyPage) put(o ...fyne.CanvasObject) {
	p.out.Objects = o
	p.out.Refresh()
	p.moved()
}

func (p *newKeyPage) fail(err error) {
	p.put(problemNote(err))
}

// madePair is a new key pair, written.
type madePair struct {
	private, public keys.Written
	request         string
}

func (p *newKeyPage) pair() {
	algorithm := keys.Algorithms()[max(0, p.kind.SelectedIndex())].ID
	comment, pass, subject := strings.TrimSpace(p.comment.Text), connectors.NewSecret(p.pass.Text), strings.TrimSpace(p.names.Text)
	p.put(secondary(lang.T("keys.making")))
	task.Run(p.a.r, func(context.Context) (madePair, error) {
		var out madePair
		item, err := keys.Generate(algorithm, comment)
		if err != nil {
			return out, err
		}
		format := keys.Format("openssh")
		if subject != "" {
			format = "pkcs8" // what TLS programs read
			if out.request, err = keys.NewRequest(item, keys.RequestFor{CommonName: subject}); err != nil {
				return out, err
			}
		}
		if out.private, err = keys.Write([]keys.Item{item}, keys.Wanted{Format: format, Passphrase: pass, Comment: comment, Key: -1, Certificate: -1}); err != nil {
			return out, err
		}
		out.public, err = keys.Write([]keys.Item{item}, keys.Wanted{Format: "ssh_public", Comment: comment, Key: -1, Certificate: -1})
		return out, err
	}, func(m madePair, err error) {
		if err != nil {
			p.fail(err)
			return
		}
		p.made(m, pass.Empty())
	})
}

func (p *newKeyPage) made(m madePair, open bool) {
	save := p.a.mainButton(lang.T("keys.saveprivate"), theme.DocumentSaveIcon(), func() { p.a.saveFile(m.private.Name, m.private.Data, true, nil) })
	copyIt := p.a.button(lang.T("keys.copyprivate"), theme.ContentCopyIcon(), func() { p.a.copySecret(string(m.private.Data)) })
	keep := vbox(8, wrapped(lang.T("keys.keep"), theme.ColorNameForeground), container.NewHBox(save, copyIt))
	if open {
		keep.Add(note(lang.T("keys.open"), looks.WarnSubtle, looks.WarnText))
	}
	out := []fyne.CanvasObject{keep}
	if m.request != "" {
		out = append(out, labelled(lang.T("keys.csr"), p.a.copyable(m.request)))
	} else {
		out = append(out, labelled(lang.T("keys.send"), p.a.copyable(string(m.public.Data))))
	}
	p.put(out...)
}

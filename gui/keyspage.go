package gui

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/intake"
	"jackfield/connectors/keys"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// keysPage says what a key or certificate is, and writes it in other formats.
type keysPage struct {
	*toolPage
	input, other *entry
	pass         *entry
	lock, with   *fyne.Container
	out          *fyne.Container
	convert      *convertView
	name         string
	cancel       func()
}

// inspected is what looking into something gave.
type inspected struct {
	report keys.Report
	items  []keys.Item // of the content and of what belongs to it
}

// showKeys opens the page; a file is read at once.
func (a *App) showKeys(f *intake.File) {
	p := &keysPage{out: vbox(14)}
	p.input, p.other = a.textField(lang.T("keys.example"), 8), a.textField(lang.T("keys.otherexample"), 5)
	p.input.copied = func(c fyne.Clipboard) { a.copied(c, secretStays) }
	p.pass = a.field("", true)
	p.pass.OnSubmitted = func(string) { p.look() }
	p.lock = labelled(lang.T("keys.passphrase"), oneLined(p.pass))
	p.with = labelled(lang.T("keys.other"), vbox(4, p.other, container.NewHBox(a.button(lang.T("form.file"), theme.FolderOpenIcon(), func() {
		a.chooseFile(func(_ string, data []byte) { p.other.SetText(connectors.FileText(data)) })
	}))))
	p.lock.Hide()
	p.with.Hide()
	file := a.button(lang.T("form.file"), theme.FolderOpenIcon(), func() { a.chooseFile(p.given) })
	more := a.button(lang.T("keys.add"), theme.ContentAddIcon(), nil)
	more.OnTapped = func() {
		p.with.Show()
		more.Hide()
		p.moved()
		a.win.Canvas().Focus(p.other)
	}
	look := a.mainButton(lang.T("keys.look"), nil, p.look)
	line := newDock(nil, nil, nil, container.NewHBox(look), container.NewHBox(file, more))
	fresh := a.button(lang.T("keys.new"), theme.ContentAddIcon(), a.showNewKey)
	p.toolPage = newToolPage(a, lang.T("keys.title"), lang.T("keys.text"), vbox(12, container.NewHBox(fresh), p.input, p.with, p.lock, line, p.out))
	a.showPage(p.toolPage, p.input)
	if f != nil {
		p.given(f.Name, f.Data)
	}
}

func (p *keysPage) given(name string, data []byte) {
	p.name = name
	p.input.SetText(connectors.FileText(data))
	p.pass.SetText("")
	p.look()
}

func (p *keysPage) look() {
	if p.cancel != nil {
		p.cancel()
	}
	data, other, pass := []byte(p.input.Text), []byte(p.other.Text), connectors.NewSecret(p.pass.Text)
	o := keys.Options{Name: p.name, Passphrase: pass, Now: time.Now()}
	if strings.TrimSpace(p.other.Text) != "" {
		o.With = [][]byte{other}
	}
	p.cancel = task.Run(p.a.r, func(context.Context) (inspected, error) {
		r, err := keys.Inspect(data, o)
		if err != nil {
			return inspected{}, err
		}
		all := r.Items
		for _, more := range o.With {
			items, _, err := keys.Read(more, pass)
			if err == nil {
				all = append(all, items...)
			}
		}
		return inspected{r, all}, nil
	}, p.found)
}

func (p *keysPage) found(i inspected, err error) {
	if err != nil {
		p.problem(err)
		return
	}
	r := i.report
	head := vbox(6, strong(lang.T("keys.is", connectors.Clean(r.What, 300))))
	if len(r.Repairs) > 0 {
		head.Add(p.repaired(r.Repairs))
	}
	out := []fyne.CanvasObject{head}
	for _, f := range r.Findings {
		out = append(out, dotted(gradeDot(f.Grade), wrapped(connectors.Clean(f.Text, 600), theme.ColorNameForeground)))
	}
	for n, item := range r.Items {
		if n == mostFound {
			break
		}
		out = append(out, p.item(item))
	}
	for _, x := range r.Install {
		out = append(out, p.install(x))
	}
	p.convert = newConvertView(p.toolPage, i.items)
	if p.convert != nil {
		out = append(out, p.convert.root)
	}
	p.out.Objects = out
	p.out.Refresh()
	p.moved()
}

func (p *keysPage) problem(err error) {
	words := lang.Explain(err)
	p.askPassphrase(err)
	p.out.Objects = []fyne.CanvasObject{note(words.Title+" "+words.Hint, looks.WarnSubtle, looks.WarnText)}
	p.out.Refresh()
	p.moved()
}

// askPassphrase shows the line for it where one is needed or was wrong.
func (p *keysPage) askPassphrase(err error) {
	if connectors.Classify(err).Field == keys.FieldPassphrase {
		p.lock.Show()
		p.moved() // what was never laid out takes no focus
		p.a.win.Canvas().Focus(p.pass)
	}
}

// repaired says what was put right, and offers the text as it should be.
func (p *keysPage) repaired(list []keys.Repair) fyne.CanvasObject {
	var parts []string
	for _, r := range list {
		parts = append(parts, r.Text)
	}
	text, _ := keys.Repaired([]byte(p.input.Text))
	b := p.a.button(lang.T("keys.copyrepaired"), theme.ContentCopyIcon(), func() { p.a.copySecret(text) })
	return vbox(8, note(lang.T("keys.repaired", strings.Join(parts, "; ")), looks.AccentBack, theme.ColorNameForeground), container.NewHBox(b))
}

func gradeDot(g keys.Grade) fyne.ThemeColorName {
	switch g {
	case keys.Good:
		return looks.OkDot
	case keys.Bad:
		return looks.ErrDot
	case keys.Warning:
		return looks.WarnDot
	}
	return looks.Idle
}

// item is one key or certificate as a list of facts.
func (p *keysPage) item(i keys.Item) fyne.CanvasObject {
	if i.Err != nil {
		p.askPassphrase(i.Err)
	}
	var facts []connectors.Fact
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, connectors.Fact{Label: lang.T("keys." + key), Text: text})
		}
	}
	add("kind", i.Kind.Name())
	add("format", i.Format)
	add("name", i.Name)
	add("algorithm", algorithm(i))
	add("locked", i.Locked)
	if c := i.Certificate; c != nil {
		add("subject", c.Subject.String())
		add("issuer", c.Issuer.String())
		add("names", strings.Join(keys.CertificateNames(c), ", "))
		add("valid", c.NotBefore.Local().Format("2006-01-02")+" – "+c.NotAfter.Local().Format("2006-01-02"))
		sum, _ := keys.CertificateFingerprints(c)
		add("fingerprint", sum)
	} else if i.Public != nil {
		add("fingerprint", keys.KeyFingerprints(i.Public).SSH)
	}
	if i.Request != nil {
		add("subject", i.Request.Subject.String())
	}
	if i.Err != nil {
		add("problem", lang.Explain(i.Err).Title)
	}
	return factGrid(facts)
}

func algorithm(i keys.Item) string {
	switch {
	case i.Curve != "" && i.Curve != i.Algorithm:
		return i.Algorithm + ", " + i.Curve
	case i.Bits > 0 && i.Algorithm != "Ed25519":
		return i.Algorithm + ", " + strconv.Itoa(i.Bits) + " bit"
	}
	return i.Algorithm
}

func (p *keysPage) install(x keys.Install) fyne.CanvasObject {
	box := vbox(4, newLabel(connectors.Clean(x.Where, 120), 12, theme.ColorNameForeground, true), wrapped(connectors.Clean(x.Text, 400), looks.Text2))
	if x.Copy != "" {
		box.Add(p.a.copyable(x.Copy))
	}
	return box
}

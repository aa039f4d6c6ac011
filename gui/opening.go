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

// opened opens a file that was handed over, and reports whether it is one.
func (a *App) opened(name string, data []byte) bool {
	switch handover.Sealed(data) {
	case handover.SortPassphrase:
		a.showUnseal(name, data, false)
	case handover.SortKeys:
		a.showUnseal(name, data, true)
	case handover.SortRequest:
		r, err := handover.ReadRequest(data)
		if err != nil {
			a.tell(err)
			return true
		}
		a.answer(r)
	case handover.SortAnswer:
		a.openAnswer(data)
	default:
		return false
	}
	return true
}

// unsealPage asks for what opens a sealed file.
type unsealPage struct {
	*toolPage
	data     []byte
	pass     *entry
	identity *entry
	lock     *entry
	out      *fyne.Container
	do       *keyButton
}

func (a *App) showUnseal(name string, data []byte, keyed bool) {
	p := &unsealPage{data: data, pass: a.field("", true), identity: a.textField("AGE-SECRET-KEY-1…\n-----BEGIN OPENSSH PRIVATE KEY-----", 5), lock: a.field(lang.T("hand.locknone"), true), out: vbox(10)}
	p.identity.copied = func(c fyne.Clipboard) { a.copied(c, secretStays) }
	p.do = a.mainButton(lang.T("hand.open"), nil, p.open)
	p.pass.OnSubmitted = func(string) { p.open() }
	ask, focus := labelled(lang.T("keys.passphrase"), oneLined(p.pass)), fyne.Focusable(p.pass)
	if keyed {
		file := a.button(lang.T("form.file"), theme.FolderOpenIcon(), func() {
			a.chooseFile(func(_ string, data []byte) { p.identity.SetText(connectors.FileText(data)) })
		})
		ask, focus = vbox(12, labelled(lang.T("hand.identity"), vbox(4, p.identity, container.NewHBox(file))), labelled(lang.T("hand.lock"), oneLined(p.lock))), p.identity
	}
	p.toolPage = newToolPage(a, lang.T("hand.opentitle"), lang.T("hand.openwith", connectors.Clean(name, 80)), vbox(14, ask, container.NewHBox(p.do), p.out))
	a.showPage(p.toolPage, focus)
}

func (p *unsealPage) open() {
	with := handover.Opener{Passphrase: connectors.NewSecret(p.pass.Text), Locked: connectors.NewSecret(p.lock.Text)}
	if text := strings.TrimSpace(p.identity.Text); text != "" {
		with.Identities = []connectors.Secret{connectors.NewSecret(p.identity.Text)}
	}
	p.do.Disable()
	task.Run(p.a.r, func(ctx context.Context) (handover.Plan, error) {
		bundle, err := handover.Unseal(bytes.NewReader(p.data), with)
		if err != nil {
			return handover.Plan{}, err
		}
		return handover.Propose(ctx, p.a.o.Book, bundle)
	}, func(plan handover.Plan, err error) {
		p.do.Enable()
		if err != nil {
			p.out.Objects = []fyne.CanvasObject{problemNote(err)}
			p.out.Refresh()
			p.moved()
			return
		}
		p.a.showPlan(plan, "", false)
	})
}

// openAnswer opens the answer to a request of this person's.
func (a *App) openAnswer(data []byte) {
	if a.o.Desk == nil {
		return
	}
	said := ""
	task.Run(a.r, func(ctx context.Context) (handover.Plan, error) {
		desk, err := a.o.Desk()
		if err != nil {
			return handover.Plan{}, err
		}
		_, bundle, err := desk.Open(ctx, data)
		if err != nil {
			return handover.Plan{}, err
		}
		said = bundle.Note
		return handover.Propose(ctx, a.o.Book, bundle)
	}, func(plan handover.Plan, err error) {
		if err != nil {
			a.tell(err)
			return
		}
		a.showPlan(plan, said, true)
	})
}

// planPage shows everything that an import would do, and does it when agreed.
type planPage struct {
	*toolPage
	answer bool // to a request of this person's
	plan   handover.Plan
	checks []*widget.Check
	do     *keyButton
	out    *fyne.Container
}

func (a *App) showPlan(plan handover.Plan, said string, answer bool) {
	p := &planPage{plan: plan, answer: answer, out: vbox(8)}
	list := vbox(8)
	if said != "" {
		list.Add(note(connectors.Clean(said, 500), looks.AccentBack, theme.ColorNameForeground))
	}
	for _, i := range plan.Items {
		list.Add(p.item(a, i))
	}
	p.do = a.mainButton(lang.T("hand.import"), nil, p.save)
	p.toolPage = newToolPage(a, lang.T("hand.plan"), lang.T("hand.plantext"), vbox(14, list, container.NewHBox(p.do), p.out))
	a.showPage(p.toolPage, p.do)
}

func (p *planPage) item(a *App, i handover.Planned) fyne.CanvasObject {
	check := widget.NewCheck("", nil)
	check.Checked = i.Known
	p.checks = append(p.checks, check)
	if !i.Known {
		check.Disable()
	}
	t, _ := a.typeOf(i.Type)
	where := t.Name
	if place := t.Place(i.Plain); place != "" {
		where += " · " + place
	}
	if !i.Known {
		where = lang.T("hand.unknown", connectors.Clean(i.Type, 60))
	}
	words := vbox(2, strong(connectors.Clean(i.NewName, 100)), secondary(connectors.Clean(where, 160)))
	small := func(text string, c fyne.ThemeColorName) {
		words.Add(flush(prose(connectors.Clean(text, 500), c, theme.SizeNameCaptionText)))
	}
	if i.NewName != i.Name {
		small(lang.T("hand.renamed", i.Name), looks.Text2)
	}
	if i.Same != nil {
		small(lang.T("hand.same", i.Same.Name), looks.WarnText)
	}
	if i.Tested != nil {
		small(lang.T("hand.tested."+string(i.Tested.State)), looks.Text2)
	}
	if len(i.Missing) > 0 {
		small(lang.T("form.missing", labelsOf(t, i.Missing)), looks.WarnText)
	}
	for _, n := range i.Notes {
		small(n, looks.Text2)
	}
	for _, f := range i.Flags {
		text := f.Text
		if f.Value != "" {
			text += " " + f.Label + ": " + f.Value
		}
		words.Add(dotted(looks.WarnDot, flush(prose(connectors.Clean(text, 500), looks.WarnText, theme.SizeNameCaptionText))))
	}
	return card(newDock(nil, nil, vbox(0, check), nil, padded(2, 0, 6, 0, words)))
}

func (p *planPage) save() {
	var chosen []int
	for i, c := range p.checks {
		if c.Checked && p.plan.Items[i].Known {
			chosen = append(chosen, i)
		}
	}
	if len(chosen) == 0 {
		return
	}
	p.do.Disable()
	task.Run(p.a.r, func(ctx context.Context) ([]link.Connection, error) {
		return handover.Import(ctx, p.a.o.Book, p.plan, chosen)
	}, func(made []link.Connection, err error) {
		p.do.Enable()
		if err != nil {
			words := lang.Explain(err)
			p.out.Objects = []fyne.CanvasObject{note(words.Title+" "+words.Hint, looks.ErrSubtle, looks.ErrText)}
			p.out.Refresh()
			p.moved()
			return
		}
		p.a.reload(func() {
			p.a.selectConnection(made[0].ID)
			p.a.toasts.say(lang.N("paste.saved", len(made)), false)
			p.replace(chosen, made)
		})
	})
}

// replace asks whether the incomplete connection that a request was about may
// go, now that its answer is here. It does nothing by itself.
func (p *planPage) replace(chosen []int, made []link.Connection) {
	for n, i := range chosen {
		old := p.plan.Items[i].Same
		if !p.answer || old == nil || old.State != link.Prepared {
			continue
		}
		fresh := made[n]
		p.a.question(question{title: lang.T("hand.replacetitle", connectors.Clean(old.Name, 60)), text: fixed(420, 60, wrappedText(lang.T("hand.replacetext"))), yes: lang.T("hand.replace"), no: lang.T("hand.keepboth"), answer: func(yes bool) {
			if yes {
				p.a.takePlace(*old, fresh)
			}
		}}).Show()
		return
	}
}

// takePlace removes old, which was never linked, and gives its name to fresh.
func (a *App) takePlace(old, fresh link.Connection) {
	task.Run(a.r, func(ctx context.Context) (link.Connection, error) {
		if err := a.o.Book.Forget(ctx, old.ID); err != nil {
			return fresh, err
		}
		return a.o.Book.Rename(ctx, fresh.ID, old.Name)
	}, func(c link.Connection, err error) {
		if err != nil {
			a.tell(err)
		}
		if a.form != nil && a.form.id == c.ID {
			a.form.renamed(c.Name)
		}
		a.reload(nil)
	})
}

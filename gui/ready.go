package gui

import (
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/connectors/readiness"
	"jackfield/connectors/readiness/rights"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// readyView stands where the preview will be, until a connection is linked: what
// is complete, what is missing, and what the other side has to do.
type readyView struct {
	a     *App
	t     connectors.Type
	root  fyne.CanvasObject
	page  *page
	view  *container.Scroll
	box   *fyne.Container
	list  readiness.Checklist
	c     link.Connection
	known bool // the secrets were looked into
	stop  func()
}

func newReadyView(a *App, t connectors.Type, c link.Connection) *readyView {
	v := &readyView{a: a, t: t, c: c, box: vbox(12)}
	v.page = newPage(padded(16, 24, 20, 20, v.box))
	v.view = container.NewVScroll(v.page)
	v.root = v.view
	v.marks()
	return v
}

// marks judges without the keychain: which secrets are stored, not what they are.
func (v *readyView) marks() {
	s := connectors.Settings{Plain: v.c.Plain, Secrets: map[string]connectors.Secret{}}
	for _, k := range v.c.SecretKeys {
		s.Secrets[k] = connectors.NewSecret("stored")
	}
	v.known = false
	v.judge(v.lent(s))
}

// lent has marks for what the connection takes from another account.
func (v *readyView) lent(s connectors.Settings) connectors.Settings {
	for _, f := range v.t.Form.Fields {
		if f.Kind != connectors.Reference || f.Lends != connectors.LendsSignIn {
			continue
		}
		if from, ok := v.a.connection(v.c.Plain[f.Key]); ok {
			s = link.Lend(v.t, s, from)
		}
	}
	return s
}

// deeper opens the keychain and judges the keys themselves.
func (v *readyView) deeper() {
	if v.stop != nil {
		v.stop()
	}
	v.stop = task.Run(v.a.r, func(ctx context.Context) (connectors.Settings, error) { return v.a.o.Book.Whole(ctx, v.c.ID) }, func(s connectors.Settings, err error) {
		if err != nil {
			v.a.tell(err)
			return
		}
		v.known = true
		v.judge(s)
	})
}

func (v *readyView) judge(s connectors.Settings) {
	o := readiness.Options{Now: time.Now(), SecretsKnown: v.known}
	for _, f := range v.t.Form.Fields {
		if from, ok := v.a.connection(v.c.Plain[f.Key]); ok && f.Kind == connectors.Reference && f.Lends == connectors.LendsSignIn {
			o.Lender = &from
		}
	}
	v.list = readiness.Of(v.t, v.c, s, o)
	v.show()
}

// readyPart is a part of the list.
type readyPart struct {
	title  string
	states []readiness.State
	known  bool // what is to be known, and for nobody to do
}

// readyParts are in the order of what the person can do about them.
func readyParts() []readyPart {
	return []readyPart{
		{"ready.todo", []readiness.State{readiness.Wrong, readiness.Missing, readiness.Warning}, false},
		{"ready.theirs", []readiness.State{readiness.Theirs}, false},
		{"ready.untested", []readiness.State{readiness.Untested}, false},
		{"ready.done", []readiness.State{readiness.Done}, false},
		{"ready.know", []readiness.State{readiness.Theirs}, true},
	}
}

func (p readyPart) has(i readiness.Item) bool {
	return slices.Contains(p.states, i.State) && p.known == (i.State == readiness.Theirs && i.Who == readiness.You)
}

func (v *readyView) show() {
	v.box.Objects = []fyne.CanvasObject{wrapped(lang.T("ready.text"), looks.Text2)}
	for _, part := range readyParts() {
		box := vbox(8)
		for _, i := range v.list.Items {
			if part.has(i) {
				box.Add(v.item(i))
			}
		}
		if len(box.Objects) > 0 {
			v.box.Add(vbox(8, strong(lang.T(part.title)), box))
		}
	}
	buttons := container.New(flow{8})
	if !v.known && len(v.c.SecretKeys) > 0 {
		buttons.Add(v.a.button(lang.T("ready.deeper"), nil, v.deeper))
	}
	buttons.Add(v.a.button(lang.T("ready.copy"), theme.ContentCopyIcon(), func() { v.a.clip(v.list.Text()) }))
	buttons.Add(v.a.button(lang.T("ready.print"), theme.DocumentPrintIcon(), func() { v.a.saveFile(v.c.Name+".html", v.list.HTML(), false, nil) }))
	v.box.Add(buttons)
	v.grants()
	v.box.Refresh()
	v.moved()
}

func (v *readyView) moved() { settle(v.page, v.view) }

func (v *readyView) item(i readiness.Item) fyne.CanvasObject {
	words := vbox(2, wrapped(connectors.Clean(i.Title, 200), theme.ColorNameForeground))
	if i.Text != "" {
		words.Add(flush(prose(connectors.Clean(i.Text, 600), looks.Text2, theme.SizeNameCaptionText)))
	}
	if i.Copy != "" {
		words.Add(v.a.copyable(i.Copy))
	}
	return dotted(dotOf(i.State), words)
}

func dotOf(s readiness.State) fyne.ThemeColorName {
	switch s {
	case readiness.Done:
		return looks.OkDot
	case readiness.Wrong:
		return looks.ErrDot
	case readiness.Missing, readiness.Warning:
		return looks.WarnDot
	case readiness.Theirs:
		return theme.ColorNamePrimary
	}
	return looks.Idle
}

// grants are the least rights that the preview needs, for an administrator.
func (v *readyView) grants() {
	list := slices.DeleteFunc(rights.For(v.t, connectors.Settings{Plain: v.c.Plain}), func(g rights.Grant) bool {
		return slices.ContainsFunc(v.list.Items, func(i readiness.Item) bool { return strings.TrimSpace(i.Copy) == strings.TrimSpace(g.Text) }) // told above
	})
	if len(list) == 0 {
		return
	}
	box := vbox(12, strong(lang.T("ready.rights")), wrapped(lang.T("ready.rightstext"), looks.Text2))
	for _, g := range list {
		part := vbox(4, newLabel(connectors.Clean(g.Title, 120), 12, theme.ColorNameForeground, true), flush(prose(connectors.Clean(g.Where, 300), looks.Text2, theme.SizeNameCaptionText)), v.a.copyable(g.Text))
		for _, n := range g.Notes {
			part.Add(flush(prose(connectors.Clean(n, 400), looks.Text2, theme.SizeNameCaptionText)))
		}
		box.Add(part)
	}
	v.box.Add(box)
}

func (v *readyView) close() {
	if v.stop != nil {
		v.stop()
	}
}

// prepare shows how far a saved connection is that was not linked yet.
func (p *previewPane) prepare(c link.Connection) {
	if p.session != nil || c.ID == "" || c.State != link.Prepared || c.Practice {
		return
	}
	p.unready()
	p.ready = newReadyView(p.a, p.t, c)
	p.head.set(lang.T("ready.title"))
	p.centre.Objects = []fyne.CanvasObject{p.ready.root}
	p.centre.Refresh()
	p.ready.moved()
	p.pillBox.RemoveAll()
	p.refresh.Hide()
}

// unready takes the list away that stood in the preview's place.
func (p *previewPane) unready() {
	if p.ready != nil {
		p.ready.close()
		p.ready = nil
	}
	p.head.set(lang.T("preview.title"))
}

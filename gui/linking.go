package gui

import (
	"context"
	"fmt"
	"slices"
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

// link saves what was typed, then climbs the ladder and shows what opens.
func (p *formPane) link() {
	if p.cancel != nil {
		return
	}
	p.tidy()
	if !p.valid() {
		return
	}
	climb := func() {
		p.climb(func(ctx context.Context, w link.Watcher) *link.Result { return p.a.health.link(ctx, p.id, w) }, true)
	}
	if p.unsaved || p.id == "" {
		p.save(climb)
		return
	}
	climb()
}

// test climbs the ladder with what stands in the form; nothing is saved.
func (p *formPane) test() {
	if p.cancel != nil || !p.valid() {
		return
	}
	if !p.unsaved && p.id != "" {
		p.climb(func(ctx context.Context, w link.Watcher) *link.Result { return p.a.health.link(ctx, p.id, w) }, false)
		return
	}
	s := p.settings()
	for _, v := range p.fields {
		if _, typed := s.Secrets[v.f.Key]; v.stored && !typed {
			p.save(p.test) // a stored secret is only used through its connection
			return
		}
	}
	p.climb(func(ctx context.Context, w link.Watcher) *link.Result { return p.a.o.Book.Try(ctx, p.t.ID, s, w) }, false)
}

// tidy puts the field right that still has the focus, as leaving it does: what is
// saved is what stands there afterwards.
func (p *formPane) tidy() {
	e, ok := p.a.win.Canvas().Focused().(*entry)
	if !ok {
		return
	}
	for _, v := range p.fields {
		if v.entry == e {
			v.blurred()
		}
	}
}

// valid marks every answer that cannot be right and focuses the first.
func (p *formPane) valid() bool {
	for _, v := range p.fields {
		if v.bad {
			v.help()
		}
	}
	errs := p.t.Form.Validate(p.t.Form.Tidied(p.judged()))
	errs = slices.DeleteFunc(errs, func(e connectors.FieldError) bool {
		v := p.field(e.Key)
		return v != nil && v.stored && !v.touched || p.borrowed(e.Key) // its content is not here to be judged
	})
	for _, e := range errs {
		if v := p.field(e.Key); v != nil {
			v.say(e.Text, true)
		}
	}
	if len(errs) == 0 {
		return true
	}
	p.focus(errs[0].Key)
	return false
}

func (p *formPane) field(key string) *fieldView {
	for _, v := range p.fields {
		if v.f.Key == key {
			return v
		}
	}
	return nil
}

func (p *formPane) focus(key string) {
	v := p.field(key)
	if v == nil || v.box.Hidden {
		return
	}
	if v.f.Advanced {
		p.unfold(true)
	}
	p.a.win.Canvas().Focus(v.focusable())
	p.reveal(v)
}

// bottom is where a field with its hint ends, from the top of the form.
func (p *formPane) bottom(v *fieldView) float32 {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject
	return at(v.box).Y - at(p.scroll.Content).Y + v.box.Size().Height + 12
}

// reveal scrolls just as far as it takes to see a field whole.
func (p *formPane) reveal(v *fieldView) {
	end, height := p.bottom(v), p.scroll.Size().Height
	if height == 0 { // not on the screen yet
		return
	}
	top := end - v.box.Size().Height - 24
	switch {
	case end > p.scroll.Offset.Y+height:
		p.scroll.ScrollToOffset(fyne.NewPos(0, end-height))
	case top < p.scroll.Offset.Y:
		p.scroll.ScrollToOffset(fyne.NewPos(0, max(0, top)))
	}
}

func (p *formPane) climb(do func(context.Context, link.Watcher) *link.Result, open bool) {
	p.links++
	mine := p.links
	p.banner.RemoveAll()
	p.ladder.start()
	p.moved()
	p.buttons.Hide()
	p.progress.Show()
	p.a.preview.waiting()
	w := link.Watcher{Ask: p.asker(), Step: func(s connectors.Step) {
		p.a.r.Do(func() {
			if mine == p.links {
				if p.ladder.step(s) {
					p.moved()
					p.running.set(rungName(s.Stage) + " · " + connectors.Clean(s.Text, 60))
				}
			}
		})
	}}
	p.cancel = task.Always(p.a.r, func(ctx context.Context) (*link.Result, error) { return do(ctx, w), nil }, func(r *link.Result, err error) {
		if mine != p.links || p.a.form != p {
			if r != nil {
				r.Close()
			}
			return
		}
		p.cancel = nil
		if r == nil {
			r = &link.Result{State: link.Failed, Err: err, Problem: lang.Explain(err)}
		}
		p.finished(r, open)
	})
}

func (p *formPane) cancelLink() {
	if p.cancel != nil {
		p.cancel()
	}
}

func (p *formPane) finished(r *link.Result, open bool) {
	p.progress.Hide()
	p.buttons.Show()
	p.ladder.finish(r)
	p.banner.RemoveAll()
	p.moved()
	if connectors.CodeOf(r.Err) == connectors.Cancelled {
		p.ladder.root.Hide()
		p.a.preview.idle()
		p.a.preview.prepare(p.c)
		p.showState()
		return
	}
	p.c.State, p.c.Problem, p.c.Facts = r.State, r.Problem, r.Facts
	p.c.Checked, p.c.Took = time.Now(), r.Took
	p.showState()
	if r.Problem != nil {
		p.fail(r.Problem)
	}
	if r.Session != nil && (open || p.id != "") {
		p.a.preview.open(r)
		p.listed(r.Session)
		p.a.work.look(true)
		p.a.answering.remind(p)
	} else {
		r.Close()
		p.a.preview.failed(r.State == link.Failed)
		p.a.work.look(false)
	}
	p.a.reload(nil)
}

// fail shows what happened, why and what to do next, and marks the field.
func (p *formPane) fail(problem *connectors.Problem) {
	problem = lang.Retell(problem)
	back, fg, icon := looks.ErrSubtle, looks.ErrText, theme.ErrorIcon()
	if p.c.State == link.Partial {
		back, fg, icon = looks.WarnSubtle, looks.WarnText, theme.WarningIcon()
	}
	again := widget.NewButton(lang.T("button.again"), p.link)
	details := widget.NewButton(lang.T("button.copy"), func() {
		p.a.clip(fmt.Sprintf("%s\n%s\ncode: %s\nstep: %s\nfield: %s\nsaid: %s\ntype: %s", problem.Title, problem.Hint, problem.Code, problem.Stage, problem.Field, problem.Said, p.t.ID))
	})
	details.Importance = widget.LowImportance
	head := widget.NewRichText(&widget.TextSegment{Text: problem.Title, Style: widget.RichTextStyle{ColorName: fg, TextStyle: fyne.TextStyle{Bold: true}}})
	head.Wrapping = fyne.TextWrapWord
	words := vbox(6, flush(head), wrapped(problem.Hint, theme.ColorNameForeground))
	if problem.Said != "" && !strings.Contains(problem.Hint, problem.Said) {
		words.Add(flush(prose(problem.Said, looks.Text2, theme.SizeNameCaptionText)))
	}
	words.Add(padded(4, 0, 0, 0, container.NewHBox(again, details)))
	p.banner.Objects = []fyne.CanvasObject{container.NewStack(newFill(back, 8), padded(12, 12, 12, 12, newDock(nil, nil, padded(0, 0, 0, 8, vbox(0, widget.NewIcon(icon))), nil, words)))}
	p.banner.Refresh()
	p.moved()
	v := p.field(problem.Field)
	if v == nil || v.box.Hidden {
		p.scroll.ScrollToTop()
		return
	}
	v.say(problem.Title, true)
	p.focus(problem.Field)
	p.scroll.ScrollToTop()
	if seen := p.scroll.Size().Height; seen > 0 && p.bottom(v) > seen { // the banner will be out of sight: the field says what to do as well
		v.say(problem.Title+" "+problem.Hint, true)
		p.reveal(v)
	}
}

func rungName(s connectors.Stage) string { return lang.T("rung." + string(s)) }

// ladderView shows the rungs while they are climbed and afterwards.
type ladderView struct {
	root  *fyne.Container
	rows  *fyne.Container
	fold  *widget.Button
	steps []connectors.Step
	from  []string // what each said when it began
	moved func()
}

func newLadderView(moved func()) *ladderView {
	l := &ladderView{rows: vbox(4), moved: moved}
	l.fold = widget.NewButtonWithIcon("", theme.MenuDropDownIcon(), func() {
		l.rows.Hidden = !l.rows.Hidden
		l.root.Refresh()
		l.moved()
	})
	l.fold.Importance, l.fold.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	l.root = container.NewVBox(l.fold, padded(0, 4, 10, 8, l.rows))
	l.root.Hide()
	return l
}

func (l *ladderView) start() {
	l.steps, l.from = nil, nil
	l.fold.Hide()
	l.rows.Hidden = false
	l.rows.RemoveAll()
	l.root.Show()
}

// step shows a rung that begins or ends, and reports whether that is news: one
// that went well and is climbed again, as while a device code is asked about,
// stays the row that it is.
func (l *ladderView) step(s connectors.Step) bool {
	change := l.begun
	if s.Done {
		change = l.ended
	}
	news := change(s)
	if news {
		l.draw()
	}
	return news
}

func (l *ladderView) begun(s connectors.Step) bool {
	for i, have := range l.steps {
		if have.Stage == s.Stage && l.from[i] == s.Text && have.Done && have.Err == nil {
			return false
		}
	}
	l.steps, l.from = append(l.steps, s), append(l.from, s.Text)
	return true
}

func (l *ladderView) ended(s connectors.Step) bool {
	for i := len(l.steps) - 1; i >= 0; i-- {
		switch have := l.steps[i]; {
		case have.Stage != s.Stage:
		case !have.Done:
			l.steps[i] = s
			return true
		case have.Err == nil && s.Err == nil: // climbed again: its beginning was not shown either
			return false
		}
	}
	l.steps, l.from = append(l.steps, s), append(l.from, s.Text)
	return true
}

func (l *ladderView) draw() {
	l.rows.Objects = nil
	for _, s := range l.steps {
		icon, c := theme.MoreHorizontalIcon(), looks.Text2
		switch {
		case s.Done && s.Err != nil:
			icon, c = theme.NewErrorThemedResource(theme.CancelIcon()), looks.ErrText
		case s.Done:
			icon = theme.NewSuccessThemedResource(theme.ConfirmIcon())
		}
		ms := newLabel("", 11.5, looks.Text3, false)
		ms.align = fyne.TextAlignTrailing
		if s.Done {
			ms.text = took(s.Elapsed)
		}
		l.rows.Add(newDock(nil, nil, hbox(8, fixed(16, 16, widget.NewIcon(icon)), fixed(92, 0, newLabel(rungName(s.Stage), 12, theme.ColorNameForeground, true))), fixed(64, 0, ms), newLabel(connectors.Clean(s.Text, 90), 12, c, false)))
	}
	l.rows.Refresh()
	l.root.Refresh()
}

// finish folds the ladder when all is well, and opens it at the failed rung otherwise.
func (l *ladderView) finish(r *link.Result) {
	l.fold.Show()
	if r.State == link.Failed {
		if stage := l.stopped(r); stage != "" {
			l.fold.SetText(lang.T("ladder.failed", rungName(stage)))
		}
		l.rows.Hidden = false
	} else {
		l.fold.SetText(lang.T("ladder.ok", len(l.steps), took(r.Took)))
		l.rows.Hidden = true
	}
	l.root.Refresh()
}

// stopped is the rung that failed: the innermost where one holds others.
func (l *ladderView) stopped(r *link.Result) connectors.Stage {
	if e := connectors.Classify(r.Err); e != nil && e.Op != "" {
		return e.Op
	}
	if n := len(l.steps); n > 0 {
		return l.steps[n-1].Stage
	}
	return ""
}

// took is how long something lasted: from ten seconds on nobody asks for milliseconds.
func took(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}

// asker puts the questions of a connection to the person at the window.
func (p *formPane) asker() connectors.Asker {
	b := &browserPane{p: p}
	return connectors.Asker{OpenURL: b.openURL, Pasted: b.pasted, ShowCode: p.showCode, Input: p.input, Trust: p.trust}
}

func (p *formPane) trust(ctx context.Context, r connectors.TrustRequest) (bool, error) {
	return ask(ctx, p.a, func(answer func(bool)) *sheet {
		lines := []fyne.CanvasObject{wrapped(lang.T("ask.trusttext", r.Kind, connectors.Clean(r.Host, 120)), theme.ColorNameForeground)}
		print := newLabel(connectors.Clean(r.Algorithm+"  "+r.Fingerprint, 120), 12, theme.ColorNameForeground, false)
		print.style = fyne.TextStyle{Monospace: true}
		lines = append(lines, container.NewStack(newFill(looks.Stripe, 6), padded(10, 10, 12, 12, print)))
		for _, f := range r.Facts {
			lines = append(lines, secondary(connectors.Clean(f.Label+": "+f.Text, 120)))
		}
		return p.a.question(question{title: lang.T("ask.trust"), text: fixed(560, 0, padded(0, 12, 0, 0, vbox(8, lines...))), yes: lang.T("button.trust"), no: lang.T("button.stop"), answer: answer})
	})
}

func (p *formPane) input(ctx context.Context, q connectors.Prompt) (connectors.Secret, error) {
	e := newEntry(false, !q.Echo)
	return ask(ctx, p.a, func(answer func(connectors.Secret)) *sheet {
		words := vbox(4, wrapped(connectors.Clean(q.Text, 500), looks.Text2), e)
		return p.a.question(question{title: connectors.Clean(q.Title, 120), text: fixed(420, 0, padded(0, 12, 0, 0, words)), yes: lang.T("button.ok"), no: lang.T("button.stop"), entry: e, answer: func(yes bool) {
			if yes {
				answer(connectors.NewSecret(e.Text))
			} else {
				answer(connectors.Secret{})
			}
		}})
	})
}

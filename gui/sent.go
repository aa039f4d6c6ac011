package gui

import (
	"context"
	"errors"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// The bounds of what is shown of a draft.
const (
	draftPause = 300 * time.Millisecond // without a key, before it is made anew
	mostParts  = 20
	mostOfPart = 20_000
)

// sentView is a folded part of the form: what its answers make before anything
// is sent, such as a signed token.
type sentView struct {
	p     *formPane
	root  *fyne.Container // hidden where the answers make nothing
	parts *fyne.Container
	wait  *task.Debouncer
	busy  bool // it is being made
	again bool // the answers have changed since
	said  string
}

// newSentView is nil for types that have nothing to show.
func newSentView(p *formPane) *sentView {
	if p.t.Draft == nil {
		return nil
	}
	s := &sentView{p: p, parts: vbox(10)}
	s.wait = task.NewDebouncer(p.a.r, draftPause, s.make)
	s.root = p.folded(lang.T("form.sent"), lang.T("form.sentless"), s.parts)
	s.root.Hide()
	return s
}

// later makes it anew once the person has stopped typing.
func (s *sentView) later() {
	if s != nil {
		s.wait.Mark()
	}
}

func (s *sentView) close() {
	if s != nil {
		s.wait.Stop()
	}
}

// make asks the type, one question at a time: a key under a strong passphrase
// takes a while.
func (s *sentView) make() {
	if s.busy {
		s.again = true
		return
	}
	if s.p.a.form != s.p {
		return
	}
	s.busy = true
	answers, draft := s.p.settings(), s.p.t.Draft
	task.Run(s.p.a.r, func(context.Context) ([]connectors.Part, error) { return draft(answers, time.Now()) }, func(parts []connectors.Part, err error) {
		s.busy = false
		s.show(parts, err)
		if s.again {
			s.again = false
			s.make()
		}
	})
}

func (s *sentView) show(parts []connectors.Part, err error) {
	s.root.Hidden = len(parts) == 0 && err == nil
	s.parts.Objects, s.said = nil, ""
	if err != nil {
		s.said = s.sentence(err)
		s.parts.Add(flush(prose(s.said, looks.Text2, theme.SizeNameText)))
	}
	for _, part := range parts[:min(len(parts), mostParts)] {
		text := container.NewStack(newFill(looks.Stripe, 6), padded(8, 8, 10, 10, selectable(lined(part.Text))))
		s.parts.Add(vbox(4, newLabel(connectors.Clean(part.Title, 60), 12, theme.ColorNameForeground, true), text))
	}
	s.parts.Refresh()
	s.p.moved()
}

// sentence says what is in the way. A secret that is stored is not in the form,
// so that the token cannot be shown until it is typed again.
func (s *sentView) sentence(err error) string {
	var e *connectors.Error
	if errors.As(err, &e) {
		if v := s.p.field(e.Field); v != nil && v.stored && !v.touched {
			return lang.T("form.sentstored")
		}
	}
	p := lang.Explain(err)
	return p.Title + " " + p.Hint
}

// lined is text with its line ends, of which nothing acts.
func lined(text string) string {
	if r := []rune(text); len(r) > mostOfPart {
		text = string(r[:mostOfPart]) + "…"
	}
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = connectors.Clean(strings.ReplaceAll(l, "\t", "    "), 0)
	}
	return strings.Join(lines, "\n")
}

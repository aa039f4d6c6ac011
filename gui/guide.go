package gui

import (
	"context"
	"net/url"
	"strconv"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// longGuide is how many characters of a guide stand open. Of a longer one all
// but the steps is folded away.
const longGuide = 500

// longLink is how wide a link may be that has its host beside it.
const longLink = 240

// guide says where to find the values, what rights are needed, and whatever
// else the type knows. It is nil where it knows nothing.
func (p *formPane) guide() fyne.CanvasObject {
	g := p.t.Guide
	open := vbox(12)
	if len(g.Steps) > 0 {
		open.Add(vbox(4, newLabel(lang.T("form.guide"), 12, theme.ColorNameForeground, true), numbered(g.Steps)))
	}
	if g.RedirectURI != "" {
		open.Add(p.redirect(g.RedirectURI))
	}
	if len(g.Links) > 0 {
		open.Add(p.pages(g.Links))
	}
	more, length := p.guideRest(g)
	for _, s := range g.Steps {
		length += utf8.RuneCountInString(s)
	}
	switch {
	case len(more.Objects) == 0:
	case length > longGuide && len(open.Objects) > 0:
		open.Add(p.folded(lang.T("form.more"), lang.T("form.fewer"), more))
	default:
		open.Add(more)
	}
	if len(open.Objects) == 0 {
		return nil
	}
	return padded(8, 0, 0, 0, container.NewStack(newFill(looks.Stripe, 8), padded(12, 12, 12, 12, open)))
}

// guideRest is what is good to know beside the steps, and how long it is.
func (p *formPane) guideRest(g connectors.Guide) (*fyne.Container, int) {
	out, length := vbox(12), 0
	add := func(head string, lines ...string) {
		part := vbox(4, newLabel(head, 12, theme.ColorNameForeground, true))
		for _, text := range lines {
			if text != "" {
				length += utf8.RuneCountInString(text)
				part.Add(wrapped(text, looks.Text2))
			}
		}
		if len(part.Objects) > 1 {
			out.Add(part)
		}
	}
	add(lang.T("form.rights"), g.Rights)
	add(lang.T("form.admin"), g.Admin)
	if g.Admin != "" {
		out.Add(container.NewHBox(p.mailButton()))
	}
	add(lang.T("form.account"), g.Account)
	add(lang.T("form.network"), g.Network)
	add(lang.T("form.notes"), g.Notes...)
	return out, length
}

// numbered are steps one below the other; a single one needs no number.
func numbered(steps []string) *fyne.Container {
	out := vbox(4)
	for i, s := range steps {
		if len(steps) == 1 {
			out.Add(wrapped(s, looks.Text2))
			continue
		}
		n := newLabel(strconv.Itoa(i+1)+".", 13, looks.Text2, false)
		out.Add(newDock(nil, nil, vbox(0, fixed(22, 0, n)), nil, wrapped(s, looks.Text2)))
	}
	return out
}

// folded hides content behind a line that opens it.
func (p *formPane) folded(open, closed string, content *fyne.Container) *fyne.Container {
	content.Hide()
	b := newKeyButton(open, theme.MenuDropDownIcon(), nil, p.a.windowKey)
	b.Importance, b.Alignment = widget.LowImportance, widget.ButtonAlignLeading
	b.OnTapped = func() {
		content.Hidden = !content.Hidden
		if content.Hidden {
			b.SetText(open)
			b.SetIcon(theme.MenuDropDownIcon())
		} else {
			b.SetText(closed)
			b.SetIcon(theme.MenuDropUpIcon())
		}
		p.moved()
	}
	return vbox(6, container.NewHBox(b), content)
}

// redirect is an address to copy into the provider's console, letter by letter.
func (p *formPane) redirect(uri string) fyne.CanvasObject {
	text := selectable(uri)
	b := newKeyButton(lang.T("button.copyplain"), theme.ContentCopyIcon(), func() { p.a.clip(uri) }, p.a.windowKey)
	b.Importance = widget.LowImportance
	line := newDock(nil, nil, nil, vbox(0, fixed(0, 32, b)), padded(7, 0, 0, 8, text))
	return vbox(4, newLabel(lang.T("form.redirect"), 12, theme.ColorNameForeground, true), line)
}

// pages are links to the vendor's pages. Beside each stands the host that it leads
// to: catalogue files are passed from one person to another.
func (p *formPane) pages(list []connectors.Link) fyne.CanvasObject {
	out := vbox(2)
	for _, l := range list {
		text := connectors.Clean(l.Text, 60)
		link := newKeyLink(text, func() { p.a.browse(l.URL) }, p.a.windowKey)
		host := ""
		if u, err := url.Parse(l.URL); err == nil {
			host = connectors.Clean(u.Hostname(), 60)
		}
		where := newLabel(host, 12, looks.Text3, false)
		if fyne.MeasureText(text, 13, fyne.TextStyle{}).Width > longLink {
			link.Wrapping = fyne.TextWrapWord
			out.Add(vbox(0, flush(link), where))
			continue
		}
		out.Add(newDock(nil, nil, flush(link), nil, padded(1, 0, 10, 0, where)))
	}
	return out
}

// selectable is text in monospace that can be marked and copied, not changed.
func selectable(text string) *fyne.Container {
	l := &widget.Label{Text: text, TextStyle: fyne.TextStyle{Monospace: true}, Wrapping: fyne.TextWrapBreak, Selectable: true, SizeName: theme.SizeNameCaptionText}
	l.ExtendBaseWidget(l)
	return flush(l)
}

// clip copies what is no secret, and says so.
func (a *App) clip(text string) {
	a.o.App.Clipboard().SetContent(text)
	a.toasts.say(lang.T("toast.copied"), false)
}

// browse opens a page in the browser, or says which one to open by hand.
func (a *App) browse(page string) {
	if a.o.OpenURL == nil {
		return
	}
	task.Run(a.r, func(ctx context.Context) (struct{}, error) { return struct{}{}, a.o.OpenURL(ctx, page) }, func(_ struct{}, err error) {
		if err != nil {
			a.o.Log.Warn("the browser did not open", "error", err)
			a.toasts.say(lang.T("toast.nobrowser", connectors.Clean(page, 200)), true)
		}
	})
}

package gui

import (
	"context"
	"net/url"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// browserPane stands over the form while a person signs in with the browser:
// the link to copy, and a line for the address where a browser on another
// computer ended.
type browserPane struct {
	p     *formPane
	line  *fyne.Container
	entry *entry
	use   *keyButton
	said  *fyne.Container // why the last address was not taken
	asked int
	got   chan<- string // takes the next address; nil: nobody waits for one
}

// openURL shows the link, and opens it.
func (b *browserPane) openURL(ctx context.Context, page string) error {
	a := b.p.a
	a.r.Do(func() { b.show(page) })
	if a.o.OpenURL == nil {
		return nil
	}
	if err := a.o.OpenURL(ctx, page); err != nil && ctx.Err() == nil {
		a.o.Log.Warn("the browser did not open", "error", err)
	}
	return nil
}

func (b *browserPane) show(page string) {
	p := b.p
	b.asked, b.got = 0, nil
	link := newLabel(connectors.Clean(page, 300), 12, looks.Text2, false)
	link.style.Monospace = true
	copyLink := newKeyButton(lang.T("button.copylink"), theme.ContentCopyIcon(), func() { p.a.clip(page) }, p.a.windowKey)
	b.entry = newEntry(false, false)
	b.entry.keys, b.entry.window = &p.a.keys, p.a.windowKey
	b.entry.SetPlaceHolder(endOf(page))
	b.entry.OnSubmitted = func(string) { b.send() }
	b.use = newKeyButton(lang.T("button.use"), nil, b.send, p.a.windowKey)
	b.said = vbox(0)
	b.line = vbox(6, hairline(), wrapped(lang.T("ask.pasted"), looks.Text2), newDock(nil, nil, nil, padded(0, 0, 8, 0, b.use), oneLined(b.entry)), b.said)
	b.line.Hide()
	words := vbox(10, wrapped(lang.T("ask.browser"), theme.ColorNameForeground), link, container.NewHBox(copyLink), b.line)
	p.banner.Objects = []fyne.CanvasObject{container.NewStack(newFill(looks.AccentBack, 8), padded(12, 12, 12, 12, words))}
	p.banner.Refresh()
	p.moved()
}

// endOf is where a sign-in page will send the browser to, as an example of what
// to paste.
func endOf(page string) string {
	u, err := url.Parse(page)
	if err != nil || u.Query().Get("redirect_uri") == "" {
		return ""
	}
	return connectors.Clean(u.Query().Get("redirect_uri"), 100) + "?code=…"
}

// pasted waits for an address. Asked again, it says that the last was wrong.
func (b *browserPane) pasted(ctx context.Context) (string, error) {
	got := make(chan string, 1)
	b.p.a.r.Do(func() { b.wait(got) })
	select {
	case address := <-got:
		return address, nil
	case <-ctx.Done():
		b.p.a.r.Do(b.over)
		return "", context.Cause(ctx)
	}
}

func (b *browserPane) wait(got chan<- string) {
	if b.line == nil { // asked without a page: there is nothing that could be pasted
		return
	}
	b.got = got
	b.asked++
	b.line.Show()
	b.entry.Enable()
	b.use.Enable()
	if b.asked > 1 {
		b.say(lang.T("ask.pastedwrong"))
		b.p.a.win.Canvas().Focus(b.entry)
	}
	b.p.moved()
}

func (b *browserPane) say(text string) {
	b.said.Objects = []fyne.CanvasObject{flush(prose(text, looks.ErrText, theme.SizeNameCaptionText))}
	b.said.Refresh()
	b.p.moved()
}

func (b *browserPane) send() {
	address := strings.TrimSpace(b.entry.Text)
	switch {
	case b.got == nil:
	case address == "":
		b.say(lang.T("ask.pastedempty"))
	default:
		b.got <- address // has room for one
		b.got = nil
		b.entry.Disable()
		b.use.Disable()
	}
}

// over takes the line away: the sign-in has ended another way.
func (b *browserPane) over() {
	if b.line == nil {
		return
	}
	b.got = nil
	b.line.Hide()
	b.p.moved()
}

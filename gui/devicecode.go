package gui

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// showCode shows a device code until ctx ends. Cancelled by the person, it says so.
func (p *formPane) showCode(ctx context.Context, c connectors.DeviceCode) error {
	page, ok := codePage(c.URL)
	if !ok {
		return &connectors.Error{Code: connectors.Untrusted, Reason: "oauth.device.address", Op: connectors.StageSignIn, Said: connectors.Clean(c.URL, 200)}
	}
	stopped := make(chan struct{}, 1)
	var s *codeSheet
	p.a.r.Do(func() {
		s = p.a.codeSheet(c, page, func() {
			select {
			case stopped <- struct{}{}:
			default:
			}
		})
		s.Show()
	})
	defer p.a.r.Do(func() { s.Hide() })
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stopped:
			return context.Canceled
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			p.a.r.Do(func() { s.tell(now) })
		}
	}
}

// codePage is the page on which a code is typed, if it is one that may be
// opened: https, and nobody's name in front of the host.
func codePage(address string) (*url.URL, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || connectors.Clean(address, 0) != address {
		return nil, false
	}
	here := u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost"
	return u, u.Scheme == "https" || u.Scheme == "http" && here
}

// codeSheet shows a device code over the window.
type codeSheet struct {
	sheet
	expires time.Time
	left    *label
}

func (a *App) codeSheet(c connectors.DeviceCode, page *url.URL, stop func()) *codeSheet {
	s := &codeSheet{expires: c.Expires, left: secondary("")}
	code := connectors.Clean(c.Code, 64)
	size := float32(34)
	mono := fyne.TextStyle{Monospace: true}
	for size > 14 && fyne.MeasureText(code, size, mono).Width > 400 {
		size -= 2
	}
	letters := newLabel(code, size, theme.ColorNameForeground, false)
	letters.style, letters.align = mono, fyne.TextAlignCenter
	host := newLabel(page.Host, 15, theme.ColorNameForeground, true)
	place := newLabel(page.Scheme+"://"+page.Host+page.EscapedPath(), 12, looks.Text2, false)
	place.style = mono
	s.tell(time.Now())
	words := vbox(12,
		wrapped(lang.T("ask.code"), looks.Text2), vbox(3, host, place),
		container.NewStack(newFill(looks.Stripe, 8), padded(16, 16, 16, 16, letters)), s.left)
	stopping := func() { s.Hide(); stop() }
	keys := func(e *fyne.KeyEvent) bool {
		if e.Name == fyne.KeyEscape {
			stopping()
		}
		return e.Name == fyne.KeyEscape || e.Name == fyne.KeyF5
	}
	cancel := newKeyButton(lang.T("button.cancel"), theme.CancelIcon(), stopping, keys)
	copyCode := newKeyButton(lang.T("button.copycode"), theme.ContentCopyIcon(), func() { a.clip(code) }, keys)
	open := newKeyButton(lang.T("button.openpage"), theme.ComputerIcon(), func() { a.browse(c.URL) }, keys)
	open.Importance = widget.HighImportance
	s.sheet = sheet{CustomDialog: dialog.NewCustomWithoutButtons(lang.T("ask.codetitle"), fixed(440, 0, padded(0, 12, 0, 0, words)), a.win), a: a, first: open}
	s.SetButtons([]fyne.CanvasObject{cancel, copyCode, open})
	return s
}

// tell says how long the code is good for.
func (s *codeSheet) tell(now time.Time) {
	left := s.expires.Sub(now).Round(time.Second)
	switch {
	case s.expires.IsZero():
		s.left.set("")
	case left <= 0:
		s.left.set(lang.T("ask.codeover"))
	default:
		s.left.set(lang.T("ask.codeleft", fmt.Sprintf("%d:%02d", left/time.Minute, left%time.Minute/time.Second)))
	}
}

package gui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
)

// browsing is a stub that signs in with a browser and takes the address right
// from whoever pastes it.
func browsing(right string) *stub {
	return &stub{open: func(ctx context.Context, env *connectors.Env) error {
		if err := env.Ask.OpenURL(ctx, "https://login.example.com/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A8917%2Fcallback&state=x"); err != nil {
			return err
		}
		for range 3 {
			address, err := env.Ask.Pasted(ctx)
			if err != nil {
				return err
			}
			if address == right {
				return nil
			}
		}
		return errors.New("three wrong addresses")
	}}
}

// shownIn calls do for every object on the screen, from top to bottom.
func shownIn(o fyne.CanvasObject, do func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	do(o)
	switch x := o.(type) {
	case *fyne.Container:
		for _, child := range x.Objects {
			shownIn(child, do)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(x).Objects() {
			shownIn(child, do)
		}
	}
}

// words are all texts that an object shows.
func words(o fyne.CanvasObject) string {
	var out []string
	shownIn(o, func(x fyne.CanvasObject) {
		switch w := x.(type) {
		case *label:
			out = append(out, w.text)
		case *widget.RichText:
			out = append(out, w.String())
		case *widget.Label:
			out = append(out, w.Text)
		}
	})
	return strings.Join(out, "\n")
}

// find is the shown widget of a kind that ok accepts.
func find[T fyne.CanvasObject](r *room, o fyne.CanvasObject, ok func(T) bool) T {
	r.t.Helper()
	var found []T
	shownIn(o, func(x fyne.CanvasObject) {
		if w, is := x.(T); is && ok(w) {
			found = append(found, w)
		}
	})
	if len(found) != 1 {
		r.t.Fatalf("%d of such %T", len(found), found)
	}
	return found[0]
}

func (r *room) button(o fyne.CanvasObject, text string) *keyButton {
	r.t.Helper()
	return find(r, o, func(b *keyButton) bool { return b.Text == text })
}

// pasteLine is the entry for an address, once it is asked for.
func (r *room) pasteLine(times int) *entry {
	r.t.Helper()
	var e *entry
	r.until("the line to paste into", func() bool {
		shownIn(r.a.form.banner, func(x fyne.CanvasObject) {
			if found, ok := x.(*entry); ok && !found.Disabled() && (times == 1 || strings.Contains(words(r.a.form.banner), "not where this sign-in ends")) {
				e = found
			}
		})
		return e != nil
	})
	return e
}

func TestAnAddressFromAnotherMachineIsPasted(t *testing.T) {
	const right = "http://127.0.0.1:8917/callback?code=practice-only&state=x"
	r := stubRoom(t, browsing(right))
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	e := r.pasteLine(1)
	r.shot("paste-line")
	if e.PlaceHolder != "http://127.0.0.1:8917/callback?code=…" {
		t.Errorf("the example is %q", e.PlaceHolder)
	}
	use := r.button(r.a.form.banner, "Use")
	test.Tap(use)
	if got := words(r.a.form.banner); !strings.Contains(got, "Paste the address first") {
		t.Errorf("an empty line says %q", got)
	}
	e.SetText("http://127.0.0.1:8917/wrong")
	test.Tap(use)
	if !e.Disabled() || !use.Disabled() {
		t.Error("an address can be sent twice")
	}
	e = r.pasteLine(2)
	r.shot("paste-line-wrong")
	if r.focused() != fyne.Focusable(e) {
		t.Error("a wrong address does not get the focus back")
	}
	e.SetText("  " + right + "\t")
	press(e, fyne.KeyReturn)
	r.until("the link", r.linked)
	if r.a.form.c.State != "ok" || len(r.a.form.banner.Objects) != 0 {
		t.Errorf("%s, %q", r.a.form.c.State, words(r.a.form.banner))
	}
}

func TestThePasteLineGoesWhenTheBrowserHereIsFaster(t *testing.T) {
	here := make(chan struct{})
	r := stubRoom(t, &stub{open: func(ctx context.Context, env *connectors.Env) error {
		if err := env.Ask.OpenURL(ctx, "https://login.example.com/authorize"); err != nil {
			return err
		}
		asking, cancel := context.WithCancel(ctx)
		go func() { <-here; cancel() }()
		if _, err := env.Ask.Pasted(asking); !errors.Is(err, context.Canceled) {
			return fmt.Errorf("it ended with %w", err)
		}
		<-ctx.Done()
		return ctx.Err()
	}})
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	r.pasteLine(1)
	close(here)
	r.until("the line to go", func() bool { return !strings.Contains(words(r.a.form.banner), "another machine") })
	if !strings.Contains(words(r.a.form.banner), "Sign in with the browser") {
		t.Error("the link is gone as well")
	}
	r.a.form.cancelLink()
	r.until("the end", func() bool { return r.a.form.cancel == nil })
}

// coding is a stub that shows a code until release is closed.
func coding(c connectors.DeviceCode, release chan struct{}, got chan error) *stub {
	return &stub{open: func(ctx context.Context, env *connectors.Env) error {
		showing, hide := context.WithCancel(ctx)
		defer hide()
		go func() { <-release; hide() }()
		err := env.Ask.ShowCode(showing, c)
		got <- err
		return err
	}}
}

func TestSecurity13_TheDeviceDialogShowsWhereTheCodeGoes(t *testing.T) {
	opened := make(chan string, 1)
	release, got := make(chan struct{}), make(chan error, 1)
	code := connectors.DeviceCode{URL: "https://login.example.com/device?user_code=WDJB-MJHT", Code: "WDJB\u202e-MJHT", Expires: time.Now().Add(90 * time.Second)}
	r := newRoom(t, roomOptions{types: []connectors.Type{coding(code, release, got).typ()}, openURL: func(_ context.Context, page string) error { opened <- page; return nil }})
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	shown := func() fyne.CanvasObject { return r.a.win.Canvas().Overlays().Top() }
	r.until("the dialog", func() bool { return shown() != nil })
	r.shot("device-code")
	text := words(shown())
	for _, want := range []string{"login.example.com", "https://login.example.com/device", "WDJB\ufffd-MJHT", "The code is good for 1:"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not show %q: %s", want, text)
		}
	}
	if strings.Contains(text, "\u202e") {
		t.Error("the code turns the direction of writing")
	}
	test.Tap(r.button(shown(), "Copy code"))
	if clip := r.app.Clipboard().Content(); clip != "WDJB\ufffd-MJHT" {
		t.Errorf("copied: %q", clip)
	}
	press(r.button(shown(), "Open page"), fyne.KeyReturn)
	if got := <-opened; got != code.URL || shown() == nil {
		t.Errorf("opened %s, and the dialog is there: %v", got, shown() != nil)
	}
	before := words(shown())
	r.until("the countdown", func() bool { return shown() != nil && words(shown()) != before })
	close(release)
	r.until("the dialog to go", func() bool { return shown() == nil })
	if err := <-got; err != nil {
		t.Errorf("it ended with %v", err)
	}
	r.until("the link", r.linked)
}

func TestSecurity13_ACodeForAPageThatMayNotBeOpenedIsNotShown(t *testing.T) {
	for _, page := range []string{"javascript:alert(1)", "http://login.example.com/device", "https://user@login.example.com/", "https://login.\u202eexample.com/", "file:///etc/passwd", ""} {
		release, got := make(chan struct{}), make(chan error, 1)
		r := stubRoom(t, coding(connectors.DeviceCode{URL: page, Code: "WDJB-MJHT"}, release, got))
		r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
		r.a.form.link()
		r.until("the end", func() bool { return len(got) == 1 })
		if err := <-got; connectors.CodeOf(err) != connectors.Untrusted {
			t.Errorf("%q: %v", page, err)
		}
		if r.settle(); r.a.win.Canvas().Overlays().Top() != nil {
			t.Errorf("%q is shown", page)
		}
		close(release)
	}
}

func TestEscAtTheCodeCancelsTheSignIn(t *testing.T) {
	release, got := make(chan struct{}), make(chan error, 1)
	defer close(release)
	r := stubRoom(t, coding(connectors.DeviceCode{URL: "https://login.example.com/device", Code: "WDJB-MJHT"}, release, got))
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	r.until("the dialog", func() bool { return r.a.win.Canvas().Overlays().Top() != nil })
	press(r.focused(), fyne.KeyEscape)
	r.until("the end", func() bool { return r.a.form.cancel == nil && r.a.win.Canvas().Overlays().Top() == nil })
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

func TestARungThatIsClimbedAgainStaysOneRow(t *testing.T) {
	stubRoom(t, &stub{})
	l := newLadderView(func() {})
	rung := func(stage connectors.Stage, text string, done bool, err error) {
		l.step(connectors.Step{Stage: stage, Text: text, Done: done, Err: err})
	}
	rung(connectors.StageSignIn, "login", false, nil)
	for range 5 {
		rung(connectors.StageResolve, "login", false, nil)
		rung(connectors.StageResolve, "192.0.2.1", true, nil)
		rung(connectors.StageConnect, "login:443", false, nil)
		rung(connectors.StageConnect, "login:443", true, nil)
	}
	if l.step(connectors.Step{Stage: connectors.StageConnect, Text: "login:443"}) {
		t.Error("a rung climbed again is drawn again")
	}
	if len(l.steps) != 3 || l.steps[1].Text != "192.0.2.1" {
		t.Errorf("%+v", l.steps)
	}
	rung(connectors.StageResolve, "api", false, nil)
	rung(connectors.StageResolve, "192.0.2.2", true, nil)
	if len(l.steps) != 4 {
		t.Errorf("another host has no row: %+v", l.steps)
	}
	rung(connectors.StageConnect, "login:443", false, nil)
	rung(connectors.StageConnect, "login:443", true, errors.New("gone"))
	rung(connectors.StageSignIn, "login", true, errors.New("gone"))
	if n := len(l.steps); n != 5 || l.steps[n-1].Err == nil || l.steps[0].Err == nil {
		t.Errorf("a failure is not shown: %+v", l.steps)
	}
}

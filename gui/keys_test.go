package gui

import (
	"context"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

func press(w interface{ TypedKey(*fyne.KeyEvent) }, name fyne.KeyName) {
	w.TypedKey(&fyne.KeyEvent{Name: name})
}

// focused is the widget that a key goes to.
func (r *room) focused() fyne.Focusable { return r.a.win.Canvas().Focused() }

func TestEscCancelsALinkWhereverTheFocusIs(t *testing.T) {
	r := stubRoom(t, &stub{open: func(ctx context.Context, _ *connectors.Env) error { <-ctx.Done(); return ctx.Err() }})
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	for _, w := range []fyne.Focusable{r.a.form.field("host").entry, r.a.form.field("auth").choice} {
		r.a.form.link()
		r.until("the link", func() bool { return r.a.form.cancel != nil })
		r.a.win.Canvas().Focus(w)
		press(r.focused(), fyne.KeyEscape)
		r.until("the end", func() bool { return r.a.form.cancel == nil })
	}
}

func TestAQuestionIsAnsweredByKeys(t *testing.T) {
	got := make(chan bool, 1)
	r := stubRoom(t, &stub{open: func(ctx context.Context, env *connectors.Env) error {
		yes, err := env.Ask.Trust(ctx, connectors.TrustRequest{Kind: "SSH host key", Host: "example.com", Algorithm: "ssh-ed25519", Fingerprint: "SHA256:x"})
		got <- yes
		return err
	}})
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	asked := func() bool { return r.a.win.Canvas().Overlays().Top() != nil }
	for _, c := range []struct {
		keys []fyne.KeyName
		want bool
	}{{[]fyne.KeyName{fyne.KeyEscape}, false}, {[]fyne.KeyName{fyne.KeyReturn}, false}, {[]fyne.KeyName{fyne.KeyTab, fyne.KeyReturn}, true}} {
		r.a.form.link()
		r.until("the question", asked)
		for _, k := range c.keys {
			if k == fyne.KeyTab {
				r.a.win.Canvas().FocusNext()
				continue
			}
			press(r.focused(), k)
		}
		if yes := <-got; yes != c.want {
			t.Errorf("%v means %v", c.keys, yes)
		}
		r.until("the end", func() bool { return r.a.form.cancel == nil && !asked() })
	}
}

func TestARowIsFoundByTyping(t *testing.T) {
	r := stubRoom(t, &stub{})
	for _, name := range []string{"Alpha", "Beta one", "Beta two", "Gamma"} {
		if _, err := r.book.Create(t.Context(), link.Draft{Type: "stub", Name: name, Settings: connectors.NewSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	r.a.reload(nil)
	r.until("the list", func() bool { return len(r.a.side.shown) == 4 })
	at := func() string {
		c, _ := r.a.connection(r.a.side.selected)
		return c.Name
	}
	for _, step := range []struct{ typed, want string }{{"b", "Beta one"}, {"b", "Beta two"}, {"b", "Beta one"}} {
		for _, c := range step.typed {
			r.a.side.list.TypedRune(c)
		}
		if at() != step.want {
			t.Errorf("%q leads to %q", step.typed, at())
		}
	}
	r.a.side.ahead = typeAhead{}
	for _, c := range "beta t" {
		r.a.side.list.TypedRune(c)
	}
	if at() != "Beta two" {
		t.Errorf("a longer word leads to %q", at())
	}
	r.a.side.list.TypedRune('x')
	if at() != "Beta two" {
		t.Error("what is not there moved the selection")
	}
}

func TestTheSearchLeadsToAConnection(t *testing.T) {
	r := stubRoom(t, &stub{})
	for _, name := range []string{"Alpha", "Beta"} {
		if _, err := r.book.Create(t.Context(), link.Draft{Type: "stub", Name: name, Settings: connectors.NewSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	r.a.reload(nil)
	r.until("the list", func() bool { return len(r.a.side.shown) == 2 })
	r.a.win.Canvas().Focus(r.a.side.search)
	r.a.side.search.SetText("bet")
	press(r.focused(), fyne.KeyReturn)
	if c, _ := r.a.connection(r.a.side.selected); c.Name != "Beta" {
		t.Errorf("Enter opens %q", c.Name)
	}
	r.a.win.Canvas().Focus(r.a.side.search)
	press(r.focused(), fyne.KeyDown)
	if r.focused() != fyne.Focusable(r.a.side.list) {
		t.Errorf("Down leads to %T", r.focused())
	}
}

func TestAFailureAtAFieldIsSeenAndGoesWithTheNextTry(t *testing.T) {
	fail := true
	s := &stub{open: func(context.Context, *connectors.Env) error {
		if fail {
			return &connectors.Error{Code: connectors.AuthFailed, Field: "password"}
		}
		return nil
	}}
	r := stubRoom(t, s)
	r.a.win.Resize(fyne.NewSize(1440, 420))
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	p := r.a.form
	p.link()
	r.until("the failure", func() bool { return p.cancel == nil && p.c.State == link.Failed })
	r.settle()
	v := p.field("password")
	if r.focused() != fyne.Focusable(v.entry) || !v.bad {
		t.Fatalf("the field is not told: %q", said(v))
	}
	if end := p.bottom(v); end > p.scroll.Offset.Y+p.scroll.Size().Height || end-v.box.Size().Height < p.scroll.Offset.Y {
		t.Errorf("it ends at %v, and %v to %v are seen", end, p.scroll.Offset.Y, p.scroll.Offset.Y+p.scroll.Size().Height)
	}
	if said(v) != p.c.Problem.Title+" "+p.c.Problem.Hint {
		t.Errorf("out of sight of the banner it says only %q", said(v))
	}
	fail = false
	p.link()
	r.until("the link", func() bool { return p.cancel == nil && p.c.State == link.OK })
	if v.bad || said(v) != "" {
		t.Errorf("linked, it still says %q", said(v))
	}
}

func TestAFailedConnectionOpensAtItsTop(t *testing.T) {
	s := &stub{open: func(context.Context, *connectors.Env) error {
		return &connectors.Error{Code: connectors.AuthFailed, Field: "password"}
	}}
	r := stubRoom(t, s)
	r.a.win.Resize(fyne.NewSize(1440, 480))
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	r.until("the failure", func() bool { return r.a.form.cancel == nil && r.a.form.c.State == link.Failed })
	r.a.open(r.a.form.t, r.a.form.c)
	r.settle()
	if p := r.a.form; p.scroll.Offset.Y != 0 || !p.field("password").bad {
		t.Errorf("it is scrolled to %v, and the field says %q", p.scroll.Offset.Y, said(p.field("password")))
	}
}

func TestAShortcutWaitsForTheQuestion(t *testing.T) {
	r := stubRoom(t, &stub{})
	r.fill("stub", map[string]string{"host": "example.com"})
	press := func() {
		r.a.keys.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyN, Modifier: fyne.KeyModifierShortcutDefault})
	}
	press()
	press()
	if n := len(r.a.win.Canvas().Overlays().List()); n != 1 {
		t.Errorf("%d questions lie over one another", n)
	}
}

package gui

import (
	"context"
	"iter"
	"strings"
	"testing"

	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

type doorAnswers struct {
	Host     string            `field:"host"`
	User     string            `field:"user"`
	Password connectors.Secret `field:"password"`
}

type door struct{ refuses string }

// typ is a service that lets one password in.
func (d *door) typ() connectors.Type {
	return connectors.Define(connectors.Type{ID: "door", Name: "Door", Summary: "For tests.", Group: connectors.GroupFiles, Where: []string{"host"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "host", Label: "Host", Kind: connectors.Text, Required: true, Example: "door.example.com"},
			{Key: "user", Label: "User name", Kind: connectors.Text, Required: true, Section: "Sign-in", Example: "mira"},
			{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true},
		}}}, func(_ context.Context, _ *connectors.Env, a doorAnswers) (connectors.Session, error) {
		if a.Host == d.refuses {
			return nil, &connectors.Error{Code: connectors.AuthFailed, Field: "password"}
		}
		return opened{a}, nil
	})
}

type opened struct{ a doorAnswers }

func (opened) Close() error { return nil }
func (o opened) Check(context.Context) ([]connectors.Fact, error) {
	return []connectors.Fact{{Label: "Account", Text: o.a.User + " with " + o.a.Password.Reveal()[:8]}}, nil
}
func (opened) Children(context.Context, connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		yield(connectors.Node{ID: "a", Name: "a", Kind: "file"}, nil)
	}
}

func accountOf() connectors.Type {
	return connectors.Define(connectors.Type{ID: "person", Name: "User and password", Summary: "For tests.", Group: connectors.GroupServices, Offline: true,
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "user", Label: "User name", Kind: connectors.Text, Required: true},
			{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true},
		}}}, func(_ context.Context, _ *connectors.Env, a struct {
		User     string            `field:"user"`
		Password connectors.Secret `field:"password"`
	}) (connectors.Session, error) {
		return opened{doorAnswers{User: a.User, Password: a.Password}}, nil
	})
}

func (r *room) saveNow() {
	r.t.Helper()
	r.a.form.save(nil)
	r.until("the save", func() bool { return !r.a.form.unsaved })
	r.settle()
}

func TestASignInIsTakenFromAnotherAccount(t *testing.T) {
	d := &door{}
	r := newRoom(t, roomOptions{types: []connectors.Type{d.typ(), accountOf()}, variant: theme.VariantLight})
	r.fill("door", nil)
	if r.a.form.field("identity").box.Visible() {
		t.Error("a choice is offered where there is nothing to choose")
	}
	r.fill("person", map[string]string{"user": "mira", "password": "practice-only-1"})
	r.a.form.name.SetText("Directory account")
	r.saveNow()
	account := r.a.form.id

	r.fill("door", map[string]string{"host": "door.example.com"})
	f := r.a.form
	lender := f.field("identity")
	if !lender.box.Visible() {
		t.Fatal("the account is not offered")
	}
	r.shot("reference-1-offered")
	lender.choice.SetSelected("Directory account")
	if got := f.field("password").entry.PlaceHolder; got != "From the account chosen above" {
		t.Errorf("the empty password says %q", got)
	}
	if m := f.t.Form.Missing(f.judged()); len(m) != 0 {
		t.Errorf("still missing: %v", m)
	}
	f.link()
	r.until("the link", r.linked)
	if c, err := r.book.Get(t.Context(), f.id); err != nil || c.Account != "mira with practice" {
		t.Errorf("account %q, %+v, %v", c.Account, c.Problem, err)
	}
	r.shot("reference-2-linked")

	// The account changes: what depends on it is offered to be checked.
	d.refuses = "door.example.com"
	r.a.selectConnection(account)
	r.until("the account's form", func() bool { return r.a.form != nil && r.a.form.id == account })
	r.settle()
	r.a.form.field("password").entry.SetText("practice-only-2")
	r.a.form.changed()
	r.saveNow()
	top := r.a.win.Canvas().Overlays().Top()
	if top == nil || !strings.Contains(words(top), "1 connection signs in with this account") {
		t.Fatalf("no question: %q", words(top))
	}
	r.shot("reference-3-question")
	r.a.win.Canvas().Overlays().Remove(top)
	r.a.checkDependents(account)
	r.until("the outcome", func() bool { return strings.Contains(words(r.a.toasts.root), "Door:") })
	if list, _ := link.UsedBy(r.a.list, account); len(list) != 1 {
		t.Errorf("used by %+v", list)
	}
}

func TestTheWayToAnOnPremiseServer(t *testing.T) {
	hop := accountOf()
	hop.ID, hop.Name, hop.Offline = "hop", "Jump", false
	hop.Tunnel = func(context.Context, *connectors.Env, connectors.Settings) (connectors.Tunnel, error) {
		return nil, &connectors.Error{Code: connectors.AuthFailed, Field: "password"}
	}
	r := newRoom(t, roomOptions{types: []connectors.Type{(&door{}).typ(), hop}, variant: theme.VariantDark})
	r.fill("hop", map[string]string{"user": "mira", "password": "practice-only-1"})
	r.a.form.name.SetText("Bastion")
	r.saveNow()
	r.fill("door", map[string]string{"host": "door.example.com"})
	f := r.a.form
	f.unfold(true)
	if f.field("via").box.Visible() {
		t.Error("the way is asked for although the server is near")
	}
	f.field("place").set("on_premise")
	f.field("via").set("ssh")
	if !f.field("via_account").box.Visible() || f.field("via_proxy").box.Visible() {
		t.Error("the jump host is not asked for")
	}
	f.field("via_account").choice.SetSelected("Bastion")
	r.settle()
	f.reveal(f.field("via_account"))
	r.shot("reference-4-way")
	if got := f.settings().Plain["via_account"]; got == "" || got == "Bastion" {
		t.Errorf("the jump host is %q", got)
	}
}

package gui

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"jackfield/connectors"
)

func (s stubSession) Actions(id connectors.NodeID) []connectors.Action {
	if s.s.act == nil || id != "users" {
		return nil
	}
	return []connectors.Action{{ID: "create", Label: "Create a test user", Ask: "Name of the new user", Warning: "This adds a user."}}
}

func (s stubSession) Act(_ context.Context, _ connectors.NodeID, action, input string) ([]connectors.Part, error) {
	return s.s.act(action, input)
}

func TestAnActionIsDoneOnlyWhenThePersonAgrees(t *testing.T) {
	var done []string
	fail := false
	s := &stub{children: func(context.Context, connectors.NodeID) iter.Seq2[connectors.Node, error] {
		return func(yield func(connectors.Node, error) bool) {
			_ = yield(connectors.Node{ID: "users", Name: "Users", Kind: "folder"}, nil) && yield(connectors.Node{ID: "other", Name: "Other", Kind: "folder"}, nil)
		}
	}, act: func(action, input string) ([]connectors.Part, error) {
		if fail {
			return nil, errors.New("no")
		}
		done = append(done, action+" "+input)
		return []connectors.Part{{Title: "User ID", Text: "u9"}}, nil
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "practice-only"})
	r.a.form.link()
	r.until("the link", r.linked)
	p := r.a.preview
	r.until("the tree", func() bool {
		return p.nodes[""] != nil && p.nodes[""].state == "done" && len(p.nodes[""].children) == 2
	})
	detail := func() fyne.CanvasObject { return p.detail.root }
	p.tree.Select("other")
	r.pump()
	if strings.Contains(words(detail()), "Create") {
		t.Error("an action is offered where there is none")
	}
	p.tree.Select("users")
	r.until("the button", func() bool { return len(p.detail.factBox.Objects) > 0 })
	r.shot("action-offered")
	press := func(label string) {
		t.Helper()
		sheet := r.a.win.Canvas().Overlays().Top()
		if sheet == nil {
			t.Fatal("nothing is asked")
		}
		test.Tap(r.button(sheet, label))
	}
	test.Tap(r.button(detail(), "Create a test user"))
	r.shot("action-asked")
	press("Cancel")
	r.pump()
	if len(done) != 0 {
		t.Fatalf("done although it was cancelled: %v", done)
	}
	test.Tap(r.button(detail(), "Create a test user"))
	e, ok := r.focused().(*entry)
	if !ok {
		t.Fatal("the entry has no focus")
	}
	e.SetText("practice user")
	press("Create a test user")
	r.until("the answer", func() bool { return strings.Contains(words(detail()), "User ID") })
	r.shot("action-done")
	if len(done) != 1 || done[0] != "create practice user" {
		t.Errorf("%v", done)
	}
	fail = true
	test.Tap(r.button(detail(), "Create a test user"))
	r.focused().(*entry).SetText("another")
	press("Create a test user")
	r.until("the failure", func() bool { return p.detail.said != "" })
	if len(done) != 1 {
		t.Errorf("%v", done)
	}
}

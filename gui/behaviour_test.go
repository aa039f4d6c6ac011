package gui

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
)

// stub is a type whose opening a test sets; it speaks no protocol.
type stub struct {
	open     func(ctx context.Context, env *connectors.Env) error
	children func(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error]
	act      func(action, input string) ([]connectors.Part, error)
}

type stubAnswers struct {
	Host string            `field:"host"`
	Auth string            `field:"auth"`
	Pass connectors.Secret `field:"password"`
	Key  connectors.Secret `field:"key"`
}

func (s *stub) typ() connectors.Type {
	return connectors.Define(connectors.Type{ID: "stub", Name: "Stub", Summary: "For tests", Group: connectors.GroupFiles, Tile: "ST", Where: []string{"host"}, Keywords: []string{"nothing"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "host", Label: "Host", Kind: connectors.Text, Required: true, Section: "Server", Help: "Where it is.", Valid: func(v string) error {
				if strings.Contains(v, " ") {
					return fmt.Errorf("A host has no spaces.")
				}
				return nil
			}},
			{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: "password", Section: "Sign-in", Options: []connectors.Option{{Value: "password", Label: "Password"}, {Value: "key", Label: "Key"}}},
			{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", "password")},
			{Key: "key", Label: "Key", Kind: connectors.SecretLines, Required: true, Section: "Key", Show: connectors.When("auth", "key")},
		}}}, func(ctx context.Context, env *connectors.Env, _ stubAnswers) (connectors.Session, error) {
		if s.open != nil {
			if err := s.open(ctx, env); err != nil {
				return nil, err
			}
		}
		return stubSession{s}, nil
	})
}

type stubSession struct{ s *stub }

func (stubSession) Close() error { return nil }
func (stubSession) Check(context.Context) ([]connectors.Fact, error) {
	return []connectors.Fact{{Label: "Account", Text: "mira"}}, nil
}

func (s stubSession) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	if s.s.children == nil {
		return func(func(connectors.Node, error) bool) {}
	}
	return s.s.children(ctx, parent)
}

func stubRoom(t *testing.T, s *stub) *room {
	return newRoom(t, roomOptions{types: []connectors.Type{s.typ()}})
}

func TestAFormatErrorStandsAtTheFieldOnceItIsLeft(t *testing.T) {
	r := stubRoom(t, &stub{})
	r.fill("stub", nil)
	v := r.a.form.field("host")
	r.a.win.Canvas().Focus(v.entry)
	test.Type(v.entry, "two words")
	if said(v) != "Where it is." {
		t.Errorf("while typing it says %q", said(v))
	}
	r.a.win.Canvas().FocusNext()
	if said(v) != "A host has no spaces." {
		t.Errorf("afterwards it says %q", said(v))
	}
	r.a.win.Canvas().Focus(v.entry)
	v.entry.SetText(" example.com ")
	r.a.win.Canvas().FocusNext()
	if said(v) != "Where it is." || v.entry.Text != "example.com" {
		t.Errorf("put right it says %q, with %q", said(v), v.entry.Text)
	}
}

func TestChoicesShowAndHideTheirFields(t *testing.T) {
	r := stubRoom(t, &stub{})
	r.fill("stub", nil)
	p := r.a.form
	if p.field("password").box.Hidden || !p.field("key").box.Hidden || !p.field("key").section.box.Hidden {
		t.Error("the password is not shown alone")
	}
	p.field("auth").choice.SetSelected("Key")
	if !p.field("password").box.Hidden || p.field("key").box.Hidden || p.field("key").section.box.Hidden {
		t.Error("the key is not shown alone, with its heading")
	}
}

func TestSavingNeedsNoNetworkAndSaysWhatIsMissing(t *testing.T) {
	r := stubRoom(t, &stub{open: func(context.Context, *connectors.Env) error { t.Error("it was opened"); return nil }})
	r.fill("stub", map[string]string{"host": "example.com"})
	r.a.form.save(nil)
	r.until("the saving", func() bool { return len(r.a.list) == 1 })
	if c := r.a.list[0]; c.State != link.Prepared || c.Plain["host"] != "example.com" {
		t.Errorf("%+v", c)
	}
	r.a.form.showState()
	if got := r.a.form.lacks; got != "Still missing: Password" {
		t.Errorf("the head says %q", got)
	}
	if got := r.a.form.status.text; got != "1 answer missing" {
		t.Errorf("the footer says %q", got)
	}
	r.a.form.link()
	if got := said(r.a.form.field("password")); !strings.Contains(got, "is needed") {
		t.Errorf("linking says %q at the password", got)
	}
	if r.a.win.Canvas().Focused() != r.a.form.field("password").focusable() {
		t.Error("the missing field is not focused")
	}
}

func TestTheLadderTellsAndAFailureMarksItsField(t *testing.T) {
	s := &stub{open: func(ctx context.Context, env *connectors.Env) error {
		return env.Climb(ctx, connectors.StageSignIn, "mira", func(context.Context) (string, error) {
			return "", &connectors.Error{Code: connectors.AuthFailed, Field: "password", Target: "example.com", Said: "530 no"}
		})
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "typed-practice"})
	r.a.form.link()
	r.until("the failure", r.linked)
	p := r.a.form
	if p.c.State != link.Failed || len(p.ladder.steps) != 2 || p.ladder.steps[1].Err == nil || p.ladder.rows.Hidden {
		t.Errorf("%s, %+v", p.c.State, p.ladder.steps)
	}
	if got := said(p.field("password")); got != "example.com refused the sign-in." {
		t.Errorf("the field says %q", got)
	}
	if p.field("password").value() != "typed-practice" || p.field("host").value() != "example.com" {
		t.Error("what was typed is gone")
	}
	if len(p.banner.Objects) != 1 {
		t.Error("there is no banner")
	}
	s.open = nil
	p.link()
	r.until("the second try", func() bool { return p.cancel == nil && p.c.State == link.OK })
	if len(p.banner.Objects) != 0 || !p.ladder.rows.Hidden {
		t.Error("the failure is still shown")
	}
}

func TestCancelEndsALinkWithinASecond(t *testing.T) {
	s := &stub{open: func(ctx context.Context, env *connectors.Env) error {
		return env.Climb(ctx, connectors.StageConnect, "example.com:22", func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() })
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "typed-practice"})
	r.a.form.link()
	r.until("the rung", func() bool { return len(r.a.form.ladder.steps) == 2 })
	r.a.form.cancelLink()
	start := time.Now()
	r.until("the end", func() bool { return r.a.form.cancel == nil })
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if r.a.form.buttons.Hidden || r.a.form.c.State != link.Prepared {
		t.Errorf("the form is %s", r.a.form.c.State)
	}
}

func TestClosingAsksOnlyWhereChangesWouldBeLost(t *testing.T) {
	r := stubRoom(t, &stub{})
	r.fill("stub", nil)
	asked := func() bool { return r.a.win.Canvas().Overlays().Top() != nil }
	r.a.leave(func() {})
	if asked() {
		t.Error("an untouched form asks")
	}
	r.fill("stub", map[string]string{"host": "example.com"})
	went := false
	r.a.leave(func() { went = true })
	if !asked() || went {
		t.Error("a changed form does not ask")
	}
	r.a.win.Canvas().Overlays().Top().Hide()
	r.a.win.Canvas().Overlays().Remove(r.a.win.Canvas().Overlays().Top())
	r.a.form.save(nil)
	r.until("the saving", func() bool { return len(r.a.list) == 1 })
	r.a.leave(func() { went = true })
	if !went {
		t.Error("a saved form asks")
	}
}

func TestShortcutsWorkWhileAFieldHasTheFocus(t *testing.T) {
	r := stubRoom(t, &stub{})
	r.fill("stub", map[string]string{"host": "example.com", "password": "typed-practice"})
	v := r.a.form.field("host")
	r.a.win.Canvas().Focus(v.entry)
	v.entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault})
	r.until("the link", r.linked)
	if r.a.form.c.State != link.OK {
		t.Error(r.a.form.c.State)
	}
	v.entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierShortcutDefault})
	if r.a.win.Canvas().Focused() != r.a.side.search {
		t.Error("Ctrl+F does not lead to the search")
	}
}

// Rows are made for what is on the screen, however many there are.
func TestAHundredThousandChildrenStayVirtual(t *testing.T) {
	const many = 100_000
	s := &stub{children: func(ctx context.Context, _ connectors.NodeID) iter.Seq2[connectors.Node, error] {
		return func(yield func(connectors.Node, error) bool) {
			for i := range many {
				if ctx.Err() != nil || !yield(connectors.Node{ID: connectors.NodeID(fmt.Sprint(i)), Name: fmt.Sprintf("file-%06d", i), Kind: "file"}, nil) {
					return
				}
			}
		}
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "typed-practice"})
	r.a.form.link()
	r.until("the first children", func() bool {
		return r.a.preview.nodes[""] != nil && len(r.a.preview.nodes[""].children) > 0
	})
	if n := len(r.a.preview.nodes[""].children); n >= many {
		t.Error("all came at once")
	}
	r.until("all children", func() bool { return r.a.preview.nodes[""].state == "done" })
	if n := len(r.a.preview.nodes[""].children); n != many {
		t.Errorf("%d children", n)
	}
	rows := 0
	count := r.a.preview.tree.UpdateNode
	r.a.preview.tree.UpdateNode = func(id string, branch bool, o fyne.CanvasObject) { rows++; count(id, branch, o) }
	r.a.preview.tree.Refresh()
	if rows > 200 {
		t.Errorf("%d rows were drawn", rows)
	}
	r.a.preview.filter.SetText("file-099999")
	if got := r.a.preview.childIDs(""); len(got) != 1 {
		t.Errorf("the filter finds %d", len(got))
	}
}

func TestSecurity70_HostileNamesActNowhereInTheWindow(t *testing.T) {
	evil := "gpj.\u202eexe\x1b[31m" + strings.Repeat("A", 1<<20)
	s := &stub{children: func(context.Context, connectors.NodeID) iter.Seq2[connectors.Node, error] {
		return func(yield func(connectors.Node, error) bool) {
			yield(connectors.Node{ID: "1", Name: evil, Kind: "file", Facts: []connectors.Fact{{Label: evil, Text: evil}}}, nil)
		}
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "typed-practice"})
	r.a.form.link()
	r.until("the child", func() bool {
		return r.a.preview.nodes[""] != nil && r.a.preview.nodes[""].state == "done" && len(r.a.preview.nodes[""].children) == 1
	})
	r.a.preview.tree.Select("1")
	r.settle()
	row := newNodeRow(false).(*nodeRow)
	r.a.preview.fillRow("1", false, row)
	for _, text := range []string{row.name.text, r.a.preview.path("1"), r.a.preview.detail.crumb.text} {
		if strings.ContainsAny(text, "\u202e\x1b") || len([]rune(text)) > 300 {
			t.Errorf("shown: %.80q (%d)", text, len(text))
		}
	}
}

func TestTheSidebarFindsRenamesCopiesAndDeletes(t *testing.T) {
	r := stubRoom(t, &stub{})
	for _, name := range []string{"Alpha", "Beta"} {
		r.fill("stub", map[string]string{"host": strings.ToLower(name) + ".example.com"})
		r.a.form.name.SetText(name)
		r.a.form.save(nil)
		r.until("the saving", func() bool { _, ok := r.a.connection(r.a.form.id); return ok })
	}
	r.a.side.search.SetText("BETA.example")
	if len(r.a.side.shown) != 1 || r.a.side.shown[0].Name != "Beta" {
		t.Errorf("found %+v", r.a.side.shown)
	}
	r.a.side.search.SetText("")
	beta := r.a.form.c
	r.a.copy(beta)
	r.until("the copy", func() bool { return len(r.a.list) == 3 && r.a.form.id != beta.ID })
	if r.a.form.c.Plain["host"] != "beta.example.com" {
		t.Error("the copy has other answers")
	}
	if err := r.book.Delete(t.Context(), r.a.form.id); err != nil {
		t.Fatal(err)
	}
	r.until("the deletion by another program", func() bool { return len(r.a.list) == 2 })
}

func TestOAuthShowsTheLinkToCopy(t *testing.T) {
	s := &stub{open: func(ctx context.Context, env *connectors.Env) error {
		if err := env.Ask.OpenURL(ctx, "https://login.example.com/authorize?x=1"); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "typed-practice"})
	r.a.form.link()
	r.until("the link", func() bool { return len(r.a.form.banner.Objects) == 1 })
	r.shot("oauth-waiting")
	r.a.form.cancelLink()
	r.until("the end", func() bool { return r.a.form.cancel == nil })
}

func TestAnUnknownHostIsAskedAbout(t *testing.T) {
	got := make(chan bool, 1)
	s := &stub{open: func(ctx context.Context, env *connectors.Env) error {
		yes, err := env.Trusts(ctx, connectors.TrustRequest{Kind: "SSH host key", Host: "files.example.com:22", Fingerprint: "SHA256:" + strings.Repeat("x", 43), Algorithm: "ssh-ed25519"})
		got <- yes
		return err
	}}
	r := stubRoom(t, s)
	r.fill("stub", map[string]string{"host": "example.com", "password": "typed-practice"})
	r.a.form.link()
	r.until("the question", func() bool { return r.a.win.Canvas().Overlays().Top() != nil })
	r.shot("trust-question")
	r.a.form.cancelLink()
	if <-got {
		t.Error("a question that was never answered counts as yes")
	}
	r.until("the end", func() bool { return r.a.form.cancel == nil && r.a.win.Canvas().Overlays().Top() == nil })
}

func names(list []link.Connection) string {
	var out []string
	for _, c := range list {
		out = append(out, c.Name)
	}
	return strings.Join(out, " ")
}

func TestTheSidebarSortsAndRemembersHow(t *testing.T) {
	r := stubRoom(t, &stub{})
	now := time.Now()
	r.a.list = []link.Connection{
		{ID: "1", Type: "stub", Name: "beta", State: link.OK, Checked: now},
		{ID: "2", Type: "stub", Name: "Alpha", State: link.OK, Checked: now.Add(-time.Hour)},
		{ID: "3", Type: "stub", Name: "gamma", State: link.Failed},
	}
	r.a.side.refresh()
	for i, want := range []string{"Alpha beta gamma", "gamma Alpha beta", "Alpha beta gamma", "beta Alpha gamma"} {
		r.a.side.sortMenu().Items[i].Action()
		if got := names(r.a.side.shown); got != want {
			t.Errorf("%s: %s, want %s", sortOrders()[i], got, want)
		}
		if again := newSidebar(r.a); !again.sortMenu().Items[i].Checked {
			t.Errorf("%s is not remembered", sortOrders()[i])
		}
	}
}

// The services end with the program; their connections are kept.
func TestPracticeConnectionsWorkAfterARestart(t *testing.T) {
	r := newRoom(t, roomOptions{practice: true})
	before, err := practice.Start(t.Context(), practice.Options{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := r.book.Practice(t.Context(), drafts(before), true)
	if err != nil || len(list) != 6 {
		t.Fatalf("%d connections, %v", len(list), err)
	}
	for _, c := range list {
		if c.Type == "sftp" || c.Type == "sqlite" {
			if res := r.book.Link(t.Context(), c.ID, link.Watcher{}); res.State != link.OK {
				t.Fatalf("%s: %+v", c.Name, res.Problem)
			} else {
				res.Close()
			}
		}
	}
	if _, err := r.book.Rename(t.Context(), list[0].ID, "My own name"); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if c.Type != "sftp" && c.Type != "sqlite" {
			continue
		}
		r.a.reload(func() { r.a.selectConnection(c.ID) })
		r.until("the link of "+c.Name, func() bool {
			return r.linked() && r.a.form.id == c.ID && r.a.preview.nodes[""] != nil && r.a.preview.nodes[""].state == "done"
		})
		if r.a.form.c.State != link.OK {
			t.Errorf("%s: %+v", c.Name, r.a.form.c.Problem)
		}
	}
	if len(r.a.list) != 6 {
		t.Errorf("%d connections of 6", len(r.a.list))
	}
}

func TestSecurity80_ACopiedSecretLeavesTheClipboard(t *testing.T) {
	r := stubRoom(t, &stub{})
	r.fill("stub", map[string]string{"password": "practice-only"})
	e, clip := r.a.form.field("password").entry, test.NewClipboard()
	copySecret := func() {
		e.Password = false // revealed
		e.TypedShortcut(&fyne.ShortcutSelectAll{})
		e.TypedShortcut(&fyne.ShortcutCopy{Clipboard: clip})
		if clip.Content() != "practice-only" {
			t.Fatalf("not copied: %q", clip.Content())
		}
	}
	copySecret()
	r.a.copied(clip, 20*time.Millisecond)
	r.until("the clipboard to be cleared", func() bool { return clip.Content() == "" })
	copySecret()
	r.a.copied(clip, 20*time.Millisecond)
	clip.SetContent("something else")
	r.settle()
	if clip.Content() != "something else" {
		t.Error("what was copied since is gone")
	}
	copySecret()
	if r.a.secret == nil || r.a.secret.text != "practice-only" {
		t.Error("copying with the keyboard starts no clock")
	}
	r.a.forgetSecret()
	if clip.Content() != "" {
		t.Error("the secret outlives the program on the clipboard")
	}
}

func TestBelow800TheSidebarFoldsIntoAMenu(t *testing.T) {
	r := stubRoom(t, &stub{})
	r.fill("stub", map[string]string{"host": "example.com"})
	r.a.form.save(nil)
	r.until("the saving", func() bool { return len(r.a.list) == 1 })
	side := r.a.side.root
	if !side.Visible() || side.Size().Width != 268 {
		t.Fatalf("wide: the sidebar is %v", side.Size())
	}
	r.a.win.Resize(fyne.NewSize(760, 600))
	if side.Visible() || !r.a.shell.rail.Visible() {
		t.Fatal("narrow: the sidebar still takes its room")
	}
	r.a.keys.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierShortcutDefault})
	if !side.Visible() || r.a.win.Canvas().Focused() != r.a.side.search {
		t.Fatal("the search key does not open the menu")
	}
	r.a.selectConnection(r.a.list[0].ID)
	if side.Visible() {
		t.Error("choosing a connection leaves the menu over it")
	}
	r.a.win.Resize(fyne.NewSize(1440, 900))
	if !side.Visible() || r.a.shell.rail.Visible() {
		t.Error("wide again: the sidebar does not come back")
	}
}

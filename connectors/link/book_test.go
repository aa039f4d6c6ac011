package link_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// fake is a type whose behaviour each test sets; it speaks no protocol.
type fake struct {
	open     func(ctx context.Context, env *connectors.Env, c answers) error
	check    func(ctx context.Context) ([]connectors.Fact, error)
	children func(yield func(connectors.Node, error) bool)
	revoke   func(ctx context.Context) error
	closed   atomic.Int32
}

type answers struct {
	Host string            `field:"host"`
	Pass connectors.Secret `field:"password"`
	Tok  connectors.Secret `field:"token,issued"`
}

func (f *fake) typ() connectors.Type {
	t := connectors.Define(connectors.Type{ID: "fake", Name: "Fake", Summary: "For tests.", Group: connectors.GroupFiles, Where: []string{"host"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "host", Label: "Host", Kind: connectors.Text, Required: true},
			{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true},
		}}}, func(ctx context.Context, env *connectors.Env, c answers) (connectors.Session, error) {
		if f.open != nil {
			if err := f.open(ctx, env, c); err != nil {
				return nil, err
			}
		}
		return session{f}, nil
	})
	return connectors.Revokes(t, func(ctx context.Context, _ *connectors.Env, c answers) error {
		if f.revoke == nil || c.Tok.Reveal() != "issued" {
			return nil
		}
		return f.revoke(ctx)
	})
}

type session struct{ f *fake }

func (s session) Close() error { s.f.closed.Add(1); return nil }
func (s session) Check(ctx context.Context) ([]connectors.Fact, error) {
	if s.f.check != nil {
		return s.f.check(ctx)
	}
	return []connectors.Fact{{Label: "Account", Text: "reader"}}, nil
}
func (s session) Children(context.Context, connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if s.f.children != nil {
			s.f.children(yield)
		}
	}
}

func draft(name, host, password string) link.Draft {
	s := connectors.NewSettings()
	s.Plain["host"] = host
	if password != "" {
		s.Secrets["password"] = connectors.NewSecret(password)
	}
	return link.Draft{Type: "fake", Name: name, Settings: s}
}

func open(f *fake, store *memoryStore) *link.Book {
	return link.NewBook(link.List{f.typ()}, store, link.Outside{Patience: time.Second})
}

func TestPreparedWithoutNetworkAndKeychain(t *testing.T) {
	store := newStore()
	store.fail = errors.New("the keychain is locked")
	b := open(&fake{}, store)
	c, err := b.Create(t.Context(), draft("Files", "  h.example ", ""))
	if err != nil {
		t.Fatal(err)
	}
	if c.State != link.Prepared || c.Plain["host"] != "h.example" {
		t.Errorf("%+v", c)
	}
	ty, _ := b.Type("fake")
	if got := c.Missing(ty); len(got) != 1 || got[0] != "password" {
		t.Errorf("missing %v", got)
	}
	if store.opened != 0 {
		t.Error("saving plain answers opened the secrets")
	}
}

func TestNames(t *testing.T) {
	b := open(&fake{}, newStore())
	a, err := b.Create(t.Context(), draft("Files", "h", "p"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"taken", func() error { _, err := b.Create(t.Context(), draft("files", "h", "p")); return err }},
		{"empty", func() error { _, err := b.Rename(t.Context(), a.ID, "  "); return err }},
		{"unknown type", func() error { _, err := b.Create(t.Context(), link.Draft{Type: "nope", Name: "x"}); return err }},
		{"unknown name", func() error { _, err := b.ByName(t.Context(), "nowhere"); return err }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.do(); connectors.CodeOf(err) != connectors.BadInput {
				t.Errorf("%v, want bad input", err)
			}
		})
	}
	if got := b.FreeName(t.Context(), "Files"); got != "Files 2" {
		t.Errorf("free name %q", got)
	}
	if got, err := b.ByName(t.Context(), "FILES"); err != nil || got.ID != a.ID {
		t.Errorf("by name: %v %v", got, err)
	}
}

func TestSecretsStayUnlessTouched(t *testing.T) {
	b := open(&fake{}, newStore())
	c, err := b.Create(t.Context(), draft("Files", "h", "first"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Save(t.Context(), c.ID, draft("Files", "h2", "")); err != nil {
		t.Fatal(err)
	}
	s, err := b.Settings(t.Context(), c.ID)
	if err != nil || s.Secrets["password"].Reveal() != "first" || s.Plain["host"] != "h2" {
		t.Errorf("%v %v", s.Plain, err)
	}
	d := draft("Files", "h2", "")
	d.Settings.Secrets["password"] = connectors.Secret{}
	saved, err := b.Save(t.Context(), c.ID, d)
	if err != nil || len(saved.SecretKeys) != 0 {
		t.Errorf("a forgotten secret is still listed: %v %v", saved.SecretKeys, err)
	}
}

func TestLinkStoresTheOutcome(t *testing.T) {
	f := &fake{children: func(yield func(connectors.Node, error) bool) {
		for range 500 {
			if !yield(connectors.Node{ID: "n", Name: "n", Kind: "file"}, nil) {
				return
			}
		}
	}}
	b := open(f, newStore())
	c, err := b.Create(t.Context(), draft("Files", "h", "p"))
	if err != nil {
		t.Fatal(err)
	}
	r := b.Link(t.Context(), c.ID, link.Watcher{})
	if r.State != link.OK || r.Session == nil || len(r.First) != 100 {
		t.Fatalf("%+v", r)
	}
	r.Close()
	if f.closed.Load() != 1 {
		t.Errorf("closed %d times", f.closed.Load())
	}
	got, err := b.Get(t.Context(), c.ID)
	if err != nil || got.State != link.OK || got.Account != "reader" || got.Checked.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if got, err = b.Save(t.Context(), c.ID, draft("Files", "elsewhere", "")); err != nil || got.State != link.Prepared {
		t.Errorf("changed answers are still called linked: %v %v", got.State, err)
	}
}

func TestFailureKeepsTheRungAndField(t *testing.T) {
	f := &fake{open: func(ctx context.Context, env *connectors.Env, _ answers) error {
		return env.Climb(ctx, connectors.StageSignIn, "", func(context.Context) (string, error) {
			return "", &connectors.Error{Code: connectors.AuthFailed, Field: "password"}
		})
	}}
	b := open(f, newStore())
	c, err := b.Create(t.Context(), draft("Files", "h", "p"))
	if err != nil {
		t.Fatal(err)
	}
	r := b.Link(t.Context(), c.ID, link.Watcher{})
	last := r.Steps[len(r.Steps)-1]
	if r.State != link.Failed || r.Problem.Field != "password" || last.Stage != connectors.StageSignIn || last.Err == nil {
		t.Errorf("%+v", r)
	}
	if got, _ := b.Get(t.Context(), c.ID); got.State != link.Failed || got.Problem == nil || got.Plain["host"] != "h" {
		t.Errorf("%+v", got)
	}
}

func TestARefusedListingIsPartial(t *testing.T) {
	f := &fake{children: func(yield func(connectors.Node, error) bool) {
		yield(connectors.Node{}, &connectors.Error{Code: connectors.Denied})
	}}
	b := open(f, newStore())
	c, _ := b.Create(t.Context(), draft("Files", "h", "p"))
	r := b.Link(t.Context(), c.ID, link.Watcher{})
	defer r.Close()
	if r.State != link.Partial || r.Session == nil || r.Problem == nil {
		t.Errorf("%+v", r)
	}
}

func TestCancelChangesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{open: func(ctx context.Context, env *connectors.Env, _ answers) error {
		return env.Climb(ctx, connectors.StageConnect, "", func(ctx context.Context) (string, error) {
			cancel()
			<-ctx.Done()
			return "", ctx.Err()
		})
	}}
	b := open(f, newStore())
	c, _ := b.Create(t.Context(), draft("Files", "h", "p"))
	r := b.Link(ctx, c.ID, link.Watcher{})
	if connectors.CodeOf(r.Err) != connectors.Cancelled {
		t.Errorf("%v", r.Err)
	}
	if got, _ := b.Get(t.Context(), c.ID); got.State != link.Prepared {
		t.Errorf("a cancelled link left the state %s", got.State)
	}
}

// Waiting for a person costs no patience; a silent server does.
func TestPatience(t *testing.T) {
	asked := func(ctx context.Context, env *connectors.Env, _ answers) error {
		_, err := env.Inputs(ctx, connectors.Prompt{Title: "code"})
		return err
	}
	silent := func(ctx context.Context, env *connectors.Env, _ answers) error {
		return env.Climb(ctx, connectors.StageConnect, "", func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
	}
	person := connectors.Asker{Input: func(ctx context.Context, _ connectors.Prompt) (connectors.Secret, error) {
		time.Sleep(300 * time.Millisecond)
		return connectors.NewSecret("1234"), ctx.Err()
	}}
	for _, c := range []struct {
		name string
		open func(context.Context, *connectors.Env, answers) error
		code connectors.Code
	}{{"a slow person", asked, ""}, {"a silent server", silent, connectors.TimedOut}} {
		t.Run(c.name, func(t *testing.T) {
			f := &fake{open: c.open}
			b := link.NewBook(link.List{f.typ()}, newStore(), link.Outside{Patience: 100 * time.Millisecond})
			r := b.Try(t.Context(), "fake", draft("x", "h", "p").Settings, link.Watcher{Ask: person})
			r.Close()
			if got := connectors.CodeOf(r.Err); got != c.code {
				t.Errorf("code %q, want %q: %v", got, c.code, r.Err)
			}
		})
	}
}

func TestSecurity21_OneRefreshForAllHolders(t *testing.T) {
	store := newStore()
	var grants, valid atomic.Int32
	f := &fake{open: func(ctx context.Context, env *connectors.Env, c answers) error {
		mine := c.Tok.Reveal()
		_, err := env.Renew(ctx, "token", func(_ context.Context, current connectors.Secret) (connectors.Secret, error) {
			if current.Reveal() != mine {
				valid.Add(1)
				return current, nil // somebody else has refreshed it already
			}
			grants.Add(1)
			return connectors.NewSecret(mine + "+"), nil
		})
		return err
	}}
	b := open(f, store)
	c, err := b.Create(t.Context(), draft("x", "h", "p"))
	if err != nil {
		t.Fatal(err)
	}
	// All read the old token before any refreshes it.
	old, err := b.Settings(t.Context(), c.ID)
	if err != nil || !old.Secrets["token"].Empty() {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { b.Link(t.Context(), c.ID, link.Watcher{}).Close() })
	}
	all.Wait()
	s, err := b.Settings(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Secrets["token"].Reveal(); len(got) != int(grants.Load()) || strings.Trim(got, "+") != "" {
		t.Errorf("%d grants and the token %q: one was lost", grants.Load(), got)
	}
}

func TestSecurity20_ATokenIsDurableBeforeItIsUsed(t *testing.T) {
	store := newStore()
	var used atomic.Bool
	f := &fake{open: func(ctx context.Context, env *connectors.Env, _ answers) error {
		_, err := env.Renew(ctx, "token", func(context.Context, connectors.Secret) (connectors.Secret, error) {
			store.fail = errors.New("no space left")
			return connectors.NewSecret("new"), nil
		})
		if err != nil {
			return err
		}
		used.Store(true)
		return nil
	}}
	b := open(f, store)
	c, _ := b.Create(t.Context(), draft("x", "h", "p"))
	r := b.Link(t.Context(), c.ID, link.Watcher{})
	if r.State != link.Failed || used.Load() || connectors.CodeOf(r.Err) != connectors.Storage {
		t.Errorf("used %v, %v", used.Load(), r.Err)
	}
}

func TestCopyLeavesIssuedSecretsBehind(t *testing.T) {
	store := newStore()
	f := &fake{open: func(ctx context.Context, env *connectors.Env, _ answers) error {
		return env.Keep(ctx, "token", connectors.NewSecret("rotating"))
	}}
	b := open(f, store)
	c, _ := b.Create(t.Context(), draft("x", "h", "p"))
	b.Link(t.Context(), c.ID, link.Watcher{}).Close()
	made, err := b.Copy(t.Context(), c.ID, "y")
	if err != nil {
		t.Fatal(err)
	}
	s, err := b.Settings(t.Context(), made.ID)
	if err != nil || !s.Secrets["token"].Empty() || s.Secrets["password"].Reveal() != "p" {
		t.Errorf("%v", err)
	}
	if err := b.Delete(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), c.ID); connectors.CodeOf(err) != connectors.Storage {
		t.Errorf("a deleted connection answers %v", err)
	}
}

func TestAForgottenProfileHidesNoOther(t *testing.T) {
	store := newStore()
	b := open(&fake{}, store)
	if _, err := b.Create(t.Context(), draft("good", "h", "p")); err != nil {
		t.Fatal(err)
	}
	store.profiles["broken"] = []byte("{")
	all, err := b.List(t.Context())
	if len(all) != 1 || connectors.CodeOf(err) != connectors.Storage {
		t.Errorf("%v %v", all, err)
	}
}

// Opening climbs the first part of the rung "rights" and the check the rest: a
// person sees one rung.
func TestTheRungOfRightsIsOne(t *testing.T) {
	f := &fake{open: func(ctx context.Context, env *connectors.Env, _ answers) error {
		return env.Climb(ctx, connectors.StageRights, "looking", func(context.Context) (string, error) { return "/home", nil })
	}, check: func(context.Context) ([]connectors.Fact, error) { return nil, nil }}
	b := open(f, newStore())
	c, err := b.Create(t.Context(), draft("Files", "h", "p"))
	if err != nil {
		t.Fatal(err)
	}
	var told []connectors.Step
	r := b.Link(t.Context(), c.ID, link.Watcher{Step: func(s connectors.Step) { told = append(told, s) }})
	r.Close()
	begun, ended := 0, 0
	for _, s := range told {
		switch {
		case s.Stage != connectors.StageRights:
		case !s.Done:
			begun++
		default:
			ended++
			if s.Text != "/home" {
				t.Errorf("it says %q", s.Text)
			}
		}
	}
	if begun != 1 || ended != 1 || len(r.Steps) != 3 {
		t.Errorf("begun %d, ended %d: %+v", begun, ended, r.Steps)
	}
}

func TestPracticeIsPointedToWhereItRuns(t *testing.T) {
	store := newStore()
	b := open(&fake{}, store)
	d := draft("Practice", "127.0.0.1:1", "practice-only")
	d.Settings.Secrets["token"] = connectors.NewSecret("first")
	list := []link.PracticeDraft{{Draft: d, Place: []string{"host", "token"}}}
	made, err := b.Practice(t.Context(), list, true)
	if err != nil || len(made) != 1 || !made[0].Practice {
		t.Fatalf("%+v %v", made, err)
	}
	copied, err := b.Copy(t.Context(), made[0].ID, "Renamed")
	if err != nil || !copied.Practice {
		t.Fatalf("%+v %v", copied, err)
	}
	own, err := b.Create(t.Context(), draft("My own", "files.example.com", "own"))
	if err != nil {
		t.Fatal(err)
	}
	if r := b.Link(t.Context(), made[0].ID, link.Watcher{}); r.State != link.OK {
		t.Fatalf("%+v", r.Problem)
	}
	changed := draft("Practice", "127.0.0.1:2", "another")
	changed.Settings.Secrets["token"] = connectors.NewSecret("second")
	list[0].Draft = changed
	if again, err := b.Practice(t.Context(), list, true); err != nil || len(again) != 1 {
		t.Fatalf("%+v %v", again, err)
	}
	for _, c := range []link.Connection{made[0], copied} {
		s, err := b.Settings(t.Context(), c.ID)
		if err != nil || s.Plain["host"] != "127.0.0.1:2" || s.Secrets["token"].Reveal() != "second" || s.Secrets["password"].Reveal() != "practice-only" {
			t.Errorf("%s: %v %v", c.Name, s.Plain, err)
		}
	}
	if c, _ := b.Get(t.Context(), made[0].ID); c.State != link.OK {
		t.Error("moving forgot that it was linked")
	}
	if s, _ := b.Settings(t.Context(), own.ID); s.Plain["host"] != "files.example.com" {
		t.Error("a person's own connection was moved")
	}
	if err := b.Delete(t.Context(), made[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), copied.ID); err != nil {
		t.Fatal(err)
	}
	if none, err := b.Practice(t.Context(), list, false); err != nil || len(none) != 0 {
		t.Errorf("a deleted one came back: %v %v", none, err)
	}
}

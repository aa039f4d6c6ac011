package link_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// vault is an account of its own: a password that others use.
func vaultType() connectors.Type {
	return connectors.Define(connectors.Type{ID: "account", Name: "Account", Summary: "For tests.", Group: connectors.GroupServices, Offline: true,
		Form: connectors.Form{Fields: []connectors.Field{{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true}}},
	}, func(context.Context, *connectors.Env, struct {
		Password connectors.Secret `field:"password"`
	}) (connectors.Session, error) {
		return session{&fake{}}, nil
	})
}

// hop is a jump host that dials directly.
type hop struct {
	opened, closed atomic.Int32
	fail           error
}

func (h *hop) Close() error { h.closed.Add(1); return nil }
func (h *hop) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func (h *hop) typ() connectors.Type {
	t := connectors.Type{ID: "hop", Name: "Hop", Summary: "For tests.", Group: connectors.GroupFiles,
		Form: connectors.Form{Fields: []connectors.Field{{Key: "host", Label: "Host", Kind: connectors.Text}}}}
	t = connectors.Define(t, func(context.Context, *connectors.Env, struct {
		Host string `field:"host"`
	}) (connectors.Session, error) {
		return session{&fake{}}, nil
	})
	t.Tunnel = func(ctx context.Context, env *connectors.Env, s connectors.Settings) (connectors.Tunnel, error) {
		if h.fail != nil {
			return nil, h.fail
		}
		if host := s.Plain["host"]; host != "" { // the hop itself is reached by its own way
			c, err := env.Dial(ctx, "tcp", host)
			if err != nil {
				return nil, err
			}
			_ = c.Close()
		}
		h.opened.Add(1)
		return h, nil
	}
	return t
}

func lendingBook(f *fake, h *hop) *link.Book {
	return link.NewBook(link.List{f.typ(), vaultType(), h.typ()}, newStore(), link.Outside{Patience: 3 * time.Second})
}

func create(t *testing.T, b *link.Book, typ, name string, plain map[string]string, password string) link.Connection {
	t.Helper()
	s := connectors.NewSettings()
	s.Plain = plain
	if password != "" {
		s.Secrets["password"] = connectors.NewSecret(password)
	}
	c, err := b.Create(t.Context(), link.Draft{Type: typ, Name: name, Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatEveryFormAsksIsSound(t *testing.T) {
	for _, ty := range []connectors.Type{link.Extended((&fake{}).typ()), link.Extended(vaultType()), link.Extended((&hop{}).typ())} {
		if err := ty.Form.Check(); err != nil {
			t.Error(ty.ID, err)
		}
		_, way := ty.Form.Field("place")
		_, lends := ty.Form.Field("identity")
		if way == ty.Offline || lends != (ty.ID == "fake") {
			t.Errorf("%s: way %t, identity %t", ty.ID, way, lends)
		}
	}
}

func TestASignInByReference(t *testing.T) {
	var used []string
	f := &fake{open: func(_ context.Context, _ *connectors.Env, c answers) error {
		used = append(used, c.Pass.Reveal())
		return nil
	}}
	b := lendingBook(f, &hop{})
	account := create(t, b, "account", "Directory", map[string]string{}, "practice-only-first")
	c := create(t, b, "fake", "Files", map[string]string{"host": "h", "identity": "directory"}, "")
	if c.Plain["identity"] != account.ID {
		t.Errorf("the name was not resolved: %q", c.Plain["identity"])
	}
	ty, err := b.Type("fake")
	if err != nil {
		t.Fatal(err)
	}
	if got := ty.Form.Missing(link.Lend(ty, connectors.Settings{Plain: c.Plain}, account)); len(got) != 0 {
		t.Errorf("missing %v", got)
	}
	if r := b.Check(t.Context(), c.ID, link.Watcher{}); r.Err != nil {
		t.Fatal(r.Err)
	}
	s := connectors.NewSettings()
	s.Secrets["password"] = connectors.NewSecret("practice-only-second")
	if _, err := b.Save(t.Context(), account.ID, link.Draft{Type: "account", Name: "Directory", Settings: s}); err != nil {
		t.Fatal(err)
	}
	if r := b.Check(t.Context(), c.ID, link.Watcher{}); r.Err != nil {
		t.Fatal(r.Err)
	}
	own := create(t, b, "fake", "Own", map[string]string{"host": "h", "identity": account.ID}, "practice-only-own")
	if r := b.Check(t.Context(), own.ID, link.Watcher{}); r.Err != nil {
		t.Fatal(r.Err)
	}
	if !slices.Equal(used, []string{"practice-only-first", "practice-only-second", "practice-only-own"}) {
		t.Errorf("signed in with %q", used)
	}
	if err := b.Delete(t.Context(), account.ID); err != nil {
		t.Fatal(err)
	}
	r := b.Check(t.Context(), c.ID, link.Watcher{})
	if e := connectors.Classify(r.Err); e == nil || e.Code != connectors.BadInput || e.Field != "identity" {
		t.Errorf("with the account gone: %+v", e)
	}
}

func TestARefusedAccountIsNotTriedEverywhere(t *testing.T) {
	var tries []string
	f := &fake{open: func(_ context.Context, _ *connectors.Env, c answers) error {
		tries = append(tries, c.Host)
		if c.Host == "down" {
			return &connectors.Error{Code: connectors.Unreachable}
		}
		if c.Host == "refuses" {
			return &connectors.Error{Code: connectors.AuthFailed, Field: "password"}
		}
		return nil
	}}
	b := lendingBook(f, &hop{})
	account := create(t, b, "account", "Directory", nil, "practice-only-first")
	for i, host := range []string{"good", "down", "refuses", "never", "either"} {
		create(t, b, "fake", string(rune('A'+i)), map[string]string{"host": host, "identity": account.ID}, "")
	}
	left, err := b.CheckDependents(t.Context(), account.ID, link.Watcher{}, func(link.Connection, *link.Result) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tries, []string{"good", "down", "refuses"}) {
		t.Errorf("tried %q", tries)
	}
	if len(left) != 2 || left[0].Name != "D" {
		t.Errorf("left: %+v", left)
	}
}

func TestThroughAJumpHost(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	target := l.Addr().String()
	f := &fake{open: func(ctx context.Context, env *connectors.Env, c answers) error {
		for range 3 {
			conn, err := env.Dial(ctx, "tcp", c.Host)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
		}
		return nil
	}}
	h := &hop{}
	b := lendingBook(f, h)
	gate := create(t, b, "hop", "Gate", map[string]string{}, "")
	inner := create(t, b, "hop", "Inner", map[string]string{"host": target, "place": "on_premise", "via": "ssh", "via_account": gate.ID}, "")
	c := create(t, b, "fake", "Files", map[string]string{"host": target, "place": "on_premise", "via": "ssh", "via_account": "Inner"}, "practice-only-first")
	r := b.Check(t.Context(), c.ID, link.Watcher{})
	if r.Err != nil {
		t.Fatalf("%v %+v", r.Err, r.Steps)
	}
	if h.opened.Load() != 2 {
		t.Errorf("%d sign-ins at the chain of two jump hosts", h.opened.Load())
	}
	var rungs []string
	for _, s := range r.Steps {
		rungs = append(rungs, string(s.Stage)+": "+s.Text)
	}
	want := []string{"form: ", "reach: jump host Inner", "connect: " + target + " through Inner"}
	if len(rungs) < 3 || !slices.Equal(rungs[:3], want) {
		t.Errorf("rungs %q", rungs)
	}
	if signIn, through := link.UsedBy([]link.Connection{c, inner}, gate.ID); len(signIn) != 0 || len(through) != 1 || through[0].ID != inner.ID {
		t.Errorf("used by %+v %+v", signIn, through)
	}

	h.fail = &connectors.Error{Code: connectors.AuthFailed, Reason: "ssh.auth", Field: "password"}
	r = b.Check(t.Context(), c.ID, link.Watcher{})
	e := connectors.Classify(r.Err)
	if e == nil || e.Code != connectors.AuthFailed || e.Field != "via_account" || e.Op != connectors.StageReach || !strings.Contains(r.Problem.Title, "Jump host “Inner”") {
		t.Errorf("refused by the jump host: %+v %+v", e, r.Problem)
	}
	h.fail = nil
	circle := link.Draft{Type: "hop", Name: "Gate", Settings: connectors.Settings{Plain: map[string]string{"host": target, "place": "on_premise", "via": "ssh", "via_account": inner.ID}}}
	if _, err := b.Save(t.Context(), gate.ID, circle); err != nil {
		t.Fatal(err)
	}
	if r = b.Check(t.Context(), c.ID, link.Watcher{}); r.Problem == nil || !strings.Contains(r.Problem.Title, "circle") {
		t.Errorf("in a circle: %+v", r.Problem)
	}
	if err := b.Delete(t.Context(), inner.ID); err != nil {
		t.Fatal(err)
	}
	if r = b.Check(t.Context(), c.ID, link.Watcher{}); connectors.CodeOf(r.Err) != connectors.BadInput || r.Problem.Field != "via_account" {
		t.Errorf("without the jump host: %v %+v", r.Err, r.Problem)
	}
	_, err = b.Create(t.Context(), link.Draft{Type: "fake", Name: "Other", Settings: connectors.Settings{Plain: map[string]string{"via_account": "nobody"}}})
	var bad *connectors.Error
	if !errors.As(err, &bad) || bad.Field != "via_account" {
		t.Errorf("a jump host that is not there: %v", err)
	}
}

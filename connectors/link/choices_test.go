package link_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A listing is a type whose sessions list buckets and folders, and tell what
// they were opened with.
type listing struct {
	opened [][3]string // bucket, folder, password
	kept   bool
	refuse func(bucket string) error
	ask    func(ctx context.Context) error
	closed int
}

func (l *listing) typ() connectors.Type {
	type answers struct {
		Host   string            `field:"host"`
		Pass   connectors.Secret `field:"password"`
		Bucket string            `field:"bucket"`
		Folder string            `field:"folder"`
		Token  connectors.Secret `field:"token,issued"`
	}
	return connectors.Define(connectors.Type{ID: "list", Name: "List", Summary: "For tests.", Group: connectors.GroupFiles, Where: []string{"host"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "host", Label: "Host", Kind: connectors.Text, Required: true},
			{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true},
			{Key: "bucket", Label: "Bucket", Kind: connectors.Text, Listed: true},
			{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true},
		}}}, func(ctx context.Context, env *connectors.Env, a answers) (connectors.Session, error) {
		l.opened = append(l.opened, [3]string{a.Bucket, a.Folder, a.Pass.Reveal()})
		if l.kept {
			if err := env.Keep(ctx, "token", connectors.NewSecret("practice-only-issued")); err != nil {
				return nil, err
			}
		}
		if l.refuse != nil {
			if err := l.refuse(a.Bucket); err != nil {
				return nil, err
			}
		}
		return listed{l}, nil
	})
}

type listed struct{ l *listing }

func (s listed) Close() error                                     { s.l.closed++; return nil }
func (s listed) Check(context.Context) ([]connectors.Fact, error) { return nil, nil }
func (s listed) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if s.l.ask != nil {
		if err := s.l.ask(ctx); err != nil {
			return nil, err
		}
	}
	if field == "bucket" || field == "folder" {
		return connectors.ChoicesFrom([]string{field + "-one", field + "-two"}), nil
	}
	return nil, nil
}

func listBook(l *listing) (*link.Book, *memoryStore) {
	store := newStore()
	return link.NewBook(link.List{l.typ()}, store, link.Outside{Patience: time.Second}), store
}

func typed(pairs ...string) connectors.Settings {
	s := connectors.NewSettings()
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == "password" {
			s.Secrets["password"] = connectors.NewSecret(pairs[i+1])
		} else {
			s.Plain[pairs[i]] = pairs[i+1]
		}
	}
	return s
}

func valuesOf(list []connectors.Option) []string {
	var out []string
	for _, o := range list {
		out = append(out, o.Value)
	}
	return out
}

func TestChoicesOpenWithTheFieldAndWhatFollowsLeftEmpty(t *testing.T) {
	l := &listing{kept: true}
	b, store := listBook(l)
	got, err := b.Choices(t.Context(), "list", "", typed("host", " h ", "password", "p-practice", "bucket", "b", "folder", "f"), "bucket", link.Watcher{})
	if err != nil || !slices.Equal(valuesOf(got), []string{"bucket-one", "bucket-two"}) {
		t.Fatalf("%v, %v", got, err)
	}
	got, err = b.Choices(t.Context(), "list", "", typed("host", "h", "password", "p-practice", "bucket", "b", "folder", "f"), "folder", link.Watcher{})
	if err != nil || !slices.Equal(valuesOf(got), []string{"folder-one", "folder-two"}) {
		t.Fatalf("%v, %v", got, err)
	}
	if want := [][3]string{{"", "", "p-practice"}, {"b", "", "p-practice"}}; !slices.Equal(l.opened, want) {
		t.Errorf("opened with %q, want %q", l.opened, want)
	}
	if l.closed != 2 || len(store.profiles) > 0 || len(store.secrets) > 0 {
		t.Errorf("closed %d times; stored %v %v", l.closed, store.profiles, store.secrets)
	}
}

func TestChoicesTakeWhatIsSavedAndStoreNothing(t *testing.T) {
	l := &listing{kept: true}
	b, store := listBook(l)
	c, err := b.Create(t.Context(), link.Draft{Type: "list", Name: "Files", Settings: typed("host", "h", "password", "saved-practice", "bucket", "b")})
	if err != nil {
		t.Fatal(err)
	}
	before := string(store.profiles[c.ID])
	if _, err := b.Choices(t.Context(), "list", c.ID, connectors.NewSettings(), "folder", link.Watcher{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Choices(t.Context(), "list", c.ID, typed("password", "new-practice", "bucket", ""), "folder", link.Watcher{}); err != nil {
		t.Fatal(err)
	}
	if want := [][3]string{{"b", "", "saved-practice"}, {"", "", "new-practice"}}; !slices.Equal(l.opened, want) {
		t.Errorf("opened with %q, want %q", l.opened, want)
	}
	if string(store.profiles[c.ID]) != before || len(store.secrets[c.ID]) != 1 || store.secrets[c.ID]["password"] != "saved-practice" {
		t.Errorf("something was stored: %v", store.secrets[c.ID])
	}
}

func TestARefusedPasswordIsTriedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		err   *connectors.Error
		tries int
	}{
		"password":             {&connectors.Error{Code: connectors.AuthFailed, Field: "password"}, 1},
		"password at bucket":   {&connectors.Error{Code: connectors.AuthFailed, Field: "bucket"}, 1},
		"another thing denied": {&connectors.Error{Code: connectors.Denied, Field: "host"}, 1},
		"needs the bucket":     {&connectors.Error{Code: connectors.Denied, Field: "bucket", Op: connectors.StageRights}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			l := &listing{refuse: func(bucket string) error {
				if bucket == "" {
					return c.err
				}
				return nil
			}}
			b, _ := listBook(l)
			_, err := b.Choices(t.Context(), "list", "", typed("host", "h", "password", "p-practice", "bucket", "b"), "bucket", link.Watcher{})
			if len(l.opened) != c.tries || (err == nil) != (c.tries == 2) {
				t.Errorf("opened %d times: %v", len(l.opened), err)
			}
		})
	}
}

func TestChoicesFailInWords(t *testing.T) {
	l := &listing{}
	b, _ := listBook(l)
	all := typed("host", "h", "password", "p-practice")
	for name, c := range map[string]struct {
		do   func() error
		code connectors.Code
	}{
		"no such field": {func() error { _, err := b.Choices(t.Context(), "list", "", all, "nothing", link.Watcher{}); return err }, connectors.Unsupported},
		"not listed":    {func() error { _, err := b.Choices(t.Context(), "list", "", all, "host", link.Watcher{}); return err }, connectors.Unsupported},
		"no such type":  {func() error { _, err := b.Choices(t.Context(), "none", "", all, "bucket", link.Watcher{}); return err }, connectors.BadInput},
		"answers missing": {func() error {
			_, err := b.Choices(t.Context(), "list", "", typed("host", "h"), "bucket", link.Watcher{})
			return err
		}, connectors.BadInput},
		"may not list": {func() error {
			l.ask = func(context.Context) error { return &connectors.Error{Code: connectors.Denied} }
			_, err := b.Choices(t.Context(), "list", "", all, "bucket", link.Watcher{})
			return err
		}, connectors.Denied},
		"silent": {func() error {
			l.ask = func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
			_, err := b.Choices(t.Context(), "list", "", all, "bucket", link.Watcher{})
			return err
		}, connectors.TimedOut},
		"stopped": {func() error {
			ctx, stop := context.WithCancel(t.Context())
			l.ask = func(ctx context.Context) error { stop(); return errors.Join(ctx.Err(), context.Canceled) }
			_, err := b.Choices(ctx, "list", "", all, "bucket", link.Watcher{})
			return err
		}, connectors.Cancelled},
	} {
		l.ask = nil
		err := c.do()
		if p := connectors.Explain(err); connectors.CodeOf(err) != c.code || p.Title == "" || p.Hint == "" {
			t.Errorf("%s: %v (%+v), want %s", name, err, p, c.code)
		}
	}
	if l.closed != 3 {
		t.Errorf("closed %d times, want 3", l.closed)
	}
}

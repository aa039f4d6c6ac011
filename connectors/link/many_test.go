package link_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// ledger counts what a memoryStore is asked, and fails when it is told to.
type ledger struct {
	*memoryStore
	reads, writes int
	failAt        int // the write that fails
	failAfter     bool
	noDelete      bool
}

var errFull = errors.New("practice: the disk is full")

func (l *ledger) ReadProfile(ctx context.Context, id string) ([]byte, error) {
	l.reads++
	return l.memoryStore.ReadProfile(ctx, id)
}

func (l *ledger) wrote(err error) error {
	if l.writes++; l.writes == l.failAt {
		return errors.Join(err, errFull)
	}
	return err
}

func (l *ledger) Update(ctx context.Context, id string, change func([]byte, map[string]string) ([]byte, map[string]string, error)) error {
	if l.writes+1 == l.failAt && !l.failAfter {
		return l.wrote(nil)
	}
	return l.wrote(l.memoryStore.Update(ctx, id, change))
}

func (l *ledger) UpdateProfile(ctx context.Context, id string, change func([]byte) ([]byte, error)) error {
	if l.writes+1 == l.failAt && !l.failAfter {
		return l.wrote(nil)
	}
	return l.wrote(l.memoryStore.UpdateProfile(ctx, id, change))
}

func (l *ledger) Delete(ctx context.Context, id string) error {
	if l.noDelete {
		return errFull
	}
	return l.memoryStore.Delete(ctx, id)
}

// lender has a field for another account.
func lender(revoked *int) connectors.Type {
	return connectors.Type{ID: "fake", Name: "Fake", Where: []string{"host"}, Offline: true,
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "host", Label: "Host", Kind: connectors.Text, Required: true},
			{Key: "over", Label: "Over", Kind: connectors.Reference, Lends: connectors.LendsTunnel},
			{Key: "password", Label: "Password", Kind: connectors.SecretText},
		}},
		Revoke: func(context.Context, *connectors.Env, connectors.Settings) error { *revoked++; return nil }}
}

func over(name, other string) link.Draft {
	d := draft(name, "h.example.com", "practice-only")
	d.Settings.Plain["over"] = other
	d.Settings.Secrets["oauth_token"] = connectors.NewSecret("practice-only-issued")
	return d
}

func shelf(revoked *int) (*ledger, *link.Book) {
	l := &ledger{memoryStore: newStore()}
	return l, link.NewBook(link.List{lender(revoked)}, l, link.Outside{})
}

func TestManyAreMadeAtOnce(t *testing.T) {
	revoked := 0
	store, b := shelf(&revoked)
	own, err := b.Create(t.Context(), draft("Mine", "mine.example.com", ""))
	if err != nil {
		t.Fatal(err)
	}
	store.writes = 0
	made, err := b.CreateAll(t.Context(), []link.Draft{over("A", "B"), over("B", "c"), over("C", "D"), over(" D ", "C"), over("E", "Mine"), over("F", own.ID)})
	if err != nil || len(made) != 6 || store.writes != 6 {
		t.Fatalf("%+v %v, %d writes", made, err, store.writes)
	}
	id := map[string]string{"Mine": own.ID}
	for i, c := range made {
		id[c.Name] = c.ID
		if c.Name != string(rune('A'+i)) || c.State != link.Prepared || !slices.Contains(c.SecretKeys, "oauth_token") {
			t.Errorf("made %+v", c)
		}
	}
	for i, other := range []string{"B", "C", "D", "C", "Mine", "Mine"} {
		if got, err := b.Get(t.Context(), made[i].ID); err != nil || got.Plain["over"] != id[other] {
			t.Errorf("%s refers to %q, want %s: %v", got.Name, got.Plain["over"], other, err)
		}
	}
	if none, err := b.CreateAll(t.Context(), nil); err != nil || len(none) != 0 {
		t.Errorf("of nothing: %v %v", none, err)
	}
}

func TestManyWithANameThatIsTaken(t *testing.T) {
	for _, at := range []struct {
		drafts []link.Draft
		reason string
	}{
		{[]link.Draft{over("A", ""), over("mine ", "")}, "link.name_taken"},
		{[]link.Draft{over("A", ""), over("a", "")}, "link.name_taken"},
		{[]link.Draft{over("S", ""), over("ſ", "")}, "link.name_taken"}, // U+017F folds to s
		{[]link.Draft{over("A", ""), over(" ", "")}, "link.no_name"},
		{[]link.Draft{over("A", ""), over("B", "Nobody")}, "link.no_connection"},
		{[]link.Draft{over("A", ""), {Type: "nowhere", Name: "B"}}, "link.no_type"},
	} {
		revoked := 0
		store, b := shelf(&revoked)
		if _, err := b.Create(t.Context(), draft("Mine", "h", "")); err != nil {
			t.Fatal(err)
		}
		made, err := b.CreateAll(t.Context(), at.drafts)
		var e *connectors.Error
		if !errors.As(err, &e) || e.Reason != at.reason || len(made) != 0 || store.writes != 1 {
			t.Errorf("%s: %v, %d made, %d writes", at.reason, err, len(made), store.writes)
		}
	}
}

func TestNameKeyIsEqualFold(t *testing.T) {
	for _, at := range [][2]string{{"Ab", "aB"}, {"ſ", "S"}, {"K", "k"}, {"Σς", "σσ"}, {"ß", "ss"}, {"a b", "ab"}, {"Ä", "ä"}, {"İ", "i"}} {
		if got, want := link.NameKey(at[0]) == link.NameKey(at[1]), strings.EqualFold(at[0], at[1]); got != want {
			t.Errorf("%q and %q: %v, EqualFold %v", at[0], at[1], got, want)
		}
	}
}

func TestManyOrNone(t *testing.T) {
	drafts := []link.Draft{over("A", "B"), over("B", "C"), over("C", ""), draft("D", "h", "")}
	for n := 1; n <= len(drafts); n++ {
		for _, after := range []bool{false, true} {
			revoked := 0
			store, b := shelf(&revoked)
			store.failAt, store.failAfter = n, after
			made, err := b.CreateAll(t.Context(), drafts)
			if !errors.Is(err, errFull) || len(made) != 0 || len(store.profiles)+len(store.secrets) != 0 || revoked != 0 {
				t.Errorf("write %d (after %v): %v, %d stay, %d revoked", n, after, err, len(store.profiles), revoked)
			}
			store, b = shelf(&revoked)
			store.failAt, store.failAfter, store.noDelete = n, after, true
			if made, err = b.CreateAll(t.Context(), drafts); !errors.Is(err, errFull) || len(made) != len(store.profiles) {
				t.Errorf("write %d (after %v): %d of %d that stay are told: %v", n, after, len(made), len(store.profiles), err)
			}
		}
	}
	revoked := 0
	store, b := shelf(&revoked)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if made, err := b.CreateAll(ctx, drafts); connectors.CodeOf(err) != connectors.Cancelled || len(made)+len(store.profiles) != 0 {
		t.Errorf("cancelled: %v %v", made, err)
	}
}

// What is read must grow with the number of drafts, not with its square.
func TestAThousandAreReadOnce(t *testing.T) {
	revoked := 0
	store, b := shelf(&revoked)
	var drafts []link.Draft
	for i := range 1000 {
		drafts = append(drafts, over(fmt.Sprint("Server ", i), fmt.Sprint("server ", (i+1)%1000)))
	}
	for _, known := range []int{0, 1000} {
		store.reads = 0
		if _, err := b.CreateAll(t.Context(), drafts); err != nil {
			t.Fatal(err)
		}
		if store.reads != known {
			t.Errorf("%d profiles were read beside %d", store.reads, known)
		}
		for i := range drafts {
			drafts[i].Name += " again"
			drafts[i].Settings.Plain["over"] += " again"
		}
	}
}

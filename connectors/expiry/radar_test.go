package expiry_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/expiry"
	"jackfield/connectors/link"
	"jackfield/platform/keychain"
	"jackfield/platform/vault"
)

// TestAThousandConnections are read once, and then only those that changed.
func TestAThousandConnections(t *testing.T) {
	now := time.Now().UTC()
	b := &counting{Book: newBook(t, nil), fail: map[string]error{}}
	typ := typeOf(t, "jwt_token")
	var drafts []link.Draft
	for n := range 1000 {
		s := secretly(t, typ, "token", signed(t, now.Add(time.Duration(n+1)*time.Hour)))
		drafts = append(drafts, link.Draft{Type: typ.ID, Name: fmt.Sprint("Token ", n), Settings: s})
	}
	made, err := b.CreateAll(t.Context(), drafts)
	if err != nil {
		t.Fatal(err)
	}
	b.fail[made[7].ID] = &connectors.Error{Code: connectors.Storage, Said: "the keychain is locked"}
	r := &expiry.Radar{}
	sweep, err := r.All(t.Context(), b, now)
	if err != nil || len(sweep.Unread) != 1 || sweep.Unread[0].Connection != "Token 7" || sweep.Watched != 999 || len(sweep.Items) != 1000 || b.reads != 1000 {
		t.Fatalf("%d items, %d reads, %v %v", len(sweep.Items), b.reads, sweep.Unread, err)
	}
	for n := 1; n < len(sweep.Items); n++ {
		if sweep.Items[n].When.Before(sweep.Items[n-1].When) {
			t.Fatal("not in order")
		}
	}
	delete(b.fail, made[7].ID)
	if _, err := b.Delete1(t.Context(), made[3].ID); err != nil {
		t.Fatal(err)
	}
	resave(t, b.Book, made[5], "token", signed(t, now.AddDate(5, 0, 0)))
	b.reads = 0
	sweep, err = r.All(t.Context(), b, now.Add(48*time.Hour))
	if err != nil || b.reads != 2 || len(sweep.Items) != 999 || len(sweep.Unread) != 0 {
		t.Fatalf("%d items, %d reads, %v %v", len(sweep.Items), b.reads, sweep.Unread, err)
	}
	if got := len(expiry.Within(sweep.Items, 0, now.Add(48*time.Hour))); got != 46 { // 48 ended; one is gone, one was renewed
		t.Errorf("%d have ended", got)
	}
}

// Delete1 is Delete for a test that wants no more than the error.
func (c *counting) Delete1(ctx context.Context, id string) (struct{}, error) {
	return struct{}{}, c.Delete(ctx, id)
}

func TestALockedKeychainLeavesWhatTheProfileTells(t *testing.T) {
	b := &counting{Book: newBook(t, nil), fail: map[string]error{}}
	c := save(t, b.Book, "dynamics365", "CRM", "auth", "app", "client_id", "1", "client_secret", canary)
	if _, err := b.SetDate(t.Context(), c.ID, "client_secret", time.Now().AddDate(0, 0, 3)); err != nil {
		t.Fatal(err)
	}
	b.fail[c.ID] = errors.New("locked")
	sweep, err := expiry.All(t.Context(), b, time.Now())
	if err != nil || len(sweep.Unread) != 1 || len(sweep.Items) != 1 || sweep.Items[0].Kind != expiry.ClientSecret || sweep.Watched != 0 {
		t.Errorf("%+v %v", sweep, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := expiry.All(ctx, b, time.Now()); err == nil {
		t.Error("a context that ended is no error")
	}
}

func TestARadarIsUsedConcurrently(t *testing.T) {
	b := newBook(t, nil)
	for n := range 20 {
		save(t, b, "jwt_token", fmt.Sprint(n), "token", signed(t, time.Now().Add(time.Hour)))
	}
	r := &expiry.Radar{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				if sweep, err := r.All(t.Context(), b, time.Now()); err != nil || len(sweep.Items) != 20 || sweep.Items[0].Level != expiry.Day {
					t.Errorf("%+v %v", sweep, err)
				}
			}
		})
	}
	all.Wait()
}

// TestAPasswordOfPostgreSQL ends when the server says so.
func TestAPasswordOfPostgreSQL(t *testing.T) {
	d := server.Postgres(t)
	end := time.Now().UTC().AddDate(0, 0, 3).Truncate(time.Second)
	d.SQL(t, fmt.Sprintf("CREATE ROLE ending LOGIN PASSWORD '%s' VALID UNTIL '%s';", canary, end.Format(time.RFC3339)))
	b := newBook(t, nil)
	c := save(t, b, "postgres", "Orders", "host", "127.0.0.1", "port", fmt.Sprint(d.Port), "user", "ending", "password", canary, "database", "postgres", "tls", "off")
	if r := b.Check(t.Context(), c.ID, link.Watcher{}); r.State != link.OK {
		t.Fatalf("%+v", r.Problem)
	}
	sweep, err := expiry.All(t.Context(), b, time.Now())
	if err != nil || len(sweep.Items) != 1 {
		t.Fatalf("%+v %v", sweep, err)
	}
	i := sweep.Items[0]
	if i.Field != "password" || i.Kind != expiry.Password || i.Basis != expiry.Told || !i.When.Equal(end) || i.Level != expiry.Week || i.Since.IsZero() {
		t.Errorf("%+v", i)
	}
	// A new password is not the one that the server spoke of.
	c, _ = b.Get(t.Context(), c.ID)
	resave(t, b, c, "password", canary+"2")
	d.SQL(t, fmt.Sprintf("ALTER ROLE ending PASSWORD '%s2' VALID UNTIL 'infinity';", canary))
	sweep, _ = expiry.All(t.Context(), b, time.Now())
	if len(sweep.Items) != 1 || sweep.Items[0].Kind != expiry.KeyAge {
		t.Errorf("%+v", sweep.Items)
	}
	if r := b.Check(t.Context(), c.ID, link.Watcher{}); r.State != link.OK {
		t.Fatalf("%+v", r.Problem)
	}
	sweep, _ = expiry.All(t.Context(), b, time.Now())
	if len(sweep.Items) != 1 || sweep.Items[0].Kind != expiry.KeyAge {
		t.Errorf("it never ends: %+v", sweep.Items)
	}
}

// shelf keeps marks as a program does between two runs.
type shelf struct {
	marks expiry.Marks
	err   error
}

func (s *shelf) Marks(context.Context) (expiry.Marks, error) { return s.marks, s.err }
func (s *shelf) SetMarks(_ context.Context, m expiry.Marks) error {
	s.marks = m
	return nil
}

func TestEachThresholdIsToldOnce(t *testing.T) {
	end := time.Date(2028, 3, 31, 12, 0, 0, 0, time.UTC)
	items := []expiry.Item{
		{UID: "a", Kind: expiry.Certificate, When: end},
		{UID: "b", Kind: expiry.KeyAge, When: end},
	}
	kept := &shelf{}
	var told []string
	tell := func(at time.Time) {
		t.Helper()
		if err := expiry.Tell(t.Context(), kept, items, at, func(due []expiry.Item) error {
			for _, i := range due {
				told = append(told, fmt.Sprintf("%s %s", i.UID, i.Level))
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	for at := end.AddDate(0, -3, 0); at.Before(end.AddDate(0, 0, 5)); at = at.Add(6 * time.Hour) {
		tell(at)
	}
	if got := fmt.Sprint(told); got != "[a month a week a day a expired b expired]" {
		t.Error(got)
	}
	told = nil
	items[0].When = end.AddDate(0, 0, 20) // renewed, though not for long
	tell(end)
	items = items[1:]
	tell(end)
	if got := fmt.Sprint(told); got != "[a month]" || len(kept.marks) != 1 {
		t.Error(got, kept.marks)
	}
	failed := errors.New("nobody heard it")
	kept.marks = nil
	if err := expiry.Tell(t.Context(), kept, items, end, func([]expiry.Item) error { return failed }); !errors.Is(err, failed) || kept.marks != nil {
		t.Error("what nobody heard was told")
	}
}

func BenchmarkAThousandConnections(b *testing.B) {
	v, err := vault.Open(vault.Options{Dir: b.TempDir(), Keys: &keychain.Memory{}})
	if err != nil {
		b.Fatal(err)
	}
	book := link.NewBook(link.List{typeOf(b, "jwt_token")}, v, link.Outside{})
	for n := range 1000 {
		save(b, book, "jwt_token", fmt.Sprint(n), "token", signed(b, time.Now().Add(time.Hour)))
	}
	for b.Loop() {
		if _, err := expiry.All(b.Context(), book, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

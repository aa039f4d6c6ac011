package health_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
	"jackfield/platform/journal"
	"jackfield/platform/keychain"
	"jackfield/platform/vault"
)

// A room is a data folder with a book, a board and a clock of its own.
type room struct {
	t     testing.TB
	book  *link.Book
	board *health.Board
	dir   string
	mu    sync.Mutex
	ahead time.Duration
}

func newRoom(t testing.TB) *room {
	t.Helper()
	r := &room{t: t, dir: t.TempDir()}
	v, err := vault.Open(vault.Options{Dir: r.dir, Keys: &keychain.Memory{}})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(r.dir, "history"))
	if err != nil {
		t.Fatal(err)
	}
	r.book = link.NewBook(link.List(all.All()), v, link.Outside{Now: r.now})
	r.board = health.New(r.book, j, health.Options{Now: r.now})
	return r
}

func (r *room) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.ahead)
}

func (r *room) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead += d
}

func (r *room) save(typeID, name string, answers ...string) link.Connection {
	r.t.Helper()
	c, err := r.book.Create(r.t.Context(), draft(r.book, typeID, name, answers...))
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func draft(b *link.Book, typeID, name string, answers ...string) link.Draft {
	t, _ := b.Type(typeID)
	s := t.Form.Defaults()
	if s.Secrets == nil {
		s.Secrets = map[string]connectors.Secret{}
	}
	for i := 0; i < len(answers); i += 2 {
		if f, ok := t.Form.Field(answers[i]); ok && f.Kind.Secret() {
			s.Secrets[answers[i]] = connectors.NewSecret(answers[i+1])
		} else {
			s.Plain[answers[i]] = answers[i+1]
		}
	}
	return link.Draft{Type: typeID, Name: name, Settings: s}
}

// check is a round; it tells the outcomes by the connections' names.
func (r *room) check(round health.Round) map[string]health.Outcome {
	r.t.Helper()
	out := map[string]health.Outcome{}
	if err := r.board.CheckMany(r.t.Context(), round, link.Watcher{}, func(o health.Outcome) { out[o.Connection.Name] = o }); err != nil {
		r.t.Fatal(err)
	}
	return out
}

func (r *room) rows() map[string]health.Row {
	r.t.Helper()
	list, err := r.book.List(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	rows, err := r.board.Rows(r.t.Context(), list)
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[string]health.Row{}
	for _, row := range rows {
		out[row.Connection.Name] = row
	}
	return out
}

const (
	good  = "practice-only-reader"
	fresh = "practice-only-reader-2"
)

// database is a real PostgreSQL server that logs every sign-in it refuses.
type database struct{ *server.Database }

func newDatabase(t testing.TB) database {
	t.Helper()
	d := server.Postgres(t)
	d.SQL(t, "CREATE ROLE reader LOGIN PASSWORD '"+good+"'; CREATE DATABASE one; CREATE DATABASE two; CREATE DATABASE three;")
	return database{d}
}

// refusals is how many sign-ins the server's log says were refused.
func (d database) refusals() int {
	return strings.Count(d.Log(), "password authentication failed for user")
}

func (d database) answers(name string) []string {
	return []string{"host", "127.0.0.1", "port", strconv.Itoa(d.Port), "user", "reader", "password", good, "database", name, "tls", "off"}
}

func (r *room) refused(d database, want int) {
	r.t.Helper()
	if got := d.refusals(); got != want {
		r.t.Fatalf("%d sign-ins were refused, want %d: %s", got, want, d.Log())
	}
}

func TestSecurity27_ARefusedPasswordIsTriedOnceAndNeverAgainByItself(t *testing.T) {
	d, r := newDatabase(t), newRoom(t)
	for _, name := range []string{"one", "two", "three"} {
		c := r.save("postgres", name, d.answers(name)...)
		if res := r.book.Check(t.Context(), c.ID, link.Watcher{}); res.Err != nil {
			t.Fatalf("%s: %v", name, res.Err)
		}
	}
	r.later(time.Minute)
	if out := r.check(health.Round{}); len(out) != 3 || out["two"].Result == nil || out["two"].Result.State != link.OK {
		t.Fatalf("%+v", out)
	}
	d.SQL(t, "ALTER ROLE reader PASSWORD '"+fresh+"'")
	r.later(time.Minute)
	out := r.check(health.Round{})
	r.refused(d, 1) // of three connections with this user, one
	held := 0
	for name, o := range out {
		if o.Held != nil && o.Held.Why == health.WhyShared && o.Held.Code == connectors.AuthFailed {
			held++
		} else if connectors.CodeOf(o.Result.Err) != connectors.AuthFailed {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if held != 2 {
		t.Errorf("%d were held back", held)
	}
	for range 5 {
		r.later(24 * time.Hour)
		r.check(health.Round{})
	}
	r.refused(d, 1)
	// A new program knows it from what is stored.
	j, err := journal.Open(filepath.Join(r.dir, "history"))
	if err != nil {
		t.Fatal(err)
	}
	r.board = health.New(r.book, j, health.Options{Now: r.now})
	r.check(health.Round{})
	r.refused(d, 1)

	first := r.rows()["one"]
	if first.Held == nil || first.Held.Why != health.WhyRefused || !strings.Contains(first.HeldText(), "Not tried again by itself") {
		t.Errorf("%+v", first.Held)
	}
	// A person asks for it: that is tried, and only that.
	r.check(health.Round{IDs: []string{first.Connection.ID}, Asked: true})
	r.refused(d, 2)
	// Also a person who names all three is kept from locking the account.
	rows := r.rows()
	r.check(health.Round{IDs: []string{rows["one"].Connection.ID, rows["two"].Connection.ID, rows["three"].Connection.ID}, Asked: true})
	r.refused(d, 3)
	// A server that could not be reached in between changes nothing.
	// Put right, it is tried again, and the others with the same user still are not.
	change := draft(r.book, "postgres", "one", append(d.answers("one"), "password", fresh)...)
	r.later(time.Minute)
	if _, err := r.book.Save(t.Context(), first.Connection.ID, change); err != nil {
		t.Fatal(err)
	}
	r.later(time.Minute)
	out = r.check(health.Round{})
	if out["one"].Result == nil || out["one"].Result.State != link.OK {
		t.Errorf("%+v", out["one"])
	}
	if n := d.refusals(); n > 4 {
		t.Errorf("%d sign-ins were refused after one was put right", n)
	}
	after := d.refusals()
	r.later(time.Hour)
	r.check(health.Round{})
	r.refused(d, after)
}

func TestSecurity27_ConnectionsWithAnothersSignInCountTogether(t *testing.T) {
	d, r := newDatabase(t), newRoom(t)
	account := r.save("user_password", "Reader", "user", "reader", "password", good)
	for _, name := range []string{"one", "two", "three"} {
		a := d.answers(name)
		a[5], a[7] = "", "" // user and password come from the account
		c := r.save("postgres", name, append(a, "identity", account.ID)...)
		if res := r.book.Check(t.Context(), c.ID, link.Watcher{}); res.Err != nil {
			t.Fatalf("%s: %v", name, res.Err)
		}
	}
	d.SQL(t, "ALTER ROLE reader PASSWORD '"+fresh+"'")
	for range 4 {
		r.later(time.Hour)
		r.check(health.Round{})
	}
	r.refused(d, 1)
	r.later(time.Minute)
	if _, err := r.book.Save(t.Context(), account.ID, draft(r.book, "user_password", "Reader", "user", "reader", "password", fresh)); err != nil {
		t.Fatal(err)
	}
	r.later(time.Minute)
	for name, o := range r.check(health.Round{}) {
		if name != "Reader" && (o.Result == nil || o.Result.State != link.OK) {
			t.Errorf("%s was not tried once its account was put right: %+v", name, o)
		}
	}
	r.refused(d, 1)
}

func TestAServerThatGoesDownIsReportedOnce(t *testing.T) {
	port := server.FreePort(t)
	redis := server.Program(t, "redis-server", "redis-server")
	start := func() *server.Process {
		return server.Start(t, command(redis, "--port", strconv.Itoa(port), "--save", ""), fmt.Sprintf("127.0.0.1:%d", port))
	}
	d, r := newDatabase(t), newRoom(t)
	leaks := goleak.IgnoreCurrent()
	p := start()
	r.save("postgres", "Orders", d.answers("one")...)
	r.save("redis", "Cache", "host", "127.0.0.1", "port", strconv.Itoa(port), "auth", "none", "security", "none")
	r.save("postgres", "Never linked", d.answers("two")...)
	for _, name := range []string{"Orders", "Cache"} {
		c, err := r.book.ByName(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if res := r.book.Check(t.Context(), c.ID, link.Watcher{}); res.Err != nil {
			t.Fatalf("%s: %v", name, res.Err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	reports, rounds := make(chan health.Report, 100), make(chan struct{}, 1000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.board.Run(ctx, 40*time.Millisecond, func(rep health.Report) { reports <- rep }, func() {
			select {
			case rounds <- struct{}{}:
			default:
			}
		})
	}()
	wait := func(n int) {
		for range n {
			<-rounds
		}
	}
	wait(3)
	p.Stop()
	down := <-reports
	if len(down.Changes) != 1 || down.Changes[0].Connection.Name != "Cache" || down.Changes[0].From != link.OK || down.Changes[0].To != link.Failed || down.Changes[0].Problem.Code != connectors.Unreachable {
		t.Errorf("%+v", down)
	}
	for len(rounds) > 0 {
		<-rounds
	}
	wait(4)
	if len(reports) != 0 {
		t.Errorf("it was reported again: %+v", <-reports)
	}
	p = start()
	up := <-reports
	if len(up.Changes) != 1 || up.Changes[0].To != link.OK || up.Offline {
		t.Errorf("%+v", up)
	}
	stop()
	<-ended
	if c := r.rows()["Never linked"].Connection; c.State != link.Prepared {
		t.Errorf("what was never linked was tried: %v", c.State)
	}
	p.Stop()
	goleak.VerifyNone(t, leaks)
	for _, row := range r.rows() {
		if row.Connection.Name == "Cache" && row.Days[health.Days-1] != health.DayFailed {
			t.Errorf("today is %s", row.Days[health.Days-1])
		}
	}
}

func TestARoundIsCancelledInTheMiddle(t *testing.T) {
	d, r := newDatabase(t), newRoom(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	for i := range 12 {
		r.save("postgres", fmt.Sprintf("C%02d", i), d.answers("one")...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen []health.Outcome
	err := r.board.CheckMany(ctx, health.Round{Unlinked: true}, link.Watcher{}, func(o health.Outcome) {
		if o.Done != len(seen)+1 || o.Total != 12 {
			t.Errorf("%d of %d as the %dth", o.Done, o.Total, len(seen)+1)
		}
		if seen = append(seen, o); len(seen) == 3 {
			cancel()
		}
	})
	if err != nil || len(seen) < 3 || len(seen) > 4 {
		t.Errorf("%d outcomes, %v", len(seen), err)
	}
	n := 0
	for _, row := range r.rows() {
		list, err := r.board.History(t.Context(), row.Connection.ID)
		if err != nil {
			t.Fatal(err)
		}
		n += len(list)
	}
	if n != 3 {
		t.Errorf("%d results are remembered, want the 3 that ended", n)
	}
}

// watched counts how many checks of one sign-in run at once.
type watched struct {
	*link.Book
	mu            sync.Mutex
	now, most     map[string]int
	running, busy int
}

func (w *watched) Check(ctx context.Context, id string, watcher link.Watcher) *link.Result {
	c, err := w.Get(ctx, id)
	if err != nil {
		return &link.Result{State: link.Failed, Err: err}
	}
	user := c.Plain["user"]
	w.mu.Lock()
	w.now[user]++
	w.running++
	w.most[user], w.busy = max(w.most[user], w.now[user]), max(w.busy, w.running)
	w.mu.Unlock()
	r := w.Book.Check(ctx, id, watcher)
	w.mu.Lock()
	w.now[user]--
	w.running--
	w.mu.Unlock()
	return r
}

func TestSecurity27_NeverTwoAtOnceWithTheSameUserAtAServer(t *testing.T) {
	d, r := newDatabase(t), newRoom(t)
	roles := ""
	for user := range 6 {
		roles += fmt.Sprintf("CREATE ROLE reader%d LOGIN PASSWORD '%s'; ", user, good)
		for i := range 4 {
			a := d.answers("one")
			a[5] = fmt.Sprintf("reader%d", user)
			r.save("postgres", fmt.Sprintf("U%d C%d", user, i), a...)
		}
	}
	d.SQL(t, roles)
	w := &watched{Book: r.book, now: map[string]int{}, most: map[string]int{}}
	j, err := journal.Open(filepath.Join(r.dir, "history"))
	if err != nil {
		t.Fatal(err)
	}
	board := health.New(w, j, health.Options{Now: r.now})
	var two sync.WaitGroup
	for range 2 { // two rounds of one program, such as the schedule and a person
		two.Go(func() {
			if err := board.CheckMany(t.Context(), health.Round{Unlinked: true}, link.Watcher{}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	two.Wait()
	for user, most := range w.most {
		if most != 1 {
			t.Errorf("%s signed in %d times at once", user, most)
		}
	}
	if len(w.most) != 6 || w.busy < 2 || w.busy > 2*health.Jobs {
		t.Errorf("%d users, %d at once", len(w.most), w.busy)
	}
}

func TestTenThousandConnectionsAreOneListAndOneRound(t *testing.T) {
	r := newRoom(t)
	const n = 10_000
	list := make([]link.Connection, n)
	for i := range list {
		list[i] = link.Connection{ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), Type: "postgres", Name: fmt.Sprintf("C%05d", i), State: link.OK, Checked: r.now().Add(-time.Hour),
			Plain: map[string]string{"host": fmt.Sprintf("db%d.example.com", i%2500), "user": fmt.Sprintf("u%d", i%4)}}
	}
	book := &paper{Book: r.book, list: list, seen: map[string]int{}}
	j, err := journal.Open(filepath.Join(r.dir, "history"))
	if err != nil {
		t.Fatal(err)
	}
	board := health.New(book, memory{j, &sync.Map{}}, health.Options{Now: r.now})
	last := 0
	if err := board.CheckMany(t.Context(), health.Round{}, link.Watcher{}, func(o health.Outcome) { last = o.Done }); err != nil {
		t.Fatal(err)
	}
	if last != n || len(book.seen) != n {
		t.Errorf("%d outcomes, %d checks", last, len(book.seen))
	}
	rows, err := board.Rows(t.Context(), list)
	if err != nil || len(rows) != n || rows[n-1].Days[health.Days-1] != health.DayOK {
		t.Errorf("%d rows, %v", len(rows), err)
	}
	if page, err := health.HTML(rows, r.now()); err != nil || strings.Count(string(page), "<tr>") != n+1 {
		t.Errorf("%d rows in the page, %v", strings.Count(string(page), "<tr>"), err)
	}
}

// paper is a book of connections that all work.
type paper struct {
	*link.Book
	list []link.Connection
	mu   sync.Mutex
	seen map[string]int
}

func (p *paper) List(context.Context) ([]link.Connection, error) { return p.list, nil }

func (p *paper) Get(_ context.Context, id string) (link.Connection, error) {
	n, err := strconv.Atoi(strings.TrimLeft(id[len(id)-12:], "0") + "")
	if err != nil {
		n = 0
	}
	return p.list[n], nil
}

func (p *paper) Check(_ context.Context, id string, _ link.Watcher) *link.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[id]++
	return &link.Result{State: link.OK}
}

// memory keeps histories without a disk's 10,000 times two fsyncs.
type memory struct {
	health.Store
	m *sync.Map
}

func (m memory) Read(_ context.Context, id string) ([]byte, error) {
	if v, ok := m.m.Load(id); ok {
		return v.([]byte), nil
	}
	return nil, os.ErrNotExist
}

func (m memory) Update(_ context.Context, id string, change func([]byte) ([]byte, error)) error {
	old, _ := m.m.Load(id)
	before, _ := old.([]byte)
	after, err := change(slices.Clone(before))
	m.m.Store(id, after)
	return err
}

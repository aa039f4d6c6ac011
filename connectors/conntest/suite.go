package conntest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
)

// A Suite is what a type brings to be tested with.
type Suite struct {
	Type connectors.Type
	// Good settings open a seeded real server. Called once a subtest.
	Good func(tb testing.TB) connectors.Settings
	// Ask answers as a person would while Good opens; empty means nobody.
	Ask    connectors.Asker
	Faults []Fault
	// Big names a branch with many children.
	Big *Big
	// Hostile is a branch that lists at least one name with control, bidi or
	// invalid characters.
	Hostile *Place
	// Aim points settings at another address; nil sets the answers host and port.
	Aim func(s connectors.Settings, host, port string) connectors.Settings
	// World adds what a program would give the type, such as the OAuth callback.
	World func(w *World)
	// Inside says that Good's server is reached through this process alone.
	Inside bool
	// Leaks are passed to goleak, for goroutines of the test's own server.
	Leaks []goleak.Option
}

// A Fault is settings that cannot work, and what the user must be told.
type Fault struct {
	Name     string
	Settings func(tb testing.TB) connectors.Settings
	Ask      connectors.Asker
	Code     connectors.Code
	Stage    connectors.Stage // "" for any
	Field    string           // "" for any, "-" for none
}

// A Place is a node of an open connection.
type Place struct {
	Settings func(tb testing.TB) connectors.Settings
	Node     connectors.NodeID
}

// Big is a branch with at least Count children.
type Big struct {
	Settings func(tb testing.TB) connectors.Settings
	Parent   connectors.NodeID
	Count    int
}

// Run proves that a type keeps the vocabulary's promises.
func Run(t *testing.T, s Suite) {
	t.Run("form", s.form)
	t.Run("answers never panic", s.garbage)
	t.Run("good", s.good)
	for _, f := range s.Faults {
		t.Run("fault/"+f.Name, func(t *testing.T) { s.fault(t, f) })
	}
	t.Run("cancelled before", s.cancelledBefore)
	t.Run("sequences", s.sequences)
	t.Run("by its way alone", s.way)
	t.Run("choices", s.choices)
	if s.Big != nil {
		t.Run("big", s.big)
	}
	if s.Hostile != nil {
		t.Run("hostile names", s.hostile)
	}
	if s.aims() {
		t.Run("silent server", s.silent)
		t.Run("closed port", s.closed)
		t.Run("cancel while connecting", s.cancelWhile)
	}
	t.Run("concurrent use and leaks", s.concurrent)
	if s.manual() && os.Getenv(JFVar) != "" {
		t.Run("in the terminal", s.inTerminal)
	}
	if s.manual() && os.Getenv(WindowVar) != "" {
		t.Run("in the window", s.inWindow)
	}
}

func (s Suite) form(t *testing.T) {
	if err := s.Type.Check(); err != nil {
		t.Fatal(err)
	}
	if s.Type.Guide.Rights == "" {
		t.Error("the guide does not say which rights are needed")
	}
	if missing := s.Type.Form.Missing(s.Good(t)); len(missing) > 0 {
		t.Errorf("good settings lack %v", missing)
	}
}

// garbage fuzzes answers: forms must survive whatever is pasted into them.
func (s Suite) garbage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pool := []string{"", " ", "\x00", "://", "https://[", "a\nb", strings.Repeat("x", 5000), "-----BEGIN X-----", `{"a":`, "\u202egpj.exe", "99999999999999999999", "-1", "%zz", `C:\x`, "\xff\xfe"}
	for range 500 {
		in := connectors.NewSettings()
		for _, f := range s.Type.Form.Fields {
			v := pool[r.IntN(len(pool))]
			if len(f.Options) > 0 && r.IntN(2) == 0 {
				v = f.Options[r.IntN(len(f.Options))].Value
			}
			if f.Kind.Secret() {
				in.Secrets[f.Key] = connectors.NewSecret(v)
			} else {
				in.Plain[f.Key] = v
			}
			if f.Split != nil {
				f.Split(v)
			}
		}
		for _, e := range s.Type.Form.Validate(s.Type.Form.Tidied(in)) {
			if e.Text == "" || !strings.HasSuffix(e.Text, ".") {
				t.Fatalf("field %s: %q is no sentence", e.Key, e.Text)
			}
		}
	}
}

func (s Suite) world(t *testing.T) *World {
	w := NewWorld(t)
	if s.World != nil {
		s.World(w)
	}
	return w
}

func (s Suite) open(t *testing.T, settings connectors.Settings, ask connectors.Asker) (*World, connectors.Session) {
	t.Helper()
	w := s.world(t)
	w.Env.Ask = ask
	return w, OpenIn(t, w, s.Type, settings)
}

func (s Suite) good(t *testing.T) {
	settings := s.Good(t)
	w, session := s.open(t, settings, s.Ask)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	facts, err := session.Check(ctx)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	if len(facts) == 0 {
		t.Error("check tells no fact")
	}
	if !previews(ctx, t, session) {
		t.Error("good settings show nothing")
	}
	seen := fmt.Sprintf("%+v %#v %s %+v %#v", facts, facts, w.Log(), w.Steps(), settings)
	for key, secret := range settings.Secrets {
		if v := secret.Reveal(); len(v) >= 6 && strings.Contains(seen, v) {
			t.Errorf("the secret %s is seen in a log, step, fact or %%#v", key)
		}
	}
	began := map[connectors.Stage]int{}
	for _, step := range w.Steps() {
		if step.Done {
			began[step.Stage]--
		} else {
			began[step.Stage]++
		}
	}
	for stage, n := range began {
		if n > 0 {
			t.Errorf("rung %s began and never ended", stage)
		}
	}
}

// previews looks for one thing to see: a child, then rows, content or a message.
func previews(ctx context.Context, t *testing.T, session connectors.Session) bool {
	t.Helper()
	b, ok := session.(connectors.Browser)
	if !ok {
		return false
	}
	for n, err := range b.Children(ctx, "") {
		if err != nil {
			t.Fatalf("children of the root: %v", err)
		}
		if n.ID == "" || n.Name == "" || n.Kind == "" {
			t.Errorf("node %+v lacks an id, a name or a kind", n)
		}
		return true
	}
	return false
}

func (s Suite) fault(t *testing.T, f Fault) {
	settings := f.Settings(t)
	err := s.climb(t, settings, f.Ask, 30*time.Second)
	if err == nil {
		t.Fatal("it worked")
	}
	e := connectors.Classify(err)
	p := connectors.Explain(err)
	if e.Code != f.Code {
		t.Errorf("code %s, want %s: %v (%v)", e.Code, f.Code, err, e.Err)
	}
	if f.Stage != "" && e.Op != f.Stage {
		t.Errorf("rung %s, want %s", e.Op, f.Stage)
	}
	if p.Title == "" || p.Hint == "" {
		t.Errorf("no words: %+v", p)
	}
	if e.Reason != "" && !connectors.English().Has(e.Reason) && !connectors.English().Has(parent(e.Reason)) {
		t.Errorf("the reason %s has no words", e.Reason)
	}
	s.checkField(t, f, p.Field, settings)
	for key, secret := range settings.Secrets {
		if v := secret.Reveal(); len(v) >= 6 && strings.Contains(fmt.Sprintf("%v %+v %#v", err, p, p), v) {
			t.Errorf("the secret %s is in the error", key)
		}
	}
}

func parent(reason string) string {
	i := strings.LastIndexByte(reason, '.')
	if i < 0 {
		return reason
	}
	return reason[:i]
}

func (s Suite) checkField(t *testing.T, f Fault, field string, settings connectors.Settings) {
	t.Helper()
	if f.Field == "-" && field != "" || f.Field != "" && f.Field != "-" && field != f.Field {
		t.Errorf("field %q, want %q", field, f.Field)
	}
	if field == "" {
		return
	}
	if _, ok := s.Type.Form.Field(field); !ok {
		t.Errorf("the field %q does not exist", field)
	} else if !s.Type.Form.Visible(field, settings) {
		t.Errorf("the field %q cannot be seen with these answers", field)
	}
}

// climb opens and checks, as Link account does.
func (s Suite) climb(t *testing.T, settings connectors.Settings, ask connectors.Asker, d time.Duration) error {
	t.Helper()
	w := s.world(t)
	w.Env.Ask = ask
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	session, err := s.Type.Open(ctx, w.Env, settings)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	if _, err = session.Check(ctx); err != nil {
		return err
	}
	if b, ok := session.(connectors.Browser); ok {
		for _, err := range b.Children(ctx, "") {
			return err
		}
	}
	return nil
}

func (s Suite) cancelledBefore(t *testing.T) {
	w := s.world(t)
	w.Env.Ask = s.Ask
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	session, err := s.Type.Open(ctx, w.Env, s.Good(t))
	if err == nil {
		_ = session.Close()
		t.Fatal("it opened although it was cancelled")
	}
	if code := connectors.CodeOf(err); code != connectors.Cancelled {
		t.Errorf("code %s, want cancelled: %v", code, err)
	}
}

// sequences proves the law of Browser.Children.
func (s Suite) sequences(t *testing.T) {
	_, session := s.open(t, s.Good(t), s.Ask)
	b, ok := session.(connectors.Browser)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	seq := b.Children(ctx, "")
	var rounds [2][]connectors.NodeID
	for i := range rounds {
		for n, err := range seq {
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			rounds[i] = append(rounds[i], n.ID)
		}
		slices.Sort(rounds[i])
	}
	if _, live := session.(connectors.Streamer); !live && !slices.Equal(rounds[0], rounds[1]) {
		t.Error("ranging twice lists different things")
	}
	for range seq {
		break
	}
	if _, err := session.Check(ctx); err != nil {
		t.Errorf("after breaking out: %v", err)
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	var last error
	for _, err := range b.Children(ended, "") {
		if last != nil {
			t.Error("a sequence goes on after its error")
		}
		last = err
	}
	if connectors.CodeOf(last) != connectors.Cancelled {
		t.Errorf("an ended context gives %v, want cancelled", last)
	}
}

func (s Suite) big(t *testing.T) {
	_, session := s.open(t, s.Big.Settings(t), s.Ask)
	b := session.(connectors.Browser)
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Second)
	defer cancel()
	seen := 0
	for _, err := range b.Children(ctx, s.Big.Parent) {
		if err != nil {
			t.Fatalf("after %d: %v", seen, err)
		}
		seen++
	}
	if seen < s.Big.Count {
		t.Errorf("%d children, want at least %d", seen, s.Big.Count)
	}
	some, stop := context.WithCancel(ctx)
	defer stop()
	after := 0
	for _, err := range b.Children(some, s.Big.Parent) {
		if err != nil {
			break
		}
		if after++; after == 10 {
			stop()
		}
	}
	if after >= s.Big.Count {
		t.Error("cancelling after ten children did not stop the listing")
	}
}

func (s Suite) hostile(t *testing.T) {
	_, session := s.open(t, s.Hostile.Settings(t), s.Ask)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	strange := 0
	for n, err := range session.(connectors.Browser).Children(ctx, s.Hostile.Node) {
		if err != nil {
			t.Fatal(err)
		}
		if connectors.Clean(n.Name, 0) != n.Name {
			strange++
		}
	}
	if strange == 0 {
		t.Error("no hostile name came through: it was changed or hidden on the way")
	}
}

func (s Suite) aims() bool {
	_, host := s.Type.Form.Field("host")
	_, port := s.Type.Form.Field("port")
	return s.Aim != nil || host && port
}

func (s Suite) aim(settings connectors.Settings, host, port string) connectors.Settings {
	settings = settings.Clone()
	if s.Aim != nil {
		return s.Aim(settings, host, port)
	}
	settings.Plain["host"], settings.Plain["port"] = host, port
	return settings
}

func (s Suite) silent(t *testing.T) {
	host, port := Silent(t)
	start := time.Now()
	err := s.climb(t, s.aim(s.Good(t), host, port), s.Ask, 2*time.Second)
	if code := connectors.CodeOf(err); code != connectors.TimedOut {
		t.Errorf("code %s, want timed_out: %v", code, err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v with a deadline of 2s", took)
	}
}

func (s Suite) closed(t *testing.T) {
	host, port := Closed(t)
	err := s.climb(t, s.aim(s.Good(t), host, port), s.Ask, 20*time.Second)
	if e := connectors.Classify(err); e == nil || e.Code != connectors.Unreachable || e.Op != connectors.StageConnect {
		t.Errorf("%v, want unreachable at connect", err)
	}
}

func (s Suite) cancelWhile(t *testing.T) {
	host, port := Silent(t)
	w := s.world(t)
	w.Env.Ask = s.Ask
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, cancel)
	settings := s.aim(s.Good(t), host, port)
	start := time.Now()
	session, err := s.Type.Open(ctx, w.Env, settings)
	if err == nil {
		_, err = session.Check(ctx)
		_ = session.Close()
	}
	if code := connectors.CodeOf(err); code != connectors.Cancelled {
		t.Errorf("code %s, want cancelled: %v", code, err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("cancelling took %v", took)
	}
}

func (s Suite) concurrent(t *testing.T) {
	settings := s.Good(t)
	options := append([]goleak.Option{goleak.IgnoreCurrent()}, s.Leaks...)
	w := s.world(t)
	w.Env.Ask = s.Ask
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	session, err := s.Type.Open(ctx, w.Env, settings)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := session.Check(ctx); err != nil {
				t.Errorf("check: %v", err)
			}
		})
		all.Go(func() {
			if b, ok := session.(connectors.Browser); ok {
				for _, err := range b.Children(ctx, "") {
					if err != nil {
						t.Errorf("children: %v", err)
					}
				}
			}
		})
	}
	all.Wait()
	if err := session.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	_ = session.Close()
	if err := goleak.Find(options...); err != nil {
		t.Errorf("goroutines are left: %v", err)
	}
}

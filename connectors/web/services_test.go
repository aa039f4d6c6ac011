package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/served"
)

// The services in testdata/served are shaped after their vendors'
// documentation; each file names what was read.
const servedDir = "testdata/served"

func loadServed(t testing.TB, id string) served.Service {
	t.Helper()
	all := served.All(t, servedDir)
	i := slices.IndexFunc(all, func(s served.Service) bool { return s.Type == id })
	if i < 0 {
		t.Fatalf("no served service %s", id)
	}
	return all[i]
}

func TestEveryServiceDocsShaped(t *testing.T) {
	for _, s := range served.All(t, servedDir) {
		t.Run(s.Type, func(t *testing.T) {
			t.Parallel()
			ty := catalogued(t, s.Type)
			w := served.Start(t, s)
			for _, way := range s.Ways {
				s := s
				s.Expect = s.Expected(way)
				t.Run(orElse(way.Name, "only way"), func(t *testing.T) { (&player{ty, s, w, way}).run(t) })
			}
		})
	}
}

func TestEveryServiceIsServed(t *testing.T) {
	played := map[string]bool{}
	for _, s := range served.All(t, servedDir) {
		played[s.Type] = true
	}
	types, err := services()
	if err != nil {
		t.Fatal(err)
	}
	for _, ty := range types {
		if !played[ty.ID] {
			t.Errorf("%s has no docs-shaped server in testdata/served", ty.ID)
		}
	}
}

// A player plays everything that can happen to one way of one service.
type player struct {
	ty  connectors.Type
	s   served.Service
	w   *served.World
	way served.Way
}

func (p *player) run(t *testing.T) {
	t.Run("success", p.success)
	t.Run("looks", p.looks)
	t.Run("three pages", p.pages)
	t.Run("wrong key", p.wrong)
	t.Run("expired", p.expired)
	t.Run("missing scope", p.scope)
	t.Run("rate limit", func(t *testing.T) {
		p.fails(t, served.Slow, served.Fault{Code: string(connectors.Throttled)})
	})
	t.Run("maintenance", func(t *testing.T) {
		p.fails(t, served.Down, served.Fault{Code: string(connectors.Unreachable)})
	})
	t.Run("a web page instead of data", func(t *testing.T) {
		p.fails(t, served.HTML, served.Fault{Code: string(connectors.Refused), Field: p.s.Expect.Address.Field})
	})
	t.Run("empty account", p.empty)
	t.Run("wrong address", p.address)
	if p.ty.Revoke != nil && len(p.way.Accept) == 0 && p.s.OAuth.Revoke != "" {
		t.Run("revoked on deletion", p.revoked)
	}
}

func (p *player) open(t *testing.T, m served.Mode, s connectors.Settings) (*conntest.World, connectors.Session, error) {
	t.Helper()
	w := conntest.NewWorld(t)
	loopbacks(w)
	p.w.Play(m, p.way)
	p.w.Within(w.Env)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	session, err := p.ty.Open(ctx, w.Env, s)
	if err == nil {
		t.Cleanup(func() { _ = session.Close() })
	}
	return w, session, err
}

func (p *player) good(t *testing.T) (*conntest.World, connectors.Session) {
	t.Helper()
	w, s, err := p.open(t, served.Well, p.w.Settings(p.way, nil, nil))
	if err != nil {
		t.Fatalf("%v %+v\nasked: %s", err, connectors.Explain(err), strings.Join(p.w.Requests(), "\n"))
	}
	return w, s
}

func (p *player) success(t *testing.T) {
	settings := p.w.Settings(p.way, nil, nil)
	if errs := p.ty.Form.Validate(p.ty.Form.Tidied(settings)); len(errs) > 0 {
		t.Fatal(errs)
	}
	w, s := p.good(t)
	facts, err := s.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if want := p.s.Expect.Account; len(facts) == 0 || facts[0].Label != "Account" || facts[0].Text != want {
		t.Errorf("facts %+v, want the account %q first", facts, want)
	}
	for _, label := range p.s.Expect.Facts {
		if !slices.ContainsFunc(facts, func(f connectors.Fact) bool { return f.Label == label }) {
			t.Errorf("no fact %q in %+v", label, facts)
		}
	}
	var ids []string
	for _, n := range p.children(t, s, "") {
		ids = append(ids, string(n.ID))
	}
	if !slices.Equal(ids, p.s.Expect.Nodes) {
		t.Errorf("root %v, want %v", ids, p.s.Expect.Nodes)
	}
	for key, secret := range settings.Secrets {
		if v := secret.Reveal(); len(v) >= 6 && strings.Contains(w.Log()+strings.Join(p.w.Requests(), " "), v) && len(p.way.Accept) > 0 && len(p.way.Accept[0].Query) == 0 {
			t.Errorf("the secret %s is in a log or an address", key)
		}
	}
}

func (p *player) children(t *testing.T, s connectors.Session, id connectors.NodeID) []connectors.Node {
	t.Helper()
	var out []connectors.Node
	for n, err := range s.(connectors.Browser).Children(t.Context(), id) {
		if err != nil {
			t.Fatalf("children of %q: %v %+v\nasked: %s", id, err, connectors.Explain(err), strings.Join(p.w.Requests(), "\n"))
		}
		out = append(out, n)
	}
	return out
}

func (p *player) looks(t *testing.T) {
	_, s := p.good(t)
	for _, look := range p.s.Expect.Looks {
		p.look(t, s, look)
	}
}

func (p *player) look(t *testing.T, s connectors.Session, look served.Look) {
	t.Helper()
	id := connectors.NodeID(look.Node)
	if look.Names != nil {
		var names []string
		for _, n := range p.children(t, s, id) {
			names = append(names, n.Name)
		}
		if !slices.Equal(names, look.Names) {
			t.Errorf("%s holds %q, want %q", id, names, look.Names)
		}
	}
	if look.Columns != nil || look.Rows > 0 {
		table, err := s.(connectors.Tabler).Table(t.Context(), id, 100)
		if err != nil {
			t.Errorf("%s: %v %+v\nasked: %s", id, err, connectors.Explain(err), strings.Join(p.w.Requests(), "\n"))
			return
		}
		var have []string
		for _, c := range table.Columns {
			have = append(have, c.Name)
		}
		for _, c := range look.Columns {
			if !slices.Contains(have, c) {
				t.Errorf("%s has the columns %q, not %q", id, have, c)
			}
		}
		if look.Rows != len(table.Rows) {
			t.Errorf("%s: %d rows, want %d", id, len(table.Rows), look.Rows)
		}
	}
	if look.Do != "" {
		p.act(t, s, look)
		return
	}
	if look.Text != "" {
		sample, err := s.(connectors.Sampler).Sample(t.Context(), id, 4096)
		if err != nil || !strings.Contains(string(sample.Data), look.Text) {
			t.Errorf("%s reads %q, want %q in it: %v", id, sample.Data, look.Text, err)
		}
	}
}

// act proves that an action does what it says, and that nothing else does.
func (p *player) act(t *testing.T, s connectors.Session, look served.Look) {
	t.Helper()
	actor := s.(connectors.Actor)
	if !slices.ContainsFunc(actor.Actions(connectors.NodeID(look.Node)), func(a connectors.Action) bool { return a.ID == look.Do && a.Warning != "" }) {
		t.Errorf("%s offers %+v, not %s with a warning", look.Node, actor.Actions(connectors.NodeID(look.Node)), look.Do)
	}
	parts, err := actor.Act(t.Context(), connectors.NodeID(look.Node), look.Do, look.Input)
	if err != nil || !strings.Contains(fmt.Sprint(parts), look.Text) {
		t.Errorf("%+v %v", parts, err)
	}
	if _, err := actor.Act(t.Context(), connectors.NodeID(look.Node), look.Do, " "); look.Input != "" && connectors.CodeOf(err) != connectors.BadInput {
		t.Errorf("without an input: %v", err)
	}
}

func (p *player) pages(t *testing.T) {
	_, s := p.good(t)
	pages := p.s.Expect.Pages
	before := len(p.w.Requests())
	n := 0
	if pages.Rows {
		table, err := s.(connectors.Tabler).Table(t.Context(), connectors.NodeID(pages.Node), 1000)
		if err != nil {
			t.Fatalf("%v\nasked: %s", err, strings.Join(p.w.Requests(), "\n"))
		}
		n = len(table.Rows)
	} else {
		n = len(p.children(t, s, connectors.NodeID(pages.Node)))
	}
	want := 3
	if pages.Whole {
		want = 1
	}
	if asked := len(p.w.Requests()) - before; n != pages.Count || asked < want {
		t.Errorf("%d items in %d requests, want %d in at least %d:\n%s", n, asked, pages.Count, want, strings.Join(p.w.Requests()[before:], "\n"))
	}
}

func (p *player) wrong(t *testing.T) {
	bad := p.way.Wrong
	if bad.Code == "" {
		t.Fatal("the way says nothing of a wrong answer")
	}
	_, _, err := p.open(t, served.Well, p.w.Settings(p.way, bad.Plain, bad.Secrets))
	p.told(t, err, bad.Fault)
}

func (p *player) expired(t *testing.T) {
	_, s := p.good(t)
	p.w.Play(served.Expired, p.way)
	_, err := s.Check(t.Context())
	want := p.s.Expect.Expired
	if p.way.Expired.Code != "" {
		want = p.way.Expired
	}
	p.told(t, err, want)
}

func (p *player) scope(t *testing.T) {
	_, s := p.good(t)
	p.w.Play(served.Scoped, p.way)
	want := p.s.Expect.Scope
	_, err := s.(connectors.Tabler).Table(t.Context(), connectors.NodeID(want.Node), 10)
	if connectors.CodeOf(err) == connectors.NotFound || err == nil {
		for _, e := range s.(connectors.Browser).Children(t.Context(), connectors.NodeID(want.Node)) {
			err = e
		}
	}
	p.told(t, err, want.Fault)
}

// fails opens well and checks again in another mode.
func (p *player) fails(t *testing.T, m served.Mode, want served.Fault) {
	_, s := p.good(t)
	p.w.Play(m, p.way)
	_, err := s.Check(t.Context())
	p.told(t, err, want)
}

func (p *player) empty(t *testing.T) {
	_, s := p.good(t)
	p.w.Play(served.Empty, p.way)
	pages := p.s.Expect.Pages
	if pages.Rows {
		table, err := s.(connectors.Tabler).Table(t.Context(), connectors.NodeID(pages.Node), 10)
		if err != nil || len(table.Rows) != 0 {
			t.Errorf("%+v %v", table, err)
		}
		return
	}
	if n := p.children(t, s, connectors.NodeID(pages.Node)); len(n) != 0 {
		t.Errorf("an empty account shows %+v", n)
	}
}

// address: a typo in the domain for services that have an address of their own;
// for the others the network's name service does not know the vendor.
func (p *player) address(t *testing.T) {
	settings := p.w.Settings(p.way, nil, nil)
	if f := p.s.Expect.Address.Plain; len(f) > 0 {
		for k, v := range f {
			settings.Plain[k] = v
		}
		_, _, err := p.open(t, served.Well, settings)
		p.told(t, err, served.Fault{Code: orElse(p.s.Expect.Address.Code, string(connectors.Unreachable)), Field: p.s.Expect.Address.Field})
		return
	}
	if p.way.Browser {
		return // the browser finds no page then, and the person stops
	}
	other := p.s
	other.Hosts, other.OAuth.Host = []string{"another.example.com"}, ""
	elsewhere := *p
	elsewhere.w = served.Start(t, other)
	_, _, err := elsewhere.open(t, served.Well, settings)
	if connectors.CodeOf(err) != connectors.Unreachable {
		t.Errorf("%v, want unreachable", err)
	}
}

func (p *player) revoked(t *testing.T) {
	w, _ := p.good(t)
	settings := p.w.Settings(p.way, nil, nil)
	for k, v := range w.Kept() {
		settings.Secrets[k] = v
	}
	before := p.w.Revoked()
	want := before + 1
	if p.way.Lasting {
		want = before
	}
	if err := p.ty.Revoke(t.Context(), w.Env, settings); err != nil || p.w.Revoked() != want {
		t.Errorf("revoked %d times: %v", p.w.Revoked()-before, err)
	}
}

// told proves code, field and words.
func (p *player) told(t *testing.T, err error, want served.Fault) {
	t.Helper()
	if err == nil {
		t.Fatalf("it worked; asked: %s", strings.Join(p.w.Requests(), "\n"))
	}
	e, words := connectors.Classify(err), connectors.Explain(err)
	if want.Code == "" {
		t.Fatalf("the file does not say which code is expected; it is %s, field %q: %+v", e.Code, e.Field, words)
	}
	if string(e.Code) != want.Code {
		t.Errorf("code %s, want %s: %v (%+v)\nasked: %s", e.Code, want.Code, err, words, strings.Join(p.w.Requests(), "\n"))
	}
	if want.Field == "-" && e.Field != "" || want.Field != "" && want.Field != "-" && e.Field != want.Field {
		t.Errorf("field %q, want %q (%+v)", e.Field, want.Field, words)
	}
	if _, ok := p.ty.Form.Field(e.Field); e.Field != "" && !ok {
		t.Errorf("the field %q does not exist", e.Field)
	}
	if !strings.Contains(strings.ToLower(words.Title+" "+words.Hint), strings.ToLower(want.Says)) {
		t.Errorf("%q / %q does not say %q", words.Title, words.Hint, want.Says)
	}
	if e.Reason != "" && e.Title == "" && !connectors.English().Has(e.Reason) && !connectors.English().Has(e.Reason[:max(0, strings.LastIndexByte(e.Reason, '.'))]) {
		t.Errorf("the reason %s has no words", e.Reason)
	}
}

// A token that was kept for one key is not used for another.
func TestAnotherKeyStartsAnew(t *testing.T) {
	s := loadServed(t, "google_service_account")
	w := served.Start(t, s)
	p := &player{catalogued(t, s.Type), s, w, s.Ways[0]}
	first, _ := p.good(t)
	again := w.Settings(p.way, nil, nil)
	other := w.Settings(p.way, nil, map[string]string{"key_file": "$google deleted"})
	for k, v := range first.Kept() {
		again.Secrets[k], other.Secrets[k] = v, v
	}
	asked := func() int {
		n := 0
		for _, r := range w.Requests() {
			if strings.Contains(r, "/token") {
				n++
			}
		}
		return n
	}
	if _, _, err := p.open(t, served.Well, again); err != nil || asked() != 0 {
		t.Errorf("with the same key %d tokens were asked for: %v", asked(), err)
	}
	if _, _, err := p.open(t, served.Well, other); connectors.CodeOf(err) == "" {
		t.Error("a key that was deleted works with the token of another")
	}
}

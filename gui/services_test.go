package gui

import (
	"context"
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/conntest/served"
	"jackfield/connectors/link"
)

// Every service of the catalogue is linked in the window, in every way to sign
// in, against servers shaped after the vendors' documentation.
func TestEveryServiceIsLinkedInTheWindowDocsShaped(t *testing.T) {
	for _, s := range served.All(t, "../connectors/web/testdata/served") {
		t.Run(s.Type, func(t *testing.T) {
			ty, ok := connectors.Find(all.All(), s.Type)
			if !ok {
				t.Fatal("no such type")
			}
			w := served.Start(t, s)
			open := ty.Open
			ty.Open = func(ctx context.Context, env *connectors.Env, a connectors.Settings) (connectors.Session, error) {
				w.Within(env)
				return open(ctx, env, a)
			}
			r := newRoom(t, roomOptions{types: []connectors.Type{ty}})
			for _, way := range s.Ways {
				r.linksWay(w, s, way)
			}
		})
	}
}

func (r *room) linksWay(w *served.World, s served.Service, way served.Way) {
	r.t.Helper()
	w.Play(served.Well, way)
	settings, answers := w.Settings(way, nil, nil), map[string]string{}
	for k, v := range settings.Plain {
		answers[k] = v
	}
	for k, v := range settings.Secrets {
		answers[k] = v.Reveal()
	}
	r.fill(s.Type, answers)
	r.a.form.link()
	r.until("the link of "+s.Type+" "+way.Name, r.linked)
	c, err := r.book.Get(r.t.Context(), r.a.form.id)
	if err != nil || c.State != link.OK || c.Account != s.Expected(way).Account {
		r.t.Fatalf("%s: %s, account %q, %+v, %v", way.Name, c.State, c.Account, c.Problem, err)
	}
	p := r.a.preview
	r.until("the tree", func() bool { return p.nodes[""] != nil && p.nodes[""].state == "done" })
	if ids := p.nodes[""].children; !slices.Equal(ids, s.Expected(way).Nodes) {
		r.t.Errorf("%s shows %v, want %v", way.Name, ids, s.Expected(way).Nodes)
	}
	r.settle()
}

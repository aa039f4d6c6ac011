package report

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
)

// The bounds of what one name, fact or problem may take in a report.
const (
	longestName = 1000
	longestFact = 600
	mostFacts   = 40
)

// silences is how many listings in a row may get no answer until the walk ends:
// a server that is gone answers none of the others either.
const silences = 3

// Take walks what s shows, breadth first and on the caller's goroutine. A branch
// that cannot be listed is a finding and no failure. Where ctx ends, the report as
// far as it came is returned together with ctx's cause.
func Take(ctx context.Context, s connectors.Session, o Options) (*Report, error) {
	o = o.bounded()
	began := time.Now()
	w := &walk{s: s, o: o, r: &Report{Format: Format, Made: began.UTC().Truncate(time.Second), About: o.About, Options: o, Account: []connectors.Fact{}}}
	w.check(ctx)
	switch b, browses := s.(connectors.Browser); {
	case browses:
		w.browser = b
		w.listen(ctx)
		w.browse(ctx)
	default:
		w.r.Root.State = Overheard
		w.hear(ctx)
	}
	w.inside(ctx)
	w.order()
	w.r.sum()
	w.r.TookMS = time.Since(began).Milliseconds()
	if ctx.Err() != nil {
		return w.r, context.Cause(ctx)
	}
	return w.r, nil
}

// A walk is one under way: nodes stand as they were found, with their children.
type walk struct {
	s       connectors.Session
	browser connectors.Browser
	o       Options
	r       *Report
	nodes   []Node
	below   [][]int // the children of each node
	top     []int
	left    int // branches that are still to be listed
	silent  int // listings in a row without an answer
	gone    *connectors.Problem
	overall bool // the tree is what was heard
}

func (w *walk) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, w.o.Patience)
	defer cancel()
	facts, err := w.s.Check(ctx)
	for _, f := range facts {
		w.r.Account = append(w.r.Account, connectors.Fact{Label: whole(f.Label, longestFact), Text: whole(f.Text, longestFact)})
	}
	w.r.Problem = connectors.Explain(err)
}

// browse lists level by level, so that what is left out where there is too much
// lies deep.
func (w *walk) browse(ctx context.Context) {
	w.open(ctx, -1)
	for at := 0; at < len(w.nodes); at++ {
		if w.nodes[at].Below == nil || w.nodes[at].Below.State != "" {
			continue
		}
		w.open(ctx, at)
	}
}

// open lists the children of a node, or says why not.
func (w *walk) open(ctx context.Context, at int) {
	b := w.place(at)
	if why := w.barred(ctx, at); why != "" {
		b.State = why
		if why == Failed {
			b.Problem = w.gone
		}
		return
	}
	id, name := w.o.Below, ""
	if at >= 0 {
		id, name = w.nodes[at].ID, w.nodes[at].Name()
		w.left--
	}
	w.o.Progress(len(w.nodes), w.left, name)
	full, err := w.list(ctx, at, id)
	w.ended(ctx, at, full, err)
}

// place is what is known of the children of a node; -1 is the top.
func (w *walk) place(at int) *Below {
	if at < 0 {
		return &w.r.Root
	}
	return w.nodes[at].Below
}

// barred says why a branch is not listed at all.
func (w *walk) barred(ctx context.Context, at int) State {
	depth := 0
	if at >= 0 {
		depth = len(w.nodes[at].Path)
		if !w.o.Columns && closed(w.nodes[at]) {
			return Inside
		}
	}
	switch {
	case ctx.Err() != nil:
		return Cancelled
	case w.gone != nil:
		return Failed
	case depth >= w.o.Depth:
		return TooDeep
	case len(w.nodes) >= w.o.Most:
		return TooMany
	}
	return ""
}

// closed reports whether what is below a node is the inside of a thing: the
// columns of a table, the members of an archive, the values of a document.
func closed(n Node) bool {
	switch n.Kind {
	case "file", "resource", "document", "collection", "index", "sheet", "list":
		return true
	}
	return strings.Contains(n.Kind, "table") || strings.HasSuffix(n.Kind, "view") || n.Kind == "partition"
}

// list adds the children of one node; full means that there were too many. The
// patience is renewed with each child: a long listing is no silent one.
func (w *walk) list(ctx context.Context, at int, id connectors.NodeID) (full bool, err error) {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(w.o.Patience, func() { cancel(context.DeadlineExceeded) })
	defer timer.Stop()
	for n, err := range w.browser.Children(inner, id) {
		timer.Reset(w.o.Patience)
		if err != nil {
			return false, err
		}
		if !w.o.Samples && n.Kind == "message" {
			continue // what is in a mailbox or queue is its content
		}
		if len(w.nodes) >= w.o.Most {
			return true, nil
		}
		w.add(at, n)
		if len(w.nodes)%100 == 0 {
			w.o.Progress(len(w.nodes), w.left, n.Name)
		}
	}
	if inner.Err() != nil {
		return false, context.Cause(inner)
	}
	return false, nil
}

func (w *walk) add(at int, n connectors.Node) {
	out := Node{ID: n.ID, Kind: n.Kind, Access: n.Access, Facts: w.facts(n.Facts), Views: slices.Clone(n.Views), ordered: n.Ordered || n.Kind == "column"}
	if w.overall && out.Access == "" {
		out.Access = connectors.AccessReadable // it was heard
	}
	var above []string
	if at >= 0 {
		above = w.nodes[at].Path
	}
	out.Path = append(slices.Clip(slices.Clone(above)), whole(n.Name, longestName))
	if n.Branch {
		out.Below = &Below{}
		if len(out.Path) < w.o.Depth && (w.o.Columns || !closed(out)) {
			w.left++
		}
	}
	i := len(w.nodes)
	w.nodes, w.below = append(w.nodes, out), append(w.below, nil)
	if at < 0 {
		w.top = append(w.top, i)
	} else {
		w.below[at] = append(w.below[at], i)
	}
	w.place(at).Count++
}

// facts leaves out those that show content.
func (w *walk) facts(list []connectors.Fact) []connectors.Fact {
	var out []connectors.Fact
	for _, f := range list {
		if !w.o.Samples && (f.Label == "Last value" || f.Label == "Value" || f.Label == "Received") {
			continue
		}
		if len(out) == mostFacts {
			break
		}
		out = append(out, connectors.Fact{Label: whole(f.Label, longestFact), Text: whole(f.Text, longestFact)})
	}
	return out
}

// ended notes how a listing went. That one was listed proves that it is readable,
// where the connector does not know; that it was refused proves the opposite.
func (w *walk) ended(ctx context.Context, at int, full bool, err error) {
	b := w.place(at)
	var access connectors.Access
	switch code := connectors.CodeOf(err); {
	case err == nil && full:
		b.State = TooMany
		access = connectors.AccessReadable
	case err == nil && w.overall:
		b.State = Overheard
	case err == nil:
		b.State = Listed
		access = connectors.AccessReadable
	case ctx.Err() != nil:
		b.State = Cancelled
	case code == connectors.Denied:
		b.State, b.Problem = Denied, connectors.Explain(err)
	default:
		b.State, b.Problem = Failed, connectors.Explain(err)
	}
	w.count(err)
	if at < 0 {
		return
	}
	n := &w.nodes[at]
	switch {
	case b.State == Denied && b.Count == 0:
		n.Access = connectors.AccessDenied
	case n.Access == "":
		n.Access = access
	}
}

// count ends the walk when the server has gone.
func (w *walk) count(err error) {
	switch connectors.CodeOf(err) {
	case connectors.TimedOut, connectors.Unreachable:
		if w.silent++; w.silent >= silences {
			w.gone = connectors.Explain(err)
		}
	default:
		w.silent = 0
	}
}

// order puts the nodes as a tree is read, siblings by name where their own order
// means nothing, and says why what cannot be read cannot.
func (w *walk) order() {
	w.r.Nodes = make([]Node, 0, len(w.nodes))
	var put func(list []int, above *Node)
	put = func(list []int, above *Node) {
		if !slices.ContainsFunc(list, func(i int) bool { return w.nodes[i].ordered }) {
			slices.SortStableFunc(list, func(i, j int) int {
				a, b := w.nodes[i].Name(), w.nodes[j].Name()
				return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
			})
		}
		for _, i := range list {
			n := w.nodes[i]
			n.Why = whyNot(n, above)
			w.r.Nodes = append(w.r.Nodes, n)
			shut := above
			if n.Access == connectors.AccessDenied && shut == nil {
				shut = &n
			}
			put(w.below[i], shut)
		}
	}
	put(w.top, nil)
}

// whole is valid UTF-8 of at most so many characters, the same before and after
// it was written as JSON.
func whole(s string, most int) string {
	r := []rune(s)
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

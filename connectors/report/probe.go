package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"jackfield/connectors"
)

// Cells and columns of a sample.
const (
	cellRunes   = 200
	mostColumns = 500
)

// listen gives the messages time to come, where the tree is made of what was heard.
func (w *walk) listen(ctx context.Context) {
	live, ok := w.s.(connectors.Broadcaster)
	if !ok || !live.Broadcasts() {
		return
	}
	w.overall = true
	w.o.Progress(0, 0, "")
	w.follow(ctx, live, func(connectors.Event) {})
}

// follow counts messages for as long as is listened.
func (w *walk) follow(ctx context.Context, live connectors.Streamer, each func(connectors.Event)) {
	inner, cancel := context.WithTimeout(ctx, w.o.Listen)
	defer cancel()
	began := time.Now()
	w.r.Heard = &Heard{}
	for e, err := range live.Watch(inner, w.o.Below) {
		if err != nil {
			if inner.Err() == nil {
				w.r.Root.Problem = connectors.Explain(err)
				w.r.Root.State = Failed
			}
			break
		}
		w.r.Heard.Messages++
		w.r.Heard.Dropped += e.Dropped
		each(e)
	}
	w.r.Heard.Seconds = time.Since(began).Round(100 * time.Millisecond).Seconds()
}

// hear makes the tree itself, for a session that lists nothing.
func (w *walk) hear(ctx context.Context) {
	live, ok := w.s.(connectors.Streamer)
	if !ok {
		w.r.Root.State = Listed
		return
	}
	known := map[string]int{}
	w.follow(ctx, live, func(e connectors.Event) {
		at := -1
		for i := range min(len(e.Path), w.o.Depth) {
			id := strings.Join(e.Path[:i+1], "/")
			next, ok := known[id]
			if !ok {
				if len(w.nodes) >= w.o.Most {
					w.r.Root.State = TooMany
					return
				}
				next = len(w.nodes)
				known[id] = next
				w.add(at, connectors.Node{ID: connectors.NodeID(id), Name: e.Path[i], Kind: "topic", Access: connectors.AccessReadable, Views: []connectors.View{connectors.ViewMessages}})
			}
			if i < len(e.Path)-1 && w.nodes[next].Below == nil {
				w.nodes[next].Below = &Below{State: Overheard}
			}
			at = next
		}
	})
}

// inside reads the heads of tables, and their first rows where samples are asked
// for. It proves what may be read where the connector does not know.
func (w *walk) inside(ctx context.Context) {
	t, ok := w.s.(connectors.Tabler)
	if !ok || !w.o.Columns && !w.o.Samples {
		return
	}
	for i := range w.nodes {
		n := &w.nodes[i]
		if ctx.Err() != nil || w.gone != nil {
			return
		}
		known := n.Below != nil && n.Below.Count > 0 && !w.o.Samples // its columns are its children
		if !slices.Contains(n.Views, connectors.ViewRows) || n.Access == connectors.AccessDenied || known {
			continue
		}
		w.o.Progress(len(w.nodes), len(w.nodes)-i, n.Name())
		w.table(ctx, t, n)
	}
}

func (w *walk) table(ctx context.Context, t connectors.Tabler, n *Node) {
	inner, cancel := context.WithTimeout(ctx, w.o.Patience)
	defer cancel()
	got, err := t.Table(inner, n.ID, max(w.o.Rows, 1))
	if ctx.Err() != nil {
		return
	}
	w.count(err)
	if err != nil {
		switch connectors.CodeOf(err) {
		case connectors.Unsupported:
			return
		case connectors.Denied:
			n.Access = connectors.AccessDenied
		}
		n.Sample = &Sample{Rows: [][]string{}, Problem: connectors.Explain(err)}
		return
	}
	if n.Access == "" {
		n.Access = connectors.AccessReadable
	}
	for _, c := range got.Columns[:min(len(got.Columns), mostColumns)] {
		n.Columns = append(n.Columns, Column{whole(c.Name, longestName), whole(c.Type, longestFact)})
	}
	if !w.o.Samples {
		return
	}
	n.Sample = &Sample{Rows: [][]string{}, Truncated: got.Truncated, Note: whole(got.Note, longestFact)}
	for _, r := range got.Rows[:min(len(got.Rows), w.o.Rows)] {
		row := make([]string, min(len(r), mostColumns))
		for j := range row {
			if r[j] != nil {
				row[j] = whole(fmt.Sprint(r[j]), cellRunes)
			}
		}
		n.Sample.Rows = append(n.Sample.Rows, row)
	}
}

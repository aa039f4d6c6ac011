package web

import (
	"context"
	"iter"
	"net/url"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
)

// A place is a node with what can be seen in it, and the ids on the way to it.
type place struct {
	id      connectors.NodeID
	vars    map[string]string
	nodes   []node
	rows    *list
	list    *list
	content *content
	each    *each
	actions []action
}

// find walks an id, parts of which are escaped and joined by "/". A part is the
// id of a fixed node, or an item's: its kind, ":" and what the service calls it,
// without the kind where a list has only one.
func (s *session) find(id connectors.NodeID) (place, bool) {
	at := place{id: id, nodes: s.spec.Tree, vars: map[string]string{}}
	if id == "" {
		return at, true
	}
	for part := range strings.SplitSeq(string(id), "/") {
		if i := slices.IndexFunc(at.nodes, func(n node) bool { return n.ID == part }); i >= 0 {
			n := at.nodes[i]
			at.nodes, at.rows, at.list, at.content, at.each, at.actions = n.Nodes, n.Rows, n.List, n.Content, n.Each, n.Actions
			continue
		}
		e, rest, ok := s.kindOf(at.each, part)
		if !ok {
			return place{}, false
		}
		raw, err := url.PathUnescape(rest)
		if err != nil || raw == "" {
			return place{}, false
		}
		if last, nested := at.vars["id"]; nested {
			at.vars["parent"] = last
		}
		at.vars["id"] = raw
		if e.Doubled != "" {
			at.vars["id"] = strings.ReplaceAll(raw, e.Doubled, e.Doubled+e.Doubled)
		}
		if e.As != "" {
			at.vars[e.As] = raw
		}
		at.nodes, at.rows, at.list, at.content, at.each, at.actions = e.Nodes, e.Rows, e.List, e.Content, e.Each, e.Actions
	}
	return at, true
}

// shape follows a name to the shape that it stands for.
func (s *session) shape(e *each) *each {
	for range 8 {
		if e == nil || e.Of == "" {
			return e
		}
		named, ok := s.spec.Shapes[e.Of]
		if !ok {
			return nil
		}
		e = &named
	}
	return nil
}

func (s *session) kindOf(e *each, part string) (*each, string, bool) {
	e = s.shape(e)
	if e == nil {
		return nil, "", false
	}
	if len(e.Kinds) == 0 {
		return e, part, true
	}
	kind, rest, ok := strings.Cut(part, ":")
	if !ok {
		return nil, "", false
	}
	for i := range e.Kinds {
		if slug(e.Kinds[i].Kind) == kind {
			return s.shape(&e.Kinds[i]), rest, true
		}
	}
	return nil, "", false
}

func slug(kind string) string { return strings.ReplaceAll(kind, " ", "-") }

func join(parent connectors.NodeID, part string) connectors.NodeID {
	if parent == "" {
		return connectors.NodeID(part)
	}
	return parent + "/" + connectors.NodeID(part)
}

func views(rows *list, c *content) []connectors.View {
	switch {
	case rows != nil:
		return []connectors.View{connectors.ViewRows, connectors.ViewContent}
	case c != nil && (c.Rows || c.Token != ""):
		return []connectors.View{connectors.ViewRows, connectors.ViewContent}
	case c != nil:
		return []connectors.View{connectors.ViewContent}
	}
	return nil
}

func (n node) shown(parent connectors.NodeID) connectors.Node {
	return connectors.Node{ID: join(parent, n.ID), Name: n.Name, Kind: n.Kind, Branch: n.Open || n.List != nil || len(n.Nodes) > 0, Views: views(n.Rows, n.Content), Ordered: true}
}

// item makes a node of one of a list's items; false leaves it out.
func (s *session) item(outer *each, parent connectors.NodeID, v jsonx.Value) (connectors.Node, bool) {
	outer = s.shape(outer)
	if outer == nil {
		return connectors.Node{}, false
	}
	e, prefix := outer, ""
	if len(outer.Kinds) > 0 {
		i := slices.IndexFunc(outer.Kinds, func(k each) bool { return all(k.When, v) })
		if i < 0 {
			return connectors.Node{}, false
		}
		e, prefix = &outer.Kinds[i], slug(outer.Kinds[i].Kind)+":"
	}
	id := jsonx.Text(v, orElse(e.ID, outer.ID))
	if id == "" {
		return connectors.Node{}, false
	}
	name := jsonx.Text(v, orElse(e.Name, outer.Name))
	if name == "" {
		name = id
	}
	if after := orElse(e.After, outer.After); after != "" {
		whole := strings.TrimSuffix(name, after)
		name = name[strings.LastIndex(whole, after)+1:]
	}
	facts, inner := append(slices.Clone(outer.Facts), e.Facts...), s.shape(e)
	if e == outer {
		facts = outer.Facts
	}
	out := connectors.Node{ID: join(parent, prefix+escaped(id)), Name: name, Kind: e.Kind, Branch: inner.List != nil || len(inner.Nodes) > 0, Views: views(inner.Rows, inner.Content), Ordered: !outer.files()}
	for _, f := range facts {
		if text := f.read(v); text != "" {
			out.Facts = append(out.Facts, connectors.Fact{Label: f.Label, Text: text})
		}
	}
	return out, true
}

// files reports whether a list is of files and folders: it is put in order by
// who shows it.
func (e *each) files() bool {
	return e.Kind == "folder" || e.Kind == "file" || slices.ContainsFunc(e.Kinds, func(k each) bool { return k.Kind == "folder" || k.Kind == "file" })
}

// escaped is an item's id as a part of a NodeID: a fixed node's can never be
// one, because "/" separates and "%" escapes.
func escaped(id string) string { return url.PathEscape(id) }

// Children lists fixed nodes, or the items of a list page by page.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		if s.free && strings.HasPrefix(string(parent), "/") {
			s.inside(ctx, parent, yield)
			return
		}
		at, ok := s.find(parent)
		if !ok {
			yield(connectors.Node{}, notFound(parent))
			return
		}
		for i := range at.nodes {
			if !yield(at.nodes[i].shown(at.id), nil) {
				return
			}
		}
		if at.list == nil {
			return
		}
		for item, err := range s.items(ctx, *at.list, at.vars, 0) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if n, ok := s.item(at.each, at.id, item); ok && !yield(n, nil) {
				return
			}
		}
	}
}

func notFound(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: string(id)}
}

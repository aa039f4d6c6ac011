package files

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/connectors/internal/datafile"
)

// A Tree is the Browser, Tabler and Sampler over a Store.
type Tree struct {
	store Store
	o     datafile.Options
}

// New returns a Tree; a may be empty.
func New(store Store, a Answers) *Tree {
	return &Tree{store: store, o: datafile.Options{PGPKey: a.PGPKey, PGPPassphrase: a.PGPPassphrase}}
}

// Children lists a folder, or what is in a zip or a workbook.
func (t *Tree) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		if parent != "" && t.container(ctx, string(parent)) {
			t.members(ctx, string(parent), yield)
			return
		}
		path, _ := split(string(parent))
		for e, err := range t.store.List(ctx, path) {
			if err != nil {
				yield(connectors.Node{}, connectors.Classify(err))
				return
			}
			if !yield(node(e), nil) {
				return
			}
		}
	}
}

// container reports whether a node is a file with others in it. Only a name that
// promises that is opened: a folder may be called a.zip too.
func (t *Tree) container(ctx context.Context, id string) bool {
	path, inside := split(id)
	if len(inside) > 0 {
		return true
	}
	if strings.HasSuffix(path, "/") || !datafile.Guess(path).Branch {
		return false
	}
	f, err := t.store.Open(ctx, path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	var first [4]byte
	n, err := f.ReadAt(ctx, first[:], 0)
	return n > 0 || err == nil || errors.Is(err, io.EOF)
}

func (t *Tree) members(ctx context.Context, id string, yield func(connectors.Node, error) bool) {
	f, o, err := t.open(ctx, id)
	if err != nil {
		yield(connectors.Node{}, connectors.Classify(err))
		return
	}
	defer func() { _ = f.Close() }()
	base := id
	if n := len(o.Inside); n > 0 && strings.HasSuffix(o.Inside[n-1], "/") {
		base = id[:len(id)-len(between)-len(escape(o.Inside[n-1]))]
	}
	for m, err := range datafile.Members(ctx, f, f.name, o) {
		if err != nil {
			yield(connectors.Node{}, err)
			return
		}
		if !yield(member(base, m, len(o.Inside)), nil) {
			return
		}
	}
}

// member is the node of what is in a file; depth is how deep that file lies itself.
func member(base string, m datafile.Member, depth int) connectors.Node {
	n := connectors.Node{ID: connectors.NodeID(inner(base, m.Inside)), Name: m.Name, Kind: "file"}
	switch {
	case m.Folder:
		n.Kind, n.Branch = "folder", true
		return n
	case m.Sheet:
		n.Kind, n.Ordered = "sheet", true
		n.Views = []connectors.View{connectors.ViewRows}
		if m.Hidden {
			n.Facts = []connectors.Fact{{Label: "Hidden", Text: "yes"}}
		}
		return n
	}
	n.Branch, n.Views = look(m.Name)
	n.Branch = n.Branch && depth+1 < datafile.Depth
	n.Facts = facts(m.Size, m.Modified)
	if m.Encrypted {
		n.Access = connectors.AccessListed
		n.Facts = append(n.Facts, connectors.Fact{Label: "Encrypted", Text: "yes"})
	}
	return n
}

func look(name string) (branch bool, views []connectors.View) {
	look := datafile.Guess(name)
	switch {
	case look.First:
		return look.Branch, []connectors.View{connectors.ViewRows, connectors.ViewContent}
	case look.Rows:
		return look.Branch, []connectors.View{connectors.ViewContent, connectors.ViewRows}
	}
	return look.Branch, []connectors.View{connectors.ViewContent}
}

func facts(size int64, modified time.Time) []connectors.Fact {
	var out []connectors.Fact
	if size >= 0 {
		out = append(out, connectors.Fact{Label: "Size", Text: humanize.IBytes(uint64(size))})
	}
	if !modified.IsZero() {
		out = append(out, connectors.Fact{Label: "Modified", Text: modified.UTC().Format("2006-01-02 15:04:05")})
	}
	return out
}

// node is the node of a store's entry. It opens nothing: what only the content
// tells is found out when somebody looks.
func node(e Entry) connectors.Node {
	n := connectors.Node{ID: connectors.NodeID(escape(e.Path)), Name: e.Name, Kind: e.Kind, Branch: e.Folder, Access: e.Access}
	if n.Kind == "" {
		n.Kind = "file"
		if e.Folder {
			n.Kind = "folder"
		}
	}
	size := e.Size
	if e.Folder {
		size = -1
	} else {
		n.Branch, n.Views = look(e.Name)
	}
	n.Facts = append(facts(size, e.Modified), e.Facts...)
	return n
}

// open opens the store's file that a node is or lies in.
func (t *Tree) open(ctx context.Context, id string) (*source, datafile.Options, error) {
	o := t.o
	path, inside := split(id)
	f, err := t.store.Open(ctx, path)
	if len(inside) > 0 && connectors.CodeOf(err) == connectors.NotFound {
		// Whoever types the id of a path with "!/" does not double the mark.
		if typed, second := t.store.Open(ctx, id); second == nil {
			return &source{File: typed, name: id}, o, nil
		}
	}
	if err != nil {
		return nil, o, err
	}
	o.Inside = inside
	return &source{File: f, name: path}, o, nil
}

// Table reads the first rows of a data file.
func (t *Tree) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	f, o, err := t.open(ctx, string(id))
	if err != nil {
		return nil, connectors.Classify(err)
	}
	defer func() { _ = f.Close() }()
	return datafile.Table(ctx, f, f.name, limit, o)
}

// Sample reads the beginning of a file.
func (t *Tree) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	f, o, err := t.open(ctx, string(id))
	if err != nil {
		return connectors.Sample{}, connectors.Classify(err)
	}
	defer func() { _ = f.Close() }()
	return datafile.Sample(ctx, f, f.name, max, o)
}

package link

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"jackfield/connectors"
)

// CreateAll saves several new connections: all of them, or none. What exists is
// listed once, so that the work grows with the number of drafts and not with its
// square. A draft may refer to another one by its name, also in a circle. No two
// may have one name, and none may have one that is taken; case does not count.
//
// The connections come in the order of the drafts. On an error those that were
// written are removed again, and no provider is told; the connections returned
// with an error are those that could not be removed.
//
// A program that is killed on the way leaves the first of them. Each of those is
// whole: its secrets are stored before it is seen, and what it refers to is
// written before it, but for circles. They are not removed later: by then a
// person may have seen and used them.
func (b *Book) CreateAll(ctx context.Context, drafts []Draft) ([]Connection, error) {
	entries, err := b.entries(ctx, drafts)
	if err != nil {
		return nil, err
	}
	made := make([]Connection, len(entries))
	var written []Connection
	for _, i := range lendersFirst(entries) {
		c, err := b.put(ctx, entries[i])
		if c.ID != "" {
			written = append(written, c) // also when it was written half
		}
		if err = errors.Join(err, storage(ctx.Err())); err != nil {
			left, undone := b.unmake(context.WithoutCancel(ctx), written)
			return left, errors.Join(err, undone)
		}
		made[i] = c
	}
	return made, nil
}

// entries checks all drafts before anything is written.
func (b *Book) entries(ctx context.Context, drafts []Draft) ([]entry, error) {
	known, err := b.List(ctx)
	if err != nil && len(known) == 0 {
		return nil, err
	}
	taken := names{exact: map[string]string{}, alike: map[string][]string{}}
	for _, c := range known {
		taken.add(c.Name, c.ID)
		taken.exact[c.ID] = c.ID
	}
	entries := make([]entry, len(drafts))
	for i, d := range drafts {
		if entries[i].t, err = b.Type(d.Type); err != nil {
			return nil, err
		}
		if err := taken.free(d.Name); err != nil {
			return nil, err
		}
		entries[i].id, entries[i].d = uuid.NewString(), d
		taken.add(d.Name, entries[i].id)
	}
	for i := range entries {
		e := &entries[i]
		if e.s, err = resolved(e.t, e.t.Form.Tidied(e.d.Settings), taken.find); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// unmake removes what was written, the last first, and returns what stays.
func (b *Book) unmake(ctx context.Context, written []Connection) ([]Connection, error) {
	var left []Connection
	var errs []error
	for _, c := range slices.Backward(written) {
		if err := b.Forget(ctx, c.ID); err != nil {
			left, errs = append(left, c), append(errs, err)
		}
	}
	slices.Reverse(left)
	return left, errors.Join(errs...)
}

// lendersFirst is an order in which nothing comes before what it refers to.
func lendersFirst(entries []entry) []int {
	at := make(map[string]int, len(entries))
	for i, e := range entries {
		at[e.id] = i
	}
	seen, order := make([]bool, len(entries)), make([]int, 0, len(entries))
	var visit func(i int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		for _, f := range entries[i].t.Form.Fields {
			if j, ok := at[entries[i].s.Plain[f.Key]]; ok && f.Kind == connectors.Reference {
				visit(j)
			}
		}
		order = append(order, i)
	}
	for i := range entries {
		visit(i)
	}
	return order
}

// NameKey is alike for names that count as one: strings.EqualFold, and without
// the blanks around them.
func NameKey(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
			least = min(least, x)
		}
		return least
	}, strings.TrimSpace(name))
}

// names tell whose a name is.
type names struct {
	exact map[string]string   // name or id → id
	alike map[string][]string // NameKey → ids
}

func (n names) add(name, id string) {
	n.exact[strings.TrimSpace(name)] = id
	key := NameKey(name)
	n.alike[key] = append(n.alike[key], id)
}

// free refuses a name that is empty or taken.
func (n names) free(name string) error {
	if strings.TrimSpace(name) == "" {
		return &connectors.Error{Code: connectors.BadInput, Reason: "link.no_name", Op: connectors.StageForm, Field: "name"}
	}
	if len(n.alike[NameKey(name)]) > 0 {
		return &connectors.Error{Code: connectors.BadInput, Reason: "link.name_taken", Op: connectors.StageForm, Field: "name", Target: name}
	}
	return nil
}

// find is ByName without reading anything.
func (n names) find(name string) (string, error) {
	if id, ok := n.exact[name]; ok {
		return id, nil
	}
	if ids := n.alike[NameKey(name)]; len(ids) == 1 {
		return ids[0], nil
	}
	return "", &connectors.Error{Code: connectors.BadInput, Reason: "link.no_connection", Op: connectors.StageForm, Target: name}
}

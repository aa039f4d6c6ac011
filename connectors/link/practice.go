package link

import (
	"context"
	"io/fs"
	"maps"

	"jackfield/connectors"
)

// A PracticeDraft is a built-in service as it runs now.
type PracticeDraft struct {
	Draft
	// Place are the answers that differ from one start to the next: ports, the
	// database's file, the host key.
	Place []string
}

// Practice points every practice connection, also renamed and copied ones, to
// where its service runs now; the rest of its answers and its state stay. With
// add, a service that no connection of that name leads to gets one. It returns
// the connections of the list, in its order, where there is one.
func (b *Book) Practice(ctx context.Context, list []PracticeDraft, add bool) ([]Connection, error) {
	known, err := b.List(ctx)
	if err != nil && len(known) == 0 {
		return nil, err
	}
	var out []Connection
	for _, d := range list {
		d.Practice = true
		var there []Connection
		for _, c := range known {
			if !c.Practice || c.Type != d.Type {
				continue
			}
			moved, err := b.moved(ctx, c.ID, d)
			if err != nil {
				return nil, err
			}
			there = append(there, moved)
		}
		if len(there) == 0 && add {
			d.Name = b.FreeName(ctx, d.Name)
			made, err := b.Create(ctx, d.Draft)
			if err != nil {
				return nil, err
			}
			there = []Connection{made}
		}
		if len(there) > 0 {
			out = append(out, there[0])
		}
	}
	return out, nil
}

// moved replaces where a connection leads to.
func (b *Book) moved(ctx context.Context, id string, d PracticeDraft) (Connection, error) {
	var out Connection
	err := b.store.Update(ctx, id, func(profile []byte, secrets map[string]string) ([]byte, map[string]string, error) {
		if profile == nil {
			return nil, nil, fs.ErrNotExist
		}
		c, err := read(profile)
		if err != nil {
			return nil, nil, err
		}
		kept := maps.Clone(secrets)
		if kept == nil {
			kept = map[string]string{}
		}
		if c.Plain == nil {
			c.Plain = map[string]string{}
		}
		for _, key := range d.Place {
			if v, ok := d.Settings.Plain[key]; ok {
				c.Plain[key] = v
			}
			if v, ok := d.Settings.Secrets[key]; ok {
				kept[key] = v.Reveal()
			}
		}
		c.SecretKeys = keysOf(kept)
		if p := c.Problem; p != nil && (p.Code == connectors.Unreachable || p.Code == connectors.HostChanged || p.Code == connectors.NotFound) {
			c.State, c.Problem = Prepared, nil // it was not running then, or not there
		}
		out = c
		data, err := write(c)
		return data, kept, err
	})
	return out, storage(err)
}

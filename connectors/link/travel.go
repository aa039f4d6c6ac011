package link

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/reach"
)

// travel sets the way that the answers s name on env. seen are the jump hosts on
// the way so far, the last of them nearest to the server.
func (b *Book) travel(env *connectors.Env, s connectors.Settings, w Watcher, p *patience, seen []string) {
	dial := reach.Direct
	if b.out.Dial != nil {
		dial = b.out.Dial
	}
	way := reach.Of(s)
	env.Dial = reach.Through(env, way, dial(env), func(ctx context.Context, id string) (connectors.Tunnel, string, error) {
		return b.tunnel(ctx, id, w, p, seen)
	})
	env.HTTP = func(spec connectors.HTTP) (*http.Client, error) {
		if way.Chosen() && spec.Proxy == "" {
			spec.Proxy = "direct"
		}
		return httpx.New(env, spec)
	}
}

// tunnel signs in to a saved connection that is a jump host. Its own rungs are
// part of the one that leads through it.
func (b *Book) tunnel(ctx context.Context, id string, w Watcher, p *patience, seen []string) (connectors.Tunnel, string, error) {
	c, err := b.Get(ctx, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", &connectors.Error{Code: connectors.BadInput, Reason: "reach.no_jump_host", Err: err}
	}
	if err != nil {
		return nil, "", err
	}
	if slices.Contains(seen, id) {
		return nil, c.Name, &connectors.Error{Code: connectors.BadInput, Reason: "reach.circle", Target: c.Name}
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return nil, c.Name, err
	}
	if t.Tunnel == nil {
		return nil, c.Name, &connectors.Error{Code: connectors.BadInput, Reason: "reach.not_a_jump_host", Target: c.Name}
	}
	s, err := b.Settings(ctx, id)
	if err == nil {
		s, err = b.whole(ctx, t, s)
	}
	if err != nil {
		return nil, c.Name, err
	}
	env := b.env(Watcher{Ask: w.Ask}, p, b.keeper(id), nil)
	b.travel(env, s, w, p, append(slices.Clone(seen), id))
	tunnel, err := t.Tunnel(ctx, env, s)
	return tunnel, c.Name, err
}

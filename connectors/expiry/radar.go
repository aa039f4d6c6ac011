package expiry

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// Book is what a radar needs of link.Book.
type Book interface {
	List(ctx context.Context) ([]link.Connection, error)
	Type(id string) (connectors.Type, error)
	Settings(ctx context.Context, id string) (connectors.Settings, error)
}

// A Radar looks through all connections, and remembers what it found: as long as
// a profile stays what it was, its secrets are not read again. It remembers no
// secret. The zero Radar can be used, also concurrently; it must not be copied.
type Radar struct {
	Remind time.Duration // how long after it was stored one is reminded of a secret; 0 means Reminder, less means never

	mu   sync.Mutex
	seen map[string]sight
}

type sight struct {
	of    [sha256.Size]byte // the profile
	items []Item
}

// An Unread is a connection that could not be looked into.
type Unread struct {
	ConnectionID string
	Connection   string
	Err          error
}

// A Sweep is what a radar found.
type Sweep struct {
	Items   []Item // the first end first
	Unread  []Unread
	Watched int // connections that were looked into
}

// All looks through every connection of the book. The error is for a book that
// cannot be listed, and for a context that ended.
func All(ctx context.Context, b Book, now time.Time) (Sweep, error) {
	return (&Radar{}).All(ctx, b, now)
}

func (r *Radar) reminder() time.Duration {
	if r.Remind == 0 {
		return Reminder
	}
	return r.Remind
}

// All is the package's All, which reads only the secrets of connections that changed.
func (r *Radar) All(ctx context.Context, b Book, now time.Time) (Sweep, error) {
	list, err := b.List(ctx)
	if err != nil && len(list) == 0 {
		return Sweep{}, err
	}
	out := r.Some(ctx, b, list, now)
	if err != nil { // profiles that cannot be read have no name
		out.Unread = append(out.Unread, Unread{Err: err})
	}
	r.forget(list)
	return out, ctx.Err()
}

// Some looks through chosen connections, as far as ctx lasts.
func (r *Radar) Some(ctx context.Context, b Book, list []link.Connection, now time.Time) Sweep {
	out := Sweep{Items: []Item{}}
	for _, c := range list {
		if ctx.Err() != nil {
			break
		}
		items, err := r.one(ctx, b, c, now)
		if err != nil {
			out.Unread = append(out.Unread, Unread{ConnectionID: c.ID, Connection: connectors.Clean(c.Name, 120), Err: err})
		} else {
			out.Watched++
		}
		out.Items = append(out.Items, items...)
	}
	judge(out.Items, now)
	return out
}

// one looks into a connection. Where its secrets cannot be read, what its profile
// alone tells comes with the error.
func (r *Radar) one(ctx context.Context, b Book, c link.Connection, now time.Time) ([]Item, error) {
	t, err := b.Type(c.Type)
	if err != nil {
		return nil, err
	}
	profile, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	of := sha256.Sum256(profile)
	r.mu.Lock()
	old, known := r.seen[c.ID]
	r.mu.Unlock()
	if known && old.of == of {
		return old.items, nil
	}
	s := connectors.Settings{Plain: c.Plain}
	if len(c.SecretKeys) > 0 {
		if s, err = b.Settings(ctx, c.ID); err != nil {
			return r.Of(t, c, connectors.Settings{Plain: c.Plain}, now), err
		}
	}
	items := r.Of(t, c, s, now)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[string]sight{}
	}
	r.seen[c.ID] = sight{of, items}
	return items, nil
}

// forget drops what is remembered of connections that are gone.
func (r *Radar) forget(list []link.Connection) {
	there := make(map[string]bool, len(list))
	for _, c := range list {
		there[c.ID] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.seen {
		if !there[id] {
			delete(r.seen, id)
		}
	}
}

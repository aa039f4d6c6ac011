package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"jackfield/connectors"
)

// A Store keeps profiles and secrets. platform/vault is one. All methods are
// safe for concurrent use, also by several processes.
type Store interface {
	IDs(ctx context.Context) ([]string, error)
	// ReadProfile never touches the keychain; fs.ErrNotExist when there is none.
	ReadProfile(ctx context.Context, id string) ([]byte, error)
	ReadSecrets(ctx context.Context, id string) (map[string]string, error)
	// Update is a locked read-modify-write. profile is nil for a new id; nil
	// secrets returned leave the stored ones untouched.
	Update(ctx context.Context, id string, change func(profile []byte, secrets map[string]string) ([]byte, map[string]string, error)) error
	UpdateProfile(ctx context.Context, id string, change func(profile []byte) ([]byte, error)) error
	Delete(ctx context.Context, id string) error
	Lock(ctx context.Context, id, purpose string) (unlock func(), err error)
	Changes(ctx context.Context) <-chan struct{}
}

// Outside is the world that connections reach; see connectors.Env.
type Outside struct {
	Dial     func(env *connectors.Env) func(ctx context.Context, network, addr string) (net.Conn, error) // nil: directly
	Callback func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error)
	Log      *slog.Logger
	Now      func() time.Time
	Patience time.Duration // how long one rung may take; 0 means DefaultPatience
}

// Types are the connection types that a Book knows.
type Types interface {
	All() []connectors.Type // in gallery order
	Find(id string) (connectors.Type, bool)
}

// List is a fixed list of types.
type List []connectors.Type

// All is the list.
func (l List) All() []connectors.Type { return l }

// Find returns the type with the given id.
func (l List) Find(id string) (connectors.Type, bool) { return connectors.Find(l, id) }

// A Book is a person's connections.
type Book struct {
	types Types
	store Store
	out   Outside
	turns chan struct{} // of renewals under way
}

// renewals is how many connections renew their sign-in at once: after a sleep
// all of them may want to.
const renewals = 4

// NewBook opens a book over a store.
func NewBook(types Types, store Store, out Outside) *Book {
	if out.Now == nil {
		out.Now = time.Now
	}
	if out.Log == nil {
		out.Log = slog.New(slog.DiscardHandler)
	}
	return &Book{types: types, store: store, out: out, turns: make(chan struct{}, renewals)}
}

// Types are the connection types, in gallery order, with the questions that any
// connection is asked.
func (b *Book) Types() []connectors.Type {
	out := slices.Clone(b.types.All())
	for i, t := range out {
		out[i] = Extended(t)
	}
	return out
}

// Type finds a type by id.
func (b *Book) Type(id string) (connectors.Type, error) {
	t, ok := b.types.Find(id)
	if !ok {
		return t, &connectors.Error{Code: connectors.BadInput, Reason: "link.no_type", Op: connectors.StageForm, Target: id}
	}
	return Extended(t), nil
}

// Changes ticks when a profile changed, here or in another process; it is
// closed when ctx ends.
func (b *Book) Changes(ctx context.Context) <-chan struct{} { return b.store.Changes(ctx) }

// List returns the connections by name. A profile that cannot be read is
// reported in the error and does not hide the others.
func (b *Book) List(ctx context.Context) ([]Connection, error) {
	ids, err := b.store.IDs(ctx)
	if err != nil {
		return nil, storage(err)
	}
	var out []Connection
	var errs []error
	for _, id := range ids {
		c, err := b.Get(ctx, id)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Connection) int {
		return cmp.Or(cmp.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), cmp.Compare(x.ID, y.ID))
	})
	return out, errors.Join(errs...)
}

// Get reads one profile.
func (b *Book) Get(ctx context.Context, id string) (Connection, error) {
	data, err := b.store.ReadProfile(ctx, id)
	if err != nil {
		return Connection{}, storage(err)
	}
	c, err := read(data)
	if err != nil {
		return Connection{}, storage(fmt.Errorf("%s: %w", id, err))
	}
	c.ID = id
	return c, nil
}

// ByName finds a connection by its name, or by id. Names differ only by case
// are found when exactly one does.
func (b *Book) ByName(ctx context.Context, name string) (Connection, error) {
	all, err := b.List(ctx)
	var loose []Connection
	for _, c := range all {
		if c.Name == name || c.ID == name {
			return c, nil
		}
		if strings.EqualFold(c.Name, name) {
			loose = append(loose, c)
		}
	}
	if len(loose) == 1 {
		return loose[0], nil
	}
	return Connection{}, errors.Join(&connectors.Error{Code: connectors.BadInput, Reason: "link.no_connection", Op: connectors.StageForm, Target: name}, err)
}

// Settings are a connection's answers with its secrets, also the issued ones.
// This opens the keychain.
func (b *Book) Settings(ctx context.Context, id string) (connectors.Settings, error) {
	c, err := b.Get(ctx, id)
	if err != nil {
		return connectors.Settings{}, err
	}
	s := connectors.Settings{Plain: maps.Clone(c.Plain), Secrets: map[string]connectors.Secret{}}
	if s.Plain == nil {
		s.Plain = map[string]string{}
	}
	if len(c.SecretKeys) == 0 {
		return s, nil
	}
	secrets, err := b.store.ReadSecrets(ctx, id)
	if err != nil {
		return connectors.Settings{}, storage(err)
	}
	s.Secrets = wrap(secrets)
	return s, nil
}

// Create saves a new connection. It needs no network and no complete form: what
// is missing is told by Connection.Missing. The name must not be taken.
func (b *Book) Create(ctx context.Context, d Draft) (Connection, error) {
	return b.save(ctx, uuid.NewString(), d)
}

// Save replaces a connection's answers. When answers changed, the connection is
// prepared again: what was checked is no longer what is stored.
func (b *Book) Save(ctx context.Context, id string, d Draft) (Connection, error) {
	return b.save(ctx, id, d)
}

func (b *Book) save(ctx context.Context, id string, d Draft) (Connection, error) {
	t, err := b.Type(d.Type)
	if err != nil {
		return Connection{}, err
	}
	if err := b.freeName(ctx, id, d.Name); err != nil {
		return Connection{}, err
	}
	s, err := b.resolved(ctx, t, t.Form.Tidied(d.Settings))
	if err != nil {
		return Connection{}, err
	}
	return b.put(ctx, entry{id, t, d, s})
}

// An entry is a draft that was checked: s are its answers, tidied and resolved.
type entry struct {
	id string
	t  connectors.Type
	d  Draft
	s  connectors.Settings
}

// put writes an entry. A connection with an ID beside an error means that
// something of it may be stored.
func (b *Book) put(ctx context.Context, e entry) (Connection, error) {
	id, t, d, s := e.id, e.t, e.d, e.s
	var err error
	var saved Connection
	now := b.out.Now()
	apply := func(profile []byte, keys, replaced []string) ([]byte, error) {
		c := Connection{ID: id, Created: now, State: Prepared}
		if profile != nil {
			if c, err = read(profile); err != nil {
				return nil, err
			}
		}
		if c.State != Prepared && (!maps.Equal(c.Plain, s.Plain) || touches(t, s)) {
			c.State, c.Problem = Prepared, nil
		}
		c.Type, c.Name, c.Description, c.Practice, c.Plain, c.Changed = d.Type, strings.TrimSpace(d.Name), d.Description, d.Practice, s.Plain, now
		if keys != nil {
			c.SecretKeys = keys
		}
		c.dated(t, d.Dates, replaced, now)
		saved = c
		return write(c)
	}
	if len(s.Secrets) == 0 {
		err = b.store.UpdateProfile(ctx, id, func(profile []byte) ([]byte, error) { return apply(profile, nil, nil) })
		return saved, storage(err)
	}
	err = b.store.Update(ctx, id, func(profile []byte, secrets map[string]string) ([]byte, map[string]string, error) {
		merged := maps.Clone(secrets)
		if merged == nil {
			merged = map[string]string{}
		}
		var replaced []string
		for k, v := range s.Secrets {
			if merged[k] != v.Reveal() {
				replaced = append(replaced, k)
			}
			if v.Empty() {
				delete(merged, k)
			} else {
				merged[k] = v.Reveal()
			}
		}
		out, err := apply(profile, keysOf(merged), replaced)
		return out, merged, err
	})
	return saved, storage(err)
}

func touches(t connectors.Type, s connectors.Settings) bool {
	for k := range s.Secrets {
		if _, ok := t.Form.Field(k); ok {
			return true
		}
	}
	return false
}

func (b *Book) freeName(ctx context.Context, id, name string) error {
	if strings.TrimSpace(name) == "" {
		return &connectors.Error{Code: connectors.BadInput, Reason: "link.no_name", Op: connectors.StageForm, Field: "name"}
	}
	all, err := b.List(ctx)
	if err != nil && len(all) == 0 {
		return err
	}
	for _, c := range all {
		if c.ID != id && strings.EqualFold(c.Name, strings.TrimSpace(name)) {
			return &connectors.Error{Code: connectors.BadInput, Reason: "link.name_taken", Op: connectors.StageForm, Field: "name", Target: name}
		}
	}
	return nil
}

// FreeName is base, or base with a number, such that no connection has it.
func (b *Book) FreeName(ctx context.Context, base string) string {
	name := base
	for i := 2; i < 10_000 && b.freeName(ctx, "", name) != nil; i++ {
		name = fmt.Sprintf("%s %d", base, i)
	}
	return name
}

// Copy saves the answers and secrets of a form under a new name. What the
// server issued to the original is not copied: two holders of one rotating
// token would lock each other out.
func (b *Book) Copy(ctx context.Context, id, name string) (Connection, error) {
	c, err := b.Get(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	t, err := b.Type(c.Type)
	if err != nil {
		return Connection{}, err
	}
	s, err := b.Settings(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	maps.DeleteFunc(s.Secrets, func(k string, _ connectors.Secret) bool {
		_, asked := t.Form.Field(k)
		return !asked
	})
	return b.Create(ctx, Draft{Type: c.Type, Name: name, Description: c.Description, Practice: c.Practice, Settings: s})
}

// Rename changes the name alone.
func (b *Book) Rename(ctx context.Context, id, name string) (Connection, error) {
	if err := b.freeName(ctx, id, name); err != nil {
		return Connection{}, err
	}
	return b.edit(ctx, id, func(c *Connection) { c.Name, c.Changed = strings.TrimSpace(name), b.out.Now() })
}

func (b *Book) edit(ctx context.Context, id string, change func(*Connection)) (Connection, error) {
	var out Connection
	err := b.store.UpdateProfile(ctx, id, func(profile []byte) ([]byte, error) {
		if profile == nil {
			return nil, fs.ErrNotExist
		}
		c, err := read(profile)
		if err != nil {
			return nil, err
		}
		c.ID = id
		change(&c)
		out = c
		return write(c)
	})
	return out, storage(err)
}

// Delete tells the provider that what it issued is not wanted any more, and
// removes profile, secrets and everything issued from this computer. The latter
// happens whatever the provider says: an error with Partial set means that the
// connection is gone here, and may still be valid there.
func (b *Book) Delete(ctx context.Context, id string) error {
	said := b.takeBack(ctx, id)
	if err := storage(b.store.Delete(context.WithoutCancel(ctx), id)); err != nil {
		return err
	}
	if said != nil {
		return &connectors.Error{Code: connectors.CodeOf(said), Reason: "link.not_revoked", Said: connectors.Explain(said).Title, Partial: true, Err: said}
	}
	return nil
}

// Forget removes a connection from this computer and tells nobody: what was
// issued for it stays valid, as when another computer goes on with it.
func (b *Book) Forget(ctx context.Context, id string) error {
	return storage(b.store.Delete(ctx, id))
}

// takeBack revokes what was issued for a connection, within the time of one
// rung. What cannot be read has nothing to take back.
func (b *Book) takeBack(ctx context.Context, id string) error {
	c, err := b.Get(ctx, id)
	if err != nil {
		return nil
	}
	t, err := b.Type(c.Type)
	if err != nil || t.Revoke == nil || !slices.ContainsFunc(c.SecretKeys, t.Issued) {
		return nil
	}
	s, err := b.Settings(ctx, id)
	if err != nil {
		return err
	}
	p, ctx := newPatience(ctx, b.patience())
	defer p.stop()
	env := b.env(Watcher{}, p, b.keeper(id), nil)
	b.travel(env, s, Watcher{}, p, []string{id})
	if s, err = b.whole(ctx, t, s); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- t.Revoke(ctx, env, s) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// storage marks an error of the store; nil and *connectors.Error pass.
func storage(err error) error {
	var known *connectors.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return connectors.Classify(err)
	}
	e := &connectors.Error{Code: connectors.Storage, Said: err.Error(), Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Reason = "link.gone"
	}
	if found := connectors.Classify(err); found.Code == connectors.Storage {
		e.Reason = found.Reason
	}
	var reason interface{ Reason() string } // the store's own finer reason: "keychain.locked"
	if errors.As(err, &reason) {
		e.Reason = reason.Reason()
	}
	return e
}

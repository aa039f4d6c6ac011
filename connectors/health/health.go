// Package health knows how connections fare: it checks many at once without
// locking any account, keeps a short history of each, and tells what changed.
package health

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// Book is what a Board needs of link.Book.
type Book interface {
	List(ctx context.Context) ([]link.Connection, error)
	Get(ctx context.Context, id string) (link.Connection, error)
	Type(id string) (connectors.Type, error)
	Check(ctx context.Context, id string, w link.Watcher) *link.Result
}

// A Store keeps one small text a connection. platform/journal is one. All
// methods are safe for concurrent use, also by several processes.
type Store interface {
	IDs(ctx context.Context) ([]string, error)
	// Read never sees half a change; fs.ErrNotExist when there is none.
	Read(ctx context.Context, id string) ([]byte, error)
	// Update is a locked read-modify-write; old is nil for a new id.
	Update(ctx context.Context, id string, change func(old []byte) ([]byte, error)) error
	Remove(ctx context.Context, id string) error
}

// Options may all be left out.
type Options struct {
	Now func() time.Time
	Log *slog.Logger
	// Expires knows better than Connection.Expires what ends next, and when; the
	// zero time for nothing.
	Expires func(link.Connection) time.Time
}

// A Board is safe for concurrent use.
type Board struct {
	book  Book
	store Store
	o     Options
	busy  *turns

	mu     sync.Mutex
	rounds int
	live   map[string]refusal // of the rounds under way, by key
	known  map[string]summary // what was read of the histories, by connection
}

// New makes a board over a book; store keeps its histories.
func New(book Book, store Store, o Options) *Board {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Expires == nil {
		o.Expires = func(c link.Connection) time.Time { return c.Expires }
	}
	return &Board{book: book, store: store, o: o, busy: newTurns(), live: map[string]refusal{}, known: map[string]summary{}}
}

// History is what is remembered of a connection, the oldest first; none is no error.
func (b *Board) History(ctx context.Context, id string) ([]Entry, error) {
	data, err := b.store.Read(ctx, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, stored(err)
	}
	return parse(data), nil
}

// Record remembers how a check of c ended; c is as it was before. What was
// cancelled is not remembered.
func (b *Board) Record(ctx context.Context, c link.Connection, r *link.Result, took time.Duration) error {
	e := entryOf(c, r, took, b.o.Now())
	if e.Code == connectors.Cancelled {
		return nil
	}
	err := b.store.Update(ctx, c.ID, func(old []byte) ([]byte, error) {
		return format(thinned(append(parse(old), e), e.At)), nil
	})
	b.forget(c.ID)
	return stored(err)
}

// Forget removes a connection's history, when it is deleted.
func (b *Board) Forget(ctx context.Context, id string) error {
	b.forget(id)
	return stored(b.store.Remove(ctx, id))
}

// Prune removes the histories of connections that are gone.
func (b *Board) Prune(ctx context.Context) error {
	ids, err := b.store.IDs(ctx)
	if err != nil {
		return stored(err)
	}
	for _, id := range ids {
		if _, err := b.book.Get(ctx, id); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := b.Forget(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Reload looks at the stored histories anew: another program may have written them.
func (b *Board) Reload() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.known)
}

func (b *Board) forget(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.known, id)
}

// stored names a failure of the history; nil and *connectors.Error pass.
func stored(err error) error {
	var known *connectors.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return connectors.Classify(err)
	}
	return &connectors.Error{Code: connectors.Storage, Reason: "health.history", Said: err.Error(), Err: err}
}

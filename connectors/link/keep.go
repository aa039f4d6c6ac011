package link

import (
	"context"
	"maps"
	"sync"

	"jackfield/connectors"
)

// A keeper stores what a server issued.
type keeper interface {
	keep(ctx context.Context, key string, s connectors.Secret) error
	renew(ctx context.Context, key string, change func(context.Context, connectors.Secret) (connectors.Secret, error)) (connectors.Secret, error)
	all() map[string]connectors.Secret
}

func (b *Book) keeper(id string) keeper { return stored{b, id} }

// stored keeps under a saved connection's id.
type stored struct {
	b  *Book
	id string
}

func (k stored) all() map[string]connectors.Secret { return nil }

func (k stored) keep(ctx context.Context, key string, s connectors.Secret) error {
	err := k.b.store.Update(ctx, k.id, func(profile []byte, secrets map[string]string) ([]byte, map[string]string, error) {
		c, err := read(profile)
		if err != nil {
			return nil, nil, err
		}
		out := maps.Clone(secrets)
		if out == nil {
			out = map[string]string{}
		}
		if s.Empty() {
			delete(out, key)
		} else {
			out[key] = s.Reveal()
		}
		c.SecretKeys = keysOf(out)
		data, err := write(c)
		return data, out, err
	})
	return storage(err)
}

// renew holds the connection's refresh lock over read, change and write, so
// that of all windows and programs only one spends a rotating token. Few
// connections renew at once.
func (k stored) renew(ctx context.Context, key string, change func(context.Context, connectors.Secret) (connectors.Secret, error)) (connectors.Secret, error) {
	select {
	case k.b.turns <- struct{}{}:
		defer func() { <-k.b.turns }()
	case <-ctx.Done():
		return connectors.Secret{}, connectors.Classify(context.Cause(ctx))
	}
	unlock, err := k.b.store.Lock(ctx, k.id, "refresh")
	if err != nil {
		return connectors.Secret{}, storage(err)
	}
	defer unlock()
	secrets, err := k.b.store.ReadSecrets(ctx, k.id)
	if err != nil {
		return connectors.Secret{}, storage(err)
	}
	before := connectors.NewSecret(secrets[key])
	after, err := change(ctx, before)
	if err != nil {
		return connectors.Secret{}, err
	}
	if after.Reveal() == before.Reveal() {
		return after, nil
	}
	// The old token is spent by now: storing the new one may not be cancelled.
	return after, k.keep(context.WithoutCancel(ctx), key, after)
}

// memory keeps for the length of a try.
type memory struct {
	mu sync.Mutex
	m  map[string]connectors.Secret
	// issued are the keys that were kept while trying.
	issued map[string]connectors.Secret
	one    sync.Mutex
}

func newMemory(s connectors.Settings) *memory {
	return &memory{m: maps.Clone(s.Secrets), issued: map[string]connectors.Secret{}}
}

func (k *memory) all() map[string]connectors.Secret {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.issued)
}

func (k *memory) keep(_ context.Context, key string, s connectors.Secret) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.m == nil {
		k.m = map[string]connectors.Secret{}
	}
	k.m[key], k.issued[key] = s, s
	return nil
}

func (k *memory) renew(ctx context.Context, key string, change func(context.Context, connectors.Secret) (connectors.Secret, error)) (connectors.Secret, error) {
	k.one.Lock()
	defer k.one.Unlock()
	k.mu.Lock()
	current := k.m[key]
	k.mu.Unlock()
	after, err := change(ctx, current)
	if err != nil {
		return connectors.Secret{}, err
	}
	return after, k.keep(ctx, key, after)
}

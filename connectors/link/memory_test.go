package link_test

import (
	"context"
	"io/fs"
	"maps"
	"slices"
	"sync"
)

// memoryStore is a Store for tests of the book's own logic; platform/vault is
// tested with the book in cmd/internal/wire.
type memoryStore struct {
	mu       sync.Mutex
	profiles map[string][]byte
	secrets  map[string]map[string]string
	locks    map[string]chan struct{}
	fail     error // what Update answers
	opened   int   // how often secrets were read
}

func newStore() *memoryStore {
	return &memoryStore{profiles: map[string][]byte{}, secrets: map[string]map[string]string{}, locks: map[string]chan struct{}{}}
}

func (m *memoryStore) IDs(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.profiles)), nil
}

func (m *memoryStore) ReadProfile(_ context.Context, id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.profiles[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return p, nil
}

func (m *memoryStore) ReadSecrets(_ context.Context, id string) (map[string]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened++
	return maps.Clone(m.secrets[id]), m.fail
}

func (m *memoryStore) Update(_ context.Context, id string, change func([]byte, map[string]string) ([]byte, map[string]string, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	p, s, err := change(m.profiles[id], maps.Clone(m.secrets[id]))
	if err != nil {
		return err
	}
	m.profiles[id] = p
	if s != nil {
		m.secrets[id] = s
	}
	return nil
}

func (m *memoryStore) UpdateProfile(_ context.Context, id string, change func([]byte) ([]byte, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, err := change(m.profiles[id])
	if err == nil {
		m.profiles[id] = p
	}
	return err
}

func (m *memoryStore) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.profiles, id)
	delete(m.secrets, id)
	return nil
}

func (m *memoryStore) Lock(ctx context.Context, id, purpose string) (func(), error) {
	m.mu.Lock()
	l, ok := m.locks[id+purpose]
	if !ok {
		l = make(chan struct{}, 1)
		m.locks[id+purpose] = l
	}
	m.mu.Unlock()
	select {
	case l <- struct{}{}:
		return func() { <-l }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memoryStore) Changes(ctx context.Context) <-chan struct{} {
	c := make(chan struct{})
	context.AfterFunc(ctx, func() { close(c) })
	return c
}

package keychain

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zalando/go-keyring"
)

var errNoKey = errors.New("no key")

// faulty is a keychain that misbehaves as a test wants.
type faulty struct {
	mu       sync.Mutex
	value    string
	dismiss  bool
	stray    error // returned by a Set that worked
	hang     chan struct{}
	fail     error
	missing  error
	inside   atomic.Int32
	together atomic.Bool
	calls    atomic.Int32
}

func (f *faulty) Available() error { return f.missing }

func (f *faulty) enter() func() {
	f.calls.Add(1)
	if f.inside.Add(1) > 1 {
		f.together.Store(true)
	}
	return func() { f.inside.Add(-1) }
}

func (f *faulty) Get(string, string) (string, error) {
	defer f.enter()()
	time.Sleep(time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return "", f.fail
	}
	if f.value == "" {
		return "", keyring.ErrNotFound
	}
	return f.value, nil
}

func (f *faulty) Set(_, _, secret string) error {
	defer f.enter()()
	if f.hang != nil {
		<-f.hang
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.dismiss {
		f.value = secret
	}
	return f.stray
}

func TestSecurity30_SerializedWithADeadline(t *testing.T) {
	f := &faulty{hang: make(chan struct{})}
	s := newSystem(f, 100*time.Millisecond, errNoKey)
	if _, err := s.Key(t.Context(), true); !errors.Is(err, ErrTimeout) {
		t.Errorf("a prompt that never completes: %v", err)
	}
	// The hanging call keeps its turn: no second prompt appears over it.
	before := f.calls.Load()
	if _, err := s.Key(t.Context(), true); !errors.Is(err, ErrTimeout) {
		t.Errorf("%v", err)
	}
	if f.calls.Load() != before {
		t.Error("a second call was made while the first hung")
	}
	close(f.hang)
	g := &faulty{}
	s = newSystem(g, 10*time.Second, errNoKey)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := s.Key(t.Context(), true); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if g.together.Load() {
		t.Error("two calls ran at once")
	}
}

func TestSecurity31_ADismissedPromptIsNoSuccess(t *testing.T) {
	s := newSystem(&faulty{dismiss: true}, time.Second, errNoKey)
	if _, err := s.Key(t.Context(), true); !errors.Is(err, ErrDismissed) {
		t.Errorf("%v", err)
	}
}

func TestSecurity33_NoKeychainIsToldAndNothingElseHappens(t *testing.T) {
	f := &faulty{missing: errors.New("no bus")}
	if _, err := newSystem(f, time.Second, errNoKey).Key(t.Context(), true); !errors.Is(err, ErrNone) || f.calls.Load() != 0 {
		t.Errorf("%v after %d calls", err, f.calls.Load())
	}
	locked := &faulty{fail: errors.New("locked")}
	if _, err := newSystem(locked, time.Second, errNoKey).Key(t.Context(), true); !errors.Is(err, ErrLocked) {
		t.Errorf("%v", err)
	}
	if _, err := newSystem(&faulty{}, time.Second, errNoKey).Key(t.Context(), false); !errors.Is(err, errNoKey) {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newSystem(&faulty{hang: make(chan struct{})}, time.Second, errNoKey).Key(ended, true); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.json")
	say := func(p string) func(context.Context, bool) ([]byte, error) {
		return func(context.Context, bool) ([]byte, error) { return []byte(p), nil }
	}
	if _, err := NewPassphrase(path, errNoKey, say("x")).Key(t.Context(), false); !errors.Is(err, errNoKey) {
		t.Errorf("%v", err)
	}
	key, err := NewPassphrase(path, errNoKey, say("correct horse")).Key(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := NewPassphrase(path, errNoKey, say("correct horse")).Key(t.Context(), true)
	if err != nil || string(again) != string(key) {
		t.Errorf("%v", err)
	}
	if _, err := NewPassphrase(path, errNoKey, say("wrong")).Key(t.Context(), true); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("%v", err)
	}
	if _, err := NewPassphrase(path+"2", errNoKey, say("")).Key(t.Context(), true); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("an empty passphrase: %v", err)
	}
}

func TestSecurity38_HostileParametersAreRefusedBeforeAnyWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key.json")
	ok := func(context.Context, bool) ([]byte, error) { return []byte("p"), nil }
	if _, err := NewPassphrase(path, errNoKey, ok).Key(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	asked := false
	ask := func(context.Context, bool) ([]byte, error) { asked = true; return []byte("p"), nil }
	for name, spoil := range map[string]func(*keyFile){
		"time":    func(f *keyFile) { f.Time = 1 << 31 },
		"memory":  func(f *keyFile) { f.Memory = 1<<32 - 1 },
		"threads": func(f *keyFile) { f.Threads = 255 },
		"weak":    func(f *keyFile) { f.Memory = 1 },
		"zero":    func(f *keyFile) { f.Time = 0 },
		"salt":    func(f *keyFile) { f.Salt = nil },
		"nonce":   func(f *keyFile) { f.Nonce = f.Nonce[:3] },
		"kdf":     func(f *keyFile) { f.KDF = "none" },
	} {
		var f keyFile
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatal(err)
		}
		spoil(&f)
		bad, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewPassphrase(path, errNoKey, ask).Key(t.Context(), true); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if asked {
		t.Error("the passphrase was asked for although the file was refused")
	}
}

func TestSecurity32_AStrayAnswerBreaksNoSet(t *testing.T) {
	f := &faulty{stray: errors.New("signal of somebody else")}
	key, err := newSystem(f, time.Second, errNoKey).Key(t.Context(), true)
	if err != nil || len(key) != KeySize {
		t.Errorf("%v", err)
	}
	if _, err := newSystem(&faulty{stray: errors.New("refused"), dismiss: true}, time.Second, errNoKey).Key(t.Context(), true); !errors.Is(err, ErrLocked) {
		t.Errorf("a Set that failed: %v", err)
	}
}

// named notes under which names an item is kept.
type named struct {
	faulty
	names []string
}

func (n *named) Set(service, user, secret string) error {
	n.names = append(n.names, service, user)
	return n.faulty.Set(service, user, secret)
}

func TestSecurity34_ItemNamesAreConstants(t *testing.T) {
	for range 2 {
		n := &named{}
		if _, err := newSystem(n, time.Second, errNoKey).Key(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		if len(n.names) != 2 || n.names[0] != "Jackfield" || n.names[1] != "data key" {
			t.Errorf("%q", n.names)
		}
	}
}

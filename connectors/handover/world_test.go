package handover_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/handover"
	"jackfield/connectors/link"
)

func TestMain(m *testing.M) {
	if os.Getenv(childTask) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

var errStore = errors.New("practice: the disk is full")

// shelf is a Store in memory whose writes can be made to fail.
type shelf struct {
	mu       sync.Mutex
	profiles map[string][]byte
	secrets  map[string]map[string]string
	writes   int
	failAt   int  // the write that fails; 0 for none
	failOn   bool // so do all after it
	noDelete bool
	order    []string // ids in the order in which they were made
}

func newShelf() *shelf {
	return &shelf{profiles: map[string][]byte{}, secrets: map[string]map[string]string{}}
}

func (s *shelf) write() error {
	s.writes++
	if s.failAt > 0 && (s.writes == s.failAt || s.failOn && s.writes > s.failAt) {
		return errStore
	}
	return nil
}

func (s *shelf) IDs(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.profiles)), nil
}

func (s *shelf) ReadProfile(ctx context.Context, id string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.profiles[id]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return p, ctx.Err()
}

func (s *shelf) ReadSecrets(_ context.Context, id string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.secrets[id]), nil
}

func (s *shelf) Update(ctx context.Context, id string, change func([]byte, map[string]string) ([]byte, map[string]string, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, secrets, err := change(s.profiles[id], maps.Clone(s.secrets[id]))
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	// As in the vault the secrets are written first: a crash between leaves them alone.
	if secrets != nil {
		s.secrets[id] = secrets
	}
	if err := s.write(); err != nil {
		return err
	}
	s.put(id, p)
	return nil
}

func (s *shelf) put(id string, p []byte) {
	if s.profiles[id] == nil {
		s.order = append(s.order, id)
	}
	s.profiles[id] = p
}

func (s *shelf) UpdateProfile(ctx context.Context, id string, change func([]byte) ([]byte, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := change(s.profiles[id])
	if err = errors.Join(err, ctx.Err()); err == nil {
		err = s.write()
	}
	if err == nil {
		s.put(id, p)
	}
	return err
}

func (s *shelf) Delete(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noDelete {
		return errStore
	}
	delete(s.profiles, id)
	delete(s.secrets, id)
	return ctx.Err()
}

func (s *shelf) Lock(context.Context, string, string) (func(), error) { return func() {}, nil }

func (s *shelf) Changes(ctx context.Context) <-chan struct{} {
	c := make(chan struct{})
	context.AfterFunc(ctx, func() { close(c) })
	return c
}

func (s *shelf) clone() *shelf {
	out := newShelf()
	out.profiles = maps.Clone(s.profiles)
	for k, v := range s.secrets {
		out.secrets[k] = maps.Clone(v)
	}
	return out
}

func (s *shelf) same(o *shelf) bool {
	return maps.EqualFunc(s.profiles, o.profiles, bytes.Equal) && maps.EqualFunc(s.secrets, o.secrets, maps.Equal)
}

var types = sync.OnceValue(all.All)

func book(s link.Store) *link.Book { return link.NewBook(link.List(types()), s, link.Outside{}) }

func secret(s string) connectors.Secret { return connectors.NewSecret(s) }

func save(t testing.TB, b *link.Book, typ, name string, plain map[string]string, secrets map[string]string) link.Connection {
	t.Helper()
	s := connectors.NewSettings()
	maps.Copy(s.Plain, plain)
	for k, v := range secrets {
		s.Secrets[k] = secret(v)
	}
	c, err := b.Create(t.Context(), link.Draft{Type: typ, Name: name, Description: "Of the practice.", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// household is a book with connections that refer to each other, and one with a
// sign-in.
func household(t testing.TB) (*link.Book, []string) {
	t.Helper()
	b := book(newShelf())
	jump := save(t, b, "ssh", "Jump", map[string]string{"host": "jump.example.com", "user": "ops"}, map[string]string{"password": "practice-only-jump", "known_hosts": "jump.example.com ssh-ed25519 AAAA"})
	who := save(t, b, "user_password", "Reader", map[string]string{"user": "reader"}, map[string]string{"password": "practice-only-reader"})
	db := save(t, b, "postgres", "Orders", map[string]string{"host": "db.example.com", "database": "orders", "place": "on_premise", "via": "ssh", "via_account": jump.ID, "identity": who.ID}, nil)
	web := save(t, b, "github", "Code", map[string]string{"auth": "device", "client_id": "abc"}, map[string]string{"oauth_token": `{"refresh_token":"practice-only-rotating"}`})
	return b, []string{db.ID, web.ID}
}

func reason(err error) string {
	var e *connectors.Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Reason
}

func refused(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || reason(err) != want {
		t.Fatalf("got %v (%s), want %s", err, reason(err), want)
	}
	if !connectors.English().Has(want) {
		t.Errorf("%s has no words", want)
	}
	if p := connectors.Explain(err); strings.Contains(p.Title+p.Hint, "{") || strings.Contains(p.Title, "the server") {
		t.Errorf("the words of %s are not filled in: %+v", want, p)
	}
}

func pack(t testing.TB, b *link.Book, ids []string, o handover.PackOptions) (handover.Bundle, []string) {
	t.Helper()
	o.Now = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	out, notes, err := handover.Pack(t.Context(), b, ids, o)
	if err != nil {
		t.Fatal(err)
	}
	return out, notes
}

func seal(t testing.TB, b handover.Bundle, to handover.Recipients, armored bool) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := handover.Seal(&out, b, to, armored); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func run(t testing.TB, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, said.String())
	}
	return out
}

func file(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// revealed is a bundle with its secrets readable, to compare.
func revealed(b handover.Bundle) map[string]string {
	out := map[string]string{"note": b.Note, "from": b.From, "created": b.Created.String()}
	for _, c := range b.Connections {
		out[c.ID+" "+c.Type+" "+c.Name+" "+c.Description] = ""
		for k, v := range c.Plain {
			out[c.ID+" plain "+k] = v
		}
		for k, v := range c.Secrets {
			out[c.ID+" secret "+k] = v.Reveal()
		}
		for k, v := range c.Issued {
			out[c.ID+" issued "+k] = v.Reveal()
		}
	}
	return out
}

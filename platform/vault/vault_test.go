package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"jackfield/platform/atomicfile"
)

const (
	one    = "11111111-1111-4111-8111-111111111111"
	two    = "22222222-2222-4222-8222-222222222222"
	canary = "canary-secret-for-tests"
)

// keys is a KeySource whose behaviour a test sets.
type keys struct {
	key  []byte
	fail error
	made int
}

func (k *keys) Kind() string { return "memory" }
func (k *keys) Key(_ context.Context, create bool) ([]byte, error) {
	switch {
	case k.fail != nil:
		return nil, k.fail
	case k.key == nil && !create:
		return nil, ErrNoKey
	case k.key == nil:
		k.made++
		k.key = bytes.Repeat([]byte{7}, 32)
	}
	return k.key, nil
}

func open(t *testing.T, dir string, k KeySource) *Vault {
	t.Helper()
	v, err := Open(Options{Dir: dir, Keys: k, Poll: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func put(t *testing.T, v *Vault, id, secret string) {
	t.Helper()
	err := v.Update(t.Context(), id, func([]byte, map[string]string) ([]byte, map[string]string, error) {
		return []byte(`{"name":"x"}`), map[string]string{"password": secret}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoundTripAndDelete(t *testing.T) {
	dir := t.TempDir()
	k := &keys{}
	v := open(t, dir, k)
	put(t, v, one, "first")
	put(t, v, one, canary)
	put(t, v, two, "other")
	again := open(t, dir, k)
	got, err := again.ReadSecrets(t.Context(), one)
	if err != nil || got["password"] != canary {
		t.Fatalf("%v %v", got, err)
	}
	ids, err := again.IDs(t.Context())
	if err != nil || len(ids) != 2 {
		t.Errorf("%v %v", ids, err)
	}
	if err := again.Delete(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if _, err := again.ReadProfile(t.Context(), one); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a deleted profile: %v", err)
	}
}

func TestSecurity42_DeleteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, &keys{})
	put(t, v, one, "a")
	put(t, v, one, "b")
	if err := v.Delete(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"connections", "secrets"} {
		entries, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.Contains(e.Name(), one) {
				t.Errorf("%s/%s is left", folder, e.Name())
			}
		}
	}
}

func TestSecurity33_NothingPlainOnDisk(t *testing.T) {
	for name, k := range map[string]*keys{"works": {}, "no bus": {fail: errors.New("no bus")}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			v := open(t, dir, k)
			err := v.Update(t.Context(), one, func([]byte, map[string]string) ([]byte, map[string]string, error) {
				return []byte(`{}`), map[string]string{"password": canary}, nil
			})
			if (err == nil) != (k.fail == nil) {
				t.Errorf("%v", err)
			}
			walk := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				data, err := os.ReadFile(path)
				if bytes.Contains(data, []byte(canary)) {
					t.Errorf("the secret is in %s", path)
				}
				return err
			})
			if walk != nil {
				t.Fatal(walk)
			}
		})
	}
}

func TestSecurity35_LargeSecrets(t *testing.T) {
	v := open(t, t.TempDir(), &keys{})
	big := strings.Repeat("t", 20<<10)
	put(t, v, one, big)
	if got, err := v.ReadSecrets(t.Context(), one); err != nil || got["password"] != big {
		t.Errorf("%d bytes, %v", len(got["password"]), err)
	}
}

func TestSecurity37_TamperingIsNoticed(t *testing.T) {
	dir := t.TempDir()
	k := &keys{}
	put(t, open(t, dir, k), one, "old")
	path := filepath.Join(dir, "secrets", one+".sealed")
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, open(t, dir, k), one, "new")
	put(t, open(t, dir, k), two, "other")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(filepath.Join(dir, "secrets", two+".sealed"))
	if err != nil {
		t.Fatal(err)
	}
	try := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := open(t, dir, k).ReadSecrets(t.Context(), one)
		if err == nil && got["password"] == "new" {
			return // a flipped bit that JSON or base64 ignores changes nothing
		}
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1
		try(fmt.Sprint("byte ", i), flipped)
	}
	for _, n := range []int{0, 1, len(good) / 2, len(good) - 1} {
		try(fmt.Sprint("cut to ", n), good[:n])
	}
	try("another connection's", other)
	try("an older one", old)
	var e envelope
	if err := json.Unmarshal(old, &e); err != nil {
		t.Fatal(err)
	}
	e.Generation = 99
	forged, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	try("an older one with a new number", forged)
}

func TestSecurity40_AnUnreadableStoreIsNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	k := &keys{}
	put(t, open(t, dir, k), one, "first")
	put(t, open(t, dir, k), one, "second")
	for _, name := range []string{filepath.Join("secrets", one+".sealed"), filepath.Join("connections", one+".json")} {
		path := filepath.Join(dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		zero := make([]byte, len(good))
		if err := os.WriteFile(path, zero, 0o600); err != nil {
			t.Fatal(err)
		}
		err = open(t, dir, k).Update(t.Context(), one, func([]byte, map[string]string) ([]byte, map[string]string, error) {
			return []byte(`{}`), map[string]string{"password": "x"}, nil
		})
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), atomicfile.Backup) {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, zero) {
			t.Errorf("%s was overwritten", name)
		}
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecurity41_AMissingKeyIsNeverReplaced(t *testing.T) {
	dir := t.TempDir()
	put(t, open(t, dir, &keys{}), one, "first")
	lost := &keys{}
	v := open(t, dir, lost)
	if _, err := v.ReadSecrets(t.Context(), one); !errors.Is(err, ErrKeyMissing) {
		t.Errorf("reading: %v", err)
	}
	err := v.Update(t.Context(), two, func([]byte, map[string]string) ([]byte, map[string]string, error) {
		return []byte(`{}`), map[string]string{"p": "x"}, nil
	})
	if !errors.Is(err, ErrKeyMissing) || lost.made != 0 {
		t.Errorf("writing: %v, %d keys made", err, lost.made)
	}
}

func TestSecurity39_LinksAreRefused(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, &keys{})
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "connections", one+".json")); err != nil {
		t.Fatal(err)
	}
	if _, err := v.ReadProfile(t.Context(), one); err == nil {
		t.Error("a planted link is read")
	}
	for _, bad := range []string{"../../etc/passwd", "", "x", one + "/../" + two} {
		if _, err := v.ReadProfile(t.Context(), bad); !errors.Is(err, ErrBadID) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	put(t, v, two, "x")
	info, err := os.Stat(filepath.Join(dir, "secrets", two+".sealed"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
}

// TestMain is also the second program of TestSecurity78.
func TestMain(m *testing.M) {
	dir := os.Getenv("JACKFIELD_TEST_SECOND")
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := count(dir, 50); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// count adds one to a profile's and a secret's number, n times.
func count(dir string, n int) error {
	v, err := Open(Options{Dir: dir, Keys: &keys{key: bytes.Repeat([]byte{7}, 32)}})
	if err != nil {
		return err
	}
	for range n {
		err := v.Update(context.Background(), one, func(p []byte, s map[string]string) ([]byte, map[string]string, error) {
			var c struct{ N int }
			if p != nil {
				if err := json.Unmarshal(p, &c); err != nil {
					return nil, nil, err
				}
			}
			c.N++
			out, err := json.Marshal(c)
			return out, map[string]string{"n": s["n"] + "i"}, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestSecurity78_TwoProgramsLoseNothing(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	for range 2 {
		child := exec.Command(os.Args[0], "-test.run=^$")
		child.Env = append(os.Environ(), "JACKFIELD_TEST_SECOND="+dir)
		all.Go(func() {
			if out, err := child.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Go(func() {
		if err := count(dir, 50); err != nil {
			t.Error(err)
		}
	})
	all.Wait()
	v := open(t, dir, &keys{key: bytes.Repeat([]byte{7}, 32)})
	p, err := v.ReadProfile(t.Context(), one)
	if err != nil || string(p) != `{"N":150}` {
		t.Errorf("profile %s %v", p, err)
	}
	if s, err := v.ReadSecrets(t.Context(), one); err != nil || len(s["n"]) != 150 {
		t.Errorf("%d of 150 secret updates, %v", len(s["n"]), err)
	}
}

func TestChangesAreTold(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, &keys{})
	ctx, cancel := context.WithCancel(t.Context())
	ticks := v.Changes(ctx)
	put(t, open(t, dir, &keys{}), one, "x")
	select {
	case <-ticks:
	case <-time.After(10 * time.Second):
		t.Error("another program's save is not told")
	}
	cancel()
	for range ticks {
	}
}

// A folder's name may hold the characters of a pattern.
func TestSecurity41_BracketsInThePathHideNoRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[x]b")
	v := open(t, dir, &keys{})
	put(t, v, one, "first")
	lost := &keys{}
	err := open(t, dir, lost).Update(t.Context(), two, func([]byte, map[string]string) ([]byte, map[string]string, error) {
		return []byte(`{}`), map[string]string{"p": "x"}, nil
	})
	if !errors.Is(err, ErrKeyMissing) || lost.made != 0 {
		t.Errorf("%v; %d keys were made over existing secrets", err, lost.made)
	}
	if err := v.Delete(t.Context(), one); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(v.sealed(one)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the sealed file is still there")
	}
}

// What was renamed away to its backup is existing data too.
func TestSecurity41_ABackupIsARecord(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir, &keys{})
	put(t, v, one, "first")
	if err := os.Rename(v.sealed(one), v.sealed(one)+atomicfile.Backup); err != nil {
		t.Fatal(err)
	}
	lost := &keys{}
	err := open(t, dir, lost).Update(t.Context(), two, func([]byte, map[string]string) ([]byte, map[string]string, error) {
		return []byte(`{}`), map[string]string{"p": "x"}, nil
	})
	if !errors.Is(err, ErrKeyMissing) || lost.made != 0 {
		t.Errorf("%v; %d keys", err, lost.made)
	}
}

func TestSecurity37_ARolledBackRecordWithoutItsIndexIsNoticed(t *testing.T) {
	dir := t.TempDir()
	k := &keys{}
	v := open(t, dir, k)
	put(t, v, one, "old")
	put(t, v, one, "mid")
	old, err := os.ReadFile(v.sealed(one))
	if err != nil {
		t.Fatal(err)
	}
	put(t, v, one, "new")
	if err := errors.Join(os.WriteFile(v.sealed(one), old, 0o600), os.Remove(v.indexPath())); err != nil {
		t.Fatal(err)
	}
	if got, err := open(t, dir, k).ReadSecrets(t.Context(), one); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v %v", got, err)
	}
}

func TestALostKeyDoesNotBlockANewStart(t *testing.T) {
	dir := t.TempDir()
	put(t, open(t, dir, &keys{}), one, "first")
	fresh := &keys{}
	v := open(t, dir, fresh)
	if err := v.Delete(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	put(t, v, two, "second")
	if got, err := open(t, dir, fresh).ReadSecrets(t.Context(), two); err != nil || got["password"] != "second" {
		t.Errorf("%v %v", got, err)
	}
	put(t, v, two, "third")
}

// slow is a keychain whose prompt stands open.
type slow struct{ wait chan struct{} }

func (s *slow) Kind() string { return "system" }
func (s *slow) Key(context.Context, bool) ([]byte, error) {
	<-s.wait
	return bytes.Repeat([]byte{7}, 32), nil
}

func TestSecurity30_AWaiterForTheKeychainCanLeave(t *testing.T) {
	s := &slow{wait: make(chan struct{})}
	v := open(t, t.TempDir(), s)
	var first sync.WaitGroup
	first.Go(func() { put(t, v, one, "x") })
	defer first.Wait()
	defer close(s.wait)
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := v.Update(ctx, two, func([]byte, map[string]string) ([]byte, map[string]string, error) {
		return []byte(`{}`), map[string]string{"p": "x"}, nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// lockable is a keychain that locks and unlocks.
type lockable struct {
	keys
	locked bool
}

func (l *lockable) Key(ctx context.Context, create bool) ([]byte, error) {
	if l.locked {
		return nil, errors.New("the keychain is locked")
	}
	return l.keys.Key(ctx, create)
}

func TestSecurity79_AKeychainThatLocksBlanksNothing(t *testing.T) {
	dir := t.TempDir()
	k := &lockable{}
	put(t, open(t, dir, k), one, "first")
	k.locked = true
	later := open(t, dir, k) // a new start: the key is not held
	err := later.Update(t.Context(), one, func([]byte, map[string]string) ([]byte, map[string]string, error) {
		return []byte(`{"name":"changed"}`), map[string]string{"password": "second"}, nil
	})
	if err == nil {
		t.Fatal("it was saved although the keychain is locked")
	}
	if p, err := later.ReadProfile(t.Context(), one); err != nil || !strings.Contains(string(p), `"x"`) {
		t.Errorf("the profile is %s %v", p, err)
	}
	k.locked = false
	if got, err := later.ReadSecrets(t.Context(), one); err != nil || got["password"] != "first" {
		t.Errorf("%v %v", got, err)
	}
	put(t, later, one, "second")
}

package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const id = "00000000-0000-4000-8000-000000000001"

func TestSecurity39_ForeignNamesAndLinksAreRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "history")
	j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "..", "../../etc/passwd", strings.ToUpper("abcdefab-0000-4000-8000-000000000001")} {
		if _, err := j.Read(t.Context(), bad); !errors.Is(err, ErrBadID) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, j.path(id)); err != nil {
		t.Fatal(err)
	}
	if data, err := j.Read(t.Context(), id); err == nil {
		t.Errorf("a link was followed: %q", data)
	}
	if err := j.Update(t.Context(), id, func([]byte) ([]byte, error) { return []byte("mine"), nil }); err == nil {
		t.Error("a link was written through")
	}
}

func TestChangesTakeTurns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "history")
	j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Read(t.Context(), id); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if err := j.Update(t.Context(), id, func(old []byte) ([]byte, error) { return append(old, 'x'), nil }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if data, err := j.Read(t.Context(), id); err != nil || len(data) != 20 {
		t.Errorf("%q %v", data, err)
	}
	info, err := os.Stat(j.path(id))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if ids, err := j.IDs(t.Context()); err != nil || len(ids) != 1 || ids[0] != id {
		t.Errorf("%v %v", ids, err)
	}
	if err := errors.Join(j.Remove(t.Context(), id), j.Remove(t.Context(), id)); err != nil {
		t.Error(err)
	}
	if ids, _ := j.IDs(t.Context()); len(ids) != 0 {
		t.Errorf("left: %v", ids)
	}
}

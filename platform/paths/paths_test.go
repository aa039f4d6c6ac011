package paths

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestSecurity39_FoldersArePrivateAndOurs(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Unix permissions")
	}
	base := t.TempDir()
	dir := filepath.Join(base, "a", "jackfield")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Private(dir); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	link := filepath.Join(base, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if err := Private(link); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a planted symlink: %v", err)
	}
	if os.Geteuid() == 0 {
		foreign := filepath.Join(base, "foreign")
		if err := os.Mkdir(foreign, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(foreign, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		if err := Private(foreign); !errors.Is(err, ErrUnsafe) {
			t.Errorf("a foreign owner: %v", err)
		}
	}
}

func TestDataFollowsTheEnvironment(t *testing.T) {
	t.Setenv(HomeVar, "/somewhere/else")
	if got, err := Data(); err != nil || got != "/somewhere/else" {
		t.Errorf("%q %v", got, err)
	}
}

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	childVar = "JACKFIELD_TEST_DIE_AT"
	pathVar  = "JACKFIELD_TEST_PATH"
)

// TestMain is also the child of TestSecurity76: it dies in the middle of a save.
func TestMain(m *testing.M) {
	if step := os.Getenv(childVar); step != "" {
		_ = write(os.Getenv(pathVar), []byte("new content"), 0o600, func(at string) error {
			if at == step {
				p, err := os.FindProcess(os.Getpid())
				if err == nil {
					_ = p.Kill()
				}
				select {}
			}
			return nil
		})
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestSecurity76_KillAtEveryStep(t *testing.T) {
	for _, step := range []string{"create", "write", "sync", "backup", "rename", "sync folder"} {
		t.Run(step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "profile.json")
			if err := Write(path, []byte("old content"), 0o600); err != nil {
				t.Fatal(err)
			}
			child := exec.Command(os.Args[0], "-test.run=^$")
			child.Env = append(os.Environ(), childVar+"="+step, pathVar+"="+path)
			if err := child.Run(); err == nil {
				t.Fatal("the child was not killed")
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := "old content"
			if step == "sync folder" {
				want = "new content"
			}
			if string(got) != want {
				t.Errorf("%q after a kill at %q, want %q", got, step, want)
			}
			if err := Write(path, []byte("after"), 0o600); err != nil {
				t.Errorf("the next save: %v", err)
			}
		})
	}
}

func TestSecurity77_AFailureLeavesTheOldFile(t *testing.T) {
	for _, step := range []string{"create", "write", "sync", "backup", "rename"} {
		t.Run(step, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			if err := Write(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			full := errors.New("no space left on device")
			err := write(path, []byte("new"), 0o600, func(at string) error {
				if at == step {
					return full
				}
				return nil
			})
			if !errors.Is(err, full) {
				t.Errorf("error %v", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
				t.Errorf("%q %v", got, err)
			}
			names, err := filepath.Glob(filepath.Join(dir, ".*.tmp"))
			if err != nil || len(names) != 0 {
				t.Errorf("left behind: %v %v", names, err)
			}
		})
	}
}

func TestWriteKeepsOneBackupAndTheMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	for _, v := range []string{"one", "two", "three"} {
		if err := Write(path, []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path + Backup); err != nil || string(got) != "two" {
		t.Errorf("backup %q %v", got, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	if err := Write(filepath.Join(t.TempDir(), "no", "such", "folder"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "folder") {
		t.Errorf("%v", err)
	}
}

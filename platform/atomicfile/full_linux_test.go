package atomicfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A real disk that is full: a small file system in memory, where this process
// may mount one.
func TestSecurity77_ARealDiskThatIsFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Logf("no file system can be mounted here (%v): the faults of every step stand for it", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, 0) })
	path := filepath.Join(dir, "f")
	old := bytes.Repeat([]byte("old"), 1000)
	if err := Write(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	err := Write(path, make([]byte, 200_000), 0o600)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, old) {
		t.Errorf("the old content is gone: %d bytes, %v", len(got), err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

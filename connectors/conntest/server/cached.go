package server

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Cached is a folder that fill fills once; it is kept between runs.
func Cached(tb testing.TB, name string, fill func(dir string)) string {
	tb.Helper()
	base := os.Getenv("JACKFIELD_TEST_CACHE")
	if base == "" {
		base = filepath.Join(os.TempDir(), "jackfield-test-cache")
	}
	dir := filepath.Join(base, name)
	if _, err := os.Stat(filepath.Join(dir, "ready")); err == nil {
		return dir
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		tb.Fatal(err)
	}
	part, err := os.MkdirTemp(base, "part-")
	if err != nil {
		tb.Fatal(err)
	}
	fill(part)
	WriteFile(tb, part, "ready", "", 0o644)
	if err := os.Rename(part, dir); err != nil && !errors.Is(err, os.ErrExist) {
		if _, again := os.Stat(filepath.Join(dir, "ready")); again != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

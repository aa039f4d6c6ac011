//go:build linux || darwin

package login

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Set makes it start at sign-in, or not any more: it is a file of this user's.
func (s Start) Set(on bool) error {
	path, err := s.place()
	if err != nil {
		return err
	}
	if !on {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("start at sign-in: %w", err)
		}
		return nil
	}
	if !s.valid() {
		return fmt.Errorf("start at sign-in: %q is no whole path", s.Program)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("start at sign-in: %w", err)
	}
	if err := os.WriteFile(path, s.entry(), 0o600); err != nil {
		return fmt.Errorf("start at sign-in: %w", err)
	}
	return nil
}

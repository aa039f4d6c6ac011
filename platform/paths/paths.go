// Package paths says where things are kept on this operating system.
package paths

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// HomeVar is the environment variable that overrides the data folder.
const HomeVar = "JACKFIELD_HOME"

// ErrUnsafe means that a folder belongs to somebody else or is a link.
var ErrUnsafe = errors.New("the data folder is not safe to use")

// Data is the data folder: $JACKFIELD_HOME, else %AppData%\Jackfield,
// ~/Library/Application Support/Jackfield, or $XDG_DATA_HOME/jackfield
// (https://specifications.freedesktop.org/basedir-spec). It is not created.
func Data() (string, error) {
	if dir := os.Getenv(HomeVar); dir != "" {
		return filepath.Abs(dir)
	}
	if runtime.GOOS == "linux" || runtime.GOOS == "freebsd" {
		if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
			return filepath.Join(dir, "jackfield"), nil
		}
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("data folder: %w", err)
		}
		return filepath.Join(home, ".local", "share", "jackfield"), nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("data folder: %w", err)
	}
	return filepath.Join(dir, "Jackfield"), nil
}

// Catalogue is where users put catalogue files of their own.
func Catalogue() (string, error) {
	dir, err := Data()
	return filepath.Join(dir, "catalogue"), err
}

// Private creates dir (and what is above it) readable by this user alone,
// whatever the umask, and refuses one that is a symbolic link or another user's.
func Private(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if err := Own(info); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if info.Mode().Perm() != 0o700 && runtime.GOOS != "windows" {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

// Own refuses what is a symbolic link or belongs to another user. info must
// come from os.Lstat.
func Own(info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%w: it is a symbolic link", ErrUnsafe)
	}
	return ownedByUs(info)
}

// Package atomicfile replaces files so that a crash at any moment leaves either
// the old content or the new one, whole.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup is what is appended to a name for its previous content.
const Backup = ".bak"

// Write replaces path's content: a temporary file in the same folder, fsync,
// rename, fsync of the folder. The previous content stays as path + Backup.
// perm is set whatever the umask. On an error the old file is untouched.
func Write(path string, data []byte, perm fs.FileMode) error {
	return write(path, data, perm, func(string) error { return nil })
}

// write calls at before each step, so that tests can stop it there.
func write(path string, data []byte, perm fs.FileMode, at func(step string) error) (err error) {
	dir := filepath.Dir(path)
	if err := at("create"); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return fmt.Errorf("save %s: %w", filepath.Base(path), err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
			err = fmt.Errorf("save %s: %w", filepath.Base(path), err)
		}
	}()
	if err := at("write"); err != nil {
		return err
	}
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	if err := tmp.Chmod(perm); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := at("sync"); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := at("backup"); err != nil {
		return err
	}
	if err := keep(path); err != nil {
		return err
	}
	if err := at("rename"); err != nil {
		return err
	}
	if err := replace(tmp.Name(), path); err != nil {
		return err
	}
	if err := at("sync folder"); err != nil {
		return err
	}
	return syncFolder(dir)
}

// keep makes the current content the backup without a moment in which path is
// missing: a second hard link to it, renamed over the old backup.
func keep(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	next := path + Backup + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(path, next); err != nil {
		// File systems without hard links (FAT, some network shares) get a copy.
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(next, data, 0o600); err != nil {
			return err
		}
	}
	return replace(next, path+Backup)
}

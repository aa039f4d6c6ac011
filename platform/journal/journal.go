// Package journal keeps small texts in a folder, one file an id, which several
// processes may change at once: changes take turns and replace the file whole.
package journal

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"jackfield/platform/atomicfile"
	"jackfield/platform/filelock"
	"jackfield/platform/paths"
)

// ErrBadID means that an id is no UUID, and so never becomes part of a path.
var ErrBadID = errors.New("not an id")

const ending = ".log"

// A Journal is safe for concurrent use, also by several processes on one folder.
type Journal struct{ dir string }

// Open prepares the folder: private to this user, or an error.
func Open(dir string) (*Journal, error) {
	for _, d := range []string{dir, filepath.Join(dir, "locks")} {
		if err := paths.Private(d); err != nil {
			return nil, err
		}
	}
	return &Journal{dir: dir}, nil
}

var idShape = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (j *Journal) path(id string) string { return filepath.Join(j.dir, id+ending) }

func check(ctx context.Context, id string) error {
	if !idShape.MatchString(id) {
		return fmt.Errorf("%w: %q", ErrBadID, id)
	}
	return ctx.Err()
}

// IDs lists what is kept.
func (j *Journal) IDs(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ending); ok && idShape.MatchString(id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// Read returns one text, as it was before or after any change and never in
// between; fs.ErrNotExist says that there is none. Links and other users' files
// are refused.
func (j *Journal) Read(ctx context.Context, id string) ([]byte, error) {
	if err := check(ctx, id); err != nil {
		return nil, err
	}
	info, err := os.Lstat(j.path(id))
	if err != nil {
		return nil, err
	}
	if err := paths.Own(info); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(j.path(id)), err)
	}
	return os.ReadFile(j.path(id))
}

// Update is a locked read-modify-write; old is nil for a new id.
func (j *Journal) Update(ctx context.Context, id string, change func(old []byte) ([]byte, error)) error {
	unlock, err := j.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := j.Read(ctx, id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after, err := change(old)
	if err != nil {
		return err
	}
	return atomicfile.Write(j.path(id), after, 0o600)
}

// Remove takes a text and its backup away; that there is none is no error.
func (j *Journal) Remove(ctx context.Context, id string) error {
	unlock, err := j.lock(ctx, id)
	if err != nil {
		return err
	}
	defer unlock()
	for _, path := range []string{j.path(id), j.path(id) + atomicfile.Backup} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// lock shares 256 files among all ids: a lock's file is never removed.
func (j *Journal) lock(ctx context.Context, id string) (unlock func(), err error) {
	if err := check(ctx, id); err != nil {
		return nil, err
	}
	return filelock.Lock(ctx, filepath.Join(j.dir, "locks", id[:2]))
}

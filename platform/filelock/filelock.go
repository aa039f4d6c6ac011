// Package filelock makes processes take turns.
package filelock

import (
	"context"
	"fmt"
	"time"

	"github.com/gofrs/flock"
)

// retry is how often a held lock is tried again: the operating systems have no
// lock that waits and can be cancelled.
const retry = 10 * time.Millisecond

// Lock waits until path is locked for this caller alone, among all processes
// and all goroutines. The file is created and stays; unlock may be called once.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	l := flock.New(path, flock.SetPermissions(0o600))
	ok, err := l.TryLockContext(ctx, retry)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if !ok {
		return nil, fmt.Errorf("lock %s: not obtained", path)
	}
	return func() { _ = l.Close() }, nil
}

package hygiene

import (
	"errors"

	"golang.org/x/sys/unix"
)

// noCoreDumps also keeps other processes of the user from attaching, see prctl(2).
func noCoreDumps() error {
	return errors.Join(
		unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}),
		unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
}

//go:build !windows

package paths

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

func ownedByUs(info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w: it belongs to user %d", ErrUnsafe, st.Uid)
	}
	return nil
}

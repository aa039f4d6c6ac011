package loopback

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// soExclusiveAddrUse is SO_EXCLUSIVEADDRUSE, which is ~SO_REUSEADDR.
const soExclusiveAddrUse = ^windows.SO_REUSEADDR

// exclusive keeps another program from binding the same port and taking the
// callback (https://github.com/golang/go/issues/45150).
func exclusive(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, soExclusiveAddrUse, 1)
	})
	if err != nil {
		return err
	}
	return set
}

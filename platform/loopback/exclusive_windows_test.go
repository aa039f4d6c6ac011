package loopback

import (
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// reuse is what another program would ask for to take a port over.
func reuse(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
	})
	if err != nil {
		return err
	}
	return set
}

func TestSecurity02_ThePortIsExclusive(t *testing.T) {
	l := listen(t)
	lc := net.ListenConfig{Control: reuse}
	if other, err := lc.Listen(t.Context(), "tcp", l.host); err == nil {
		_ = other.Close()
		t.Error("another program can take the port")
	}
}

package server

import (
	"net"
	"strconv"
	"syscall"
)

// reserve keeps the port from the tests of other processes: a name in the
// kernel's own space (unix(7), abstract sockets), which goes with the process.
func reserve(port int) (release func(), err error) {
	l, err := net.Listen("unix", "@jackfield-test-port-"+strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	return func() { _ = l.Close() }, nil
}

func strict(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 0)
	})
	if err != nil {
		return err
	}
	return failed
}

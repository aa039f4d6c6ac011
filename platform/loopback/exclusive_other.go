//go:build !windows

package loopback

import "syscall"

// exclusive has nothing to do: without SO_REUSEPORT the bind is exclusive.
func exclusive(string, string, syscall.RawConn) error { return nil }

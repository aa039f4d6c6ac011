package server

import (
	"os/exec"
	"strconv"
	"testing"
)

// RcloneDAV serves a folder by WebDAV with rclone and returns its host:port. args
// are further ones of "rclone serve webdav", such as --user and --cert.
func RcloneDAV(tb testing.TB, dir string, args ...string) (addr string) {
	tb.Helper()
	program := Program(tb, "rclone", "rclone")
	addr = "127.0.0.1:" + strconv.Itoa(FreePort(tb))
	// No configuration of whoever runs the test.
	cmd := exec.Command(program, append([]string{"serve", "webdav", dir, "--addr", addr, "--config", "/dev/null", "--cache-dir", tb.TempDir(), "--read-only"}, args...)...)
	p := Start(tb, cmd, addr)
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("rclone: %s", p.Output())
		}
	})
	return addr
}

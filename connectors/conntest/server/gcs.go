package server

import (
	"os/exec"
	"strconv"
	"testing"
)

// fakeGCSModule is the emulator of Google Cloud Storage's JSON interface.
const fakeGCSModule = "github.com/fsouza/fake-gcs-server@v1.56.1"

// FakeGCS starts fake-gcs-server, empty and in memory, and returns its URL. It
// looks at no sign-in.
func FakeGCS(tb testing.TB) (url string) {
	tb.Helper()
	port := strconv.Itoa(FreePort(tb))
	addr := "127.0.0.1:" + port
	cmd := exec.Command(GoProgram(tb, fakeGCSModule), "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory", "-public-host", addr, "-log-level", "warn")
	showOutput(tb, Start(tb, cmd, addr))
	return "http://" + addr
}

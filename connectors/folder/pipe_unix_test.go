//go:build unix

package folder

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"jackfield/connectors"
)

// TestAPipeIsNotOpened: opening one would wait until somebody writes into it.
func TestAPipeIsNotOpened(t *testing.T) {
	dir := seed(t)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.csv"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir)
	done := make(chan error, 2)
	go func() {
		_, err := s.Table(t.Context(), "pipe.csv", 10)
		done <- err
		for _, err := range s.Children(t.Context(), "pipe.csv") {
			done <- err
		}
	}()
	for range 2 {
		select {
		case err := <-done:
			if code := connectors.CodeOf(err); code != connectors.Unsupported && code != connectors.NotFound {
				t.Errorf("%v", err)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("it waits for the pipe")
		}
	}
}

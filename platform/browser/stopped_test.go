//go:build !windows

package browser

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestAStoppedSignInOpensNoOtherBrowser(t *testing.T) {
	dir := t.TempDir()
	opened := filepath.Join(dir, "opened")
	second := filepath.Join(dir, "second")
	if err := os.WriteFile(second, []byte("#!/bin/sh\ntouch "+opened+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWSER", filepath.Join(dir, "missing")+string(os.PathListSeparator)+second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Open(ctx, "https://login.example.com/"); err == nil {
		t.Error("it was stopped and opened all the same")
	}
	if _, err := os.Stat(opened); err == nil {
		t.Error("another browser was started")
	}
}

//go:build !windows

package browser

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSecurity08_OnlyWebPagesAreOpened(t *testing.T) {
	for _, bad := range []string{"file:///etc/passwd", `\\host\share`, "javascript:alert(1)", "--upload-pack=x", "https://a\x00b", "http://example.com/", "https://a b", "", "https://", "vbscript:x", "https://u:p@example.com/", "https://example.com/\u202e"} {
		if err := Check(bad); !errors.Is(err, ErrURL) {
			t.Errorf("%q is accepted: %v", bad, err)
		}
	}
	for _, good := range []string{"https://login.example.com/authorize?a=b&c=d%20e#f", "http://127.0.0.1:4000/x", "http://localhost:1/", "http://[::1]:1/"} {
		if err := Check(good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
}

// opener puts a script called xdg-open first on the path.
func opener(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	t.Setenv("BROWSER", "")
	return dir
}

func TestSecurity09_TheOpenerIsBoundedAndQuiet(t *testing.T) {
	const link = "https://example.com/?a=b&c=d;e"
	t.Run("gets the link as one argument", func(t *testing.T) {
		dir := opener(t, `printf '%s|' "$#" "$1" > "$(dirname "$0")/got"`)
		if err := Open(t.Context(), link); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "got")); err != nil || string(got) != "1|"+link+"|" {
			t.Errorf("%s %v", got, err)
		}
	})
	t.Run("fails", func(t *testing.T) {
		opener(t, "echo no display here >&2; exit 3")
		t.Setenv("PATH", strings.Split(os.Getenv("PATH"), ":")[0]+":/bin")
		if err := Open(t.Context(), link); err == nil {
			t.Error("its failure is not told")
		} else if !strings.Contains(err.Error(), "no display here") {
			t.Errorf("its output is not told: %v", err)
		}
	})
	t.Run("chatters", func(t *testing.T) {
		opener(t, "head -c 1000000 /dev/zero | tr '\\0' x; exit 1")
		if err := Open(t.Context(), link); err == nil || len(err.Error()) > 5000 {
			t.Errorf("output is not capped: %d bytes", len(err.Error()))
		}
	})
	t.Run("hangs", func(t *testing.T) {
		opener(t, "exec sleep 30")
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := Open(ctx, link); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
	t.Run("the user's own", func(t *testing.T) {
		dir := opener(t, "exit 9")
		mine := filepath.Join(dir, "mine")
		if err := os.WriteFile(mine, []byte("#!/bin/sh\necho \"$2\" > \"$1\""), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("BROWSER", mine+" "+dir+"/got %s")
		if err := Open(t.Context(), link); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(filepath.Join(dir, "got")); strings.TrimSpace(string(got)) != link {
			t.Errorf("got %q", got)
		}
	})
}

func TestTheLinkGoesWhereTheUserWantsIt(t *testing.T) {
	const link = "https://example.com/?code=canary"
	dir := opener(t, "exit 9")
	mine := filepath.Join(dir, "mine")
	if err := os.WriteFile(mine, []byte("#!/bin/sh\necho \"$2 $3\" > \"$1\""), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWSER", mine+" "+dir+"/got %s --new-window")
	if err := Open(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "got")); strings.TrimSpace(string(got)) != link+" --new-window" {
		t.Errorf("got %q", got)
	}
	opener(t, `echo "cannot open $1" >&2; exit 3`)
	t.Setenv("PATH", strings.Split(os.Getenv("PATH"), ":")[0]+":/bin")
	if err := Open(t.Context(), link); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("the link is in the error: %v", err)
	}
}

package filedialog

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// standIn puts a program in zenity's place: what the real one prints and how it
// ends is zenity(1)'s.
func standIn(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "zenity"), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
}

func TestStandInADialogsAnswers(t *testing.T) {
	standIn(t, `echo "/tmp/Sales report.csv"`)
	if p, err := Open(t.Context(), "Choose a file"); p != "/tmp/Sales report.csv" || err != nil {
		t.Errorf("%q %v", p, err)
	}
	if p, err := Save(t.Context(), "Save", "x.csv"); p != "/tmp/Sales report.csv" || err != nil {
		t.Errorf("%q %v", p, err)
	}
	standIn(t, "exit 1")
	if p, err := Open(t.Context(), "Choose a file"); p != "" || err != nil {
		t.Errorf("closed without an answer: %q %v", p, err)
	}
}

func TestStandInADialogThatIsLeftGoes(t *testing.T) {
	standIn(t, "exec /bin/sleep 60")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if p, err := Open(ctx, "Choose a file"); p != "" || !errors.Is(err, context.Canceled) {
		t.Errorf("%q %v", p, err)
	}
}

func TestWithoutADialogThatIsSaid(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Open(t.Context(), "x"); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

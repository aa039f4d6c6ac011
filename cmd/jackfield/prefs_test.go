package main

import (
	"os"
	"path/filepath"
	"testing"

	"jackfield/gui"
)

func TestPreferencesAreAFile(t *testing.T) {
	p := prefsIn(filepath.Join(t.TempDir(), "new"))
	if got, err := p.Load(); err != nil || got != (gui.Prefs{}) {
		t.Fatalf("%+v, %v", got, err)
	}
	want := gui.Prefs{Theme: "dark", Width: 1200, Height: 800, Last: "abc"}
	if err := p.Save(want); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Load(); err != nil || got != want {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := os.WriteFile(p.path, []byte(`{"theme": 7`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Load(); err == nil || got != (gui.Prefs{}) {
		t.Errorf("%+v, %v", got, err)
	}
}

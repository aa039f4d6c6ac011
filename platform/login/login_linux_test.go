package login

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAProgramStartsAtSignIn(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	s := Start{ID: "app.jackfield", Name: "Jackfield", Program: "/opt/My programs/50% \"off\"/jack$field", Args: []string{"--background"}}
	if on, err := s.On(); on || err != nil {
		t.Fatal(on, err)
	}
	if err := s.Set(true); err != nil {
		t.Fatal(err)
	}
	if on, err := s.On(); !on || err != nil {
		t.Fatal(on, err)
	}
	path := filepath.Join(dir, "autostart", "app.jackfield.desktop")
	if out, err := exec.Command("desktop-file-validate", path).CombinedOutput(); err != nil {
		t.Errorf("%s %v", out, err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), `Exec="/opt/My programs/50%% \\"off\\"/jack\\$field" --background`) {
		t.Errorf("%s %v", data, err)
	}
	if err := os.WriteFile(path, append(data, "Hidden=true\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if on, _ := s.On(); on {
		t.Error("the desktop's settings switched it off")
	}
	for range 2 {
		if err := s.Set(false); err != nil {
			t.Fatal(err)
		}
	}
	if err := (Start{ID: "x", Program: "jackfield"}).Set(true); err == nil {
		t.Error("a program without its whole path would be another one tomorrow")
	}
}

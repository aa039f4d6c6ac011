package login

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// place is the desktop's folder of what starts at sign-in
// (https://specifications.freedesktop.org/autostart-spec).
func (s Start) place() (string, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("start at sign-in: %w", err)
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "autostart", s.ID+".desktop"), nil
}

// On reports whether it starts at sign-in. A person may have switched it off in
// the desktop's settings, which write Hidden or X-GNOME-Autostart-enabled.
func (s Start) On() (bool, error) {
	path, err := s.place()
	if err != nil {
		return false, err
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	text := "\n" + string(data)
	return err == nil && !strings.Contains(text, "\nHidden=true") && !strings.Contains(text, "\nX-GNOME-Autostart-enabled=false"), err
}

// entry is the file's content.
func (s Start) entry() []byte {
	command := quoted(s.Program)
	for _, a := range s.Args {
		command += " " + a
	}
	return []byte("[Desktop Entry]\nType=Application\nName=" + s.Name + "\nExec=" + command + "\nIcon=jackfield\nX-GNOME-Autostart-enabled=true\n")
}

// quoted follows the desktop entry specification, section "The Exec key": inside
// double quotes ", `, $ and \ take a backslash, which as a string is written
// twice; % begins a field code.
func quoted(path string) string {
	r := strings.NewReplacer(`\`, `\\\\`, `"`, `\\"`, "`", "\\\\`", "$", `\\$`, "%", "%%", "\n", " ")
	return `"` + r.Replace(path) + `"`
}

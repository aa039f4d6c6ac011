package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"jackfield/gui"
	"jackfield/platform/atomicfile"
)

// mostPrefs bounds what is read of the file.
const mostPrefs = 64 << 10

// prefs keep what a person chose for the window in a file of the data folder.
type prefs struct{ path string }

func prefsIn(dir string) prefs { return prefs{filepath.Join(dir, "window.json")} }

// Load implements gui.PrefStore. Without a file nothing was chosen.
func (p prefs) Load() (gui.Prefs, error) {
	var out gui.Prefs
	f, err := os.Open(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	defer func() { _ = f.Close() }()
	if err := json.NewDecoder(io.LimitReader(f, mostPrefs)).Decode(&out); err != nil {
		return gui.Prefs{}, fmt.Errorf("%s: %w", p.path, err)
	}
	return out, nil
}

// Save implements gui.PrefStore.
func (p prefs) Save(v gui.Prefs) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.path), 0o700); err != nil {
		return err
	}
	return atomicfile.Write(p.path, append(data, '\n'), 0o600)
}

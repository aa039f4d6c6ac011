package login

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// place is where launchd looks for what this user starts at sign-in
// (launchd.plist(5)).
func (s Start) place() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("start at sign-in: %w", err)
	}
	return filepath.Join(home, "Library", "LaunchAgents", s.ID+".plist"), nil
}

// On reports whether it starts at sign-in.
func (s Start) On() (bool, error) {
	path, err := s.place()
	if err != nil {
		return false, err
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// entry is the file's content.
func (s Start) entry() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n<plist version=\"1.0\"><dict>\n<key>Label</key><string>")
	_ = xml.EscapeText(&b, []byte(s.ID)) // into memory: cannot fail
	b.WriteString("</string>\n<key>RunAtLoad</key><true/>\n<key>ProgramArguments</key><array>")
	for _, a := range append([]string{s.Program}, s.Args...) {
		b.WriteString("<string>")
		_ = xml.EscapeText(&b, []byte(a))
		b.WriteString("</string>")
	}
	b.WriteString("</array>\n</dict></plist>\n")
	return b.Bytes()
}

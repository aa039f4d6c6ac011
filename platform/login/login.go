// Package login starts a program when the person signs in to this computer.
package login

import "path/filepath"

// A Start is a program that starts at sign-in: for this user alone, and in the
// place where the system's own settings show it and can take it away.
type Start struct {
	ID      string   // "app.jackfield"
	Name    string   // as the system's settings show it
	Program string   // its whole path
	Args    []string // without blanks or quotes
}

func (s Start) valid() bool { return s.ID != "" && filepath.IsAbs(s.Program) }

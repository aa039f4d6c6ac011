package wire

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/all"
	"jackfield/connectors/link"
	"jackfield/connectors/web"
	"jackfield/platform/paths"
)

// An Unusable is a catalogue file of the user's that cannot be used.
type Unusable struct {
	File   string // its path; "" when the folder itself cannot be told
	Line   int    // 0 when the fault is the whole file's
	Reason string
}

// Types are the built-in types and the user's own, and the user's files that
// cannot be used.
func Types() (link.Types, []Unusable) {
	dir, err := paths.Catalogue()
	if err != nil {
		return link.List(all.All()), []Unusable{{Reason: err.Error()}}
	}
	types, errs := all.NewShelf(dir)
	var out []Unusable
	for _, err := range errs {
		out = append(out, Fault(err))
	}
	return types, out
}

// Fault takes an error of web.FromFile or all.NewShelf apart.
func Fault(err error) Unusable {
	u := Unusable{Reason: err.Error()}
	var f *web.FileError
	if errors.As(err, &f) {
		u.File, u.Line, u.Reason = f.File, f.Line, f.Err.Error()
	}
	first, _, _ := strings.Cut(u.Reason, "\n")
	u.Reason = connectors.Clean(strings.TrimSpace(first), 300)
	return u
}

// Place is the file and the line, with the whole path where it is wanted.
func (u Unusable) Place(whole bool) string {
	file := u.File
	if !whole {
		file = filepath.Base(file)
	}
	switch {
	case u.File == "":
		return "catalogue folder"
	case u.Line == 0:
		return file
	}
	return fmt.Sprintf("%s, line %d", file, u.Line)
}

// String names the file with its path.
func (u Unusable) String() string { return u.Place(true) + ": " + u.Reason }

package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A FileError is a catalogue file that cannot be used.
type FileError struct {
	File string
	Line int // 0 when the fault is the whole file's
	Err  error
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("catalogue file %s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("catalogue file %s: line %d: %v", e.File, e.Line, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }

// in names the file of an error, and takes its line over.
func in(file string, err error) error {
	var at *lineError
	if errors.As(err, &at) {
		return &FileError{File: file, Line: at.line, Err: at.err}
	}
	return &FileError{File: file, Err: err}
}

// A lineError is wrong at one line.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// A flaw names the part of a file that is wrong, so that its line can be found.
type flaw struct {
	part string
	err  error
}

func (f *flaw) Error() string { return f.err.Error() }
func (f *flaw) Unwrap() error { return f.err }

// namedField is how a form's own check begins (connectors.Form.Check).
var namedField = regexp.MustCompile(`\bfield ([a-z][a-z0-9_]*):`)

// located adds the line of the part that is wrong.
func located(data []byte, err error) error {
	part := ""
	var f *flaw
	if errors.As(err, &f) {
		part = f.part
	} else if m := namedField.FindStringSubmatch(err.Error()); m != nil {
		part = "key: " + m[1]
	}
	if part == "" {
		return err
	}
	before, _, ok := bytes.Cut(data, []byte(part))
	if !ok {
		return err
	}
	return &lineError{bytes.Count(before, []byte("\n")) + 1, err}
}

// What the parser says: the line first, and of an unknown key the Go type.
var (
	parserLine = regexp.MustCompile(`(?s)^line (\d+): (.*)$`)
	unknownKey = regexp.MustCompile(`^field (\S+) not found in type .*$`)
)

// faulty makes a sentence of what the parser says.
func faulty(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the file is empty")
	}
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	var many *yaml.TypeError
	if errors.As(err, &many) && len(many.Errors) > 0 {
		said = many.Errors[0]
	}
	m := parserLine.FindStringSubmatch(said)
	if m == nil {
		return errors.New(said)
	}
	reason := m[2]
	if key := unknownKey.FindStringSubmatch(reason); key != nil {
		reason = "there is no key \"" + key[1] + "\" here"
	}
	line, err := strconv.Atoi(m[1])
	if err != nil {
		return errors.New(said)
	}
	return &lineError{line, errors.New(reason)}
}

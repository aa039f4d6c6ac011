package datafile

import (
	"context"
	"errors"
	"io"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/rows"
)

// A broken file is one that its own format forbids, or that goes beyond a bound.
type broken struct{ said string }

func (b broken) Error() string { return b.said }

var errBudget = errors.New("more would have to be read than a preview may")

// errStore marks what the store itself answered, so that it is not taken for a
// fault of the file.
type errStore struct{ err error }

func (e errStore) Error() string { return e.err.Error() }
func (e errStore) Unwrap() error { return e.err }

// fail is an error with words of its own.
func (f *file) fail(reason, said string) error { return failure(reason, f.name, said) }

func failure(reason, name, said string) error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: reason, Op: connectors.StageData, Target: base(name), Said: said}
}

// explain classifies what reading a file ended with.
func explain(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	var known *connectors.Error
	var store errStore
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &store):
		return connectors.Classify(store.err)
	case errors.Is(err, errBudget), errors.Is(err, rows.ErrLong):
		return &connectors.Error{Code: connectors.Unsupported, Reason: "files.too_large", Op: connectors.StageData, Target: base(name), Said: err.Error(), Err: err}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the file ends too early")
	}
	return &connectors.Error{Code: connectors.Unsupported, Reason: "files.broken", Op: connectors.StageData, Target: base(name), Said: err.Error(), Err: err}
}

// base is the last part of a path, as an error names a file.
func base(name string) string {
	name = strings.TrimRight(name, "/")
	return name[strings.LastIndexByte(name, '/')+1:]
}

package files

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/datafile"
)

// Table reads the first rows of one open file that belongs to no Tree. name may
// be empty: then the content alone tells what it is.
func Table(ctx context.Context, f File, name string, limit int) (*connectors.Table, error) {
	return datafile.Table(ctx, &source{File: f, name: name}, name, limit, datafile.Options{})
}

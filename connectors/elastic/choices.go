package elastic

import (
	"context"

	"jackfield/connectors"
)

// Choices are the indices, aliases and data streams that the account may see,
// whatever the form names.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "index" {
		return nil, nil
	}
	every := *s
	every.c.Index = ""
	all, err := every.listed(ctx, false)
	if err != nil {
		return nil, err
	}
	return connectors.ChoicesOf(func(yield func(entry, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
	}, func(e entry) (string, string) {
		if e.kind == anIndex {
			return e.name, ""
		}
		return e.name, e.name + " · " + e.kind
	})
}

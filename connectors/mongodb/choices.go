package mongodb

import (
	"context"

	"jackfield/connectors"
)

// Choices are the databases that the account may see.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "database" {
		return nil, nil
	}
	names, err := s.seen(ctx)
	if err != nil {
		return nil, err
	}
	return connectors.ChoicesFrom(names), nil
}

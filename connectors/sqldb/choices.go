package sqldb

import (
	"context"

	"jackfield/connectors"
)

// Choices are the databases that the account may open. One that it may not is
// left out: choosing it would only fail.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	query := s.d.databases()
	if field != "database" || query == "" {
		return nil, nil
	}
	var out []connectors.Option
	err := s.with(ctx, s.db, "", func(ctx context.Context, q querier) error {
		var err error
		out, err = connectors.ChoicesOf(func(yield func(connectors.Node, error) bool) {
			if err := list(ctx, q, "", query, nil, yield); err != nil && err != errStopped {
				yield(connectors.Node{}, err)
			}
		}, func(n connectors.Node) (string, string) {
			if n.Access == connectors.AccessDenied {
				return "", ""
			}
			return n.Name, ""
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

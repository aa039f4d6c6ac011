package rabbitmq

import (
	"context"
	"slices"

	"jackfield/connectors"
)

// Choices are the virtual hosts of which the management API tells this account:
// without the tag monitoring those that it has permissions in
// (https://www.rabbitmq.com/docs/management#permissions).
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "vhost" {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	a, err := s.management(ctx)
	if err != nil {
		return nil, err
	}
	var all []vhost
	if err := a.get(ctx, "vhosts?columns=name", &all); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(all))
	for _, v := range all {
		names = append(names, v.Name)
	}
	slices.Sort(names)
	return connectors.ChoicesFrom(names), nil
}

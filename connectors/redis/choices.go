package redis

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"jackfield/connectors"
)

// Choices are the numbers of the databases that hold keys. INFO tells them, and
// a user may be forbidden to ask for it
// (https://redis.io/docs/latest/commands/info/, section keyspace).
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "database" {
		return nil, nil
	}
	n, _ := s.c.number()
	answer, err := s.one(ctx, n, maxLine, "INFO", cmd("INFO", "keyspace"))
	if err != nil {
		return nil, err
	}
	held := parseInfo(answer.text).databases()
	numbers := slices.Sorted(maps.Keys(held))
	out := []connectors.Option{}
	for _, n := range numbers[:min(len(numbers), connectors.MaxChoices)] {
		c := connectors.Option{Value: strconv.Itoa(n), Label: strconv.Itoa(n)}
		if keys := part(held[n], "keys"); keys != "" {
			c.Label += " · keys: " + connectors.Clean(keys, 20)
		}
		out = append(out, c)
	}
	return out, nil
}

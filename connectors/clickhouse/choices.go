package clickhouse

import (
	"context"
	"strconv"

	"jackfield/connectors"
)

// Choices are the databases of which the account may see anything; ClickHouse
// hides the others (https://clickhouse.com/docs/operations/system-tables/databases).
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "database" {
		return nil, nil
	}
	rows, err := s.texts(ctx, "SELECT name FROM system.databases WHERE "+others+" ORDER BY name LIMIT "+strconv.Itoa(connectors.MaxChoices), "")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		names = append(names, row[0])
	}
	return connectors.ChoicesFrom(names), nil
}

package clickhouse

import (
	"slices"
	"testing"

	"jackfield/connectors/conntest"
)

func TestClickHouseOffersItsDatabases(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		user, database string
		want           []string
	}{{"reader", "", []string{"shop"}}, {"reader", "shop", []string{"shop"}}, {"writer", "shop", []string{"default", "many", "other", "shop"}}} {
		got, err := conntest.Choices(t, conntest.Open(t, Type(), f.settings("user", c.user, "database", c.database)), "database")
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s in %q: %q, %v; want %q", c.user, c.database, got, err, c.want)
		}
	}
}

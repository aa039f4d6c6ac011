package redis

import (
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestRedisOffersTheDatabasesThatHoldKeys(t *testing.T) {
	f := startRedis(t)
	for _, more := range [][]string{nil, {"database", "3"}} {
		if got, err := conntest.Choices(t, conntest.Open(t, Type(), settings(f, more...)), "database"); err != nil || !slices.Equal(got, []string{"0", "3"}) {
			t.Errorf("with %q: %q, %v", more, got, err)
		}
	}
	_, err := conntest.Choices(t, conntest.Open(t, Type(), settings(f, "user", "least", "password", "practice-only-least")), "database")
	if connectors.CodeOf(err) != connectors.Denied {
		t.Errorf("who may not ask: %v, want denied", err)
	}
}

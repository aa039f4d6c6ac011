package rabbitmq

import (
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestRabbitMQOffersItsVirtualHosts(t *testing.T) {
	b := startBroker(t)
	for user, want := range map[string][]string{"reader": {"/"}, "boss": {"/", "a/b", "closed", "full"}} {
		got, err := conntest.Choices(t, conntest.Open(t, Type(), b.settings("user", user)), "vhost")
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s is offered %q, %v", user, got, err)
		}
	}
	for name, s := range map[string]connectors.Settings{"without the tag": b.settings("user", "plain"), "without management": b.alone()} {
		_, err := conntest.Choices(t, conntest.Open(t, Type(), s), "vhost")
		if e := connectors.Classify(err); e == nil || e.Code != connectors.Denied && e.Code != connectors.Unsupported {
			t.Errorf("%s: %v", name, err)
		}
	}
}

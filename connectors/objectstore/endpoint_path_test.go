package objectstore

import (
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestABucketInTheEndpointIsNamedAsSuch(t *testing.T) {
	m := server.MinIO(t, "", false)
	s, err := conntest.Try(t, compatible(), conntest.Settings(compatible(), []string{"endpoint", m.URL + "/reports", "access_key", m.Access, "secret_key", m.Secret}))
	if err == nil {
		_, err = s.Check(t.Context())
	}
	if e := connectors.Classify(err); e == nil || e.Reason != "objectstore.endpoint_path" || e.Field != "endpoint" {
		t.Errorf("%+v", e)
	}
}

package clickhouse

import (
	"net/http"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/internal/httpx"
)

func TestARefusedDatabaseIsNamed(t *testing.T) {
	s := &session{c: config{Database: "shoppe"}}
	for text, want := range map[string][2]string{
		"Code: 291, e.displayText() = DB::Exception: Access denied to database shoppe for user reader": {"clickhouse.database_denied", "database"},
		"Code: 291, e.displayText() = DB::Exception: Access denied to database other for user reader":  {"clickhouse.denied", ""},
	} {
		res := &httpx.Response{Status: http.StatusForbidden, Body: []byte(text), Header: http.Header{"X-Clickhouse-Exception-Code": {"291"}}}
		conntest.WantError(t, s.refused(res, ""), connectors.Denied, want[0], want[1])
	}
}

func TestTheUsualPortsAreNamed(t *testing.T) {
	if f, ok := Type().Form.Field("port"); !ok || f.Help == "" || f.Default != "" {
		t.Errorf("%+v", f)
	}
}

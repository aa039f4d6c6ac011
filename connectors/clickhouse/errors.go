package clickhouse

import (
	"net/http"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
)

// Codes that more than one place looks at; see ClickHouse's
// src/Common/ErrorCodes.cpp.
const (
	unknownSetting    = 115
	readonlyMode      = 164
	constraint        = 452
	unknownIdentifier = 47
)

type verdict struct {
	code   connectors.Code
	reason string
	op     connectors.Stage
	field  string
}

func verdicts() map[int]verdict {
	auth := verdict{connectors.AuthFailed, "clickhouse.auth", connectors.StageSignIn, "password"}
	denied := verdict{connectors.Denied, "clickhouse.denied", connectors.StageRights, ""}
	large := verdict{connectors.Unsupported, "clickhouse.too_much", connectors.StageData, ""}
	gone := verdict{connectors.NotFound, "clickhouse.no_table", connectors.StageData, ""}
	return map[int]verdict{
		516: auth, 193: auth, 194: auth,
		192: {connectors.AuthFailed, "clickhouse.auth", connectors.StageSignIn, "user"},
		195: {connectors.Denied, "clickhouse.address", connectors.StageSignIn, ""},
		497: denied, 291: denied, readonlyMode: {connectors.Denied, "clickhouse.readonly", connectors.StageRights, ""},
		constraint: {connectors.Denied, "clickhouse.readonly", connectors.StageRights, ""},
		81:         {connectors.NotFound, "clickhouse.no_database", connectors.StageRights, "database"},
		60:         gone, unknownIdentifier: gone, 16: gone,
		159: {connectors.TimedOut, "clickhouse.slow", connectors.StageData, ""},
		160: {connectors.TimedOut, "clickhouse.slow", connectors.StageData, ""},
		158: large, 307: large, 396: large, 241: large,
		202: {connectors.Throttled, "clickhouse.busy", "", ""},
		201: {connectors.Throttled, "clickhouse.quota", "", ""},
	}
}

// unreached maps what kept an answer from coming. An encrypted port that is asked
// in the clear hangs up or answers in bytes that are no HTTP.
func (s *session) unreached(err error) error {
	e := *connectors.Classify(err)
	switch {
	case !s.c.secure() && (e.Reason == "connect.closed" || e.Reason == "http.protocol"):
		e.Reason, e.Field, e.Target = "clickhouse.maybe_tls", "security", s.c.addr()
	case e.Code == connectors.Untrusted && e.Field == "":
		e.Field = "ca"
	case e.Field == "client_cert" && !s.c.secure():
		e.Field = ""
	}
	return &e
}

// refused maps an answer that is no result.
func (s *session) refused(res *httpx.Response, target string) error {
	if target == "" {
		target = s.c.addr()
	}
	if strings.Contains(string(res.Body[:min(len(res.Body), 1000)]), "is for clickhouse-client program") {
		return &connectors.Error{Code: connectors.Refused, Reason: "clickhouse.native_port", Op: connectors.StageConnect, Target: s.c.addr(), Field: "port"}
	}
	said := exceptionOf(res)
	if said == nil {
		return s.foreign(res)
	}
	v, ok := verdicts()[said.code]
	if !ok {
		v = verdict{connectors.Refused, "clickhouse.other", "", ""}
	}
	e := &connectors.Error{Code: v.code, Reason: v.reason, Op: v.op, Target: target, Field: v.field, Said: said.text, Err: said}
	if v.reason == "clickhouse.auth" && s.c.Auth == byCertificate {
		e.Reason, e.Field = "clickhouse.certificate", "client_cert"
	}
	if s.c.Database != "" && said.code == 291 && strings.Contains(said.text, "database "+s.c.Database+" ") {
		e.Reason, e.Field = "clickhouse.database_denied", "database"
	}
	return e
}

// foreign is an answer that did not come from ClickHouse: of a proxy before it, or
// of another service.
func (s *session) foreign(res *httpx.Response) error {
	e := res.Err("")
	switch {
	case e == nil, res.Status == http.StatusNotFound, res.Status == http.StatusBadRequest, res.Status == http.StatusMethodNotAllowed, res.Status == http.StatusInternalServerError:
		return &connectors.Error{Code: connectors.Refused, Reason: "clickhouse.not_this", Op: connectors.StageSignIn, Target: s.c.addr(), Field: "port", Said: res.Media()}
	case res.Status == http.StatusUnauthorized:
		e.Reason, e.Field = "clickhouse.proxy", "host"
	}
	return e
}

package sqldb

import (
	"errors"
	"fmt"

	"github.com/sijms/go-ora/v3/network"

	"jackfield/connectors"
)

// oracleVerdict knows numbers of https://docs.oracle.com/error-help/db/.
func oracleVerdict(number int) (verdict, bool) {
	v, ok := map[int]verdict{
		1017:  {connectors.AuthFailed, "oracle.auth", "password"},
		1005:  {connectors.AuthFailed, "oracle.auth", "password"},
		1004:  {connectors.AuthFailed, "oracle.auth", "user"},
		28000: {connectors.Denied, "oracle.locked", "user"},
		28001: {connectors.Expired, "oracle.expired", "password"},
		1045:  {connectors.Denied, "oracle.no_session", "user"},
		28040: {connectors.Unsupported, "oracle.old_password", "user"},
		28030: {connectors.Unsupported, "oracle.old_password", "user"},
		28041: {connectors.Unsupported, "oracle.old_password", "user"},
		12514: {connectors.NotFound, "oracle.service", "service"},
		12505: {connectors.NotFound, "oracle.sid", "sid"},
		12154: {connectors.NotFound, "oracle.service", "service"},
		12504: {connectors.NotFound, "oracle.service", "service"},
		12506: {connectors.Denied, "oracle.acl", "host"},
		12529: {connectors.Denied, "oracle.acl", "host"},
		12541: {connectors.Unreachable, "oracle.no_listener", "port"},
		12170: {connectors.TimedOut, "oracle.slow_network", "host"},
		12535: {connectors.TimedOut, "oracle.slow_network", "host"},
		12516: {connectors.Throttled, "oracle.no_handler", ""},
		12519: {connectors.Throttled, "oracle.no_handler", ""},
		12520: {connectors.Throttled, "oracle.no_handler", ""},
		12526: {connectors.Denied, "oracle.restricted", ""},
		12527: {connectors.Denied, "oracle.restricted", ""},
		12528: {connectors.Refused, "oracle.starting", ""},
		12521: {connectors.NotFound, "oracle.service", "service"},
		1033:  {connectors.Refused, "oracle.starting", ""},
		1034:  {connectors.Refused, "oracle.starting", ""},
		1089:  {connectors.Refused, "oracle.starting", ""},
		1035:  {connectors.Denied, "oracle.restricted", ""},
		12537: {connectors.Refused, "oracle.closed", "tls"},
		12547: {connectors.Refused, "oracle.closed", "tls"},
		12560: {connectors.Refused, "oracle.closed", "tls"},
		3113:  {connectors.Refused, "oracle.closed", "tls"},
		3135:  {connectors.Refused, "oracle.closed", "tls"},
		12564: {connectors.Refused, "oracle.refused", ""},
		12650: {connectors.Unsupported, "oracle.native_encryption", "tls"},
		12660: {connectors.Unsupported, "oracle.native_encryption", "tls"},
		18:    {connectors.Throttled, "mysql.too_many", ""},
		20:    {connectors.Throttled, "mysql.too_many", ""},
		2391:  {connectors.Throttled, "mysql.too_many", ""},
		942:   {connectors.Denied, "oracle.no_table", ""},
		1031:  {connectors.Denied, "sql.table_denied", ""},
		41900: {connectors.Denied, "sql.table_denied", ""},
		4043:  {connectors.NotFound, "sql.no_table", ""},
		1013:  {connectors.TimedOut, "sql.slow", ""},
		54:    {connectors.TimedOut, "sql.slow", ""},
	}[number]
	return v, ok
}

func (d *oracleDialect) explain(err error, target string) error {
	var e *network.OracleError
	if !errors.As(err, &e) {
		return d.unsaid(err, target)
	}
	v, ok := oracleVerdict(e.ErrCode)
	if !ok {
		v.code = connectors.Refused
	}
	switch {
	case v.field == "service" && d.c.Kind == bySID:
		v.field = "sid"
	case v.field == "sid" && d.c.Kind != bySID:
		v.field = "service"
	}
	return &connectors.Error{Code: v.code, Reason: v.reason, Field: v.field, Target: target, Said: fmt.Sprintf("ORA-%05d", e.ErrCode), Err: err}
}

func (d *oracleDialect) unsaid(err error, target string) error {
	known := connectors.Classify(err)
	switch {
	case errors.Is(err, errSentAround):
		return &connectors.Error{Code: connectors.Refused, Reason: "sql.sent_around", Target: target, Err: err}
	case known.Reason == "connect.closed":
		return &connectors.Error{Code: connectors.Refused, Reason: "oracle.closed", Target: target, Field: "tls", Err: err}
	}
	return serverError(err, target, d.c.TLS == tcps)
}

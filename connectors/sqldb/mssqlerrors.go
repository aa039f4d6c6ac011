package sqldb

import (
	"errors"
	"fmt"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"jackfield/connectors"
)

const loginFailed = 18456

// A verdict is what an error number of a server's means.
type verdict struct {
	code   connectors.Code
	reason string
	field  string // "credential" is that of what the account proves itself with
}

// mssqlVerdict knows numbers of
// https://learn.microsoft.com/sql/relational-databases/errors-events/database-engine-events-and-errors
// and https://learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues.
func mssqlVerdict(number int32) (verdict, bool) {
	v, ok := map[int32]verdict{
		loginFailed: {connectors.AuthFailed, "mssql.auth", "credential"},
		18452:       {connectors.AuthFailed, "mssql.untrusted_domain", "auth"},
		18458:       {connectors.Throttled, "mysql.too_many", ""},
		18461:       {connectors.Denied, "mssql.single_user", ""},
		18470:       {connectors.Denied, "mssql.disabled", "user"},
		18486:       {connectors.Denied, "mssql.locked", "user"},
		18487:       {connectors.Expired, "mssql.expired", "credential"},
		18488:       {connectors.Expired, "mssql.must_change", "credential"},
		17892:       {connectors.Denied, "mssql.trigger", "user"},
		17809:       {connectors.Throttled, "mysql.too_many", ""},
		17810:       {connectors.Throttled, "mysql.too_many", ""},
		4060:        {connectors.Denied, "mssql.database", "database"},
		916:         {connectors.Denied, "mssql.database", "database"},
		911:         {connectors.NotFound, "mssql.database", "database"},
		4064:        {connectors.Denied, "mssql.default_database", "database"},
		40615:       {connectors.Denied, "mssql.firewall", ""},
		40914:       {connectors.Denied, "mssql.firewall", ""},
		47073:       {connectors.Denied, "mssql.public_denied", "host"},
		40532:       {connectors.AuthFailed, "mssql.server_name", "host"},
		40613:       {connectors.Throttled, "mssql.paused", ""},
		40197:       {connectors.Throttled, "mssql.busy", ""},
		40501:       {connectors.Throttled, "mssql.busy", ""},
		49918:       {connectors.Throttled, "mssql.busy", ""},
		49919:       {connectors.Throttled, "mssql.busy", ""},
		49920:       {connectors.Throttled, "mssql.busy", ""},
		10928:       {connectors.Throttled, "mssql.busy", ""},
		10929:       {connectors.Throttled, "mssql.busy", ""},
		6005:        {connectors.Refused, "postgres.starting", ""},
		229:         {connectors.Denied, "sql.table_denied", ""},
		230:         {connectors.Denied, "sql.table_denied", ""},
		208:         {connectors.NotFound, "sql.no_table", ""},
		1222:        {connectors.TimedOut, "sql.slow", ""},
		1205:        {connectors.TimedOut, "sql.slow", ""},
		3617:        {connectors.TimedOut, "sql.slow", ""},
	}[number]
	return v, ok
}

func (d mssqlDialect) explain(err error, target string) error {
	var e mssql.Error
	if !errors.As(err, &e) {
		return d.unsaid(err, target)
	}
	v := verdict{code: connectors.Refused}
	// Why a sign-in failed stands before the error that says that it did.
	for _, one := range append(e.All, e) {
		found, ok := mssqlVerdict(one.Number)
		if ok && (v.reason == "" || one.Number != loginFailed) {
			v, e = found, one
		}
	}
	out := &connectors.Error{Code: v.code, Reason: v.reason, Field: v.field, Target: target, Err: err,
		Said: fmt.Sprintf("%d (state %d) %s", e.Number, e.State, strings.TrimPrefix(e.Message, "login error: "))}
	switch {
	case out.Field == "credential":
		out.Field = d.c.credential()
	case out.Field == "user" && d.c.Auth == byToken:
		out.Field = "access_token"
	}
	return out
}

// unsaid is an error that the server did not put into its own words. Those of
// the driver are text alone.
func (d mssqlDialect) unsaid(err error, target string) error {
	text := err.Error()
	known := connectors.Classify(err)
	switch {
	case errors.Is(err, errProof):
		return &connectors.Error{Code: connectors.AuthFailed, Reason: "mssql.proof", Op: connectors.StageSignIn, Target: target, Field: "auth", Err: err}
	case errors.Is(err, errSentAround):
		return &connectors.Error{Code: connectors.Refused, Reason: "sql.sent_around", Target: target, Err: err}
	case strings.Contains(text, "server does not support encryption"):
		return &connectors.Error{Code: connectors.Unsupported, Reason: "sql.no_tls", Op: connectors.StageSecure, Target: target, Field: "tls", Err: err}
	case known.Reason == "connect.closed":
		return &connectors.Error{Code: connectors.Refused, Reason: "mssql.closed", Target: target, Field: "tls", Err: err}
	case known.Code == connectors.Refused && known.Reason == "" && strings.HasPrefix(text, "TLS Handshake failed: remote error"):
		return &connectors.Error{Code: connectors.Refused, Reason: "tls.alert", Op: connectors.StageSecure, Target: target, Field: "tls", Said: strings.TrimPrefix(text, "TLS Handshake failed: "), Err: err}
	}
	return serverError(err, target, true)
}

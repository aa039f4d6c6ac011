package sqldb

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"jackfield/connectors"
)

// explain maps SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func (d *postgresDialect) explain(err error, target string) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		if strings.Contains(strings.ToLower(err.Error()), "server refused tls connection") { // an untyped error of pgconn
			return &connectors.Error{Code: connectors.Unsupported, Reason: "sql.no_tls", Target: target, Field: "tls", Err: err}
		}
		if connectors.Classify(err).Reason == "connect.closed" {
			if e := d.c.untaken(err, target); e != nil {
				return e
			}
		}
		return serverError(err, target, d.c.encrypted())
	}
	out := &connectors.Error{Code: connectors.Refused, Target: target, Said: e.Code + " " + e.Message, Err: err}
	set := func(code connectors.Code, reason, field string) error {
		out.Code, out.Reason, out.Field = code, reason, field
		return out
	}
	switch e.Code {
	case "28P01":
		return set(connectors.AuthFailed, refusedReason(d.c, "postgres.auth"), d.c.credential())
	case "28000":
		if e.Routine == "InitializeSessionUserId" { // the role itself may not sign in; no rule of pg_hba.conf decides that
			return set(connectors.Denied, "postgres.no_login", "user")
		}
		if d.c.Auth == byPassword {
			return set(connectors.Denied, "postgres.hba", "user")
		}
		return set(connectors.AuthFailed, refusedReason(d.c, ""), d.c.credential())
	case "3D000":
		if d.c.Database == "" {
			return set(connectors.NotFound, "postgres.no_lobby", "database")
		}
		return set(connectors.NotFound, "postgres.no_database", "database")
	case "42501":
		if e.SeverityUnlocalized == "FATAL" { // the sign-in itself: no CONNECT
			return set(connectors.Denied, "postgres.connect", "database")
		}
		return set(connectors.Denied, "sql.table_denied", "")
	case "42P01":
		return set(connectors.NotFound, "sql.no_table", "")
	case "57014", "55P03":
		return set(connectors.TimedOut, "sql.slow", "")
	case "53300", "53400":
		return set(connectors.Throttled, "mysql.too_many", "")
	case "57P03", "57P01", "57P02":
		return set(connectors.Refused, "postgres.starting", "")
	}
	return out
}

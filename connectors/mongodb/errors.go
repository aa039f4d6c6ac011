package mongodb

import (
	"context"
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"jackfield/connectors"
)

type verdict struct {
	code   connectors.Code
	reason string
	op     connectors.Stage
	field  string
}

// verdicts are of src/mongo/base/error_codes.yml; 8000 is Atlas' own.
func verdicts() map[int32]verdict {
	auth := verdict{connectors.AuthFailed, "mongodb.auth", connectors.StageSignIn, "password"}
	away := verdict{connectors.Unreachable, "mongodb.not_ready", "", ""}
	return map[int32]verdict{
		18: auth, 8000: auth, 11: auth,
		13:  {connectors.Denied, "mongodb.denied", connectors.StageRights, ""},
		26:  {connectors.NotFound, "mongodb.no_collection", connectors.StageData, ""},
		73:  {connectors.NotFound, "mongodb.no_collection", connectors.StageData, ""},
		50:  {connectors.TimedOut, "mongodb.slow", connectors.StageData, ""},
		59:  {connectors.Unsupported, "mongodb.command", "", ""},
		115: {connectors.Unsupported, "mongodb.command", "", ""},
		334: {connectors.Unsupported, "mongodb.mechanism", connectors.StageSignIn, "mechanism"},
		91:  away, 11600: away, 11602: away, 13435: away, 13436: away, 189: away, 10107: away,
		16500: {connectors.Throttled, "", "", ""}, // Cosmos DB
		462:   {connectors.Throttled, "", "", ""},
	}
}

// refused maps an error of the driver's to words; nil stays nil.
func (s *session) refused(ctx context.Context, err error, target string, op connectors.Stage) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	if errors.Is(err, mongo.ErrClientDisconnected) {
		return &connectors.Error{Code: connectors.Cancelled, Target: target, Err: err}
	}
	var known *connectors.Error
	if errors.As(err, &known) {
		return known
	}
	if code, said, ok := codeOf(err); ok {
		return s.answered(code, said, target, op)
	}
	return s.unreached(err, target)
}

// codeOf finds what a server answered; in a failed sign-in it lies deep. The driver
// gives broken connections the same type, without a code.
func codeOf(err error) (code int32, said string, ok bool) {
	var inner driver.Error
	if errors.As(err, &inner) {
		return inner.Code, inner.Message, inner.Code != 0
	}
	var outer mongo.CommandError
	if errors.As(err, &outer) {
		return outer.Code, outer.Message, outer.Code != 0
	}
	return 0, "", false
}

func (s *session) answered(code int32, said, target string, op connectors.Stage) error {
	v, ok := verdicts()[code]
	e := &connectors.Error{Code: v.code, Reason: v.reason, Op: op, Target: target, Field: v.field, Said: connectors.Clean(said, 300), Err: errors.New("code " + connectors.Clean(said, 300))}
	if v.op != "" {
		e.Op = v.op
	}
	switch {
	case !ok:
		e.Code, e.Reason = connectors.Refused, "mongodb.other"
		if code == 2 && strings.Contains(said, "echanism") { // BadValue: before 4.4
			e.Code, e.Reason, e.Op, e.Field = connectors.Unsupported, "mongodb.mechanism", connectors.StageSignIn, "mechanism"
		}
	case code == 13 && strings.Contains(said, "requires authentication"):
		e.Code, e.Reason, e.Op, e.Field = connectors.AuthFailed, "mongodb.wants_sign_in", connectors.StageSignIn, "auth"
	case e.Reason == "mongodb.auth" && s.c.Auth == byCertificate:
		e.Reason, e.Field = "mongodb.certificate", "client_cert"
	}
	if e.Field == "mechanism" && s.c.Auth != byPassword {
		e.Field = "auth"
	}
	return e
}

// unreached maps what kept an answer from coming.
func (s *session) unreached(err error, target string) error {
	e := &connectors.Error{Code: connectors.Refused, Op: connectors.StageSignIn, Target: target, Err: err}
	var none topology.ServerSelectionError
	switch {
	case errors.Is(err, errTLS):
		e.Reason, e.Field = "mongodb.tls_port", "security"
	case errors.Is(err, errNotMongo):
		e.Reason, e.Field = "mongodb.not_mongo", "port"
	case strings.Contains(err.Error(), "but this version of the Go driver requires"):
		e.Code, e.Reason = connectors.Unsupported, "mongodb.version"
	case strings.Contains(err.Error(), "unable to authenticate"):
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "mongodb.auth", "password"
	case errors.As(err, &none):
		e.Code, e.Reason, e.Op = connectors.Unreachable, "mongodb.no_member", connectors.StageConnect
		if s.c.Topology == aSet {
			e.Field = "replica_set"
		}
	default:
		found := *connectors.Classify(err)
		if found.Target == "" {
			found.Target = target
		}
		if found.Reason == "connect.closed" && !s.c.secure() {
			found.Reason, found.Field = "mongodb.hung_up", "security"
		}
		if found.Op == "" {
			found.Op = connectors.StageSignIn
		}
		if found.Reason == "" && found.Code == connectors.Refused {
			found.Reason = "mongodb.other"
		}
		return &found
	}
	if e.Field == "port" && s.c.Topology == aName {
		e.Field = "host"
	}
	return e
}

package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"jackfield/connectors"
)

// fitting points what other packages say at the questions that this form asks.
func fitting(c config, err error) error {
	if err == nil {
		return nil
	}
	e := *connectors.Classify(err)
	switch e.Field {
	case "host", "port":
		e.Field = "servers"
	case "client_cert", "client_key":
		switch {
		case c.Certificate == certificateJKS:
			e.Field = "keystore"
		case c.Certificate != certificatePEM:
			e.Field = "certificate"
		}
		if !c.encrypted() {
			e.Field = "security"
		}
	}
	return &e
}

// trust points at the field in which a private authority is told.
func trust(c config, addr string, err error) error {
	e := *connectors.Classify(err)
	if e.Target == "" {
		e.Target = addr
	}
	switch {
	case e.Field == "" && e.Code == connectors.Untrusted:
		e.Field = "ca"
	case e.Reason == "tls.not_tls", e.Reason == "connect.closed", e.Code == connectors.Refused && e.Reason == "":
		e.Code, e.Reason, e.Field = connectors.Refused, "kafka.not_tls", "security"
	}
	return fitting(c, &e)
}

// signInError is why a sign-in that was begun did not end.
func signInError(c config, addr net.Addr, err error) error {
	if e := known(c, err); e != nil {
		e.Op = connectors.StageSignIn
		return e
	}
	target := ""
	if addr != nil {
		target = addr.String()
	}
	e := &connectors.Error{Code: connectors.AuthFailed, Reason: "kafka.auth_closed", Op: connectors.StageSignIn, Target: target, Field: c.credential(), Err: err}
	if !errors.Is(err, io.EOF) {
		e.Said = err.Error()
	}
	return e
}

// A meaning is what an error of the protocol says to a person.
type meaning struct {
	kerr   *kerr.Error
	code   connectors.Code
	reason string
	stage  connectors.Stage
	field  string
}

// meanings are the codes of https://kafka.apache.org/protocol.html#protocol_error_codes
// that a person can act on.
func meanings(c config) []meaning {
	return []meaning{
		{kerr.SaslAuthenticationFailed, connectors.AuthFailed, "kafka.auth", connectors.StageSignIn, c.credential()},
		{kerr.UnsupportedSaslMechanism, connectors.Unsupported, "kafka.mechanism", connectors.StageSignIn, "mechanism"},
		{kerr.IllegalSaslState, connectors.Refused, "kafka.no_sasl", connectors.StageSignIn, "security"},
		{kerr.TopicAuthorizationFailed, connectors.Denied, "kafka.topic_denied", connectors.StageRights, ""},
		{kerr.GroupAuthorizationFailed, connectors.Denied, "kafka.group_denied", connectors.StageRights, ""},
		{kerr.ClusterAuthorizationFailed, connectors.Denied, "kafka.cluster_denied", connectors.StageRights, ""},
		{kerr.UnknownTopicOrPartition, connectors.NotFound, "kafka.no_topic", connectors.StageData, ""},
		{kerr.UnknownTopicID, connectors.NotFound, "kafka.no_topic", connectors.StageData, ""},
		{kerr.InvalidTopicException, connectors.NotFound, "kafka.no_topic", connectors.StageData, ""},
		{kerr.GroupIDNotFound, connectors.NotFound, "kafka.no_group", connectors.StageData, ""},
		{kerr.LeaderNotAvailable, connectors.Unreachable, "kafka.no_leader", connectors.StageData, ""},
		{kerr.NotLeaderForPartition, connectors.Unreachable, "kafka.no_leader", connectors.StageData, ""},
		{kerr.ReplicaNotAvailable, connectors.Unreachable, "kafka.no_leader", connectors.StageData, ""},
		{kerr.BrokerNotAvailable, connectors.Unreachable, "kafka.no_leader", connectors.StageData, ""},
		{kerr.CoordinatorNotAvailable, connectors.Unreachable, "kafka.no_coordinator", connectors.StageData, ""},
		{kerr.CoordinatorLoadInProgress, connectors.Unreachable, "kafka.no_coordinator", connectors.StageData, ""},
		{kerr.OffsetOutOfRange, connectors.NotFound, "kafka.offset_gone", connectors.StageData, ""},
		{kerr.ThrottlingQuotaExceeded, connectors.Throttled, "", "", ""},
		{kerr.UnsupportedVersion, connectors.Unsupported, "kafka.old", "", ""},
	}
}

// known is what err says about the server, nil where it says nothing that this
// package knows.
func known(c config, err error) *connectors.Error {
	var found *connectors.Error
	if errors.As(err, &found) {
		e := *connectors.Classify(fitting(c, found))
		return &e
	}
	var first *kgo.ErrFirstReadEOF
	switch {
	case errors.Is(err, errTLS):
		return &connectors.Error{Code: connectors.Refused, Reason: "kafka.wants_tls", Field: "security", Err: err}
	case errors.Is(err, errNotKafka):
		return &connectors.Error{Code: connectors.Refused, Reason: "kafka.not_kafka", Field: "servers", Err: err}
	case errors.As(err, &first) && !c.sasl():
		return &connectors.Error{Code: connectors.AuthFailed, Reason: "kafka.sasl_missing", Field: "security", Err: err}
	}
	var said *kerr.Error
	if !errors.As(err, &said) {
		return nil
	}
	for _, m := range meanings(c) {
		if said.Code == m.kerr.Code {
			return &connectors.Error{Code: m.code, Reason: m.reason, Op: m.stage, Field: m.field, Said: words(said, err), Err: err}
		}
	}
	return &connectors.Error{Code: connectors.Refused, Reason: "kafka.server", Said: words(said, err), Err: err}
}

// words are the broker's own, where it sent some with the number.
func words(said *kerr.Error, err error) string {
	if _, more, ok := strings.Cut(err.Error(), said.Error()+": "); ok && more != "" {
		return more
	}
	return said.Message
}

// explained classifies what went wrong at target. The end of ctx wins over what
// it caused.
func explained(ctx context.Context, c config, stage connectors.Stage, target string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	e := known(c, err)
	if e == nil {
		e = &connectors.Error{}
		*e = *connectors.Classify(fitting(c, err))
	}
	if errors.Is(err, kgo.ErrClientClosed) {
		e = &connectors.Error{Code: connectors.Cancelled, Err: err}
	}
	if e.Op == "" {
		e.Op = stage
	}
	if stage == connectors.StageData && e.Reason == "connect.closed" {
		e.Code, e.Reason, e.Field = connectors.Unreachable, "kafka.lost", ""
	}
	if stage == connectors.StageSignIn && e.Reason == "connect.closed" && !c.encrypted() {
		e.Reason, e.Field = "kafka.sasl_missing", "security" // which of the two is missing, nobody tells
	}
	if e.Target == "" {
		e.Target = target
	}
	return e
}

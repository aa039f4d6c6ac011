package mqtt

import (
	"context"
	"errors"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/gorilla/websocket"

	"jackfield/connectors"
)

// refused maps a return code of CONNACK (section 3.2.2.3), and what may happen
// instead of one.
func refused(ctx context.Context, c config, addr string, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	e := &connectors.Error{Op: connectors.StageSignIn, Target: addr, Err: err}
	var closed *websocket.CloseError
	switch {
	case errors.Is(err, packets.ErrorRefusedBadUsernameOrPassword), errors.Is(err, packets.ErrorRefusedNotAuthorised):
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "mqtt.auth", "password"
		if c.Auth != "password" {
			e.Reason, e.Field = "mqtt.anonymous", "auth"
		}
	case errors.Is(err, packets.ErrorRefusedIDRejected):
		e.Code, e.Reason, e.Field = connectors.Refused, "mqtt.client_id", "client_id"
	case errors.Is(err, packets.ErrorRefusedBadProtocolVersion):
		e.Code, e.Reason = connectors.Unsupported, "mqtt.version"
	case errors.Is(err, packets.ErrorRefusedServerUnavailable):
		e.Code, e.Reason = connectors.Unreachable, "mqtt.unavailable"
	case errors.Is(err, errNotMQTT), errors.Is(err, errTooLarge):
		e.Code, e.Reason, e.Field = connectors.Refused, "mqtt.not_mqtt", "port"
	case errors.As(err, &closed):
		e.Code, e.Reason, e.Said = connectors.Refused, "connect.closed", closed.Text
	default:
		found := *connectors.Classify(err)
		if found.Op == "" {
			found.Op = connectors.StageSignIn
		}
		if found.Target == "" {
			found.Target = addr
		}
		return certificate(c, &found)
	}
	return e
}

// certificate points at the way to sign in where the certificate that the
// broker wants is not asked for.
func certificate(c config, e *connectors.Error) error {
	if e.Field == "client_cert" && c.Auth != "certificate" {
		e.Field = "auth"
	}
	return e
}

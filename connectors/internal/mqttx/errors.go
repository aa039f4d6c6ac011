package mqttx

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	old "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/gorilla/websocket"

	"jackfield/connectors"
	"jackfield/connectors/internal/wsx"
)

// returnCode maps a return code of CONNACK (MQTT 3.1.1 section 3.2.2.3), and what
// may happen instead of one.
func returnCode(ctx context.Context, target string, err error) error {
	e := &connectors.Error{Op: connectors.StageSignIn, Target: target, Err: err}
	switch {
	case ctx.Err() != nil:
		return connectors.Classify(context.Cause(ctx))
	case errors.Is(err, old.ErrorRefusedBadUsernameOrPassword), errors.Is(err, old.ErrorRefusedNotAuthorised):
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "mqtt.auth", "password"
	case errors.Is(err, old.ErrorRefusedIDRejected):
		e.Code, e.Reason, e.Field = connectors.Refused, "mqtt.client_id", "client_id"
	case errors.Is(err, old.ErrorRefusedBadProtocolVersion):
		e.Code, e.Reason, e.Field = connectors.Unsupported, "mqtt.version", "protocol"
	case errors.Is(err, old.ErrorRefusedServerUnavailable):
		e.Code, e.Reason = connectors.Unreachable, "mqtt.unavailable"
	default:
		return interrupted(target, err)
	}
	return e
}

// interrupted is for a sign-in that got no answer in MQTT.
func interrupted(target string, err error) error {
	e := &connectors.Error{Op: connectors.StageSignIn, Target: target, Err: err}
	var closed *websocket.CloseError
	switch {
	case errors.Is(err, errNotMQTT), errors.Is(err, errTooLarge), errors.Is(err, errStray), errors.Is(err, wsx.ErrAnswer), errors.Is(err, wsx.ErrText):
		e.Code, e.Reason, e.Field = connectors.Refused, "mqtt.not_mqtt", "port"
	case errors.As(err, &closed):
		e.Code, e.Reason, e.Said = connectors.Refused, "connect.closed", closed.Text
	default:
		found := *connectors.Classify(err)
		if found.Op == "" {
			found.Op = connectors.StageSignIn
		}
		if found.Target == "" {
			found.Target = target
		}
		return &found
	}
	return e
}

// A meaning is what a reason code says, and the field to put right.
type meaning struct {
	code          connectors.Code
	reason, field string
}

// connackMeaning maps the reason codes of CONNACK (MQTT 5 section 3.2.2.2).
func connackMeaning(code byte) meaning {
	switch code {
	case packets.ConnackUnsupportedProtocolVersion:
		return meaning{connectors.Unsupported, "mqtt.version", "protocol"}
	case packets.ConnackInvalidClientID:
		return meaning{connectors.Refused, "mqtt.client_id", "client_id"}
	case packets.ConnackBadUsernameOrPassword, packets.ConnackNotAuthorized:
		return meaning{connectors.AuthFailed, "mqtt.auth", "password"}
	case packets.ConnackServerUnavailable:
		return meaning{connectors.Unreachable, "mqtt.unavailable", ""}
	case packets.ConnackServerBusy:
		return meaning{connectors.Throttled, "mqtt.busy", ""}
	case packets.ConnackBanned:
		return meaning{connectors.Denied, "mqtt.banned", ""}
	case packets.ConnackBadAuthenticationMethod:
		return meaning{connectors.Unsupported, "mqtt.auth_method", "auth"}
	case packets.ConnackPacketTooLarge:
		return meaning{connectors.Refused, "mqtt.packet_too_large", ""}
	case packets.ConnackQuotaExceeded:
		return meaning{connectors.Throttled, "mqtt.quota", ""}
	case packets.ConnackUseAnotherServer:
		return meaning{connectors.Refused, "mqtt.other_server", "host"}
	case packets.ConnackServerMoved:
		return meaning{connectors.Refused, "mqtt.moved", "host"}
	case packets.ConnackConnectionRateExceeded:
		return meaning{connectors.Throttled, "mqtt.rate", ""}
	}
	return meaning{connectors.Refused, "mqtt.refused", ""}
}

// reasonCode maps the refusal of an MQTT 5 sign-in, and what may happen instead.
func reasonCode(ctx context.Context, target string, ack *paho.Connack, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	var older errOlder
	if errors.As(err, &older) {
		return &connectors.Error{Code: connectors.Unsupported, Reason: "mqtt.only_three", Op: connectors.StageSignIn, Target: target, Field: "protocol", Err: err}
	}
	if ack == nil || ack.ReasonCode < 0x80 {
		return interrupted(target, err)
	}
	m := connackMeaning(ack.ReasonCode)
	e := &connectors.Error{Code: m.code, Reason: m.reason, Op: connectors.StageSignIn, Target: target, Field: m.field, Err: fmt.Errorf("reason code %d", ack.ReasonCode)}
	if p := ack.Properties; p != nil {
		e.Said = strings.TrimSpace(p.ReasonString + " " + p.ServerReference)
	}
	if e.Said == "" && m.reason == "mqtt.refused" {
		e.Said = (&packets.Connack{ReasonCode: ack.ReasonCode}).Reason()
	}
	return e
}

// subackError maps a refusal of a topic filter: 0x80 in 3.1.1 (section 3.9.3), and
// the reason codes of MQTT 5 (section 3.9.3).
func subackError(filter string, v verdict) *connectors.Error {
	e := &connectors.Error{Code: connectors.Denied, Reason: "mqtt.topic_denied", Op: connectors.StageRights, Target: filter, Field: "topic", Said: v.said}
	switch v.code {
	case packets.SubackTopicFilterinvalid:
		e.Reason = "mqtt.filter"
	case packets.SubackQuotaexceeded:
		e.Code, e.Reason, e.Field = connectors.Throttled, "mqtt.quota", ""
	case packets.SubackSharedSubscriptionnotsupported:
		e.Code, e.Reason = connectors.Unsupported, "mqtt.no_shared"
	case packets.SubackWildcardsubscriptionsnotsupported:
		e.Code, e.Reason = connectors.Unsupported, "mqtt.no_wildcards"
	}
	return e
}

// pubackError maps a refusal of a message (MQTT 5 section 3.4.2.1).
func pubackError(topic string, v verdict) *connectors.Error {
	e := &connectors.Error{Code: connectors.Refused, Reason: "mqtt.publish_refused", Op: connectors.StageData, Target: topic, Said: v.said}
	switch v.code {
	case packets.PubackNotAuthorized:
		e.Code, e.Reason = connectors.Denied, "mqtt.publish_denied"
	case packets.PubackQuotaExceeded:
		e.Code, e.Reason = connectors.Throttled, "mqtt.quota"
	}
	if e.Said == "" && e.Reason == "mqtt.publish_refused" {
		e.Said = (&packets.Puback{ReasonCode: v.code}).Reason()
	}
	return e
}

// gone is what an MQTT 5 broker says before it hangs up (section 3.14.2.1).
type gone struct {
	code byte
	said string
}

func (g gone) Error() string { return g.said }

func farewell(d *paho.Disconnect) error {
	g := gone{code: d.ReasonCode, said: (&packets.Disconnect{ReasonCode: d.ReasonCode}).Reason()}
	if p := d.Properties; p != nil && p.ReasonString+p.ServerReference != "" {
		g.said = strings.TrimSpace(p.ReasonString + " " + p.ServerReference)
	}
	return g
}

// lostError says why a connection that worked is gone.
func lostError(target string, cause error) error {
	e := &connectors.Error{Code: connectors.Unreachable, Reason: "mqtt.lost", Op: connectors.StageData, Target: target, Said: said(cause), Err: cause}
	var g gone
	if errors.As(cause, &g) {
		switch g.code {
		case packets.DisconnectSessionTakenOver:
			e.Reason, e.Field = "mqtt.taken_over", "client_id"
		case packets.DisconnectNotAuthorized:
			e.Code, e.Reason = connectors.Denied, "mqtt.ended_denied"
		}
	}
	return e
}

// said takes the library's own prefix off what a broker said.
func said(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(err.Error(), "network Error : ")
}

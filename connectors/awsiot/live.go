package awsiot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"jackfield/connectors"
	"jackfield/connectors/internal/awsx"
	"jackfield/connectors/internal/mqttx"
	"jackfield/connectors/internal/tlsx"
)

// alpn is how AWS tells MQTT with a certificate from HTTPS on port 443
// (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html).
const alpn = "x-amzn-mqtt-ca"

// signedURL is where MQTT is spoken over WebSocket. It is good for one attempt: the
// session token is added after signing, as AWS IoT wants it, and other services do
// not (https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html#mqtt-ws).
func signedURL(ctx context.Context, endpoint, region string, keys awsx.Credentials, now time.Time) (*url.URL, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+endpoint+"/mqtt?X-Amz-Expires=300", nil)
	if err != nil {
		return nil, err
	}
	empty := sha256.Sum256(nil)
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, aws.Credentials{AccessKeyID: keys.AccessKey, SecretAccessKey: keys.Secret.Reveal()},
		req, hex.EncodeToString(empty[:]), gateway, region, now)
	if err != nil {
		return nil, err
	}
	if !keys.Token.Empty() {
		signed += "&X-Amz-Security-Token=" + url.QueryEscape(keys.Token.Reveal())
	}
	u, err := url.Parse(signed)
	if err != nil {
		return nil, err
	}
	u.Scheme = "wss"
	return u, nil
}

// live is the connection for live topics, made when it is first needed and again
// after it was lost. Only one attempt is made at a time.
func (s *session) live(ctx context.Context) (*mqttx.Live, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, connectors.Classify(context.Cause(ctx))
	}
	s.mu.Lock()
	has, closed := s.listening, s.closed
	s.mu.Unlock()
	if closed {
		return nil, &connectors.Error{Code: connectors.Cancelled, Err: net.ErrClosed}
	}
	if has != nil {
		select {
		case <-has.Lost():
			has.Close()
		default:
			return has, nil
		}
	}
	l, err := s.listen(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		l.Close()
		return nil, &connectors.Error{Code: connectors.Cancelled, Err: net.ErrClosed}
	}
	s.listening, s.shadows = l, map[string]bool{}
	return l, nil
}

func (s *session) listen(ctx context.Context) (*mqttx.Live, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	var l *mqttx.Live
	o := mqttx.Options{Version: mqttx.V5, ClientID: s.id, Target: s.c.Endpoint}
	if s.c.Protocol == "3.1.1" {
		o.Version = mqttx.V3
	}
	err = s.env.Climb(ctx, connectors.StageSignIn, s.id, func(ctx context.Context) (string, error) {
		l, err = mqttx.SignIn(ctx, conn, o)
		return s.id, s.fitting(err)
	})
	if err != nil {
		return nil, err
	}
	filters := mqttx.Filters(s.c.Topic)
	err = s.env.Climb(ctx, connectors.StageRights, strings.Join(filters, ", "), func(ctx context.Context) (string, error) {
		return "", s.fitting(l.Subscribe(ctx, filters...))
	})
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// connect reaches the endpoint: over WebSocket with keys, else with the
// certificate.
func (s *session) connect(ctx context.Context) (net.Conn, error) {
	port := "443"
	if !s.c.keys() {
		port = s.c.Way
	}
	conn, err := s.env.Dial(ctx, "tcp", net.JoinHostPort(s.c.Endpoint, port))
	if err != nil {
		return nil, s.fitting(err)
	}
	err = s.env.Climb(ctx, connectors.StageSecure, s.c.Endpoint, func(ctx context.Context) (string, error) {
		cfg, err := tlsx.Config(s.c.Spec(), s.c.Endpoint)
		if err != nil {
			_ = conn.Close()
			return "", err
		}
		if !s.c.keys() && port == "443" {
			cfg.NextProtos = []string{alpn}
		}
		safe, said, err := tlsx.Handshake(ctx, conn, cfg)
		if err != nil {
			return "", s.fitting(err)
		}
		conn = safe
		s.mu.Lock()
		s.secured = said
		s.mu.Unlock()
		return said, nil
	})
	if err != nil || !s.c.keys() {
		return conn, err
	}
	return s.upgrade(ctx, conn)
}

func (s *session) upgrade(ctx context.Context, conn net.Conn) (net.Conn, error) {
	keys, err := s.credentials(ctx)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	u, err := signedURL(ctx, s.c.Endpoint, s.region, keys, s.env.Time())
	if err != nil {
		_ = conn.Close()
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "aws.unsigned", Op: connectors.StageSignIn, Target: s.c.Endpoint}
	}
	ws, res, err := mqttx.Upgrade(ctx, conn, u)
	if err == nil {
		return ws, nil
	}
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	// The cause may hold the signed address; it is left out.
	e := &connectors.Error{Code: connectors.Refused, Reason: "awsiot.websocket", Op: connectors.StageSignIn, Target: s.c.Endpoint, Field: "endpoint"}
	if res == nil {
		return nil, e
	}
	e.Said = strings.TrimSpace(res.Status)
	switch res.StatusCode {
	case http.StatusForbidden, http.StatusUnauthorized:
		e.Code, e.Reason, e.Field = connectors.Denied, "awsiot.websocket_denied", ""
	case http.StatusTooManyRequests:
		e.Code, e.Reason, e.Field = connectors.Throttled, "", ""
	}
	return nil, e
}

// fitting puts what MQTT and TLS say into AWS's terms, and points at the
// questions of this form.
func (s *session) fitting(err error) error {
	if err == nil {
		return nil
	}
	e := *connectors.Classify(err)
	signing := e.Op == connectors.StageSignIn
	switch {
	case e.Reason == "connect.closed" && signing && !s.c.keys():
		// What a certificate that is unknown or not active gets.
		e.Code, e.Reason, e.Field = connectors.AuthFailed, "awsiot.certificate", "client_cert"
	case e.Reason == "mqtt.auth", e.Reason == "mqtt.client_id", e.Reason == "connect.closed" && signing:
		e.Code, e.Reason, e.Field, e.Target = connectors.Denied, "awsiot.connect_denied", "client_id", s.id
		if s.c.ClientID != "" && !s.c.ExactID {
			e.Field = "exact_id"
		}
	case e.Reason == "mqtt.topic_closed", e.Reason == "mqtt.topic_denied":
		e.Reason = "awsiot.topic_denied"
	case e.Reason == "tls.client_cert" && s.c.keys():
		e.Field = "auth"
	case e.Code == connectors.Untrusted && e.Field == "":
		e.Field = "ca"
	case e.Field == "host" || e.Field == "port":
		e.Field = "endpoint"
	}
	return &e
}

package mqtt

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/mqttx"
	"jackfield/connectors/internal/tlsx"
)

// connect climbs the rungs up to the encryption and, for WebSocket, the upgrade.
func connect(ctx context.Context, env *connectors.Env, c config) (net.Conn, string, error) {
	conn, err := env.Dial(ctx, "tcp", c.addr())
	if err != nil {
		return nil, "", err
	}
	secured := "none"
	if c.secure() {
		err = env.Climb(ctx, connectors.StageSecure, c.Host, func(ctx context.Context) (string, error) {
			cfg, err := tlsx.Config(c.Spec(), c.Host)
			if err != nil {
				_ = conn.Close()
				return "", err
			}
			safe, said, err := tlsx.Handshake(ctx, conn, cfg)
			if err != nil {
				return "", trust(c, err)
			}
			conn, secured = safe, said
			return said, nil
		})
		if err != nil {
			return nil, "", err
		}
	}
	if !c.web() {
		return conn, secured, nil
	}
	u := url.URL{Scheme: c.Transport, Host: c.addr(), Path: c.Path}
	ws, res, err := mqttx.Upgrade(ctx, conn, &u)
	if err != nil {
		return nil, "", upgradeError(ctx, &u, res, err)
	}
	return ws, secured, nil
}

// upgradeError keeps what the server answered in HTTP instead of upgrading.
func upgradeError(ctx context.Context, u *url.URL, res *http.Response, err error) error {
	if ctx.Err() != nil {
		return connectors.Classify(context.Cause(ctx))
	}
	e := &connectors.Error{Code: connectors.Refused, Reason: "mqtt.websocket", Op: connectors.StageConnect, Target: u.Host, Field: "port", Err: err}
	if res == nil {
		return e
	}
	e.Said, e.Field = strings.TrimSpace(res.Status), "path"
	switch res.StatusCode {
	case http.StatusNotFound:
		e.Code, e.Reason, e.Target = connectors.NotFound, "mqtt.websocket_path", u.Path
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Code, e.Reason, e.Op, e.Field = connectors.Denied, "mqtt.websocket_denied", connectors.StageSignIn, ""
	case http.StatusTooManyRequests:
		e.Code, e.Reason, e.Field = connectors.Throttled, "", ""
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.Code, e.Reason, e.Field = connectors.Unreachable, "http.down", ""
	}
	return e
}

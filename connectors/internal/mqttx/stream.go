package mqttx

import (
	"context"
	"net"
	"net/http"
	"net/url"

	"jackfield/connectors/internal/wsx"
)

// Upgrade makes a WebSocket of conn that carries MQTT (MQTT 5 section 6); see
// wsx.Upgrade. Packets do not respect the frames.
func Upgrade(ctx context.Context, conn net.Conn, u *url.URL) (net.Conn, *http.Response, error) {
	return wsx.Upgrade(ctx, conn, u, "mqtt")
}

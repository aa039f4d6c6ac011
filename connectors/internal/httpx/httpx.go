// Package httpx makes the HTTP clients that every web connection uses.
package httpx

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// New returns a client that dials through dial and verifies with cfg.
func New(dial func(ctx context.Context, network, addr string) (net.Conn, error), cfg *tls.Config) *http.Client {
	return &http.Client{
		Timeout:   60 * time.Second,
		Transport: &http.Transport{DialContext: dial, TLSClientConfig: cfg, ForceAttemptHTTP2: true},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

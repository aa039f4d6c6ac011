// Package oidc runs a real OpenID provider for tests, and the person who signs
// in at it.
package oidc

import (
	_ "embed"
	"encoding/json"
	"os/exec"
	"strconv"
	"testing"

	"jackfield/connectors/conntest/server"
)

// version is the npm package that plays the provider.
const version = "oidc-provider@9.13.3"

// Secret is that of the clients confidential, printer and machine.
const Secret = "practice-only-client"

//go:embed provider.mjs
var script string

// Options say how the provider differs from the usual one, whose clients are
// desktop (public) and confidential (client_secret_basic) for the authorization
// code, television (public) and printer (client_secret_post) for the device
// flow, and machine (client_secret_basic) for client credentials.
type Options struct {
	TTL     int              // seconds that access tokens live; 600 when 0
	Clients []map[string]any // more, with their metadata; they use client credentials unless that says otherwise
	TLS     *server.CA       // speaks TLS with a certificate of this authority and asks for one of it
}

// Start runs the provider on loopback and returns its issuer.
func Start(tb testing.TB, o Options) (issuer string) {
	tb.Helper()
	node := server.Program(tb, "node", "nodejs")
	npm := server.Program(tb, "npm", "npm")
	home := server.Cached(tb, version, func(dir string) {
		server.Run(tb, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, version)
	})
	if o.TTL == 0 {
		o.TTL = 600
	}
	port := server.FreePort(tb)
	config := map[string]any{"port": port, "ttl": o.TTL, "home": home, "clients": append([]map[string]any{}, o.Clients...)}
	scheme := "http"
	if o.TLS != nil {
		scheme = "https"
		mine := o.TLS.Issue(tb, server.Cert{})
		config["tls"] = map[string]string{"cert": mine.Cert, "key": mine.Key, "ca": o.TLS.PEM}
	}
	data, err := json.Marshal(config)
	if err != nil {
		tb.Fatal(err)
	}
	dir := tb.TempDir()
	path := server.WriteFile(tb, dir, "provider.mjs", script, 0o600)
	settings := server.WriteFile(tb, dir, "provider.json", string(data), 0o600)
	addr := "127.0.0.1:" + strconv.Itoa(port)
	server.Start(tb, exec.Command(node, path, settings), addr)
	return scheme + "://" + addr
}

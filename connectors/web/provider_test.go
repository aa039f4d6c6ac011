package web

import (
	"context"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/oidc"
	"jackfield/connectors/conntest/server"
	"jackfield/platform/loopback"
)

// startProvider runs a real OpenID provider whose access tokens live ttl seconds.
func startProvider(t *testing.T, ttl int) (issuer string) {
	t.Helper()
	return oidc.Start(t, oidc.Options{TTL: ttl})
}

// loopbacks gives the world the program's real callback listener.
func loopbacks(w *conntest.World) {
	w.Env.Callback = func(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
		return loopback.Listen(ctx, loopback.Options{Host: r.Host, Port: r.Port, Path: r.Path, State: r.State})
	}
}

// person signs in at the provider's development pages as a browser would.
// refuse presses the link that aborts.
func person(refuse bool) connectors.Asker { return oidc.Person(refuse) }

func visit(ctx context.Context, link string, refuse bool) error {
	_, err := oidc.Visit(ctx, link, refuse, false)
	return err
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	server.WriteFile(t, dir, name, text, 0o600)
}

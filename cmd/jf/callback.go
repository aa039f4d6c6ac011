package main

import (
	"context"

	"jackfield/connectors"
	"jackfield/platform/loopback"
)

// tourCallback receives the practice provider's answer.
func tourCallback(ctx context.Context, r connectors.CallbackRequest) (connectors.Callback, error) {
	return loopback.Listen(ctx, loopback.Options{Host: r.Host, Port: r.Port, Path: r.Path, State: r.State})
}

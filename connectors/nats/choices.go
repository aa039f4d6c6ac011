package nats

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"jackfield/connectors"
)

// Choices are the streams of the account, buckets and stores among them.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "streams" {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	return connectors.ChoicesOf(s.told(ctx), func(i *jetstream.StreamInfo) (string, string) { return i.Config.Name, "" })
}

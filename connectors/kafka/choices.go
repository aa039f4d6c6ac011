package kafka

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"jackfield/connectors"
)

// Choices are the topics that the account may describe, without Kafka's own. A
// broker leaves the others out (https://kafka.apache.org/documentation/#security_authz).
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "topics" {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, connectors.Classify(context.Cause(ctx))
	}
	m, err := s.metadata(ctx, nil)
	if err != nil {
		return nil, s.explain(ctx, "", err)
	}
	return connectors.ChoicesOf(func(yield func(kmsg.MetadataResponseTopic, error) bool) {
		for _, t := range m.Topics {
			if !yield(t, nil) {
				return
			}
		}
	}, func(t kmsg.MetadataResponseTopic) (string, string) {
		if t.IsInternal || topicErr(t) != nil {
			return "", ""
		}
		return topicName(t), ""
	})
}

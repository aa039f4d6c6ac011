package mail

import (
	"context"

	"jackfield/connectors"
)

// Choices are the folders of all levels (RFC 9051 section 6.3.9). A server leaves
// out those that the account may not see.
func (s *imapSession) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "folder" {
		return nil, nil
	}
	var names []string
	err := s.with(ctx, func(k *imapLink) error {
		names = nil
		return folderError(k, "folders", k.run(k.list("*"), func(r response) error {
			if f, ok := readFolder(r); ok && len(names) < connectors.MaxChoices {
				names = append(names, decodeName(f.raw))
			}
			return nil
		}))
	})
	if err != nil {
		if ctx.Err() != nil {
			err = connectors.Classify(context.Cause(ctx))
		}
		return nil, err
	}
	return connectors.ChoicesFrom(names), nil
}

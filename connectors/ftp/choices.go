package ftp

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// Choices are the folders of the folder that the account begins in.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "folder" {
		return nil, nil
	}
	return connectors.ChoicesOf(shelf{s}.List(ctx, s.home), files.Folder)
}

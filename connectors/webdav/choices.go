package webdav

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// Choices are the folders below the address.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	if field != "folder" {
		return nil, nil
	}
	top := &session{env: s.env, c: s.c, base: s.base, client: s.client}
	top.c.Folder = ""
	return connectors.ChoicesOf(shelf{top}.List(ctx, ""), files.Folder)
}

package smb

import (
	"context"
	"iter"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// Choices are the shares with files, or the folders at the top of the session's share.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	switch field {
	case "share":
		return s.choices(ctx, func(ctx context.Context) iter.Seq2[files.Entry, error] {
			return func(yield func(files.Entry, error) bool) { shelf{s}.shares(ctx, yield, false) }
		})
	case "folder":
		if s.c.Share == "" {
			return nil, &connectors.Error{Code: connectors.BadInput, Reason: "choices.first", Op: connectors.StageForm, Field: "share"}
		}
		return s.choices(ctx, func(ctx context.Context) iter.Seq2[files.Entry, error] { return shelf{s}.list(ctx, s.c.Share, 0) })
	}
	return nil, nil
}

func (s *session) choices(ctx context.Context, entries func(context.Context) iter.Seq2[files.Entry, error]) ([]connectors.Option, error) {
	ctx, done := s.bound(ctx)
	defer done()
	return connectors.ChoicesOf(entries(ctx), files.Folder)
}

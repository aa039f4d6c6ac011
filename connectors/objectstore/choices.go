package objectstore

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/internal/files"
)

// Choices are the buckets of the account, or the folders at the top of the bucket
// that the session has.
func (s *session) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	st := *s.store
	switch field {
	case st.field():
		st.bucket, st.folder = "", ""
	case "folder":
		if st.folder = ""; st.bucket == "" {
			return nil, &connectors.Error{Code: connectors.BadInput, Reason: "choices.first", Op: connectors.StageForm, Field: st.field()}
		}
	default:
		return nil, nil
	}
	return connectors.ChoicesOf(st.List(ctx, ""), files.Folder)
}

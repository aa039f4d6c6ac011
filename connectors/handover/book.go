package handover

import (
	"context"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A Book is what is needed of link.Book.
type Book interface {
	Type(id string) (connectors.Type, error)
	List(ctx context.Context) ([]link.Connection, error)
	Get(ctx context.Context, id string) (link.Connection, error)
	Settings(ctx context.Context, id string) (connectors.Settings, error)
	CreateAll(ctx context.Context, drafts []link.Draft) ([]link.Connection, error)
}

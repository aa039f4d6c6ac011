package wire

import (
	"log/slog"
	"path/filepath"

	"jackfield/connectors/health"
	"jackfield/platform/journal"
)

// Health knows how the connections fare. Its histories lie in a folder of their own.
func (w *World) Health(log *slog.Logger) (*health.Board, error) {
	j, err := journal.Open(filepath.Join(w.Dir, "history"))
	if err != nil {
		return nil, broken(err)
	}
	return health.New(w.Book, j, health.Options{Log: log}), nil
}

package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/dustin/go-humanize"
	"modernc.org/sqlite"

	"jackfield/connectors"
)

type sqliteDialect struct{ path string }

func openSQLite(ctx context.Context, env *connectors.Env, c file) (connectors.Session, error) {
	s := &session{d: sqliteDialect{c.Path}}
	err := env.Climb(ctx, connectors.StageConnect, c.Path, func(ctx context.Context) (string, error) {
		info, err := os.Stat(c.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", &connectors.Error{Code: connectors.NotFound, Reason: "sqlite.missing", Target: c.Path, Field: "file", Err: err}
		case errors.Is(err, fs.ErrPermission):
			return "", &connectors.Error{Code: connectors.Denied, Reason: "sqlite.denied", Target: c.Path, Field: "file", Err: err}
		case err != nil:
			return "", err
		case info.IsDir():
			return "", &connectors.Error{Code: connectors.BadInput, Reason: "sqlite.folder", Target: c.Path, Field: "file"}
		}
		// The path goes through a URL so that ? and # in it stay part of the name.
		u := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(c.Path), RawQuery: "mode=ro&_pragma=query_only(1)&_pragma=busy_timeout(3000)"}
		if s.db, err = sql.Open("sqlite", u.String()); err != nil {
			return "", err
		}
		s.db.SetMaxOpenConns(4)
		var n int
		if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
			return "", s.explain(ctx, err, c.Path)
		}
		return filepath.Base(c.Path) + ", " + humanize.IBytes(uint64(info.Size())), nil
	})
	if err != nil {
		if s.db != nil {
			_ = s.db.Close()
		}
		return nil, err
	}
	return s, nil
}

func (d sqliteDialect) facts(ctx context.Context, c querier) ([]connectors.Fact, error) {
	var version string
	var tables int
	if err := c.QueryRowContext(ctx, "SELECT sqlite_version(), (SELECT count(*) FROM sqlite_schema WHERE type IN ('table','view'))").Scan(&version, &tables); err != nil {
		return nil, err
	}
	out := []connectors.Fact{{Label: "Account", Text: filepath.Base(d.path)}, {Label: "Server", Text: "SQLite " + version}, {Label: "Access", Text: "read-only"}}
	if info, err := os.Stat(d.path); err == nil {
		out = append(out, connectors.Fact{Label: "Size", Text: humanize.IBytes(uint64(info.Size()))}, connectors.Fact{Label: "Modified", Text: info.ModTime().UTC().Format("2006-01-02 15:04:05")})
	}
	return out, nil
}

func (d sqliteDialect) below(id []string) (string, []any, bool) {
	switch len(id) {
	case 0:
		return `SELECT name, type, 1, NULL, 'readable', NULL, NULL FROM sqlite_schema WHERE type IN ('table','view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`, nil, true
	case 1:
		return `SELECT name, 'column', 0, NULL, 'readable', 'Type=' || type, NULL FROM pragma_table_info(?)`, []any{id[0]}, true
	}
	return "", nil, false
}

func (sqliteDialect) databases() string                      { return "" }
func (sqliteDialect) hello(context.Context, *sql.Conn) error { return nil }
func (sqliteDialect) first(list, from string, n int) string  { return limited(list, from, n) }
func (sqliteDialect) stop(context.Context, *sql.Conn) func(<-chan struct{}) {
	return func(<-chan struct{}) {}
}
func (sqliteDialect) columns(context.Context, querier, []string) ([]string, int, error) {
	return nil, 0, nil
}

func (sqliteDialect) begin(ctx context.Context, c *sql.Conn) (querier, func(), error) {
	tx, err := c.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, err
	}
	return tx, func() { _ = tx.Rollback() }, nil
}

func (sqliteDialect) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// explain maps the primary result codes (https://sqlite.org/rescode.html).
func (sqliteDialect) explain(err error, target string) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return connectors.Classify(err)
	}
	out := &connectors.Error{Code: connectors.Refused, Reason: "sqlite.other", Target: target, Err: err, Field: "file"}
	switch e.Code() & 0xff {
	case 26:
		out.Code, out.Reason = connectors.BadInput, "sqlite.not_a_database"
	case 14, 23:
		out.Code, out.Reason = connectors.Denied, "sqlite.denied"
	case 10:
		out.Reason = "sqlite.io"
	case 5, 6:
		out.Code, out.Reason = connectors.Throttled, "sqlite.busy"
	case 11:
		out.Reason = "sqlite.corrupt"
	case 1:
		out.Code, out.Reason, out.Field = connectors.NotFound, "sqlite.no_table", ""
	}
	return out
}

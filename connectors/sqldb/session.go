// Package sqldb is the connection types for SQL databases.
package sqldb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"jackfield/connectors"
)

// The bounds of one look: a preview must never become a load.
const (
	queryTime = 20 * time.Second
	maxCell   = 4 << 10
	maxBytes  = 8 << 20
)

// A dialect is what differs between the databases.
type dialect interface {
	// facts asks for account, server and rights.
	facts(ctx context.Context, c *sql.Conn) ([]connectors.Fact, error)
	// below is the query that lists the children of a node. Its columns are id,
	// name, kind, branch (0/1), rows (text or NULL), access, and extra ("label=text").
	below(id []string) (query string, args []any, ok bool)
	// columns are the names that may be selected, and how many may not.
	columns(ctx context.Context, tx *sql.Tx, id []string) (names []string, denied int, err error)
	quote(name string) string
	// begin prepares a connection for reading alone.
	begin(ctx context.Context, c *sql.Conn) error
	// stop tells the server to end what a connection runs.
	stop(c *sql.Conn) func()
	explain(err error, target string) error
}

type session struct {
	db    *sql.DB
	d     dialect
	close func() error
	once  sync.Once
}

func (s *session) Close() error {
	var err error
	s.once.Do(func() {
		err = s.db.Close()
		if s.close != nil {
			err = errors.Join(err, s.close())
		}
	})
	return err
}

// with runs f on one connection that can only read, and stops the server's
// work when ctx ends first.
func (s *session) with(ctx context.Context, target string, f func(context.Context, *sql.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return connectors.Classify(err)
	}
	c, err := s.db.Conn(ctx)
	if err != nil {
		return s.explain(ctx, err, target)
	}
	defer func() { _ = c.Close() }()
	if err := s.d.begin(ctx, c); err != nil {
		return s.explain(ctx, err, target)
	}
	kill := s.d.stop(c)
	ended := make(chan struct{})
	release := context.AfterFunc(ctx, func() { defer close(ended); kill() })
	err = f(ctx, c)
	if !release() {
		<-ended
	}
	return s.explain(ctx, err, target)
}

func (s *session) explain(ctx context.Context, err error, target string) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		code := connectors.Cancelled
		if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			code = connectors.TimedOut
		}
		return &connectors.Error{Code: code, Target: target, Err: err}
	}
	var known *connectors.Error
	if errors.As(err, &known) {
		return known
	}
	return s.d.explain(err, target)
}

func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	var out []connectors.Fact
	err := s.with(ctx, "", func(ctx context.Context, c *sql.Conn) error {
		var err error
		out, err = s.d.facts(ctx, c)
		return err
	})
	return out, err
}

// stopped ends a listing that its consumer broke out of.
var errStopped = errors.New("the consumer has seen enough")

// Children streams the catalogue's answer row by row.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		query, args, ok := s.d.below(split(parent))
		if !ok {
			yield(connectors.Node{}, &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: shown(parent)})
			return
		}
		// Breaking out ends the query too: closing rows would read them all.
		inner, cancel := context.WithCancel(ctx)
		defer cancel()
		err := s.nodes(ctx, inner, cancel, parent, query, args, yield)
		if err != nil && !errors.Is(err, errStopped) {
			yield(connectors.Node{}, err)
		}
	}
}

func (s *session) nodes(ctx, inner context.Context, cancel func(), parent connectors.NodeID, query string, args []any, yield func(connectors.Node, error) bool) error {
	c, err := s.db.Conn(ctx)
	if err != nil {
		return s.explain(ctx, err, shown(parent))
	}
	defer func() { _ = c.Close() }()
	if err := s.d.begin(ctx, c); err != nil {
		return s.explain(ctx, err, shown(parent))
	}
	rows, err := c.QueryContext(inner, query, args...)
	if err != nil {
		return s.explain(ctx, err, shown(parent))
	}
	defer func() { _ = rows.Close() }()
	defer cancel()
	for rows.Next() {
		n, err := node(parent, rows)
		if err != nil {
			return s.explain(ctx, err, shown(parent))
		}
		if ctx.Err() != nil {
			return s.explain(ctx, ctx.Err(), shown(parent))
		}
		if !yield(n, nil) {
			return errStopped
		}
	}
	if err := rows.Err(); err != nil {
		return s.explain(ctx, err, shown(parent))
	}
	if ctx.Err() != nil {
		return s.explain(ctx, ctx.Err(), shown(parent))
	}
	return nil
}

func node(parent connectors.NodeID, rows *sql.Rows) (connectors.Node, error) {
	var name, kind, access string
	var branch bool
	var count, extra sql.NullString
	if err := rows.Scan(&name, &kind, &branch, &count, &access, &extra); err != nil {
		return connectors.Node{}, err
	}
	n := connectors.Node{ID: join(parent, name), Name: name, Kind: kind, Branch: branch, Access: connectors.Access(access)}
	if (kind == "table" || kind == "view") && n.Access != connectors.AccessDenied {
		n.Views = []connectors.View{connectors.ViewRows}
	}
	if count.Valid && count.String != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Rows", Text: "about " + count.String})
	}
	if extra.Valid && extra.String != "" {
		label, text, _ := strings.Cut(extra.String, "=")
		n.Facts = append(n.Facts, connectors.Fact{Label: label, Text: text})
	}
	return n, nil
}

func shown(id connectors.NodeID) string { return strings.Join(split(id), ".") }

// Table reads the first rows, in a read-only transaction, of the columns that
// may be read.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	parts := split(id)
	if len(parts) == 0 {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Said: "choose a table"}
	}
	var t *connectors.Table
	inner, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	err := s.with(inner, shown(id), func(ctx context.Context, c *sql.Conn) error {
		tx, err := c.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		t, err = s.sample(ctx, tx, parts, limit)
		return err
	})
	return t, err
}

func (s *session) sample(ctx context.Context, tx *sql.Tx, id []string, limit int) (*connectors.Table, error) {
	names, denied, err := s.d.columns(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	list := "*"
	if len(names) > 0 {
		quoted := make([]string, len(names))
		for i, n := range names {
			quoted[i] = s.d.quote(n)
		}
		list = strings.Join(quoted, ", ")
	}
	from := make([]string, len(id))
	for i, part := range id {
		from[i] = s.d.quote(part)
	}
	rows, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s LIMIT %d", list, strings.Join(from, "."), limit+1))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	t, err := read(rows, limit)
	if t != nil && denied > 0 {
		t.Note = fmt.Sprintf("%d more columns may not be read", denied)
	}
	return t, err
}

func read(rows *sql.Rows, limit int) (*connectors.Table, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	t := &connectors.Table{}
	for _, c := range types {
		t.Columns = append(t.Columns, connectors.Column{Name: c.Name(), Type: c.DatabaseTypeName(), Numeric: numeric(c.DatabaseTypeName())})
	}
	size := 0
	for rows.Next() {
		if len(t.Rows) == limit || size > maxBytes {
			t.Truncated = true
			break
		}
		cells := make([]any, len(types))
		into := make([]any, len(types))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, v := range cells {
			cells[i] = plain(v, types[i].DatabaseTypeName())
			if text, ok := cells[i].(string); ok {
				size += len(text)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	for i := range t.Columns {
		if t.Columns[i].Type == "" { // SQLite: what an expression gives has no declared type
			t.Columns[i].Numeric = numbers(t.Rows, i)
		}
	}
	return t, rows.Err()
}

// numbers reports whether a column holds numbers and nothing else.
func numbers(rows [][]any, i int) bool {
	some := false
	for _, r := range rows {
		switch r[i].(type) {
		case int64, float64:
			some = true
		case nil:
		default:
			return false
		}
	}
	return some
}

func numeric(kind string) bool {
	kind = strings.ToUpper(kind)
	for _, n := range []string{"INT", "NUM", "DEC", "FLOAT", "DOUBLE", "REAL"} {
		if strings.Contains(kind, n) {
			return true
		}
	}
	return false
}

// plain makes a cell of what the driver returns.
func plain(v any, kind string) any {
	switch x := v.(type) {
	case nil, int64, float64, bool:
		return x
	case time.Time:
		return x.Format("2006-01-02 15:04:05.999999999 -07:00")
	case []byte:
		if utf8.Valid(x) && !strings.Contains(strings.ToUpper(kind), "BLOB") && !strings.Contains(strings.ToUpper(kind), "BINARY") && !strings.EqualFold(kind, "BYTEA") {
			return cut(string(x))
		}
		text := hex.EncodeToString(x[:min(len(x), 64)])
		if len(x) > 64 {
			text += "…"
		}
		return fmt.Sprintf("0x%s (%d bytes)", text, len(x))
	case string:
		return cut(x)
	}
	return cut(fmt.Sprint(v))
}

func cut(s string) string {
	if len(s) <= maxCell {
		return s
	}
	end := maxCell
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// Package sqldb is the connection types for SQL databases.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"strings"
	"sync"

	"jackfield/connectors"
)

// A querier is a connection, or a transaction on one.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// A dialect is what differs between the databases.
type dialect interface {
	// hello proves that a new connection can be worked with.
	hello(ctx context.Context, c *sql.Conn) error
	// facts asks for account, server and rights.
	facts(ctx context.Context, q querier) ([]connectors.Fact, error)
	// databases is the query that lists the databases of the server, "" where it
	// has none to choose from; its columns are below's.
	databases() string
	// below is the query that lists the children of a node. Its columns are name,
	// kind, branch (0/1), rows (text or NULL), access, extra ("label=text") and
	// comment.
	below(id []string) (query string, args []any, ok bool)
	// columns are what may be selected, as expressions, and how many columns may
	// not be. None at all stands for every column.
	columns(ctx context.Context, q querier, id []string) (list []string, denied int, err error)
	quote(name string) string
	// first is the query for at most n rows.
	first(list, from string, n int) string
	// begin makes of a connection something that can only read. end gives back
	// what begin took.
	begin(ctx context.Context, c *sql.Conn) (q querier, end func(), err error)
	// stop returns what makes a connection end what it runs, called when the
	// context has ended and finished not.
	stop(ctx context.Context, c *sql.Conn) func(finished <-chan struct{})
	explain(err error, target string) error
}

type session struct {
	db *sql.DB
	d  dialect
	// another opens a further database of the server; nil where a node's id has
	// no database in front. It makes no connection yet.
	another func(name string) (*sql.DB, error)
	free    func() // at the end; may be nil

	mu     sync.Mutex
	others map[string]*sql.DB
	closed bool
}

func (s *session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.db.Close()
	for _, db := range s.others {
		err = errors.Join(err, db.Close())
	}
	if s.free != nil {
		s.free()
	}
	return err
}

// inside returns the pool of the database that id begins with, and the rest.
func (s *session) inside(id []string) (*sql.DB, []string, error) {
	if s.another == nil || len(id) == 0 {
		return s.db, id, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if db, ok := s.others[id[0]]; ok {
		return db, id[1:], nil
	}
	if s.closed {
		return nil, nil, sql.ErrConnDone
	}
	db, err := s.another(id[0])
	if err != nil {
		return nil, nil, err
	}
	if s.others == nil {
		s.others = map[string]*sql.DB{}
	}
	s.others[id[0]] = db
	return db, id[1:], nil
}

// with runs f on a connection of db that can only read, and stops the server's
// work when ctx ends first.
func (s *session) with(ctx context.Context, db *sql.DB, target string, f func(context.Context, querier) error) error {
	if err := ctx.Err(); err != nil {
		return connectors.Classify(err)
	}
	var c *sql.Conn
	var q querier
	var end func()
	err := guarded(func() (err error) {
		if c, err = db.Conn(ctx); err == nil {
			q, end, err = s.d.begin(ctx, c)
		}
		return err
	})
	if c != nil {
		defer func() { _ = c.Close() }()
	}
	if err != nil {
		return s.explain(ctx, err, target)
	}
	defer end()
	kill := s.d.stop(ctx, c)
	ended, finished := make(chan struct{}), make(chan struct{})
	release := context.AfterFunc(ctx, func() { defer close(ended); kill(finished) })
	err = f(ctx, q)
	close(finished)
	if !release() {
		<-ended
	}
	return s.explain(ctx, err, target)
}

var errBroken = errors.New("the server's answer cannot be read")

// guarded turns a panic of a driver, which is a message that it did not foresee,
// into an error. What was panicked with may quote the message, and is dropped.
func guarded(f func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errBroken
		}
	}()
	return f()
}

func (s *session) explain(ctx context.Context, err error, target string) error {
	if err == nil || errors.Is(err, errStopped) {
		return err
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
	err := s.with(ctx, s.db, "", func(ctx context.Context, q querier) error {
		return guarded(func() (err error) { out, err = s.d.facts(ctx, q); return err })
	})
	return out, err
}

// stopped ends a listing that its consumer broke out of.
var errStopped = errors.New("the consumer has seen enough")

// Children streams the catalogue's answer row by row.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if err := s.children(ctx, parent, yield); err != nil && !errors.Is(err, errStopped) {
			yield(connectors.Node{}, err)
		}
	}
}

func (s *session) children(ctx context.Context, parent connectors.NodeID, yield func(connectors.Node, error) bool) error {
	id := split(parent)
	db, rest, err := s.inside(id)
	if err != nil {
		return s.explain(ctx, err, shown(parent))
	}
	query, args, ok := s.d.databases(), []any(nil), true
	if s.another == nil || len(id) > 0 {
		query, args, ok = s.d.below(rest)
	}
	if !ok {
		return &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: shown(parent)}
	}
	some := false
	err = s.with(ctx, db, shown(parent), func(ctx context.Context, q querier) error {
		return list(ctx, q, parent, query, args, func(n connectors.Node, err error) bool {
			some = true
			return yield(n, err)
		})
	})
	if err != nil || some || len(id) == 0 {
		return err
	}
	return s.there(ctx, id)
}

// there tells an empty schema from one that does not exist: the catalogue says
// nothing of either.
func (s *session) there(ctx context.Context, id []string) error {
	var above connectors.NodeID
	last := len(id) - 1
	for _, part := range id[:last] {
		above = join(above, part)
	}
	found := false
	err := s.children(ctx, above, func(n connectors.Node, _ error) bool {
		found = n.Name == id[last]
		return !found
	})
	if err != nil && !errors.Is(err, errStopped) {
		return err
	}
	if found {
		return nil
	}
	return &connectors.Error{Code: connectors.NotFound, Reason: "sql.not_there", Op: connectors.StageData, Target: strings.Join(id, ".")}
}

func list(ctx context.Context, q querier, parent connectors.NodeID, query string, args []any, yield func(connectors.Node, error) bool) error {
	// Breaking out ends the query too: closing rows would read them all.
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	var rows *sql.Rows
	err := guarded(func() (err error) { rows, err = q.QueryContext(inner, query, args...); return err })
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	defer cancel()
	for {
		var n connectors.Node
		more := false
		err := guarded(func() (err error) {
			if more = rows.Next(); more {
				n, err = node(parent, rows)
				return err
			}
			return rows.Err()
		})
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || !more {
			return err
		}
		if !yield(n, nil) {
			return errStopped
		}
	}
}

// maxComment is how much of a comment is shown.
const maxComment = 300

func node(parent connectors.NodeID, rows *sql.Rows) (connectors.Node, error) {
	var name, kind string
	var branch bool
	var count, access, extra, comment sql.NullString
	if err := rows.Scan(&name, &kind, &branch, &count, &access, &extra, &comment); err != nil {
		return connectors.Node{}, err
	}
	n := connectors.Node{ID: join(parent, name), Name: name, Kind: kind, Branch: branch, Access: connectors.Access(access.String)}
	if tabular(kind) && n.Access != connectors.AccessDenied {
		n.Views = []connectors.View{connectors.ViewRows}
	}
	if count.String != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Rows", Text: "about " + count.String})
	}
	if extra.String != "" {
		label, text, _ := strings.Cut(extra.String, "=")
		n.Facts = append(n.Facts, connectors.Fact{Label: label, Text: text})
	}
	if text := connectors.Clean(comment.String, maxComment); text != "" {
		n.Facts = append(n.Facts, connectors.Fact{Label: "Comment", Text: text})
	}
	return n, nil
}

// tabular reports whether a node of the kind has rows.
func tabular(kind string) bool {
	return strings.HasSuffix(kind, "table") || strings.HasSuffix(kind, "view") || kind == "partition"
}

func shown(id connectors.NodeID) string { return strings.Join(split(id), ".") }

package clickhouse

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/connectors/internal/pathid"
)

// others are the databases that are not ClickHouse's own.
const others = "name NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema', '_temporary_and_external_tables')"

// pageSize is how many names one query lists.
const pageSize = 1000

type session struct {
	env     *connectors.Env
	c       config
	client  *http.Client
	freedom atomic.Int32 // a freedom
	plain   atomic.Bool  // system.tables knows no sizes, as before 19.x
	version string
	grants  grants
}

func open(ctx context.Context, env *connectors.Env, c config) (connectors.Session, error) {
	wrong := &connectors.Error{Code: connectors.BadInput, Op: connectors.StageForm}
	switch {
	case c.Auth == byCertificate && !c.secure():
		wrong.Reason, wrong.Field = "clickhouse.certificate_needs_tls", "security"
		return nil, wrong
	case c.Auth == byCertificate && !c.Presents():
		wrong.Reason, wrong.Field = "clickhouse.no_certificate", "client_cert"
		return nil, wrong
	}
	spec := connectors.HTTP{NoRedirects: true, Timeout: (seconds + 20) * time.Second}
	if c.secure() {
		spec.TLS = c.Spec()
	}
	client, err := env.HTTP(spec)
	if err != nil {
		return nil, err
	}
	s := &session{env: env, c: c, client: client}
	err = env.Climb(ctx, connectors.StageSignIn, c.User, func(ctx context.Context) (string, error) {
		if ctx.Err() != nil {
			return "", connectors.Classify(context.Cause(ctx))
		}
		a, err := s.query(ctx, "SELECT version()", c.Database)
		if err != nil {
			return "", err
		}
		if rows := a.texts(); len(rows) == 1 {
			s.version = connectors.Clean(rows[0][0], 100)
		}
		return c.User, nil
	})
	if err != nil {
		client.CloseIdleConnections()
		return nil, err
	}
	s.grants = s.readGrants(ctx)
	return s, nil
}

// readGrants asks for the account's own rights, which anybody may.
func (s *session) readGrants(ctx context.Context) grants {
	a, err := s.query(ctx, "SHOW GRANTS", "")
	if err != nil {
		return grants{}
	}
	var lines []string
	for _, row := range a.texts() {
		lines = append(lines, row[0])
	}
	return parseGrants(lines)
}

// Check asks who this is.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	account := s.c.User
	a, err := s.query(ctx, "SELECT user(), timezone(), uptime()", s.c.Database)
	if said := connectors.Classify(err); err != nil && said.Reason == "clickhouse.other" { // user() since 20.1
		a, err = s.query(ctx, "SELECT '', timezone(), uptime()", s.c.Database)
	}
	if err != nil {
		return nil, err
	}
	rows := a.texts()
	if len(rows) != 1 {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "clickhouse.not_this", Target: s.c.addr(), Field: "port"}
	}
	if rows[0][0] != "" {
		account = rows[0][0]
	}
	encryption := "none"
	if s.c.secure() {
		encryption = "TLS"
	}
	facts := []connectors.Fact{
		{Label: "Account", Text: connectors.Clean(account, 200)}, {Label: "Server", Text: "ClickHouse " + s.version},
		{Label: "Encryption", Text: encryption}, {Label: "Time zone", Text: connectors.Clean(rows[0][1], 100)},
		{Label: "Access", Text: "read-only queries"},
	}
	for _, line := range s.grants.lines[:min(len(s.grants.lines), 50)] {
		line, _, _ = strings.Cut(line, " IDENTIFIED ")
		facts = append(facts, connectors.Fact{Label: "Right", Text: connectors.Clean(line, 200)})
	}
	return facts, nil
}

// Children lists databases, tables and columns, page by page.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		parts, ok := pathid.Split(parent)
		if !ok || len(parts) > 2 {
			yield(connectors.Node{}, &connectors.Error{Code: connectors.NotFound, Reason: "clickhouse.no_table", Op: connectors.StageData, Target: string(parent)})
			return
		}
		last := ""
		for first := true; ; first = false {
			rows, err := s.page(ctx, parts, last, first)
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			for _, row := range rows {
				if ctx.Err() != nil {
					yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
					return
				}
				if !yield(s.node(parent, parts, row), nil) {
					return
				}
			}
			if len(rows) < pageSize || len(parts) == 2 {
				return
			}
			last = rows[len(rows)-1][0]
		}
	}
}

// page asks for the names after last.
func (s *session) page(ctx context.Context, parts []string, last string, first bool) ([][]string, error) {
	after := ""
	if !first {
		after = " AND name > " + quoted(last)
	}
	if len(parts) == 1 {
		return s.tables(ctx, parts[0], after)
	}
	if len(parts) == 2 {
		return s.texts(ctx, "SELECT name, type, default_kind, comment FROM system.columns WHERE database = "+quoted(parts[0])+" AND table = "+quoted(parts[1]), shown(parts))
	}
	only := others
	if s.c.Database != "" {
		only = "name = " + quoted(s.c.Database)
	}
	return s.texts(ctx, "SELECT name, engine FROM system.databases WHERE "+only+after+" ORDER BY name LIMIT 1000", "")
}

// tables asks for sizes too where the server has them.
func (s *session) tables(ctx context.Context, database, after string) ([][]string, error) {
	statement := func(more string) string {
		return "SELECT name, engine" + more + " FROM system.tables WHERE database = " + quoted(database) + after + " ORDER BY name LIMIT 1000"
	}
	if !s.plain.Load() {
		rows, err := s.texts(ctx, statement(", total_rows, total_bytes, comment"), database)
		if said := exceptionIn(err); said == nil || said.code != unknownIdentifier {
			return rows, err
		}
		s.plain.Store(true)
	}
	return s.texts(ctx, statement(""), database)
}

func (s *session) texts(ctx context.Context, statement, target string) ([][]string, error) {
	a, err := s.query(ctx, statement, target)
	if err != nil {
		return nil, err
	}
	return a.texts(), nil
}

func (s *session) node(parent connectors.NodeID, parts, row []string) connectors.Node {
	n := connectors.Node{ID: pathid.Join(parent, row[0]), Name: row[0]}
	add := func(label, text string) {
		if text != "" {
			n.Facts = append(n.Facts, connectors.Fact{Label: label, Text: connectors.Clean(text, 300)})
		}
	}
	switch len(parts) {
	case 0:
		n.Kind, n.Branch = "database", true
		add("Engine", row[1])
	case 1:
		n.Branch = true
		n.Kind = kind(row[1])
		n.Access = s.grants.access(parts[0], row[0])
		if !consumes(row[1]) && n.Access != connectors.AccessListed {
			n.Views = []connectors.View{connectors.ViewRows}
		}
		add("Engine", row[1])
		if len(row) == 5 {
			add("Rows", row[2])
			if size, err := humanize.ParseBytes(row[3]); err == nil && row[3] != "" {
				add("Size", humanize.IBytes(size))
			}
			add("Comment", row[4])
		}
	default:
		n.Kind, n.Ordered = "column", true
		add("Type", row[1])
		add("Default", strings.ToLower(row[2]))
		add("Comment", row[3])
	}
	return n
}

func kind(engine string) string {
	switch {
	case strings.HasSuffix(engine, "View"):
		return "view"
	case engine == "Dictionary":
		return "dictionary"
	}
	return "table"
}

// consumes names the engines whose rows are gone once they were read, and those
// that run a program.
func consumes(engine string) bool {
	return slices.Contains([]string{"Kafka", "RabbitMQ", "NATS", "FileLog", "S3Queue", "AzureQueue", "Executable", "ExecutablePool"}, engine)
}

func shown(parts []string) string { return strings.Join(parts, ".") }

// Close frees everything.
func (s *session) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

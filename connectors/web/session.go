package web

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// pages bounds how many pages one listing or table asks for.
const pages = 1000

// A session is an open web service: a base address, a credential, and what may
// be looked at below.
type session struct {
	client  *http.Client
	base    *url.URL
	cred    credential
	headers map[string]string
	vars    map[string]string // plain answers, for {placeholders}
	spec    *spec
	free    bool // any path below the base may be looked at
	facts   func() []connectors.Fact
	partial func() error
}

func (s *session) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// target resolves where below the base address. Another origin is refused: the
// credential is for this one.
func (s *session) target(where string) (*url.URL, error) {
	if strings.HasPrefix(where, "/") && !strings.HasPrefix(where, "//") {
		where = strings.TrimSuffix(s.base.Path, "/") + where
	}
	u, err := s.base.Parse(where)
	if err != nil {
		return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageData, Target: where, Err: err}
	}
	if httpx.Origin(u) != httpx.Origin(s.base) {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "http.redirect", Op: connectors.StageData, Target: s.base.Host, Said: u.Scheme + "://" + u.Host}
	}
	return u, nil
}

// get asks once, and once more where a 401 could be cured by a new token.
func (s *session) get(ctx context.Context, u *url.URL, headers map[string]string, limit int) (*httpx.Response, error) {
	for try := 0; ; try++ {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, &connectors.Error{Code: connectors.BadInput, Op: connectors.StageData, Err: err}
		}
		req.Header.Set("Accept", "application/json")
		req.Header.Set("User-Agent", "Jackfield")
		for _, more := range []map[string]string{s.headers, headers} {
			for k, v := range more {
				req.Header.Set(k, v)
			}
		}
		used, err := s.cred.sign(ctx, req)
		if err != nil {
			return nil, err
		}
		res, err := httpx.Do(s.client, req, limit)
		err = addressed(err, s.spec.Address)
		if err != nil || res.Status != http.StatusUnauthorized || try > 0 {
			return res, err
		}
		again, err := s.cred.stale(ctx, used)
		if err != nil {
			return nil, err
		}
		if !again {
			return res, nil
		}
	}
}

// addressed points at the form's one address where an error names host or port,
// which web forms do not ask for apart.
func addressed(err error, field string) error {
	e := connectors.Classify(err)
	if e == nil || e.Field != "host" && e.Field != "port" {
		return err
	}
	out := *e
	out.Field = field
	return &out
}

// ask gets where and judges the answer by the service's own rules. It reports
// the parsed body, nil when that is no JSON and need not be.
func (s *session) ask(ctx context.Context, where string, headers map[string]string, limit int) (*httpx.Response, jsonx.Value, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, connectors.Classify(context.Cause(ctx))
	}
	u, err := s.target(where)
	if err != nil {
		return nil, nil, err
	}
	res, err := s.get(ctx, u, headers, limit)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.spec.judge(res)
	return res, v, err
}

// Check asks for the account and tells what is known.
func (s *session) Check(ctx context.Context) ([]connectors.Fact, error) {
	facts, err := s.check(ctx)
	if err != nil {
		return nil, err
	}
	if s.partial != nil {
		err = s.partial()
	}
	return facts, err
}

func (s *session) check(ctx context.Context) ([]connectors.Fact, error) {
	var out []connectors.Fact
	c := s.spec.Check
	if c.Get != "" {
		res, v, err := s.ask(ctx, s.fill(c.Get, nil), c.Headers, 0)
		if err != nil {
			return nil, err
		}
		if err := c.verdict(res, v); err != nil {
			return nil, err
		}
		for _, f := range c.Facts {
			if text := jsonx.Text(v, f.Path); text != "" {
				out = append(out, connectors.Fact{Label: f.Label, Text: connectors.Clean(text, 300)})
			}
		}
	}
	out = append(out, connectors.Fact{Label: "Server", Text: s.base.Host})
	if s.base.Scheme == "http" {
		out = append(out, connectors.Fact{Label: "Encryption", Text: "none"})
	}
	if p := httpx.Proxy(s.base.String()); p != "" {
		out = append(out, connectors.Fact{Label: "Proxy", Text: p})
	}
	if s.facts != nil {
		out = append(out, s.facts()...)
	}
	return out, nil
}

// Children lists fixed nodes, or the items of a list page by page.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(connectors.Node{}, connectors.Classify(context.Cause(ctx)))
			return
		}
		at, ok := s.find(parent)
		if !ok {
			yield(connectors.Node{}, notFound(parent))
			return
		}
		for i := range at.node.Nodes {
			if !yield(at.node.Nodes[i].shown(at.id), nil) {
				return
			}
		}
		if at.node.List == nil {
			return
		}
		for item, err := range s.items(ctx, *at.node.List, at.vars, 0) {
			if err != nil {
				yield(connectors.Node{}, err)
				return
			}
			if n, ok := at.node.Each.item(at.id, item); ok && !yield(n, nil) {
				return
			}
		}
	}
}

func notFound(id connectors.NodeID) error {
	return &connectors.Error{Code: connectors.NotFound, Op: connectors.StageData, Target: string(id)}
}

// items yields the rows of a list, one page after another. limit is what the
// reader wants to see, 0 for everything.
func (s *session) items(ctx context.Context, l list, vars map[string]string, limit int) iter.Seq2[jsonx.Value, error] {
	return func(yield func(jsonx.Value, error) bool) {
		size := l.Limit
		if size == 0 {
			size = 100
		}
		if limit > 0 {
			size = min(size, limit+1)
		}
		for page, where := 0, s.page(l, vars, size, 0); page < pages; page++ {
			_, v, err := s.ask(ctx, where, l.Headers, 0)
			if err != nil {
				yield(nil, err)
				return
			}
			rows, ok := jsonx.Items(v, l.Items)
			if !ok {
				yield(nil, &connectors.Error{Code: connectors.Refused, Reason: "web.no_rows", Op: connectors.StageData, Target: where})
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
			}
			next := jsonx.Text(v, l.Next)
			switch {
			case l.Next != "" && next != "":
				where = s.follow(next)
			case l.Offset && len(rows) >= size:
				where = s.page(l, vars, size, (page+1)*size)
			default:
				return
			}
		}
	}
}

func (s *session) page(l list, vars map[string]string, size, offset int) string {
	return s.fill(l.Get, with(vars, size, offset))
}

// follow makes a next link relative to the base: some services give the whole
// address, others a path that already has the base's own path in it.
func (s *session) follow(next string) string {
	u, err := s.base.Parse(next)
	if err != nil || httpx.Origin(u) != httpx.Origin(s.base) {
		return next
	}
	return s.base.ResolveReference(u).String()
}

// Table reads the first rows of a node.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	at, ok := s.find(id)
	if !ok || at.node.Rows == nil {
		return nil, notFound(id)
	}
	var rows []jsonx.Value
	for row, err := range s.items(ctx, *at.node.Rows, at.vars, limit) {
		if err != nil {
			return s.single(ctx, at, err)
		}
		if rows = append(rows, row); len(rows) > limit {
			break
		}
	}
	return jsonx.Table(rows, limit), nil
}

// single shows an answer without a list in it as names and values.
func (s *session) single(ctx context.Context, at found, cause error) (*connectors.Table, error) {
	if e := connectors.Classify(cause); e.Reason != "web.no_rows" || at.node.Rows.Items != "" {
		return nil, cause
	}
	_, v, err := s.ask(ctx, s.page(*at.node.Rows, at.vars, 100, 0), at.node.Rows.Headers, 0)
	if err != nil {
		return nil, err
	}
	if o, ok := v.(*jsonx.Object); ok {
		return jsonx.Members(o), nil
	}
	return nil, cause
}

// Sample is the beginning of the answer as it came.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	at, ok := s.find(id)
	if !ok || at.node.Rows == nil {
		return connectors.Sample{}, notFound(id)
	}
	res, _, err := s.ask(ctx, s.page(*at.node.Rows, at.vars, 50, 0), at.node.Rows.Headers, max)
	if err != nil && (res == nil || !res.Truncated) {
		return connectors.Sample{}, err
	}
	size := int64(len(res.Body))
	if res.Truncated {
		size = -1
	}
	return connectors.Sample{MediaType: res.Header.Get("Content-Type"), Data: res.Body, Size: size, Truncated: res.Truncated}, nil
}

package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// A spec is what a service answers, and what can be seen in it. The catalogue
// reads it from YAML; the generic types build one.
type spec struct {
	Check   check  `yaml:"check"`
	Tree    []node `yaml:"tree"`
	Said    string `yaml:"said"` // where its error messages are: "error.message|message"
	Errors  []rule `yaml:"errors"`
	Blame   string `yaml:"blame"` // the field to look at after a 401
	Address string `yaml:"address"`
	Lenient bool   `yaml:"-"` // answers need not be JSON
}

// check is one request that proves the credentials.
type check struct {
	Get      string            `yaml:"get"`
	Headers  map[string]string `yaml:"headers"`
	PassWhen []cond            `yaml:"pass_when"`
	FailWhen []rule            `yaml:"fail_when"`
	Facts    []fact            `yaml:"facts"`
}

type fact struct {
	Label string `yaml:"label"`
	Path  string `yaml:"path"`
}

// cond holds when the value at Path is one of Is, or merely there without Is.
type cond struct {
	Path string   `yaml:"path"`
	Is   []string `yaml:"is"`
}

// rule names a failure. Status and Path that are left out match everything.
type rule struct {
	Status []int            `yaml:"status"`
	Path   string           `yaml:"path"`
	Is     []string         `yaml:"is"`
	Code   connectors.Code  `yaml:"code"`
	Reason string           `yaml:"reason"`
	Field  string           `yaml:"field"`
	Stage  connectors.Stage `yaml:"stage"`
}

// A node is fixed in the tree; Each is the shape of what List finds below it.
type node struct {
	ID    string `yaml:"id"`
	Name  string `yaml:"name"`
	Kind  string `yaml:"kind"`
	Rows  *list  `yaml:"rows"`
	List  *list  `yaml:"list"`
	Each  *each  `yaml:"each"`
	Nodes []node `yaml:"nodes"`
}

type list struct {
	Get     string            `yaml:"get"`
	Items   string            `yaml:"items"`
	Next    string            `yaml:"next"`
	Offset  bool              `yaml:"offset"` // the path has {offset} and {limit}
	Limit   int               `yaml:"limit"`
	Headers map[string]string `yaml:"headers"`
}

type each struct {
	ID    string `yaml:"id"`
	Name  string `yaml:"name"`
	Kind  string `yaml:"kind"`
	Facts []fact `yaml:"facts"`
	Rows  *list  `yaml:"rows"`
	List  *list  `yaml:"list"`
	Each  *each  `yaml:"each"`
}

func (c cond) holds(v jsonx.Value) bool {
	at := jsonx.At(v, c.Path)
	if len(c.Is) == 0 {
		return at != nil
	}
	return at != nil && slices.Contains(c.Is, jsonx.Show(at))
}

func (r rule) matches(res *httpx.Response, v jsonx.Value) bool {
	if len(r.Status) > 0 && !slices.Contains(r.Status, res.Status) {
		return false
	}
	return r.Path == "" || cond{r.Path, r.Is}.holds(v)
}

func (r rule) failure(res *httpx.Response, said string) *connectors.Error {
	return &connectors.Error{Code: r.Code, Reason: r.Reason, Field: r.Field, Op: r.Stage, Target: res.URL.Host, Said: said}
}

// judge tells a failure from an answer: the service's own rules first, then
// what the status means, then whether it is JSON at all.
func (s *spec) judge(res *httpx.Response) (jsonx.Value, error) {
	v, parseErr := jsonx.Parse(res.Body)
	said := ""
	if s.Said != "" {
		said = jsonx.Text(v, s.Said)
	}
	for _, r := range s.Errors {
		if r.matches(res, v) {
			e := r.failure(res, said)
			if e.Code == connectors.AuthFailed && e.Field == "" {
				e.Field = s.Blame
			}
			return nil, e
		}
	}
	if e := res.Err(said); e != nil {
		switch e.Code {
		case connectors.AuthFailed:
			e.Op, e.Field = connectors.StageSignIn, s.Blame
		case connectors.NotFound, connectors.Refused:
			if res.Media() == "text/html" || e.Reason == "http.redirect" {
				e.Field = s.Address
			}
		}
		return nil, e
	}
	if parseErr == nil || s.Lenient {
		return v, nil
	}
	if res.Truncated {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "web.large", Op: connectors.StageData, Target: res.URL.Path}
	}
	// A web page where data is expected is a sign-in page or another site.
	return nil, &connectors.Error{Code: connectors.Refused, Reason: "web.not_json", Field: s.Address, Target: res.URL.Host, Said: res.Media(), Err: parseErr}
}

func (c check) verdict(res *httpx.Response, v jsonx.Value) error {
	for _, r := range c.FailWhen {
		if r.matches(res, v) {
			return r.failure(res, "")
		}
	}
	for _, p := range c.PassWhen {
		if !p.holds(v) {
			return &connectors.Error{Code: connectors.Refused, Reason: "web.not_this", Target: res.URL.Host, Said: p.Path + " is missing in the answer"}
		}
	}
	return nil
}

// fill puts answers into {placeholders}: escaped for the path, or for the query
// after the "?". One at the very beginning is an address and stays as it is.
func (s *session) fill(template string, more map[string]string) string {
	return fill(template, s.vars, more)
}

func fill(template string, vars, more map[string]string) string {
	var b strings.Builder
	rest := template
	for {
		before, after, ok := strings.Cut(rest, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, tail, ok := strings.Cut(after, "}")
		if !ok {
			b.WriteString("{" + after)
			return b.String()
		}
		v, known := more[name]
		if !known {
			v = vars[name]
		}
		switch {
		case b.Len() == 0:
			b.WriteString(v)
		case strings.Contains(b.String(), "?"):
			b.WriteString(url.QueryEscape(v))
		default:
			b.WriteString(url.PathEscape(v))
		}
		rest = tail
	}
}

func with(vars map[string]string, size, offset int) map[string]string {
	out := map[string]string{"limit": strconv.Itoa(size), "offset": strconv.Itoa(offset)}
	for k, v := range vars {
		out[k] = v
	}
	return out
}

// found is a node with the ids on the way to it.
type found struct {
	id   connectors.NodeID
	node node
	vars map[string]string
}

// find walks an id, parts of which are escaped and joined by "/". Below a free
// session any path is a node of its own.
func (s *session) find(id connectors.NodeID) (found, bool) {
	at := found{id: id, node: node{Nodes: s.spec.Tree}, vars: map[string]string{}}
	if id == "" {
		return at, true
	}
	if s.free && strings.HasPrefix(string(id), "/") {
		return found{id: id, node: node{Rows: &list{Get: literal(string(id))}}}, true
	}
	for part := range strings.SplitSeq(string(id), "/") {
		if i := slices.IndexFunc(at.node.Nodes, func(n node) bool { return n.ID == part }); i >= 0 {
			at.node = at.node.Nodes[i]
			continue
		}
		raw, err := url.PathUnescape(part)
		if at.node.Each == nil || err != nil {
			return found{}, false
		}
		if _, nested := at.vars["id"]; nested {
			at.vars["parent"] = at.vars["id"]
		}
		at.vars["id"] = raw
		e := at.node.Each
		at.node = node{ID: part, Rows: e.Rows, List: e.List, Each: e.Each}
	}
	return at, true
}

// literal keeps a typed path from being read as a template.
func literal(path string) string { return strings.NewReplacer("{", "%7B", "}", "%7D").Replace(path) }

func join(parent connectors.NodeID, part string) connectors.NodeID {
	if parent == "" {
		return connectors.NodeID(part)
	}
	return parent + "/" + connectors.NodeID(part)
}

func (n node) shown(parent connectors.NodeID) connectors.Node {
	out := connectors.Node{ID: join(parent, n.ID), Name: n.Name, Kind: n.Kind, Branch: n.List != nil || len(n.Nodes) > 0}
	if n.Rows != nil {
		out.Views = []connectors.View{connectors.ViewRows, connectors.ViewContent}
	}
	return out
}

func (e *each) item(parent connectors.NodeID, v jsonx.Value) (connectors.Node, bool) {
	id := jsonx.Text(v, e.ID)
	if id == "" {
		return connectors.Node{}, false
	}
	name := jsonx.Text(v, e.Name)
	if name == "" {
		name = id
	}
	out := connectors.Node{ID: join(parent, url.PathEscape(id)), Name: name, Kind: e.Kind, Branch: e.List != nil}
	if e.Rows != nil {
		out.Views = []connectors.View{connectors.ViewRows, connectors.ViewContent}
	}
	for _, f := range e.Facts {
		if text := jsonx.Text(v, f.Path); text != "" {
			out.Facts = append(out.Facts, connectors.Fact{Label: f.Label, Text: text})
		}
	}
	return out, true
}

// ready opens a session: it proves the credentials with one request.
func ready(ctx context.Context, env *connectors.Env, s *session) (connectors.Session, error) {
	var facts []connectors.Fact
	facts, err := s.check(ctx)
	if e := connectors.Classify(err); e != nil && e.Op != "" && e.Op != connectors.StageSignIn {
		_ = s.Close()
		return nil, e
	}
	err = env.Climb(ctx, connectors.StageSignIn, s.base.Host, func(context.Context) (string, error) {
		if len(facts) > 0 && facts[0].Label == "Account" {
			return facts[0].Text, err
		}
		return http.StatusText(http.StatusOK), err
	})
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

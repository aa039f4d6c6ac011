package elastic

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/pathid"
)

const (
	maxFields = 10_000
	maxDepth  = 50
	askedOnce = 500 // names in one question for privileges
)

// Kinds of what can be searched.
const (
	anIndex  = "index"
	anAlias  = "alias"
	aStream  = "data stream"
	wildcard = "*"
)

// An entry is something that can be searched.
type entry struct {
	name, kind string
	facts      []connectors.Fact
}

// named are the names in the form that are no patterns.
func (c config) named() []string {
	var out []string
	for n := range strings.SplitSeq(c.Index, ",") {
		if n = strings.TrimSpace(n); n != "" && !strings.Contains(n, wildcard) {
			out = append(out, n)
		}
	}
	return out
}

// pattern is what is listed, escaped for a path.
func (c config) pattern() string {
	if c.Index == "" {
		return wildcard
	}
	return escaped(c.Index)
}

// escaped keeps the stars and commas of a pattern.
func escaped(name string) string {
	return strings.NewReplacer("%2A", "*", "%2C", ",").Replace(url.PathEscape(name))
}

// Children lists data streams, aliases and indices, and below them their fields.
func (s *session) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		parts, ok := pathid.Split(parent)
		var err error
		switch {
		case ctx.Err() != nil:
			err = connectors.Classify(context.Cause(ctx))
		case !ok || len(parts) > 1 || len(parts) == 1 && validIndex(parts[0]) != nil:
			err = &connectors.Error{Code: connectors.NotFound, Reason: "elastic.no_index", Op: connectors.StageData, Target: string(parent)}
		case len(parts) == 0:
			err = s.entries(ctx, yield)
		default:
			err = s.fields(ctx, parent, parts[0], yield)
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(connectors.Node{}, err)
		}
	}
}

// errStopped ends a listing that its consumer broke out of.
var errStopped = errors.New("the consumer has seen enough")

func (s *session) entries(ctx context.Context, yield func(connectors.Node, error) bool) error {
	all, err := s.listed(ctx, false)
	if names := s.c.named(); connectors.CodeOf(err) == connectors.Denied && len(names) > 0 {
		all, err = nil, nil
		for _, n := range names {
			all = append(all, entry{name: n, kind: anIndex})
		}
	}
	if err != nil {
		return err
	}
	sizes := s.sizes(ctx)
	for some := range slices.Chunk(all, askedOnce) {
		access := s.access(ctx, some)
		for _, e := range some {
			if ctx.Err() != nil {
				return connectors.Classify(context.Cause(ctx))
			}
			n := connectors.Node{ID: pathid.Join("", e.name), Name: e.name, Kind: e.kind, Branch: true, Access: access[e.name], Facts: append(e.facts, sizes[e.name]...)}
			if n.Access != connectors.AccessListed {
				n.Views = []connectors.View{connectors.ViewRows}
			}
			if !yield(n, nil) {
				return errStopped
			}
		}
	}
	return nil
}

// listed asks for names, which needs the least rights (Elasticsearch 7.9, OpenSearch
// 1.0), and where a server does not know that, for the table of indices. probe asks
// for as little as shows that listing works.
func (s *session) listed(ctx context.Context, probe bool) ([]entry, error) {
	expand := "open"
	if s.c.Hidden {
		expand = "open,hidden"
	}
	query := url.Values{"expand_wildcards": {expand}}
	if probe {
		query.Set("filter_path", "indices.name")
	}
	v, _, err := s.get(ctx, "/_resolve/index/"+s.c.pattern(), query)
	if e := connectors.Classify(err); e != nil {
		if e.Reason != "elastic.other" && e.Code != connectors.Unsupported && (e.Code != connectors.NotFound || e.Reason == "elastic.no_index") {
			return nil, s.aboutIndex(err)
		}
		return s.table(ctx, expand)
	}
	var out []entry
	for _, d := range items(v, "data_streams") {
		out = append(out, entry{name: jsonx.Text(d, "name"), kind: aStream, facts: one("Time field", jsonx.Text(d, "timestamp_field"))})
	}
	for _, a := range items(v, "aliases") {
		out = append(out, entry{name: jsonx.Text(a, "name"), kind: anAlias, facts: one("For", connectors.Clean(jsonx.Text(a, "indices.,"), 300))})
	}
	for _, i := range items(v, "indices") {
		if stream := jsonx.Text(i, "data_stream"); stream == "" || s.c.Hidden {
			out = append(out, entry{name: jsonx.Text(i, "name"), kind: anIndex, facts: one("Part of", stream)})
		}
	}
	return out, nil
}

func items(v jsonx.Value, path string) []jsonx.Value {
	list, _ := jsonx.At(v, path).([]jsonx.Value)
	return list
}

func one(label, text string) []connectors.Fact {
	if text == "" {
		return nil
	}
	return []connectors.Fact{{Label: label, Text: text}}
}

// aboutIndex points a missing index at the question that names it.
func (s *session) aboutIndex(err error) error {
	e := *connectors.Classify(err)
	if e.Reason == "elastic.no_index" && s.c.Index != "" {
		e.Field = "index"
	}
	return &e
}

// table lists indices of servers that know no other way.
func (s *session) table(ctx context.Context, expand string) ([]entry, error) {
	v, _, err := s.get(ctx, "/_cat/indices/"+s.c.pattern(), url.Values{"format": {"json"}, "h": {"index"}, "expand_wildcards": {expand}})
	if err != nil {
		return nil, s.aboutIndex(err)
	}
	var out []entry
	for _, i := range items(v, "") {
		out = append(out, entry{name: jsonx.Text(i, "index"), kind: anIndex})
	}
	return out, nil
}

// sizes are known where the account has the privilege monitor.
func (s *session) sizes(ctx context.Context) map[string][]connectors.Fact {
	query := url.Values{"format": {"json"}, "bytes": {"b"}, "h": {"index,docs.count,store.size,health"}, "expand_wildcards": {"open,hidden"}}
	v, _, err := s.get(ctx, "/_cat/indices/"+s.c.pattern(), query)
	if err != nil {
		return nil
	}
	out := map[string][]connectors.Fact{}
	for _, i := range items(v, "") {
		facts := one("Documents", jsonx.Text(i, "docs.count"))
		if n, err := strconv.ParseUint(jsonx.Text(i, "store.size"), 10, 64); err == nil {
			facts = append(facts, connectors.Fact{Label: "Size", Text: humanize.IBytes(n)})
		}
		out[jsonx.Text(i, "index")] = append(facts, one("Health", jsonx.Text(i, "health"))...)
	}
	return out
}

// access asks Elasticsearch which of them may be read; everybody may ask that about
// themselves. OpenSearch has no such question.
func (s *session) access(ctx context.Context, some []entry) map[string]connectors.Access {
	if s.product == openSearch || s.c.Auth == byNothing {
		return nil
	}
	names := make([]string, len(some))
	for i, e := range some {
		names[i] = e.name
	}
	body, err := json.Marshal(map[string]any{"index": []any{map[string]any{"names": names, "privileges": []string{"read"}}}})
	if err != nil {
		return nil
	}
	v, _, err := s.ask(ctx, http.MethodPost, "/_security/user/_has_privileges", nil, body)
	if err != nil {
		return nil
	}
	said, ok := jsonx.At(v, "index").(*jsonx.Object)
	if !ok {
		return nil
	}
	out := map[string]connectors.Access{}
	for name, rights := range said.Members {
		switch jsonx.Text(rights, "read") {
		case "true":
			out[name] = connectors.AccessReadable
		case "false":
			out[name] = connectors.AccessListed
		}
	}
	return out
}

// fields are the columns: the properties of the mapping, those within others with a
// dot between.
func (s *session) fields(ctx context.Context, parent connectors.NodeID, name string, yield func(connectors.Node, error) bool) error {
	v, _, err := s.get(ctx, "/"+escaped(name)+"/_mapping", nil)
	if err != nil {
		return err
	}
	all, _ := v.(*jsonx.Object)
	if all == nil {
		return s.c.notThis("")
	}
	m := &mapping{kinds: map[string]string{}}
	for _, index := range all.Keys {
		m.read(jsonx.At(all.Members[index], "mappings"), "", 0)
	}
	for _, f := range m.names {
		if ctx.Err() != nil {
			return connectors.Classify(context.Cause(ctx))
		}
		if !yield(connectors.Node{ID: pathid.Join(parent, f), Name: f, Kind: "column", Facts: one("Type", m.kinds[f]), Access: connectors.AccessReadable}, nil) {
			return errStopped
		}
	}
	return nil
}

// A mapping is the fields of one or several indices.
type mapping struct {
	names []string
	kinds map[string]string
}

func (m *mapping) read(v jsonx.Value, prefix string, depth int) {
	properties, ok := jsonx.At(v, "properties").(*jsonx.Object)
	if !ok || depth > maxDepth {
		return
	}
	for _, name := range properties.Keys {
		if len(m.names) >= maxFields {
			return
		}
		field := properties.Members[name]
		full := prefix + name
		kind := connectors.Clean(jsonx.Text(field, "type"), 50)
		if kind == "" {
			kind = "object"
		}
		switch before, known := m.kinds[full]; {
		case !known:
			m.names = append(m.names, full)
			m.kinds[full] = kind
		case !slices.Contains(strings.Split(before, ", "), kind):
			m.kinds[full] = before + ", " + kind
		}
		m.read(field, full+".", depth+1)
	}
}

package elastic

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/pathid"
)

// maxHits is how many a search may answer (index.max_result_window).
const maxHits = 10_000

func number(v jsonx.Value) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := n.Int64()
	return i, err == nil
}

// Table reads some documents, in no order; a column for each field that any of
// them has.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	parts, ok := pathid.Split(id)
	if !ok || len(parts) != 1 || validIndex(parts[0]) != nil {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id), Said: "choose an index"}
	}
	limit = min(max(limit, 1), maxHits-1)
	size := limit + 1
	v, err := s.search(ctx, parts[0], size)
	for err != nil && connectors.Classify(err).Reason == "elastic.too_large" && size > 1 {
		size = max(size/10, 1) // large documents: fewer of them
		v, err = s.search(ctx, parts[0], size)
	}
	if err != nil {
		return nil, err
	}
	var rows []jsonx.Value
	for _, hit := range items(v, "hits.hits") {
		rows = append(rows, document(hit))
	}
	t := jsonx.Table(rows, limit)
	t.Truncated = t.Truncated || size <= limit && len(rows) == size
	if jsonx.Text(v, "timed_out") == "true" {
		t.Truncated, t.Note = true, "The server stopped early, because the search took too long."
	}
	if n, some := number(jsonx.At(v, "_shards.failed")); some && n > 0 {
		t.Note = "Some parts of the index did not answer."
	}
	return t, nil
}

// search asks for any documents, which needs the privilege read alone.
func (s *session) search(ctx context.Context, name string, size int) (jsonx.Value, error) {
	body, err := json.Marshal(map[string]any{"size": size, "track_total_hits": false, "timeout": "20s", "query": map[string]any{"match_all": map[string]any{}}})
	if err != nil {
		return nil, err
	}
	v, _, err := s.ask(ctx, http.MethodPost, "/"+escaped(name)+"/_search", url.Values{"allow_partial_search_results": {"true"}}, body)
	if e := connectors.Classify(err); e != nil {
		out := *e
		if out.Reason == "elastic.denied" {
			out.Target = name
		}
		return nil, &out
	}
	return v, nil
}

// document is a hit as one row: its id, and what was stored.
func document(hit jsonx.Value) *jsonx.Object {
	o := &jsonx.Object{Keys: []string{"_id"}, Members: map[string]jsonx.Value{"_id": jsonx.At(hit, "_id")}}
	source, _ := jsonx.At(hit, "_source").(*jsonx.Object)
	if source == nil {
		return o
	}
	for _, k := range source.Keys {
		if _, twice := o.Members[k]; !twice {
			o.Keys = append(o.Keys, k)
		}
		o.Members[k] = source.Members[k]
	}
	return o
}

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/bodyx"
	"jackfield/connectors/internal/files"
	"jackfield/connectors/internal/httpx"
	"jackfield/connectors/internal/jsonx"
)

// Table reads the first rows of a node.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	if s.free && strings.HasPrefix(string(id), "/") {
		return s.within(ctx, id, limit)
	}
	at, ok := s.find(id)
	switch {
	case !ok:
		return nil, notFound(id)
	case at.rows != nil:
		return s.table(ctx, *at.rows, at.vars, limit)
	case at.content != nil && at.content.Token != "":
		return s.tokenTable(ctx, at)
	case at.content != nil && at.content.Rows:
		return files.Table(ctx, s.download(at), "", limit)
	}
	return nil, notFound(id)
}

func (s *session) table(ctx context.Context, l list, vars map[string]string, limit int) (*connectors.Table, error) {
	var found []jsonx.Value
	for row, err := range s.items(ctx, l, vars, limit) {
		var none *noRows
		if errors.As(err, &none) {
			// An answer without a list in it is shown as names and values.
			if o, ok := none.answer.(*jsonx.Object); ok && l.Items == "" {
				return jsonx.Members(o), nil
			}
			if l.Items != "" && none.answer != nil && jsonx.At(none.answer, l.Items) == nil {
				return &connectors.Table{}, nil // services leave an empty list out
			}
			return nil, none.cause
		}
		if err != nil {
			return nil, err
		}
		if inner := jsonx.At(row, l.Row); inner != nil {
			row = inner
		}
		if l.Into != "" {
			row = hoist(row, l.Into)
		}
		if len(l.Without) > 0 {
			row = without(row, l.Without)
		}
		if l.Cells != "" {
			row = flat(row, l.Cells)
		}
		if found = append(found, row); len(found) > limit+1 {
			break
		}
	}
	if l.Grid {
		return grid(found, limit), nil
	}
	return jsonx.Table(found, limit), nil
}

// hoist puts the members of one member among the item's own.
func hoist(row jsonx.Value, member string) jsonx.Value {
	o, ok := row.(*jsonx.Object)
	if !ok {
		return row
	}
	inner, ok := jsonx.At(o, member).(*jsonx.Object)
	if !ok {
		return row
	}
	out := &jsonx.Object{Members: map[string]jsonx.Value{}}
	add := func(k string, v jsonx.Value) {
		if _, twice := out.Members[k]; !twice {
			out.Keys = append(out.Keys, k)
			out.Members[k] = v
		}
	}
	for _, k := range o.Keys {
		if k == member {
			for _, in := range inner.Keys {
				add(in, inner.Members[in])
			}
			continue
		}
		add(k, o.Members[k])
	}
	return out
}

// without leaves members of an item out.
func without(row jsonx.Value, members []string) jsonx.Value {
	o, ok := row.(*jsonx.Object)
	if !ok {
		return row
	}
	out := &jsonx.Object{Members: o.Members}
	for _, k := range o.Keys {
		if !slices.Contains(members, k) {
			out.Keys = append(out.Keys, k)
		}
	}
	return out
}

// flat shows of each cell that is an object the text at the first of several
// paths that has one (jsonx.Text).
func flat(row jsonx.Value, paths string) jsonx.Value {
	o, ok := row.(*jsonx.Object)
	if !ok {
		return row
	}
	out := &jsonx.Object{Keys: o.Keys, Members: map[string]jsonx.Value{}}
	for k, v := range o.Members {
		out.Members[k] = v
		if _, nested := v.(*jsonx.Object); !nested {
			continue
		}
		out.Members[k] = nil
		if text := jsonx.Text(v, paths); text != "" {
			out.Members[k] = text
		}
	}
	return out
}

// grid makes a table of rows of cells: the first row heads the columns, empty
// rows and columns at the end are left out.
func grid(found []jsonx.Value, limit int) *connectors.Table {
	cells := make([][]string, 0, len(found))
	width := 0
	for _, row := range found {
		list, _ := row.([]jsonx.Value)
		line := make([]string, len(list))
		for i, c := range list {
			if line[i] = jsonx.Show(c); line[i] != "" {
				width = max(width, i+1)
			}
		}
		cells = append(cells, line)
	}
	for len(cells) > 0 && strings.Join(cells[len(cells)-1], "") == "" {
		cells = cells[:len(cells)-1]
	}
	t := &connectors.Table{}
	if len(cells) == 0 {
		return t
	}
	at := func(line []string, i int) string {
		if i < len(line) {
			return line[i]
		}
		return ""
	}
	for i := range width {
		name := at(cells[0], i)
		if name == "" {
			name = "Column " + strconv.Itoa(i+1)
		}
		t.Columns = append(t.Columns, connectors.Column{Name: name})
	}
	for _, line := range cells[1:] {
		if len(t.Rows) == limit {
			t.Truncated = true
			break
		}
		row := make([]any, width)
		for i := range row {
			if v := at(line, i); v != "" {
				row[i] = v
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Sample is the beginning of the answer as it came.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	var res *httpx.Response
	var err error
	at, ok := s.find(id)
	switch {
	case s.free && strings.HasPrefix(string(id), "/"):
		return s.piece(ctx, id, max)
	case ok && at.content != nil && at.content.Token != "":
		return s.tokenSample(ctx, at, max)
	case ok && at.content != nil:
		res, err = s.bytes(ctx, at, max)
	case ok && at.rows != nil:
		more := page(at.vars, 50, 0)
		res, _, err = s.ask(ctx, at.rows.Request, more, max)
		if res != nil && res.Truncated {
			err = nil
		}
	default:
		return connectors.Sample{}, notFound(id)
	}
	if err != nil {
		return connectors.Sample{}, err
	}
	return sampleOf(res), nil
}

func sampleOf(res *httpx.Response) connectors.Sample {
	size := int64(len(res.Body))
	if res.Truncated {
		size = -1
	}
	if whole, ok := wholeSize(res); ok {
		size = whole
	}
	return connectors.Sample{MediaType: res.Header.Get("Content-Type"), Data: res.Body, Size: size, Truncated: size < 0 || size > int64(len(res.Body))}
}

// bytes reads the beginning of a file.
func (s *session) bytes(ctx context.Context, at place, max int) (*httpx.Response, error) {
	return s.part(ctx, at, 0, max)
}

// part reads max bytes of a file from off, or from its beginning where the
// service has no ranges. A storage service may redirect to another host for it;
// that address needs no credential and gets none.
func (s *session) part(ctx context.Context, at place, off int64, max int) (*httpx.Response, error) {
	r := at.content.Request
	ranged := ""
	if at.content.Range {
		ranged = span(off, max)
		r.Headers = with(r.Headers, "Range", ranged)
	}
	u, err := s.target(fill(r.where(), s.vars, at.vars))
	if err != nil {
		return nil, err
	}
	r.Headers = s.filled(r.Headers, at.vars)
	res, err := s.send(ctx, u, r, body(r.Body, orElse(r.Type, jsonType), s.vars, at.vars), max)
	if err != nil {
		return nil, err
	}
	if to := res.Header.Get("Location"); to != "" && res.Status >= 300 && res.Status < 400 {
		return s.elsewhereBytes(ctx, u.Scheme, to, ranged, max)
	}
	if res.Status == http.StatusRequestedRangeNotSatisfiable {
		return &httpx.Response{Status: http.StatusOK, Header: http.Header{}, URL: u}, nil // an empty file
	}
	if res.Status >= 200 && res.Status < 300 {
		return res, nil
	}
	_, err = s.spec.judge(res)
	if err == nil {
		err = res.Err("")
	}
	return nil, err
}

func (s *session) elsewhereBytes(ctx context.Context, scheme, to, ranged string, max int) (*httpx.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil || req.URL.Host == "" || scheme == "https" && req.URL.Scheme != "https" {
		return nil, &connectors.Error{Code: connectors.Refused, Reason: "http.redirect", Op: connectors.StageData, Target: s.base.Host}
	}
	if ranged != "" {
		req.Header.Set("Range", ranged)
	}
	res, err := httpx.Do(s.plain, req, max)
	if err != nil {
		return nil, err
	}
	if e := res.Err(""); e != nil {
		e.Op = connectors.StageData
		return nil, e
	}
	return res, nil
}

// inside lists what an answer of the generic types holds: members and elements.
func (s *session) inside(ctx context.Context, parent connectors.NodeID, yield func(connectors.Node, error) bool) {
	path, pointer, _ := strings.Cut(string(parent), "#")
	_, v, err := s.ask(ctx, request{Get: literal(path)}, nil, 0)
	if err != nil {
		yield(connectors.Node{}, err)
		return
	}
	for _, c := range bodyx.Children(v, pointer) {
		n := connectors.Node{ID: connectors.NodeID(path + "#" + c.Pointer), Name: c.Name, Kind: c.Kind, Branch: c.Branch, Views: []connectors.View{connectors.ViewContent}}
		if c.Rows {
			n.Views = []connectors.View{connectors.ViewRows, connectors.ViewContent}
		}
		if c.Text != "" {
			n.Facts = []connectors.Fact{{Label: "Value", Text: c.Text}}
		}
		if !yield(n, nil) {
			return
		}
	}
}

// within shows a path's rows, page after page, or those of a part of its answer.
func (s *session) within(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	path, pointer, part := strings.Cut(string(id), "#")
	if !part {
		return s.table(ctx, s.paged(literal(path)), nil, limit)
	}
	_, v, err := s.ask(ctx, request{Get: literal(path)}, nil, 0)
	if err != nil {
		return nil, err
	}
	at, ok := bodyx.At(v, pointer)
	if !ok {
		return nil, notFound(id)
	}
	if found, ok := bodyx.Rows(at, ""); ok {
		return jsonx.Table(found, limit), nil
	}
	if o, ok := at.(*jsonx.Object); ok {
		return jsonx.Members(o), nil
	}
	return jsonx.Table([]jsonx.Value{at}, limit), nil
}

// piece is a path's answer as it came, or a part of it as JSON.
func (s *session) piece(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	path, pointer, part := strings.Cut(string(id), "#")
	limit := max
	if part {
		limit = 0
	}
	res, v, err := s.ask(ctx, request{Get: literal(path)}, nil, limit)
	if err != nil && (res == nil || !res.Truncated) {
		return connectors.Sample{}, err
	}
	if !part {
		return sampleOf(res), nil
	}
	at, ok := bodyx.At(v, pointer)
	if !ok {
		return connectors.Sample{}, notFound(id)
	}
	data := []byte(jsonx.Show(at))
	cut := data[:min(len(data), max)]
	return connectors.Sample{MediaType: jsonType, Data: cut, Size: int64(len(data)), Truncated: len(cut) < len(data)}, nil
}

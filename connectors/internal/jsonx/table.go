package jsonx

import (
	"encoding/json"
	"unicode/utf8"

	"jackfield/connectors"
)

// The bounds of a table.
const (
	maxColumns = 200
	maxCell    = 4 << 10
)

// Table makes rows of items: a column for each member that any of them has, in
// order of first appearance. Nested values become compact JSON.
func Table(items []Value, limit int) *connectors.Table {
	t := &connectors.Table{}
	if len(items) > limit {
		items, t.Truncated = items[:limit], true
	}
	index := map[string]int{}
	for _, item := range items {
		o, ok := item.(*Object)
		if !ok {
			o = &Object{Keys: []string{"value"}, Members: map[string]Value{"value": item}}
		}
		row := make([]any, len(t.Columns), len(t.Columns)+len(o.Keys))
		for _, k := range o.Keys {
			i, known := index[k]
			if !known {
				if len(t.Columns) == maxColumns {
					t.Note = "More columns were left out."
					continue
				}
				i = len(t.Columns)
				index[k] = i
				t.Columns = append(t.Columns, connectors.Column{Name: k, Numeric: true})
				row = append(row, nil)
			}
			row[i] = cell(o.Members[k])
			if _, number := o.Members[k].(json.Number); !number && o.Members[k] != nil {
				t.Columns[i].Numeric = false
			}
		}
		t.Rows = append(t.Rows, row)
	}
	for i, row := range t.Rows {
		for len(row) < len(t.Columns) {
			row = append(row, nil)
		}
		t.Rows[i] = row
	}
	return t
}

func cell(v Value) any {
	switch x := v.(type) {
	case nil, bool:
		return x
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		if f, err := x.Float64(); err == nil {
			return f
		}
		return x.String()
	}
	return Cut(Show(v), maxCell)
}

// Cut keeps the first max bytes of s, whole characters only; "…" shows a cut.
func Cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	end := max
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// Members makes a two-column table of one object.
func Members(o *Object) *connectors.Table {
	t := &connectors.Table{Columns: []connectors.Column{{Name: "Name"}, {Name: "Value"}}}
	for _, k := range o.Keys {
		t.Rows = append(t.Rows, []any{k, cell(o.Members[k])})
	}
	return t
}

package clickhouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/pathid"
	"jackfield/connectors/internal/rows"
)

func exceptionIn(err error) *exception {
	var said *exception
	if errors.As(err, &said) {
		return said
	}
	return nil
}

// Table reads the first rows of the columns that may be read.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	parts, ok := pathid.Split(id)
	if !ok || len(parts) != 2 {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id), Said: "choose a table"}
	}
	limit = min(max(limit, 1), maxRows)
	target := shown(parts)
	of := " WHERE database = " + quoted(parts[0]) + " AND "
	engine, err := s.texts(ctx, "SELECT engine FROM system.tables"+of+"name = "+quoted(parts[1]), target)
	if err != nil {
		return nil, err
	}
	if len(engine) == 1 && consumes(engine[0][0]) {
		return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "clickhouse.consuming", Op: connectors.StageData, Target: target, Said: engine[0][0]}
	}
	names, err := s.texts(ctx, "SELECT name FROM system.columns"+of+"table = "+quoted(parts[1])+" AND default_kind IN ('', 'DEFAULT')", target)
	if err != nil {
		return nil, err
	}
	list := "*"
	if len(names) > 0 {
		columns := make([]string, len(names))
		for i, n := range names {
			columns[i] = named(n[0])
		}
		list = strings.Join(columns, ", ")
	}
	a, err := s.query(ctx, fmt.Sprintf("SELECT %s FROM %s.%s LIMIT %d", list, named(parts[0]), named(parts[1]), limit+1), target)
	if err != nil {
		return nil, err
	}
	return a.table(limit), nil
}

func (a *answer) table(limit int) *connectors.Table {
	t := &connectors.Table{Truncated: a.cut}
	for _, c := range a.columns {
		t.Columns = append(t.Columns, connectors.Column{Name: c.Name, Type: c.Type, Numeric: numeric(c.Type)})
	}
	for _, raw := range a.rows {
		if len(t.Rows) == limit {
			t.Truncated = true
			break
		}
		row := make([]any, len(a.columns))
		v, err := jsonx.Parse(raw)
		if cells, ok := v.([]jsonx.Value); ok && err == nil {
			for i := range min(len(cells), len(row)) {
				row[i] = cell(cells[i], a.columns[i].Type)
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// bare is a type without Nullable and LowCardinality around it.
func bare(kind string) string {
	for _, wrap := range []string{"LowCardinality(", "Nullable("} {
		if inner, ok := strings.CutPrefix(kind, wrap); ok {
			kind = strings.TrimSuffix(inner, ")")
		}
	}
	return kind
}

func numeric(kind string) bool {
	kind = bare(kind)
	for _, n := range []string{"Int", "UInt", "Float", "Decimal", "BFloat"} {
		if strings.HasPrefix(kind, n) && !strings.HasPrefix(kind, "Interval") {
			return true
		}
	}
	return false
}

// cell is a value as a table has it. Whole numbers of 64 bits may come as text,
// and decimal ones keep their zeros.
func cell(v jsonx.Value, kind string) any {
	switch x := v.(type) {
	case nil, bool:
		return x
	case json.Number:
		if strings.HasPrefix(bare(kind), "Decimal") {
			return x.String()
		}
		if n, err := x.Int64(); err == nil {
			return n
		}
		if f, err := x.Float64(); err == nil {
			return f
		}
		return x.String()
	case string:
		if n, err := strconv.ParseInt(x, 10, 64); err == nil && strings.Contains(bare(kind), "Int") && numeric(kind) {
			return n
		}
	}
	return rows.Cut(jsonx.Show(v))
}

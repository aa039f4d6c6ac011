package redis

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/internal/rows"
)

const (
	maxRows    = 10_000
	keepCell   = 8 << 10 // bytes kept of one value; a table shows less
	maxColumns = 100
)

// find is the key of a node and its type.
func (s *session) find(ctx context.Context, id connectors.NodeID) (place, string, error) {
	p, err := parsePlace(id)
	if err != nil {
		return p, "", err
	}
	if !p.isKey {
		return p, "", &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Target: string(id), Said: "choose a key"}
	}
	kind, err := s.one(ctx, p.db, maxLine, p.key, cmd("TYPE", p.key))
	if err != nil {
		return p, "", err
	}
	if kind.text == "none" {
		return p, "", &connectors.Error{Code: connectors.NotFound, Reason: "redis.missing", Op: connectors.StageData, Target: p.key}
	}
	return p, kind.text, nil
}

// Sample reads the beginning of a string.
func (s *session) Sample(ctx context.Context, id connectors.NodeID, max int) (connectors.Sample, error) {
	p, kind, err := s.find(ctx, id)
	if err != nil {
		return connectors.Sample{}, err
	}
	if kind != "string" {
		return connectors.Sample{}, &connectors.Error{Code: connectors.Unsupported, Reason: "redis.kind", Op: connectors.StageData, Target: p.key}
	}
	max = min(max, maxBytes/2)
	size, err := s.one(ctx, p.db, maxLine, p.key, cmd("STRLEN", p.key))
	if err != nil || max < 1 {
		return connectors.Sample{Size: size.num, Truncated: size.num > 0}, err
	}
	value, err := s.one(ctx, p.db, max, p.key, cmd("GETRANGE", p.key, "0", strconv.Itoa(max-1)))
	if err != nil {
		return connectors.Sample{}, err
	}
	data := []byte(value.text)
	return connectors.Sample{MediaType: mediaType(data), Data: data, Size: size.num, Truncated: int64(len(data)) < size.num}, nil
}

// mediaType is JSON where it is, and else what http.DetectContentType finds.
func mediaType(data []byte) string {
	if len(data) > 1 && (data[0] == '{' || data[0] == '[') && json.Valid(data) {
		return "application/json"
	}
	return http.DetectContentType(data)
}

// Table reads the first rows of a key that holds several values.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	p, kind, err := s.find(ctx, id)
	if err != nil {
		return nil, err
	}
	limit = min(max(limit, 1), maxRows)
	last := strconv.Itoa(limit) // the index of the row after the last
	switch kind {
	case "hash":
		return s.scanned(ctx, p, "HSCAN", []string{"Field", "Value"}, limit)
	case "set":
		return s.scanned(ctx, p, "SSCAN", []string{"Member"}, limit)
	case "zset":
		return s.listed(ctx, p, []string{"Member", "Score"}, limit, cmd("ZRANGE", p.key, "0", last, "WITHSCORES"))
	case "list":
		return s.listed(ctx, p, []string{"Value"}, limit, cmd("LRANGE", p.key, "0", last))
	case "stream":
		return s.stream(ctx, p, limit)
	case "string":
		return s.listed(ctx, p, []string{"Value"}, limit, cmd("GETRANGE", p.key, "0", strconv.Itoa(keepCell)))
	}
	return nil, &connectors.Error{Code: connectors.Unsupported, Reason: "redis.kind", Op: connectors.StageData, Target: p.key, Said: kind}
}

func table(columns []string) *connectors.Table {
	t := &connectors.Table{}
	for _, c := range columns {
		t.Columns = append(t.Columns, connectors.Column{Name: c, Numeric: c == "Score"})
	}
	return t
}

// listed makes rows of a flat answer, or of one text.
func (s *session) listed(ctx context.Context, p place, columns []string, limit int, c command) (*connectors.Table, error) {
	answer, err := s.one(ctx, p.db, keepCell, p.key, c)
	if err != nil {
		return nil, err
	}
	if answer.list == nil {
		answer.list = []reply{answer}
	}
	t := table(columns)
	for row := range chunks(answer.list, len(columns)) {
		if len(t.Rows) == limit {
			t.Truncated = true
			break
		}
		cells := make([]any, len(columns))
		for i, r := range row {
			cells[i] = cell(r)
			if score, err := strconv.ParseFloat(r.text, 64); columns[i] == "Score" && err == nil {
				cells[i] = score
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	return t, nil
}

// scanned reads a hash or a set step by step; a step may tell something twice.
func (s *session) scanned(ctx context.Context, p place, name string, columns []string, limit int) (*connectors.Table, error) {
	t := table(columns)
	seen := map[string]bool{}
	cursor := "0"
	for range maxSteps {
		answer, err := s.one(ctx, p.db, keepCell, p.key, cmd(name, p.key, cursor, "COUNT", strconv.Itoa(limit+1)))
		if err != nil {
			return nil, err
		}
		if len(answer.list) != 2 {
			return nil, s.lost(ctx, &wire{heard: true}, errNotRedis)
		}
		for row := range chunks(answer.list[1].list, len(columns)) {
			if seen[row[0].text] {
				continue
			}
			if len(t.Rows) == limit {
				t.Truncated = true
				return t, nil
			}
			seen[row[0].text] = true
			cells := make([]any, len(columns))
			for i, r := range row {
				cells[i] = cell(r)
			}
			t.Rows = append(t.Rows, cells)
		}
		if cursor = answer.list[0].text; cursor == "0" {
			return t, nil
		}
	}
	t.Truncated = true
	return t, nil
}

// stream reads the newest messages with XREVRANGE, which takes none away: a
// column for each field that any of them has.
func (s *session) stream(ctx context.Context, p place, limit int) (*connectors.Table, error) {
	answer, err := s.one(ctx, p.db, keepCell, p.key, cmd("XREVRANGE", p.key, "+", "-", "COUNT", strconv.Itoa(limit+1)))
	if err != nil {
		return nil, err
	}
	t := table([]string{"ID"})
	t.Note = "The newest messages come first."
	index := map[string]int{}
	for _, m := range answer.list {
		if len(m.list) != 2 {
			continue
		}
		if len(t.Rows) == limit {
			t.Truncated = true
			break
		}
		row := []any{m.list[0].text}
		for pair := range chunks(m.list[1].list, 2) {
			i, known := index[pair[0].text]
			if !known {
				if i = len(t.Columns); i > maxColumns {
					t.Note = "The newest messages come first. More fields were left out."
					continue
				}
				index[pair[0].text] = i
				t.Columns = append(t.Columns, connectors.Column{Name: pair[0].text})
			}
			for len(row) <= i {
				row = append(row, nil)
			}
			row[i] = cell(pair[1])
		}
		t.Rows = append(t.Rows, row)
	}
	for i := range t.Rows {
		for len(t.Rows[i]) < len(t.Columns) {
			t.Rows[i] = append(t.Rows[i], nil)
		}
	}
	return t, nil
}

// chunks are rows of n values; what is left over is no row.
func chunks(list []reply, n int) func(yield func([]reply) bool) {
	return func(yield func([]reply) bool) {
		for i := 0; i+n <= len(list); i += n {
			if !yield(list[i : i+n]) {
				return
			}
		}
	}
}

// cell is a value as a table shows it: text, or for anything else its first bytes.
func cell(r reply) any {
	switch {
	case r.null:
		return nil
	case r.isNum:
		return r.num
	case utf8.ValidString(r.text):
		return rows.Cut(r.text)
	case r.size > int64(len(r.text)): // a character may have been cut in two
		if cut := r.text[:max(0, len(r.text)-utf8.UTFMax)]; utf8.ValidString(cut) {
			return rows.Cut(cut)
		}
	}
	text := hex.EncodeToString([]byte(r.text[:min(len(r.text), 64)]))
	if len(r.text) > 64 {
		text += "…"
	}
	return fmt.Sprintf("0x%s (%d bytes)", text, r.size)
}

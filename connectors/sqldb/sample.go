package sqldb

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	mssql "github.com/microsoft/go-mssqldb"

	"jackfield/connectors"
)

// The bounds of one look: a preview must never become a load.
const (
	queryTime = 20 * time.Second
	lockTime  = 2 * time.Second
	maxCell   = 4 << 10
	maxBytes  = 8 << 20
)

func errNoTable() error {
	return &connectors.Error{Code: connectors.Unsupported, Reason: "sql.choose_table", Op: connectors.StageData}
}

// Table reads the first rows, on a connection that can only read, of the columns
// that may be read.
func (s *session) Table(ctx context.Context, id connectors.NodeID, limit int) (*connectors.Table, error) {
	db, parts, err := s.inside(split(id))
	if err != nil {
		return nil, s.explain(ctx, err, shown(id))
	}
	if len(parts) == 0 {
		return nil, errNoTable()
	}
	var t *connectors.Table
	inner, cancel := context.WithTimeout(ctx, queryTime)
	defer cancel()
	err = s.with(inner, db, shown(id), func(ctx context.Context, q querier) error {
		return guarded(func() (err error) { t, err = s.sample(ctx, q, parts, limit); return err })
	})
	return t, err
}

func (s *session) sample(ctx context.Context, q querier, id []string, limit int) (*connectors.Table, error) {
	exprs, denied, err := s.d.columns(ctx, q, id)
	if err != nil {
		return nil, err
	}
	if len(exprs) == 0 {
		exprs = []string{"*"}
	}
	from := make([]string, len(id))
	for i, part := range id {
		from[i] = s.d.quote(part)
	}
	rows, err := q.QueryContext(ctx, s.d.first(strings.Join(exprs, ", "), strings.Join(from, "."), limit+1))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	t, err := read(rows, limit)
	if t != nil && denied > 0 {
		t.Note = fmt.Sprintf("%d more columns may not be read", denied)
		if denied == 1 {
			t.Note = "1 more column may not be read"
		}
	}
	return t, err
}

// limited is the query for the first rows as most databases write it.
func limited(list, from string, n int) string {
	return fmt.Sprintf("SELECT %s FROM %s LIMIT %d", list, from, n)
}

// readable splits columns into those that may be read, quoted, and a count of
// the others. Its query gives names and whether they may be read.
func readable(ctx context.Context, q querier, quote func(string) string, query string, args ...any) (exprs []string, denied int, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var may sql.NullBool
		if err := rows.Scan(&name, &may); err != nil {
			return nil, 0, err
		}
		if may.Bool {
			exprs = append(exprs, quote(name))
		} else {
			denied++
		}
	}
	if len(exprs) == 0 && denied > 0 && rows.Err() == nil {
		return nil, denied, &connectors.Error{Code: connectors.Denied, Reason: "sql.table_denied", Op: connectors.StageData}
	}
	return exprs, denied, rows.Err()
}
func read(rows *sql.Rows, limit int) (*connectors.Table, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	t := &connectors.Table{}
	for _, c := range types {
		t.Columns = append(t.Columns, connectors.Column{Name: c.Name(), Type: c.DatabaseTypeName(), Numeric: numeric(c.DatabaseTypeName())})
	}
	size := 0
	for rows.Next() {
		if len(t.Rows) == limit || size > maxBytes {
			t.Truncated = true
			break
		}
		cells := make([]any, len(types))
		into := make([]any, len(types))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, v := range cells {
			cells[i] = plain(v, types[i].DatabaseTypeName())
			if text, ok := cells[i].(string); ok {
				size += len(text)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	for i := range t.Columns {
		if t.Columns[i].Type == "" { // SQLite: what an expression gives has no declared type
			t.Columns[i].Numeric = numbers(t.Rows, i)
		}
	}
	return t, rows.Err()
}

// numbers reports whether a column holds numbers and nothing else.
func numbers(rows [][]any, i int) bool {
	some := false
	for _, r := range rows {
		switch r[i].(type) {
		case int64, float64:
			some = true
		case nil:
		default:
			return false
		}
	}
	return some
}

func numeric(kind string) bool {
	kind = strings.ToUpper(kind)
	if strings.HasPrefix(kind, "INTERVAL") || strings.HasPrefix(kind, "POINT") {
		return false
	}
	for _, n := range []string{"INT", "NUM", "DEC", "FLOAT", "DOUBLE", "REAL", "MONEY"} {
		if strings.Contains(kind, n) {
			return true
		}
	}
	return false
}

// plain makes a cell of what the driver returns.
func plain(v any, kind string) any {
	switch x := v.(type) {
	case nil, int64, float64, bool:
		return x
	case time.Time:
		return stamp(x, strings.ToUpper(kind))
	case []byte:
		return text(x, strings.ToUpper(kind))
	case string:
		return cut(x)
	}
	return cut(fmt.Sprint(v))
}

// stamp is a date or time with what its kind knows of it: drivers fill up the
// rest with midnight and UTC.
func stamp(t time.Time, kind string) string {
	year, era := fmt.Sprintf("%04d", t.Year()), ""
	if t.Year() < 1 { // the year 0 is 1 BC
		year, era = fmt.Sprintf("%04d", 1-t.Year()), " BC"
	}
	_, offset := t.Zone()
	midnight := t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 && t.Nanosecond() == 0
	layout := "-01-02 15:04:05.999999999 -07:00"
	switch {
	case offset != 0:
	case kind == "TIME":
		return t.Format("15:04:05.999999999")
	case kind == "DATE" && midnight: // Oracle's has a time of day as well
		layout = "-01-02"
	case kind == "DATE", kind == "TIMESTAMP", kind == "SMALLDATETIME", kind == "DATETIME", kind == "DATETIME2": // without a zone
		layout = "-01-02 15:04:05.999999999"
	}
	return year + t.Format(layout) + era
}

// text is bytes as they are written, and in hexadecimal where they are none of
// text.
func text(x []byte, kind string) string {
	if kind == "UNIQUEIDENTIFIER" {
		var id mssql.UniqueIdentifier
		if id.Scan(x) == nil {
			return id.String()
		}
	}
	if kind == "BIT" && len(x) <= 8 {
		var n uint64
		for _, b := range x {
			n = n<<8 | uint64(b)
		}
		return strconv.FormatUint(n, 2)
	}
	binary := strings.Contains(kind, "BLOB") || strings.Contains(kind, "BINARY") || kind == "BYTEA" || kind == "IMAGE" || kind == "RAW"
	if !binary && utf8.Valid(x) {
		return cut(string(x))
	}
	out := hex.EncodeToString(x[:min(len(x), 64)])
	if len(x) > 64 {
		out += "…"
	}
	return fmt.Sprintf("0x%s (%d bytes)", out, len(x))
}

func cut(s string) string {
	if len(s) <= maxCell {
		return s
	}
	end := maxCell
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

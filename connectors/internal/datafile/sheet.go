package datafile

import (
	"encoding/xml"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/rows"
)

// tableBytes bounds what the cells of one table hold together.
const tableBytes = 16 << 20

// A shared text stands in a cell until it is looked up.
type shared int

// A moment is a cell that a format makes a date or a time.
type moment struct{ text, kind string }

// A sheetReader reads the first rows of one sheet (ECMA-376 part 1, section 18.3.1).
type sheetReader struct {
	p        *part
	styles   []string // of each cell format: "", date, time or timestamp
	date1904 bool
	limit    int
	records  [][]any
	shared   map[int]string
	lost     int // cells beyond the last column
	bytes    int
	more     bool
}

func (r *sheetReader) rows() error {
	return r.p.each(func(e xml.StartElement) (bool, error) {
		switch e.Name.Local {
		case "row":
			if len(r.records) > 0 && blank(r.records[len(r.records)-1]) {
				r.records = r.records[:len(r.records)-1]
			}
			if len(r.records) > r.limit || r.bytes > tableBytes {
				r.more = true
				return false, nil
			}
			r.records = append(r.records, nil)
		case "c":
			return true, r.cell(e)
		}
		return true, nil
	})
}

func blank(record []any) bool {
	for _, v := range record {
		if v != nil {
			return false
		}
	}
	return true
}

func (r *sheetReader) cell(e xml.StartElement) error {
	v, err := r.value(attr(e, "t"), attr(e, "s"))
	if err != nil || v == nil || len(r.records) == 0 {
		return err
	}
	row := &r.records[len(r.records)-1]
	at := len(*row)
	if ref := attr(e, "r"); ref != "" {
		at = column(ref)
	}
	if at < 0 || at >= maxColumns {
		r.lost++
		return nil
	}
	for len(*row) <= at {
		*row = append(*row, nil)
		r.bytes += 64
	}
	(*row)[at] = v
	if s, ok := v.(string); ok {
		r.bytes += len(s)
	}
	return nil
}

// column is the number of a cell's column: B7 is 1; -1 for no such name.
func column(ref string) int {
	n := 0
	for i := 0; i < len(ref) && i < 4 && ref[i]|0x20 >= 'a' && ref[i]|0x20 <= 'z'; i++ {
		n = n*26 + int(ref[i]|0x20-'a') + 1
	}
	return n - 1
}

// value reads a cell to its end.
func (r *sheetReader) value(kind, style string) (any, error) {
	raw, inline := "", ""
	for {
		t, err := r.p.d.RawToken()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.EndElement:
			if t.Name.Local == "c" {
				if kind == "inlineStr" {
					raw = inline
				}
				return r.typed(kind, style, raw), nil
			}
		case xml.StartElement:
			switch t.Name.Local {
			case "v":
				raw, err = r.p.text()
			case "t":
				var s string
				s, err = r.p.text()
				if len(inline) < maxCellBytes {
					inline += s
				}
			case "f", "rPh":
				_, err = r.p.text()
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

func (r *sheetReader) typed(kind, style, raw string) any {
	switch kind {
	case "s":
		i, err := strconv.Atoi(strings.TrimSpace(raw))
		if err != nil || i < 0 {
			return nil
		}
		r.shared[i] = ""
		return shared(i)
	case "str", "inlineStr", "e":
		if raw == "" {
			return nil
		}
		return rows.Cut(raw)
	case "b":
		return strings.TrimSpace(raw) == "1"
	case "d":
		return moment{raw, "timestamp"}
	}
	return r.number(style, strings.TrimSpace(raw))
}

// number reads a number, which its format may make a moment.
func (r *sheetReader) number(style, raw string) any {
	if raw == "" {
		return nil
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return raw
	}
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(r.styles) && r.styles[i] != "" {
		if m, ok := serial(n, r.styles[i], r.date1904); ok {
			return m
		}
	}
	if i := int64(n); float64(i) == n && math.Abs(n) < 1<<53 {
		return i
	}
	return n
}

// serial makes a moment of the days since 1900 or 1904 (ECMA-376 part 1, section
// 18.17.4.1). Day 60 of the former is a 29 February that never was.
func serial(n float64, kind string, date1904 bool) (moment, bool) {
	if n < 0 || n > 2958466 { // the year 9999
		return moment{}, false
	}
	begin := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if date1904 {
		begin = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	} else if n < 60 {
		begin = begin.AddDate(0, 0, 1)
	}
	if kind == "time" && n >= 1 {
		hours := time.Duration(math.Round(n*86400)) * time.Second
		return moment{strconv.Itoa(int(hours.Hours())) + time.Unix(0, 0).UTC().Add(hours%time.Hour).Format(":04:05"), kind}, true
	}
	days := math.Floor(n)
	t := begin.AddDate(0, 0, int(days)).Add(time.Duration(math.Round((n-days)*86400_000)) * time.Millisecond)
	layout := map[string]string{"date": "2006-01-02", "time": "15:04:05", "timestamp": "2006-01-02 15:04:05.999"}[kind]
	if kind == "date" && n != days {
		layout, kind = "2006-01-02 15:04:05.999", "timestamp"
	}
	return moment{t.Format(layout), kind}, true
}

// table makes rows of what was read. The first names the columns when all its
// cells are text and differ.
func (r *sheetReader) table(limit int) *connectors.Table {
	if n := len(r.records); n > 0 && blank(r.records[n-1]) {
		r.records = r.records[:n-1]
	}
	columns := 0
	for _, record := range r.records {
		columns = max(columns, len(record))
		for i, v := range record {
			if s, ok := v.(shared); ok {
				record[i] = rows.Cut(r.shared[int(s)])
			}
		}
	}
	t := &connectors.Table{Truncated: r.more}
	body := r.records
	var head []any
	if heads(r.records, columns) {
		head, body = r.records[0], r.records[1:]
	}
	if len(body) > limit {
		body, t.Truncated = body[:max(limit, 0)], true
	}
	for i := range columns {
		c := connectors.Column{Name: "Column " + strconv.Itoa(i+1)}
		if i < len(head) && head[i] != nil {
			c.Name = strings.TrimSpace(head[i].(string))
		}
		c.Type, c.Numeric = kindsOf(body, i)
		t.Columns = append(t.Columns, c)
	}
	for _, record := range body {
		row := make([]any, columns)
		for i, v := range record {
			if m, ok := v.(moment); ok {
				v = m.text
			}
			row[i] = v
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func heads(records [][]any, columns int) bool {
	if len(records) < 2 || len(records[0]) < columns {
		return false
	}
	seen := map[string]bool{}
	for i, v := range records[0] {
		s, ok := v.(string)
		if v == nil && i == 0 && columns > 1 {
			continue
		}
		if !ok || strings.TrimSpace(s) == "" || seen[s] {
			return false
		}
		seen[s] = true
	}
	return true
}

// kindsOf names the type of a column's cells.
func kindsOf(body [][]any, i int) (kind string, numeric bool) {
	for _, record := range body {
		if i < len(record) && record[i] != nil {
			kind = widen(kind, kindOfCell(record[i]))
		}
	}
	return kind, kind == "integer" || kind == "decimal"
}

func kindOfCell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int64:
		return "integer"
	case float64:
		return "decimal"
	case bool:
		return "boolean"
	case moment:
		return v.kind
	}
	return "text"
}

// widen is the type that holds cells of two; "" is that of none.
func widen(kind, found string) string {
	switch {
	case found == "" || kind == found:
		return kind
	case kind == "":
		return found
	}
	for _, pair := range [][2]string{{"integer", "decimal"}, {"date", "timestamp"}} {
		if (kind == pair[0] || kind == pair[1]) && (found == pair[0] || found == pair[1]) {
			return pair[1]
		}
	}
	return "mixed"
}

// styles reads which cell formats are dates: built-in ones by number (ECMA-376
// part 1, section 18.8.30), others by their code.
func (f *file) styles(a *archive) ([]string, error) {
	p, err := f.part(a, stylesPart)
	if err != nil || p == nil {
		return nil, err
	}
	defer p.close()
	custom := map[string]string{}
	var out []string
	within := false
	err = p.each(func(e xml.StartElement) (bool, error) {
		switch e.Name.Local {
		case "numFmt":
			if len(custom) < maxStyles {
				custom[attr(e, "numFmtId")] = codeKind(attr(e, "formatCode"))
			}
		case "cellXfs":
			within = true
		case "cellStyles", "dxfs":
			return false, nil
		case "xf":
			if within && len(out) < maxStyles {
				id := attr(e, "numFmtId")
				kind, own := custom[id]
				if !own {
					kind = builtIn(id)
				}
				out = append(out, kind)
			}
		}
		return true, nil
	})
	return out, err
}

func builtIn(id string) string {
	n, _ := strconv.Atoi(id)
	switch {
	case n >= 14 && n <= 17, n >= 27 && n <= 31, n == 36, n >= 50 && n <= 58:
		return "date"
	case n >= 18 && n <= 21, n >= 32 && n <= 35, n >= 45 && n <= 47:
		return "time"
	case n == 22:
		return "timestamp"
	}
	return ""
}

var (
	quotedCode  = regexp.MustCompile(`"[^"]*"|\\.|_.|\*.`)
	bracketCode = regexp.MustCompile(`\[[^\]]*\]`)
	elapsedCode = regexp.MustCompile(`(?i)\[(h+|m+|s+)\]`)
)

// codeKind reads a format's code: its first section, without what is in quotes,
// colours and conditions.
func codeKind(code string) string {
	code = strings.ToLower(quotedCode.ReplaceAllString(code, ""))
	code, _, _ = strings.Cut(code, ";")
	elapsed := elapsedCode.MatchString(code)
	code = bracketCode.ReplaceAllString(code, "")
	if strings.Contains(code, "general") || strings.ContainsAny(code, "#?%") {
		return ""
	}
	day, clock := strings.ContainsAny(code, "yd"), elapsed || strings.ContainsAny(code, "hs")
	switch {
	case day && clock:
		return "timestamp"
	case day, !clock && strings.Contains(code, "m"):
		return "date"
	case clock:
		return "time"
	}
	return ""
}

// Package rows reads the first rows of delimited text: it finds the encoding,
// the separator, the quotes, the header and the types of the columns itself.
package rows

import (
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"jackfield/connectors"
)

// Like says whether a file's name promises rows.
func Like(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".tab", ".psv":
		return true
	}
	return false
}

// Text decodes the beginning of a file as text; see Detect. ok is false for
// binary content.
func Text(data []byte) (text string, encoding string, ok bool) {
	set, ok := Detect(data, true)
	if !ok {
		return "", "", false
	}
	text, err := set.Decode(data)
	return text, set.Name, err == nil
}

// Table reads at most limit rows from the beginning of a file. whole says that
// data is the whole file; otherwise the last line may be cut and is left out.
func Table(data []byte, whole bool, limit int) (*connectors.Table, error) {
	text, encoding, ok := Text(data)
	if !ok {
		return nil, &connectors.Error{Code: connectors.Unsupported, Op: connectors.StageData, Said: "this is not text"}
	}
	if !whole {
		if i := strings.LastIndexByte(text, '\n'); i >= 0 {
			text = text[:i+1]
		}
	}
	head := text[:min(len(text), 64<<10)]
	d, _ := Sniff(head, !whole || len(head) < len(text))
	t, err := Read(strings.NewReader(text), d, limit)
	if err != nil {
		return nil, err
	}
	t.Note = Note(encoding, d, []byte(head))
	t.Truncated = t.Truncated || !whole
	return t, nil
}

// Note tells how a file is written: "UTF-8, semicolon, quoted".
func Note(encoding string, d Dialect, head []byte) string {
	note := encoding + ", " + d.String()
	switch {
	case !d.Quotes(head):
	case d.Quote == '"':
		note += ", quoted"
	default:
		note += ", quoted with " + string(rune(d.Quote))
	}
	if !d.Header {
		note += ", no header"
	}
	return note
}

// Read reads at most limit rows of decoded text. An endless line after the first
// rows ends them; as the first one it is ErrLong.
func Read(r io.Reader, d Dialect, limit int) (*connectors.Table, error) {
	in := NewReader(r, d)
	t := &connectors.Table{}
	var records [][]string
	for len(records) < max(limit, 0)+2 {
		record, _, err := in.Read()
		if errors.Is(err, io.EOF) || errors.Is(err, ErrLong) && len(records) > 0 {
			t.Truncated = !errors.Is(err, io.EOF)
			break
		}
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	if len(records) == 0 {
		return t, nil
	}
	Fill(t, records, d.Header, limit)
	return t, nil
}

// Fill makes a table of records, the first of which may name the columns.
func Fill(t *connectors.Table, records [][]string, header bool, limit int) {
	columns := 0
	for _, r := range records {
		columns = max(columns, len(r))
	}
	head, body := make([]string, columns), records
	if header {
		copy(head, records[0])
		body = records[1:]
	}
	if len(body) > limit {
		body, t.Truncated = body[:max(limit, 0)], true
	}
	cells := make([]string, 0, len(body))
	for i := range columns {
		cells = cells[:0]
		for _, r := range body {
			if i < len(r) {
				cells = append(cells, r[i])
			}
		}
		c := connectors.Column{Name: strings.TrimSpace(head[i])}
		if c.Name == "" {
			c.Name = "Column " + strconv.Itoa(i+1)
		}
		c.Type, c.Numeric = Infer(cells)
		t.Columns = append(t.Columns, c)
	}
	for _, r := range body {
		row := make([]any, columns)
		for i, v := range r {
			row[i] = Cut(v)
		}
		t.Rows = append(t.Rows, row)
	}
}

// Cut keeps as much of a cell as a table may hold; "…" shows a cut.
func Cut(v string) string {
	if len(v) <= maxCell+len("…") {
		return v
	}
	end := maxCell
	for end > 0 && !utf8.RuneStart(v[end]) {
		end--
	}
	return v[:end] + "…"
}

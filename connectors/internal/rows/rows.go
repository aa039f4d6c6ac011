// Package rows reads the first rows of delimited text.
package rows

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"jackfield/connectors"
)

// maxCell is how many bytes of one cell are kept.
const maxCell = 4 << 10

// maxColumns bounds what a hostile file can ask for.
const maxColumns = 1000

// Like says whether a file's name promises rows.
func Like(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".tab", ".psv":
		return true
	}
	return false
}

// Text decodes the beginning of a file as text: UTF-8 with or without a mark,
// UTF-16 with a mark, else Windows-1252. ok is false for binary content.
func Text(data []byte) (text string, encoding string, ok bool) {
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return string(data[3:]), "UTF-8", true
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		out, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data[:len(data)&^1])
		return string(out), "UTF-16", err == nil
	case bytes.IndexByte(data, 0) >= 0:
		return "", "", false
	}
	whole := data
	for i := 1; i < utf8.UTFMax && i <= len(data); i++ {
		if tail := data[len(data)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				whole = data[:len(data)-i] // a sample may end within a character
			}
			break
		}
	}
	if utf8.Valid(whole) {
		return string(whole), "UTF-8", true
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(data)
	return string(out), "Windows-1252", err == nil
}

// Table reads at most limit rows from the beginning of a file. whole says that
// data is the whole file; otherwise the last line may be cut and is left out.
func Table(data []byte, whole bool, limit int) (*connectors.Table, error) {
	text, encoding, ok := Text(data)
	if !ok {
		return nil, &connectors.Error{Code: connectors.Unsupported, Said: "this is not text"}
	}
	if !whole {
		if i := strings.LastIndexByte(text, '\n'); i >= 0 {
			text = text[:i+1]
		}
	}
	delimiter := sniff(text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = delimiter, true, -1, false
	t := &connectors.Table{Note: encoding + ", " + name(delimiter)}
	var records [][]string
	for len(records) <= limit+1 {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			break // a quote that the sample cuts ends the readable part
		}
		records = append(records, rec[:min(len(rec), maxColumns)])
	}
	if len(records) == 0 {
		return t, nil
	}
	fill(t, records, limit)
	t.Truncated = t.Truncated || !whole
	return t, nil
}

func fill(t *connectors.Table, records [][]string, limit int) {
	columns := 0
	for _, r := range records {
		columns = max(columns, len(r))
	}
	body := records
	head := make([]string, columns)
	if header(records) {
		copy(head, records[0])
		body = records[1:]
	}
	for i := range columns {
		n := strings.TrimSpace(head[i])
		if n == "" {
			n = "Column " + strconv.Itoa(i+1)
		}
		t.Columns = append(t.Columns, connectors.Column{Name: n, Numeric: numeric(body, i)})
	}
	if len(body) > limit {
		body, t.Truncated = body[:limit], true
	}
	for _, r := range body {
		row := make([]any, columns)
		for i, v := range r {
			row[i] = v[:min(len(v), maxCell)]
		}
		t.Rows = append(t.Rows, row)
	}
}

// sniff takes the delimiter that splits the first lines most evenly.
func sniff(text string) rune {
	lines := strings.SplitN(text, "\n", 11)
	if len(lines) > 10 {
		lines = lines[:10]
	}
	best, score := ',', 0
	for _, d := range ",;\t|" {
		counts := map[int]int{}
		for _, l := range lines {
			if n := strings.Count(l, string(d)); n > 0 {
				counts[n]++
			}
		}
		for n, lines := range counts {
			if s := lines*100 + min(n, 50); s > score {
				best, score = d, s
			}
		}
	}
	return best
}

func name(d rune) string {
	switch d {
	case ',':
		return "comma"
	case ';':
		return "semicolon"
	case '\t':
		return "tab"
	}
	return string(d)
}

// header reports whether the first record names the columns: no cell of it is
// empty or a number.
func header(records [][]string) bool {
	for _, v := range records[0] {
		v = strings.TrimSpace(v)
		if v == "" || isNumber(v) {
			return false
		}
	}
	return len(records) > 1 || len(records[0]) > 1
}

func numeric(body [][]string, i int) bool {
	seen := 0
	for _, r := range body {
		if i >= len(r) || strings.TrimSpace(r[i]) == "" {
			continue
		}
		if !isNumber(r[i]) {
			return false
		}
		seen++
	}
	return seen > 0
}

func isNumber(v string) bool {
	_, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(v), ",", ".", 1), 64)
	return err == nil
}

package datafile

import (
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"jackfield/connectors"
	"jackfield/connectors/internal/rows"
)

// limited reads so much of a text and no more; hit tells that there is more.
type limited struct {
	r    io.Reader
	left int
	hit  bool
	read int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left == 0 {
		l.hit = true
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(len(p), l.left)])
	l.left, l.read = l.left-n, l.read+n
	return n, err
}

// whole reports whether text is all that was read.
func (l *limited) whole(text string) bool { return l.read <= len(text) }

// textTable reads the rows of text: JSON, delimited, or in columns of fixed width.
func (f *file) textTable(head []byte, limit int) (*connectors.Table, error) {
	cut := len(head) == headBytes
	set, ok := rows.Detect(head, cut)
	if !ok {
		return nil, f.fail("files.no_rows", "")
	}
	text, err := set.Decode(head)
	if err != nil {
		return nil, f.fail("files.no_rows", "")
	}
	in := &limited{r: set.Reader(reader(f.ctx, f.src)), left: textBytes}
	inner, _ := Unwrapped(f.name)
	ext := strings.ToLower(path.Ext(inner))
	if jsonLike(text) && !rows.Like(inner) || ext == ".json" || ext == ".jsonl" || ext == ".ndjson" {
		return f.jsonTable(in, text, set.Name, limit)
	}
	d, sure := rows.Sniff(text, cut)
	switch {
	case rows.Like(inner) || sure && !markup(text):
	case fixedWidth(text, cut) != nil && plainText(ext):
		return fixedTable(text, set.Name, cut, limit), nil
	default:
		return nil, f.fail("files.text_only", "")
	}
	t, err := rows.Read(in, d, limit)
	if err != nil {
		return nil, err
	}
	t.Truncated = t.Truncated || in.hit
	t.Note = rows.Note(set.Name, d, []byte(text))
	return t, nil
}

// markup is text that has separators in every line and still no columns.
func markup(text string) bool {
	text = strings.TrimSpace(text)
	for _, begin := range []string{"<", "#!", "%!", "%PDF", "-----BEGIN", "/*", "//"} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}

func plainText(ext string) bool {
	switch ext {
	case "", ".txt", ".dat", ".prn", ".asc", ".out", ".fwf":
		return true
	}
	return false
}

// fixedWidth finds where columns begin that are padded with spaces: every line
// has the same length, and all have a space before each column.
func fixedWidth(text string, cut bool) []int {
	lines := textLines(text, cut)
	if len(lines) < 3 {
		return nil
	}
	length := utf8.RuneCountInString(lines[0])
	if length < 4 || length > maxCellBytes {
		return nil
	}
	filled := make([]bool, length)
	for _, line := range lines[:min(len(lines), 200)] {
		runes := []rune(line)
		if len(runes) != length || strings.ContainsRune(line, '\t') {
			return nil
		}
		for i, r := range runes {
			filled[i] = filled[i] || r != ' '
		}
	}
	var starts []int
	for i, f := range filled {
		if f && (i == 0 || !filled[i-1]) {
			starts = append(starts, i)
		}
	}
	if len(starts) < 2 || len(starts) > maxColumns {
		return nil
	}
	starts[0] = 0
	return starts
}

func textLines(text string, cut bool) []string {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if n := len(lines); n > 0 && (cut || lines[n-1] == "") {
		lines = lines[:n-1]
	}
	return lines
}

func fixedTable(text, encoding string, cut bool, limit int) *connectors.Table {
	starts := fixedWidth(text, cut)
	var records [][]string
	for _, line := range textLines(text, cut) {
		runes := []rune(line)
		record := make([]string, len(starts))
		for i, at := range starts {
			end := len(runes)
			if i+1 < len(starts) {
				end = min(end, starts[i+1])
			}
			if at < end {
				record[i] = strings.TrimSpace(string(runes[at:end]))
			}
		}
		records = append(records, record)
	}
	t := &connectors.Table{Truncated: cut}
	header := rows.Headed(records)
	rows.Fill(t, records, header, limit)
	t.Note = encoding + ", columns of fixed width"
	if !header {
		t.Note += ", no header"
	}
	return t
}

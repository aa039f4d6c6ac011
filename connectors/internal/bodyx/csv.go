package bodyx

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"

	"jackfield/connectors/internal/jsonx"
	"jackfield/connectors/internal/rows"
)

const tabs = "text/tab-separated-values"

// The bounds of CSV and forms. An object takes some 400 bytes, however small.
const (
	maxRecords = 300_000
	maxColumns = 10_000
	maxPairs   = 10_000
	sniffed    = 64 << 10 // bytes that are looked at for the delimiter
)

// parseCSV reads every record. The media type's parameter header=absent (RFC
// 4180 section 3) says that the first one names nothing.
func parseCSV(body []byte, params map[string]string) (jsonx.Value, error) {
	text, _, ok := rows.Text(body)
	if !ok {
		return nil, ErrNotData
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord, r.ReuseRecord = delimiter(text), true, -1, true
	list := []jsonx.Value{}
	var names columns
	for first := true; ; first = false {
		record, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, err
		case len(record) > maxColumns || len(list) == maxRecords:
			return nil, ErrMany
		case first && !strings.EqualFold(params["header"], "absent"):
			names.add(record...)
		default:
			list = append(list, names.row(record))
		}
	}
}

// columns are names that differ from each other.
type columns struct {
	list  []string
	known map[string]bool
}

// add gives a name to what has none or another's.
func (c *columns) add(names ...string) {
	if c.known == nil {
		c.known = map[string]bool{}
	}
	for _, n := range names {
		n = strings.TrimSpace(n)
		if n == "" {
			n = "Column " + strconv.Itoa(len(c.list)+1)
		}
		for c.known[n] {
			n += " (column " + strconv.Itoa(len(c.list)+1) + ")"
		}
		c.known[n] = true
		c.list = append(c.list, n)
	}
}

func (c *columns) row(record []string) *jsonx.Object {
	if more := len(record) - len(c.list); more > 0 {
		c.add(make([]string, more)...)
	}
	o := &jsonx.Object{Keys: c.list[:len(record):len(record)], Members: make(map[string]jsonx.Value, len(record))}
	for i, v := range record {
		o.Members[c.list[i]] = v
	}
	return o
}

// delimiter is the one that the lines at the beginning have as often as the
// first of them; quoted ones do not count.
func delimiter(text string) rune {
	lines := firstLines(text[:min(len(text), sniffed)], 10)
	best, score := ',', 0
	for i, d := range delimiters {
		same := 0
		for _, counts := range lines {
			if counts[i] == lines[0][i] {
				same++
			}
		}
		if n := lines[0][i]; n > 0 && same*1000+min(n, 999) > score {
			best, score = d, same*1000+min(n, 999)
		}
	}
	return best
}

const delimiters = ",;\t|"

// firstLines counts each delimiter in each of the first lines.
func firstLines(text string, most int) [][len(delimiters)]int {
	lines := make([][len(delimiters)]int, 1, most)
	quoted := false
	for i := range len(text) {
		c := text[i]
		at := strings.IndexByte(delimiters, c)
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case at >= 0:
			lines[len(lines)-1][at]++
		case c == '\n' && i < len(text)-1:
			if len(lines) == most {
				return lines
			}
			lines = append(lines, [len(delimiters)]int{})
		}
	}
	return lines
}

// parseForm reads names and values in their order.
func parseForm(body []byte) (jsonx.Value, error) {
	o := &jsonx.Object{Members: map[string]jsonx.Value{}}
	pairs := 0
	for pair := range bytes.SplitSeq(bytes.TrimSpace(body), []byte("&")) {
		if len(pair) == 0 {
			continue
		}
		if pairs++; pairs > maxPairs {
			return nil, ErrMany
		}
		name, value, _ := strings.Cut(string(pair), "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if nameErr != nil || valueErr != nil {
			return nil, errors.New("an escape is not %XX") // the value may be a secret
		}
		add(o, name, value)
	}
	return o, nil
}

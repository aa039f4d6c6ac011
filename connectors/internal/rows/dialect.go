package rows

import (
	"bytes"
	"strings"
)

// commas are what stands between cells, in the order of trust: the last two are
// what Hive and ASCII itself have for it.
const commas = "\t;|,^~\x01\x1f"

// enough records tell how a file is written.
const enough = 50

// A guess is a dialect and what speaks for it.
type guess struct {
	d       Dialect
	records [][]string
	columns int     // of most records
	even    float64 // how many of the records have that many
	score   float64
}

// Sniff tells how the beginning of a file is written. cut says that more
// follows. sure is false where it may as well be running text.
func Sniff(head string, cut bool) (d Dialect, sure bool) {
	text := head
	skip, named := 0, byte(0)
	if rest, comma, ok := separatorLine(head); ok {
		text, named, skip = rest, comma, 1
	}
	best := guess{d: Dialect{Comma: ','}}
	for i := range len(commas) {
		c := commas[i]
		if named != 0 && c != named || strings.IndexByte(text, c) < 0 {
			continue
		}
		for _, quote := range []byte{'"', '\''} {
			if quote == '\'' && !wrapped(text, c, quote) {
				continue
			}
			d := Dialect{Comma: c, Quote: quote, Escape: strings.Contains(text, `\"`) && !strings.Contains(text, `""`)}
			if g := try(text, cut, d); g.score > best.score {
				best = g
			}
		}
	}
	if best.records == nil {
		best = try(text, cut, Dialect{Comma: ',', Quote: '"'})
	}
	best.d.Header, best.d.Skip = header(best.records), skip
	sure = best.columns > 1 && best.even >= 0.9 && len(best.records) > 1
	return best.d, sure
}

// separatorLine reads the line "sep=;" with which Excel is told the separator.
func separatorLine(text string) (rest string, comma byte, ok bool) {
	line, rest, found := strings.Cut(text, "\n")
	line = strings.TrimSuffix(line, "\r")
	if !found || len(line) != 5 || !strings.EqualFold(line[:4], "sep=") {
		return "", 0, false
	}
	return rest, line[4], true
}

// wrapped reports whether cells stand between quotes: ,'a', and the like.
func wrapped(text string, comma, quote byte) bool {
	return strings.Contains(text, string([]byte{quote, comma, quote})) || strings.HasPrefix(text, string(quote)) && strings.Contains(text, string([]byte{quote, comma}))
}

// try reads the first records in a dialect and judges them: even lengths speak
// for it, cells that still contain another separator against it.
func try(text string, cut bool, d Dialect) guess {
	g := guess{d: d}
	r := NewReader(strings.NewReader(text), d)
	for len(g.records) < enough {
		record, ended, err := r.Read()
		if err != nil || !ended && cut && len(g.records) > 0 {
			break
		}
		g.records = append(g.records, record)
	}
	if len(g.records) == 0 {
		return g
	}
	counts := map[int]int{}
	for _, record := range g.records {
		counts[len(record)]++
	}
	most := 0
	for n, times := range counts {
		if times > most || times == most && n > g.columns {
			most, g.columns = times, n
		}
	}
	g.even = float64(most) / float64(len(g.records))
	if g.columns > 1 {
		g.score = g.even*100 + float64(min(g.columns, 20))/2 - 30*foreign(g.records, d.Comma)
	}
	return g
}

// foreign is the share of cells that another separator would split, numbers and
// times aside.
func foreign(records [][]string, comma byte) float64 {
	all, split := 0, 0
	for _, record := range records {
		for _, cell := range record {
			all++
			if i := strings.IndexAny(cell, "\t;|,"); i >= 0 && cell[i] != comma && !number(cell) && !strings.Contains(cell, " ") {
				split++
			}
		}
	}
	return float64(split) / float64(all)
}

// header reports whether the first record names the columns: no cell of it is
// empty or a number or a time, and no name comes twice.
func header(records [][]string) bool {
	if len(records) == 0 {
		return false
	}
	seen := map[string]bool{}
	for i, v := range records[0] {
		v = strings.TrimSpace(v)
		if v == "" && i == 0 && len(records[0]) > 1 && len(records) > 1 {
			continue // pandas leaves the name of its index empty
		}
		if v == "" || seen[v] {
			return false
		}
		switch typeOf(v) {
		case integer, decimal, date, timestamp:
			return false
		}
		seen[v] = true
	}
	return len(records) > 1 || len(records[0]) > 1
}

// String names the dialect as people would.
func (d Dialect) String() string {
	switch d.Comma {
	case ',':
		return "comma"
	case ';':
		return "semicolon"
	case '\t':
		return "tab"
	case 1, 0x1f:
		return "control character"
	}
	return string(rune(d.Comma))
}

// Quotes reports whether the beginning of a file has quoted cells.
func (d Dialect) Quotes(head []byte) bool {
	if d.Quote == 0 {
		return false
	}
	q := []byte{d.Quote}
	return bytes.HasPrefix(head, q) || bytes.Contains(head, append([]byte{d.Comma}, q...)) || bytes.Contains(head, append([]byte{'\n'}, q...))
}

// Headed reports whether the first of some records names the columns.
func Headed(records [][]string) bool { return header(records) }

package exports

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/rows"
)

// Table reads a table whose first row names its columns: one connection a row.
// Separators, quotes and the headings' language are found out.
func Table(in part.Input, address Address) (part.Found, bool) {
	text := in.Text
	d, ok := dialect(text)
	if !ok {
		return part.Found{}, false
	}
	reader := rows.NewReader(strings.NewReader(text), d)
	head, _, err := reader.Read()
	if err != nil {
		return part.Found{}, false
	}
	l := newList(in, address)
	rejected := 0
	for n := 2; ; n++ {
		cells, _, err := reader.Read()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				l.found.Left = append(l.found.Left, part.Left{Name: fmt.Sprintf("row %d and what follows", n), Why: "A quote is opened there and never closed."})
			}
			break
		}
		r := row(l.in, head, cells, n)
		if r.Empty() {
			continue
		}
		before := len(l.found.Items)
		l.add(r)
		if len(l.found.Items) == before && !l.cut {
			rejected++
		}
		if l.cut {
			break
		}
	}
	if len(l.found.Items) == 0 && rejected == 0 {
		return part.Found{}, false
	}
	return l.done("a table", "connection")
}

// dialect is the way in which the first row names at least two columns that
// tell, one of them where or who.
func dialect(text string) (rows.Dialect, bool) {
	head := text[:min(len(text), 64<<10)]
	d, _ := rows.Sniff(head, len(head) < len(text))
	tries := []rows.Dialect{d}
	for _, c := range []byte{';', ',', '\t', '|'} {
		tries = append(tries, rows.Dialect{Comma: c, Quote: '"', Skip: d.Skip})
	}
	for _, d := range tries {
		cells, _, err := rows.NewReader(strings.NewReader(head), d).Read()
		if err == nil && headings(cells) {
			return d, true
		}
	}
	return rows.Dialect{}, false
}

func headings(cells []string) bool {
	known, place, who := 0, false, false
	for _, c := range cells {
		if len(c) > 60 {
			return false
		}
		switch record.Canonical(c) {
		case "":
			continue
		case "host", "url":
			place = true
		case "user", "password", "token", "client_id", "access_key", "api_key", "private_key", "email":
			who = true
		}
		known++
	}
	return known >= 2 && known*3 >= len(cells) && (place || who)
}

func row(in part.Input, head, cells []string, n int) *record.Record {
	r := record.New("", fmt.Sprintf("row %d", n))
	for i, h := range head {
		if i >= len(cells) {
			break
		}
		put(in.Types, r, strings.TrimSpace(h), cells[i])
	}
	return r
}

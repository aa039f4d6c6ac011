package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

// CSV is one row a node. Facts stand in one column; a cell that a spreadsheet
// would run as a formula gets a ' before it (SECURITY 72,
// https://owasp.org/www-community/attacks/CSV_Injection).
func (r *Report) CSV() ([]byte, error) {
	rows := [][]string{{"path", "name", "kind", "access", "why", "below", "children", "facts", "views", "columns", "id"}}
	for _, n := range r.Nodes {
		state, count := "", ""
		if n.Below != nil {
			state, count = string(n.Below.State), strconv.Itoa(n.Below.Count)
		}
		var views []string
		for _, v := range n.Views {
			views = append(views, string(v))
		}
		rows = append(rows, []string{Place(n.Path), n.Name(), n.Kind, accessWord(n.Access), n.Why.Text(), state, count, factWords(n.Facts), strings.Join(views, " "), columnWords(n.Columns), string(n.ID)})
	}
	for _, s := range r.stopWords() {
		rows = append(rows, []string{"", "", "note", "", s, "", "", "", "", "", ""})
	}
	rows = append(rows, []string{"", "", "note", "", r.completeWord() + " " + r.About.Name + ", " + r.Made.Format(time.RFC3339), "", "", "", "", "", ""})
	return sheet(rows)
}

// CSV is one row a node, also where it is the same.
func (d *Difference) CSV() ([]byte, error) {
	rows := [][]string{{"what", "path", "name", "kind", "a", "b", "why", "details", "minor"}, {"answer", "", "", "", d.A.Label, d.B.Label, d.Line, "", ""}}
	for _, i := range d.Items {
		a, b := i.sides()
		rows = append(rows, []string{string(i.What), Place(i.Path), i.Name(), i.Kind, a, b, i.reason(), changeWords(i.Changes), map[bool]string{true: "minor"}[i.Minor]})
	}
	return sheet(rows)
}

func sheet(rows [][]string) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		for i, c := range row {
			row[i] = guarded(c)
		}
		if err := w.Write(row); err != nil {
			return nil, err
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// guarded is a cell that shows what it says: no formula, and no sign that acts.
// A blank before the sign does not help, as some spreadsheets trim it.
func guarded(v string) string {
	if t := strings.TrimLeft(v, " \u00a0\u3000"); t != "" && strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", []rune(t)[0]) {
		v = "'" + v
	}
	return connectors.Clean(v, 0)
}

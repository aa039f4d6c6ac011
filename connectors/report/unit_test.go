package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/report"
)

// cellsAreText fails where a spreadsheet would run a cell.
func cellsAreText(t *testing.T, data []byte) {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	guards := 0
	for _, row := range rows {
		for _, c := range row {
			if t2 := strings.TrimLeft(c, " "); t2 != "" && strings.ContainsRune("=+-@\t\r\x00＝", []rune(t2)[0]) {
				t.Errorf("the cell %q runs", c)
			}
			if strings.HasPrefix(c, "'") {
				guards++
			}
		}
	}
	if guards == 0 {
		t.Error("no cell was guarded: nothing was tried")
	}
}

func made(name string, nodes ...report.Node) *report.Report {
	return &report.Report{Format: report.Format, About: report.About{Name: name, Type: "t"}, Root: report.Below{State: report.Listed}, Complete: true, Nodes: nodes}
}

func at(access connectors.Access, kind string, path ...string) report.Node {
	return report.Node{Path: path, Kind: kind, Access: access}
}

func branch(n report.Node, s report.State) report.Node {
	n.Below = &report.Below{State: s}
	return n
}

func with(n report.Node, facts ...string) report.Node {
	for i := 0; i < len(facts); i += 2 {
		n.Facts = append(n.Facts, connectors.Fact{Label: facts[i], Text: facts[i+1]})
	}
	return n
}

func TestHowOneNodeStandsToTheOther(t *testing.T) {
	const r, l, d = connectors.AccessReadable, connectors.AccessListed, connectors.AccessDenied
	folder := func(s report.State) report.Node { return branch(at(r, "folder", "f"), s) }
	for name, c := range map[string]struct {
		a, b    []report.Node
		path    string
		want    report.What
		minor   bool
		verdict report.Verdict
	}{
		"the same":                 {[]report.Node{at(r, "file", "x")}, []report.Node{at(r, "file", "x")}, "x", report.Same, false, report.Alike},
		"another right":            {[]report.Node{at(r, "file", "x")}, []report.Node{at(l, "file", "x")}, "x", report.RightsDiffer, false, report.Differ},
		"a right nobody knows":     {[]report.Node{at(d, "file", "x")}, []report.Node{at("", "file", "x")}, "x", report.UnknownB, false, report.Unsure},
		"only here":                {[]report.Node{at(r, "file", "x")}, nil, "x", report.OnlyA, false, report.Differ},
		"only there":               {nil, []report.Node{at(r, "file", "x")}, "x", report.OnlyB, false, report.Differ},
		"case counts":              {[]report.Node{at(r, "file", "x")}, []report.Node{at(r, "file", "X")}, "x", report.OnlyA, false, report.Differ},
		"another kind":             {[]report.Node{at(r, "table", "x")}, []report.Node{at(r, "view", "x")}, "x", report.OnlyA, false, report.Differ},
		"a size":                   {[]report.Node{with(at(r, "file", "x"), "Size", "1 B")}, []report.Node{with(at(r, "file", "x"), "Size", "2 B")}, "x", report.FactsDiffer, true, report.Alike},
		"an owner":                 {[]report.Node{with(at(r, "file", "x"), "Owner", "a", "Size", "1")}, []report.Node{with(at(r, "file", "x"), "Owner", "b", "Size", "2")}, "x", report.FactsDiffer, false, report.Differ},
		"in a folder it looked at": {[]report.Node{folder(report.Listed), at(r, "file", "f", "x")}, []report.Node{folder(report.Listed)}, "f / x", report.OnlyA, false, report.Differ},
		"in one it did not":        {[]report.Node{folder(report.Listed), at(r, "file", "f", "x")}, []report.Node{folder(report.TooDeep)}, "f / x", report.UnknownB, false, report.Unsure},
		"in one that failed":       {[]report.Node{folder(report.Failed)}, []report.Node{folder(report.Listed), at(r, "file", "f", "x")}, "f / x", report.UnknownA, false, report.Unsure},
		"below what is missing":    {[]report.Node{folder(report.Listed), at(r, "file", "f", "x")}, nil, "f / x", report.OnlyA, false, report.Differ},
	} {
		t.Run(name, func(t *testing.T) {
			diff := compared(t, made("A", c.a...), made("B", c.b...))
			got := item(t, diff, strings.Split(c.path, " / ")...)
			if got.What != c.want || got.Minor != c.minor || diff.Verdict != c.verdict {
				t.Errorf("%s minor=%v %s", got.What, got.Minor, diff.Verdict)
			}
			if diff.Line == "" || len(diff.HTML()) == 0 || !strings.HasPrefix(diff.Text(), diff.Line) {
				t.Error("no answer")
			}
		})
	}
}

func TestTwoOfOneNameAreMatchedOneByOne(t *testing.T) {
	a := made("A", at("readable", "key", "x"), at("denied", "key", "x"))
	d := compared(t, a, made("B", at("readable", "key", "x")))
	if d.Counts[report.Same] != 1 || d.Counts[report.OnlyA] != 1 {
		t.Errorf("%v", d.Counts)
	}
}

func TestNamesThatLookLikePaths(t *testing.T) {
	a := made("A", at("readable", "file", "a / b"))
	b := made("B", branch(at("readable", "folder", "a"), report.Listed), at("readable", "file", "a", "b"))
	if d := compared(t, a, b); d.Counts[report.Same] != 0 {
		t.Errorf("%s", d.Text())
	}
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"format":"other/1"}`, `{"format":"jackfield.report/1","nodes":[{}]}`, strings.Repeat(`{"a":`, 100_000)} {
		if _, err := report.Read([]byte(text)); connectors.CodeOf(err) != connectors.BadInput || connectors.Explain(err).Hint == "" {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	data, err := made("A", at("readable", "file", "x"), branch(at("denied", "folder", "y"), report.Denied)).JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add(`{"format":"jackfield.report/1","nodes":[{"path":["a"]},{"path":["a","b","c","d"]},{"path":["<b>"],"access":"<script>","below":{"state":"<x>"}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := report.Read([]byte(text))
		if err != nil {
			return
		}
		d, err := report.Compare(r, r)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range []string{string(r.HTML()), string(d.HTML())} {
			if strings.Contains(page, "<script") || strings.Contains(page, "\x1b") {
				t.Errorf("%q", page)
			}
		}
		_, _ = r.Text(), d.Text()
		if _, err := d.CSV(); err != nil {
			t.Error(err)
		}
	})
}

// The keys of the JSON are a promise.
func TestTheShapeOfTheDocuments(t *testing.T) {
	r := made("A", branch(at("denied", "folder", "y"), report.Denied))
	data, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	hasKeys(t, data, "format", "made", "took_ms", "connection", "account", "options", "root", "complete", "stops", "totals", "nodes")
	d := compared(t, r, r)
	if data, err = d.JSON(); err != nil {
		t.Fatal(err)
	}
	hasKeys(t, data, "format", "verdict", "a", "b", "answers", "answer", "counts", "minor", "items")
}

func hasKeys(t *testing.T, data []byte, keys ...string) {
	t.Helper()
	m := map[string]any{}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if _, ok := m[k]; !ok {
			t.Errorf("no %s", k)
		}
	}
}

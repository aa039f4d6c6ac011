package gui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/connectors/report"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// comparePage chooses what a connection is compared with.
type comparePage struct {
	*walkPage
	c     link.Connection
	list  []link.Connection
	pick  *keySelect
	file  *label
	older *report.Report
}

// showCompare compares what a connection can see with what another one can.
func (a *App) showCompare(c link.Connection) {
	p := &comparePage{walkPage: a.newWalkPage(lang.T("report.compare")), c: c, list: a.comparable(c), file: secondary("")}
	var names []string
	for _, o := range p.list {
		t, _ := a.typeOf(o.Type)
		names = append(names, connectors.Clean(o.Name, 80)+"  ·  "+connectors.Clean(t.Name, 60))
	}
	p.pick = newKeySelect(names, a.windowKey)
	p.pick.PlaceHolder = lang.T("report.pick")
	p.pick.OnChanged = func(string) {
		p.older = nil
		p.file.set("")
	}
	file := a.button(lang.T("report.file"), theme.FolderOpenIcon(), func() { a.chooseFile(p.read) })
	p.start.OnTapped = p.compare
	with := labelled(lang.T("report.with"), vbox(6, outlined(p.pick), container.NewHBox(file), p.file))
	p.toolPage = newToolPage(a, lang.T("report.comparetitle", connectors.Clean(c.Name, 80)), lang.T("report.comparetext"), vbox(14, with, p.choices(), container.NewHBox(p.start), p.out))
	a.showPage(p.toolPage, p.pick)
}

// comparable are the other connections, those of the same type first.
func (a *App) comparable(c link.Connection) []link.Connection {
	var same, others []link.Connection
	for _, o := range a.list {
		switch {
		case o.ID == c.ID:
		case o.Type == c.Type:
			same = append(same, o)
		default:
			others = append(others, o)
		}
	}
	return append(same, others...)
}

// read takes an older report from a file.
func (p *comparePage) read(_ string, data []byte) {
	task.Run(p.a.r, func(context.Context) (*report.Report, error) { return report.Read(data) }, func(r *report.Report, err error) {
		if err != nil {
			p.put(problemNote(err))
			return
		}
		p.pick.ClearSelected()
		p.older = r
		p.file.set(lang.T("report.filechosen", connectors.Clean(r.About.Name, 60), r.Made.Local().Format("2006-01-02 15:04")))
		p.put()
	})
}

// madeDifference is a comparison with its lines.
type madeDifference struct {
	d    *report.Difference
	rows []flatRow
}

func (p *comparePage) compare() {
	i, older := p.pick.SelectedIndex(), p.older
	if i < 0 && older == nil {
		p.put(note(lang.T("report.nopick"), looks.WarnSubtle, looks.WarnText))
		return
	}
	o, told := p.options(), p.running()
	if older != nil {
		o.Depth, o.Most, o.Below, o.Columns = older.Options.Depth, older.Options.Most, older.Options.Below, older.Options.Columns
	}
	p.said.set(lang.T("report.opening", connectors.Clean(p.c.Name, 60)))
	look := func(ctx context.Context, c link.Connection) (*report.Report, error) {
		with := o
		with.Progress = told(c.Name)
		return p.a.walk(ctx, c, with)
	}
	p.cancel = task.Run(p.a.r, func(ctx context.Context) (madeDifference, error) {
		var out madeDifference
		first, err := look(ctx, p.c)
		if err != nil {
			return out, err
		}
		a, b := older, first // what was seen before stands first
		if older == nil {
			a = first
			if b, err = look(ctx, p.list[i]); err != nil {
				return out, err
			}
		}
		if out.d, err = report.Compare(a, b); err != nil {
			return out, err
		}
		out.rows = differenceRows(out.d)
		return out, nil
	}, func(m madeDifference, err error) {
		p.ended()
		switch {
		case !p.shown():
		case err != nil:
			p.put(problemNote(err))
		default:
			p.put()
			p.a.show(p.result(m))
		}
	})
}

// result shows both sides in one picture.
func (p *comparePage) result(m madeDifference) *fyne.Container {
	a, d := p.a, m.d
	v := newFlatView(a, m.rows, []string{d.A.Label, d.B.Label})
	back := a.button(lang.T("report.again"), theme.NavigateBackIcon(), func() { a.showPage(p.toolPage, p.start) })
	files := a.saveButtons("compare-"+fileWord(d.A.Label+"-"+d.B.Label), false, d.HTML, d.CSV, d.JSON)
	head := vbox(8, title(lang.T("report.difference", d.A.Label, d.B.Label)))
	front, ground := looks.WarnText, looks.WarnSubtle
	if d.Verdict == report.Alike {
		front, ground = looks.OkText, looks.OkSubtle
	}
	head.Add(note(strings.Join(answerLines(d), "\n"), ground, front))
	for _, g := range []struct{ group, word string }{
		{"rights", lang.T("report.rights", v.count("rights"))},
		{"only_a", lang.T("report.only", d.A.Label, v.count("only_a"))},
		{"only_b", lang.T("report.only", d.B.Label, v.count("only_b"))},
		{"facts", lang.T("report.facts", v.count("facts"))},
		{"unknown", lang.T("report.notknown", v.count("unknown"))},
		{"same", lang.T("report.same", v.count("same"))},
	} {
		if v.count(g.group) > 0 {
			v.chip(g.group, g.word)
		}
	}
	v.chip("", lang.T("report.all", len(m.rows)))
	for _, first := range []string{"rights", "only_a", "only_b"} { // what was asked for is seen first
		if v.count(first) > 0 {
			v.group = first
			break
		}
	}
	v.filter()
	return v.page(head, append([]fyne.CanvasObject{back}, files...))
}

// answerLines are the answers in the person's language, at most three.
func answerLines(d *report.Difference) []string {
	var out []string
	for _, a := range d.Answers {
		if a.What == report.NotKnown && d.Verdict == report.Differ {
			continue
		}
		who, other := d.B.Label, d.A.Label
		if a.Side == "a" {
			who, other = other, who
		}
		names := strings.Join(a.Names, ", ")
		if more := a.Count - len(a.Names); more > 0 {
			names = lang.T("report.answer.more", names, more)
		}
		kind := lang.T("report.answer.several")
		if a.Kind != "" {
			kind = lang.Text(connectors.Clean(a.Kind, 40))
		}
		text := lang.T("report.answer."+string(a.What), who, a.Count, other, kind, names)
		if a.Why != nil && a.What == report.MayNotRead {
			text += " " + whyText(a.Why)
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		key := map[report.Verdict]string{report.Alike: "report.answer.same", report.Unsure: "report.answer.unsure", report.Differ: "report.answer.facts"}[d.Verdict]
		out = append(out, lang.T(key, d.A.Label, d.B.Label))
	}
	return out[:min(len(out), 3)]
}

// differenceRows are the lines of a comparison; they are made off the window's
// goroutine.
func differenceRows(d *report.Difference) []flatRow {
	rows := make([]flatRow, len(d.Items))
	for n, i := range d.Items {
		rows[n] = flatRow{path: i.Path, kind: i.Kind, icon: connectors.Node{Kind: i.Kind}, group: chipOf(i.What), marks: []flatMark{sideMark(i.A, i.What == report.UnknownA), sideMark(i.B, i.What == report.UnknownB)},
			more: func() []string { return differenceDetail(d, i) }}
	}
	return rows
}

func chipOf(w report.What) string {
	if slices.Contains([]report.What{report.UnknownA, report.UnknownB}, w) {
		return "unknown"
	}
	return string(w)
}

func sideMark(s *report.Seen, unknown bool) flatMark {
	switch {
	case s != nil:
		_, m := accessMark(s.Access)
		return m
	case unknown:
		return flatMark{looks.Idle, lang.T("report.unlooked")}
	}
	return flatMark{looks.WarnDot, lang.T("report.absent")}
}

func differenceDetail(d *report.Difference, i report.Item) []string {
	var out []string
	for _, s := range []struct {
		name string
		seen *report.Seen
	}{{d.A.Label, i.A}, {d.B.Label, i.B}} {
		if s.seen != nil && s.seen.Why != nil {
			out = append(out, s.name+": "+whyText(s.seen.Why))
		}
	}
	var changes []string
	for _, c := range i.Changes {
		changes = append(changes, lang.T("report.changed", lang.Text(connectors.Clean(c.Label, 60)), orNone(c.A), orNone(c.B)))
	}
	return append(out, strings.Join(changes, "  ·  "))
}

func orNone(s string) string {
	if s == "" {
		return lang.T("report.none")
	}
	return connectors.Clean(s, 120)
}

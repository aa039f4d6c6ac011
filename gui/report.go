package gui

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/connectors/report"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// walkPage is the part that a report and a comparison share: how much is looked
// at, and how far that is.
type walkPage struct {
	*toolPage
	depth, most      *keySelect
	columns, samples *widget.Check
	out              *fyne.Container
	start            *keyButton
	said             *label
	cancel           func()
	mine             int // which walk is shown
}

// The choices of how much is looked at.
func depths() []int { return []int{1, 2, 3, 4, 6, 10} }
func counts() []int { return []int{1000, 10_000, 100_000} }

func (a *App) newWalkPage(start string) *walkPage {
	p := &walkPage{out: vbox(10), said: secondary("")}
	var deep, many []string
	for _, n := range depths() {
		if n == 1 {
			deep = append(deep, lang.T("report.depth.one"))
		} else {
			deep = append(deep, lang.T("report.depth.levels", n))
		}
	}
	for _, n := range counts() {
		many = append(many, lang.T("report.most.things", n))
	}
	p.depth, p.most = newKeySelect(deep, a.windowKey), newKeySelect(many, a.windowKey)
	p.depth.SetSelectedIndex(3)
	p.most.SetSelectedIndex(1)
	p.columns, p.samples = widget.NewCheck(lang.T("report.columns"), nil), widget.NewCheck(lang.T("report.samples"), nil)
	p.start = a.mainButton(start, theme.SearchIcon(), nil)
	return p
}

// choices are the fields of how much is looked at.
func (p *walkPage) choices() fyne.CanvasObject {
	row := container.NewGridWithColumns(2, labelled(lang.T("report.depth"), outlined(p.depth)), labelled(lang.T("report.most"), outlined(p.most)))
	return vbox(12, row, vbox(0, p.columns, p.samples))
}

func (p *walkPage) options() report.Options {
	return report.Options{Depth: depths()[max(p.depth.SelectedIndex(), 0)], Most: counts()[max(p.most.SelectedIndex(), 0)], Columns: p.columns.Checked, Samples: p.samples.Checked}
}

func (p *walkPage) put(o ...fyne.CanvasObject) {
	p.out.Objects = o
	p.out.Refresh()
	p.moved()
}

// shown reports whether the page is still what the person looks at.
func (p *walkPage) shown() bool {
	return len(p.a.centre.Objects) == 1 && p.a.centre.Objects[0] == p.root
}

// running shows how far a walk is; it ends when the person leaves the page.
func (p *walkPage) running() (told func(name string) func(done, open int, at string)) {
	p.mine++
	mine := p.mine
	p.start.Disable()
	stop := p.a.button(lang.T("button.cancel"), theme.CancelIcon(), p.halt)
	p.said.set("")
	p.follow(mine)
	p.put(card(newDock(nil, nil, nil, container.NewCenter(stop), padded(8, 0, 0, 8, p.said))))
	var words atomic.Value // the last ones: the first would be all that is seen of a walk that hangs
	words.Store("")
	show := task.NewCoalescer(p.a.r, func() {
		if mine == p.mine {
			p.said.set(words.Load().(string))
		}
	})
	return func(name string) func(done, open int, at string) {
		return func(done, open int, at string) {
			text := lang.T("report.progress", connectors.Clean(name, 60), done, open)
			if at != "" {
				text += " · " + connectors.Clean(at, 60)
			}
			words.Store(text)
			show.Mark()
		}
	}
}

// leftAfter is how often it is asked whether the person is still here.
const leftAfter = 300 * time.Millisecond

// follow ends a walk whose page the person has left: no listing has to come to its
// end for that.
func (p *walkPage) follow(mine int) {
	time.AfterFunc(leftAfter, func() {
		p.a.r.Do(func() {
			switch {
			case mine != p.mine:
			case p.shown():
				p.follow(mine)
			default:
				p.halt()
			}
		})
	})
}

// halt stops the walk; what it found so far is dropped.
func (p *walkPage) halt() {
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.ended()
	p.put(secondary(lang.T("report.stopped")))
}

func (p *walkPage) ended() {
	p.cancel = nil
	p.mine++
	p.start.Enable()
}

// walk opens a connection and looks at it.
func (a *App) walk(ctx context.Context, c link.Connection, o report.Options) (*report.Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(a.ctx, cancel)
	defer stop()
	o.About = report.About{Name: c.Name, Type: c.Type, TypeName: c.Type}
	if t, ok := a.typeOf(c.Type); ok {
		o.About.TypeName, o.About.Place = t.Name, t.Place(c.Plain)
	}
	s, err := a.o.Book.Open(ctx, c.ID, link.Watcher{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	return report.Take(ctx, s, o)
}

// showReport makes a report of what a connection can see.
func (a *App) showReport(c link.Connection) {
	p := a.newWalkPage(lang.T("report.start"))
	name := connectors.Clean(c.Name, 80)
	other := a.button(lang.T("report.menucompare"), theme.ViewRefreshIcon(), func() { a.showCompare(c) })
	p.start.OnTapped = func() { p.report(c) }
	p.toolPage = newToolPage(a, lang.T("report.title", name), lang.T("report.text"), vbox(14, p.choices(), container.NewHBox(p.start, other), p.out))
	a.showPage(p.toolPage, p.start)
}

// made is a report with its lines.
type madeReport struct {
	r    *report.Report
	rows []flatRow
}

func (p *walkPage) report(c link.Connection) {
	o := p.options()
	o.Progress = p.running()(c.Name)
	p.said.set(lang.T("report.opening", connectors.Clean(c.Name, 60)))
	p.cancel = task.Run(p.a.r, func(ctx context.Context) (madeReport, error) {
		r, err := p.a.walk(ctx, c, o)
		if err != nil {
			return madeReport{}, err
		}
		return madeReport{r, reportRows(r)}, nil
	}, func(m madeReport, err error) {
		p.ended()
		switch {
		case !p.shown():
		case err != nil:
			p.put(problemNote(err))
		default:
			p.put()
			p.a.show(p.result(c, m))
		}
	})
}

// result shows a report: its state, its totals, and every line.
func (p *walkPage) result(c link.Connection, m madeReport) *fyne.Container {
	a, r := p.a, m.r
	v := newFlatView(a, m.rows, nil)
	back := a.button(lang.T("report.again"), theme.NavigateBackIcon(), func() { a.showPage(p.toolPage, p.start) })
	other := a.button(lang.T("report.menucompare"), theme.ViewRefreshIcon(), func() { a.showCompare(c) })
	files := a.saveButtons("report-"+fileWord(c.Name), r.Options.Samples, r.HTML, r.CSV, r.JSON)
	head := vbox(6, title(lang.T("report.title", connectors.Clean(c.Name, 80))),
		secondary(lang.T("report.made", connectors.Clean(r.About.TypeName+" "+r.About.Place, 80), r.Made.Local().Format("2006-01-02 15:04"), r.TookMS)))
	words, back1, fg := lang.T("report.complete"), looks.OkSubtle, looks.OkText
	if !r.Complete {
		words, back1, fg = lang.T("report.incomplete"), looks.WarnSubtle, looks.WarnText
	}
	for _, s := range r.Stops {
		if s.State == report.Inside {
			continue
		}
		words += " " + lang.N("report.stop."+string(s.State), s.Count)
	}
	if r.Problem != nil {
		words += " " + r.Problem.Title
	}
	head.Add(note(words, back1, fg))
	head.Add(secondary(totalWords(r.Totals)))
	v.chip("", lang.T("report.all", len(m.rows)))
	for _, g := range []string{"readable", "partly", "denied", "unknown"} {
		if n := v.count(g); n > 0 {
			v.chip(g, lang.T("report.chip."+g, n))
		}
	}
	return v.page(head, append([]fyne.CanvasObject{back, other}, files...))
}

func totalWords(list []report.Total) string {
	var parts []string
	for _, t := range list[:min(len(list), 8)] {
		parts = append(parts, lang.T("report.total", lang.Text(connectors.Clean(t.Kind, 40)), t.Count))
	}
	return strings.Join(parts, "  ·  ")
}

// fileWord is a name as a part of a file's name.
func fileWord(name string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, name)
	return strings.Trim(out[:min(len(out), 60)], "-")
}

// saveButtons write a page, a table and a document; they are made in the background.
func (a *App) saveButtons(name string, content bool, page func() []byte, table, document func() ([]byte, error)) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, f := range []struct {
		word, end string
		make      func() ([]byte, error)
	}{
		{"report.savepage", ".html", func() ([]byte, error) { return page(), nil }},
		{"report.savetable", ".csv", table},
		{"report.savejson", ".json", document},
	} {
		out = append(out, a.button(lang.T(f.word), theme.DocumentSaveIcon(), func() {
			task.Run(a.r, func(context.Context) ([]byte, error) { return f.make() }, func(data []byte, err error) {
				if err != nil {
					a.tell(err)
					return
				}
				a.saveFile(name+f.end, data, content, nil)
			})
		}))
	}
	return out
}

// reportRows are the lines of a report; they are made off the window's goroutine.
func reportRows(r *report.Report) []flatRow {
	rows := make([]flatRow, len(r.Nodes))
	for i, n := range r.Nodes {
		group, mark := accessMark(n.Access)
		rows[i] = flatRow{path: n.Path, kind: n.Kind, icon: connectors.Node{Kind: n.Kind, Branch: n.Below != nil, Views: n.Views}, group: group, marks: []flatMark{mark}, aside: factLine(n.Facts, 2),
			more: func() []string { return reportDetail(n) }}
	}
	return rows
}

func reportDetail(n report.Node) []string {
	out := []string{factLine(n.Facts, 12), whyText(n.Why)}
	if b := n.Below; b != nil {
		switch {
		case b.State == report.Denied && b.Problem != nil:
			out = append(out, lang.T("report.notlisted", b.Problem.Title))
		case b.State == report.Failed && b.Problem != nil:
			out = append(out, lang.T("report.notread", b.Problem.Title))
		case b.State != report.Listed && b.State != report.Overheard:
			out = append(out, lang.T("report.deeper"))
		}
	}
	return append(out, columnLine(n))
}

func columnLine(n report.Node) string {
	var names []string
	for _, c := range n.Columns {
		names = append(names, connectors.Clean(c.Name, 60))
	}
	return strings.Join(names, ", ")
}

func factLine(facts []connectors.Fact, most int) string {
	var parts []string
	for _, f := range facts[:min(len(facts), most)] {
		parts = append(parts, lang.Text(connectors.Clean(f.Label, 60))+" "+connectors.Clean(f.Text, 120))
	}
	return strings.Join(parts, "  ·  ")
}

func whyText(w *report.Why) string {
	switch {
	case w == nil:
		return ""
	case w.Reason == report.Above:
		return lang.T("report.why.above", lang.Text(connectors.Clean(w.Kind, 40)), connectors.Clean(w.Name, 80))
	case w.Reason == report.Itself, w.Reason == report.Partly:
		return lang.T("report.why." + string(w.Reason))
	}
	return connectors.Clean(w.Said, 300)
}

// accessMark is a right as a dot and a word.
func accessMark(a connectors.Access) (group string, m flatMark) {
	switch a {
	case connectors.AccessReadable:
		return "readable", flatMark{looks.OkDot, lang.T("report.readable")}
	case connectors.AccessListed:
		return "partly", flatMark{looks.WarnDot, lang.T("report.partly")}
	case connectors.AccessDenied:
		return "denied", flatMark{looks.ErrDot, lang.T("report.denied")}
	}
	return "unknown", flatMark{looks.Idle, lang.T("report.unknown")}
}

package gui

import (
	"context"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/expiry"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// groupSize is how many rows of a group are shown before a person asks for more.
const groupSize = 30

// expiryPage shows what ends, the first end first.
type expiryPage struct {
	*toolPage
	w     *expiryWatch
	box   *fyne.Container
	first fyne.Focusable // what has the focus once it is there
	shown map[string]int // rows of a group
}

// expiryGroup is a part of the page.
type expiryGroup struct {
	word   string
	levels []expiry.Level
	dot    fyne.ThemeColorName
	text   fyne.ThemeColorName
}

func expiryGroups() []expiryGroup {
	return []expiryGroup{
		{"expiry.expired", []expiry.Level{expiry.Expired}, looks.ErrDot, looks.ErrText},
		{"expiry.week", []expiry.Level{expiry.Day, expiry.Week}, looks.WarnDot, looks.WarnText},
		{"expiry.month", []expiry.Level{expiry.Month}, looks.WarnDot, looks.WarnText},
		{"expiry.later", []expiry.Level{expiry.Later}, looks.Idle, theme.ColorNameForeground},
	}
}

// show opens the page, with what is known already.
func (w *expiryWatch) show() {
	p := &expiryPage{w: w, box: vbox(14), shown: map[string]int{}}
	p.toolPage = newToolPage(w.a, lang.T("expiry.title"), lang.T("expiry.text"), p.box)
	w.page = p
	p.fill()
	w.a.showPage(p.toolPage, nil)
	w.refresh()
}

// fill draws the page anew; the focus stays where it is.
func (p *expiryPage) fill() {
	w := p.w
	p.first = nil
	p.box.RemoveAll()
	switch {
	case !w.looked:
		p.box.Add(secondary(lang.T("expiry.looking")))
	case w.err != nil && len(w.sweep.Items) == 0:
		p.box.Add(problemNote(w.err))
		p.box.Add(container.NewHBox(w.a.button(lang.T("expiry.again"), theme.ViewRefreshIcon(), w.refresh)))
	case len(w.sweep.Items) == 0:
		p.unread()
		p.box.Add(card(vbox(6, strong(lang.T("expiry.empty")), wrapped(lang.T("expiry.emptytext"), looks.Text2))))
	default:
		p.tools()
		p.unread()
		if w.sweep.Items[0].Level == expiry.Later {
			p.box.Add(note(lang.T("expiry.quiet", w.sweep.Watched), looks.OkSubtle, looks.OkText))
		}
		for _, g := range expiryGroups() {
			p.group(g)
		}
	}
	p.moved()
	if p.first != nil && w.a.win.Canvas().Focused() == nil && w.a.win.Canvas().Overlays().Top() == nil {
		w.a.win.Canvas().Focus(p.first)
	}
}

func (p *expiryPage) tools() {
	w := p.w
	calendar := w.a.button(lang.T("expiry.calendar"), theme.DocumentSaveIcon(), func() {
		w.a.saveFile("jackfield-ends.ics", expiry.Calendar(w.sweep.Items, w.phrases(), time.Local, w.now()), false, nil)
	})
	csv := w.a.button(lang.T("expiry.csv"), theme.DocumentSaveIcon(), func() {
		w.a.saveFile("jackfield-ends.csv", expiry.CSV(w.sweep.Items), false, nil)
	})
	again := w.a.button("", theme.ViewRefreshIcon(), w.refresh)
	p.box.Add(hbox(8, calendar, csv, again))
}

// unread tells of the connections that could not be looked into.
func (p *expiryPage) unread() {
	list := p.w.sweep.Unread
	if len(list) == 0 {
		return
	}
	var names []string
	for _, u := range list[:min(3, len(list))] {
		names = append(names, connectors.Clean(u.Connection, 60))
	}
	all := strings.Join(names, ", ")
	if len(list) > len(names) {
		all += " …"
	}
	p.box.Add(note(lang.N("expiry.unread", len(list), all, lang.Explain(list[0].Err).Title), looks.WarnSubtle, looks.WarnText))
	p.box.Add(container.NewHBox(p.w.a.button(lang.T("expiry.again"), theme.ViewRefreshIcon(), p.w.refresh)))
}

// group adds a heading and its rows, where there are any.
func (p *expiryPage) group(g expiryGroup) {
	var items []expiry.Item
	for _, i := range p.w.sweep.Items {
		for _, l := range g.levels {
			if i.Level == l {
				items = append(items, i)
			}
		}
	}
	if len(items) == 0 {
		return
	}
	most := max(groupSize, p.shown[g.word])
	rows := vbox(0)
	for n, i := range items[:min(most, len(items))] {
		if n > 0 {
			rows.Add(padded(12, 12, 0, 0, hairline()))
		}
		rows.Add(p.row(i, g))
	}
	name := lang.T(g.word)
	head := hbox(8, fixed(fyne.MeasureText(name, 13, fyne.TextStyle{Bold: true}).Width+1, 0, strong(name)), secondary(strconv.Itoa(len(items))))
	p.box.Add(vbox(8, head, card(rows)))
	if left := len(items) - most; left > 0 {
		p.box.Add(container.NewHBox(p.w.a.button(lang.T("expiry.more", min(left, groupSize)), nil, func() {
			p.shown[g.word] = most + groupSize
			p.fill()
		})))
	}
}

// row is one thing: what, of which connection, when, how that is known, what to do.
func (p *expiryPage) row(i expiry.Item, g expiryGroup) fyne.CanvasObject {
	w := p.w
	place := i.Connection
	if t, ok := w.a.typeOf(i.Type); ok {
		place += " · " + lang.Type(t).Name
	}
	text := g.text
	if i.Kind == expiry.KeyAge { // nothing ends: no alarm
		g.dot, text = looks.Idle, theme.ColorNameForeground
	}
	words := vbox(3,
		strong(w.what(i)), secondary(connectors.Clean(place, 160)),
		newLabel(lang.T("expiry.on", awayWords(i, w.now()), endWords(i)), 13, text, true),
		flush(prose(next(i), theme.ColorNameForeground, theme.SizeNameText)),
		flush(prose(basisWords(i), looks.Text2, theme.SizeNameCaptionText)),
	)
	open := w.a.button(lang.T("expiry.open"), nil, func() { p.open(i) })
	buttons := vbox(6, open)
	if p.first == nil {
		p.first = open
	}
	if w.datable(i) {
		word := lang.T("expiry.setdate")
		if i.Basis == expiry.Typed {
			word = lang.T("expiry.changedate")
		}
		buttons.Add(w.a.button(word, nil, func() { p.askDate(i, "", nil) }))
	}
	return dotted(g.dot, newDock(nil, nil, nil, padded(0, 0, 16, 0, fixed(150, 0, buttons)), words))
}

// open shows the connection's form with the cursor in the field. What is about to
// be replaced is not tried first.
func (p *expiryPage) open(i expiry.Item) {
	a := p.w.a
	a.selectConnection(i.ConnectionID)
	if a.form == nil || a.form.id != i.ConnectionID { // a question is open, or the practice services start
		return
	}
	p.w.close()
	a.form.cancelLink()
	a.work.look(false)
	if v := a.form.field(i.Field); v != nil && v.f.Advanced {
		a.form.unfold(true)
	}
	a.form.focus(i.Field)
}

// askDate asks for the day on which something ends; wrong is why the last answer
// was none.
func (p *expiryPage) askDate(i expiry.Item, text string, wrong error) {
	a, now := p.w.a, p.w.now()
	e := a.field(lang.T("expiry.dateexample", now.AddDate(1, 0, 0).Format(time.DateOnly)), false)
	if text == "" && i.Basis == expiry.Typed {
		text = expiry.Stamp(i)
	}
	e.SetText(text)
	soon := hbox(6)
	for _, months := range []int{3, 6, 12, 24} {
		b := widget.NewButton(lang.T("expiry.inmonths", months), func() { e.SetText(now.AddDate(0, months, 0).Format(time.DateOnly)) })
		soon.Add(b)
	}
	body := vbox(10, wrapped(lang.T("expiry.datetext", p.w.what(i), i.Connection), looks.Text2), labelled(lang.T("expiry.date"), oneLined(e)), soon)
	if wrong != nil {
		body.Add(problemNote(wrong))
	}
	a.question(question{title: lang.T("expiry.datetitle"), text: fixed(460, 0, padded(0, 12, 0, 0, body)), yes: lang.T("button.save"), no: lang.T("button.back"), entry: e, answer: func(yes bool) {
		if !yes {
			return
		}
		var day time.Time
		if given := strings.TrimSpace(e.Text); given != "" {
			var err error
			if day, err = expiry.ParseDay(given); err != nil {
				p.askDate(i, given, err)
				return
			}
		}
		p.setDate(i, day)
	}}).Show()
}

func (p *expiryPage) setDate(i expiry.Item, day time.Time) {
	task.Run(p.w.a.r, func(ctx context.Context) (link.Connection, error) {
		return p.w.a.o.Book.SetDate(ctx, i.ConnectionID, i.Field, day)
	}, func(_ link.Connection, err error) {
		if err != nil {
			p.w.a.tell(err)
			return
		}
		p.w.a.reload(nil)
		p.w.refresh()
	})
}

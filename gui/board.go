package gui

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors/health"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// boardPage shows how all connections fare.
type boardPage struct {
	a      *App
	desk   *healthDesk
	root   *fyne.Container
	rows   []health.Row // all, as they are sorted
	texts  []string     // what the search looks through, beside rows
	shown  []int        // the rows that pass filter and search
	chosen string       // the id of the selected connection
	filter string
	list   *boardList
	search *entry
	chips  []*chip
	note   *fyne.Container // what could not be read
	empty  *fyne.Container
	under  *label // the sentence below the title
	bar    *progressBar
	detail *boardDetail
	stop   func() // the reading under way
	order  map[string]int
}

// showBoard shows the health of all connections.
func (a *App) showBoard() {
	if a.o.Health == nil {
		return
	}
	a.leave(func() {
		a.side.selected = ""
		a.side.refresh()
		p := newBoardPage(a)
		a.show(p.root)
		a.health.page = p
		p.progress()
		a.o.Health.Reload()
		p.reload()
		a.win.Canvas().Focus(p.list)
	})
}

func newBoardPage(a *App) *boardPage {
	p := &boardPage{a: a, desk: a.health, filter: "all", note: container.NewStack(), empty: container.NewStack()}
	p.note.Hide()
	p.list = newBoardList(p)
	p.detail = newBoardDetail(p)
	p.bar = newProgressBar(p)
	p.under = secondary("")
	p.search = a.field(lang.T("board.search"), false)
	p.search.Icon = theme.SearchIcon()
	p.search.OnChanged = func(string) { p.sift() }
	p.search.window = func(e *fyne.KeyEvent) bool {
		if e.Name == fyne.KeyDown {
			a.win.Canvas().Focus(p.list)
			return true
		}
		return a.windowKey(e)
	}
	chips := hbox(6)
	for _, f := range []string{"all", "ok", "failed", "prepared", "expiring", "old"} {
		c := newChip(p, f)
		p.chips = append(p.chips, c)
		chips.Add(c.press)
	}
	top := newDock(nil, nil, nil, container.NewCenter(p.bar.root), vbox(4, title(lang.T("board.title")), p.under))
	tools := newDock(nil, nil, nil, padded(0, 0, 12, 0, p.schedule()), oneLined(p.search))
	scroll := fixed(0, 32, container.NewHScroll(padded(2, 2, 1, 1, chips)))
	head := vbox(12, top, scroll, tools, p.note, boardHead())
	p.root = newDock(padded(24, 4, 24, 24, head), p.detail.root, nil, nil, padded(0, 8, 24, 24, container.NewStack(p.list, p.empty)))
	p.fill(rowsOf(a))
	return p
}

// rowsOf is what the window knows before any history is read.
func rowsOf(a *App) []health.Row {
	rows := make([]health.Row, 0, len(a.list))
	for _, c := range a.list {
		t, _ := a.typeOf(c.Type)
		rows = append(rows, health.Row{Connection: c, Type: t, Expires: c.Expires})
	}
	return rows
}

// schedule is the choice of how often, and whether the desktop tells.
func (p *boardPage) schedule() fyne.CanvasObject {
	minutes := []int{0, 15, 60, 360, 1440}
	words := []string{lang.T("board.never"), lang.T("board.every15"), lang.T("board.every60"), lang.T("board.every360"), lang.T("board.every1440")}
	every := newKeySelect(words, p.a.windowKey)
	every.SetSelectedIndex(max(0, slices.Index(minutes, p.a.prefs.CheckEvery)))
	tell := widget.NewCheck(lang.T("board.notify"), nil)
	tell.SetChecked(p.a.prefs.Notify)
	tell.OnChanged = func(on bool) { p.a.change(func(prefs *Prefs) { prefs.Notify = on }) }
	if every.SelectedIndex() == 0 {
		tell.Disable()
	}
	every.OnChanged = func(string) {
		at := every.SelectedIndex()
		p.a.change(func(prefs *Prefs) { prefs.CheckEvery = minutes[at] })
		p.desk.schedule()
		if at == 0 {
			tell.Disable()
		} else {
			tell.Enable()
		}
	}
	return hbox(8, fixed(196, 0, outlined(every)), tell)
}

// reload reads what is stored about the connections; the old stays until then.
func (p *boardPage) reload() {
	if p.stop != nil {
		p.stop()
	}
	list := p.a.list
	p.stop = task.Run(p.a.r, func(ctx context.Context) ([]health.Row, error) { return p.a.o.Health.Rows(ctx, list) }, func(rows []health.Row, err error) {
		p.stop = nil
		p.note.Hidden = err == nil
		if err != nil {
			p.note.Objects = []fyne.CanvasObject{problemNote(err)}
			p.root.Refresh()
			return
		}
		p.fill(rows)
	})
}

func (p *boardPage) close() {
	if p.stop != nil {
		p.stop()
	}
	p.detail.close()
}

// fill shows rows: what needs a person first, but rows that are on the screen
// keep their places, so that nothing jumps while it is checked.
func (p *boardPage) fill(rows []health.Row) {
	place := func(r health.Row) int {
		if at, ok := p.order[r.Connection.ID]; ok {
			return at
		}
		return len(p.order)
	}
	slices.SortStableFunc(rows, func(a, b health.Row) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(urgency(a.Connection.State), urgency(b.Connection.State)), cmp.Compare(link.NameKey(a.Connection.Name), link.NameKey(b.Connection.Name)))
	})
	p.rows, p.order = rows, make(map[string]int, len(rows))
	p.texts = make([]string, len(rows))
	for i, r := range rows {
		p.order[r.Connection.ID] = i
		c := r.Connection
		p.texts[i] = strings.ToLower(c.Name + " " + r.TypeName() + " " + r.Type.Place(c.Plain) + " " + c.Account + " " + c.Description)
	}
	p.under.set(lang.N("board.summary", len(rows)))
	p.sift()
}

// passes reports whether a row belongs under a filter.
func passes(filter string, r health.Row, now time.Time) bool {
	c := r.Connection
	switch filter {
	case "ok":
		return c.State == link.OK || c.State == link.Partial
	case "failed":
		return c.State == link.Failed
	case "prepared":
		return c.State == link.Prepared
	case "expiring":
		return !r.Expires.IsZero() && r.Expires.Sub(now) < soon
	case "old":
		return c.State != link.Prepared && now.Sub(c.Checked) > 7*day
	}
	return true
}

// sift applies filter and search.
func (p *boardPage) sift() {
	now, want := time.Now(), strings.ToLower(strings.TrimSpace(p.search.Text))
	p.shown = p.shown[:0]
	counts := map[string]int{}
	for i, r := range p.rows {
		for _, c := range p.chips {
			if passes(c.filter, r, now) {
				counts[c.filter]++
			}
		}
		if passes(p.filter, r, now) && (want == "" || strings.Contains(p.texts[i], want)) {
			p.shown = append(p.shown, i)
		}
	}
	for _, c := range p.chips {
		c.show(counts[c.filter], p.filter == c.filter)
	}
	p.emptiness()
	p.list.Refresh()
	p.mark()
}

func (p *boardPage) emptiness() {
	p.empty.Hidden = len(p.shown) > 0
	if len(p.shown) > 0 {
		return
	}
	head, text := "board.nomatchtitle", "board.nomatchtext"
	box := vbox(6)
	if len(p.rows) == 0 {
		head, text = "board.emptytitle", "board.emptytext"
	}
	h, t := heading(lang.T(head)), secondary(lang.T(text))
	h.align, t.align = fyne.TextAlignCenter, fyne.TextAlignCenter
	box.Add(h)
	box.Add(t)
	if len(p.rows) == 0 {
		box.Add(padded(8, 0, 0, 0, container.NewCenter(p.a.mainButton(lang.T("sidebar.new"), theme.ContentAddIcon(), p.a.showGallery))))
	}
	p.empty.Objects = []fyne.CanvasObject{container.NewCenter(fixed(380, 0, box))}
	p.empty.Refresh()
}

// take shows outcomes in their rows.
func (p *boardPage) take(outcomes []health.Outcome) {
	for _, o := range outcomes {
		i, ok := p.order[o.Connection.ID]
		if !ok || i >= len(p.rows) {
			continue
		}
		r := &p.rows[i]
		r.Connection, r.Held = o.After, o.Held
		if o.Result == nil {
			continue
		}
		r.Expires = cmp.Or(o.After.Expires, r.Expires)
		r.Tried = time.Now()
		if today := &r.Days[health.Days-1]; o.After.State == link.Failed {
			*today = health.DayFailed
		} else if *today == health.DayNone {
			*today = health.DayOK
		}
	}
	p.progress()
	p.list.Refresh()
	if p.selected() >= 0 && len(outcomes) > 0 {
		p.detail.show(p.rows[p.order[p.chosen]])
	}
}

// progress shows how far the check of all is.
func (p *boardPage) progress() { p.bar.show() }

// selected is the selected row's place in the list, or -1.
func (p *boardPage) selected() int {
	at, ok := p.order[p.chosen]
	if !ok {
		return -1
	}
	return slices.Index(p.shown, at)
}

// mark selects the chosen connection again, where it is shown.
func (p *boardPage) mark() {
	at := p.selected()
	if at < 0 {
		p.list.UnselectAll()
		p.detail.hide()
		return
	}
	p.list.Select(at)
	p.detail.show(p.rows[p.shown[at]])
}

func (p *boardPage) row(at int) (health.Row, bool) {
	if at < 0 || at >= len(p.shown) {
		return health.Row{}, false
	}
	return p.rows[p.shown[at]], true
}

// tapped chooses a row.
func (p *boardPage) tapped(at int) {
	p.a.win.Canvas().Focus(p.list)
	p.choose(at)
}

func (p *boardPage) choose(at int) {
	if r, ok := p.row(at); ok {
		p.chosen = r.Connection.ID
		p.mark()
		p.list.Highlight(at)
	}
}

// act does the one thing that a row offers.
func (p *boardPage) act(at int) {
	r, ok := p.row(at)
	switch {
	case !ok:
	case actionOf(r) == "check":
		p.check(at)
	default:
		p.open(at)
	}
}

func (p *boardPage) open(at int) {
	if r, ok := p.row(at); ok {
		p.a.selectConnection(r.Connection.ID)
	}
}

func (p *boardPage) check(at int) {
	if r, ok := p.row(at); ok {
		p.desk.checkOne(r.Connection.ID)
	}
}

// checkAll checks what is shown.
func (p *boardPage) checkAll() {
	ids := make([]string, 0, len(p.shown))
	for _, i := range p.shown {
		if h := p.rows[i].Held; h == nil || h.Why != health.WhyUnlinked {
			ids = append(ids, p.rows[i].Connection.ID)
		}
	}
	if len(ids) == 0 {
		p.a.toasts.say(lang.T("board.nothing"), false)
		return
	}
	p.desk.checkAll(ids)
}

func (p *boardPage) menu(at int) *fyne.Menu {
	return fyne.NewMenu("", fyne.NewMenuItem(lang.T("board.open"), func() { p.open(at) }), fyne.NewMenuItem(lang.T("board.checknow"), func() { p.check(at) }))
}

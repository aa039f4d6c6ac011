package gui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/health"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// boardDetail stands below the list: the chosen connection, what is wrong with
// it, and how its checks of the last 30 days went.
type boardDetail struct {
	p       *boardPage
	root    *fyne.Container
	name    *label
	pill    *fyne.Container
	words   *widget.RichText
	view    *container.Scroll
	open    *keyButton
	check   *keyButton
	list    *keyList
	none    *label
	id      string
	entries []health.Entry // the newest first
	stop    func()
}

const detailHeight = 208

func newBoardDetail(p *boardPage) *boardDetail {
	d := &boardDetail{p: p, name: heading(""), pill: container.NewStack(), words: widget.NewRichText(), none: secondary(lang.T("board.nohistory"))}
	d.open = p.a.mainButton(lang.T("board.open"), nil, func() { p.open(p.selected()) })
	d.check = p.a.button(lang.T("board.checknow"), theme.ViewRefreshIcon(), func() { p.check(p.selected()) })
	d.words.Wrapping = fyne.TextWrapWord
	d.view = container.NewVScroll(flush(d.words))
	d.list = &keyList{window: p.a.windowKey, typed: func(rune) {}}
	d.list.Length = func() int { return len(d.entries) }
	d.list.CreateItem = func() fyne.CanvasObject { return newEntryRow() }
	d.list.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		if i < len(d.entries) {
			o.(*entryRow).show(d.entries[i])
		}
	}
	d.list.HideSeparators = true
	d.list.ExtendBaseWidget(d.list)
	head := newDock(nil, nil, nil, container.NewCenter(d.pill), centred(d.name))
	left := newDock(padded(0, 6, 0, 0, head), padded(8, 0, 0, 0, container.NewHBox(hbox(8, d.open, d.check))), nil, nil, d.view)
	right := newDock(padded(3, 6, 0, 0, newLabel(lang.T("board.history"), 12, looks.Text2, true)), nil, nil, nil, container.NewStack(d.list, vbox(0, d.none)))
	body := container.New(halves{}, left, right)
	d.root = newDock(hairline(), nil, nil, nil, container.NewStack(newFill(looks.Stripe, 0), padded(14, 14, 34, 34, body)))
	d.root = container.NewStack(fixed(0, detailHeight, d.root))
	d.root.Hide()
	return d
}

// halves gives the left a little less than half, with room between.
type halves struct{}

// Layout implements fyne.Layout.
func (halves) Layout(o []fyne.CanvasObject, s fyne.Size) {
	left := (s.Width - 32) * 0.46
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(left, s.Height))
	o[1].Move(fyne.NewPos(left+32, 0))
	o[1].Resize(fyne.NewSize(s.Width-left-32, s.Height))
}

// MinSize implements fyne.Layout.
func (halves) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(300, 100) }

func (d *boardDetail) hide() {
	d.id = ""
	if d.root.Visible() {
		d.root.Hide()
		d.p.root.Refresh()
		relayout(d.p.root)
	}
}

func (d *boardDetail) close() {
	if d.stop != nil {
		d.stop()
	}
}

// show is for one row; its history is read anew when a check has ended since.
func (d *boardDetail) show(r health.Row) {
	c := r.Connection
	same := d.id == c.ID
	d.name.set(connectors.Clean(c.Name, 100))
	d.pill.Objects = []fyne.CanvasObject{statePill(c.State)}
	d.pill.Refresh()
	d.words.Segments = detailWords(r)
	d.words.Refresh()
	d.open.SetText(lang.T("board.open"))
	if actionOf(r) == "mend" {
		d.open.SetText(lang.T("board.mend"))
	}
	if d.p.desk.isChecking(c.ID) {
		d.check.Disable()
	} else {
		d.check.Enable()
	}
	if !d.root.Visible() {
		d.root.Show()
		d.p.root.Refresh()
		relayout(d.p.root)
	}
	d.view.Refresh()
	if !same {
		d.id, d.entries = c.ID, nil
		d.none.Hidden = true
		d.list.Refresh()
		d.list.ScrollToTop()
	}
	d.read(c.ID)
}

func (d *boardDetail) read(id string) {
	d.close()
	d.stop = task.Run(d.p.a.r, func(ctx context.Context) ([]health.Entry, error) { return d.p.a.o.Health.History(ctx, id) }, func(list []health.Entry, err error) {
		if err != nil {
			d.p.a.tell(err)
		}
		if id != d.id {
			return
		}
		d.entries = d.entries[:0]
		for i := len(list) - 1; i >= 0; i-- {
			d.entries = append(d.entries, list[i])
		}
		d.none.Hidden = len(d.entries) > 0
		d.none.Refresh()
		d.list.Refresh()
	})
}

// detailWords say what is wrong, and why nothing tries it by itself.
func detailWords(r health.Row) []widget.RichTextSegment {
	var out []widget.RichTextSegment
	say := func(text string, c fyne.ThemeColorName) {
		out = append(out, &widget.TextSegment{Text: text, Style: widget.RichTextStyle{ColorName: c, SizeName: theme.SizeNameText}})
	}
	if p := lang.Retell(r.Connection.Problem); p != nil {
		say(p.Title, theme.ColorNameForeground)
		say(p.Hint, looks.Text2)
	} else if a := r.Connection.Account; a != "" {
		say(connectors.Clean(a, 200), theme.ColorNameForeground)
	}
	if h := r.Held; h != nil {
		text := lang.T("board.held." + string(h.Why))
		if h.Why == health.WhyShared {
			text = lang.T("board.held.shared", connectors.Clean(h.By, 80))
		}
		say(text, looks.Text2)
	}
	return out
}

// entryRow is one check of the past.
type entryRow struct {
	widget.BaseWidget
	box             *fyne.Container
	dot             *fill
	when, took, why *label
}

func newEntryRow() *entryRow {
	r := &entryRow{dot: newFill(looks.Idle, 4), when: newLabel("", 12, theme.ColorNameForeground, false), took: newLabel("", 12, looks.Text2, false), why: newLabel("", 12, looks.Text2, false)}
	r.dot.least = fyne.NewSize(8, 8)
	r.took.align = fyne.TextAlignTrailing
	r.box = newDock(nil, nil, hbox(8, container.NewCenter(r.dot), fixed(128, 18, centred(r.when))), padded(0, 0, 0, 12, fixed(60, 18, centred(r.took))), padded(0, 0, 8, 8, centred(r.why)))
	r.ExtendBaseWidget(r)
	return r
}

// CreateRenderer implements fyne.Widget.
func (r *entryRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }

// MinSize implements fyne.Widget.
func (r *entryRow) MinSize() fyne.Size { return fyne.NewSize(240, 20) }

func (r *entryRow) show(e health.Entry) {
	look := lookOf(e.State)
	if r.dot.color != look.dot {
		r.dot.color = look.dot
		r.dot.Refresh()
	}
	r.when.set(exactly(e.At))
	r.took.set(tookWords(e.Took()))
	why := look.word
	if p := lang.Explain(e.Err()); p != nil {
		why = p.Title
	}
	r.why.set(connectors.Clean(why, 160))
}

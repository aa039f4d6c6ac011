package gui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
)

// What is read for one look.
const (
	sampleRows  = 200
	sampleBytes = 64 << 10
	cellRunes   = 200
)

// detailPane shows the chosen node: its facts and a sample of its content.
type detailPane struct {
	a       *App
	root    *fyne.Container
	crumb   *label
	factBox *fyne.Container
	centre  *fyne.Container
	foot    *label
	cancel  func()
	said    string // the failure that is shown
	again   func() // tries once more what failed
	live    *messages
	pill    func(key string) // says whether what is shown is live
	unwatch func()
}

func newDetailPane(a *App) *detailPane {
	d := &detailPane{a: a, crumb: newLabel("", 12.5, theme.ColorNameForeground, true), factBox: container.NewHBox(), centre: container.NewStack(), foot: secondary("")}
	top := vbox(0, padded(11, 9, 16, 16, d.crumb), hairline(), d.factBox)
	bottom := vbox(0, hairline(), padded(8, 8, 16, 16, d.foot))
	d.root = newDock(top, bottom, nil, nil, d.centre)
	return d
}

func (d *detailPane) stop() {
	d.stopReading()
	d.deaf()
}

// deaf stops listening.
func (d *detailPane) deaf() {
	if d.unwatch != nil {
		d.unwatch()
		d.unwatch, d.live = nil, nil
	}
}

// stopReading drops a sample that is still on its way.
func (d *detailPane) stopReading() {
	if d.cancel != nil {
		d.cancel()
		d.cancel = nil
	}
}

// facts shows what is known of the connection until a node is chosen.
func (d *detailPane) facts(list []connectors.Fact) {
	d.crumb.set(lang.T("preview.choose"))
	d.foot.set("")
	d.factBox.Objects = nil
	d.factBox.Refresh()
	d.put(container.NewVScroll(padded(8, 16, 16, 16, vbox(0, secondaryLine(lang.T("preview.choosetext")), factGrid(list)))))
}

func secondaryLine(text string) fyne.CanvasObject { return padded(4, 10, 0, 0, secondary(text)) }

// factGrid is a list of labels and texts.
func factGrid(list []connectors.Fact) fyne.CanvasObject {
	box := vbox(0)
	for i, f := range list {
		back := looks.Surface
		if i%2 == 0 {
			back = looks.Stripe
		}
		text := flush(prose(connectors.Clean(f.Text, 600), theme.ColorNameForeground, theme.SizeNameText))
		name := vbox(0, newLabel(connectors.Clean(f.Label, 60), 12, looks.Text2, false))
		box.Add(container.NewStack(newFill(back, 4), padded(6, 6, 8, 8, newDock(nil, nil, fixed(150, 0, name), nil, text))))
	}
	return box
}

func (d *detailPane) put(o fyne.CanvasObject) {
	d.said, d.again = "", nil
	d.centre.Objects = []fyne.CanvasObject{o}
	d.centre.Refresh()
}

// looked is what one look at a node gave.
type looked struct {
	table  *connectors.Table
	sample *connectors.Sample
}

// show reads a sample of the node.
func (d *detailPane) show(s connectors.Session, n connectors.Node, path string) {
	if s == nil {
		return
	}
	d.stopReading()
	d.crumb.set(path)
	d.offer(s, n)
	d.foot.set(lang.T("preview.loading"))
	if d.live != nil && !d.live.chosen {
		d.live.only(n)
		d.put(d.live.root)
		return
	}
	d.deaf()
	if live, ok := s.(connectors.Streamer); ok && len(n.Views) > 0 && n.Views[0] == connectors.ViewMessages {
		d.follow(live, n, func(connectors.Event) {})
		return
	}
	d.cancel = task.Run(d.a.r, func(ctx context.Context) (looked, error) { return look(ctx, s, n) }, func(l looked, err error) {
		switch {
		case err != nil:
			d.problem(err, func() { d.show(s, n, path) })
		case l.table != nil:
			d.rows(l.table)
		case l.sample != nil:
			d.content(l.sample)
		default:
			d.foot.set("")
			words := lang.T("preview.noview")
			if n.Access == connectors.AccessDenied {
				words = lang.T("preview.deniedtext")
			}
			d.put(container.NewVScroll(padded(8, 16, 16, 16, vbox(0, secondaryLine(words), factGrid(n.Facts)))))
		}
	})
}

// look takes the first view that the node and the session offer.
func look(ctx context.Context, s connectors.Session, n connectors.Node) (looked, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var last error
	for _, v := range n.Views {
		switch reader := s.(type) {
		case connectors.Tabler:
			if v == connectors.ViewRows {
				t, err := reader.Table(ctx, n.ID, sampleRows)
				if err == nil {
					return looked{table: t}, nil
				}
				last = err
				if !unsupported(err) {
					return looked{}, err
				}
				continue
			}
		}
		if reader, ok := s.(connectors.Sampler); ok && v == connectors.ViewContent {
			sample, err := reader.Sample(ctx, n.ID, sampleBytes)
			if err == nil {
				return looked{sample: &sample}, nil
			}
			last = err
		}
	}
	return looked{}, last
}

func unsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || connectors.CodeOf(err) == connectors.Unsupported
}

func (d *detailPane) problem(err error, again func()) {
	p := lang.Explain(err)
	d.foot.set("")
	d.said, d.again = p.Title, again
	head := strong(p.Title)
	button := widget.NewButton(lang.T("button.again"), again)
	words := vbox(6, head, wrapped(p.Hint, looks.Text2))
	if p.Said != "" && !strings.Contains(p.Hint, p.Said) {
		words.Add(secondary(p.Said))
	}
	words.Add(container.NewHBox(button))
	d.centre.Objects = []fyne.CanvasObject{padded(20, 0, 20, 20, words)}
	d.centre.Refresh()
}

// rows shows a table with a header that stays.
func (d *detailPane) rows(t *connectors.Table) {
	text := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		text[i] = make([]string, len(t.Columns))
		for j := range min(len(r), len(t.Columns)) {
			text[i][j] = cell(r[j])
		}
	}
	heads := make([]string, len(t.Columns))
	for j, c := range t.Columns {
		heads[j] = connectors.Clean(c.Name, 80)
	}
	d.put(newGrid(heads, func(j int) bool { return t.Columns[j].Numeric }, func() int { return len(text) }, func(i, j int) string { return text[i][j] }, widths(heads, text), []int{len(heads) - 1}, false).box)
	words := lang.N("preview.rows", len(t.Rows), clock(time.Now()))
	if t.Truncated {
		words = lang.T("preview.morerows", len(t.Rows), clock(time.Now()))
	}
	if t.Note != "" {
		words += " · " + t.Note
	}
	d.foot.set(connectors.Clean(words, 200))
}

func cell(v any) string {
	if v == nil {
		return ""
	}
	return connectors.Clean(fmt.Sprint(v), cellRunes)
}

// widths fits columns to their first rows, within bounds.
func widths(heads []string, rows [][]string) []float32 {
	out := make([]float32, len(heads))
	for j, h := range heads {
		longest := h
		for i := range min(len(rows), 40) {
			if len(rows[i][j]) > len(longest) {
				longest = rows[i][j]
			}
		}
		out[j] = max(64, min(320, fyne.MeasureText(longest, 12, fyne.TextStyle{}).Width+28))
	}
	return out
}

// A grid is a table whose cells paint themselves, without gaps.
type grid struct {
	*widget.Table
	box fyne.CanvasObject
}

// newGrid is a table of text whose cost does not depend on the number of rows.
// Room that is left over goes to the columns in wide. With tails the first
// column shows the end of what is too long.
func newGrid(heads []string, right func(int) bool, count func() int, at func(i, j int) string, width []float32, wide []int, tails bool) *grid {
	t := widget.NewTable(func() (int, int) { return count(), len(heads) }, func() fyne.CanvasObject { return newCell() }, func(id widget.TableCellID, o fyne.CanvasObject) {
		if id.Row < count() && id.Col < len(heads) {
			c := o.(*gridCell)
			c.text.tail = tails && id.Col == 0
			c.fill(at(id.Row, id.Col), right(id.Col), id.Row%2 == 1, false)
		}
	})
	t.ShowHeaderRow = true
	t.StickyColumnCount = 0
	t.HideSeparators = true
	t.CreateHeader = func() fyne.CanvasObject { return newCell() }
	t.UpdateHeader = func(id widget.TableCellID, o fyne.CanvasObject) {
		if id.Col >= 0 && id.Col < len(heads) {
			o.(*gridCell).fill(heads[id.Col], right(id.Col), false, true)
		}
	}
	for j, w := range width {
		t.SetColumnWidth(j, w)
	}
	return &grid{t, container.New(&spread{table: t, width: width, wide: wide}, container.NewThemeOverride(t, looks.Tight{Theme: ownLook()}))}
}

// spread gives a table's wide columns the room that is left over.
type spread struct {
	table *widget.Table
	width []float32
	wide  []int
	last  float32
}

// Layout implements fyne.Layout.
func (l *spread) Layout(o []fyne.CanvasObject, s fyne.Size) {
	rest := s.Width
	for _, w := range l.width {
		rest -= w
	}
	if more := max(0, rest) / float32(max(1, len(l.wide))); more != l.last {
		l.last = more
		for _, j := range l.wide {
			if j >= 0 && j < len(l.width) {
				l.table.SetColumnWidth(j, l.width[j]+more)
			}
		}
	}
	o[0].Resize(s)
	o[0].Move(fyne.NewPos(0, 0))
}

// MinSize implements fyne.Layout.
func (l *spread) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

// gridCell paints its own background, so that stripes run through.
type gridCell struct {
	widget.BaseWidget
	back *fill
	text *label
	box  *fyne.Container
}

func newCell() *gridCell {
	c := &gridCell{back: newFill(looks.Surface, 0), text: newLabel("", 12, theme.ColorNameForeground, false)}
	c.box = container.NewStack(c.back, padded(6, 6, 10, 10, c.text))
	c.ExtendBaseWidget(c)
	return c
}

func (c *gridCell) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.box) }
func (c *gridCell) MinSize() fyne.Size                  { return fyne.NewSize(40, 28) }

func (c *gridCell) fill(text string, right, stripe, head bool) {
	back := looks.Surface
	switch {
	case head:
		back = theme.ColorNameHeaderBackground
	case stripe:
		back = looks.Stripe
	}
	if c.back.color != back {
		c.back.color = back
		c.back.Refresh()
	}
	align := fyne.TextAlignLeading
	if right {
		align = fyne.TextAlignTrailing
	}
	if c.text.text != text || c.text.align != align || c.text.style.Bold != head {
		c.text.text, c.text.align, c.text.style.Bold = text, align, head
		c.text.Refresh()
	}
}

// content shows text as a list of lines: a big text never becomes one widget.
func (d *detailPane) content(s *connectors.Sample) {
	size := humanize.IBytes(uint64(len(s.Data)))
	if s.Size >= 0 && s.Truncated {
		size += " of " + humanize.IBytes(uint64(s.Size))
	}
	d.foot.set(lang.T("preview.bytes", size, s.MediaType))
	l := newLines()
	l.show(s.Data)
	d.put(l.list)
}

// lines shows text, or the hex of what is none.
type lines struct {
	list *widget.List
	text []string
	of   []byte
}

func newLines() *lines {
	l := &lines{}
	l.list = widget.NewList(func() int { return len(l.text) }, func() fyne.CanvasObject {
		t := newLabel("", 12, theme.ColorNameForeground, false)
		t.style = fyne.TextStyle{Monospace: true}
		return padded(0, 0, 8, 0, t)
	}, func(i widget.ListItemID, o fyne.CanvasObject) { o.(*fyne.Container).Objects[0].(*label).set(l.text[i]) })
	l.list.HideSeparators = true
	return l
}

func (l *lines) show(data []byte) {
	if l.text != nil && bytes.Equal(l.of, data) {
		return
	}
	l.of, l.text = bytes.Clone(data), nil
	switch {
	case len(data) == 0:
		l.text = []string{lang.T("preview.empty")}
	case textual(data):
		for line := range strings.Lines(string(data)) {
			l.text = append(l.text, connectors.Clean(strings.ReplaceAll(strings.TrimRight(line, "\r\n"), "\t", "    "), 2000))
		}
	default:
		l.text = hexLines(data)
	}
	l.list.Refresh()
}

// textual reports whether data can be shown as text; a character cut in two at
// the end does not count against it.
func textual(data []byte) bool {
	for i := 0; i < utf8.UTFMax && i < len(data); i++ {
		if utf8.Valid(data[:len(data)-i]) {
			return bytes.IndexByte(data, 0) < 0
		}
	}
	return len(data) == 0
}

func hexLines(data []byte) []string {
	var out []string
	for i := 0; i < len(data) && i < 16<<10; i += 16 {
		part := data[i:min(i+16, len(data))]
		text := strings.Map(func(r rune) rune {
			if r < 0x20 || r > 0x7e {
				return '.'
			}
			return r
		}, string([]rune(latin(part))))
		out = append(out, fmt.Sprintf("%08x  %-48x %s", i, part, text))
	}
	return out
}

func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

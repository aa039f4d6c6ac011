package gui

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/dustin/go-humanize"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// What is kept of a stream: rows of the table of topics, bytes of each one's
// newest message, and messages of the one topic that is looked at.
const (
	mostTopics   = 5000
	mostOfValue  = 4 << 10
	mostMessages = 500
)

// topicRow is the newest message of one topic.
type topicRow struct {
	topic       string
	value       []byte
	size, count int
	first, last time.Time
	retained    bool
}

// heard is one message of the topic that is looked at.
type heard struct {
	topic    string
	facts    []connectors.Fact
	at       time.Time
	value    []byte
	size     int
	retained bool
}

// messages shows a stream: a table of topics with their last value and rate,
// whose rows keep their place while they change, or, for one topic, its
// messages as they arrive and the newest one in full.
type messages struct {
	root   *fyne.Container
	centre *fyne.Container
	table  *grid
	past   *grid
	newest *lines
	redraw *task.Coalescer
	pause  *widget.Button
	d      *detailPane

	mu      sync.Mutex
	rows    []*topicRow
	byTopic map[string]*topicRow
	heard   []heard // of the topic that is looked at, oldest first
	prefix  string
	single  bool // prefix is one topic, not what lies below it
	chosen  bool // a node was chosen to be heard: every message is kept, whatever its topic
	total   int
	dropped uint64
	start   time.Time

	// The window's own copies, and what it shows.
	shown     []topicRow
	pastShown []heard // newest first
	paused    bool
	ended     bool // nothing comes any more
}

// follow watches what arrives at and below n until the pane stops; the zero Node
// is everything. arrived is told each event whose topic is new.
func (d *detailPane) follow(live connectors.Streamer, n connectors.Node, arrived func(connectors.Event)) {
	m := &messages{d: d, byTopic: map[string]*topicRow{}, start: time.Now(), chosen: n.ID != "", single: n.ID != "", prefix: string(n.ID)}
	m.redraw = task.NewCoalescer(d.a.r, m.draw)
	heads := []string{lang.T("column.topic"), lang.T("column.value"), lang.T("column.rate"), lang.T("column.count"), lang.T("column.age"), lang.T("column.retained")}
	m.table = newGrid(heads, func(j int) bool { return j > 1 && j < 5 }, func() int { return len(m.shown) }, m.cell, []float32{150, 100, 56, 66, 56, 52}, []int{0, 1}, true)
	heads = []string{lang.T("column.time"), lang.T("column.message"), lang.T("column.size"), lang.T("column.retained")}
	m.past = newGrid(heads, func(j int) bool { return j == 2 }, func() int { return len(m.pastShown) }, m.pastCell, []float32{96, 200, 76, 52}, []int{1}, false)
	if m.chosen {
		heads = []string{lang.T("column.time"), lang.T("column.topic"), lang.T("column.message"), lang.T("column.size")}
		m.past = newGrid(heads, func(j int) bool { return j == 3 }, func() int { return len(m.pastShown) }, m.chosenCell, []float32{96, 90, 150, 64}, []int{1, 2}, false)
	}
	m.newest = newLines()
	m.pause = widget.NewButtonWithIcon(lang.T("preview.pause"), theme.MediaPauseIcon(), m.toggle)
	m.pause.Importance = widget.LowImportance
	m.centre = container.NewStack(m.table.box)
	about := make([]string, 0, len(n.Facts))
	for _, f := range n.Facts {
		about = append(about, connectors.Clean(f.Label, 40)+": "+connectors.Clean(f.Text, 60))
	}
	m.root = newDock(newDock(nil, nil, padded(2, 2, 8, 8, container.NewHBox(m.pause)), nil, padded(11, 0, 0, 12, secondary(strings.Join(about, " · ")))), nil, nil, nil, m.centre)
	d.live = m
	if m.chosen {
		m.centre.Objects = []fyne.CanvasObject{m.list()}
		d.foot.set(lang.T("preview.listening"))
	} else {
		d.crumb.set(lang.T("preview.alltopics"))
	}
	d.put(m.root)
	m.tellPill()
	ctx, stop := context.WithCancel(context.Background())
	d.unwatch = stop
	task.Run(d.a.r, func(context.Context) (struct{}, error) {
		return struct{}{}, m.watch(live.Watch(ctx, n.ID), func(e connectors.Event) { d.a.r.Do(func() { arrived(e) }) })
	}, func(_ struct{}, err error) {
		if err != nil && ctx.Err() == nil && d.live == m {
			m.ended = true
			m.tellPill()
			d.problem(err, func() { d.follow(live, n, arrived) })
		}
	})
}

// broadcast reports whether the tree is made of the messages that are heard.
func (p *previewPane) broadcast() bool {
	s, ok := p.session.(connectors.Broadcaster)
	return ok && s.Broadcasts()
}

func (m *messages) watch(events iter.Seq2[connectors.Event, error], arrived func(connectors.Event)) error {
	for e, err := range events {
		if err != nil {
			return err
		}
		if m.take(e) {
			arrived(e)
		}
		m.redraw.Mark()
	}
	return nil
}

// take notes one message and says whether its topic is new.
func (m *messages) take(e connectors.Event) bool {
	topic := strings.Join(e.Path, "/")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total++
	m.dropped += e.Dropped
	r, known := m.byTopic[topic]
	if !known {
		if len(m.rows) >= mostTopics {
			m.dropped++
			return false
		}
		r = &topicRow{topic: topic, first: e.Time}
		m.byTopic[topic] = r
		m.rows = append(m.rows, r)
	}
	r.value = bytes.Clone(e.Body[:min(len(e.Body), mostOfValue)])
	r.size, r.last, r.retained = max(e.Size, len(e.Body)), e.Time, e.Retained
	r.count++
	if m.single && (m.chosen || topic == m.prefix) {
		m.keep(r, e.Facts)
	}
	return !known
}

// keep adds the newest message of the topic that is looked at.
func (m *messages) keep(r *topicRow, facts []connectors.Fact) {
	if len(m.heard) >= 2*mostMessages {
		m.heard = append([]heard(nil), m.heard[mostMessages:]...)
	}
	m.heard = append(m.heard, heard{r.topic, facts, r.last, r.value, r.size, r.retained})
}

// only shows a topic's messages, or the topics at and below a level.
func (m *messages) only(n connectors.Node) {
	m.mu.Lock()
	m.prefix, m.single, m.heard = string(n.ID), !n.Branch, nil
	if r, ok := m.byTopic[m.prefix]; ok && m.single {
		m.keep(r, nil)
	}
	single := m.single
	m.mu.Unlock()
	m.centre.Objects = []fyne.CanvasObject{m.table.box}
	if single {
		m.centre.Objects = []fyne.CanvasObject{m.list()}
	}
	m.centre.Refresh()
	m.copyShown()
}

// list is one topic's messages above the newest one in full.
func (m *messages) list() fyne.CanvasObject {
	newest := newDock(vbox(0, hairline(), padded(8, 6, 10, 10, newLabel(lang.T("preview.newest"), 12, theme.ColorNameForeground, true))), nil, nil, nil, m.newest.list)
	return newDock(nil, fixed(0, 220, newest), nil, nil, m.past.box)
}

func (m *messages) toggle() {
	m.paused = !m.paused
	if m.paused {
		m.pause.SetText(lang.T("preview.resume"))
		m.pause.SetIcon(theme.MediaPlayIcon())
		m.tellPill()
		return
	}
	m.pause.SetText(lang.T("preview.pause"))
	m.pause.SetIcon(theme.MediaPauseIcon())
	m.tellPill()
	m.draw()
}

func (m *messages) tellPill() {
	switch {
	case m.ended:
		m.d.pill("preview.stale")
	case m.paused:
		m.d.pill("preview.paused")
	default:
		m.d.pill("preview.live")
	}
}

func (m *messages) draw() {
	if !m.paused {
		m.copyShown()
	}
}

// copyShown copies what is shown, so that the table never waits for the stream.
func (m *messages) copyShown() {
	m.mu.Lock()
	single := m.single
	m.shown, m.pastShown = m.shown[:0], m.pastShown[:0]
	for _, r := range m.rows {
		if m.prefix == "" || r.topic == m.prefix || strings.HasPrefix(r.topic, m.prefix+"/") {
			m.shown = append(m.shown, *r)
		}
	}
	for i := len(m.heard) - 1; i >= max(0, len(m.heard)-mostMessages); i-- {
		m.pastShown = append(m.pastShown, m.heard[i])
	}
	words := m.summary()
	m.mu.Unlock()
	m.d.foot.set(words)
	if !single {
		m.table.Refresh()
		return
	}
	m.past.Refresh()
	if len(m.pastShown) > 0 {
		m.newest.show(m.pastShown[0].whole())
	} else {
		m.newest.show(nil)
	}
}

// summary is the footer: how many topics and messages, and how fast they come.
func (m *messages) summary() string {
	count, since := m.total, m.start
	words := lang.N("preview.topics", len(m.rows))
	if m.single && !m.chosen {
		words, count = connectors.Clean(m.prefix, 80), 0
		if r, ok := m.byTopic[m.prefix]; ok {
			count, since = r.count, r.first
		}
	}
	words += " · " + lang.N("preview.messages", count)
	if count > 1 {
		rate := float64(count-1) / max(1, time.Since(since).Seconds())
		if rate >= 0.5 {
			words += " · " + lang.T("preview.persecond", rate)
		} else {
			words += " · " + lang.T("preview.perminute", rate*60)
		}
	}
	if m.dropped > 0 {
		words += " · " + lang.T("preview.dropped", m.dropped)
	}
	return words
}

func (m *messages) cell(i, j int) string {
	if i >= len(m.shown) {
		return ""
	}
	r := m.shown[i]
	switch j {
	case 0:
		return connectors.Clean(r.topic, cellRunes)
	case 1:
		return oneLine(r.value)
	case 2:
		if r.count < 2 {
			return ""
		}
		return fmt.Sprintf("%.1f", float64(r.count-1)/max(0.2, r.last.Sub(r.first).Seconds()))
	case 3:
		return thousands(r.count)
	case 4:
		return fmt.Sprintf("%.0f s", time.Since(r.last).Seconds())
	}
	return tick(r.retained)
}

func (m *messages) pastCell(i, j int) string {
	if i >= len(m.pastShown) {
		return ""
	}
	h := m.pastShown[i]
	switch j {
	case 0:
		return h.at.Local().Format("15:04:05.000")
	case 1:
		return oneLine(h.value)
	case 2:
		return humanize.IBytes(uint64(max(0, h.size)))
	}
	return tick(h.retained)
}

// chosenCell is a cell of the messages of a chosen node.
func (m *messages) chosenCell(i, j int) string {
	if i >= len(m.pastShown) {
		return ""
	}
	switch j {
	case 0:
		return m.pastCell(i, 0)
	case 1:
		return connectors.Clean(strings.TrimPrefix(m.pastShown[i].topic, m.prefix+"/"), cellRunes)
	}
	return m.pastCell(i, j-1)
}

// whole is a message with what came along with it.
func (h heard) whole() []byte {
	var out bytes.Buffer
	for _, f := range h.facts {
		fmt.Fprintf(&out, "%s: %s\n", connectors.Clean(f.Label, 60), connectors.Clean(f.Text, 400))
	}
	if len(h.facts) > 0 {
		out.WriteByte('\n')
	}
	out.Write(pretty(h.value))
	return out.Bytes()
}

func tick(yes bool) string {
	if yes {
		return "✓"
	}
	return ""
}

// oneLine is a message as a cell shows it.
func oneLine(body []byte) string {
	if textual(body) {
		return connectors.Clean(string(body[:min(len(body), 4*cellRunes)]), cellRunes)
	}
	return fmt.Sprintf("% x", body[:min(len(body), 64)])
}

// pretty indents JSON; everything else stays as it came.
func pretty(body []byte) []byte {
	var out bytes.Buffer
	if first := bytes.TrimSpace(body); len(first) > 0 && (first[0] == '{' || first[0] == '[') && json.Indent(&out, first, "", "  ") == nil {
		return out.Bytes()
	}
	return body
}

package gui

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// mostTopics is how many rows the message table keeps.
const mostTopics = 5000

// topicRow is the newest message of one topic.
type topicRow struct {
	topic, value string
	count        int
	first, last  time.Time
	retained     bool
}

// messages is the table of topics with their last value and rate. Rows keep
// their place while they change.
type messages struct {
	root   *fyne.Container
	table  *grid
	redraw *task.Coalescer
	pause  *widget.Button
	d      *detailPane

	mu      sync.Mutex
	rows    []*topicRow
	byTopic map[string]*topicRow
	shown   []topicRow
	prefix  string
	total   int
	dropped uint64
	start   time.Time
	paused  bool
}

// follow watches the whole stream until the pane stops; arrived is told each
// event whose topic is new.
func (d *detailPane) follow(live connectors.Streamer, arrived func(connectors.Event)) {
	m := &messages{d: d, byTopic: map[string]*topicRow{}, start: time.Now()}
	m.redraw = task.NewCoalescer(d.a.r, m.draw)
	heads := []string{lang.T("column.topic"), lang.T("column.value"), lang.T("column.rate"), lang.T("column.count"), lang.T("column.age"), lang.T("column.retained")}
	m.table = newGrid(heads, func(j int) bool { return j > 1 && j < 5 }, func() int { return len(m.shown) }, m.cell, []float32{190, 130, 56, 66, 46, 46}, true)
	m.pause = widget.NewButtonWithIcon(lang.T("button.stop"), theme.MediaPauseIcon(), m.toggle)
	m.pause.SetText(lang.T("preview.pause"))
	m.pause.Importance = widget.LowImportance
	m.root = newDock(padded(2, 2, 8, 8, container.NewHBox(m.pause)), nil, nil, nil, m.table.box)
	d.live = m
	d.crumb.set(lang.T("preview.alltopics"))
	d.put(m.root)
	ctx, stop := context.WithCancel(context.Background())
	d.unwatch = stop
	task.Run(d.a.r, func(context.Context) (struct{}, error) {
		return struct{}{}, m.watch(live.Watch(ctx, ""), func(e connectors.Event) { d.a.r.Do(func() { arrived(e) }) })
	}, func(_ struct{}, err error) {
		if err != nil && ctx.Err() == nil && d.live == m {
			d.problem(err, func() { d.follow(live, arrived) })
		}
	})
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
	r.value, r.last, r.retained = string(e.Body[:min(len(e.Body), 400)]), e.Time, e.Retained
	r.count++
	return !known
}

// only shows the topics at and below one node.
func (m *messages) only(prefix string) {
	m.mu.Lock()
	m.prefix = prefix
	m.mu.Unlock()
	m.draw()
}

func (m *messages) toggle() {
	m.paused = !m.paused
	if m.paused {
		m.pause.SetText(lang.T("preview.resume"))
		m.pause.SetIcon(theme.MediaPlayIcon())
		return
	}
	m.pause.SetText(lang.T("preview.pause"))
	m.pause.SetIcon(theme.MediaPauseIcon())
	m.draw()
}

// draw copies what is shown, so that the table never waits for the stream.
func (m *messages) draw() {
	if m.paused {
		return
	}
	m.mu.Lock()
	m.shown = m.shown[:0]
	for _, r := range m.rows {
		if m.prefix == "" || r.topic == m.prefix || strings.HasPrefix(r.topic, m.prefix+"/") {
			m.shown = append(m.shown, *r)
		}
	}
	lost := ""
	if m.dropped > 0 {
		lost = lang.T("preview.dropped", m.dropped)
	}
	words := lang.T("preview.messages", len(m.rows), m.total, float64(m.total)/max(1, time.Since(m.start).Seconds()), lost)
	m.mu.Unlock()
	m.d.foot.set(words)
	m.table.Refresh()
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
		return connectors.Clean(r.value, cellRunes)
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
	if r.retained {
		return "✓"
	}
	return ""
}

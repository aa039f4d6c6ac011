package gui

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
)

func key(name fyne.KeyName) *fyne.KeyEvent { return &fyne.KeyEvent{Name: name} }

// cache is a real Redis server and a connection to it.
func (r *room) cache(name string) (link.Connection, func() *server.Process) {
	r.t.Helper()
	port := server.FreePort(r.t)
	redis := server.Program(r.t, "redis-server", "redis-server")
	s := connectors.NewSettings()
	s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(port), "auth": "none", "security": "none"}
	c, err := r.book.Create(r.t.Context(), link.Draft{Type: "redis", Name: name, Settings: s})
	if err != nil {
		r.t.Fatal(err)
	}
	return c, func() *server.Process {
		return server.Start(r.t, exec.Command(redis, "--port", strconv.Itoa(port), "--save", ""), fmt.Sprintf("127.0.0.1:%d", port))
	}
}

func (r *room) board() *boardPage {
	r.t.Helper()
	r.a.reload(r.a.showBoard)
	r.until("the board", func() bool {
		return r.a.health.page != nil && r.a.health.page.stop == nil && len(r.a.health.page.rows) > 0
	})
	return r.a.health.page
}

func TestTheBoardChecksByKeyboardAndSaysWhatItFound(t *testing.T) {
	r := newRoom(t, roomOptions{practice: true, openURL: practice.SignIn})
	r.healthy(nil, nil)
	c, start := r.cache("Cache")
	running := start()
	p := r.board()
	if r.a.win.Canvas().Focused() != fyne.Focusable(p.list) {
		t.Fatal("the list has no focus")
	}
	p.list.TypedKey(key(fyne.KeyDown))
	if p.chosen != c.ID {
		t.Fatal("the arrow does not choose")
	}
	r.sees("It was never linked.")
	p.list.TypedKey(key(fyne.KeySpace))
	p.list.TypedRune(' ')
	r.until("the check", func() bool { return len(p.detail.entries) == 1 && !p.desk.isChecking(c.ID) })
	r.sees("Just now")
	if e := p.detail.entries[0]; e.State != link.OK || !e.Fresh {
		t.Errorf("%+v", e)
	}
	running.Stop()
	p.list.TypedKey(key(fyne.KeyF5))
	r.until("the failure", func() bool { return len(p.detail.entries) == 2 && p.desk.cancel == nil })
	r.sees("Needs attention")
	r.sees("nothing listens on that port")
	if at := p.rows[0].Days[health.Days-1]; at != health.DayFailed {
		t.Errorf("today is %s", at)
	}
	p.list.TypedKey(key(fyne.KeyEscape))
	if p.chosen != "" || p.detail.root.Visible() {
		t.Error("Escape leaves the detail open")
	}
	p.list.TypedKey(key(fyne.KeyDown))
	p.list.TypedKey(key(fyne.KeyReturn))
	r.until("the form", func() bool { return r.a.form != nil && r.a.form.id == c.ID })
	r.a.health.listed()
	if r.a.health.page != nil {
		t.Error("the page that was left is still kept")
	}
}

func TestOneNotificationForWhatChangedAndNoneForTheRest(t *testing.T) {
	r := newRoom(t, roomOptions{})
	board := r.healthy(nil, nil)
	desktop := &desktopLog{}
	r.a.health.notifier = desktop
	r.a.prefs.Notify = true
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var servers []*server.Process
	var starts []func() *server.Process
	for _, name := range []string{"Cache", "Queue", "Sessions"} {
		c, start := r.cache(name)
		servers, starts = append(servers, start()), append(starts, start)
		if res := r.book.Check(ctx, c.ID, link.Watcher{}); res.Err != nil {
			t.Fatal(res.Err)
		}
	}
	round := func() {
		t.Helper()
		var news health.News
		if err := board.CheckMany(ctx, health.Round{}, link.Watcher{}, news.Add); err != nil {
			t.Fatal(err)
		}
		if report, any := news.Report(); any {
			r.a.health.told(report)
		}
		r.settle()
	}
	round()
	if n := desktop.sent(); len(n) != 0 {
		t.Fatalf("told without a change: %+v", n[0])
	}
	servers[0].Stop()
	round()
	round()
	if n := desktop.sent(); len(n) != 1 || n[0].Title != "Cache needs attention" || !strings.Contains(n[0].Content, "nothing listens") {
		t.Fatalf("%d: %+v", len(n), n)
	}
	servers[1].Stop()
	servers[0] = starts[0]()
	round()
	n := desktop.sent()
	if len(n) != 2 || n[1].Title != "2 connections changed" || n[1].Content != "Needs attention: Queue.\nWorks again: Cache." {
		t.Fatalf("%d: %+v", len(n), n[len(n)-1])
	}
	servers[0].Stop()
	servers[2].Stop()
	round()
	if n := desktop.sent(); len(n) != 3 || n[2].Title != "None of your connections could be reached" {
		t.Fatalf("%d: %+v", len(n), n[len(n)-1])
	}
	r.a.prefs.Notify = false
	servers[2] = starts[2]()
	round()
	if n := desktop.sent(); len(n) != 3 {
		t.Errorf("told although nobody wants it: %+v", n[3])
	}
}

func TestTheScheduleIsChosenOnTheBoardAndEndsWithTheWindow(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.healthy(nil, nil)
	r.prepared()
	r.board()
	choice, ok := seek(r, func(s *keySelect) bool { return slices.Contains(s.Options, "Check every hour") })
	if !ok {
		t.Fatal("no choice")
	}
	if r.a.health.unwatch != nil {
		t.Error("a schedule runs that nobody chose")
	}
	choice.SetSelected("Check every hour")
	if r.a.prefs.CheckEvery != 60 || r.a.health.unwatch == nil || r.a.health.every != 60 {
		t.Errorf("%+v", r.a.prefs)
	}
	choice.SetSelected("Check only when asked")
	if r.a.prefs.CheckEvery != 0 || r.a.health.unwatch != nil {
		t.Errorf("%+v", r.a.prefs)
	}
	choice.SetSelected("Check every 15 minutes")
	r.a.health.close()
	if r.a.health.unwatch != nil {
		t.Error("it goes on when the window closes")
	}
}

func TestFiltersAndSearchSiftTheBoard(t *testing.T) {
	r, p := stocked(t, roomOptions{})
	for filter, want := range map[string]int{"all": 9, "ok": 6, "failed": 2, "prepared": 1, "expiring": 3, "old": 1} {
		i := slices.IndexFunc(p.chips, func(c *chip) bool { return c.filter == filter })
		p.chips[i].press.TypedKey(key(fyne.KeyReturn))
		if len(p.shown) != want || p.chips[i].count.text != strconv.Itoa(want) {
			t.Errorf("%s: %d are shown, the chip says %s, want %d", filter, len(p.shown), p.chips[i].count.text, want)
		}
	}
	i := slices.IndexFunc(p.chips, func(c *chip) bool { return c.filter == "all" })
	p.chips[i].press.Tapped(nil)
	p.search.SetText("SVC-")
	if len(p.shown) != 2 {
		t.Errorf("%d are found by their account", len(p.shown))
	}
	p.search.SetText("")
	for _, text := range []string{"Not tried again: password refused", "Not tried: Orders was refused", "Expired", "In 3 days", "4 minutes ago"} {
		if !r.shows(text) {
			t.Errorf("%q is not shown", text)
		}
	}
}

func TestTheBoardOfTenThousand(t *testing.T) {
	r := newRoom(t, roomOptions{})
	list := make([]link.Connection, 10_000)
	for i := range list {
		list[i] = link.Connection{ID: idOf(i), Type: "postgres", Name: fmt.Sprintf("Database %05d", i), State: link.OK, Checked: time.Now().Add(-time.Duration(i) * time.Minute), Plain: map[string]string{"host": fmt.Sprintf("db%d.example.com", i), "user": "reader"}}
	}
	r.healthy(library{r.book, list}, nil)
	r.a.list = list
	r.a.showBoard()
	p := r.a.health.page
	r.until("all rows", func() bool { return p.stop == nil && len(p.shown) == len(list) })
	p.list.TypedKey(key(fyne.KeyEnd))
	r.sees("Database 09999")
	p.search.SetText("database 04242")
	if len(p.shown) != 1 {
		t.Errorf("%d found", len(p.shown))
	}
	drawn := 0
	shownIn(p.root, func(o fyne.CanvasObject) {
		if _, ok := o.(*boardRow); ok {
			drawn++
		}
	})
	if drawn > 40 {
		t.Errorf("%d rows are drawn", drawn)
	}
}

func TestACheckOfAllIsCancelled(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.healthy(nil, nil)
	silent := silence(t)
	for i := range 8 {
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": "127.0.0.1", "port": silent, "auth": "none", "security": "none", "user": fmt.Sprint(i)}
		c, err := r.book.Create(t.Context(), link.Draft{Type: "redis", Name: fmt.Sprintf("Silent %d", i), Settings: s})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.a.o.Health.Record(t.Context(), c, &link.Result{State: link.Failed, Err: &connectors.Error{Code: connectors.TimedOut}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	p := r.board()
	r.push("Check all")
	r.until("the first", func() bool { return strings.Contains(r.texts(), "Checking") })
	r.sees("0 of 8")
	r.push("Cancel")
	r.until("the end", func() bool { return p.desk.cancel == nil })
	r.sees("Check all")
	for _, row := range p.rows {
		if row.Connection.State != link.Prepared {
			t.Errorf("%s is %s after it was cancelled", row.Connection.Name, row.Connection.State)
		}
	}
}

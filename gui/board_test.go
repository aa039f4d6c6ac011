package gui

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/health"
	"jackfield/connectors/link"
	looks "jackfield/gui/theme"
	"jackfield/platform/journal"
)

// desktopLog is a desktop that remembers its notifications.
type desktopLog struct {
	mu  sync.Mutex
	all []*fyne.Notification
}

func (d *desktopLog) SendNotification(n *fyne.Notification) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, n)
}

func (d *desktopLog) sent() []*fyne.Notification {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]*fyne.Notification(nil), d.all...)
}

// healthy gives the room a board over its own book, or over another one.
func (r *room) healthy(book health.Book, now func() time.Time) *health.Board {
	r.t.Helper()
	j, err := journal.Open(filepath.Join(r.t.TempDir(), "history"))
	if err != nil {
		r.t.Fatal(err)
	}
	if book == nil {
		book = r.book
	}
	r.a.o.Health = health.New(book, j, health.Options{Now: now})
	r.a.health = newHealthDesk(r.a)
	return r.a.o.Health
}

// library is a book of connections as they are, for pictures.
type library struct {
	*link.Book
	list []link.Connection
}

func (l library) List(context.Context) ([]link.Connection, error) { return l.list, nil }

func (l library) Get(_ context.Context, id string) (link.Connection, error) {
	for _, c := range l.list {
		if c.ID == id {
			return c, nil
		}
	}
	return link.Connection{}, errors.New("no such connection")
}

func idOf(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// stockOf are connections in every state, and a year's worth of trouble.
func stockOf(now time.Time) []link.Connection {
	refused := connectors.Explain(&connectors.Error{Code: connectors.AuthFailed, Op: connectors.StageSignIn, Target: "db.example.com", Field: "password"})
	gone := connectors.Explain(&connectors.Error{Code: connectors.Unreachable, Reason: "connect.refused", Op: connectors.StageConnect, Target: "mq.example.com:5671", Field: "port"})
	some := connectors.Explain(&connectors.Error{Code: connectors.Denied, Op: connectors.StageData, Partial: true})
	made := func(n int, kind, name, host, user string, s link.State, p *connectors.Problem, checked, expires time.Duration, took int) link.Connection {
		c := link.Connection{ID: idOf(n), Type: kind, Name: name, Plain: map[string]string{"host": host, "user": user}, State: s, Problem: p, Created: now.AddDate(0, -6, 0), Changed: now.AddDate(0, -2, 0), Took: time.Duration(took) * time.Millisecond}
		if checked != 0 {
			c.Checked, c.Account = now.Add(-checked), user
		}
		if expires != 0 {
			c.Expires = now.Add(expires)
		}
		return c
	}
	return []link.Connection{
		made(1, "postgres", "Orders", "db.example.com", "reporting", link.Failed, refused, 3*day, 0, 84),
		made(2, "postgres", "Orders archive", "db.example.com", "reporting", link.OK, nil, 4*day, 0, 91),
		made(3, "sftp", "Partner files", "files.partner.example", "drop-in", link.OK, nil, 4*time.Minute, 0, 312),
		made(4, "ldap", "Directory", "dc01.corp.example", "CORP\\svc-reader", link.Partial, some, 2*time.Hour, 12*day, 45),
		made(5, "amqp1", "Shop events", "mq.example.com", "shop", link.Failed, gone, 26*time.Hour, 0, 130),
		made(6, "s3", "Backups", "s3.example.com", "", link.OK, nil, 20*time.Second, 3*day, 1830),
		made(7, "mysql", "Web shop "+strings.Repeat("with a very long name ", 6), strings.Repeat("long-host.", 8)+"example.com", "web", link.OK, nil, 9*day, 400*day, 12400),
		made(8, "mqtt", "Sensors", "iot.example.com", "gauge", link.Prepared, nil, 0, 0, 0),
		made(9, "smb", "Finance share", "fs.corp.example", "CORP\\svc-finance", link.OK, nil, 5*time.Hour, -2*day, 61),
	}
}

// stocked is a room with that stock on its board, and a history of each.
func stocked(t *testing.T, o roomOptions) (*room, *boardPage) {
	t.Helper()
	r := newRoom(t, o)
	now := time.Now()
	list := stockOf(now)
	at := now
	board := r.healthy(library{r.book, list}, func() time.Time { return at })
	for i, c := range list {
		for back := 29; back >= 0 && c.State != link.Prepared; back-- {
			at = now.AddDate(0, 0, -back).Add(-time.Hour)
			result := &link.Result{State: link.OK, Facts: []connectors.Fact{{Label: "Account", Text: c.Account}}}
			switch {
			case (back+i*7)%11 == 3:
				continue
			case back < 3 && c.State != link.OK && c.Problem != nil, (back+i*5)%13 == 4:
				result = &link.Result{State: link.Failed, Err: &connectors.Error{Code: connectors.Unreachable, Reason: "connect.refused"}}
				if c.Problem != nil && back < 3 {
					result = &link.Result{State: c.State, Err: &connectors.Error{Code: c.Problem.Code, Op: c.Problem.Stage, Partial: c.State == link.Partial}}
				}
			}
			if err := board.Record(t.Context(), c, result, time.Duration(40+i*13+back)*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
	}
	at = now
	r.a.list = list
	r.a.side.refresh()
	r.a.showBoard()
	p := r.a.health.page
	r.until("the histories", func() bool { return p.stop == nil && p.rows[0].Held != nil })
	return r, p
}

func TestShotsOfTheBoard(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark} {
		r, p := stocked(t, roomOptions{variant: variant})
		r.shot("board-" + name + "-01")
		p.tapped(0)
		r.until("the history", func() bool { return len(p.detail.entries) > 0 })
		r.shot("board-" + name + "-02-detail")
		p.search.SetText("nothing is called so")
		r.shot("board-" + name + "-03-nomatch")
		p.search.SetText("")
		r.a.win.Resize(fyne.NewSize(1024, 700))
		r.shot("board-" + name + "-04-small")
		p.export()
		r.shot("board-" + name + "-05-export")
	}
}

func TestShotsOfTheBoardElsewhere(t *testing.T) {
	r, p := stocked(t, roomOptions{})
	p.desk.cancel, p.desk.count, p.desk.total = func() {}, 4, 9
	p.desk.checking[idOf(5)] = true
	p.progress()
	p.list.Refresh()
	r.shot("board-10-checking")
	p.desk.cancel = nil
	p.progress()
	p.desk.checking = map[string]bool{}
	r.a.win.Resize(fyne.NewSize(760, 600))
	r.shot("board-11-folded")
	r.a.win.Resize(fyne.NewSize(1440, 900))
	if c, ok := r.a.win.Canvas().(software.WindowlessCanvas); ok {
		c.SetScale(2)
		p.tapped(3)
		r.shot("board-12-scale-200")
		c.SetScale(1)
	}
	r.a.list = nil
	r.a.showBoard()
	r.shot("board-13-empty")
	test.ApplyTheme(t, looks.Fixed(theme.VariantLight))
}

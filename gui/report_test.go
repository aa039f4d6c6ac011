package gui

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
	"jackfield/connectors/report"
	looks "jackfield/gui/theme"
)

// A stock is a session with tables of which some may not be read.
type stock struct {
	size   int
	closed atomic.Int32
	shut   map[string]connectors.Access
	hang   chan struct{} // nil: nothing hangs
}

func (s *stock) Close() error { s.closed.Add(1); return nil }

func (s *stock) Check(context.Context) ([]connectors.Fact, error) {
	return []connectors.Fact{{Label: "Account", Text: "made up"}}, nil
}

func (s *stock) Children(ctx context.Context, parent connectors.NodeID) iter.Seq2[connectors.Node, error] {
	return func(yield func(connectors.Node, error) bool) {
		if parent == "" {
			for _, name := range []string{"hr", "sales"} {
				if !yield(connectors.Node{ID: connectors.NodeID(name), Name: name, Kind: "schema", Branch: true, Access: s.access(name)}, nil) {
					return
				}
			}
			return
		}
		if s.hang != nil {
			close(s.hang)
			<-ctx.Done()
			yield(connectors.Node{}, ctx.Err())
			return
		}
		for i := range s.size {
			id := fmt.Sprintf("%s/table%05d", parent, i)
			if !yield(connectors.Node{ID: connectors.NodeID(id), Name: id[len(parent)+1:], Kind: "table", Access: s.access(id), Views: []connectors.View{connectors.ViewRows},
				Facts: []connectors.Fact{{Label: "Rows", Text: fmt.Sprint("about ", i)}}}, nil) {
				return
			}
		}
	}
}

func (s *stock) access(id string) connectors.Access {
	for part, a := range s.shut {
		if id == part || strings.HasPrefix(id, part+"/") {
			return a
		}
	}
	return connectors.AccessReadable
}

// stocks are two connections of a type whose sessions are s.
func stocks(t *testing.T, o roomOptions, sessions map[string]*stock) (*room, []link.Connection) {
	t.Helper()
	o.types = []connectors.Type{connectors.Define(connectors.Type{ID: "shelf", Name: "Shelf database", Summary: "For tests.", Group: connectors.GroupDatabases, Where: []string{"host"},
		Form: connectors.Form{Fields: []connectors.Field{{Key: "host", Label: "Host", Kind: connectors.Text, Required: true}}}},
		func(_ context.Context, _ *connectors.Env, c struct {
			Host string `field:"host"`
		}) (connectors.Session, error) {
			return sessions[c.Host], nil
		})}
	r := newRoom(t, o)
	var out []link.Connection
	for _, name := range []string{"analyst", "service"} {
		s := connectors.NewSettings()
		s.Plain["host"] = name
		c, err := r.book.Create(t.Context(), link.Draft{Type: "shelf", Name: name, Settings: s})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	r.a.reload(nil)
	r.until("both", func() bool { return len(r.a.list) == 2 })
	return r, out
}

func twoStocks(size int) map[string]*stock {
	return map[string]*stock{"analyst": {size: size}, "service": {size: size, shut: map[string]connectors.Access{"hr": connectors.AccessDenied, "sales/table00001": connectors.AccessDenied, "sales/table00002": connectors.AccessListed}}}
}

func TestAReportIsMadeFilteredAndSaved(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark} {
		t.Run(name, func(t *testing.T) {
			r, c := stocks(t, roomOptions{variant: variant}, twoStocks(12))
			r.a.showReport(c[1])
			r.shot("report-" + name + "-01-start")
			r.push("Make the report")
			r.sees("Readable 11")
			for _, want := range []string{"Denied 14", "Partly 1", "Everything that was asked for was looked at.", "table 24"} {
				r.sees(want)
			}
			r.shot("report-" + name + "-02-made")
			r.push("Denied 14")
			list, ok := seek(r, func(l *keyList) bool { return l.Length() == 14 })
			if !ok {
				t.Fatal("the denied ones are not alone")
			}
			list.Select(1)
			r.sees("The schema “hr” above it is closed to this account")
			r.shot("report-" + name + "-03-denied")
			search, ok := seek(r, func(e *entry) bool { return e.PlaceHolder == "Filter by name" })
			if !ok {
				t.Fatal("no filter")
			}
			search.SetText("no such name")
			r.sees("Nothing here")
			search.SetText("00001")
			r.until("two of that name", func() bool { return list.Length() == 2 })
		})
	}
}

func TestTwoConnectionsAreComparedInOnePicture(t *testing.T) {
	r, c := stocks(t, roomOptions{}, twoStocks(12))
	r.a.showCompare(c[0])
	r.push("Compare")
	r.sees("Choose what to compare it with first.")
	r.shot("compare-01-start")
	pick, ok := seek(r, func(s *keySelect) bool { return len(s.Options) == 1 })
	if !ok {
		t.Fatal("nothing to choose")
	}
	pick.SetSelectedIndex(0)
	r.push("Compare")
	r.sees("service may not read 14 that analyst can (table)")
	r.sees("Rights differ 15")
	r.shot("compare-02-rights")
	list, _ := seek(r, func(l *keyList) bool { return l.Length() == 15 })
	list.Select(13)
	r.sees("service: What is above it is open; the right to read this itself is missing.")
	r.push("All 26")
	r.shot("compare-03-all")
	r.a.win.Resize(fyne.NewSize(1024, 700))
	r.shot("compare-04-small")
	test.ApplyTheme(t, looks.Fixed(theme.VariantDark))
	r.shot("compare-05-dark")
	if c, ok := r.a.win.Canvas().(software.WindowlessCanvas); ok {
		r.a.win.Resize(fyne.NewSize(1440, 900))
		c.SetScale(2)
		r.shot("compare-06-scale-200")
	}
}

func TestAnOlderReportIsCompared(t *testing.T) {
	sessions := twoStocks(3)
	r, c := stocks(t, roomOptions{}, sessions)
	before, err := report.Take(t.Context(), sessions["service"], report.Options{About: report.About{Name: "service", Type: "shelf"}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := before.JSON()
	if err != nil {
		t.Fatal(err)
	}
	sessions["service"].size = 4
	r.a.showCompare(c[1])
	page := r.a.centre.Objects[0]
	r.push("Compare")
	p := &comparePage{walkPage: r.a.newWalkPage("Compare"), c: c[1], file: secondary("")}
	p.pick = newKeySelect(nil, r.a.windowKey)
	p.toolPage = newToolPage(r.a, "", "", vbox(0, p.out))
	r.a.show(p.root)
	p.read("", []byte("no report"))
	r.sees("This file is no report that can be compared")
	p.read("", data)
	r.until("the report", func() bool { return p.older != nil })
	p.compare()
	r.sees("does not see")
	if r.a.centre.Objects[0] == page {
		t.Error("the page is still there")
	}
	r.shot("compare-07-older")
}

func TestAWalkIsStoppedByThePersonAndByLeaving(t *testing.T) {
	sessions := map[string]*stock{"analyst": {hang: make(chan struct{})}, "service": {hang: make(chan struct{})}}
	r, c := stocks(t, roomOptions{}, sessions)
	r.a.showReport(c[0])
	r.push("Make the report")
	r.until("the listing", func() bool {
		select {
		case <-sessions["analyst"].hang:
			return true
		default:
			return false
		}
	})
	r.sees("analyst: 2 found")
	r.shot("report-04-running")
	r.push("Cancel")
	r.sees("Stopped. Nothing goes on in the background.")
	r.until("the session is closed", func() bool { return sessions["analyst"].closed.Load() == 1 })
	r.shot("report-05-stopped")
	r.a.showReport(c[1])
	r.push("Make the report")
	r.sees("service: 2 found")
	r.a.showGallery()
	r.until("the session is closed", func() bool { return sessions["service"].closed.Load() == 1 })
}

func TestTenThousandLinesStaySmooth(t *testing.T) {
	r, c := stocks(t, roomOptions{size: fyne.NewSize(1024, 700)}, twoStocks(5000))
	r.a.showReport(c[1])
	most, ok := seek(r, func(s *keySelect) bool { return len(s.Options) == 3 })
	if !ok {
		t.Fatal("no choice of how many")
	}
	most.SetSelectedIndex(2)
	r.push("Make the report")
	r.sees("All 10002")
	list, ok := seek(r, func(l *keyList) bool { return l.Length() == 10_002 })
	if !ok {
		t.Fatal("not all lines are there")
	}
	list.ScrollToBottom()
	r.shot("report-06-many")
}

func TestHostileAndLongNamesOnTheReport(t *testing.T) {
	r := newRoom(t, roomOptions{practice: true, openURL: practice.SignIn, size: fyne.NewSize(900, 600)})
	r.a.startPractice()
	r.until("the practice connections", func() bool { return len(r.a.list) >= 6 })
	c := r.a.list[0]
	for _, x := range r.a.list {
		if x.Type == "sftp" {
			c = x
		}
	}
	r.a.showReport(c)
	r.push("Make the report")
	r.sees("Filter by name")
	if strings.ContainsAny(r.texts(), "\u202e\x00\x1b") {
		t.Error("a sign that acts is on the screen")
	}
	r.shot("report-07-practice")
	many := report.Report{Nodes: []report.Node{{Path: []string{"\u202egpj.exe"}, Kind: "file"}, {Path: []string{strings.Repeat("a very long name ", 40)}, Kind: strings.Repeat("kind ", 30), Access: connectors.AccessDenied}, {Path: []string{"日本語 العربية"}, Kind: "file", Access: connectors.AccessListed}}}
	v := newFlatView(r.a, reportRows(&many), nil)
	r.a.show(v.page(title("x"), nil))
	r.shot("report-08-hostile")
	if strings.ContainsAny(r.texts(), "\u202e") {
		t.Error("a name turns text around")
	}
}

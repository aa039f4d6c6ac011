package gui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/expiry"
	"jackfield/connectors/keys"
	"jackfield/connectors/link"
)

// certified is a certificate that ends then, and its key.
func certified(t *testing.T, name string, end time.Time) (cert, key string) {
	t.Helper()
	k, err := keys.Generate("ed25519", "")
	if err != nil {
		t.Fatal(err)
	}
	made, err := keys.NewSelfSigned(k, keys.RequestFor{CommonName: name}, 30*24*time.Hour, end.AddDate(0, 0, -30))
	if err != nil {
		t.Fatal(err)
	}
	private, _ := k.Private.PEM()
	return keys.ChainPEM(keys.Certificates([]keys.Item{made})), private.Reveal()
}

// stocked saves connections of which something ends at every level.
func (r *room) stocked(extra ...link.Draft) {
	r.t.Helper()
	now := time.Now()
	drafts := extra
	for _, c := range []struct {
		name string
		end  time.Time
	}{{"Warehouse sensors", now.AddDate(0, 0, -3)}, {"Plant broker", now.Add(20 * time.Hour)}, {"Test broker", now.AddDate(0, 0, 20)}, {"Head office broker", now.AddDate(3, 0, 0)}} {
		cert, key := certified(r.t, strings.ToLower(strings.ReplaceAll(c.name, " ", "-"))+".example.com", c.end)
		s := connectors.NewSettings()
		s.Plain["host"], s.Plain["auth"], s.Plain["client_cert"] = "broker.example.com", "certificate", cert
		s.Secrets["client_key"] = connectors.NewSecret(key)
		drafts = append(drafts, link.Draft{Type: "mqtt", Name: c.name, Settings: s})
	}
	crm := connectors.NewSettings()
	crm.Plain["auth"], crm.Plain["base_url"], crm.Plain["client_id"] = "app", "https://practice.crm.dynamics.com", "practice-only"
	crm.Secrets["client_secret"] = connectors.NewSecret(handed)
	drafts = append(drafts, link.Draft{Type: "dynamics365", Name: "CRM", Settings: crm})
	if _, err := r.book.CreateAll(r.t.Context(), drafts); err != nil {
		r.t.Fatal(err)
	}
	r.a.reload(nil)
	r.until("the connections", func() bool { return len(r.a.list) == len(drafts) })
}

func (r *room) ids() map[string]string {
	out := map[string]string{}
	for _, c := range r.a.list {
		out[c.Name] = c.ID
	}
	return out
}

// rowOf is the page's button with that text in the row of a connection.
func (r *room) rowOf(connection, text string) *keyButton {
	r.t.Helper()
	var found *keyButton
	r.until(text+" of "+connection, func() bool {
		for row := range containersOf(r.a.win.Content()) {
			if d, ok := row.Layout.(dock); ok && d.right != nil && strings.Contains(words(row), connection+" · ") {
				shownIn(d.right, func(o fyne.CanvasObject) {
					if b, ok := o.(*keyButton); ok && b.Text == text && found == nil {
						found = b
					}
				})
			}
		}
		return found != nil
	})
	return found
}

func containersOf(o fyne.CanvasObject) func(func(*fyne.Container) bool) {
	return func(yield func(*fyne.Container) bool) {
		var all []*fyne.Container
		shownIn(o, func(o fyne.CanvasObject) {
			if c, ok := o.(*fyne.Container); ok {
				all = append(all, c)
			}
		})
		for n := len(all) - 1; n >= 0; n-- { // the innermost first
			if !yield(all[n]) {
				return
			}
		}
	}
}

// TestRenewWhatExpiresThisMonth is the person's task, and counts what it takes.
func TestRenewWhatExpiresThisMonth(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.stocked()
	watch := newExpiryWatch(r.a, nil)
	watch.show()
	r.sees("This month")
	if n := watch.expiring(30 * 24 * time.Hour); n != 3 {
		t.Errorf("%d things end within 30 days, want 3", n)
	}
	if n := watch.expiring(0); n != 1 {
		t.Errorf("%d things have ended, want 1", n)
	}
	actions := 0
	act := func(f func()) { actions++; f(); r.pump() }

	act(func() { r.rowOf("Test broker", "Open").Tapped(nil) })
	if r.a.form == nil || r.a.form.id != r.ids()["Test broker"] {
		t.Fatal("the form is not open")
	}
	if got, want := r.a.win.Canvas().Focused(), r.a.form.field("client_cert").focusable(); got != want {
		for _, v := range r.a.form.fields {
			if v.focusable() == got {
				t.Log(v.f.Key)
			}
		}
		t.Errorf("the focus is on %T, not on the certificate: %v", got, r.a.form.field("client_cert").box.Hidden)
	}
	cert, key := certified(t, "test-broker.example.com", time.Now().AddDate(1, 0, 0))
	act(func() { r.a.form.field("client_cert").entry.SetText(cert) })
	act(func() { r.a.form.field("client_key").entry.SetText(key) })
	act(func() { r.push("Save") })
	r.until("the save", func() bool { return !r.a.form.unsaved })
	act(func() { watch.show() })
	r.until("the row to go", func() bool { return watch.expiring(30*24*time.Hour) == 2 && r.shows("Later") && !r.shows("This month") })
	if actions != 5 {
		t.Errorf("it took %d actions", actions)
	}
}

func TestADateIsNotedForWhatNobodyCanRead(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.stocked()
	watch := newExpiryWatch(r.a, nil)
	watch.show()
	r.rowOf("CRM", "Set a date…").Tapped(nil)
	answer := func(text string) {
		t.Helper()
		e, ok := seek(r, func(e *entry) bool { return strings.HasPrefix(e.PlaceHolder, "Such as") })
		if !ok {
			t.Fatal("nothing asks for the day")
		}
		e.SetText(text)
		e.OnSubmitted(text)
		r.pump()
	}
	answer("31/01/2027")
	if _, ok := seek(r, func(e *entry) bool { return e.Text == "31/01/2027" }); !ok {
		t.Fatal("what was typed is gone")
	}
	r.shot("expiry-date-wrong")
	soon := time.Now().AddDate(0, 0, 12)
	answer(soon.Format(time.DateOnly))
	r.sees("You noted this date.")
	r.sees(fmt.Sprintf("%d", soon.Year()))
	if n := watch.expiring(30 * 24 * time.Hour); n != 4 {
		t.Errorf("%d things end within 30 days, want 4", n)
	}
	r.rowOf("CRM", "Change the date…").Tapped(nil)
	answer("")
	r.until("the date to go", func() bool { return watch.expiring(30*24*time.Hour) == 3 })
	if c, _ := r.book.Get(t.Context(), r.ids()["CRM"]); len(c.Dates) != 0 {
		t.Errorf("%v", c.Dates)
	}
}

func TestThePageOfNothing(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.showExpiry()
	r.sees("Nothing here has an end")
	r.shot("expiry-empty")
}

func TestANoticeIsGivenOnce(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.stocked()
	watch := newExpiryWatch(r.a, nil)
	watch.refresh()
	r.until("the look", func() bool { return watch.looked })
	var said []string
	for range 2 {
		if err := watch.due(t.Context(), func(title, text string) error {
			said = append(said, title+"\n"+text)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || !strings.HasPrefix(said[0], "3 things") || !strings.Contains(said[0], "Plant broker: Client certificate (plant-broker.example.com), In 20 hours") || strings.Contains(said[0], handed) {
		t.Errorf("%q", said)
	}
	phrases := watch.phrases()
	ics := string(expiry.Calendar(watch.sweep.Items, phrases, time.UTC, time.Now()))
	if !strings.Contains(ics, "SUMMARY:CRM: look at Client secret\r\n") || strings.Contains(ics, handed) {
		t.Error(ics)
	}
}

func TestExpiryShots(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, roomOptions{variant: variant})
			long := connectors.NewSettings()
			long.Plain["auth"], long.Plain["host"] = "password", "h"
			long.Secrets["password"] = connectors.NewSecret(handed)
			r.stocked(link.Draft{Type: "mqtt", Name: strings.Repeat("A very long name of a connection ", 5), Settings: long})
			r.a.showExpiry()
			r.sees("This month")
			r.shot("expiry-" + name)
			r.a.win.Resize(fyne.NewSize(1024, 700))
			r.shot("expiry-" + name + "-1024")
			r.rowOf("CRM", "Set a date…").Tapped(nil)
			r.shot("expiry-" + name + "-date")
			if c, ok := r.a.win.Canvas().(software.WindowlessCanvas); ok {
				c.SetScale(2)
				r.shot("expiry-" + name + "-200")
			}
		})
	}
}

func TestWhatExpiresIsToldOnTheDesktopOnce(t *testing.T) {
	r := newRoom(t, roomOptions{})
	desktop := &desktopLog{}
	r.a.health.notifier = desktop
	r.stocked()
	r.until("the look", func() bool { return r.a.ends.looked && r.a.ends.expiring(soon) > 0 })
	r.settle()
	if n := len(desktop.sent()); n != 0 {
		t.Errorf("%d notes nobody asked for", n)
	}
	r.until("the sidebar", func() bool { return strings.Contains(r.a.side.ends.Text, "3") })
	r.a.prefs.Notify = true
	r.a.ends.refresh()
	r.until("the note", func() bool { return len(desktop.sent()) == 1 })
	r.a.ends.refresh()
	r.settle()
	if sent := desktop.sent(); len(sent) != 1 || !strings.Contains(sent[0].Content, "Plant broker") {
		t.Errorf("%d notes, the first: %s", len(sent), sent[0].Content)
	}
}

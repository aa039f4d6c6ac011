package gui

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"jackfield/connectors"
	"jackfield/connectors/expiry"
	"jackfield/gui/lang"
	"jackfield/gui/task"
)

// expiryWatch knows what ends. It looks off the window's goroutine, and reads the
// secrets of connections that changed alone.
type expiryWatch struct {
	a       *App
	radar   *expiry.Radar
	sweep   expiry.Sweep
	err     error
	looked  bool
	changed func()      // something else may end now; nil: nobody asks
	page    *expiryPage // the one that was opened last, or nil
	stop    func()
	now     func() time.Time
}

func newExpiryWatch(a *App, changed func()) *expiryWatch {
	return &expiryWatch{a: a, radar: &expiry.Radar{}, changed: changed, now: time.Now}
}

// showExpiry is the page of what ends.
func (a *App) showExpiry() { a.ends.show() }

// refresh looks again, for when the list of connections changed.
func (w *expiryWatch) refresh() {
	if w.a.locked != nil {
		return // it would ask for what was just forgotten
	}
	if w.stop != nil {
		w.stop()
	}
	now := w.now()
	w.stop = task.Run(w.a.r, func(ctx context.Context) (expiry.Sweep, error) { return w.radar.All(ctx, w.a.o.Book, now) }, func(s expiry.Sweep, err error) {
		if connectors.CodeOf(err) == connectors.Cancelled {
			return
		}
		w.sweep, w.err, w.looked = s, err, true
		if w.changed != nil {
			w.changed()
		}
		if w.page != nil {
			w.page.fill()
		}
		w.warn()
	})
}

// expiring counts what has ended or ends within that time, as far as it was
// looked. Reminders do not count.
func (w *expiryWatch) expiring(within time.Duration) int {
	n := 0
	for _, i := range expiry.Within(w.sweep.Items, within, w.now()) {
		if i.Kind != expiry.KeyAge {
			n++
		}
	}
	return n
}

// due hands what a person has not been told yet to say, with a notice in words.
func (w *expiryWatch) due(ctx context.Context, say func(title, text string) error) error {
	now := w.now()
	return expiry.Tell(ctx, marksPref{w.a.o.App}, w.sweep.Items, now, func(items []expiry.Item) error {
		var lines []string
		for _, i := range items[:min(3, len(items))] {
			lines = append(lines, lang.T("expiry.noticeline", i.Connection, w.what(i), awayWords(i, now)))
		}
		return say(lang.N("expiry.notice", len(items)), strings.Join(lines, "\n"))
	})
}

// warn tells on the desktop what a person has not been told yet, where that is wanted.
func (w *expiryWatch) warn() {
	if !w.a.prefs.Notify {
		return
	}
	as := *w // as it is now: the next look changes it
	task.Run(w.a.r, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, as.due(ctx, func(title, text string) error {
			as.a.health.notifier.SendNotification(fyne.NewNotification(title, text))
			return nil
		})
	}, func(_ struct{}, err error) {
		if err != nil {
			w.a.o.Log.Warn("warnings", "error", err)
		}
	})
}

func (w *expiryWatch) close() {
	if w.stop != nil {
		w.stop()
	}
}

// what names a thing in the window's language.
func (w *expiryWatch) what(i expiry.Item) string {
	name := lang.Explain(expiry.Reason(i.Kind)).Title
	if t, ok := w.a.typeOf(i.Type); ok && i.Field != "" {
		if f, ok := lang.Type(t).Form.Field(i.Field); ok {
			name = f.Label
		}
	}
	if i.Subject != "" {
		name += " (" + i.Subject + ")"
	}
	return connectors.Clean(name, 160)
}

func next(i expiry.Item) string { return lang.Explain(expiry.Reason(i.Kind)).Hint }

// phrases are a calendar's words in the window's language.
func (w *expiryWatch) phrases() expiry.Phrases {
	return expiry.Phrases{
		Name: lang.T("expiry.calendarname"),
		Summary: func(i expiry.Item) string {
			if i.Kind == expiry.KeyAge {
				return lang.T("expiry.remind", i.Connection, w.what(i))
			}
			return lang.T("expiry.summary", i.Connection, w.what(i))
		},
		Description: func(i expiry.Item) string { return next(i) + "\n" + basisWords(i) },
	}
}

// basisWords say how a date is known.
func basisWords(i expiry.Item) string {
	since := dayWords(i.Since.Local())
	switch {
	case i.Basis == expiry.Read:
		return lang.T("expiry.read")
	case i.Basis == expiry.Told:
		return lang.T("expiry.told", since)
	case i.Basis == expiry.Typed:
		return lang.T("expiry.typed")
	case i.Kind == expiry.AWSSession:
		return lang.T("expiry.session", since)
	case i.Kind == expiry.RefreshToken:
		return lang.T("expiry.unused", since)
	}
	return lang.T("expiry.reminder", since)
}

// awayWords say how far an end is, from the day on where no hour is known.
func awayWords(i expiry.Item, now time.Time) string {
	if !i.AllDay {
		return ago(now, i.When)
	}
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
	if i.When.Equal(today) {
		return lang.T("expiry.today")
	}
	return ago(today, i.When)
}

// endWords are an end exactly: a day, or a moment here.
func endWords(i expiry.Item) string {
	if i.AllDay || i.Kind == expiry.KeyAge {
		return dayWords(expiry.DayOf(i, time.Local))
	}
	return exactly(i.When)
}

func dayWords(t time.Time) string {
	return lang.T("expiry.day", t.Day(), lang.T("when.month."+strconv.Itoa(int(t.Month()))), t.Year())
}

// datable reports whether nobody but a person can tell when i ends.
func (w *expiryWatch) datable(i expiry.Item) bool {
	t, known := w.a.typeOf(i.Type)
	f, asked := t.Form.Field(i.Field)
	return known && asked && expiry.Dateable(f) && slices.Contains([]expiry.Basis{expiry.Typed, expiry.Estimated}, i.Basis)
}

// marksPref keeps what was told among the program's preferences.
type marksPref struct{ app fyne.App }

const marksKey = "expiry.told"

// Marks implements expiry.Memory. What cannot be read is told again.
func (m marksPref) Marks(context.Context) (expiry.Marks, error) {
	var out expiry.Marks
	if json.Unmarshal([]byte(m.app.Preferences().String(marksKey)), &out) != nil {
		return nil, nil
	}
	return out, nil
}

// SetMarks implements expiry.Memory.
func (m marksPref) SetMarks(_ context.Context, marks expiry.Marks) error {
	data, err := json.Marshal(marks)
	if err == nil {
		m.app.Preferences().SetString(marksKey, string(data))
	}
	return err
}

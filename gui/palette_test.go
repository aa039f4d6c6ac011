package gui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
)

// keptPrefs are preferences in memory.
type keptPrefs struct {
	p     Prefs
	saves int
}

func (k *keptPrefs) Load() (Prefs, error) { return k.p, nil }
func (k *keptPrefs) Save(p Prefs) error {
	k.p = p
	k.saves++
	return nil
}

// opened is the palette on the screen.
func (r *room) opened() *palette {
	r.t.Helper()
	o, ok := r.a.win.Canvas().Overlays().Top().(*overlay)
	if !ok {
		r.t.Fatal("the palette is not open")
	}
	e, ok := r.a.win.Canvas().Focused().(*entry)
	if !ok {
		r.t.Fatal("its field has no focus")
	}
	row, ok := seek(r, func(*hitRow) bool { return true })
	if !ok || row.p.over != o || row.p.entry != e {
		r.t.Fatal("it is another one")
	}
	return row.p
}

func (r *room) press(keys ...fyne.KeyName) {
	for _, k := range keys {
		if f := r.a.win.Canvas().Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: k})
		} else {
			r.a.windowKey(&fyne.KeyEvent{Name: k})
		}
		r.pump()
	}
}

func TestThePaletteGoesAnywhere(t *testing.T) {
	r := newRoom(t, roomOptions{})
	c := r.prepared()
	r.a.showPalette()
	r.shot("palette-open")
	test.Type(r.a.win.Canvas().Focused(), "ord")
	p := r.opened()
	if len(p.shown) == 0 || p.shown[0].name != "Orders" {
		t.Fatalf("%+v", p.shown)
	}
	r.shot("palette-found")
	r.press(fyne.KeyReturn)
	if r.a.win.Canvas().Overlays().Top() != nil || r.a.form == nil || r.a.form.id != c.ID {
		t.Fatal("Enter did not open the connection")
	}

	r.a.showPalette()
	test.Type(r.a.win.Canvas().Focused(), "sftp server")
	if p := r.opened(); !strings.Contains(p.shown[0].name, "SFTP") {
		t.Fatalf("%q", p.shown[0].name)
	}
	r.press(fyne.KeyReturn)
	if r.a.form == nil || r.a.form.t.ID != "sftp" || r.a.form.id != "" {
		t.Fatal("a new connection was not begun")
	}

	r.a.showPalette()
	test.Type(r.a.win.Canvas().Focused(), "theme")
	r.press(fyne.KeyReturn)
	r.sees(lang.T("settings.title"))

	r.a.showPalette()
	test.Type(r.a.win.Canvas().Focused(), "zzzz")
	if !r.shows(lang.T("palette.none")) && len(r.paletteTexts()) == 0 {
		t.Error("nothing is said where nothing is found")
	}
	r.press(fyne.KeyReturn, fyne.KeyEscape)
	if r.a.win.Canvas().Overlays().Top() != nil {
		t.Error("Esc did not close it")
	}
}

func (r *room) paletteTexts() string { return words(r.a.win.Canvas().Overlays().Top()) }

func TestThePaletteMovesWithTheArrows(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.showPalette()
	p := r.opened()
	r.press(fyne.KeyDown, fyne.KeyDown, fyne.KeyUp)
	if p.at != 1 {
		t.Errorf("at %d", p.at)
	}
	r.press(fyne.KeyUp, fyne.KeyUp, fyne.KeyUp)
	if p.at != 0 {
		t.Errorf("at %d", p.at)
	}
	r.a.showPalette()
	if n := len(r.a.win.Canvas().Overlays().List()); n != 1 {
		t.Errorf("%d palettes", n)
	}
	test.TapCanvas(r.a.win.Canvas(), fyne.NewPos(5, 5))
	if r.a.win.Canvas().Overlays().Top() != nil {
		t.Error("a tap beside it did not close it")
	}
}

func TestNamesThatStartWithWhatIsTypedComeFirst(t *testing.T) {
	var all []hit
	for _, n := range []string{"Backup of sales", "Presales", "Sales", "Orders (sales)"} {
		all = append(all, hit{name: n, text: strings.ToLower(n)})
	}
	all = append(all, hit{name: "Other", text: "other for sales"})
	var got []string
	for _, h := range rank(all, " SALES ") {
		got = append(got, h.name)
	}
	if want := "Sales|Backup of sales|Presales|Orders (sales)|Other"; strings.Join(got, "|") != want {
		t.Errorf("%q", got)
	}
	many := make([]hit, 10_000)
	for i := range many {
		many[i] = hit{name: fmt.Sprint("name ", i), text: fmt.Sprint("name ", i)}
	}
	if n := len(rank(many, "name")); n != mostHits {
		t.Errorf("%d", n)
	}
}

func TestADeletedConnectionComesBack(t *testing.T) {
	r := newRoom(t, roomOptions{})
	c := r.prepared()
	r.a.selectConnection(c.ID)
	r.a.delete(c)
	r.until("it to go", func() bool { return len(r.a.list) == 0 })
	r.shot("delete-undo")
	if _, err := r.book.Get(t.Context(), c.ID); err != nil {
		t.Fatal("it was deleted at once")
	}
	r.push(lang.T("delete.undo"))
	r.until("it to come back", func() bool { return len(r.a.list) == 1 && r.a.form != nil && r.a.form.id == c.ID })
	if n := len(r.a.toasts.root.Objects); n != 0 {
		t.Errorf("%d notes are left", n)
	}

	r.a.delete(c)
	r.until("it to go again", func() bool { return len(r.a.list) == 0 })
	r.a.win.Canvas().Unfocus()
	r.a.undoDelete()
	r.until("it to come back again", func() bool { return len(r.a.list) == 1 })
}

func TestADeletedConnectionGoesWhenItsTimeIsOverOrTheProgramEnds(t *testing.T) {
	for name, how := range map[string]func(*room){
		"time": func(r *room) { r.a.destroy(r.a.doomed[0]) },
		"end":  func(r *room) { r.a.quit() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, roomOptions{})
			c := r.prepared()
			r.a.delete(c)
			r.pump()
			how(r)
			r.until("it to be deleted", func() bool {
				_, err := r.book.Get(t.Context(), c.ID)
				return err != nil
			})
			r.settle()
			if len(r.a.list) > 0 && name == "time" {
				t.Error("it is still listed")
			}
		})
	}
}

func TestTheWindowIsAsItWasLeft(t *testing.T) {
	kept := &keptPrefs{}
	r := newRoom(t, roomOptions{prefs: kept})
	first := r.prepared()
	s := connectors.NewSettings()
	second, err := r.book.Create(t.Context(), link.Draft{Type: "sftp", Name: "Zeta", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	r.a.reload(nil)
	r.until("both", func() bool { return len(r.a.list) == 2 })
	r.a.selectConnection(first.ID)
	r.a.selectConnection(second.ID)
	r.a.shell.split.handle.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(40, 0)})
	r.a.shell.split.handle.DragEnd()
	r.a.win.Resize(fyne.NewSize(1200, 760))
	r.a.leftBehind()
	if kept.p.Last != second.ID || kept.p.Sidebar != 308 || kept.p.Width != 1200 || kept.p.Height != 760 {
		t.Fatalf("%+v", kept.p)
	}

	again := New(Options{App: r.app, Book: r.book, Runner: r.a.r, Prefs: kept})
	if w := again.shell.split.width; w != 308 {
		t.Errorf("the sidebar is %v wide", w)
	}
	if s := again.prefs.size(); s != fyne.NewSize(1200, 760) {
		t.Errorf("%v", s)
	}
	again.Start()
	r.until("the last connection", func() bool { return again.form != nil && again.form.id == second.ID })
	again.quit()

	small := Prefs{Width: 10, Height: 10}
	if s := small.size(); s.Width < leastWidth || s.Height < leastHeight {
		t.Errorf("%v", s)
	}
}

type brokenPrefs struct{}

func (brokenPrefs) Load() (Prefs, error) { return Prefs{}, errors.New("a disk without a file") }
func (brokenPrefs) Save(Prefs) error     { return errors.New("a disk without room") }

func TestPreferencesThatCannotBeKeptStopNobody(t *testing.T) {
	r := newRoom(t, roomOptions{prefs: brokenPrefs{}})
	r.a.change(func(p *Prefs) { p.Notify = true })
	r.settle()
	if !r.a.prefs.Notify {
		t.Error("the choice does not count")
	}
}

func TestSettingsCountAtOnce(t *testing.T) {
	kept := &keptPrefs{}
	r := newRoom(t, roomOptions{prefs: kept})
	r.a.showSettings()
	r.shot("settings")
	sel, ok := seek(r, func(s *keySelect) bool { return len(s.Options) > 2 && s.Options[2] == lang.T("settings.dark") })
	if !ok {
		t.Fatal("no choice of colours")
	}
	sel.SetSelectedIndex(2)
	r.until("the choice to be kept", func() bool { return kept.p.Theme == "dark" })
	if c := r.app.Settings().Theme().Color(theme.ColorNameBackground, theme.VariantLight); fmt.Sprint(c) != fmt.Sprint(paint(theme.ColorNameBackground)) {
		t.Errorf("%v", c)
	}
	r.shot("settings-dark")
}

func TestALockedWindowShowsNothing(t *testing.T) {
	r := newRoom(t, roomOptions{})
	c := r.prepared()
	r.a.selectConnection(c.ID)
	told := 0
	r.a.o.Lock = func() { told++ }
	refuse := true
	r.a.o.Unlock = func(context.Context) error {
		if refuse {
			return &connectors.Error{Code: connectors.Storage, Reason: "keychain.wrong_passphrase"}
		}
		return nil
	}
	r.a.copySecret("practice-only-copied")
	r.a.showPalette()
	r.a.lock()
	r.shot("locked")
	if r.shows("Orders") || len(r.a.win.Canvas().Overlays().List()) > 0 || r.app.Clipboard().Content() != "" || told != 1 {
		t.Errorf("%q, clipboard %q, told %d", r.texts(), r.app.Clipboard().Content(), told)
	}
	r.push(lang.T("lock.open"))
	r.sees("passphrase")
	if r.a.locked == nil {
		t.Error("it opened without the passphrase")
	}
	refuse = false
	r.push(lang.T("lock.open"))
	r.sees("Orders")
}

func TestTheWindowLocksWhenNobodyUsesIt(t *testing.T) {
	kept := &keptPrefs{p: Prefs{LockAfter: 1}}
	r := newRoom(t, roomOptions{prefs: kept})
	r.prepared()
	r.a.idle.last = time.Now().Add(-2 * time.Minute)
	r.a.idle.timer.Reset(0)
	r.until("the lock", func() bool { return r.a.locked != nil })
	r.a.unlock()
	r.a.idle.timer.Reset(0)
	r.settle()
	if r.a.locked != nil {
		t.Error("it was locked while it was used")
	}
}

package gui

import (
	"context"
	"image/png"
	"os"
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
	"jackfield/connectors/all"
	"jackfield/connectors/link"
	"jackfield/connectors/practice"
	"jackfield/gui/task"
	looks "jackfield/gui/theme"
	"jackfield/platform/keychain"
	"jackfield/platform/loopback"
	"jackfield/platform/vault"
)

// A room is the window on the toolkit's drawing test driver, over the real
// engine and a store in a temporary folder. What the engine delivers is run on
// the test's own goroutine, by until.
type room struct {
	t    *testing.T
	a    *App
	app  fyne.App
	book *link.Book

	mu    sync.Mutex
	queue []func()
}

type roomOptions struct {
	variant  fyne.ThemeVariant
	types    []connectors.Type
	practice bool
	size     fyne.Size
	openURL  func(ctx context.Context, url string) error
	unusable []string
	prefs    PrefStore
	desktop  Desktop
}

func newRoom(t *testing.T, o roomOptions) *room {
	t.Helper()
	r := &room{t: t, app: test.NewTempApp(t)}
	r.app.Settings().SetTheme(looks.Fixed(o.variant))
	v, err := vault.Open(vault.Options{Dir: t.TempDir(), Keys: &keychain.Memory{}, Poll: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if o.types == nil {
		o.types = all.All()
	}
	r.book = link.NewBook(link.List(o.types), v, link.Outside{Callback: func(ctx context.Context, c connectors.CallbackRequest) (connectors.Callback, error) {
		return loopback.Listen(ctx, loopback.Options{Host: c.Host, Port: c.Port, Path: c.Path, State: c.State})
	}})
	options := Options{App: r.app, Book: r.book, Runner: task.NewWith(r.deliver), OpenURL: o.openURL, Unusable: o.unusable, Prefs: o.prefs, Desktop: o.desktop}
	if o.practice {
		options.Practice = func(ctx context.Context) ([]link.PracticeDraft, error) { return r.startPractice(ctx) }
	}
	r.a = New(options)
	if o.size == (fyne.Size{}) {
		o.size = fyne.NewSize(1440, 900)
	}
	r.a.win.Resize(o.size)
	r.a.Start()
	r.until("the start", func() bool { return len(r.a.centre.Objects) > 0 })
	t.Cleanup(func() {
		r.a.quit()
		r.settle()
	})
	return r
}

func (r *room) startPractice(ctx context.Context) ([]link.PracticeDraft, error) {
	s, err := practice.Start(ctx, practice.Options{})
	if err != nil {
		return nil, err
	}
	r.t.Cleanup(func() { _ = s.Close() })
	return drafts(s), nil
}

func drafts(s *practice.Services) []link.PracticeDraft {
	var out []link.PracticeDraft
	for _, c := range s.Connections() {
		out = append(out, link.PracticeDraft{Draft: link.Draft{Type: c.TypeID, Name: c.Name, Description: c.Description, Practice: true, Settings: c.Settings}, Place: c.Place()})
	}
	return out
}

func (r *room) deliver(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, f)
}

// pump runs what was delivered so far.
func (r *room) pump() {
	r.mu.Lock()
	now := r.queue
	r.queue = nil
	r.mu.Unlock()
	for _, f := range now {
		f()
	}
}

// until runs the window until something is so.
func (r *room) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r.pump()
		if ok() {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("waited for %s", what)
		}
	}
}

// settle lets the last results come in.
func (r *room) settle() {
	for range 30 {
		r.pump()
		time.Sleep(10 * time.Millisecond)
	}
}

// shot saves a picture where JACKFIELD_SHOTS says so.
func (r *room) shot(name string) {
	r.t.Helper()
	r.settle()
	picture := r.a.win.Canvas().Capture()
	dir := os.Getenv("JACKFIELD_SHOTS")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := png.Encode(f, picture); err != nil {
		r.t.Fatal(err)
	}
}

// fill opens the form of a type and answers it.
func (r *room) fill(typeID string, answers map[string]string) {
	r.t.Helper()
	t, err := r.book.Type(typeID)
	if err != nil {
		r.t.Fatal(err)
	}
	r.a.newConnection(t)
	for k, v := range answers {
		f := r.a.form.field(k)
		if f == nil {
			r.t.Fatalf("no field %s", k)
		}
		if f.entry != nil {
			r.a.win.Canvas().Focus(f.entry)
			f.entry.SetText("")
			if len(v) > 200 { // keys are pasted
				f.entry.SetText(v)
				v = ""
			}
			for _, c := range v {
				f.entry.TypedRune(c)
			}
			r.a.win.Canvas().Unfocus()
		} else {
			f.set(v)
		}
	}
}

func (r *room) linked() bool {
	return r.a.form != nil && r.a.form.cancel == nil && r.a.form.c.State != link.Prepared
}

// said is the text under a field.
func said(v *fieldView) string {
	if v.under.Hidden {
		return ""
	}
	return v.hint.String()
}

func TestShots(t *testing.T) {
	for name, variant := range map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark} {
		t.Run(name, func(t *testing.T) {
			tour(newRoom(t, roomOptions{variant: variant, practice: true, openURL: practice.SignIn}), name)
		})
	}
}

func tour(r *room, look string) {
	r.shot(look + "-01-welcome")
	r.a.showGallery()
	r.shot(look + "-02-gallery")
	g := newGallery(r.a)
	r.a.show(g.root)
	g.search.SetText("nothing has this name")
	r.shot(look + "-03-gallery-no-match")
	r.fill("sftp", nil)
	r.shot(look + "-04-form")
	r.fill("sftp", map[string]string{"host": "two words", "port": "99999", "user": "mira"})
	r.shot(look + "-05-form-errors")
	r.fill("sftp", map[string]string{"host": "127.0.0.1", "port": "1", "user": "mira", "password": "practice-only"})
	r.a.form.link()
	r.until("the failure", r.linked)
	r.shot(look + "-06-failed")
	r.a.form.unsaved = false
	r.a.startPractice()
	r.until("the practice connections", func() bool { return len(r.a.list) == 7 && r.a.form != nil && r.a.form.id != "" && r.a.form.c.Practice })
	r.shot(look + "-07-prepared")
	for _, c := range r.a.list {
		if c.Practice {
			r.linkAndLook(c, look)
		}
	}
	r.a.side.search.SetText("mqtt")
	r.shot(look + "-20-search")
	r.a.side.search.SetText("no such thing")
	r.shot(look + "-21-search-no-match")
	r.a.side.search.SetText("")
	r.a.delete(r.a.list[0])
	r.shot(look + "-22-delete")
}

func (r *room) linkAndLook(c link.Connection, look string) {
	r.a.selectConnection(c.ID)
	r.until("the form", func() bool { return r.a.form != nil && r.a.form.id == c.ID })
	r.a.form.link()
	r.until("the link of "+c.Name, r.linked)
	if r.a.form.c.State != link.OK {
		r.t.Fatalf("%s: %+v", c.Name, r.a.form.c.Problem)
	}
	p := r.a.preview
	r.until("the tree of "+c.Name, func() bool { return p.nodes[""] != nil && p.nodes[""].state == "done" && len(p.nodes[""].children) > 0 })
	r.shot(look + "-10-linked-" + c.Type)
	for _, id := range p.nodes[""].children {
		if p.isBranch(id) {
			p.tree.OpenBranch(id)
			r.until("a branch", func() bool { return p.nodes[id].state == "done" })
		}
	}
	r.settle()
	for _, id := range p.nodes[""].children {
		if n := p.nodes[id].node; len(n.Views) > 0 {
			p.tree.Select(id)
			break
		}
	}
	r.settle()
	r.shot(look + "-11-sample-" + c.Type)
}

func TestShotsNarrowAndLarge(t *testing.T) {
	r := newRoom(t, roomOptions{practice: true, size: fyne.NewSize(900, 600)})
	r.shot("narrow-01-welcome")
	r.a.startPractice()
	r.until("the practice connections", func() bool { return len(r.a.list) == 6 && r.a.form != nil })
	r.shot("narrow-02-form")
	r.a.win.Resize(fyne.NewSize(760, 600))
	r.shot("narrow-03-folded")
	r.a.shell.show(true)
	r.shot("narrow-04-menu")
	r.a.shell.show(false)
	r.a.form.link()
	r.until("the link", r.linked)
	r.shot("narrow-05-linked")
	if r.a.work.tabs.SelectedIndex() != 1 {
		t.Error("linked, a narrow window goes on showing the form")
	}
	test.ApplyTheme(t, looks.Fixed(theme.VariantLight))
	r.a.win.Resize(fyne.NewSize(1440, 900))
	long := link.Draft{Type: "sftp", Name: strings.Repeat("A very long name of a connection ", 5), Description: strings.Repeat("words ", 60), Settings: connectors.NewSettings()}
	long.Settings.Plain["host"] = strings.Repeat("very-long-host-name.", 9) + "example.com"
	c, err := r.book.Create(t.Context(), long)
	if err != nil {
		t.Fatal(err)
	}
	r.a.reload(func() { r.a.selectConnection(c.ID) })
	r.until("the long one", func() bool { return r.a.form != nil && r.a.form.id == c.ID })
	r.shot("long-names")
	if c, ok := r.a.win.Canvas().(software.WindowlessCanvas); ok {
		c.SetScale(2)
		r.shot("scale-200")
	}
}

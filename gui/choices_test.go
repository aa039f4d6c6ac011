package gui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
)

// a lister is a type whose sessions list buckets, folders and topics.
type lister struct {
	refuse error
	wait   chan struct{} // nil: at once
	names  []string
	opened int
	asked  []string
}

func (l *lister) typ() connectors.Type {
	type answers struct {
		Host   string            `field:"host"`
		Port   string            `field:"port"`
		Pass   connectors.Secret `field:"password"`
		Bucket string            `field:"bucket"`
		Folder string            `field:"folder"`
		Topics string            `field:"topics"`
	}
	split := func(v string) map[string]string {
		rest, is := strings.CutPrefix(v, "list://")
		if !is {
			return nil
		}
		host, port, _ := strings.Cut(rest, ":")
		port, bucket, _ := strings.Cut(port, "/")
		return map[string]string{"host": host, "port": port, "bucket": bucket}
	}
	return connectors.Define(connectors.Type{ID: "lister", Name: "Lister", Summary: "For tests", Group: connectors.GroupFiles, Tile: "LI", Where: []string{"host"},
		Guide: connectors.Guide{Steps: []string{"Ask."}, Rights: "List.", Admin: "Make an account that may list.", RedirectURI: "http://127.0.0.1:8917/callback"},
		Form: connectors.Form{Fields: []connectors.Field{
			{Key: "host", Label: "Host", Kind: connectors.Text, Required: true, Section: "Server", Split: split, Help: "Where it is."},
			{Key: "port", Label: "Port", Kind: connectors.Integer, Short: true},
			{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Section: "Sign-in"},
			{Key: "bucket", Label: "Bucket", Kind: connectors.Text, Section: "What to read", Listed: true, Help: "Leave empty for all."},
			{Key: "folder", Label: "Folder", Kind: connectors.Text, Listed: true},
			{Key: "topics", Label: "Topics", Kind: connectors.Lines, Listed: true},
		}}}, func(ctx context.Context, _ *connectors.Env, a answers) (connectors.Session, error) {
		l.opened++
		if l.refuse != nil {
			return nil, l.refuse
		}
		return listerSession{stubSession{&stub{}}, l, a.Bucket}, nil
	})
}

type listerSession struct {
	stubSession
	l      *lister
	bucket string
}

func (s listerSession) Choices(ctx context.Context, field string) ([]connectors.Option, error) {
	s.l.asked = append(s.l.asked, field+" in "+s.bucket)
	if s.l.wait != nil {
		select {
		case <-s.l.wait:
		case <-ctx.Done():
			return nil, connectors.Classify(ctx.Err())
		}
	}
	switch field {
	case "bucket", "topics":
		return connectors.ChoicesFrom(s.l.names), nil
	case "folder":
		return connectors.ChoicesFrom([]string{"2025", "2026"}), nil
	}
	return nil, nil
}

func listerRoom(t *testing.T, l *lister, answers map[string]string) (*room, *formPane) {
	t.Helper()
	r := newRoom(t, roomOptions{types: []connectors.Type{l.typ()}})
	r.fill("lister", answers)
	return r, r.a.form
}

func signedIn() map[string]string {
	return map[string]string{"host": "example.com", "password": "practice-only"}
}

// altDown presses Alt and the arrow down in a field.
func altDown(v *fieldView) {
	v.entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyDown, Modifier: fyne.KeyModifierAlt})
}

// list is the list under v, once it is shown.
func (r *room) list(v *fieldView) *dropList {
	r.t.Helper()
	r.until("the list under "+v.f.Label, func() bool { return v.chooser.drop != nil })
	return v.chooser.drop
}

func offered(list []connectors.Option) []string {
	var out []string
	for _, o := range list {
		out = append(out, o.Label)
	}
	return out
}

func TestAFieldOffersWhatTheServerHas(t *testing.T) {
	l := &lister{names: []string{"archive", "reports 2025", "reports", "the reports"}}
	r, p := listerRoom(t, l, signedIn())
	v := p.field("bucket")
	r.a.win.Canvas().Focus(v.entry)
	altDown(v)
	d := r.list(v)
	if r.focused() != fyne.Focusable(d.entry) {
		t.Error("what is typed does not go to the list")
	}
	r.shot("choices-01-list")
	test.Type(d.entry, "rep")
	if got := offered(d.shown); !slices.Equal(got, []string{"reports 2025", "reports", "the reports"}) {
		t.Errorf("found %q", got)
	}
	press(d.entry, fyne.KeyDown)
	r.shot("choices-02-found")
	d.entry.OnSubmitted("")
	if v.value() != "reports" || r.focused() != fyne.Focusable(v.entry) || v.chooser.drop != nil {
		t.Errorf("taken: %q", v.value())
	}
	altDown(v)
	d = r.list(v)
	if d.shown[d.at].Value != "reports" {
		t.Errorf("the list stands at %q", d.shown[d.at].Value)
	}
	if l.opened != 1 {
		t.Errorf("signed in %d times", l.opened)
	}
	test.Type(d.entry, "zzz")
	if !strings.Contains(words(d), "Nothing here has that name.") {
		t.Error("no word that nothing was found")
	}
	d.entry.OnSubmitted("")
	press(d.entry, fyne.KeyEscape)
	if v.value() != "reports" || len(r.a.win.Canvas().Overlays().List()) != 0 || len(r.a.list) != 0 {
		t.Errorf("after Esc: %q; saved: %d", v.value(), len(r.a.list))
	}
}

func TestALaterFieldIsAskedForInTheBucket(t *testing.T) {
	l := &lister{names: []string{"a", "b"}}
	r, p := listerRoom(t, l, signedIn())
	p.field("bucket").entry.SetText("a")
	v := p.field("folder")
	test.Tap(v.chooser.button)
	press(r.list(v).entry, fyne.KeyEscape)
	p.field("bucket").entry.SetText("b")
	test.Tap(v.chooser.button)
	r.list(v).take(1)
	test.Tap(p.field("bucket").chooser.button)
	press(r.list(p.field("bucket")).entry, fyne.KeyEscape)
	if want := []string{"folder in a", "folder in b", "bucket in "}; !slices.Equal(l.asked, want) || v.value() != "2026" {
		t.Errorf("asked %q, want %q; took %q", l.asked, want, v.value())
	}
}

func TestLinesGetWhatIsTakenAsOneMore(t *testing.T) {
	r, p := listerRoom(t, &lister{names: []string{"orders", "invoices"}}, signedIn())
	v := p.field("topics")
	v.entry.SetText("orders\n")
	for _, i := range []int{1, 0} {
		test.Tap(v.chooser.button)
		r.list(v).take(i)
	}
	if v.value() != "orders\ninvoices" {
		t.Errorf("%q", v.value())
	}
}

func TestWhatIsMissingIsNamedAndNothingIsOpened(t *testing.T) {
	l := &lister{}
	r, p := listerRoom(t, l, nil)
	v := p.field("bucket")
	test.Tap(v.chooser.button)
	if l.opened != 0 || !strings.Contains(said(v), "First answer: Host, Password.") || said(p.field("host")) != "Host is needed." {
		t.Errorf("opened %d; %q; %q", l.opened, said(v), said(p.field("host")))
	}
	r.shot("choices-03-missing")
}

func TestAFailureStandsUnderTheFieldInWords(t *testing.T) {
	l := &lister{refuse: &connectors.Error{Code: connectors.AuthFailed, Op: connectors.StageSignIn, Field: "password"}}
	r, p := listerRoom(t, l, signedIn())
	v := p.field("bucket")
	test.Tap(v.chooser.button)
	r.until("the words", func() bool { return v.bad && !v.chooser.busy })
	want := connectors.Explain(l.refuse)
	if said(v) != want.Title+" "+want.Hint || said(p.field("password")) != want.Title {
		t.Errorf("%q; %q", said(v), said(p.field("password")))
	}
	if l.opened != 1 {
		t.Errorf("the refused password was tried %d times", l.opened)
	}
	r.shot("choices-04-refused")
}

func TestAskingHoldsNothingUpAndStops(t *testing.T) {
	l := &lister{wait: make(chan struct{}), names: []string{"a"}}
	r, p := listerRoom(t, l, signedIn())
	v := p.field("bucket")
	test.Tap(v.chooser.button)
	if v.chooser.button.Text != "Cancel" || !strings.Contains(said(v), "Asking") {
		t.Errorf("it says %q, %q", v.chooser.button.Text, said(v))
	}
	r.shot("choices-05-asking")
	test.Type(p.name, "Mine")
	if !strings.Contains(p.name.Text, "Mine") {
		t.Errorf("nothing can be typed meanwhile: %q", p.name.Text)
	}
	test.Tap(v.chooser.button)
	if v.chooser.button.Text != "Show" || said(v) != "Leave empty for all." {
		t.Errorf("stopped, it says %q, %q", v.chooser.button.Text, said(v))
	}
	test.Tap(v.chooser.button)
	p.field("password").entry.SetText("practice-other") // what is asked for is of the old answers
	close(l.wait)
	r.settle()
	if v.chooser.loaded || v.chooser.drop != nil || v.chooser.button.Text != "Show" {
		t.Error("a list of other answers is shown")
	}
}

func TestAListDoesNotOpenOverWhoTypesElsewhere(t *testing.T) {
	l := &lister{wait: make(chan struct{}), names: []string{"a", "b"}}
	r, p := listerRoom(t, l, signedIn())
	v := p.field("bucket")
	test.Tap(v.chooser.button)
	r.a.win.Canvas().Focus(p.note)
	close(l.wait)
	r.until("the word of it", func() bool { return said(v) == "2 to choose from: press Show." })
	if v.chooser.drop != nil || r.focused() != fyne.Focusable(p.note) {
		t.Error("the list took the focus")
	}
	test.Tap(v.chooser.button)
	if v.chooser.drop == nil {
		t.Error("pressed, it is not there at once")
	}
}

func TestAListDoesNotOpenOverALockedWindow(t *testing.T) {
	l := &lister{wait: make(chan struct{}), names: []string{"a", "b"}}
	r, p := listerRoom(t, l, signedIn())
	test.Tap(p.field("bucket").chooser.button)
	r.a.lock()
	close(l.wait)
	r.settle()
	if r.a.win.Canvas().Overlays().Top() != nil {
		t.Error("what the server has is shown over the locked window")
	}
}

func TestAfterALinkTheListIsThereAtOnce(t *testing.T) {
	l := &lister{names: []string{"a", "b"}}
	r, p := listerRoom(t, l, signedIn())
	p.link()
	r.until("the link", r.linked)
	r.until("the lists", func() bool { return p.field("bucket").chooser.loaded && p.field("topics").chooser.loaded })
	opened := l.opened
	test.Tap(p.field("bucket").chooser.button)
	if p.field("bucket").chooser.drop == nil {
		t.Fatal("it is not there at once")
	}
	press(p.field("bucket").chooser.drop.entry, fyne.KeyF5)
	r.list(p.field("bucket")).take(1)
	if l.opened != opened || p.field("bucket").value() != "b" {
		t.Errorf("signed in %d times more; %q", l.opened-opened, p.field("bucket").value())
	}
}

func TestNothingToChooseIsSaid(t *testing.T) {
	r, p := listerRoom(t, &lister{}, signedIn())
	v := p.field("bucket")
	test.Tap(v.chooser.button)
	r.until("the words", func() bool { return said(v) == "There is nothing that this account may see." && !v.bad })
}

func TestAPastedAddressIsSplitSaidAndTakenBack(t *testing.T) {
	r, p := listerRoom(t, &lister{}, nil)
	v := p.field("host")
	p.field("bucket").entry.SetText("mine")
	r.app.Clipboard().SetContent("list://h.example.com:99/theirs")
	r.a.win.Canvas().Focus(v.entry)
	v.entry.TypedShortcut(&fyne.ShortcutPaste{Clipboard: r.app.Clipboard()})
	if v.value() != "h.example.com" || p.field("port").value() != "99" || p.field("bucket").value() != "theirs" || !strings.Contains(words(v.box), "Also filled in: Port, Bucket") {
		t.Fatalf("%q %q: %s", v.value(), p.field("port").value(), words(v.box))
	}
	r.shot("choices-06-split")
	press(find(r, v.box, func(l *keyLink) bool { return true }), fyne.KeyReturn)
	r.a.win.Canvas().Unfocus()
	if v.value() != "list://h.example.com:99/theirs" || p.field("port").value() != "" || p.field("bucket").value() != "mine" || strings.Contains(words(v.box), "Also") {
		t.Errorf("taken back: %q %q %q", v.value(), p.field("port").value(), p.field("bucket").value())
	}
}

func TestTheAdministratorsPartIsCopiedAsAMail(t *testing.T) {
	r, p := listerRoom(t, &lister{}, signedIn())
	test.Tap(r.button(p.body, "Copy as mail"))
	mail := r.app.Clipboard().Content()
	for _, part := range []string{"Access for Lister", "Make an account that may list.", "Where: example.com", "Rights needed: List.", "http://127.0.0.1:8917/callback"} {
		if !strings.Contains(mail, part) {
			t.Errorf("the mail lacks %q:\n%s", part, mail)
		}
	}
	if strings.Contains(mail, "practice-only") {
		t.Error("the password is in the mail")
	}
}

func TestAfterALinkErrorTheFieldIsFocusedAndSeen(t *testing.T) {
	l := &lister{refuse: &connectors.Error{Code: connectors.NotFound, Op: connectors.StageRights, Field: "topics"}}
	r, p := listerRoom(t, l, signedIn())
	r.a.win.Resize(fyne.NewSize(1024, 420))
	p.link()
	r.until("the failure", r.linked)
	r.settle()
	v := p.field("topics")
	top := fyne.CurrentApp().Driver().AbsolutePositionForObject(v.box).Y - fyne.CurrentApp().Driver().AbsolutePositionForObject(p.scroll).Y
	if r.focused() != fyne.Focusable(v.entry) || !v.bad || top < 0 || top+v.box.Size().Height > p.scroll.Size().Height {
		t.Errorf("focused %T, bad %v, from %.0f to %.0f of %.0f", r.focused(), v.bad, top, top+v.box.Size().Height, p.scroll.Size().Height)
	}
	r.shot("choices-07-failed-field")
}

func TestChoicesShots(t *testing.T) {
	var many []string
	for i := range 1200 {
		many = append(many, fmt.Sprintf("bucket-%04d-with-a-name-that-goes-on-and-on-until-nobody-reads-it-any-more", i))
	}
	for name, variant := range map[string]fyne.ThemeVariant{"light": theme.VariantLight, "dark": theme.VariantDark} {
		t.Run(name, func(t *testing.T) {
			l := &lister{names: many}
			r := newRoom(t, roomOptions{types: []connectors.Type{l.typ()}, variant: variant, size: fyne.NewSize(1024, 700)})
			r.fill("lister", signedIn())
			v := r.a.form.field("topics")
			r.a.form.reveal(v)
			test.Tap(v.chooser.button)
			d := r.list(v)
			press(d.entry, fyne.KeyDown)
			r.shot("choices-" + name + "-above")
			if len(d.shown) != connectors.MaxChoices || !strings.Contains(words(d), strconv.Itoa(connectors.MaxChoices)) {
				t.Errorf("%d are shown", len(d.shown))
			}
			press(d.entry, fyne.KeyEscape)
			if c, ok := r.a.win.Canvas().(software.WindowlessCanvas); ok {
				c.SetScale(2)
			}
			test.Tap(r.a.form.field("bucket").chooser.button)
			r.list(r.a.form.field("bucket"))
			r.shot("choices-" + name + "-200")
		})
	}
}

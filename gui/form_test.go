package gui

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// withFields is a stub with further fields, and a guide.
func withFields(g connectors.Guide, fields ...connectors.Field) connectors.Type {
	t := (&stub{}).typ()
	t.Guide = g
	t.Form.Fields = append(t.Form.Fields, fields...)
	return t
}

func formOf(t *testing.T, typ connectors.Type) (*room, *formPane) {
	t.Helper()
	r := newRoom(t, roomOptions{types: []connectors.Type{typ}})
	r.fill("stub", nil)
	return r, r.a.form
}

func TestALongGuideKeepsItsStepsAndFoldsTheRest(t *testing.T) {
	g := connectors.Guide{Steps: []string{"First step.", strings.Repeat("Second step. ", 40)}, Rights: "Rights-words.", Admin: "Admin-words.", Account: "Account-words.", Network: "Network-words.",
		Notes: []string{"Note one.", "Note two."}, RedirectURI: "http://127.0.0.1:8917/callback", Links: []connectors.Link{{Text: "Console\u202e", URL: "https://vendor.example.com/keys"}}}
	opened, works := make(chan string, 2), make(chan error, 2)
	r := newRoom(t, roomOptions{types: []connectors.Type{withFields(g)}, openURL: func(_ context.Context, page string) error { opened <- page; return <-works }})
	r.fill("stub", nil)
	p := r.a.form
	open, rest := []string{"1.", "First step.", "Second step.", "http://127.0.0.1:8917/callback", "Console\ufffd", "vendor.example.com"}, []string{"Rights-words.", "Admin-words.", "Account-words.", "Network-words.", "Note one.", "Note two."}
	has := func(when string, want bool, parts ...string) {
		t.Helper()
		text := words(p.body)
		for _, part := range parts {
			if strings.Contains(text, part) != want {
				t.Errorf("%s: %q is shown: %v", when, part, !want)
			}
		}
	}
	has("folded", true, open...)
	has("folded", false, rest...)
	r.shot("guide-folded")
	test.Tap(r.button(p.body, "More about this"))
	has("unfolded", true, append(open, rest...)...)
	r.shot("guide-unfolded")
	test.Tap(r.button(p.body, "Less about this"))
	has("folded again", false, rest...)
	test.Tap(r.button(p.body, "Copy"))
	if got := r.app.Clipboard().Content(); got != g.RedirectURI {
		t.Errorf("copied: %q", got)
	}
	page := find(r, p.body, func(l *keyLink) bool { return true })
	works <- nil
	press(page, fyne.KeyReturn)
	if got := <-opened; got != "https://vendor.example.com/keys" {
		t.Errorf("opened: %q", got)
	}
	works <- errors.New("no browser")
	press(page, fyne.KeySpace)
	r.until("the word that there is no browser", func() bool { return strings.Contains(words(r.a.toasts.root), "https://vendor.example.com/keys") })
}

func TestAShortGuideStandsOpen(t *testing.T) {
	_, p := formOf(t, withFields(connectors.Guide{Steps: []string{"The only step."}, Rights: "Rights-words."}))
	if text := words(p.body); !strings.Contains(text, "Rights-words.") || strings.Contains(text, "1.") {
		t.Error(text)
	}
	_, p = formOf(t, withFields(connectors.Guide{}))
	if strings.Contains(words(p.body), "Where to find") {
		t.Error("an empty guide has a heading")
	}
}

// drafting is a stub that makes a draft of host and password.
func drafting() connectors.Type {
	t := (&stub{}).typ()
	t.Draft = func(s connectors.Settings, now time.Time) ([]connectors.Part, error) {
		switch {
		case s.Plain["host"] == "":
			return nil, nil
		case s.Plain["host"] == "wrong":
			return nil, &connectors.Error{Code: connectors.BadInput, Field: "host", Title: "The host is wrong.", Hint: "Take another."}
		case s.Secrets["password"].Empty():
			return nil, &connectors.Error{Code: connectors.BadInput, Field: "password", Title: "A password is needed.", Hint: "Type it."}
		}
		return []connectors.Part{{Title: "Payload", Text: "{\n\t\"host\": \"" + s.Plain["host"] + "\u202e\"\n}"}, {Title: "Made", Text: now.Format(time.RFC3339)}}, nil
	}
	return t
}

func TestWhatIsSentFollowsTheAnswers(t *testing.T) {
	r, p := formOf(t, drafting())
	r.settle()
	if p.sent.root.Visible() {
		t.Error("it is shown where nothing is made")
	}
	r.fill("stub", map[string]string{"host": "wrong"})
	p = r.a.form
	r.until("the section", p.sent.root.Visible)
	if strings.Contains(words(p.sent.root), "The host is wrong.") {
		t.Error("it is not folded")
	}
	test.Tap(r.button(p.sent.root, "What is sent"))
	r.until("the error", func() bool { return strings.Contains(words(p.sent.root), "The host is wrong. Take another.") })
	p.field("host").entry.SetText("example.com")
	r.until("the next error", func() bool { return strings.Contains(words(p.sent.root), "A password is needed.") })
	p.field("password").entry.SetText("practice-only")
	r.until("the parts", func() bool { return strings.Contains(words(p.sent.root), "{\n    \"host\": \"example.com\ufffd\"\n}") })
	r.shot("draft")
	text := find(r, p.sent.root, func(l *widget.Label) bool { return strings.Contains(l.Text, "host") })
	if !text.Selectable || !text.TextStyle.Monospace {
		t.Error("it cannot be marked, or is not in monospace")
	}
	p.field("host").entry.SetText("")
	r.until("the section to go", func() bool { return !p.sent.root.Visible() })
}

func TestAStoredSecretIsTypedAgainToSeeTheToken(t *testing.T) {
	typ := drafting()
	r := newRoom(t, roomOptions{types: []connectors.Type{typ}})
	s := connectors.NewSettings()
	s.Plain["host"], s.Secrets["password"] = "example.com", connectors.NewSecret("practice-only")
	c, err := r.book.Create(t.Context(), link.Draft{Type: "stub", Name: "One", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	r.a.reload(func() { r.a.selectConnection(c.ID) })
	r.until("the section", func() bool { return r.a.form != nil && r.a.form.sent.root.Visible() })
	p := r.a.form
	if p.sent.said != "Type the secret again to see the token. The stored one is not shown." {
		t.Errorf("it says %q", p.sent.said)
	}
	p.field("host").entry.SetText("wrong")
	r.until("the other reason", func() bool { return strings.HasPrefix(p.sent.said, "The host is wrong.") })
	p.field("host").entry.SetText("example.com")
	p.field("password").entry.SetText("practice-only")
	r.until("the token", func() bool { return len(p.sent.parts.Objects) == 2 && p.sent.said == "" })
}

func TestOneDraftIsMadeAtATimeAndTheLastOneCounts(t *testing.T) {
	typ := (&stub{}).typ()
	release, running := make(chan struct{}), 0
	var asked []string
	typ.Draft = func(s connectors.Settings, _ time.Time) ([]connectors.Part, error) {
		running++
		defer func() { running-- }()
		if running > 1 {
			return nil, errors.New("two at once")
		}
		asked = append(asked, s.Plain["host"])
		<-release
		return []connectors.Part{{Title: "Host", Text: s.Plain["host"]}}, nil
	}
	r, p := formOf(t, typ)
	p.field("host").entry.SetText("first")
	r.until("the first", func() bool { return p.sent.busy })
	for _, host := range []string{"second", "third"} {
		p.field("host").entry.SetText(host)
		r.until("the wish for another", func() bool { return p.sent.again })
	}
	close(release)
	test.Tap(func() *keyButton {
		r.until("the section", p.sent.root.Visible)
		return r.button(p.sent.root, "What is sent")
	}())
	r.until("the last", func() bool { return strings.Contains(words(p.sent.root), "third") })
	if len(asked) != 2 {
		t.Errorf("made for %v", asked)
	}
}

func TestJSONIsJudgedWhileItIsTyped(t *testing.T) {
	r, p := formOf(t, withFields(connectors.Guide{}, connectors.Field{Key: "payload", Label: "Payload", Kind: connectors.JSON, Help: "What is sent."}))
	v := p.field("payload")
	if !v.entry.MultiLine || !v.entry.TextStyle.Monospace {
		t.Error("it is not typed in lines of monospace")
	}
	r.a.win.Canvas().Focus(v.entry)
	test.Type(v.entry, "{\n\"a\": 1,\n}")
	if said(v) != "What is sent." {
		t.Errorf("between two keys it says %q", said(v))
	}
	r.until("the line", func() bool { return said(v) == "This is no JSON: line 3 goes wrong at “}”." })
	r.shot("json-wrong")
	v.entry.SetText(`{"a": 1}`)
	r.until("the hint again", func() bool { return said(v) == "What is sent." && !v.bad })
}

func TestABinaryFileArrivesAsBase64(t *testing.T) {
	_, p := formOf(t, (&stub{}).typ())
	v, pfx := p.field("key"), []byte{0x30, 0x82, 0xff, 0, '\n', 1}
	v.take("/somewhere/key.pfx", pfx, nil)
	if data, err := base64.StdEncoding.DecodeString(v.entry.Text); err != nil || !bytes.Equal(data, pfx) {
		t.Errorf("%q, %v", v.entry.Text, err)
	}
	v.take("/somewhere/key.pem", []byte("\ufeff-----BEGIN\n"), nil)
	if v.entry.Text != "-----BEGIN\n" {
		t.Errorf("%q", v.entry.Text)
	}
	v.take("/somewhere/film", make([]byte, maxKeyFile+1), nil)
	if v.entry.Text != "-----BEGIN\n" || !strings.Contains(said(v), "larger than any key") {
		t.Errorf("%d characters of it were taken: %q", len(v.entry.Text), said(v))
	}
}

func TestAdvancedFieldsStandUnderTheirHeadingsToo(t *testing.T) {
	_, p := formOf(t, withFields(connectors.Guide{},
		connectors.Field{Key: "one", Label: "One-label", Kind: connectors.Text, Section: "Extra", Help: "x"},
		connectors.Field{Key: "two", Label: "Two-label", Kind: connectors.Text, Advanced: true},
		connectors.Field{Key: "three", Label: "Three-label", Kind: connectors.Text, Advanced: true, Section: "Other", Short: true},
		connectors.Field{Key: "four", Label: "Four-label", Kind: connectors.Text, Short: true, Advanced: true, Show: connectors.When("auth", "key")},
	))
	p.unfold(true)
	if got, want := words(p.advanced), "Extra\nTwo-label\noptional\n"; !strings.HasPrefix(got, want) {
		t.Errorf("%q", got)
	}
	if got := words(p.advanced); !strings.Contains(got, "Other\nThree-label") {
		t.Errorf("a short field with a heading of its own lost it: %q", got)
	}
	height := p.advanced.MinSize().Height
	p.field("auth").set("key")
	if !strings.Contains(words(p.advanced), "Four-label") || p.field("four").row == nil || p.advanced.MinSize().Height != height {
		t.Error("the field beside another is not in its row")
	}
}

// Two hidden fields of one row leave no gap behind.
func TestAHiddenRowTakesNoRoom(t *testing.T) {
	pair := []connectors.Field{
		{Key: "left", Label: "Left", Kind: connectors.Text, Show: connectors.When("auth", "key")},
		{Key: "right", Label: "Right", Kind: connectors.Integer, Short: true, Show: connectors.When("auth", "key")},
	}
	_, without := formOf(t, withFields(connectors.Guide{}))
	_, with := formOf(t, withFields(connectors.Guide{}, pair...))
	if a, b := with.body.MinSize().Height, without.body.MinSize().Height; a != b {
		t.Errorf("%v, and %v without the row", a, b)
	}
}

// counted tells how often a layout lays out.
type counted struct {
	of    fyne.Layout
	times int
}

func (c *counted) Layout(o []fyne.CanvasObject, s fyne.Size) { c.times++; c.of.Layout(o, s) }

func (c *counted) MinSize(o []fyne.CanvasObject) fyne.Size { return c.of.MinSize(o) }

// A key that changes nothing but its own field lays nothing out anew: in a form
// of a hundred fields that takes longer than the next key.
func TestAKeyLaysNoLargeFormOutAnew(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.fill("http", nil)
	p := r.a.form
	c := &counted{of: p.body.Layout}
	p.body.Layout = c
	e := p.field("base_url").entry
	r.a.win.Canvas().Focus(e)
	e.TypedRune('h')
	c.times = 0
	for _, k := range "ttps://example.com" {
		e.TypedRune(k)
	}
	if c.times != 0 {
		t.Errorf("%d times for 18 keys", c.times)
	}
	p.field("auth").set("jwt")
	if c.times == 0 || p.field("jwt_payload").box.Hidden {
		t.Error("a choice that shows other fields lays nothing out")
	}
	r.shot("form-of-a-hundred")
}

func TestTheWheelScrollsTheFormWhereverItIs(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.win.Resize(fyne.NewSize(1440, 600))
	r.fill("http", map[string]string{"auth": "jwt"})
	r.settle()
	p := r.a.form
	turn := func(v *fieldView) float32 {
		before := p.scroll.Offset.Y
		at := fyne.CurrentApp().Driver().AbsolutePositionForObject(v.entry).Add(fyne.NewPos(20, 12))
		test.Scroll(r.a.win.Canvas(), at, 0, -10)
		return p.scroll.Offset.Y - before
	}
	if turn(p.field("base_url")) != 10 {
		t.Error("over an entry of one line the form stands still")
	}
	payload := p.field("jwt_payload")
	p.reveal(payload)
	if turn(payload) != 10 {
		t.Error("over an entry of several lines the form stands still")
	}
	payload.entry.SetText(strings.Repeat("[\n", 100))
	r.a.win.Canvas().Focus(payload.entry)
	payload.entry.MouseIn(nil)
	if turn(payload) != 0 {
		t.Error("while somebody types there the form takes the wheel")
	}
	payload.entry.MouseOut()
	if turn(p.field("base_url")) != 10 {
		t.Error("pointed elsewhere, the form does not scroll")
	}
}

func TestOwnTypesAreMarkedAndUnusableFilesNamed(t *testing.T) {
	own := withFields(connectors.Guide{})
	own.ID, own.Name, own.Origin = "own", "A very long name of a type that somebody made", "/home/mira/own.yaml"
	r := newRoom(t, roomOptions{types: []connectors.Type{(&stub{}).typ(), own}, unusable: []string{"bad.yaml, line 3: unknown field \"x\u202e\"", "worse.yaml: too large", "3", "4", "5", "6"}})
	r.a.showGallery()
	r.shot("gallery-own")
	text := words(r.a.centre)
	if strings.Count(text, "yours") != 1 || !strings.Contains(text, "6 of your catalogue files cannot be used") || !strings.Contains(text, "line 3: unknown field \"x\ufffd\"") || !strings.Contains(text, "… and 2 more") {
		t.Error(text)
	}
	if !strings.Contains(text, "Stub") {
		t.Error("the notice hides the types")
	}
	test.Tap(r.button(r.a.centre, "Dismiss"))
	if strings.Contains(words(r.a.centre), "cannot be used") {
		t.Error("it cannot be dismissed")
	}
	r.a.showGallery()
	if strings.Contains(words(r.a.centre), "cannot be used") {
		t.Error("dismissed, it comes back")
	}
}

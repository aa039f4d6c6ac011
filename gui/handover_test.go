package gui

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/intake"
	"jackfield/connectors/link"
	"jackfield/platform/keychain"
	"jackfield/platform/vault"
)

const handed = "practice-only-handed"

// texts is everything that is written in the window.
func (r *room) texts() string { return words(r.a.win.Content()) }

// seek is the first object on the screen for which is holds.
func seek[T fyne.CanvasObject](r *room, is func(T) bool) (T, bool) {
	var found T
	ok := false
	for _, o := range append(r.a.win.Canvas().Overlays().List(), r.a.win.Content()) {
		shownIn(o, func(o fyne.CanvasObject) {
			if x, yes := o.(T); yes && !ok && is(x) {
				found, ok = x, true
			}
		})
	}
	return found, ok
}

// shows reports whether text is written outside of the fields that hold it.
func (r *room) shows(text string) bool {
	n := strings.Count(r.texts(), text)
	shownIn(r.a.win.Content(), func(o fyne.CanvasObject) {
		if e, ok := o.(*entry); ok {
			n -= strings.Count(e.Text, text)
		}
	})
	return n > 0
}

// push presses the button with that text, once it is there.
func (r *room) push(text string) {
	r.t.Helper()
	var b *keyButton
	r.until("the button "+text, func() bool {
		got, ok := seek(r, func(b *keyButton) bool { return b.Text == text && !b.Disabled() })
		b = got
		return ok
	})
	b.Tapped(nil)
	r.pump()
}

func (r *room) sees(text string) {
	r.t.Helper()
	r.until("the text "+text, func() bool { return strings.Contains(r.texts(), text) })
}

// prepared saves a connection that was never linked.
func (r *room) prepared() link.Connection {
	r.t.Helper()
	s := connectors.NewSettings()
	s.Plain["host"], s.Plain["user"], s.Plain["database"] = "db.example.com", "reporting", "sales"
	s.Secrets["password"] = connectors.NewSecret(handed)
	c, err := r.book.Create(r.t.Context(), link.Draft{Type: "postgres", Name: "Orders", Settings: s})
	if err != nil {
		r.t.Fatal(err)
	}
	r.a.reload(nil)
	r.until("the connection", func() bool { return len(r.a.list) > 0 })
	return c
}

func (r *room) desk() {
	v, err := vault.Open(vault.Options{Dir: r.t.TempDir(), Keys: &keychain.Memory{}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.a.o.Desk = func() (*handover.Desk, error) { return handover.NewDesk(v, nil), nil }
}

func TestWhatIsPastedIntoTheWindowOpensItsForm(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.app.Clipboard().SetContent("postgres://reporting:" + handed + "@db.example.com:5433/sales")
	r.a.win.Canvas().Unfocus()
	r.a.pasted()
	r.until("the form", func() bool { return r.a.form != nil && r.a.form.t.ID == "postgres" })
	for key, want := range map[string]string{"host": "db.example.com", "port": "5433", "user": "reporting", "password": handed, "database": "sales"} {
		if got := r.a.form.field(key).value(); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if len(r.a.list) != 0 {
		t.Error("something was saved")
	}
	if r.shows(handed) {
		t.Error("the password is on the screen")
	}
	r.shot("paste-01-filled")
}

func TestAFileWithSeveralIsReviewed(t *testing.T) {
	r := newRoom(t, roomOptions{})
	text := "[one]\ntype = sftp\nhost = one.example.com\nuser = a\n\n[two]\ntype = ftp\nhost = two.example.com\nuser = b\n"
	dir := t.TempDir()
	path := filepath.Join(dir, "rclone.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r.a.dropped(fyne.NewPos(10, 10), []fyne.URI{storage.NewFileURI(path)})
	r.sees("two.example.com")
	if err := os.WriteFile(filepath.Join(dir, "mail.env"), []byte("SMTP_HOST=smtp.example.com\nSMTP_USER=a\nSMTP_PASSWORD="+handed+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.a.dropped(fyne.NewPos(10, 10), []fyne.URI{storage.NewFileURI(dir)})
	r.sees("smtp.example.com")
	r.sees("two.example.com")
	r.a.dropped(fyne.NewPos(10, 10), []fyne.URI{storage.NewFileURI(path)})
	r.until("the two alone", func() bool {
		return !strings.Contains(r.texts(), "smtp.example.com") && strings.Contains(r.texts(), "two.example.com")
	})
	r.shot("paste-02-review")
	r.push("Save these")
	r.until("both", func() bool { return len(r.a.list) == 2 })
	for _, c := range r.a.list {
		if c.State != link.Prepared {
			t.Errorf("%s is %s", c.Name, c.State)
		}
	}
}

func TestAKeyIsAChoiceAndWordsAreNot(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.showPaste(nil)
	r.shot("paste-03-empty")
	key := generated(t)
	r.a.showPaste([]intake.File{{Data: key}})
	r.sees("SFTP server")
	r.shot("paste-04-choice")
	r.a.showPaste([]intake.File{{Data: []byte("nothing of this kind")}})
	r.until("the sentence", func() bool { return !strings.Contains(r.texts(), "SFTP server") })
	r.shot("paste-05-unknown")
}

func TestABundleIsSealedAndOpenedInTheWindow(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.desk()
	c := r.prepared()
	r.a.showHandover()
	r.shot("hand-01-start")
	r.a.showSeal([]string{c.ID})
	r.shot("hand-02-seal")
	r.push("Seal them")
	r.sees("Its passphrase")
	r.shot("hand-03-sealed")

	bundle, _, err := handover.Pack(t.Context(), r.book, []string{c.ID}, handover.PackOptions{Secrets: true})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := handover.Seal(&file, bundle, handover.Recipients{Passphrase: connectors.NewSecret("practice only words")}, false); err != nil {
		t.Fatal(err)
	}
	if !r.a.opened("one.jackfield", file.Bytes()) {
		t.Fatal("a bundle is not taken for one")
	}
	r.shot("hand-04-open")
	pass, ok := seek(r, func(e *entry) bool { return e.Password })
	if !ok {
		t.Fatal("no place for the passphrase")
	}
	pass.SetText("wrong words")
	r.push("Open")
	r.until("the refusal", func() bool {
		_, ok := seek(r, func(b *keyButton) bool { return b.Text == "Open" && !b.Disabled() })
		return ok
	})
	r.shot("hand-05-wrong")
	pass.SetText("practice only words")
	r.push("Open")
	r.sees("What is in it")
	if len(r.a.list) != 1 {
		t.Error("looking saved something")
	}
	r.shot("hand-06-plan")
	r.push("Save these")
	r.until("the import", func() bool { return len(r.a.list) == 2 })
}

func TestARequestIsMadeAnsweredAndOpenedInTheWindow(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.desk()
	s := connectors.NewSettings()
	s.Plain["host"], s.Plain["database"] = "db.example.com", "sales"
	mine, err := r.book.Create(t.Context(), link.Draft{Type: "postgres", Name: "Sales", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	r.a.reload(nil)
	r.until("it", func() bool { return len(r.a.list) == 1 })
	r.a.showAsk(mine)
	r.shot("ask-01-new")
	r.push("Make the request")
	r.sees("Words to compare")
	r.shot("ask-02-made")
	desk, _ := r.a.o.Desk()
	kept, err := desk.List(t.Context())
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v %v", kept, err)
	}
	r.a.showHandover()
	r.sees("Your requests")
	r.shot("ask-03-list")

	if !r.a.opened("sales.request.jackfield", kept[0].File()) {
		t.Fatal("a request is not taken for one")
	}
	r.sees("Seal the answer")
	r.shot("answer-01-open")
	r.push("Fill in…")
	r.until("the form", func() bool { return r.a.form != nil && r.a.form.id != "" && r.a.form.id != mine.ID })
	r.shot("answer-02-form")
	r.a.answering.show()
	r.push("Seal the answer")
	r.sees("Not everything is filled in yet")
	r.a.selectConnection(r.a.answering.ids[0])
	r.until("the form again", func() bool { return r.a.form != nil })
	r.a.form.field("user").set("reporting")
	r.a.form.field("password").entry.SetText(handed)
	r.a.form.save(nil)
	r.until("it is saved", func() bool { return !r.a.form.unsaved })
	r.a.answering.show()
	r.push("Seal the answer")
	r.sees("The answer is sealed")
	r.shot("answer-03-sealed")

	answer, _, err := handover.NewAnswer(t.Context(), r.book, kept[0].Request, r.a.answering.ids, "")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := handover.SealAnswer(&file, kept[0].Request, answer); err != nil {
		t.Fatal(err)
	}
	made := len(r.a.list)
	r.a.answering.over()
	r.push("Remove them")
	r.until("they are gone", func() bool { return len(r.a.list) == made-1 })
	if !r.a.opened("sales.answer.jackfield", file.Bytes()) {
		t.Fatal("an answer is not taken for one")
	}
	r.sees("What is in it")
	r.shot("answer-04-plan")
	r.push("Save these")
	r.push("Replace it")
	r.until("one, complete, under its old name", func() bool {
		return len(r.a.list) == 1 && r.a.list[0].Name == "Sales" && r.a.list[0].ID != mine.ID && len(r.a.list[0].SecretKeys) == 1
	})
	if got, err := r.book.Settings(t.Context(), r.a.list[0].ID); err != nil || got.Secrets["password"].Reveal() != handed || got.Plain["user"] != "reporting" {
		t.Errorf("%v %v", got.Plain, err)
	}
}

func TestAConnectionIsShownForOtherTools(t *testing.T) {
	r := newRoom(t, roomOptions{})
	c := r.prepared()
	r.a.showUse(c)
	r.sees("Format")
	r.until("a text", func() bool { return strings.Contains(r.texts(), "db.example.com") })
	if strings.Contains(r.texts(), handed) {
		t.Error("the password is shown without being asked for")
	}
	r.shot("use-01-hidden")
	secrets, ok := seek(r, func(s *keySelect) bool { return len(s.Options) == 3 })
	if !ok {
		t.Fatal("no choice of secrets")
	}
	secrets.SetSelectedIndex(2)
	r.sees(handed)
	r.shot("use-02-clear")
}

func TestAPreparedConnectionShowsWhatIsMissing(t *testing.T) {
	r := newRoom(t, roomOptions{})
	c := r.prepared()
	r.a.selectConnection(c.ID)
	r.sees("Untested")
	r.shot("ready-01-prepared")
	r.push("Look into the keys too")
	r.until("the deeper look", func() bool { return r.a.preview.ready.known })
	if strings.Contains(r.texts(), handed) {
		t.Error("the password is in the list")
	}
	r.shot("ready-02-known")
}

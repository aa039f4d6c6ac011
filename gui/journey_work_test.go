package gui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors/link"
	"jackfield/connectors/practice"
)

// unlinked are three connections that nobody could try, without a network.
func unlinked() [][]string {
	return [][]string{
		{"sftp server", "SFTP server", "files.example.com", "User name", "acme-upload"},
		{"postgresql", "PostgreSQL", "db.example.com", "User", "reporting"},
		{"mqtt broker", "MQTT broker", "iot.example.com", "User name", "gauge"},
	}
}

// home is where the toolkit's dialogs for files begin.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	return dir
}

// bundleIn is the sealed file that was saved.
func (h *hands) bundleIn(dir string) string {
	h.t.Helper()
	var path string
	h.until("the sealed file", func() bool {
		list, _ := filepath.Glob(filepath.Join(dir, "*.jackfield"))
		if len(list) == 1 {
			path = list[0]
		}
		return len(list) == 1
	})
	if data, err := os.ReadFile(path); err != nil || strings.Contains(string(data), "example.com") {
		h.t.Errorf("the file is not sealed: %v", err)
	}
	return path
}

// arrived checks what came out of the file, in the other window.
func (h *hands) arrivedWhole() {
	h.t.Helper()
	h.until("the three", func() bool { return len(h.a.list) == 3 })
	for _, c := range h.a.list {
		if c.State != link.Prepared || c.Plain["host"] == "" || c.Plain["user"] == "" {
			h.t.Errorf("%+v", c)
		}
	}
}

func TestJourney05PreparedSealedOpenedByKeyboard(t *testing.T) {
	dir := home(t)
	h := inHand(newRoom(t, roomOptions{}))
	for n, c := range unlinked() {
		h.chord(fyne.KeyN)
		h.typed(c[0])
		h.hit(fyne.KeyReturn)
		h.tabTo("Host")
		h.typed(c[2])
		h.tabTo(c[3])
		h.typed(c[4])
		h.chord(fyne.KeyS)
		h.until("it to be saved", func() bool { return len(h.a.list) == n+1 && h.a.form != nil && !h.a.form.unsaved })
	}
	h.chord(fyne.KeyK)
	h.typed("hand over as")
	h.hit(fyne.KeyReturn)
	for _, c := range unlinked() {
		h.tabTo(c[1])
		if box, ok := h.a.win.Canvas().Focused().(*widget.Check); ok && !box.Checked { // the open one is ticked already
			h.hit(fyne.KeySpace)
		}
	}
	h.shot("journey-05-keyboard-chosen")
	h.tabTo("Seal them")
	h.hit(fyne.KeyReturn)
	h.sees("Its passphrase")
	h.tabTo("Copy")
	h.hit(fyne.KeyReturn)
	words := h.app.Clipboard().Content()
	h.tabTo("Save to a file…")
	h.hit(fyne.KeyReturn)
	h.shot("journey-05-keyboard-save")
	h.tabTo("Enter filename")
	h.hit(fyne.KeyReturn)
	h.bundleIn(dir)

	other := inHand(newRoom(t, roomOptions{}))
	other.chord(fyne.KeyK)
	other.typed("hand over")
	other.hit(fyne.KeyReturn)
	other.tabTo("Choose the file…")
	other.hit(fyne.KeyReturn)
	other.tabTo("the files")
	other.hit(fyne.KeyRight, fyne.KeySpace)
	other.shot("journey-05-keyboard-open")
	other.tabTo("Open")
	other.hit(fyne.KeySpace)
	other.retyped(words) // the space that pressed the dialog's button was typed here, too
	other.hit(fyne.KeyReturn)
	other.sees("What is in it")
	other.shot("journey-05-keyboard-plan")
	other.hit(fyne.KeyReturn)
	other.arrivedWhole()
	t.Logf("people's task: three connections prepared without a network and handed over: %d actions by keyboard, %d to open them", h.done, other.done)
}

func TestJourney05PreparedSealedOpenedByMouse(t *testing.T) {
	dir := home(t)
	h := inHand(newRoom(t, roomOptions{}))
	for n, c := range unlinked() {
		h.tapIcon("content-add")
		h.tapIn("connection types")
		h.typed(c[0])
		h.tap(c[1])
		h.tapIn("Host")
		h.typed(c[2])
		h.tapIn(c[3])
		h.typed(c[4])
		h.tap("Save")
		h.until("it to be saved", func() bool { return len(h.a.list) == n+1 && h.a.form != nil && !h.a.form.unsaved })
	}
	h.tap("Hand over")
	h.tap("Choose…")
	for _, c := range unlinked() {
		h.tapIn(c[1])
	}
	h.tap("Seal them")
	h.sees("Its passphrase")
	h.tap("Copy")
	words := h.app.Clipboard().Content()
	h.tap("Save to a file…")
	h.tap("Save")
	path := h.bundleIn(dir)

	other := inHand(newRoom(t, roomOptions{}))
	other.done++
	other.a.dropped(fyne.NewPos(700, 400), []fyne.URI{storage.NewFileURI(path)}) // the driver's own call
	other.tapIn("Passphrase")
	other.typed(words)
	other.tap("Open")
	other.sees("What is in it")
	other.tap("Save these")
	other.arrivedWhole()
	t.Logf("people's task: three connections prepared without a network and handed over: %d actions by mouse, %d to open them", h.done, other.done)
}

func TestJourney05ASealedFileIsChosenByMouse(t *testing.T) {
	dir := home(t)
	h := inHand(newRoom(t, roomOptions{}))
	if err := os.WriteFile(filepath.Join(dir, "orders.rclone.conf"), []byte("[one]\ntype = sftp\nhost = one.example.com\nuser = a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.tap("Paste anything")
	h.tap("Choose file…")
	h.tap("orders.rclone") // the toolkit leaves the ending out
	h.shot("journey-05-mouse-file")
	h.tap("Open")
	h.until("the form", func() bool {
		return h.a.form != nil && h.a.form.t.ID == "sftp" && h.a.form.field("host").value() == "one.example.com"
	})
}

func TestJourney06PaletteDeleteUndoByKeyboard(t *testing.T) {
	h := inHand(newRoom(t, roomOptions{}))
	c := h.prepared()
	h.chord(fyne.KeyK)
	h.typed("ord")
	h.shot("journey-06-keyboard-found")
	h.hit(fyne.KeyReturn)
	h.until("the form", func() bool { return h.a.form != nil && h.a.form.id == c.ID })
	h.chord(fyne.KeyK)
	h.typed("delete")
	h.hit(fyne.KeyReturn)
	h.until("it to go", func() bool { return len(h.a.list) == 0 })
	h.shot("journey-06-keyboard-deleted")
	h.chord(fyne.KeyZ)
	h.until("it to come back", func() bool { return len(h.a.list) == 1 && h.a.form != nil && h.a.form.id == c.ID })
	t.Logf("%d actions", h.done)
}

func TestJourney06PaletteDeleteUndoByMouse(t *testing.T) {
	h := inHand(newRoom(t, roomOptions{}))
	c := h.prepared()
	h.tap(chord("K"))
	h.typed("ord")
	h.tap("Orders")
	h.until("the form", func() bool { return h.a.form != nil && h.a.form.id == c.ID })
	h.tap(chord("K"))
	h.typed("dele")
	h.tap("Delete")
	h.until("it to go", func() bool { return len(h.a.list) == 0 })
	h.tap("Undo")
	h.until("it to come back", func() bool { return len(h.a.list) == 1 && h.a.form != nil && h.a.form.id == c.ID })
	h.shot("journey-06-mouse-back")
	t.Logf("%d actions", h.done)
}

// topics is a room with the practice connections, for the live journey.
func topicsRoom(t *testing.T) *hands {
	h := inHand(newRoom(t, roomOptions{practice: true, openURL: practice.SignIn}))
	h.a.startPractice()
	h.until("the practice connections", func() bool { return len(h.a.list) == 6 && h.a.form != nil })
	return h
}

func (h *hands) liveSeen() {
	h.t.Helper()
	h.linkedOK("the broker")
	h.until("topics", func() bool { return h.a.preview.detail.live != nil && len(h.a.preview.detail.live.shown) > 5 })
}

func TestJourney07LiveTopicsByKeyboard(t *testing.T) {
	h := topicsRoom(t)
	h.chord(fyne.KeyF)
	h.typed("mqtt")
	h.hit(fyne.KeyReturn)
	h.until("the broker's form", func() bool { return h.a.form != nil && h.a.form.t.ID == "mqtt" })
	h.chord(fyne.KeyReturn)
	h.liveSeen()
	h.tabTo("Pause")
	h.hit(fyne.KeySpace)
	h.sees("Paused")
	h.shot("journey-07-keyboard-paused")
	h.hit(fyne.KeySpace)
	h.sees("Live")
	h.tabTo("the tree")
	h.hit(fyne.KeyRight)
	h.until("the topics below", func() bool { return len(h.a.preview.childIDs("merrowdale")) > 3 })
	h.tabTo("Filter what is loaded")
	h.typed("about")
	h.until("the others to go", func() bool { return len(h.a.preview.childIDs("merrowdale")) == 1 })
	h.tabTo("the tree")
	h.typed("about")
	h.sees("Newest message")
	h.sees("Millbank")
	h.shot("journey-07-keyboard-topic")
	t.Logf("%d actions", h.done)
}

func TestJourney07LiveTopicsByMouse(t *testing.T) {
	h := topicsRoom(t)
	h.tap("Practice sensors (MQTT)")
	h.until("the broker's form", func() bool { return h.a.form != nil && h.a.form.t.ID == "mqtt" })
	h.tap("Link account")
	h.liveSeen()
	h.tap("Pause")
	h.sees("Paused")
	h.tap("Resume")
	h.sees("Live")
	branch, _ := h.named("merrowdale")
	h.click(fyne.NewPos(branch.from.X-36, branch.in.centre().Y)) // its arrow
	h.until("the topics below", func() bool { return len(h.a.preview.childIDs("merrowdale")) > 3 })
	h.tapIn("Filter what is loaded")
	h.typed("abou")
	h.tap("about")
	h.sees("Newest message")
	h.sees("Millbank")
	h.shot("journey-07-mouse-topic")
	t.Logf("%d actions", h.done)
}

package gui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// TestAFileIsChosenAndWritten: the toolkit's dialogs crash when they are resized
// before they are shown.
func TestAFileIsChosenAndWritten(t *testing.T) {
	r := newRoom(t, roomOptions{})
	typ, err := r.book.Type("sftp")
	if err != nil {
		t.Fatal(err)
	}
	r.a.newConnection(typ)
	r.a.form.field("key").pick()
	if r.a.win.Canvas().Overlays().Top() == nil {
		t.Fatal("no dialog to choose a file")
	}
	r.shot("dialog-open")
	r.a.win.Canvas().Overlays().Remove(r.a.win.Canvas().Overlays().Top())

	dir := t.TempDir()
	t.Chdir(dir)
	r.a.saveFile("secret.txt", []byte(handed), true, nil)
	r.shot("dialog-save")
	save, ok := seek(r, func(b *widget.Button) bool { return b.Text == "Save" && b.Importance == widget.HighImportance })
	if !ok {
		t.Fatal("no dialog to save a file")
	}
	if _, ok := seek(r, func(e *widget.Entry) bool { return e.Text == "secret.txt" }); !ok {
		t.Fatal("the file's name is not proposed")
	}
	save.Tapped(&fyne.PointEvent{})
	r.settle()
	for _, d := range []string{dir, os.Getenv("HOME")} {
		path := filepath.Join(d, "secret.txt")
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(path) })
		data, err := os.ReadFile(path)
		if err != nil || string(data) != handed || info.Mode().Perm() != 0o600 {
			t.Errorf("%q %v %v", data, info.Mode(), err)
		}
		return
	}
	t.Error("nothing was written")
}

// chosen answers in the place of the system's dialogs.
type chosen struct {
	path string
	none bool
	err  error
}

func (c chosen) Open(context.Context, string) (string, bool, error) { return c.path, !c.none, c.err }
func (c chosen) Save(context.Context, string, string) (string, bool, error) {
	return c.path, !c.none, c.err
}

func TestTheSystemsDialogsAreUsedWhereThereAreAny(t *testing.T) {
	r := newRoom(t, roomOptions{})
	path := filepath.Join(t.TempDir(), "a file.txt")
	if err := os.WriteFile(path, []byte("what is in it"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := ""
	read := func(_ string, data []byte) { got = string(data) }
	r.a.o.Files = chosen{path: path}
	r.a.chooseFile(read)
	r.until("the file", func() bool { return got == "what is in it" })

	out := filepath.Join(t.TempDir(), "sealed.jackfield")
	r.a.o.Files = chosen{path: out}
	r.a.saveFile("sealed.jackfield", []byte("practice-only"), true, nil)
	r.until("what was written", func() bool {
		data, err := os.ReadFile(out)
		return err == nil && string(data) == "practice-only"
	})
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}

	got = ""
	r.a.o.Files = chosen{} // closed without an answer
	r.a.chooseFile(read)
	r.settle()
	if got != "" || r.a.win.Canvas().Overlays().Top() != nil {
		t.Error("something was chosen, or asked again")
	}
	for _, f := range []chosen{{none: true}, {err: errors.New("it crashed")}} {
		r.a.o.Files = f
		r.a.chooseFile(read)
		r.until("the toolkit's dialog", func() bool { return r.a.win.Canvas().Overlays().Top() != nil })
		r.a.win.Canvas().Overlays().Remove(r.a.win.Canvas().Overlays().Top())
	}
}

package gui

import (
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

// Package filedialog asks for files with the system's own dialogs: COM on
// Windows, AppleScript on macOS, and on Linux zenity, matedialog or qarma where
// one of them is installed.
package filedialog

import (
	"context"
	"errors"
	"os/exec"

	"github.com/ncruces/zenity"
)

// ErrNone means that this system has no dialog to show.
var ErrNone = errors.New("there is no system dialog for files")

// Open asks for a file to read; "" where the person chose none. It waits for the
// person; when ctx ends the dialog goes.
func Open(ctx context.Context, title string) (string, error) {
	return answer(zenity.SelectFile(zenity.Context(ctx), zenity.Title(title)))
}

// Save asks where to write a file that is to be called name; the person is asked
// before one that exists is replaced.
func Save(ctx context.Context, title, name string) (string, error) {
	return answer(zenity.SelectFileSave(zenity.Context(ctx), zenity.Title(title), zenity.Filename(name), zenity.ConfirmOverwrite()))
}

func answer(path string, err error) (string, error) {
	switch {
	case errors.Is(err, zenity.ErrCanceled):
		return "", nil
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, zenity.ErrUnsupported):
		return "", ErrNone
	}
	return path, err
}

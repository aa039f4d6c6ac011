package gui

import (
	"time"

	"fyne.io/fyne/v2"
)

// secretStays is how long a copied secret may stay on the clipboard
// (SECURITY 80): long enough to paste it somewhere.
const secretStays = 30 * time.Second

// copiedSecret is a secret that was copied out of a field.
type copiedSecret struct {
	clip  fyne.Clipboard
	text  string
	timer *time.Timer
}

// copied takes what was just copied from the clipboard again after a while,
// unless something else was copied since.
func (a *App) copied(clip fyne.Clipboard, after time.Duration) {
	if a.secret != nil {
		a.secret.timer.Stop()
	}
	s := &copiedSecret{clip: clip, text: clip.Content()}
	if d := a.o.Desktop; d != nil && s.text != "" {
		d.CopySecret(s.text) // once more, with the mark; without it where that cannot be
	}
	s.timer = time.AfterFunc(after, func() { a.r.Do(s.forget) })
	a.secret = s
}

// forgetSecret does so at once, for the end of the program.
func (a *App) forgetSecret() {
	if a.secret != nil {
		a.secret.forget()
	}
}

func (s *copiedSecret) forget() {
	if s.text != "" && s.clip.Content() == s.text {
		s.clip.SetContent("")
	}
	s.text = ""
}

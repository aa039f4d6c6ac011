package gui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// TestAFreshPassphraseIsTypedTwice answers by keys alone.
func TestAFreshPassphraseIsTypedTwice(t *testing.T) {
	r := stubRoom(t, &stub{})
	got, failed := make(chan string, 1), make(chan error, 1)
	ask := func(fresh bool) {
		pass, err := r.a.AskPassphrase(t.Context(), fresh)
		got <- string(pass)
		failed <- err
	}
	shown := func() bool { return r.a.win.Canvas().Overlays().Top() != nil }
	typing := func(text string) {
		test.Type(r.focused(), text)
		press(r.focused(), fyne.KeyReturn)
	}
	go ask(true)
	r.until("the question", shown)
	r.shot("passphrase-fresh")
	typing("correct horse")
	typing("correct hearse")
	r.settle()
	r.until("the second question", shown)
	if len(got) > 0 {
		t.Fatal("two different ones were taken")
	}
	typing("correct horse")
	typing("correct horse")
	r.until("the answer", func() bool { return len(failed) > 0 })
	if pass := <-got; pass != "correct horse" || <-failed != nil {
		t.Errorf("it is %q", pass)
	}
	go ask(false)
	r.until("the question", shown)
	typing("correct horse")
	r.until("the answer", func() bool { return len(failed) > 0 })
	if pass := <-got; pass != "correct horse" || <-failed != nil {
		t.Errorf("asked once, it is %q", pass)
	}
	go ask(true)
	r.until("the question", shown)
	press(r.focused(), fyne.KeyEscape)
	r.until("the refusal", func() bool { return len(failed) > 0 })
	if pass := <-got; pass != "" || <-failed == nil {
		t.Error("refused, it goes on")
	}
}

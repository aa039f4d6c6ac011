package gui

import (
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"jackfield/connectors"
	"jackfield/connectors/keys"
	"jackfield/connectors/link"
	"jackfield/gui/lang"
)

const phrase = "practice-only-phrase"

// lockedPPK is a key as PuTTY keeps it, locked.
func lockedPPK(t *testing.T) string {
	t.Helper()
	item, err := keys.Generate("ed25519", "mira@example.com")
	if err != nil {
		t.Fatal(err)
	}
	want := keys.Want("ppk3")
	want.Passphrase = connectors.NewSecret(phrase)
	w, err := keys.Write([]keys.Item{item}, want)
	if err != nil {
		t.Fatal(err)
	}
	return string(w.Data)
}

// keyIn is the only file that was saved, which has to be a key for this user alone.
func (h *hands) keyIn(dir string) {
	h.t.Helper()
	var path string
	h.until("the key's file", func() bool {
		list, _ := filepath.Glob(filepath.Join(dir, "id_*"))
		if len(list) == 1 {
			path = list[0]
		}
		return len(list) == 1
	})
	data, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	items, _, err := keys.Read(data, connectors.Secret{})
	info, _ := os.Stat(path)
	if err != nil || len(items) != 1 || items[0].Format == "" || info.Mode().Perm() != 0o600 {
		h.t.Errorf("%s is %v, %v, %v", path, items, info.Mode(), err)
	}
}

func TestJourney08LockedKeyConvertedByKeyboard(t *testing.T) {
	dir := home(t)
	h := inHand(newRoom(t, roomOptions{}))
	h.chord(fyne.KeyK)
	h.typed("keys and cert")
	h.hit(fyne.KeyReturn)
	h.pasteText(lockedPPK(t))
	h.tabTo("Look into it")
	h.hit(fyne.KeyReturn)
	h.shot("journey-08-keyboard-locked")
	h.until("the passphrase's field", func() bool { e, ok := h.a.win.Canvas().Focused().(*entry); return ok && e.Password })
	h.typed(phrase)
	h.hit(fyne.KeyReturn)
	h.sees("In another format")
	h.tabTo("Format")
	h.hit(fyne.KeyRight)
	h.shot("journey-08-keyboard-read")
	h.tabTo("Save to a file…")
	h.hit(fyne.KeyReturn)
	h.until("the dialog", func() bool { return h.a.win.Canvas().Overlays().Top() != nil })
	h.tabTo("Enter filename")
	h.hit(fyne.KeyReturn)
	h.shot("journey-08-keyboard-saved")
	h.keyIn(dir)
	t.Logf("%d actions", h.done)
}

func TestJourney08LockedKeyConvertedByMouse(t *testing.T) {
	dir := home(t)
	h := inHand(newRoom(t, roomOptions{}))
	h.tap("Keys and certificates")
	h.tapIn("BEGIN OPENSSH")
	h.pasteText(lockedPPK(t))
	h.tap("Look into it")
	h.until("the passphrase's field", func() bool {
		_, ok := seek(h.room, func(e *entry) bool { return e.Password && e.OnSubmitted != nil })
		return ok
	})
	h.tapIn("Passphrase")
	h.typed(phrase)
	h.tap("Look into it")
	h.sees("In another format")
	h.shot("journey-08-mouse-read")
	h.tap("Save to a file…")
	h.until("the dialog", func() bool { return h.a.win.Canvas().Overlays().Top() != nil })
	h.tap("Save")
	h.keyIn(dir)
	t.Logf("%d actions", h.done)
}

func TestJourney09SettingsByKeyboard(t *testing.T) {
	kept := &keptPrefs{}
	h := inHand(newRoom(t, roomOptions{prefs: kept}))
	h.chord(fyne.KeyComma)
	h.sees(lang.T("settings.title"))
	h.pick("English") // the language has the focus
	h.until("the language", func() bool { return kept.p.Language == "en" })
	h.tabTo("Colours")
	h.pick("Dark")
	h.until("the colours", func() bool { return kept.p.Theme == "dark" })
	h.tabTo("Lock the window when it is not used")
	h.pick("After 15 minutes")
	h.until("the lock", func() bool { return kept.p.LockAfter == 15 })
	h.shot("journey-09-keyboard-settings")
	h.chord(fyne.KeyK)
	h.typed("lock the window")
	h.hit(fyne.KeyReturn)
	h.until("the lock", func() bool { return h.a.locked != nil })
	h.chord(fyne.KeyK)
	if h.a.win.Canvas().Overlays().Top() != nil {
		t.Error("a locked window opens its palette")
	}
	h.hit(fyne.KeyReturn)
	h.sees(lang.T("settings.title"))
	t.Logf("%d actions", h.done)
}

func TestJourney09SettingsByMouse(t *testing.T) {
	kept := &keptPrefs{}
	h := inHand(newRoom(t, roomOptions{prefs: kept}))
	h.tapIcon(theme.SettingsIcon().Name())
	h.tapIn("Language")
	h.tap("English")
	h.until("the language", func() bool { return kept.p.Language == "en" })
	h.tapIn("Colours")
	h.tap("Dark")
	h.until("the colours", func() bool { return kept.p.Theme == "dark" })
	h.tapIn("Lock the window when it is not used")
	h.tap("After 15 minutes")
	h.until("the lock", func() bool { return kept.p.LockAfter == 15 })
	h.shot("journey-09-mouse-settings")
	t.Logf("%d actions", h.done)
}

// ailing is a window with a board, one connection that works and one whose
// password is wrong.
func ailing(t *testing.T) (*hands, string) {
	t.Helper()
	s := answersOf(t)["sftp"]
	h := inHand(newRoom(t, roomOptions{}))
	h.healthy(nil, nil)
	h.a.rebuild()
	right := s.Secrets["password"].Reveal()
	for _, c := range []struct{ name, password string }{{"Archive", right}, {"Partner files", "practice-only-wrong"}} {
		own := s.Clone()
		own.Secrets["password"] = connectors.NewSecret(right)
		made, err := h.book.Create(t.Context(), link.Draft{Type: "sftp", Name: c.name, Settings: own})
		if err != nil {
			t.Fatal(err)
		}
		if res := h.book.Check(t.Context(), made.ID, link.Watcher{}); res.Err != nil {
			t.Fatal(res.Err)
		}
		own.Secrets["password"] = connectors.NewSecret(c.password)
		if _, err := h.book.Save(t.Context(), made.ID, link.Draft{Type: "sftp", Name: c.name, Settings: own}); err != nil {
			t.Fatal(err)
		}
	}
	h.a.reload(nil)
	h.until("both", func() bool { return len(h.a.list) == 2 })
	return h, right
}

func (h *hands) states() map[string]link.State {
	out := map[string]link.State{}
	for _, c := range h.a.list {
		out[c.Name] = c.State
	}
	return out
}

func (h *hands) checked() {
	h.t.Helper()
	h.until("the check of all", func() bool {
		s := h.states()
		return s["Archive"] == link.OK && s["Partner files"] == link.Failed && h.a.health.cancel == nil
	})
}

func TestJourney10BoardAndWhatEndsByKeyboard(t *testing.T) {
	h, right := ailing(t)
	h.chord(fyne.KeyK)
	h.typed("health")
	h.hit(fyne.KeyReturn)
	h.until("the board", func() bool { return h.a.health.page != nil && h.a.health.page.stop == nil })
	h.tabTo("Check all")
	h.hit(fyne.KeyReturn)
	h.checked()
	h.shot("journey-10-keyboard-checked")
	h.tabTo("the board")
	h.hit(fyne.KeyDown)
	for h.a.health.page.rows[h.a.health.page.shown[h.a.health.page.selected()]].Connection.Name != "Partner files" {
		h.hit(fyne.KeyDown)
	}
	h.hit(fyne.KeyReturn)
	h.until("the form", func() bool { return h.a.form != nil && h.a.form.c.Name == "Partner files" })
	if f := h.a.win.Canvas().Focused(); f != fyne.Focusable(h.a.form.field("password").entry) {
		h.tabTo("Password")
	}
	h.retyped(right)
	h.chord(fyne.KeyReturn)
	h.linkedOK("the files")
	h.chord(fyne.KeyK)
	h.typed("what expires")
	h.hit(fyne.KeyReturn)
	h.sees(lang.T("expiry.title"))
	h.shot("journey-10-keyboard-ends")
	t.Logf("%d actions", h.done)
}

func TestJourney10BoardAndWhatEndsByMouse(t *testing.T) {
	h, right := ailing(t)
	h.tap("Health")
	h.until("the board", func() bool { return h.a.health.page != nil && h.a.health.page.stop == nil })
	h.tap("Check all")
	h.checked()
	h.tap("Put right")
	h.until("the form", func() bool { return h.a.form != nil && h.a.form.c.Name == "Partner files" })
	h.shot("journey-10-mouse-form")
	h.tapIn("Password")
	h.typed(right)
	h.tap("Link account")
	h.linkedOK("the files")
	h.tap("What expires")
	h.sees(lang.T("expiry.title"))
	t.Logf("%d actions", h.done)
}

package gui

import (
	"strings"
	"testing"
	"testing/fstest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"jackfield/connectors"
	"jackfield/gui/lang"
)

func TestTheGuideIsSearchedAndReadInTheWindow(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.o.Help = fstest.MapFS{
		"10-first.md":   {Data: []byte("# The first link\n\nPress **Link account**. See [secrets](20-secrets.md).\n")},
		"20-secrets.md": {Data: []byte("# Where secrets are\n\nUnder the keychain.\n")},
	}
	r.a.windowKey(&fyne.KeyEvent{Name: fyne.KeyF1})
	r.sees("Press ")
	r.shot("help")
	test.Type(r.a.win.Canvas().Focused(), "keychain")
	r.sees("Where secrets are")
	r.sees("Under the keychain")
	e := r.a.win.Canvas().Focused().(*entry)
	e.SetText("putty")
	r.until("the type", func() bool { return strings.Contains(r.texts(), "SFTP") })
	r.shot("help-type")
	e.SetText("zzzzz")
	r.sees(lang.T("help.none"))
	h := r.a
	h.newConnection(mustType(r, "ldap"))
	h.windowKey(&fyne.KeyEvent{Name: fyne.KeyF1})
	r.sees(mustType(r, "ldap").Guide.Steps[0][:20])
	r.shot("help-form")
}

func mustType(r *room, id string) connectors.Type {
	r.t.Helper()
	t, err := r.book.Type(id)
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

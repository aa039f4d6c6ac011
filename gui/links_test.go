package gui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/gui/lang"
)

func TestALinkFillsAFormAndDoesNothingElse(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.Given([]string{"jackfield:new/sftp?host=files.example.com&user=mira&port=2222&name=Invoices"})
	r.pump()
	f := r.a.form
	if f == nil || f.t.ID != "sftp" || f.field("host").value() != "files.example.com" || f.field("port").value() != "2222" || f.name.Text != "Invoices" {
		t.Fatal("the form is not filled in")
	}
	r.sees(lang.T("links.filled"))
	r.sees("files.example.com")
	r.shot("link-opened")
	if f.cancel != nil || len(r.a.list) > 0 {
		t.Error("a link connected or saved")
	}
}

func TestSecurity72_ALinkCarriesNoSecretNoFileAndNoOtherConnection(t *testing.T) {
	r := newRoom(t, roomOptions{})
	for _, c := range r.a.o.Book.Types() {
		link := "jackfield:new/" + c.ID + "?host=h"
		for _, f := range c.Form.Fields {
			link += "&" + f.Key + "=practice-only-smuggled"
		}
		if len(link) > mostLink {
			continue
		}
		l, err := readLink(link, r.a.o.Book.Type)
		if err != nil {
			t.Fatal(c.ID, err)
		}
		if len(l.answers.Secrets) > 0 {
			t.Errorf("%s: secrets were taken", c.ID)
		}
		for k := range l.answers.Plain {
			if f, _ := c.Form.Field(k); f.Kind.Secret() || f.Kind == connectors.File || f.Kind == connectors.Reference {
				t.Errorf("%s: %s was taken", c.ID, k)
			}
		}
	}
	l, err := readLink("jackfield://new/postgres/?password=practice-only-x&host=db&nothing=1", r.a.o.Book.Type)
	if err != nil || len(l.left) != 2 {
		t.Errorf("%+v %v", l.left, err)
	}
	r.a.Given([]string{"jackfield:new/postgres?password=practice-only-x&host=db%E2%80%AEmoc.elpmaxe"})
	r.pump()
	r.sees("Password")
	if strings.Contains(r.texts(), "practice-only-x") || strings.ContainsRune(words(r.a.form.banner), '\u202e') {
		t.Errorf("%q", r.texts())
	}
}

func TestLinksThatAreNoneAreRefusedInWords(t *testing.T) {
	r := newRoom(t, roomOptions{})
	for _, text := range []string{"jackfield:", "jackfield:open/1", "jackfield:new/", "jackfield:new/unknown", "jackfield:new/sftp?" + strings.Repeat("x", mostLink), "http://new/sftp", "jackfield:new/%zz"} {
		if _, err := readLink(text, r.a.o.Book.Type); connectors.CodeOf(err) != connectors.BadInput || lang.Explain(err).Hint == "" {
			t.Errorf("%.40q: %v", text, err)
		}
	}
	r.a.Given([]string{"JACKFIELD:what"})
	r.sees("none that Jackfield knows")
}

func TestAFileThatTheProgramWasStartedWithIsOpened(t *testing.T) {
	r := newRoom(t, roomOptions{})
	path := filepath.Join(t.TempDir(), "from mail.txt")
	if err := os.WriteFile(path, []byte("sftp://mira@files.example.com:2222/in"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.a.Given([]string{path})
	r.until("the form", func() bool { return r.a.form != nil && r.a.form.t.ID == "sftp" })
	r.a.Given([]string{filepath.Dir(path)})
	r.push(lang.T("close.drop"))
	r.sees(lang.T("form.unreadable"))
}

func TestPathsAreWholeAndLinksStayAsTheyAre(t *testing.T) {
	got := Absolute([]string{"a b.jackfield", "jackfield:new/sftp", "file:///tmp/x%20y.jackfield", "-v", ""})
	here, _ := os.Getwd()
	want := []string{filepath.Join(here, "a b.jackfield"), "jackfield:new/sftp", "/tmp/x y.jackfield", "-v", ""}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q", got)
	}
}

// The program is started by a link or a file, and opens it after its first page.
func TestWhatTheProgramWasStartedWithIsShownLast(t *testing.T) {
	for name, saved := range map[string]bool{"first start": false, "with a connection": true} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, roomOptions{})
			if saved {
				r.prepared()
			}
			again := New(Options{App: r.app, Book: r.book, Runner: r.a.r})
			again.Start()
			again.Given([]string{"jackfield:new/sftp?host=files.example.com"})
			r.until("the start", func() bool { return again.started })
			r.settle()
			if again.form == nil || again.form.t.ID != "sftp" || again.form.field("host").value() != "files.example.com" {
				t.Error("the link's form is not shown")
			}
			again.quit()
		})
	}
}

package gui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"jackfield/gui/lang"
)

// speaks is the window in a language; the others are left as they were.
func speaks(t *testing.T, id string, o roomOptions) *room {
	t.Helper()
	t.Cleanup(func() {
		if err := lang.Use("en"); err != nil {
			t.Error(err)
		}
	})
	o.prefs = &keptPrefs{p: Prefs{Language: id}}
	return newRoom(t, o)
}

func TestALanguageThatIsChosenCountsAtOnce(t *testing.T) {
	r := speaks(t, "en", roomOptions{variant: theme.VariantLight})
	english := lang.T("settings.title")
	r.prepared()
	r.a.showSettings()
	sel, ok := seek(r, func(s *keySelect) bool { return len(s.Options) == len(lang.Languages())+1 })
	if !ok {
		t.Fatal("no choice of languages")
	}
	sel.SetSelected("Français")
	r.until("the language", func() bool { return lang.ID() == "fr" && strings.Contains(r.texts(), lang.T("settings.title")) })
	if strings.Contains(r.texts(), english) || !r.shows(lang.T("sidebar.title")) || !r.shows("Orders") {
		t.Errorf("%q", r.texts())
	}
	c := r.a.list[0]
	r.a.selectConnection(c.ID)
	was, err := r.book.Type(c.Type)
	if err != nil {
		t.Fatal(err)
	}
	if now, _ := r.a.typeOf(c.Type); now.Form.Fields[1].Help == was.Form.Fields[1].Help && now.Summary == was.Summary {
		t.Error("the form speaks English")
	}
	r.press(fyne.KeyF1)
	r.sees(lang.T("help.title"))
}

func TestShotsOfLanguages(t *testing.T) {
	for _, l := range lang.Languages()[1:] {
		t.Run(l.ID, func(t *testing.T) {
			r := speaks(t, l.ID, roomOptions{variant: theme.VariantLight, size: fyne.NewSize(1200, 800)})
			c := r.prepared()
			r.a.selectConnection(c.ID)
			r.until("the form", func() bool { return r.a.form != nil })
			r.shot("lang-" + l.ID + "-form")
			if w := r.a.preview.ready.page.inner.MinSize().Width; w > r.a.preview.ready.view.Size().Width {
				t.Errorf("what is to be done needs %v, and has %v", w, r.a.preview.ready.view.Size().Width)
			}
			r.a.showSettings()
			r.shot("lang-" + l.ID + "-settings")
			if r.a.win.Content().MinSize().Width > 1200 {
				t.Errorf("the window needs %v", r.a.win.Content().MinSize())
			}
		})
	}
}

package gui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// choice is one answer of a setting.
type choice[T comparable] struct {
	value T
	word  string
}

// settingsPage shows what a person can choose for the window. Every choice counts
// at once.
type settingsPage struct {
	*toolPage
	a     *App
	first fyne.Focusable
}

func (a *App) showSettings() {
	body := vbox(16)
	s := &settingsPage{a: a, toolPage: newToolPage(a, lang.T("settings.title"), lang.T("settings.text"), body)}
	body.Objects = []fyne.CanvasObject{
		card(vbox(14, strong(lang.T("settings.look")), s.language(), s.look())),
		card(vbox(14, strong(lang.T("settings.safety")), s.lock(), s.captured(), s.kept())),
		card(vbox(14, strong(lang.T("settings.work")), s.work())),
	}
	a.showPage(s.toolPage, s.first)
}

// pick is a setting with a name, a choice and a sentence about it.
func pick[T comparable](s *settingsPage, word string, options []choice[T], now T, chosen func(T)) *fyne.Container {
	var words []string
	at := 0
	for i, o := range options {
		words = append(words, o.word)
		if o.value == now {
			at = i
		}
	}
	sel := newKeySelect(words, s.a.windowKey)
	sel.SetSelectedIndex(at)
	sel.OnChanged = func(string) {
		if i := sel.SelectedIndex(); i >= 0 {
			chosen(options[i].value)
		}
	}
	if s.first == nil {
		s.first = sel
	}
	box := labelled(lang.T("settings."+word), fixed(320, 0, container.NewHBox(fixed(320, 0, outlined(sel)))))
	if help := lang.T("settings." + word + ".help"); help != "" {
		box.Add(wrapped(help, looks.Text2))
	}
	return box
}

// tick is a setting that is on or off.
func (s *settingsPage) tick(word string, on bool, chosen func(bool)) *fyne.Container {
	c := widget.NewCheck(lang.T("settings."+word), nil)
	c.Checked = on
	c.OnChanged = chosen
	return vbox(0, flushLeft(c), padded(0, 0, 26, 0, wrapped(lang.T("settings."+word+".help"), looks.Text2)))
}

func (s *settingsPage) language() *fyne.Container {
	options := []choice[string]{{"", lang.T("settings.system")}}
	for _, l := range lang.Languages() {
		options = append(options, choice[string]{l.ID, l.Name})
	}
	return pick(s, "language", options, s.a.prefs.Language, func(id string) {
		s.a.change(func(p *Prefs) { p.Language = id })
		s.a.speak()
	})
}

func (s *settingsPage) look() *fyne.Container {
	options := []choice[string]{{"", lang.T("settings.system")}, {"light", lang.T("settings.light")}, {"dark", lang.T("settings.dark")}}
	return pick(s, "theme", options, s.a.prefs.Theme, func(id string) {
		s.a.change(func(p *Prefs) { p.Theme = id })
		s.a.dress()
	})
}

func (s *settingsPage) lock() *fyne.Container {
	options := []choice[int]{{0, lang.T("settings.never")}}
	for _, m := range []int{5, 15, 60} {
		options = append(options, choice[int]{m, lang.T("settings.minutes", m)})
	}
	return pick(s, "lock", options, s.a.prefs.LockAfter, func(m int) {
		s.a.change(func(p *Prefs) { p.LockAfter = m })
		s.a.watchIdle()
	})
}

// captured is offered where the system can keep a window out of pictures.
func (s *settingsPage) captured() *fyne.Container {
	if s.a.o.Desktop == nil || !s.a.o.Desktop.CanHide() {
		return vbox(0)
	}
	return s.tick("captured", s.a.prefs.Captured, func(on bool) {
		s.a.change(func(p *Prefs) { p.Captured = on })
		s.a.hideFromPictures()
	})
}

// kept says where things are.
func (s *settingsPage) kept() *fyne.Container {
	return labelled(lang.T("settings.kept"), wrapped(lang.T("settings.kept.help"), looks.Text2))
}

func (s *settingsPage) work() *fyne.Container {
	box := vbox(10)
	if d := s.a.o.Desktop; d != nil {
		if on, can := d.AtLogin(); can {
			box.Add(s.tick("login", on, func(on bool) { s.a.tell(d.SetAtLogin(on)) }))
		}
	}
	if s.a.hasTray() {
		box.Add(s.tick("background", s.a.prefs.Background, func(on bool) {
			s.a.change(func(p *Prefs) { p.Background = on })
			s.a.showTray()
		}))
	}
	box.Add(s.tick("notify", s.a.prefs.Notify, func(on bool) { s.a.change(func(p *Prefs) { p.Notify = on }) }))
	return box
}

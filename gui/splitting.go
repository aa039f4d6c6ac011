package gui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"jackfield/gui/lang"
	looks "jackfield/gui/theme"
)

// splits spreads an address that stands in the field over several, and reports
// whether it did.
func (v *fieldView) splits() bool {
	if v.f.Split == nil || v.entry == nil || v.entry.Text == "" || v.entry.Text == v.whole {
		return false
	}
	parts := v.f.Split(v.entry.Text)
	if parts == nil {
		return false
	}
	v.p.split(v, parts)
	return true
}

// split answers the fields of parts, says so below the field that was pasted into,
// and offers to take it back.
func (p *formPane) split(from *fieldView, parts map[string]string) {
	type before struct {
		v       *fieldView
		text    string
		touched bool
	}
	var was []before
	var names []string
	pasted := from.entry.Text
	for _, v := range p.fields {
		text, ok := parts[v.f.Key]
		if !ok {
			continue
		}
		if v != from && v.value() == text {
			continue
		}
		was = append(was, before{v, v.value(), v.touched})
		v.set(text)
		v.touched = true
		if v != from {
			names = append(names, v.f.Label)
		}
	}
	p.changed()
	from.unnote()
	if err := from.f.Verify(from.value()); err != nil {
		from.say(err.Error(), true)
	} else {
		from.say(from.f.Help, false)
	}
	if len(names) == 0 {
		return
	}
	back := newKeyLink(lang.T("choices.takeback"), nil, p.a.windowKey)
	back.OnTapped = func() {
		for _, b := range was {
			if b.v == from || b.v.value() == parts[b.v.f.Key] { // what was typed since stays
				b.v.set(b.text)
				b.v.touched = b.touched
			}
		}
		from.entry.SetText(pasted)
		from.whole = pasted
		from.unnote()
		p.changed()
		p.a.win.Canvas().Focus(from.entry)
	}
	said := prose(lang.T("choices.split", strings.Join(names, ", ")), looks.Text2, theme.SizeNameCaptionText)
	back.SizeName = theme.SizeNameCaptionText
	w := fyne.MeasureText(back.Text, theme.CaptionTextSize(), fyne.TextStyle{}).Width + 4
	from.note = newDock(nil, nil, nil, padded(0, 0, 8, 0, fixed(w, 0, flush(back))), flush(said))
	from.box.Add(from.note)
	p.moved()
}

// unnote takes away what was said of a paste.
func (v *fieldView) unnote() {
	if v.note != nil {
		v.box.Remove(v.note)
		v.note = nil
		v.p.moved()
	}
}

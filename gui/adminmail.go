package gui

import (
	"strings"

	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"jackfield/connectors"
	"jackfield/gui/lang"
)

// mailButton copies what the administrator has to do as the text of a mail.
func (p *formPane) mailButton() *keyButton {
	b := newKeyButton(lang.T("choices.mail"), theme.MailComposeIcon(), func() { p.a.clip(p.adminMail()) }, p.a.windowKey)
	b.Importance = widget.LowImportance
	return b
}

// adminMail tells an administrator all that the guide asks of one: where, for
// whom, what to do. There is no secret in it.
func (p *formPane) adminMail() string {
	g, s := p.t.Guide, p.settings()
	parts := []string{lang.T("choices.mailsubject", p.t.Name), lang.T("choices.mailhello"), lang.T("choices.mailintro", p.t.Name)}
	var facts []string
	fact := func(key, text string) {
		if text != "" {
			facts = append(facts, lang.T(key, text))
		}
	}
	fact("choices.mailplace", connectors.Clean(p.t.Place(s.Plain), 300))
	fact("choices.mailuser", connectors.Clean(s.Plain["user"], 200))
	fact("choices.mailrights", g.Rights)
	fact("choices.mailredirect", g.RedirectURI)
	fact("choices.mailnetwork", g.Network)
	parts = append(parts, g.Admin, strings.Join(facts, "\n"), lang.T("choices.mailend"), lang.T("choices.mailthanks"))
	return strings.Join(parts, "\n\n") + "\n"
}

package gui

import (
	"context"

	"fyne.io/fyne/v2"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/theme"
)

// AskPassphrase asks for the passphrase of the store, or lets the person choose
// a fresh one, twice the same. It is called from the background and waits for
// the person.
func (a *App) AskPassphrase(ctx context.Context, fresh bool) ([]byte, error) {
	title, text := lang.T("passphrase.title"), lang.T("passphrase.text")
	if fresh {
		title, text = lang.T("keychain.title"), lang.T("keychain.text")
	}
	for {
		typed, err := ask(ctx, a, func(answer func([2]connectors.Secret)) *sheet { return a.passphraseSheet(title, text, fresh, answer) })
		switch {
		case err != nil:
			return nil, err
		case typed[0].Empty():
			return nil, &connectors.Error{Code: connectors.Storage, Reason: "keychain.no_passphrase"}
		case !fresh || typed[0].Reveal() == typed[1].Reveal():
			return []byte(typed[0].Reveal()), nil
		}
		text = lang.T("keychain.differ")
	}
}

func (a *App) passphraseSheet(title, text string, fresh bool, answer func([2]connectors.Secret)) *sheet {
	first, second := newEntry(false, true), newEntry(false, true)
	words := vbox(8, wrapped(text, theme.Text2), first)
	first.SetPlaceHolder(lang.T("keychain.passphrase"))
	if fresh {
		second.SetPlaceHolder(lang.T("keychain.again"))
		words.Add(second)
	}
	s := a.question(question{title: title, text: fixed(440, 0, padded(0, 12, 0, 0, words)), yes: lang.T("button.ok"), no: lang.T("button.cancel"), entry: first, answer: func(yes bool) {
		if !yes {
			answer([2]connectors.Secret{})
			return
		}
		answer([2]connectors.Secret{connectors.NewSecret(first.Text), connectors.NewSecret(second.Text)})
	}})
	if fresh {
		second.window, second.OnSubmitted = first.window, first.OnSubmitted
		first.OnSubmitted = func(string) { a.win.Canvas().Focus(fyne.Focusable(second)) }
	}
	return s
}

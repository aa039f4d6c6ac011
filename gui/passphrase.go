package gui

import (
	"context"
	"os"
	"strings"

	"jackfield/connectors"
	"jackfield/gui/lang"
	"jackfield/gui/theme"
)

// passphraseVar names a file with the store's passphrase, for unattended use.
const passphraseVar = "JACKFIELD_PASSPHRASE_FILE"

// AskPassphrase asks for the passphrase of the store. It is called from the
// background and waits for the person.
func (a *App) AskPassphrase(ctx context.Context) ([]byte, error) {
	if name := os.Getenv(passphraseVar); name != "" {
		data, err := os.ReadFile(name)
		return []byte(strings.TrimRight(string(data), "\r\n")), err
	}
	e := newEntry(false, true)
	s, err := ask(ctx, a, func(answer func(connectors.Secret)) *sheet {
		words := vbox(4, wrapped(lang.T("keychain.text"), theme.Text2), e)
		return a.question(question{title: lang.T("keychain.title"), text: fixed(420, 0, padded(0, 12, 0, 0, words)), yes: lang.T("button.ok"), no: lang.T("button.cancel"), entry: e, answer: func(yes bool) {
			if yes {
				answer(connectors.NewSecret(e.Text))
			} else {
				answer(connectors.Secret{})
			}
		}})
	})
	if err == nil && s.Empty() {
		return nil, &connectors.Error{Code: connectors.Storage, Reason: "keychain.no_passphrase"}
	}
	return []byte(s.Reveal()), err
}

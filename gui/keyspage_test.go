package gui

import (
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/intake"
	"jackfield/connectors/keys"
)

// generated is a new private key as OpenSSH writes it.
func generated(t *testing.T) []byte {
	t.Helper()
	item, err := keys.Generate("ed25519", "mira@example.com")
	if err != nil {
		t.Fatal(err)
	}
	w, err := keys.Write([]keys.Item{item}, keys.Want("openssh"))
	if err != nil {
		t.Fatal(err)
	}
	return w.Data
}

func TestAKeyIsLookedIntoAndConverted(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.showKeys(nil)
	r.shot("keys-01-empty")
	broken := strings.ReplaceAll(strings.TrimSpace(string(generated(t))), "\n", `\n`)
	r.a.showKeys(&intake.File{Name: "notes.txt", Data: []byte(broken)})
	r.sees("In another format")
	r.sees("Put right")
	r.shot("keys-02-repaired")
	if r.shows("BEGIN OPENSSH") {
		t.Error("the private key is shown outside of its field")
	}
	r.push("Copy")
	r.settle()
	r.a.showKeys(&intake.File{Data: []byte("just words")})
	r.settle()
	r.shot("keys-03-none")
}

func TestALockedKeyAsksForItsPassphrase(t *testing.T) {
	r := newRoom(t, roomOptions{})
	items, _, err := keys.Read(generated(t), connectors.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	want := keys.Want("ppk3")
	want.Passphrase = connectors.NewSecret("practice-only-phrase")
	locked, err := keys.Write(items, want)
	if err != nil {
		t.Fatal(err)
	}
	r.a.showKeys(&intake.File{Name: "id.ppk", Data: locked.Data})
	var pass *entry
	r.until("the passphrase line", func() bool {
		got, ok := seek(r, func(e *entry) bool { return e.Password && e.OnSubmitted != nil })
		pass = got
		return ok
	})
	r.shot("keys-04-locked")
	pass.SetText("practice-only-phrase")
	pass.OnSubmitted(pass.Text)
	r.sees("In another format")
	r.shot("keys-05-unlocked")
}

func TestANewKeyPairIsMade(t *testing.T) {
	r := newRoom(t, roomOptions{})
	r.a.showNewKey()
	r.shot("keys-06-new")
	r.push("Make it")
	r.sees("ssh-ed25519 ")
	r.shot("keys-07-made")
	kind, ok := seek(r, func(s *keySelect) bool { return len(s.Options) > 5 })
	if !ok {
		t.Fatal("nothing to choose")
	}
	kind.SetSelectedIndex(len(keys.Algorithms()) + makeWords)
	r.push("Make it")
	r.until("the words", func() bool { return strings.Count(r.texts(), "-") >= 5 })
	r.shot("keys-08-words")
}

package main

import (
	"strings"
	"testing"

	"jackfield/connectors"
)

// A directory's password is changed in one place; the second connection that
// refuses it is not tried.
func TestOneAccountForSeveralConnections(t *testing.T) {
	d, s := newDesk(t), services(t)
	directory := s["ldap"].Settings
	account := connectors.NewSettings()
	account.Plain["user"] = directory.Plain["user"]
	account.Secrets["password"] = directory.Secrets["password"]
	d.save("Person", "user_password", account)
	for _, name := range []string{"First", "Second"} {
		own := directory.Clone()
		delete(own.Secrets, "password")
		delete(own.Plain, "user")
		own.Plain["identity"] = "Person"
		d.save(name, "ldap", own)
	}
	if r := d.jf("link", "First"); r.code != exitFine {
		t.Fatalf("with the account's password: %s", r)
	}
	edited := d.with("practice-only-wrong", "edit", "Person", "--secret", "password=-")
	if edited.code != exitFine || !strings.Contains(edited.String(), `2 of your connections sign in with it; check them one by one: jf check --using "Person"`) {
		t.Errorf("after the change: %s", edited)
	}
	r := d.jf("check", "--using", "Person")
	if r.code != exitSaidNo || !strings.Contains(r.String(), "First: failed") || strings.Contains(r.String(), "Second: failed") || !strings.Contains(r.String(), "not tried, so that nothing locks the account: Second") {
		t.Errorf("with the wrong password: %s", r)
	}
	if r := d.jf("rm", "Person"); !strings.Contains(r.String(), `"First" uses it`) {
		t.Errorf("deleted without a word: %s", r)
	}
	if r := d.jf("link", "First"); r.code == exitFine || !strings.Contains(r.String(), "is gone") {
		t.Errorf("without the account: %s", r)
	}
}

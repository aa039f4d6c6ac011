//go:build unix

package smb

import (
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

func TestSambaOffersSharesAndFolders(t *testing.T) {
	s := start(t, place(t), "")
	session := conntest.Open(t, Type(), answersFor(s))
	got, err := conntest.Choices(t, session, "share")
	if err != nil || !slices.Contains(got, "docs") || slices.Contains(got, "unlisted") || slices.Contains(got, "IPC$") {
		t.Errorf("shares %q, %v", got, err)
	}
	got, err = conntest.Choices(t, session, "folder")
	if err != nil || !slices.Contains(got, "reports") || slices.Contains(got, "notes.txt") {
		t.Errorf("folders %q, %v", got, err)
	}
	_, err = conntest.Choices(t, conntest.Open(t, Type(), answersFor(s, "share", "")), "folder")
	if e := connectors.Classify(err); e == nil || e.Code != connectors.BadInput || e.Field != "share" {
		t.Errorf("folders of no share: %v", err)
	}
}

// A server may keep the names of its shares to itself.
func TestWhoMayNotListSharesIsTold(t *testing.T) {
	s := start(t, place(t), "restrict anonymous = 2\nmap to guest = Bad User\n")
	session, err := openWith(t, answersFor(s, "auth", anonymous, "share", ""))
	if err == nil {
		_, err = conntest.Choices(t, session, "share")
	}
	if code := connectors.CodeOf(err); code != connectors.Denied && code != connectors.AuthFailed {
		t.Errorf("%v, want denied", err)
	}
}

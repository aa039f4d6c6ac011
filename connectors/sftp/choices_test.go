//go:build unix

package sftp

import (
	"slices"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

func TestTheFoldersOfHomeAreOffered(t *testing.T) {
	s := startSSHD(t)
	for _, folder := range []string{"", "reports"} {
		session := works(t, s.settings(t, "folder", folder), connectors.Asker{})
		if got, err := conntest.Choices(t, session, "folder"); err != nil || !slices.Contains(got, "reports") || slices.Contains(got, "closed.txt") {
			t.Errorf("in %q: %q, %v", folder, got, err)
		}
	}
	server.Run(t, "chmod", "711", s.home) // root's: the account may enter it and not list it
	_, err := conntest.Choices(t, works(t, s.settings(t, "folder", "reports"), connectors.Asker{}), "folder")
	if connectors.CodeOf(err) != connectors.Denied {
		t.Errorf("who may not list home: %v, want denied", err)
	}
}

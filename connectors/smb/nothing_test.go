//go:build unix

package smb

import (
	"os"
	"path/filepath"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest"
	"jackfield/connectors/conntest/server"
)

// An open folder in which the server finds nothing to list, itself included, is
// empty. Samba answers so for one that may be read and not entered, Windows for
// the root of an empty drive.
func TestAFolderThatListsNothingIsEmpty(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "jf-smb-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	inner := filepath.Join(dir, "half", "inner")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	server.Run(t, "chmod", "755", dir)
	server.Run(t, "chmod", "744", filepath.Join(dir, "half"))
	s := server.Smbd(t, server.SMBSpec{Users: map[string]string{reader: password}, Sections: "[docs]\npath = " + dir + "\n"})
	session := conntest.Open(t, Type(), answersFor(s))
	if got := conntest.List(t, session, connectors.NodeID("docs/half")); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

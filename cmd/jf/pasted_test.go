package main

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"jackfield/connectors"
	"jackfield/connectors/sftp"
	"jackfield/connectors/smb"
)

func TestAPastedAddressAnswersSeveralQuestions(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		typ  connectors.Type
		set  []string
		want map[string]string
	}{
		{sftp.Type(), []string{"host=sftp://mira@files.example.com:2222/reports/"}, map[string]string{"host": "files.example.com", "port": "2222", "user": "mira", "folder": "/reports"}},
		{sftp.Type(), []string{"user=own", "host=sftp://mira@files.example.com/x", "port=22"}, map[string]string{"host": "files.example.com", "port": "22", "user": "own"}},
		{smb.Type(), []string{`host=\\server\share\folder\june`, "user=mira"}, map[string]string{"host": "server", "share": "share", "folder": "folder/june"}},
	} {
		typ := c.typ
		got, err := (&app{}).answers(context.Background(), typ, c.set, nil)
		if err != nil {
			t.Fatal(err)
		}
		for key, want := range c.want {
			f, _ := typ.Form.Field(key)
			text := got.Plain[key]
			if f.Tidy != nil {
				text = f.Tidy(text)
			}
			if text != want {
				t.Errorf("%v: %s is %q", c.set, key, text)
			}
		}
	}
	if r := d.jf("new", "smb", "Share", "--set", `host=\\server\share\folder`, "--set", "user=mira").exits(exitFine).says("password"); strings.Contains(r.out+r.err, "host") {
		t.Error(r)
	}
}

func TestAWorkbookWithAPasswordIsNotBytesAlone(t *testing.T) {
	d := newDesk(t)
	dir := t.TempDir()
	// A compound file whose directory is its first sector (MS-CFB sections 2.2 and 2.6).
	book := make([]byte, 1536)
	copy(book, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	book[30] = 9
	for i, u := range utf16.Encode([]rune("EncryptedPackage")) {
		binary.LittleEndian.PutUint16(book[512+2*i:], u)
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.xlsx"), book, 0o600); err != nil {
		t.Fatal(err)
	}
	s := connectors.NewSettings()
	s.Plain["path"] = dir
	d.save("Files", "folder", s)
	d.jf("show", "Files", "plan.xlsx").exits(exitFine).says("protected with a password")
}

func TestWhatWasSaidIsNotSaidTwice(t *testing.T) {
	d := newDesk(t)
	d.jf("new", "folder", "Share", "--set", `path=reports`).exits(exitFine)
	if r := d.jf("check", "Share").says("whole path"); strings.Contains(r.out+r.err, "said:") {
		t.Error(r)
	}
}

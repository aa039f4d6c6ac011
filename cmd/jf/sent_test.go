package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Whoever answers without a terminal is told which flag gives what is missing.
func TestAnAnswerWithoutAPersonSaysWhatToGive(t *testing.T) {
	d, dir := prepared(t), t.TempDir()
	request, answer := filepath.Join(dir, "r"), filepath.Join(dir, "a")
	d.jf("request", "new", "--from", "Orders", "--from", "Partner files", "--out", request).exits(exitFine)
	r := d.jf("request", "answer", request, "--out", answer).exits(exitNobody).says("Orders", "--secret 1.password=@FILE")
	if strings.Contains(r.err, "field:") {
		t.Error(r)
	}
	if shown := d.jf("request", "show", request).exits(exitFine); strings.Count(shown.out+shown.err, "1. Orders") != 1 {
		t.Error(shown)
	}
	d.jf("export", "Orders", "--out", filepath.Join(dir, "b")).exits(exitFine).says("One connection is in it.")
}

// A pasted message becomes a connection, and shows none of its secrets.
func TestAPastedMessageIsSaved(t *testing.T) {
	d := newDesk(t)
	mail := d.file("mail", "Hallo,\n\nServer: sftp.example.de\nPort: 22\nBenutzername: weber\nPasswort: "+handed+"\n")
	if r := d.jf("new", "--from", mail, "--as", "sftp").exits(exitFine).says("sftp.example.de", "Left out: the sentences around it"); strings.Contains(r.out+r.err, handed) {
		t.Error("the password shows")
	}
	d.jf("use", "sftp.example.de").exits(exitFine).says("rclone")
	locked := d.file("rclone.conf", "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAAA\n")
	d.jf("new", "--from", locked, "--passphrase", "@"+mail).exits(exitWrongUse).says("rclone config show")
}

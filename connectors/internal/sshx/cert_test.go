package sshx

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// What a server would only refuse is found before anything is sent.
func TestCertificatesAreJudgedOffline(t *testing.T) {
	keygen := server.Program(t, "ssh-keygen", "openssh-client")
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"ca", "mine", "other"} {
		server.Run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", file(name))
	}
	sign := func(args ...string) string {
		server.Run(t, keygen, append([]string{"-q", "-s", file("ca")}, append(args, file("mine.pub"))...)...)
		return read(t, file("mine-cert.pub"))
	}
	mine, err := Signer(connectors.NewSecret(read(t, file("mine"))), connectors.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Signer(connectors.NewSecret(read(t, file("other"))), connectors.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	const span = "20260501000000Z:20260502000000Z"
	good := sign("-I", "mira@acme", "-n", "mira,ops", "-z", "7", "-V", span, "-O", "force-command=internal-sftp")
	cert, err := Certificate(good)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		at   time.Time
		want string
		code connectors.Code
	}{
		{"in time", now, "", ""},
		{"its last second", time.Date(2026, 5, 1, 23, 59, 59, 0, time.UTC), "", ""},
		{"run out", time.Date(2026, 5, 2, 0, 0, 0, 0, time.UTC), "ssh.cert_expired certificate", connectors.Expired},
		{"too early", now.AddDate(0, 0, -1), "ssh.cert_not_yet certificate", connectors.BadInput},
	} {
		_, err := Certified(cert, mine, c.at)
		if reasonOf(err) != c.want || connectors.CodeOf(err) != c.code {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := Certified(cert, other, now); reasonOf(err) != "ssh.cert_of_another_key certificate" {
		t.Errorf("another key: %v", err)
	}
	facts := map[string]string{}
	for _, f := range CertFacts(cert) {
		facts[f.Label] = f.Text
	}
	if facts["Certificate"] != "mira@acme (serial 7)" || facts["Principals"] != "mira, ops" || facts["Expires"] != "2026-05-02T00:00:00Z" || facts["Valid from"] != "2026-05-01T00:00:00Z" || facts["Certificate: force-command"] != "internal-sftp" {
		t.Errorf("%v", facts)
	}
	forever, err := Certificate(sign("-I", "x", "-n", "mira"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Certified(forever, mine, now.AddDate(500, 0, 0)); err != nil {
		t.Errorf("without an end: %v", err)
	}
	for _, f := range CertFacts(forever) {
		if f.Label == "Expires" {
			t.Errorf("without an end: %v", f)
		}
	}
	for name, c := range map[string]struct{ line, want string }{
		"a host's":      {sign("-h", "-I", "x", "-n", "files"), "ssh.cert_of_host certificate"},
		"a public key":  {read(t, file("mine.pub")), "ssh.not_a_cert certificate"},
		"a private key": {read(t, file("mine")), "ssh.not_a_cert certificate"},
		"cut short":     {good[:200], "ssh.not_a_cert certificate"},
		"a megabyte":    {strings.Repeat("A", 1<<20), "ssh.not_a_cert certificate"},
	} {
		if _, err := Certificate(c.line); reasonOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

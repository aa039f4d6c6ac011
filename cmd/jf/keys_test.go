package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func (d *desk) file(name, text string) string {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

func run1(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestAKeyPairIsMadeConvertedAndReadByTheToolsOfOthers(t *testing.T) {
	d, dir := newDesk(t), t.TempDir()
	pass := d.file("pass", "practice-only-phrase\n")
	key := filepath.Join(dir, "id")
	made := d.jf("keys", "generate", "ed25519", "--out", key, "--comment", "mira@example.com", "--new-passphrase", "@"+pass).exits(exitFine)
	if !strings.HasPrefix(made.out, "ssh-ed25519 ") || !strings.Contains(made.out, "mira@example.com") {
		t.Errorf("the public line: %s", made)
	}
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the private file: %v %v", info, err)
	}
	d.jf("keys", "generate", "ed25519", "--out", key).exits(exitWrongUse).says("there already")

	ppk := filepath.Join(dir, "id.ppk")
	d.jf("keys", "convert", key, "--passphrase", "@"+pass, "--to", "ppk3", "--new-passphrase", "@"+pass, "--out", ppk).exits(exitFine)
	if got := run1(t, "puttygen", ppk, "-L"); strings.Fields(got)[1] != strings.Fields(made.out)[1] {
		t.Errorf("puttygen reads another key: %s, want %s", got, made.out)
	}
	open := filepath.Join(dir, "open")
	d.jf("keys", "convert", ppk, "--passphrase", "@"+pass, "--to", "openssh", "--out", open).exits(exitFine)
	if got := run1(t, "ssh-keygen", "-y", "-f", open); strings.Fields(got)[1] != strings.Fields(made.out)[1] {
		t.Errorf("ssh-keygen reads another key: %s", got)
	}
	d.jf("keys", "convert", ppk, "--to", "openssh", "--out", filepath.Join(dir, "no")).says("passphrase")
	d.jf("keys", "convert", ppk, "--passphrase", "@"+d.file("wrong", "other"), "--to", "openssh", "--out", filepath.Join(dir, "no")).exits(exitSaidNo)
	if _, err := os.Stat(filepath.Join(dir, "no")); err == nil {
		t.Error("a file was written although the passphrase was wrong")
	}
}

func TestAKeyBrokenByPastingIsRepairedAndNamed(t *testing.T) {
	d, dir := newDesk(t), t.TempDir()
	key := filepath.Join(dir, "key")
	d.jf("keys", "generate", "ecdsa256", "--to", "pkcs8", "--out", key).exits(exitFine)
	good, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	broken := d.file("notes.txt", `"`+strings.ReplaceAll(string(good), "\n", `\n`)+`"`)
	var report struct {
		Kind, What      string
		Repairs         []string
		Items, Findings []map[string]any
		Install         []map[string]any
	}
	d.jf("keys", "inspect", broken, "--json").exits(exitFine).into(&report)
	if report.Kind != "private_key" || len(report.Repairs) == 0 || len(report.Items) != 1 {
		t.Errorf("%+v", report)
	}
	d.jf("keys", "inspect", broken).exits(exitFine).says("This is", "put right:", "ECDSA")
	fixed := d.jf("keys", "repair", broken).exits(exitFine)
	if strings.TrimSpace(fixed.out) != strings.TrimSpace(string(good)) {
		t.Errorf("repaired:\n%s\nwant\n%s", fixed.out, good)
	}
	fixed.says("Put right:")
	d.with("just words", "keys", "inspect", "-").exits(exitWrongUse)
}

func TestACertificateRequestAndSecretsAreMade(t *testing.T) {
	d, dir := newDesk(t), t.TempDir()
	key, csr := filepath.Join(dir, "key"), filepath.Join(dir, "csr")
	d.jf("keys", "generate", "ecdsa256", "--to", "pkcs8", "--out", key).exits(exitFine)
	d.jf("keys", "generate", "request", "--key", key, "--cn", "client.example.com", "--dns", "client.example.com", "--out", csr).exits(exitFine)
	if got := run1(t, "openssl", "req", "-in", csr, "-noout", "-verify", "-text"); !strings.Contains(got, "DNS:client.example.com") {
		t.Errorf("openssl: %s", got)
	}
	if got := strings.TrimSpace(d.jf("keys", "generate", "secret", "--length", "40").exits(exitFine).out); len(got) != 40 {
		t.Errorf("a secret of %d characters", len(got))
	}
	if got := strings.TrimSpace(d.jf("keys", "generate", "words").exits(exitFine).out); strings.Count(got, "-") < 5 {
		t.Errorf("words: %q", got)
	}
	age := filepath.Join(dir, "age")
	public := strings.TrimSpace(d.jf("keys", "generate", "age", "--out", age).exits(exitFine).out)
	if got := strings.TrimSpace(run1(t, "age-keygen", "-y", age)); got != public {
		t.Errorf("age-keygen: %s, want %s", got, public)
	}
	d.jf("keys", "formats").exits(exitFine).says("openssh", "ppk3", "pfx")
}

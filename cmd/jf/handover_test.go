package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const handed = "practice-only-handed"

// prepared is a desk with two connections.
func prepared(t *testing.T) *desk {
	d := newDesk(t)
	pw := d.file("pw", handed+"\n")
	d.jf("new", "postgres", "Orders", "--set", "host=db.example.com", "--set", "user=reporting", "--set", "database=sales", "--secret", "password=@"+pw).exits(exitFine)
	d.jf("new", "sftp", "Partner files", "--set", "host=files.example.com", "--set", "user=acme").exits(exitFine)
	return d
}

func TestABundleIsSealedShownAndImported(t *testing.T) {
	from, to := prepared(t), newDesk(t)
	file := filepath.Join(t.TempDir(), "two.jackfield")
	sealed := from.jf("export", "--all", "--out", file, "--note", "for the audit").exits(exitFine)
	words := strings.TrimSpace(sealed.err[strings.LastIndex(strings.TrimSpace(sealed.err), "\n"):])
	if strings.Count(words, "-") < 4 {
		t.Fatalf("no passphrase of words: %s", sealed)
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(data), handed) || strings.Contains(string(data), "db.example.com") {
		t.Fatalf("not sealed: %v", err)
	}
	pass := to.file("pass", words)
	to.jf("import", file, "--passphrase", "@"+to.file("other", "some-other-words")).exits(exitWrongUse).says("passphrase is wrong")
	to.jf("import", file, "--passphrase", "@"+pass, "--dry-run").exits(exitFine).says("Orders", "Partner files")
	if got := listed(t, to); len(got) != 0 {
		t.Fatalf("looking saved something: %v", got)
	}
	to.jf("import", file, "--passphrase", "@"+pass).exits(exitNobody).says("--yes")
	to.jf("import", file, "--passphrase", "@"+pass, "--yes").exits(exitFine).says("Orders")
	to.jf("import", file, "--passphrase", "@"+pass, "--pick", "1").exits(exitFine).says("Orders 2")
	got := listed(t, to)
	if len(got) != 3 || got["Orders"]["state"] != "prepared" {
		t.Errorf("imported: %v", got)
	}
	to.jf("use", "Orders", "--as", "uri").says(handed)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	from.jf("export", "Orders", "--out", file).exits(exitWrongUse).says("there already")
}

func TestABundleForAKeyIsOpenedByTheStockTool(t *testing.T) {
	d, dir := prepared(t), t.TempDir()
	identity, file := filepath.Join(dir, "identity"), filepath.Join(dir, "one.jackfield")
	public := strings.TrimSpace(d.jf("keys", "generate", "age", "--out", identity).exits(exitFine).out)
	d.jf("export", "Orders", "--to", public, "--out", file, "--armor").exits(exitFine)
	if got := run1(t, "age", "-d", "-i", identity, file); !strings.Contains(got, "db.example.com") {
		t.Errorf("age: %s", got)
	}
	d.jf("import", file).exits(exitWrongUse).says("--identity")
	d.jf("import", file, "--identity", identity, "--yes").exits(exitFine).says("Orders 2")
}

func TestARequestIsAnsweredAndOpenedByTheRequesterAlone(t *testing.T) {
	mira, tom := newDesk(t), newDesk(t)
	dir := t.TempDir()
	ask, answer := filepath.Join(dir, "ask"), filepath.Join(dir, "answer")
	made := mira.jf("request", "new", "postgres", "Sales", "--set", "host=db.example.com", "--set", "database=sales", "--name", "Mira", "--note", "for the monthly report", "--out", ask).exits(exitFine)
	words := made.err[strings.LastIndex(strings.TrimSpace(made.err), "\n"):]
	tom.jf("request", "show", ask).exits(exitFine).says("Mira", "for the monthly report", strings.TrimSpace(words), "password")
	pw := tom.file("pw", handed)
	tom.jf("request", "answer", ask, "--set", "user=reporting", "--out", answer).exits(exitNobody).says("--secret password=@FILE")
	tom.jf("request", "answer", ask, "--set", "user=reporting", "--secret", "password=@"+pw, "--out", answer).exits(exitFine)
	if got := listed(t, tom); len(got) != 0 {
		t.Errorf("what was made for the answer stays: %v", got)
	}
	if data, err := os.ReadFile(answer); err != nil || strings.Contains(string(data), handed) {
		t.Fatalf("not sealed: %v", err)
	}
	tom.jf("request", "open", answer).exits(exitWrongUse)
	mira.jf("request", "open", answer, "--yes").exits(exitFine).says("Sales")
	mira.jf("use", "Sales", "--as", "uri").exits(exitFine).says(handed, "reporting")

	var list []map[string]any
	mira.jf("request", "list", "--json").exits(exitFine).into(&list)
	if len(list) != 1 {
		t.Fatalf("requests: %v", list)
	}
	has(t, list[0], "id created from note words names")
	mira.jf("request", "again", list[0]["id"].(string), "--out", filepath.Join(dir, "again")).exits(exitFine)
	mira.jf("request", "open", answer, "--yes").exits(exitWrongUse).says("withdrawn")
}

func TestAProfileHoldsNoSecretAndIsUnderstood(t *testing.T) {
	d, other := prepared(t), newDesk(t)
	text := d.jf("export", "Orders", "--text").exits(exitFine).out
	if strings.Contains(text, handed) || !strings.Contains(text, "db.example.com") {
		t.Errorf("profile: %s", text)
	}
	other.with(text, "new", "--from", "-").exits(exitFine).says("Orders", "missing: password")
}

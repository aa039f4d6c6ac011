package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestSecurity80_HandingOverLeavesNoTrace: preparing, sealing, opening and asking
// write a secret into no output, data file or temporary file; only what is asked
// to show it does.
func TestSecurity80_HandingOverLeavesNoTrace(t *testing.T) {
	d, dir := newDesk(t), t.TempDir()
	secret := d.file("secret", canary+"\n")
	url := d.file("url", "postgres://reporting:"+canary+"@db.example.com/sales?sslpassword="+canary+"x")
	age, bundle, words := filepath.Join(dir, "age"), filepath.Join(dir, "one"), filepath.Join(dir, "two")
	ask, answer := filepath.Join(dir, "ask"), filepath.Join(dir, "answer")
	var said strings.Builder
	run := func(args ...string) *ran {
		r := d.jf(args...).exits(exitFine)
		said.WriteString(r.out + r.err)
		return r
	}
	run("new", "sftp", "Partner", "--set", "host=files.example.com", "--set", "user=acme", "--secret", "password=@"+secret)
	run("new", "--from", url, "--dry-run", "--json")
	run("new", "--from", url, "Orders")
	run("ready", "--all", "--json")
	run("ready", "--all", "--out", filepath.Join(dir, "list.html"))
	run("rights", "Orders", "--json")
	run("export", "--all", "--text")
	run("use", "Orders", "--as", "uri", "--no-secrets")
	run("use", "Orders", "--as", "env", "--variables")
	run("use", "Orders", "--run", "--", "true")
	key := strings.TrimSpace(run("keys", "generate", "age", "--out", age).out)
	run("export", "--all", "--to", key, "--out", bundle)
	run("export", "Orders", "--passphrase", "@"+secret, "--out", words)
	run("import", bundle, "--identity", age, "--yes")
	run("import", words, "--passphrase", "@"+secret, "--yes", "--json")
	run("request", "new", "postgres", "Sales", "--set", "host=db.example.com", "--set", "database=sales", "--out", ask)
	run("request", "answer", ask, "--set", "user=reporting", "--secret", "password=@"+secret, "--out", answer)
	run("request", "open", answer, "--yes")
	run("list", "--json")
	d.jf("import", bundle, "--passphrase", "@"+secret).exits(exitWrongUse)
	d.jf("use", "Orders", "--as", canary).exits(exitWrongUse)
	d.clean("what was said", []string{canary}, said.String())
	d.tmp = dir
	d.clean("what was written", []string{canary}, "")
	if got := d.jf("use", "Orders", "--as", "uri").exits(exitFine); !strings.Contains(got.out, canary) {
		t.Errorf("asked to, it is not shown: %s", got)
	}
}

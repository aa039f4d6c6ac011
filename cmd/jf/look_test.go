package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite" // makes the database that jf then reads

	"jackfield/cmd/internal/wire"
	"jackfield/connectors"
	"jackfield/connectors/conntest"
)

// linkJSON decodes a result and checks the shape that others rely upon.
func linkJSON(t *testing.T, r *ran) map[string]any {
	t.Helper()
	var v map[string]any
	r.into(&v)
	has(t, v, "name type ok state facts steps problem")
	for _, s := range v["steps"].([]any) {
		has(t, s.(map[string]any), "stage ok ms text")
	}
	for _, f := range v["facts"].([]any) {
		has(t, f.(map[string]any), "label text")
	}
	if p, ok := v["problem"].(map[string]any); ok {
		has(t, p, "code title hint field said")
	}
	return v
}

// firstNode walks ls down first branches to a node that can be shown.
func firstNode(t *testing.T, d *desk, name string) string {
	t.Helper()
	id := ""
	for range 5 {
		args := []string{"ls", name, "--json", "--limit", "40"}
		if id != "" {
			args = append(args, id)
		}
		nodes := d.jf(args...).exits(exitFine).lines()
		if len(nodes) == 0 {
			t.Fatalf("%s: nothing below %q", name, id)
		}
		next := ""
		for _, n := range nodes {
			has(t, n, "id name kind branch facts")
			switch kind := n["kind"]; {
			case kind == "table" || kind == "file" || kind == "person" || kind == "resource" || kind == "collection":
				return n["id"].(string)
			case next == "" && n["branch"] == true:
				next = n["id"].(string)
			}
		}
		if next == "" {
			return nodes[0]["id"].(string)
		}
		id = next
	}
	return id
}

func TestEveryPracticeServiceIsLinkedListedAndShown(t *testing.T) {
	d := newDesk(t)
	running := d.command("practice", "--save")
	waitFor(t, running, "Ctrl+C")
	for name, c := range listed(t, d) {
		t.Run(name, func(t *testing.T) {
			if c["state"] != "prepared" {
				t.Errorf("%v", c)
			}
			v := linkJSON(t, d.jf("link", name, "--json").exits(exitFine))
			if v["ok"] != true || v["state"] != "ok" || v["problem"] != nil || len(v["facts"].([]any)) == 0 {
				t.Errorf("%v", v)
			}
			if got := listed(t, d)[name]; got["state"] != "ok" || got["checked"] == "" {
				t.Errorf("%v", got)
			}
			node := firstNode(t, d, name)
			d.jf("ls", name).exits(exitFine)
			if c["type"] == "mqtt" {
				return
			}
			var shown map[string]any
			d.jf("show", name, node, "--json").exits(exitFine).into(&shown)
			if _, rows := shown["columns"]; rows {
				has(t, shown, "columns rows truncated")
				if d.jf("show", name, node, "--csv", "--rows", "2").exits(exitFine); len(shown["rows"].([]any)) == 0 {
					t.Error("no rows")
				}
			} else {
				has(t, shown, "media_type truncated")
			}
			d.jf("show", name, node).exits(exitFine)
		})
	}
	r := d.jf("check", "--all", "--json", "--jobs", "2").exits(exitFine)
	if n := len(r.lines()); n != 6 {
		t.Errorf("%d results of 6: %s", n, r)
	}
	for name, c := range listed(t, d) {
		if c["type"] == "ldap" {
			d.jf("edit", name, "--set", "base_dn=ou=gone,dc=example,dc=com").exits(exitFine)
		}
	}
	d.jf("check", "--all").exits(exitSaidNo).says("field: base_dn")
}

func TestWatch(t *testing.T) {
	d := newDesk(t)
	c := services(t)["mqtt"]
	d.save("Sensors", "mqtt", c.Settings)
	for _, v := range d.jf("watch", "Sensors", "--count", "3", "--json").exits(exitFine).lines() {
		has(t, v, "time path body dropped")
		if _, err := time.Parse(time.RFC3339, v["time"].(string)); err != nil {
			t.Error(err)
		}
	}
	d.jf("watch", "Sensors", "--for", "300ms").exits(exitFine)
	d.save("Table", "sqlite", services(t)["sqlite"].Settings)
	d.jf("watch", "Table").exits(exitSaidNo)
}

// waitFor starts cmd and waits until it has said something.
func waitFor(t *testing.T, cmd *exec.Cmd, after string) io.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	buf, seen := make([]byte, 4096), ""
	for !strings.Contains(seen, after) {
		n, err := out.Read(buf)
		seen += string(buf[:n])
		if err != nil {
			t.Fatalf("it ended before it said %q: %s", after, seen)
		}
	}
	return out
}

// interrupt sends SIGINT once jf has said something, and waits for its end.
func interrupt(t *testing.T, d *desk, after string, args ...string) (code int) {
	t.Helper()
	cmd := d.command(args...)
	out := waitFor(t, cmd, after)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

func TestAnInterruptEndsWith130(t *testing.T) {
	d := newDesk(t)
	s := services(t)
	d.save("Sensors", "mqtt", s["mqtt"].Settings)
	if code := interrupt(t, d, "/", "watch", "Sensors"); code != exitInterrupted {
		t.Errorf("watch: exit code %d", code)
	}
	host, port := conntest.Silent(t)
	silent := s["sftp"].Settings.Clone()
	silent.Plain["host"], silent.Plain["port"] = host, port
	d.save("Silent", "sftp", silent)
	if code := interrupt(t, d, "connect", "link", "Silent"); code != exitInterrupted {
		t.Errorf("link: exit code %d", code)
	}
	if code := interrupt(t, d, "Ctrl+C", "practice"); code != exitFine {
		t.Errorf("practice: exit code %d", code)
	}
}

// Without a terminal nobody can answer for an unknown host key.
func TestNobodyToAskEndsWithThree(t *testing.T) {
	d := newDesk(t)
	s := services(t)
	d.save("Files", "sftp", s["sftp"].Settings)
	v := linkJSON(t, d.jf("link", "Files", "--json").exits(exitNobody))
	if v["ok"] != false || v["problem"].(map[string]any)["code"] != "untrusted" {
		t.Errorf("%v", v)
	}
	d.env = append(d.env, "BROWSER=/bin/false")
	d.save("Sign in", "oauth", s["oauth"].Settings)
	d.jf("check", "Sign in").exits(exitSaidNo)
	// Its passphrase cannot be asked for either.
	d.env = append(d.env, "JACKFIELD_PASSPHRASE_FILE=")
	d.jf("link", "Files").exits(exitNobody)
}

func TestAWrongPasswordEndsWithOne(t *testing.T) {
	d := newDesk(t)
	s := services(t)["ldap"].Settings.Clone()
	s.Secrets["password"] = connectors.NewSecret("wrong-practice")
	d.save("People", "ldap", s)
	v := linkJSON(t, d.jf("link", "People", "--json").exits(exitSaidNo))
	p := v["problem"].(map[string]any)
	if v["state"] != "failed" || p["code"] != "auth_failed" || p["title"] == "" || p["hint"] == "" {
		t.Errorf("%v", v)
	}
	lines := d.jf("ls", "People", "--json").exits(exitSaidNo).lines()
	if len(lines) != 1 || lines[0]["problem"] == nil {
		t.Errorf("%v", lines)
	}
	d.jf("link", "People").exits(exitSaidNo).says("NO  sign in", p["title"].(string), p["hint"].(string))
}

// What one program saves the other sees at once, while both run.
func TestTheWindowSeesWhatJfDoes(t *testing.T) {
	d := newDesk(t)
	for _, kv := range d.env[:4] {
		k, v, _ := strings.Cut(kv, "=")
		t.Setenv(k, v)
	}
	a := app{}
	window, err := wire.Open(wire.Options{Passphrase: a.passphrase})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	changed := window.Book.Changes(ctx)
	d.save("From the terminal", "http", services(t)["http"].Settings)
	select {
	case <-changed:
	case <-ctx.Done():
		t.Fatal("the window was not told")
	}
	c, err := window.Book.ByName(ctx, "From the terminal")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := window.Book.Rename(ctx, c.ID, "From the window"); err != nil {
		t.Fatal(err)
	}
	d.jf("link", "From the window").exits(exitFine)
	if c, err = window.Book.Get(ctx, c.ID); err != nil || c.State != "ok" {
		t.Errorf("%+v %v", c, err)
	}
}

func hostileDatabase(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hostile.db")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for _, q := range []string{"CREATE TABLE \"red\x1b[31m\u202egpj.exe\u009b2J\x07\" (\"c\x1b]0;owned\x07\" TEXT)",
		"INSERT INTO \"red\x1b[31m\u202egpj.exe\u009b2J\x07\" VALUES ('v\x1b[2J\u2066x\r'), ('=HYPERLINK(1)'), ('-12.5')"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	return file
}

func TestSecurity70_WhatServersSayCannotSteerTheTerminal(t *testing.T) {
	d := newDesk(t)
	s := connectors.NewSettings()
	s.Plain["file"] = hostileDatabase(t)
	d.save("Hostile", "sqlite", s)
	nodes := d.jf("ls", "Hostile", "--json", "-R").exits(exitFine).lines()
	id := ""
	for _, n := range nodes {
		if n["kind"] == "table" {
			id = n["id"].(string)
		}
	}
	seen := d.jf("link", "Hostile").exits(exitFine).String()
	seen += d.jf("ls", "Hostile", "-R").exits(exitFine).String()
	seen += d.jf("show", "Hostile", id).exits(exitFine).String()
	seen += d.jf("show", "Hostile", id+"\x1b[31m").exits(exitSaidNo).err
	if !strings.Contains(seen, "gpj.exe") || !strings.Contains(seen, "-12.5") {
		t.Fatalf("the table is not shown: %s", seen)
	}
	// The arguments that String quotes are escaped by %q.
	if i := strings.IndexFunc(seen, func(r rune) bool {
		return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}); i >= 0 {
		t.Errorf("steers the terminal: %q", seen[i:min(i+40, len(seen))])
	}
	csv := d.jf("show", "Hostile", id, "--csv").exits(exitFine).out
	if !strings.Contains(csv, "'=HYPERLINK(1)") || !strings.Contains(csv, "\n-12.5\n") {
		t.Errorf("%q", csv)
	}
}

func TestDoctor(t *testing.T) {
	d := newDesk(t)
	var parts []map[string]any
	d.jf("doctor", "--json").exits(exitFine).into(&parts)
	for _, p := range parts {
		has(t, p, "part ok text")
	}
	d.env = append(d.env, "HTTPS_PROXY=http://user:hunter2-practice@proxy.example:3128", "NO_PROXY=")
	if r := d.jf("doctor").exits(exitFine).says("proxy.example", "keychain", "data folder"); strings.Contains(r.out, "hunter2") {
		t.Errorf("the proxy's password is shown: %s", r)
	}
}

func TestPracticeTour(t *testing.T) {
	d := bareDesk(t)
	d.jf("practice", "--tour").exits(exitFine).says("6 practice connections linked, 0 failed", "sign in", "The first rows of")
	if _, err := os.Stat(d.home); err == nil {
		t.Error("the tour saved something")
	}
}

func TestPracticeSave(t *testing.T) {
	d := newDesk(t)
	for range 2 {
		if code := interrupt(t, d, "Ctrl+C", "practice", "--save"); code != exitFine {
			t.Fatalf("exit code %d", code)
		}
		if got := listed(t, d); len(got) != 6 {
			t.Errorf("%d connections: %v", len(got), got)
		}
	}
}

func TestJSONIsNotEscapedForHTML(t *testing.T) {
	d := newDesk(t)
	d.jf("new", "sftp", "A & B <test>").exits(exitFine)
	r := d.jf("list", "--json")
	var v []map[string]any
	if json.Unmarshal([]byte(r.out), &v) != nil || !strings.Contains(r.out, "A & B <test>") {
		t.Error(r.out)
	}
}

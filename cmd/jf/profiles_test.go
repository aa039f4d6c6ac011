package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTypes(t *testing.T) {
	d := bareDesk(t)
	var types []map[string]any
	d.jf("types", "--json").exits(exitFine).into(&types)
	ids := map[string]bool{}
	for _, v := range types {
		has(t, v, "id name group summary")
		ids[v["id"].(string)] = true
	}
	for id := range strings.FieldsSeq("sftp ldap mqtt sqlite mysql postgres oauth http dynamics365 coupa twilio") {
		if !ids[id] {
			t.Errorf("no type %s", id)
		}
	}
	d.jf("types").exits(exitFine).says("TYPE", "sftp", "SFTP")
	if _, err := os.Stat(d.home); err == nil {
		t.Error("listing the types made a data folder")
	}
}

func TestDescribe(t *testing.T) {
	d := newDesk(t)
	var types []map[string]any
	d.jf("types", "--json").into(&types)
	for _, v := range types {
		var form struct {
			ID, Name string
			Fields   []map[string]any
			Guide    map[string]any
		}
		id := v["id"].(string)
		d.jf("describe", id, "--json").exits(exitFine).into(&form)
		if form.ID != id || len(form.Fields) == 0 || form.Guide == nil {
			t.Errorf("%s: %+v", id, form)
		}
		for _, f := range form.Fields {
			has(t, f, "key label help kind required secret default options show")
		}
		d.jf("describe", id).exits(exitFine).says(form.Fields[0]["key"].(string))
	}
	d.jf("describe", "nothing").exits(exitWrongUse).says("nothing")
}

func listed(t *testing.T, d *desk) map[string]map[string]any {
	t.Helper()
	var all []map[string]any
	d.jf("list", "--json").exits(exitFine).into(&all)
	out := map[string]map[string]any{}
	for _, c := range all {
		has(t, c, "name type state account checked expires")
		out[c["name"].(string)] = c
	}
	return out
}

func TestAConnectionIsPreparedWithoutANetwork(t *testing.T) {
	d := bareDesk(t)
	d.jf("list").exits(exitFine).says("No connections yet")
	if got := listed(t, d); len(got) != 0 {
		t.Errorf("%v", got)
	}
	d.jf("new", "sftp", "Partner files", "--set", "host=files.example.com").exits(exitFine).says("Saved", "still missing: user", "still missing: password")
	if got := listed(t, d)["Partner files"]; got["state"] != "prepared" || got["type"] != "sftp" || got["checked"] != "" {
		t.Errorf("%v", got)
	}
	var saved struct {
		Name, State string
		Missing     []string
		Wrong       map[string]string
	}
	d.with("s3cret-practice\n", "edit", "Partner files", "--set", "user=mira", "--set", "port=99999", "--secret", "password=-", "--json").exits(exitFine).into(&saved)
	if len(saved.Missing) != 0 || saved.Wrong["port"] == "" {
		t.Errorf("%+v", saved)
	}
	d.jf("edit", "Partner files", "--set", "port=22").exits(exitFine).says("Complete", "jf link")
	d.jf("copy", "Partner files", "Partner files, test").exits(exitFine).says("Complete")
	d.jf("rename", "Partner files", "Old partner").exits(exitFine)
	if got := listed(t, d); len(got) != 2 || got["Old partner"] == nil || got["Partner files, test"] == nil {
		t.Errorf("%v", got)
	}
	d.jf("list").exits(exitFine).says("Old partner", "prepared")
	d.jf("rm", "Old partner", "no such").exits(exitWrongUse).says("no such")
	if len(listed(t, d)) != 2 {
		t.Error("a misspelled name beside it deleted a connection")
	}
	d.jf("rm", "Old partner", "Partner files, test").exits(exitFine).says("Deleted")
	if len(listed(t, d)) != 0 {
		t.Error("still there")
	}
	left, err := filepath.Glob(filepath.Join(d.home, "connections", "*-*"))
	sealed, err2 := filepath.Glob(filepath.Join(d.home, "secrets", "*-*"))
	if err != nil || err2 != nil || len(left)+len(sealed) > 0 {
		t.Errorf("left over: %v %v", left, sealed)
	}
}

func TestWrongUseEndsWithTwo(t *testing.T) {
	d := newDesk(t)
	d.jf("new", "sftp", "One").exits(exitFine)
	for _, args := range [][]string{
		{"nonsense"}, {"new"}, {"new", "sftp"}, {"new", "nothing", "X"}, {"new", "sftp", "one"}, {"new", "sftp", " "}, {"link"}, {"link", "unknown"}, {"list", "more"}, {"list", "--nonsense"},
		{"new", "sftp", "X", "--set", "nothing=1"}, {"new", "sftp", "X", "--set", "host"}, {"new", "sftp", "X", "--secret", "host=@/dev/null"},
		{"new", "sftp", "X", "--secret", "password=@" + filepath.Join(d.tmp, "absent")}, {"new", "sftp", "X", "--secret", "password=env:NOT_SET_ANYWHERE"},
		{"check"}, {"check", "One", "--all"}, {"check", "One", "--jobs", "0"}, {"check", "One", "--timeout", "long"}, {"rename", "One"}, {"copy", "One", "one"}, {"ls"}, {"show", "One"},
	} {
		r := d.jf(args...).exits(exitWrongUse)
		if r.err == "" || r.out != "" {
			t.Errorf("nothing said, or on the wrong stream: %s", r)
		}
	}
	if len(listed(t, d)) != 1 {
		t.Error("wrong use left something behind")
	}
}

// What is missing is the person's to fill in: no server was asked.
func TestLinkingAnUnfinishedConnection(t *testing.T) {
	d := newDesk(t)
	d.jf("new", "sftp", "One").exits(exitFine)
	d.jf("link", "One").exits(exitWrongUse).says("field: host")
	var r resultJSON
	d.jf("check", "One", "--json").exits(exitSaidNo).into(&r)
	if r.OK || r.Problem == nil || r.Problem.Field != "host" || len(r.Steps) != 1 || r.Steps[0].Stage != "form" || r.Steps[0].OK {
		t.Errorf("%+v %+v", r, r.Problem)
	}
}

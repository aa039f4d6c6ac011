package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSecurity27_CheckAllLeavesARefusedPasswordAlone(t *testing.T) {
	d := newDesk(t)
	s := services(t)
	d.save("Files", "sftp", s["sftp"].Settings)
	d.jf("check", "Files").exits(exitSaidNo) // the server's key is not trusted yet
	d.jf("check", "--all").exits(exitSaidNo).says("Files: failed", "Not tried again by itself", `jf check "Files"`)
	lines := d.jf("check", "--all", "--json").exits(exitSaidNo).lines()
	if len(lines) != 1 || lines[0]["ok"] != false || lines[0]["not_tried"].(map[string]any)["why"] != "refused" || lines[0]["problem"].(map[string]any)["code"] != "untrusted" {
		t.Errorf("%v", lines)
	}
	d.jf("health", "Files", "--history").exits(exitFine).says("needs attention")
	if n := strings.Count(d.jf("health", "Files", "--history").out, "needs attention"); n != 1 {
		t.Errorf("it was tried %d times", n)
	}
	d.jf("check", "Files").exits(exitSaidNo)
	if n := strings.Count(d.jf("health", "Files", "--history").out, "needs attention"); n != 2 {
		t.Errorf("it was tried %d times although it was asked for", n)
	}
}

func TestTheBoardIsWrittenInEveryFormatWithoutANetwork(t *testing.T) {
	d := newDesk(t)
	d.jf("health").exits(exitFine).says("No connections.")
	s := services(t)
	d.save("Directory", "ldap", s["ldap"].Settings)
	d.jf("check", "Directory").exits(exitFine)
	d.jf("health").exits(exitFine).says("Directory", "linked", ".............................+")
	var rows []map[string]any
	d.jf("health", "--json").exits(exitFine).into(&rows)
	if len(rows) != 1 {
		t.Fatalf("%v", rows)
	}
	has(t, rows[0], "name type state account checked tried ms expires problem not_tried days")
	page := filepath.Join(d.tmp, "board.html")
	d.jf("health", "--format", "html", "--out", page).exits(exitFine)
	if data, err := os.ReadFile(page); err != nil || !strings.Contains(string(data), "Directory") {
		t.Errorf("%s %v", data, err)
	}
	d.jf("health", "--format", "csv").exits(exitFine).says("name,type,state", "Directory,")
	var past []map[string]any
	d.jf("health", "Directory", "--history", "--json").exits(exitFine).into(&past)
	if len(past) != 1 || past[0]["state"] != "ok" {
		t.Errorf("%v", past)
	}
	for _, args := range [][]string{{"--format", "pdf"}, {"--history"}, {"Directory", "--history", "--format", "csv"}, {"One", "Two"}, {"Nobody"}} {
		d.jf(append([]string{"health"}, args...)...).exits(exitWrongUse)
	}
}

package main

import (
	"os"
	"strings"
	"testing"
)

func TestAConnectionIsUsedElsewhere(t *testing.T) {
	d := prepared(t)
	var formats []map[string]any
	d.jf("use", "Orders", "--json").exits(exitFine).into(&formats)
	if len(formats) < 5 {
		t.Errorf("%d formats", len(formats))
	}
	for _, f := range formats {
		has(t, f, "id name for file clear missing")
	}
	d.jf("use", "Orders").exits(exitFine).says("FORMAT", "uri")
	if got := d.jf("use", "Orders", "--as", "uri", "--no-secrets").exits(exitFine); strings.Contains(got.out+got.err, handed) {
		t.Errorf("the secret is shown: %s", got)
	}
	d.jf("use", "Orders", "--as", "nothing").exits(exitWrongUse)

	shown := d.jf("use", "Orders", "--run", "--", "sh", "-c", "echo $PGHOST; test \"$PGPASSWORD\" = \"$(cat "+d.file("want", handed)+")\"").exits(exitFine)
	shown.says("db.example.com")
	d.jf("use", "Orders", "--run", "--", "sh", "-c", "exit 7").exits(7)
	if os.Getenv("PGPASSWORD") != "" {
		t.Error("the secret is in this process's environment")
	}
}

func TestReadinessIsToldOfflineAndNeverGreen(t *testing.T) {
	d := prepared(t)
	var lists []map[string]any
	d.jf("ready", "--all", "--json").exits(exitFine).into(&lists)
	if len(lists) != 2 {
		t.Fatalf("%v", lists)
	}
	page := d.tmp + "/list.html"
	d.jf("ready", "--all", "--out", page).exits(exitFine)
	data, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(data), "<html") || strings.Contains(string(data), handed) {
		t.Errorf("%v: %.300s", err, data)
	}
	got := d.jf("ready", "Partner files").exits(exitFine)
	if strings.Contains(got.out, handed) {
		t.Error("a secret is in the list")
	}
	d.jf("rights", "Orders").exits(exitFine).says("GRANT")
}

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/conntest/server"
)

// An analyst finds out why the service account cannot read a table.
func TestAnAnalystComparesTwoAccounts(t *testing.T) {
	pg := server.Postgres(t)
	pg.SQL(t, `CREATE DATABASE shop;
\c shop
CREATE SCHEMA hr; CREATE TABLE hr.people (id int, name text); CREATE TABLE public.orders (id int);
CREATE ROLE analyst LOGIN PASSWORD 'practice-only-roles'; CREATE ROLE service LOGIN PASSWORD 'practice-only-roles';
GRANT USAGE ON SCHEMA hr TO analyst; GRANT SELECT ON hr.people, public.orders TO analyst, service;
`)
	d := newDesk(t)
	for _, user := range []string{"analyst", "service"} {
		s := connectors.NewSettings()
		s.Plain = map[string]string{"host": "127.0.0.1", "port": strconv.Itoa(pg.Port), "user": user, "database": "shop", "tls": "verify", "ca": pg.CA.PEM}
		s.Secrets["password"] = connectors.NewSecret("practice-only-roles")
		d.save(user, "postgres", s)
	}
	text := d.jf("compare", "analyst", "service").exits(exitDiffer).out
	for _, want := range []string{"service may not read 1 table that analyst can: hr / people.", "The schema “hr” above it is closed to this account"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	d.jf("compare", "analyst", "analyst").exits(exitFine)
	dir := t.TempDir()
	for _, end := range []string{"json", "csv", "html", "txt"} {
		d.jf("report", "service", "--out", filepath.Join(dir, "r."+end)).exits(exitFine)
	}
	d.jf("compare", filepath.Join(dir, "r.json"), "service").exits(exitFine)
	var got struct {
		Verdict string `json:"verdict"`
		Answer  string `json:"answer"`
	}
	d.jf("compare", filepath.Join(dir, "r.json"), "analyst", "--json").exits(exitDiffer).into(&got)
	if got.Verdict != "differ" || !strings.Contains(got.Answer, "hr / people") {
		t.Errorf("%+v", got)
	}
	d.jf("report", "service", "--out", filepath.Join(dir, "r.csv")).exits(exitWrongUse)
	d.jf("report", "service", "--format", "pdf").exits(exitWrongUse)
	d.jf("report", "service", "--depth", "0").exits(exitWrongUse)
	if said := d.jf("compare", filepath.Join(dir, "none.json"), "service").exits(exitWrongUse).err; !strings.Contains(said, "give a connection's name, or a file that jf report") || !strings.Contains(said, "no such file") {
		t.Errorf("%q", said)
	}
	other := filepath.Join(dir, "other.json")
	if err := os.WriteFile(other, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.jf("compare", other, "service").exits(exitWrongUse)
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors/web"
)

const ownFile = `id: acme_crm
name: Acme CRM
group: services
summary: Customers of our own CRM
tile: AC
keywords: [customers]
where: [base_url]
guide: {steps: [Ask Mira.], redirect_uri: "http://127.0.0.1/callback"}
fields:
  - {key: base_url, label: Address, kind: url, required: true}
  - {key: token, label: Token, kind: secret, required: true}
base: "{base_url}"
sign_in: [{kind: bearer, secret: token}]
check: {get: /me}
tree:
  - {id: customers, name: Customers, kind: folder, list: {get: /customers, items: data}, each: {id: id, name: name, kind: customer, rows: {get: "/customers/{id}"}}}
`

// own puts a file into the catalogue folder.
func (d *desk) own(name, text string) string {
	d.t.Helper()
	dir := filepath.Join(d.home, "catalogue")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		d.t.Fatal(err)
	}
	return write(d.t, filepath.Join(dir, name), text)
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileIsCheckedBeforeItIsUsed(t *testing.T) {
	d := newDesk(t)
	draft := write(t, filepath.Join(d.tmp, "acme.yaml"), ownFile)
	folder := filepath.Join(d.home, "catalogue")
	d.jf("catalog", "check", draft).exits(exitFine).says("Acme CRM (acme_crm)", "base_url", "Address", "required, secret", "bearer", "http://127.0.0.1/callback", "Customers (folder)", "each customer", "put it into the catalogue folder:\n  "+folder)
	var made struct {
		OK          bool
		ID, Folder  string
		Fields      []map[string]any
		Ways        []struct{ Kind string }
		RedirectURI string `json:"redirect_uri"`
		InUse       bool   `json:"in_use"`
		Tree        []struct {
			Name  string
			Below []struct {
				Kind string
				Each bool
			}
		}
	}
	d.jf("catalog", "check", draft, "--json").exits(exitFine).into(&made)
	if !made.OK || made.ID != "acme_crm" || made.Folder != folder || len(made.Fields) != 2 || len(made.Ways) != 1 || made.Ways[0].Kind != "bearer" || made.RedirectURI == "" || made.InUse ||
		len(made.Tree) != 1 || len(made.Tree[0].Below) != 1 || !made.Tree[0].Below[0].Each || made.Tree[0].Below[0].Kind != "customer" {
		t.Errorf("%+v", made)
	}
	d.jf("catalog", "check", d.own("acme.yaml", ownFile)).exits(exitFine).says("It is in the catalogue folder")
	d.own("also.yaml", ownFile)
	d.jf("types").exits(exitFine).says("acme_crm", "Acme CRM (yours)", "there is already a type")
}

func TestABadFileIsToldWithLineAndReasonAndStopsNothing(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		name, text, reason string
		line               int
	}{
		{"member", strings.Replace(ownFile, "tile:", "tyle:", 1), `no key "tyle"`, 5},
		{"broken", "id: [\n", "", 1},
		{"rule", strings.Replace(ownFile, "secret: token", "secret: tokens", 1), `"tokens" is no secret field`, 13},
		{"built in", strings.Replace(ownFile, "id: acme_crm", "id: sftp", 1), "built-in type", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := write(t, filepath.Join(d.tmp, "x.yaml"), c.text)
			r := d.jf("catalog", "check", file).exits(exitWrongUse).says(c.reason, file)
			if strings.Count(r.err, "\n") != 1 {
				t.Errorf("more than a line: %s", r)
			}
			var wrong struct {
				File, Reason string
				OK           bool
				Line         int
			}
			d.jf("catalog", "check", file, "--json").exits(exitWrongUse).into(&wrong)
			if wrong.OK || wrong.Line != c.line || wrong.File != file || !strings.Contains(wrong.Reason, c.reason) {
				t.Errorf("%+v", wrong)
			}
		})
	}
	d.jf("catalog", "check", filepath.Join(d.tmp, "absent.yaml")).exits(exitWrongUse).says("absent.yaml")
	d.own("good.yaml", ownFile)
	d.own("bad.yaml", "id: bad\nmystery: 1\n")
	r := d.jf("types").exits(exitFine).says("bad.yaml, line 2", "mystery")
	if !strings.Contains(r.out, "acme_crm") || !strings.Contains(r.out, "sftp") || strings.Contains(r.out, "mystery") {
		t.Errorf("%s", r)
	}
	var types []map[string]any
	d.jf("types", "--json").exits(exitFine).into(&types)
	own := 0
	for _, v := range types {
		has(t, v, "origin")
		if v["origin"] != "" {
			own++
		}
	}
	if own != 1 {
		t.Errorf("%d types of one's own", own)
	}
	d.jf("new", "acme_crm", "Ours", "--set", "base_url=https://crm.example.com").exits(exitFine)
}

func TestTheExampleCanBeUsedAndOverwritesNothing(t *testing.T) {
	d := newDesk(t)
	if got := d.jf("catalog", "new").exits(exitFine).out; got != string(web.Example()) || len(got) < 1000 {
		t.Errorf("%d bytes", len(got))
	}
	file := filepath.Join(d.tmp, "mine.yaml")
	d.jf("catalog", "new", file).exits(exitFine).says("jf catalog check")
	d.jf("catalog", "check", file).exits(exitFine)
	write(t, file, "somebody's work")
	d.jf("catalog", "new", file).exits(exitWrongUse).says("nothing is overwritten")
	if data, err := os.ReadFile(file); err != nil || string(data) != "somebody's work" {
		t.Errorf("%q %v", data, err)
	}
	for _, args := range [][]string{{"catalog", "check"}, {"catalog", "new", "a", "b"}, {"catalog", "nonsense"}, {"catalog", "new", filepath.Join(d.tmp, "no", "folder.yaml")}} {
		if r := d.jf(args...).exits(exitWrongUse); r.err == "" {
			t.Errorf("nothing said: %s", r)
		}
	}
}

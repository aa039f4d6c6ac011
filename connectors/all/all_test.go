package all

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/web"
)

func TestEveryTypeIsSound(t *testing.T) {
	services, err := web.Services()
	if err != nil {
		t.Fatal(err)
	}
	types := All()
	if len(types) < 6+len(services) {
		t.Errorf("only %d types", len(types))
	}
	seen := map[string]bool{}
	for _, ty := range types {
		if err := ty.Check(); err != nil {
			t.Error(err)
		}
		if seen[ty.ID] {
			t.Errorf("%s is listed twice", ty.ID)
		}
		seen[ty.ID] = true
		// A service whose only answer is a key has no place that could be shown.
		plain := slices.ContainsFunc(ty.Form.Fields, func(f connectors.Field) bool { return !f.Kind.Secret() })
		if len(ty.Tile) != 2 || len(ty.Keywords) == 0 || plain && len(ty.Where) == 0 {
			t.Errorf("%s: the gallery needs a tile of two letters, keywords and a place", ty.ID)
		}
		for _, f := range ty.Form.Fields {
			if f.Label != "" && f.Label[len(f.Label)-1] == ':' {
				t.Errorf("%s.%s: a label ends without a colon", ty.ID, f.Key)
			}
		}
	}
	for _, id := range []string{"sftp", "ldap", "mqtt", "sqlite", "mysql", "postgres", "oauth", "http", "dynamics365", "coupa", "twilio"} {
		if !seen[id] {
			t.Errorf("%s is missing", id)
		}
	}
}

func TestAnOwnFileTakesNoBuiltInPlace(t *testing.T) {
	dir := t.TempDir()
	text := "id: sftp\nname: x\nsummary: x\ngroup: web\nfields:\n  - {key: base_url, label: Address, kind: url, required: true}\nbase: \"{base_url}\"\nsign_in: [{kind: none}]\ncheck: {get: /}\n"
	if err := os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	shelf, errs := NewShelf(dir)
	if len(shelf.All()) != len(All()) || len(errs) != 1 {
		t.Errorf("%d types, %v", len(shelf.All()), errs)
	}
}

// One type is had without reading the whole catalogue, and is the same.
func TestAShelfFindsWhatItLists(t *testing.T) {
	dir := t.TempDir()
	own := strings.Replace(string(web.Example()), "id: example_crm", "id: mine", 1)
	if err := os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "y.yaml"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	shelf, errs := NewShelf(dir)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "y.yaml") || len(shelf.All()) != len(All())+1 {
		t.Fatal(errs)
	}
	for _, want := range shelf.All() {
		got, ok := shelf.Find(want.ID)
		if !ok || got.Name != want.Name || got.Origin != want.Origin || len(got.Form.Fields) != len(want.Form.Fields) {
			t.Errorf("%s: %+v, %v", want.ID, got.Name, ok)
		}
	}
	for _, id := range []string{"", "nothing", "../twilio", "*", "twilio.yaml"} {
		if _, ok := shelf.Find(id); ok {
			t.Errorf("%q is found", id)
		}
	}
}

package wire

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"jackfield/connectors/all"
	"jackfield/platform/paths"
)

func TestAnUnusableFileIsNamedWithItsLine(t *testing.T) {
	home := t.TempDir()
	t.Setenv(paths.HomeVar, home)
	dir := filepath.Join(home, "catalogue")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	rest := "group: services\nsummary: For tests\nfields:\n  - {key: base_url, label: Address, kind: url, required: true}\nbase: \"{base_url}\"\n"
	for name, text := range map[string]string{
		"1-member.yaml": "id: one\nname: One\nmystery: 1\n" + rest,
		"2-broken.yaml": "id: two\nname: [\n",
		"3-rule.yaml":   "id: three\nname: Three\n" + rest + "sign_in: [{kind: bearer, secret: token}]\ncheck: {get: /me}\n",
		"4-taken.yaml":  "id: sftp\nname: Four\n" + rest + "sign_in: [{kind: none}]\ncheck: {get: /me}\n",
		"5-fine.yaml":   "id: five\nname: Five\n" + rest + "sign_in: [{kind: none}]\ncheck: {get: /me}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	types, bad := Types()
	if list := types.All(); len(list) != len(all.All())+1 {
		t.Errorf("%d types", len(list))
	}
	want := []string{
		"1-member.yaml, line 3: there is no key \"mystery\" here",
		"2-broken.yaml, line 2: ", // and the parser's own words
		"3-rule.yaml, line 8: sign_in: \"token\" is no secret field",
		"4-taken.yaml: there is already a type \"sftp\"",
	}
	if len(bad) != len(want) {
		t.Fatalf("%v", bad)
	}
	for i, u := range bad {
		if got := u.Place(false) + ": " + u.Reason; !strings.HasPrefix(got, want[i]) || u.Reason == "" {
			t.Errorf("%s, want %s", got, want[i])
		}
		if u.File != filepath.Join(dir, filepath.Base(u.File)) {
			t.Errorf("its path is %s", u.File)
		}
	}
}

package web

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestTheExampleFileExplainsEverythingAndIsSound(t *testing.T) {
	ty, err := parse(Example())
	if err != nil {
		t.Fatal(err)
	}
	if ty.ID == "" || len(ty.Form.Fields) < 3 {
		t.Errorf("%+v", ty)
	}
	text := string(Example())
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(ty reflect.Type) {
		for ty.Kind() == reflect.Pointer || ty.Kind() == reflect.Slice || ty.Kind() == reflect.Map {
			ty = ty.Elem()
		}
		if ty.Kind() != reflect.Struct || seen[ty] {
			return
		}
		seen[ty] = true
		for i := range ty.NumField() {
			f := ty.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name == "-" || !f.IsExported() {
				continue
			}
			if name != "" && !regexp.MustCompile(`\b`+name+`\b`).MatchString(text) {
				t.Errorf("the example does not mention %q (%s)", name, ty.Name())
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[service]())
}

func TestABadFileIsNamedWithLineAndReason(t *testing.T) {
	good := string(Example())
	for name, c := range map[string]struct{ from, to, want string }{
		"unknown key":         {"tile: EX", "tiles: EX", "tiles"},
		"not yaml":            {"fields:", "fields: [", "line 33"},
		"unknown kind":        {"kind: key\n", "kind: keys\n", "keys"},
		"secret in a path":    {"get: /api/v1/me ", "get: \"/api/v1/me?k={api_key}\" ", "{api_key}"},
		"host not anchored":   {`"https://files.example.com/{id}", range`, `"https://files.{id}/x", range`, "not anchored"},
		"no https":            {`"https://files.example.com/{id}", range`, `"http://files.example.com/{id}", range`, "https"},
		"unknown code":        {"code: expired", "code: ended", "ended"},
		"rule without a hint": {", hint: Ask its owner.}", "}", "title and a hint"},
		"no sentence":         {"hint: Ask its owner.}", "hint: ask}", "sentence"},
		"unknown shape":       {"each: {of: file}", "each: {of: files2}", "files2"},
		"a bad pattern":       {`pattern: "crm_[0-9a-z]{8,}"`, `pattern: "crm_["`, "api_key"},
		"an example that its own pattern refuses": {"example: https://acme.example.com", "example: https://acme.other.com", "example"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(good, c.from) {
				t.Fatalf("the example has no %q", c.from)
			}
			_, err := parse([]byte(strings.Replace(good, c.from, c.to, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
			if err != nil && !regexp.MustCompile(`line \d+|\[\d+:\d+\]`).MatchString(err.Error()) {
				t.Errorf("no line is named: %v", err)
			}
		})
	}
}

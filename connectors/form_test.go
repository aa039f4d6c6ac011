package connectors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"jackfield/connectors"
)

type config struct {
	Host string            `field:"host"`
	Port int               `field:"port"`
	Auth string            `field:"auth"`
	Pass connectors.Secret `field:"password"`
	Key  connectors.Secret `field:"key"`
	Old  bool              `field:"legacy"`
	Seen connectors.Secret `field:"known,issued"`
}

type nothing struct{}

func (nothing) Check(context.Context) ([]connectors.Fact, error) { return nil, nil }
func (nothing) Close() error                                     { return nil }

func sample() connectors.Form {
	return connectors.Form{Fields: []connectors.Field{
		{Key: "host", Label: "Host", Kind: connectors.Text, Required: true, Example: "a.example"},
		{Key: "port", Label: "Port", Kind: connectors.Integer, Default: "22"},
		{Key: "auth", Label: "Sign in with", Kind: connectors.Choice, Default: "password", Options: []connectors.Option{{Value: "password", Label: "Password"}, {Value: "key", Label: "Key"}}},
		{Key: "password", Label: "Password", Kind: connectors.SecretText, Required: true, Show: connectors.When("auth", "password")},
		{Key: "key", Label: "Private key", Kind: connectors.SecretLines, Required: true, Show: connectors.When("auth", "key")},
		{Key: "legacy", Label: "Old algorithms", Kind: connectors.Toggle, Default: "false", Advanced: true},
	}}
}

func typeOf(open func(config)) connectors.Type {
	return connectors.Define(connectors.Type{ID: "x", Name: "X", Summary: "An x.", Group: connectors.GroupFiles, Form: sample()},
		func(_ context.Context, _ *connectors.Env, c config) (connectors.Session, error) {
			open(c)
			return nothing{}, nil
		})
}

func TestDefineDecodesWhatTheUserSees(t *testing.T) {
	var got config
	s := connectors.NewSettings()
	s.Plain["host"] = "  files.example.com "
	s.Secrets["password"] = connectors.NewSecret(" keep my spaces ")
	s.Secrets["key"] = connectors.NewSecret("hidden by auth=password")
	s.Secrets["known"] = connectors.NewSecret("issued before")
	ty := typeOf(func(c config) { got = c })
	if err := ty.Check(); err != nil {
		t.Fatal(err)
	}
	if _, err := ty.Open(t.Context(), nil, s); err != nil {
		t.Fatal(err)
	}
	if got.Host != "files.example.com" || got.Port != 22 || got.Pass.Reveal() != " keep my spaces " || !got.Key.Empty() || got.Seen.Reveal() != "issued before" {
		t.Errorf("decoded %+v, key empty %v", got, got.Key.Empty())
	}
}

func TestOpenRefusesAFormThatCannotBeRight(t *testing.T) {
	ty := typeOf(func(config) { t.Error("it was opened") })
	for _, c := range []struct {
		name  string
		spoil func(connectors.Settings)
		field string
	}{
		{"nothing", func(connectors.Settings) {}, "host"},
		{"port", func(s connectors.Settings) { s.Plain["host"] = "h"; s.Plain["port"] = "many" }, "port"},
		{"choice", func(s connectors.Settings) { s.Plain["host"] = "h"; s.Plain["auth"] = "magic" }, "auth"},
		{"secret", func(s connectors.Settings) { s.Plain["host"] = "h" }, "password"},
		{"NUL", func(s connectors.Settings) { s.Plain["host"] = "h\x00x" }, "host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := connectors.NewSettings()
			c.spoil(s)
			_, err := ty.Open(t.Context(), nil, s)
			var e *connectors.Error
			if !errors.As(err, &e) || e.Code != connectors.BadInput || e.Field != c.field || e.Said == "" {
				t.Errorf("%v, want bad input at %s", err, c.field)
			}
		})
	}
}

func TestMissingFollowsTheConditions(t *testing.T) {
	s := connectors.NewSettings()
	s.Plain["auth"] = "key"
	if got := strings.Join(sample().Missing(s), " "); got != "host key" {
		t.Errorf("missing %q", got)
	}
}

func TestFormCheckFindsUnsoundForms(t *testing.T) {
	for _, c := range []struct {
		name string
		f    connectors.Field
		want string
	}{
		{"key", connectors.Field{Key: "Bad Key", Label: "x", Kind: connectors.Text}, "lower case"},
		{"twice", connectors.Field{Key: "host", Label: "x", Kind: connectors.Text}, "twice"},
		{"label", connectors.Field{Key: "y", Kind: connectors.Text}, "label"},
		{"options", connectors.Field{Key: "y", Label: "x", Kind: connectors.Choice}, "options"},
		{"condition", connectors.Field{Key: "y", Label: "x", Kind: connectors.Text, Show: connectors.When("nowhere", "1")}, "nowhere"},
		{"impossible", connectors.Field{Key: "y", Label: "x", Kind: connectors.Text, Show: connectors.When("auth", "magic")}, "cannot be"},
		{"example", connectors.Field{Key: "y", Label: "x", Kind: connectors.Integer, Example: "many"}, "example"},
		{"folded", connectors.Field{Key: "y", Label: "x", Kind: connectors.Text, Required: true, Advanced: true}, "folded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := sample()
			f.Fields = append(f.Fields, c.f)
			if err := f.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want a word of %q", err, c.want)
			}
		})
	}
}

func TestTypeCheckWantsATagForEveryField(t *testing.T) {
	ty := typeOf(func(config) {})
	ty.Form.Fields = append(ty.Form.Fields, connectors.Field{Key: "extra", Label: "Extra", Kind: connectors.Text})
	if err := ty.Check(); err == nil || !strings.Contains(err.Error(), "extra") {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoJSONIsToldWithItsLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", ""}, {`{"a": "{now}", "b": [1, null]}`, ""}, {"\n 7 \n", ""},
		{" \n", "This is no JSON: there is nothing in it."},
		{"{\n\"a\": 1,\n}", "This is no JSON: line 3 goes wrong at “}”."},
		{"{\n\"a\": 1\n\n\n", "This is no JSON: line 2 ends where more has to follow."},
		{"{\"a\": \"one\ntwo\"}", "This is no JSON: line 1 goes wrong at its end."},
		{"{\"a\": {now}}", "This is no JSON: line 1 goes wrong at “n”."},
		{"[1]\nö", "This is no JSON: line 2 goes wrong at “ö”."},
		{"{\u202e}", "This is no JSON: line 1 goes wrong at “\ufffd”."},
	} {
		err := connectors.Field{Key: "x", Label: "X", Kind: connectors.JSON}.Verify(c.text)
		if got := fmt.Sprint(err); (err != nil || c.want != "") && got != c.want {
			t.Errorf("%q: %s, want %q", c.text, got, c.want)
		}
	}
}

func FuzzVerifyJSON(f *testing.F) {
	f.Add("{\"a\":\n1,}")
	f.Add("\xff")
	f.Fuzz(func(t *testing.T, v string) {
		err := connectors.Field{Key: "x", Label: "X", Kind: connectors.JSON}.Verify(v)
		if good := v == "" || json.Valid([]byte(v)) && !strings.ContainsRune(v, 0); good != (err == nil) {
			t.Errorf("%q: %v", v, err)
		}
	})
}

func FuzzClean(f *testing.F) {
	f.Add("plain", 3)
	f.Add("\u202egpj.exe", 0)
	f.Add("\xff\x00\x1b[31m", 100)
	f.Fuzz(func(t *testing.T, s string, max int) {
		got := connectors.Clean(s, max%1000)
		if again := connectors.Clean(got, 0); again != got {
			t.Errorf("cleaning %q twice gives %q", got, again)
		}
	})
}

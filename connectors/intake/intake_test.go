package intake

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

func reading(found Found) string {
	if len(found.Items) == 0 || len(found.Items[0].Readings) == 0 {
		return "nothing"
	}
	return found.Items[0].Readings[0].Type
}

// sound proves what Read promises.
func sound(tb testing.TB, types []connectors.Type, found Found) {
	tb.Helper()
	for _, i := range found.Items {
		if len(i.Readings) == 0 {
			tb.Errorf("%q has no reading", i.Name)
		}
		for _, r := range i.Readings {
			ty, ok := connectors.Find(types, r.Type)
			if !ok {
				tb.Errorf("%s is not offered", r.Type)
			}
			answered(tb, ty, r)
		}
	}
	if shown := fmt.Sprintf("%+v", found); strings.Contains(shown, secret) {
		tb.Errorf("a secret shows: %s", shown)
	}
}

func answered(tb testing.TB, ty connectors.Type, r Reading) {
	tb.Helper()
	for k := range r.Settings.Plain {
		if x, ok := ty.Form.Field(k); !ok || x.Kind.Secret() || !ty.Form.Visible(k, r.Settings) {
			tb.Errorf("%s: %s is no plain field, or hidden", r.Type, k)
		}
	}
	for k := range r.Settings.Secrets {
		if x, ok := ty.Form.Field(k); !ok || !x.Kind.Secret() || !ty.Form.Visible(k, r.Settings) {
			tb.Errorf("%s: %s is no secret field, or hidden", r.Type, k)
		}
	}
	for _, e := range ty.Form.Validate(Finish(ty, r)) {
		if !e.Missing {
			tb.Errorf("%s: %v", r.Type, e)
		}
	}
}

func TestCorpus(t *testing.T) {
	types := offered()
	all := corpus()
	if len(all) < 120 {
		t.Errorf("only %d things", len(all))
	}
	for n, p := range all {
		t.Run(fmt.Sprintf("%d %s %s", n, p.reader, p.types), func(t *testing.T) {
			f := File{Data: []byte(p.text)}
			_, by, _ := ask(part.Input{Data: f.Data, Text: text(f.Data), Types: types})
			found, err := Read(types, f, connectors.Secret{})
			if err != nil {
				t.Fatalf("%v, read by %s", err, by)
			}
			if got := reading(found); by != p.reader || !slices.Contains(strings.Fields(p.types), got) {
				t.Errorf("read by %s as %s, want %s as %s", by, got, p.reader, p.types)
			}
			sound(t, types, found)
			for _, i := range found.Items {
				choices := Judge(types, i)
				if len(choices) != len(i.Readings) {
					t.Errorf("%d choices", len(choices))
				}
				for _, c := range choices {
					if len(c.Wrong) > 0 || c.Settings.Plain == nil {
						t.Errorf("%v", c.Wrong)
					}
				}
			}
		})
	}
}

func wide(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func TestTextIsDecoded(t *testing.T) {
	types := offered()
	table := "Typ;Bezeichnung;Rechner;Benutzername;Passwort\r\nsftp;Büro;files.example.com;alice;" + secret + "\r\n"
	for name, data := range map[string][]byte{"UTF-8": []byte(table), "a mark": []byte("\ufeff" + table), "UTF-16": wide(table), "Latin-1": []byte(strings.ReplaceAll(table, "ü", "\xfc"))} {
		found, err := Read(types, File{Data: data}, connectors.Secret{})
		if err != nil || reading(found) != "sftp" || found.Items[0].Name != "Büro" {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}

func TestWhatIsNoConnection(t *testing.T) {
	types := offered()
	for text, want := range map[string]string{
		"": "intake.empty", " \n\t": "intake.empty", "\ufeff ": "intake.empty", "hello": "intake.unknown", "The quick brown fox jumps over the lazy dog.": "intake.unknown",
		"Lorem ipsum dolor sit amet, consectetur adipiscing elit,\nsed do eiusmod tempor incididunt ut labore et dolore magna aliqua.": "intake.unknown",
		"Dear Alice,\n\nplease find the host and the password attached; the user is the same as before.\n\nRegards":                    "intake.unknown",
		"<!DOCTYPE html><html><body>Sign in</body></html>":                                                                             "intake.unknown", `{"a":1}`: "intake.unknown", "\x7fELF\x00\x01\x02": "intake.unknown", "11111111-2222-3333-4444-555555555555": "intake.unknown",
		strings.Repeat("x", MaxSize+1): "intake.large", "PK\x03\x04garbage": "intake.zip",
	} {
		found, err := Read(types, File{Name: "x", Data: []byte(text)}, connectors.Secret{})
		if reasonOf(err) != want {
			t.Errorf("%.40q: %v %q, want %s; %+v", text, err, reasonOf(err), want, found)
		} else if x := connectors.Explain(err); x.Title == "" || x.Hint == "" {
			t.Errorf("%s has no words", want)
		}
	}
	// What is known but not offered is said.
	found, err := Read(nil, File{Data: []byte("ghp_" + strings.Repeat("aB3d", 10))}, connectors.Secret{})
	if reasonOf(err) != "intake.nothing_offered" {
		t.Errorf("%+v, %v", found, err)
	}
}

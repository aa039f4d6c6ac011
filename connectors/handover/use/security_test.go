package use

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/all"
)

const canary = "CANARYpractice0000000000"

// filled answers every field of a type with its example, and secrets with the canary.
func filled(typ connectors.Type, option int) Given {
	s := typ.Form.Defaults()
	for _, f := range typ.Form.Fields {
		switch {
		case f.Kind.Secret():
			s.Secrets[f.Key] = connectors.NewSecret(canary + f.Key)
		case f.Kind == connectors.Choice:
			s.Plain[f.Key] = f.Options[option%len(f.Options)].Value
		case f.Example != "":
			s.Plain[f.Key] = f.Example
		case f.Required && f.Default == "":
			s.Plain[f.Key] = "example"
		}
	}
	if typ.ID == "sftp" || typ.ID == "ssh" { // a line that the person trusted; it is public
		s.Secrets["known_hosts"] = connectors.NewSecret("db.example.test ssh-ed25519 practice")
	}
	return Given{Type: typ, Name: "Shop", Settings: s}
}

// TestSecurity80_NoSecretBesideTheText writes every type in every format and looks
// for the canary wherever it must not be.
func TestSecurity80_NoSecretBesideTheText(t *testing.T) {
	t.Parallel()
	written := map[string]bool{}
	for _, typ := range all.All() {
		for option := range 3 {
			g := filled(typ, option)
			for _, f := range Formats(g) {
				for _, mode := range []Mode{Placeholder, Reveal, Variable} {
					text, err := Write(f.ID, g, Options{Secrets: mode})
					seen := fmt.Sprintf("%v %#v %+v %v %q %q", f, text, text.Files, err, text.Warnings, text.Left)
					body := text.Body.Reveal()
					for _, x := range text.Files {
						body += x.Body.Reveal()
					}
					if mode != Reveal {
						seen += body
					} else if !f.Clear { // its files may be keys
						seen += text.Body.Reveal()
					}
					if strings.Contains(seen, canary) {
						t.Fatalf("%s as %s, mode %d: the canary shows: %s", typ.ID, f.ID, mode, seen)
					}
					if mode == Reveal && err == nil && strings.Contains(text.Body.Reveal(), canary) && len(text.Warnings) == 0 {
						t.Errorf("%s as %s holds a secret and does not say so", typ.ID, f.ID)
					}
					written[f.ID] = written[f.ID] || err == nil
				}
			}
			vars, err := Env(g)
			if seen := fmt.Sprintf("%v %#v %v", vars, vars, err); strings.Contains(seen, canary) {
				t.Fatalf("%s: %s", typ.ID, seen)
			}
		}
	}
	for _, w := range writers() {
		if !written[w.ID] {
			t.Errorf("%s was never written", w.ID)
		}
	}
}

// TestSecurity60_APasswordStaysOne: what looks like further settings is a part of
// the password in every address and string.
func TestSecurity60_APasswordStaysOne(t *testing.T) {
	t.Parallel()
	g := as(t, "postgres", "host", "db.example.test", "user", "ann", "password", nasty[1], "database", "shop")
	for _, f := range Formats(g) {
		text, ok := held(t, f.ID, g, Options{})
		if ok && regexp.MustCompile(`(?m)^(host|sslmode)=['"]?(evil|disable)`).MatchString(text.Body.Reveal()) {
			t.Errorf("%s: %s", f.ID, text.Body.Reveal())
		}
	}
}

func TestFormatsFit(t *testing.T) {
	t.Parallel()
	for id, not := range map[string][]string{"sftp": {"uri-postgres", "libpq", "pgpass", "aws-profile", "jdbc"}, "postgres": {"rclone", "ssh-config", "aws-profile", "kafka"}, "s3": {"libpq", "ssh-config", "uri"}} {
		var got []string
		for _, f := range Formats(filled(typeOf(t, id), 0)) {
			got = append(got, f.ID)
			if f.Name == "" || f.For == "" || f.Syntax == "" || f.File != "" && f.Mode != 0o600 {
				t.Errorf("%+v", f)
			}
			if slices.Contains(not, f.ID) {
				t.Errorf("%s as %s", id, f.ID)
			}
		}
		if !slices.Contains(got, "env") || !slices.Contains(got, "kubernetes") {
			t.Errorf("%s: %v", id, got)
		}
	}
	g := as(t, "postgres", "host", "db.example.test", "user", "ann")
	i := slices.IndexFunc(Formats(g), func(f Format) bool { return f.ID == "pgpass" })
	if i < 0 || len(Formats(g)[i].Missing) != 1 || Formats(g)[i].Missing[0] != "Password" {
		t.Error(Formats(g))
	}
	for _, x := range []struct{ format, reason, field string }{{"pgpass", "use.missing", "password"}, {"rclone", "use.unfit", ""}, {"nothing", "use.unknown", ""}} {
		_, err := Write(x.format, g, Options{Secrets: Reveal})
		var e *connectors.Error
		if !errors.As(err, &e) || e.Reason != x.reason || e.Field != x.field || !connectors.English().Has(x.reason) {
			t.Errorf("%s: %v", x.format, err)
		}
	}
	text, err := Write("pgpass", g, Options{})
	if err != nil || text.Body.Reveal() != "db.example.test:5432:*:ann:<PASSWORD>\n" {
		t.Error(err, text.Body.Reveal())
	}
	g.Settings.Secrets["password"] = connectors.NewSecret("two\nlines")
	_, err = Write("pgpass", g, Options{Secrets: Reveal})
	if p := connectors.Explain(err); p.Field != "password" || p.Title != "PostgreSQL password file cannot hold one of the answers." || !strings.Contains(p.Hint, "a line end") {
		t.Errorf("%+v", p)
	}
}

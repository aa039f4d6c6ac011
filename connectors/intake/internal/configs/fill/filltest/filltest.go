// Package filltest is what the tests of the readers have in common.
package filltest

import (
	"net/url"
	"strings"
	"testing"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

// Address is a small stand-in for the reader of addresses.
func Address(types []connectors.Type, text string) (part.Item, bool) {
	u, err := url.Parse(strings.TrimPrefix(text, "jdbc:"))
	if err != nil || u.Host == "" {
		return part.Item{}, false
	}
	kind := map[string]string{"postgres": "postgres", "postgresql": "postgres", "mysql": "mysql", "redis": "redis", "rediss": "redis", "mongodb": "mongodb", "amqp": "rabbitmq",
		"ftp": "ftp", "sftp": "sftp", "smb": "smb", "imap": "imap", "imaps": "imap", "mqtt": "mqtt", "mqtts": "mqtt"}[u.Scheme]
	if _, ok := connectors.Find(types, kind); !ok {
		return part.Item{}, false
	}
	r := part.As(kind)
	r.Set("host", u.Hostname())
	r.Set("port", u.Port())
	r.Set("user", u.User.Username())
	password, _ := u.User.Password()
	r.SetSecret("password", password)
	if kind == "postgres" || kind == "mysql" {
		r.Set("database", strings.TrimPrefix(u.Path, "/"))
	}
	return part.Item{Name: u.Hostname(), Readings: []part.Reading{r}}, true
}

// Sound fails where an answer has no field, is not asked for or is refused, and
// where a secret stands in a name.
func Sound(tb testing.TB, types []connectors.Type, f part.Found) {
	tb.Helper()
	if len(f.Items) > 2000 || len(f.Left) > 200 {
		tb.Errorf("%d items, %d left: no bound", len(f.Items), len(f.Left))
	}
	for _, it := range f.Items {
		if len(it.Readings) == 0 {
			tb.Errorf("an item without a reading")
		}
		shown := []string{it.Name, it.Where}
		var secrets []string
		for _, r := range it.Readings {
			reading(tb, types, r)
			for _, l := range r.Left {
				shown = append(shown, l.Name)
			}
			for _, s := range r.Settings.Secrets {
				secrets = append(secrets, s.Reveal())
			}
		}
		for _, text := range shown {
			for _, s := range secrets {
				if len(s) >= 4 && strings.Contains(text, s) {
					tb.Errorf("a name has a secret in it")
				}
			}
		}
	}
}

func reading(tb testing.TB, types []connectors.Type, r part.Reading) {
	tb.Helper()
	ty, ok := connectors.Find(types, r.Type)
	if !ok {
		tb.Errorf("type %q is not offered", r.Type)
		return
	}
	check := func(key, value string, secret bool) {
		f, ok := ty.Form.Field(key)
		switch {
		case !ok || f.Kind.Secret() != secret:
			tb.Errorf("%s.%s: no such field of this kind", r.Type, key)
		case f.Verify(value) != nil:
			tb.Errorf("%s.%s: the answer is refused: %v", r.Type, key, f.Verify(value))
		case !ty.Form.Visible(key, r.Settings):
			tb.Errorf("%s.%s: the field is not visible", r.Type, key)
		case strings.ContainsRune(value, '\uE000'):
			tb.Errorf("%s.%s: an open value was filled in", r.Type, key)
		}
	}
	for k, v := range r.Settings.Plain {
		check(k, v, false)
	}
	for k, v := range r.Settings.Secrets {
		check(k, v.Reveal(), true)
	}
}

// Flat is a reading as text: "kind key=value …", secrets with a star, in the
// order of the form; then what was left.
func Flat(types []connectors.Type, r part.Reading) string {
	ty, _ := connectors.Find(types, r.Type)
	out := []string{r.Type}
	for _, f := range ty.Form.Fields {
		if v := r.Settings.Plain[f.Key]; v != "" {
			out = append(out, f.Key+"="+v)
		}
		if v := r.Settings.Secrets[f.Key].Reveal(); v != "" {
			out = append(out, f.Key+"*"+v)
		}
	}
	for _, l := range r.Left {
		out = append(out, "-"+l.Name)
	}
	return strings.Join(out, " ")
}

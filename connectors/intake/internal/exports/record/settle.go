package record

import (
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

// Settle holds what was found against the forms: readings as types that are not
// offered go, and so does every answer that the form does not ask for, that is
// hidden, or that has not the right format; it is named in what is left. A
// secret that got into a name or a sentence is struck out.
func Settle(types []connectors.Type, found part.Found) part.Found {
	items := make([]part.Item, 0, len(found.Items))
	for _, item := range found.Items {
		readings := make([]part.Reading, 0, len(item.Readings))
		for _, r := range item.Readings {
			if t, ok := connectors.Find(types, r.Type); ok {
				readings = append(readings, settled(t, r))
			}
		}
		if item.Readings = readings; len(readings) > 0 {
			items = append(items, veiled(item))
		}
	}
	called(types, items)
	found.Items = items
	secrets := []string{}
	for _, i := range items {
		secrets = append(secrets, secretsOf(i)...)
		if len(secrets) > 1000 {
			break
		}
	}
	found.Left = veiledLeft(found.Left, secrets)
	found.What = struck(found.What, secrets)
	return found
}

func settled(t connectors.Type, r part.Reading) part.Reading {
	out := r
	out.Settings = t.Form.Tidied(r.Settings)
	out.Left, out.Notes = slices.Clone(r.Left), slices.Clone(r.Notes)
	for key := range r.Settings.Plain {
		keep(t.Form, &out, key)
	}
	for key := range r.Settings.Secrets {
		keep(t.Form, &out, key)
	}
	standIns(t.Form, &out)
	for _, key := range hidden(t.Form, out.Settings) {
		drop(t.Form, &out, key, "It has no place beside the other answers.")
	}
	return out
}

// keep drops an answer that no field takes.
func keep(form connectors.Form, r *part.Reading, key string) {
	x, ok := form.Field(key)
	_, plain := r.Settings.Plain[key]
	value := r.Settings.Plain[key]
	if !plain {
		value = r.Settings.Secrets[key].Reveal()
	}
	switch {
	case !ok, plain == x.Kind.Secret():
		drop(form, r, key, "This kind of connection does not ask for it.")
	case x.Kind == connectors.Reference:
		drop(form, r, key, "It names another connection, which is chosen by hand.")
	default:
		if err := x.Verify(value); err != nil {
			drop(form, r, key, wrong(x, err))
		}
	}
}

// hidden lists the answers that cannot be seen; dropping one may hide others.
func hidden(form connectors.Form, s connectors.Settings) []string {
	var out []string
	s = s.Clone()
	for again := true; again; {
		again = false
		for _, x := range form.Fields {
			_, plain := s.Plain[x.Key]
			_, secret := s.Secrets[x.Key]
			if (plain || secret) && !form.Visible(x.Key, s) {
				delete(s.Plain, x.Key)
				delete(s.Secrets, x.Key)
				out, again = append(out, x.Key), true
			}
		}
	}
	return out
}

func drop(form connectors.Form, r *part.Reading, key, why string) {
	name := key
	x, ok := form.Field(key)
	if ok {
		name = x.Label
	}
	was := r.Settings.Plain[key]
	delete(r.Settings.Plain, key)
	delete(r.Settings.Secrets, key)
	if ok && !x.Kind.Secret() && was == x.Default {
		return
	}
	r.Leave(name, why)
}

func secretsOf(item part.Item) []string {
	var out []string
	for _, r := range item.Readings {
		for _, s := range r.Settings.Secrets {
			v := strings.TrimSpace(s.Reveal())
			if len(v) >= 6 && !isPlain(item, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// isPlain is for a password that is no more than the user's own name.
func isPlain(item part.Item, secret string) bool {
	for _, r := range item.Readings {
		for _, v := range r.Settings.Plain {
			if strings.Contains(v, secret) {
				return true
			}
		}
	}
	return false
}

func veiled(item part.Item) part.Item {
	secrets := secretsOf(item)
	item.Name, item.Where = struck(item.Name, secrets), struck(item.Where, secrets)
	for i := range item.Readings {
		r := &item.Readings[i]
		r.Left = veiledLeft(r.Left, secrets)
		for n := range r.Notes {
			r.Notes[n] = struck(r.Notes[n], secrets)
		}
	}
	return item
}

func veiledLeft(left []part.Left, secrets []string) []part.Left {
	out := slices.Clone(left)
	for i := range out {
		out[i].Name, out[i].Why = connectors.Clean(struck(out[i].Name, secrets), 120), struck(out[i].Why, secrets)
	}
	return out
}

func struck(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "…")
	}
	return text
}

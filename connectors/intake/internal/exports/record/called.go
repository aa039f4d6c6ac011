package record

import (
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

var standIn = regexp.MustCompile(`^(?:<[^<>@]{1,40}>|\[(?i:your|my|the|password|db)[^\]]{0,40}\]|\*{3,}|•{3,}|\{\{[^{}]*\}\})$`)

// standIns takes out what only stands for an answer: "<password>",
// "[YOUR-PASSWORD]", "********".
func standIns(form connectors.Form, r *part.Reading) {
	gone := false
	for _, x := range form.Fields {
		secret := r.Settings.Secrets[x.Key]
		value := secret.Reveal()
		if value == "" {
			value = r.Settings.Plain[x.Key]
		}
		if !standIn.MatchString(value) {
			continue
		}
		gone = gone || !secret.Empty()
		delete(r.Settings.Plain, x.Key)
		delete(r.Settings.Secrets, x.Key)
		r.Leave(x.Label, "Only a placeholder stood there. Type it into the form.")
	}
	if gone && len(r.Settings.Secrets) == 0 {
		r.Notes = slices.DeleteFunc(r.Notes, func(n string) bool { return n == "The password stood in the address." })
	}
}

// called gives every item a name that tells what it opens: the place with what
// is chosen there, and different names to several from one input.
func called(types []connectors.Type, items []part.Item) {
	seen := map[string]int{}
	for i := range items {
		items[i].Name = title(types, items[i])
		seen[items[i].Name]++
	}
	for i := range items {
		if name := items[i].Name; seen[name] > 1 {
			items[i].Name = apart(items[i])
		}
	}
}

func title(types []connectors.Type, item part.Item) string {
	r := item.Readings[0]
	t, ok := connectors.Find(types, r.Type)
	if !ok {
		return item.Name
	}
	s := r.Settings.Plain
	name := strings.Trim(item.Name, "… ")
	if plain := name == "" || name == t.ID || name == strings.ToLower(t.Name); plain {
		name = t.Name
		for _, k := range []string{"host", "servers", "endpoint", "account", "base_url", "url", "token_url", "site"} {
			if v, _, _ := strings.Cut(s[k], "\n"); v != "" {
				if name = v; strings.Contains(v, "://") {
					name = hostOf(v)
				}
				break
			}
		}
		if name == t.Name && s["user"] != "" {
			name += " " + s["user"]
		}
	}
	for _, k := range []string{"database", "service", "sid", "share", "bucket", "container", "vhost"} {
		if v := s[k]; v != "" && v != "/" && name != v && (name == s["host"] || name == t.Name || name == s["account"]) {
			return connectors.Clean(name+" / "+v, 120)
		}
	}
	return connectors.Clean(name, 120)
}

// apart tells one from another with the same name.
func apart(item part.Item) string {
	s := item.Readings[0].Settings.Plain
	for _, more := range []string{s["user"], s["access_key"], item.Where} {
		if more != "" {
			return connectors.Clean(item.Name+" ("+more+")", 120)
		}
	}
	return item.Name
}

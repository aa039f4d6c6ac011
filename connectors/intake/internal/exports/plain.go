package exports

import (
	"strconv"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/handover"
	"jackfield/connectors/intake/internal/exports/record"
	"jackfield/connectors/intake/internal/part"
	"jackfield/connectors/internal/jsonx"
)

// plainJSON reads an object with telling names, a list of them, or an object
// whose members are such objects.
func plainJSON(in part.Input, root jsonx.Value, address Address) (part.Found, bool) {
	l := newList(in, address)
	switch v := root.(type) {
	case *jsonx.Object:
		v = outputs(v)
		if r := fromObject(in.Types, v, "", ""); telling(r) {
			l.add(r)
			break
		}
		for _, k := range v.Keys {
			switch inner := v.Members[k].(type) {
			case *jsonx.Object:
				if r := fromObject(in.Types, inner, k, k); telling(r) {
					l.add(r)
				}
			case []jsonx.Value:
				l.objects(inner)
			}
		}
	case []jsonx.Value:
		l.objects(v)
	}
	if len(l.found.Items) == 0 {
		l.strings("", root, 0)
	}
	if len(l.found.Items) == 0 {
		return part.Found{}, false
	}
	return l.done("JSON", "connection")
}

func (l *list) objects(all []jsonx.Value) {
	for i, v := range all {
		if o, ok := v.(*jsonx.Object); ok {
			if r := fromObject(l.in.Types, o, "", "entry "+strconv.Itoa(i+1)); telling(r) {
				l.add(r)
			}
		}
	}
}

// telling wants more than a word that any JSON may have.
func telling(r *record.Record) bool {
	n := 0
	for _, k := range []string{"host", "url", "user", "password", "token", "api_key", "client_id", "client_secret", "tenant", "private_key", "access_key", "secret_key", "account_sid"} {
		if r.Has(k) {
			n++
		}
	}
	return n >= 2 && r.Has("host", "url", "password", "token", "api_key", "client_secret", "private_key", "secret_key")
}

// fromObject takes the scalar members that tell; those of one inner object
// ("credentials", "auth" …) as well.
func fromObject(types []connectors.Type, o *jsonx.Object, name, where string) *record.Record {
	r := record.New("", where)
	take(types, r, o, 0)
	if r.Name == "" {
		r.Name = name
	}
	return r
}

func take(types []connectors.Type, r *record.Record, o *jsonx.Object, depth int) {
	for _, k := range o.Keys {
		switch v := o.Members[k].(type) {
		case *jsonx.Object:
			if depth < 1 {
				take(types, r, v, depth+1)
			}
			continue
		case nil, []jsonx.Value:
			continue
		default:
			put(types, r, k, jsonx.Show(v))
		}
	}
}

// put keeps a value by what its name stands for.
func put(types []connectors.Type, r *record.Record, name, value string) {
	value = strings.TrimSpace(value)
	c := record.Canonical(name)
	if p := record.Plain(name); c == "" && (p == "username" || p == "sshprivatekey") {
		c = map[string]string{"username": "user", "sshprivatekey": "private_key"}[p]
	}
	switch {
	case value == "" || c == "refused" || c == "notes":
	case c == "name":
		if r.Name == "" {
			r.Name = value
		}
	case c == "type":
		if id := record.TypeOf(types, value); id != "" {
			r.Type = id
			schemeTLS(r, value)
		}
	case c == "tls":
		switch strings.ToLower(value) {
		case "true", "yes", "ja", "oui", "si", "1", "on", "tls", "ssl", "require", "required":
			r.Put("tls", "on")
		default:
			r.Put("tls", sslMode(value))
		}
	case c != "":
		r.PutAs(c, name, value)
	default:
		r.Leave(name, "")
	}
}

// schemeTLS is for words that say how the connection is protected as well.
func schemeTLS(r *record.Record, word string) {
	switch strings.ToLower(word) {
	case "ftps", "ftpes", "ldaps", "mqtts", "amqps", "rediss", "smtps", "imaps":
		r.Put("tls", "on")
	}
}

// profileMark begins a connection without its secrets, as this program writes it.
const profileMark = "jackfield: profile/1"

// readText reads the exports that are neither JSON nor XML.
func readText(in part.Input) (part.Found, bool) {
	text := strings.TrimSpace(in.Text)
	switch {
	case strings.HasPrefix(text, profileMark):
		return profile(in, text)
	case strings.HasPrefix(text, "[remmina]"):
		return remmina(in, text)
	case strings.HasPrefix(text, "vars {"), strings.HasPrefix(text, "vars:secret ["):
		return bruno(in, text)
	}
	return part.Found{}, false
}

func profile(in part.Input, text string) (part.Found, bool) {
	l := newList(in, nil)
	for doc := range strings.SplitSeq("\n"+text, "\n---") {
		if len(doc) > 1<<20 || !strings.Contains(doc, profileMark) {
			continue
		}
		if len(l.found.Left) == maxLeft {
			break
		}
		p, err := handover.ReadProfile([]byte(strings.TrimPrefix(doc, "\n")))
		if err != nil {
			l.found.Left = append(l.found.Left, part.Left{Name: "a profile", Why: "It is not written as a profile is. Ask for it again."})
			continue
		}
		if _, ok := in.Type(p.Type); !ok {
			l.found.Left = append(l.found.Left, part.Left{Name: connectors.Clean(p.Type, 40), Why: "This kind of connection is not offered here."})
			continue
		}
		l.forms(p.Name, []string{p.Type}, func(f *record.Form) { profileAnswers(f, p.Plain, p.Secrets) })
	}
	return l.done("a Jackfield profile without secrets", "")
}

// profileAnswers goes in the order of the form, so that choices come before
// what they show.
func profileAnswers(f *record.Form, answers map[string]string, secrets map[string]bool) {
	for _, x := range f.T.Form.Fields {
		if x.Kind.Secret() {
			continue
		}
		if why := f.Answer(x.Key, answers[x.Key]); why != "" {
			f.R.Leave(x.Label, why)
		}
	}
	for k := range answers {
		if x, ok := f.T.Form.Field(k); !ok || x.Kind.Secret() {
			f.R.Leave(connectors.Clean(k, 60), "A profile has no place for it.")
		}
	}
	if len(secrets) > 0 {
		f.R.Note("The secrets are not in a profile: type them.")
	}
}

// pairs are the name=value lines of a section.
func pairs(text, between string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(line, between); ok {
			if k = strings.TrimSpace(k); out[k] == "" {
				out[k] = strings.TrimSpace(v)
			}
		}
	}
	return out
}

// remmina reads a .remmina file; its passwords are encrypted with a key of that
// computer's. https://gitlab.com/Remmina/Remmina/-/wikis/home
func remmina(in part.Input, text string) (part.Found, bool) {
	m := pairs(text, "=")
	l := newList(in, nil)
	r := record.New(m["name"], "")
	switch strings.ToUpper(m["protocol"]) {
	case "SFTP", "SSH":
		r.Type = strings.ToLower(m["protocol"])
	default:
		l.found.Left = append(l.found.Left, part.Left{Name: connectors.Clean(m["protocol"], 40), Why: "There is no connection type for it here."})
		return l.done("a Remmina profile", "")
	}
	r.Put("host", m["server"])
	r.Put("user", first(m["username"], m["ssh_username"]))
	if m["execpath"] != "" && r.Type == "sftp" {
		r.Put("folder", m["execpath"])
	}
	if m["ssh_auth"] == "1" || m["ssh_privatekey"] != "" {
		r.Put("auth", "key")
		r.Leave("ssh_privatekey", aPath)
	}
	if m["password"] != "" && m["password"] != "." {
		r.Leave("password", encrypted)
	}
	l.add(r)
	return l.done("a Remmina profile", "")
}

// bruno reads an environment, https://docs.usebruno.com/variables/environment-variables
func bruno(in part.Input, text string) (part.Found, bool) {
	open, secret, _ := strings.Cut(text, "vars:secret [")
	_, body, _ := strings.Cut(open, "{")
	l := newList(in, nil)
	r := record.New("", "")
	for line := range strings.Lines(body) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && !strings.HasPrefix(k, "~") {
			put(in.Types, r, k, v)
		}
	}
	for _, k := range strings.FieldsFunc(secret, func(c rune) bool { return strings.ContainsRune(" ,]\n\t", c) }) {
		r.Leave(k, elsewhere)
	}
	l.add(r)
	return l.done("a Bruno environment", "")
}

// outputs takes the values out of what “terraform output -json” prints,
// https://developer.hashicorp.com/terraform/cli/commands/output
func outputs(o *jsonx.Object) *jsonx.Object {
	out := &jsonx.Object{Members: map[string]jsonx.Value{}}
	for _, k := range o.Keys {
		if !has(o.Members[k], "value") || !has(o.Members[k], "type") {
			return o
		}
		out.Keys = append(out.Keys, k)
		out.Members[k] = jsonx.At(o.Members[k], "value")
	}
	return out
}

// strings finds addresses among the values, as in appsettings.json.
func (l *list) strings(name string, v jsonx.Value, depth int) {
	switch v := v.(type) {
	case *jsonx.Object:
		if depth > 4 {
			return
		}
		for _, k := range v.Keys {
			l.strings(k, v.Members[k], depth+1)
		}
	case string:
		if len(v) > 4000 || l.address == nil || webAddress(v) || !strings.Contains(v, "://") && strings.Count(v, "=") < 2 {
			return
		}
		if item, ok := l.address(l.in.Types, v); ok && len(l.found.Items) < 100 {
			item.Where = name
			l.found.Items = append(l.found.Items, item)
		}
	}
}

func webAddress(v string) bool {
	v = strings.ToLower(v)
	return strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "file:")
}

// Package fill makes readings out of named values: it gives an answer only where
// the type's form has the field, asks for it and accepts it, and says by name what
// found no place.
package fill

import (
	"net"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

// An Address reads one connection address.
type Address func(types []connectors.Type, text string) (part.Item, bool)

// Why something was left, as sentences.
const (
	WhyFile    = "Choose the file in the form."
	WhyValue   = "Its value stands elsewhere. Type it into the form."
	WhyNoField = "There is no field for it."
	WhyWrong   = "Its value does not have the form that is needed."
	WhyHidden  = "It has no place with this way of connecting."
)

// History is the note on a password in a command line.
const History = "The password stands in the command line, and so in the shell's history and in the list of running programs."

// A Draft is a reading in the making. A nil Draft takes everything and gives
// nothing: its type may not be proposed.
type Draft struct {
	reading part.Reading
	form    connectors.Form
	from    map[string]string // field key → the name under which the answer was written
}

// New is an empty reading as the type id, nil where it may not be proposed.
func New(types []connectors.Type, id string) *Draft {
	t, ok := connectors.Find(types, id)
	if !ok {
		return nil
	}
	return &Draft{part.As(id), t.Form, map[string]string{}}
}

// Set answers key with value, which was written under name.
func (d *Draft) Set(key, value, name string) {
	if d == nil || value == "" {
		return
	}
	if vars := Open(value); len(vars) > 0 {
		d.leaveOpen(vars)
		return
	}
	f, ok := d.form.Field(key)
	if !ok {
		d.Leave(name, WhyNoField)
		return
	}
	switch {
	case f.Tidy != nil:
		value = f.Tidy(value)
	case !f.Kind.Secret() && f.Kind != connectors.Lines && f.Kind != connectors.JSON:
		value = strings.TrimSpace(value)
	}
	if f.Verify(value) != nil {
		d.Leave(name, WhyWrong)
		return
	}
	d.from[key] = name
	if f.Kind.Secret() {
		d.reading.SetSecret(key, value)
	} else {
		d.reading.Set(key, value)
	}
}

// Choose answers a choice that follows from something else; where the form does
// not have it, nothing was lost.
func (d *Draft) Choose(key, value string) {
	if d == nil || value == "" {
		return
	}
	if f, ok := d.form.Field(key); ok && f.Verify(value) == nil {
		d.reading.Set(key, value)
	}
}

// Add puts another line to the answer of key.
func (d *Draft) Add(key, line, name string) {
	if d == nil || line == "" {
		return
	}
	if vars := Open(line); len(vars) > 0 {
		d.leaveOpen(vars)
		return
	}
	if old := d.Secret(key); old != "" {
		line = old + "\n" + line
	} else if old := d.Get(key); old != "" {
		line = old + "\n" + line
	}
	d.Set(key, line, name)
}

// HostPort answers host and port from "host", "host:port" or "[host]:port".
func (d *Draft) HostPort(value, name string) {
	host, port := SplitPort(value)
	d.Set("host", host, name)
	d.Set("port", port, name)
}

// File says that a file has to be chosen. The path is the person's own.
func (d *Draft) File(name, path string) {
	if d == nil || path == "" {
		return
	}
	if len(Open(path)) > 0 || len(path) > 300 {
		path = ""
	}
	d.Leave(strings.TrimSpace(name+" "+path), WhyFile)
}

// Leave names what was not understood.
func (d *Draft) Leave(name, why string) {
	if d != nil && len(d.reading.Left) < 100 {
		d.reading.Leave(printable(name), why)
	}
}

// Note adds a sentence.
func (d *Draft) Note(text string) {
	if d != nil {
		d.reading.Note(text)
	}
}

// Get is the plain answer so far.
func (d *Draft) Get(key string) string {
	if d == nil {
		return ""
	}
	return d.reading.Settings.Plain[key]
}

// Secret is the secret answer so far.
func (d *Draft) Secret(key string) string {
	if d == nil {
		return ""
	}
	return d.reading.Settings.Secrets[key].Reveal()
}

// Has reports whether key was answered.
func (d *Draft) Has(key string) bool { return d.Get(key) != "" || d.Secret(key) != "" }

// Drop takes an answer back.
func (d *Draft) Drop(key string) {
	if d != nil {
		delete(d.reading.Settings.Plain, key)
		delete(d.reading.Settings.Secrets, key)
	}
}

// From goes on with a reading that something else made.
func From(types []connectors.Type, r part.Reading) *Draft {
	d := New(types, r.Type)
	if d == nil {
		return nil
	}
	for k, v := range r.Settings.Plain {
		d.Set(k, v, k)
	}
	for k, v := range r.Settings.Secrets {
		d.Set(k, v.Reveal(), k)
	}
	for _, l := range r.Left {
		if vars := Open(l.Name); len(vars) > 0 {
			d.leaveOpen(vars)
			continue
		}
		d.Leave(l.Name, l.Why)
	}
	for _, n := range r.Notes {
		d.Note(printable(n))
	}
	return d
}

// done takes back the answers that the form does not ask for, and everything
// secret that stands in a name.
func (d *Draft) done(secrets []string) part.Reading {
	for range d.form.Fields { // an answer taken back can hide another
		again := false
		for _, f := range d.form.Fields {
			if d.Has(f.Key) && !d.form.Visible(f.Key, d.reading.Settings) {
				d.Drop(f.Key)
				d.Leave(d.from[f.Key], WhyHidden)
				again = true
			}
		}
		if !again {
			break
		}
	}
	for i, l := range d.reading.Left {
		if tells(l.Name, secrets) {
			first, _, _ := strings.Cut(l.Name, " ")
			if tells(first, secrets) {
				first = "a setting"
			}
			d.reading.Left[i].Name = first
		}
	}
	d.reading.Notes = slices.DeleteFunc(d.reading.Notes, func(n string) bool { return n != History && tells(n, secrets) })
	return d.reading
}

func (d *Draft) secrets() []string {
	var out []string
	for _, s := range d.reading.Settings.Secrets {
		if v := s.Reveal(); len(v) >= 4 {
			out = append(out, v)
		}
	}
	return out
}

func tells(text string, secrets []string) bool {
	return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(text, s) })
}

func (d *Draft) leaveOpen(vars []string) {
	for _, v := range vars {
		d.Leave("the value of "+v, WhyValue)
	}
}

// Item is one connection read in one or several ways, ok where a way is left.
func Item(name, where string, drafts ...*Draft) (part.Item, bool) {
	it := part.Item{Name: printable(name), Where: printable(where)}
	var secrets []string
	for _, d := range drafts {
		if d == nil {
			continue
		}
		secrets = append(secrets, d.secrets()...)
	}
	for _, d := range drafts {
		if d != nil {
			it.Readings = append(it.Readings, d.done(secrets))
		}
	}
	if len(it.Readings) == 0 {
		return it, false
	}
	if it.Name == "" {
		it.Name = place(it.Readings[0])
	}
	if len(Open(it.Name)) > 0 || it.Name == "" || tells(it.Name, secrets) {
		it.Name = it.Readings[0].Type
	}
	if tells(it.Name, secrets) {
		it.Name = ""
	}
	if tells(it.Where, secrets) {
		it.Where = ""
	}
	return it, true
}

func place(r part.Reading) string {
	for _, k := range []string{"host", "endpoint", "bucket", "account", "servers", "base_url", "url", "site", "account_sid"} {
		v, _, _ := strings.Cut(r.Settings.Plain[k], "\n")
		if _, rest, ok := strings.Cut(v, "://"); ok {
			v, _, _ = strings.Cut(rest, "/")
		}
		if v != "" {
			return v
		}
	}
	return ""
}

// SplitPort cuts "host:port"; an IPv6 address loses its brackets.
func SplitPort(v string) (host, port string) {
	if h, p, err := net.SplitHostPort(v); err == nil {
		return h, p
	}
	return strings.Trim(v, "[]"), ""
}

// Yes reports whether a switch of a file or an option is on.
func Yes(v string) bool {
	return slices.Contains([]string{"1", "true", "yes", "on", "required", "ssl", "tls"}, strings.ToLower(strings.TrimSpace(v)))
}

func printable(s string) string { return connectors.Clean(s, 300) }

// Package record turns a login, as some other program wrote it down, into
// readings of the connection types that it may be for. It knows the types by
// their forms alone.
package record

import (
	"maps"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

// A Record is a login as some program wrote it. The values go by the names
// that Canonical has: host, port, user, password …
type Record struct {
	Name  string
	Where string // its place in the input
	Type  string // the id of a type, "" where nothing tells it
	Notes []string
	Left  []part.Left

	values  map[string]string
	written map[string]string // how a value was called
}

// New is a record without values.
func New(name, where string) *Record {
	return &Record{Name: name, Where: where, values: map[string]string{}, written: map[string]string{}}
}

// Put keeps a value under a canonical name; the first one stays. An empty value
// is none.
func (r *Record) Put(key, value string) { r.PutAs(key, key, value) }

// PutAs is Put for a value that was called something else.
func (r *Record) PutAs(key, written, value string) {
	if _, twice := r.values[key]; twice || strings.TrimSpace(value) == "" {
		return
	}
	r.values[key], r.written[key] = value, written
}

// Get is the value under a canonical name.
func (r *Record) Get(key string) string { return r.values[key] }

// Has reports whether there is a value under any of the names.
func (r *Record) Has(keys ...string) bool {
	return slices.ContainsFunc(keys, func(k string) bool { return r.values[k] != "" })
}

// Drop forgets a value.
func (r *Record) Drop(key string) { delete(r.values, key) }

// Empty reports whether no value was found.
func (r *Record) Empty() bool { return len(r.values) == 0 }

// Leave names something that was not understood.
func (r *Record) Leave(name, why string) {
	if name != "" {
		r.Left = append(r.Left, part.Left{Name: name, Why: why})
	}
}

// Note adds a sentence.
func (r *Record) Note(text string) { r.Notes = append(r.Notes, text) }

// Item is the record as a connection; false where no offered type has a place
// for it. An address within it goes through address, which may be nil.
func (r *Record) Item(types []connectors.Type, address Address) (part.Item, bool) {
	item := part.Item{Name: r.title(), Where: r.Where}
	if from, ok := r.addressed(types, address); ok {
		if r.Name != "" {
			from.Name = item.Name
		}
		from.Where = r.Where
		return from, true
	}
	r.splitURL()
	for _, id := range r.candidates(types) {
		t, ok := connectors.Find(types, id)
		if !ok {
			continue
		}
		if reading, ok := r.as(t); ok {
			item.Readings = append(item.Readings, reading)
		}
	}
	if item.Name == "" {
		item.Name = r.title()
	}
	return item, len(item.Readings) > 0
}

func (r *Record) host() string {
	h := r.values["host"]
	if h == "" {
		h = hostOf(r.values["url"])
	}
	return h
}

func (r *Record) title() string {
	if r.Name != "" {
		return connectors.Clean(strings.TrimSpace(r.Name), 120)
	}
	return connectors.Clean(r.host(), 120)
}

// as fills the form of t. It is no reading when nothing but a name would be in it.
func (r *Record) as(t connectors.Type) (part.Reading, bool) {
	f := NewForm(t)
	for _, k := range r.order() {
		r.place(f, k)
	}
	for _, l := range r.Left {
		f.R.Leave(l.Name, l.Why)
	}
	for _, n := range r.Notes {
		f.R.Note(n)
	}
	return f.R, f.Worth()
}

// order puts first what decides about the visibility of the rest.
func (r *Record) order() []string {
	keys := slices.Sorted(maps.Keys(r.values))
	rank := func(k string) int {
		if i := slices.Index(first, k); i >= 0 {
			return i
		}
		return len(first)
	}
	slices.SortStableFunc(keys, func(a, b string) int { return rank(a) - rank(b) })
	return keys
}

var first = []string{"auth", "tls", "host", "port", "url", "user", "private_key", "client_id", "client_secret", "token", "password"}

// place answers the first field that takes the value.
func (r *Record) place(f *Form, key string) {
	value := r.values[key]
	if handled := f.special(r, key, value); handled {
		return
	}
	why := "This kind of connection does not ask for it."
	for _, name := range fieldsFor(key) {
		field, ok := f.T.Form.Field(name)
		if !ok || key == "private_key" && name == "key" && field.Kind != connectors.SecretLines {
			continue
		}
		if f.Has(name) {
			if f.R.Settings.Plain[name] == value || f.R.Settings.Secrets[name].Reveal() == value {
				return
			}
			continue
		}
		if sentence := f.Answer(name, value); sentence != "" {
			why = sentence
			continue
		}
		return
	}
	if !slices.Contains(quiet, key) {
		f.R.Leave(r.written[key], why)
	}
}

// quiet are left without a word.
var quiet = []string{"tls", "auth", "email", "name"}

// Package connectors holds the vocabulary in which every kind of connection is
// described: what to ask (Type, Form, Field), what was answered (Settings,
// Secret), what the world outside offers (Env), what an open connection can do
// (Session, Browser, Tabler, Sampler, Streamer) and how things fail (Error,
// Classify, Explain). It imports nothing else of this module.
package connectors

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// A Group is the heading under which a type stands in the gallery.
type Group string

// The groups, in the order in which the gallery shows them.
const (
	GroupWeb         Group = "web"
	GroupFiles       Group = "files"
	GroupDatabases   Group = "databases"
	GroupDirectories Group = "directories"
	GroupMessaging   Group = "messaging"
	GroupServices    Group = "services"
)

// Groups lists every group in gallery order.
func Groups() []Group {
	return []Group{GroupFiles, GroupDatabases, GroupDirectories, GroupMessaging, GroupWeb, GroupServices}
}

// A Type is one kind of connection: what to ask the user, and how to open it.
// It is plain data plus one func, holds no state, and is safe to share.
type Type struct {
	ID       string   // stable, lower case: "sftp"; saved in profiles, typed in jf
	Name     string   // as the user knows it: "SFTP server"
	Group    Group    // its heading in the gallery
	Summary  string   // one line under the name
	Keywords []string // what else people call it, and what they want to do: "files", "tables"
	Tile     string   // two letters shown where an icon would be: "SF"
	Where    []string // keys of the plain answers that tell two connections apart: "host", "database"
	Origin   string   // "" for built-in types, else the file that a user's type was read from
	Offline  bool     // opens without any network: a file, a key
	Form     Form
	Guide    Guide
	// Open climbs the ladder up to the sign-in. ctx bounds the opening alone: the
	// session lives until Close, also when ctx has ended by then.
	Open func(ctx context.Context, env *Env, s Settings) (Session, error)

	// Draft shows what the answers make before anything is sent, such as a signed
	// token; nil where there is nothing to show. It needs no network. An error is
	// an *Error whose Field is the answer to put right.
	Draft func(s Settings, now time.Time) ([]Part, error)

	// Revoke tells the server that what it issued is not wanted any more, before
	// the connection is deleted; nil where nothing is issued. See Revokes.
	Revoke func(ctx context.Context, env *Env, s Settings) error

	// Tunnel signs in and lets other connections go through this one; nil for
	// types that cannot carry any. ctx bounds the opening alone.
	Tunnel func(ctx context.Context, env *Env, s Settings) (Tunnel, error)

	keys []string // the `field` tags that Open decodes; nil when not made by Define
}

// A Part is a piece of what is made of the answers: {"Payload", "{…}"}. Its
// text has lines and is shown as it is written.
type Part struct {
	Title string `json:"title"`
	Text  string `json:"text"`
}

// A Guide says where to find each value in the vendor's console, the least
// rights that the preview needs, and what an administrator must do.
type Guide struct {
	Steps       []string `json:"steps,omitempty"`
	Rights      string   `json:"rights,omitempty"`
	Admin       string   `json:"admin,omitempty"`
	Account     string   `json:"account,omitempty"` // on using an account of its own
	Network     string   `json:"network,omitempty"` // which addresses an allow list has to have
	Notes       []string `json:"notes,omitempty"`   // lifetimes, and what surprises people
	RedirectURI string   `json:"redirect_uri,omitempty"`
	Links       []Link   `json:"links,omitempty"`
}

// A Link is a page of the vendor's, to open in the browser.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"`
}

// Define returns t with an Open that validates and decodes Settings into C,
// matching each Field.Key to a `field:"key"` tag, and calls open. A tag with
// ",issued" names a secret that no form asks for: one the server issued or the
// user trusted (kept through Env.Keep).
//
// C's fields may be string, int, bool, Secret, or an embedded struct of these.
// Define never fails; Type.Check reports a tag that has no field and the reverse.
func Define[C any](t Type, open func(context.Context, *Env, C) (Session, error)) Type {
	form := t.Form
	t.keys = tagKeys(reflect.TypeFor[C]())
	t.Open = func(ctx context.Context, env *Env, s Settings) (Session, error) {
		c, err := checked[C](form, s)
		if err != nil {
			return nil, err
		}
		return open(ctx, env, c)
	}
	return t
}

// checked validates and decodes answers.
func checked[C any](form Form, s Settings) (C, error) {
	var c C
	s = form.Tidied(s)
	if errs := form.Validate(s); len(errs) > 0 {
		return c, errs[0].Refusal()
	}
	return c, decode(reflect.ValueOf(&c).Elem(), form, s)
}

// Tunnels returns t, made by Define for C, with a Tunnel that validates and
// decodes Settings as Open does.
func Tunnels[C any](t Type, tunnel func(context.Context, *Env, C) (Tunnel, error)) Type {
	form := t.Form
	t.Tunnel = func(ctx context.Context, env *Env, s Settings) (Tunnel, error) {
		c, err := checked[C](form, s)
		if err != nil {
			return nil, err
		}
		return tunnel(ctx, env, c)
	}
	return t
}

// Revokes returns t, made by Define for C, with a Revoke that calls revoke with
// the decoded Settings. They may be incomplete; what cannot be decoded was
// never used to sign in, and there is nothing to revoke.
func Revokes[C any](t Type, revoke func(context.Context, *Env, C) error) Type {
	form := t.Form
	t.Revoke = func(ctx context.Context, env *Env, s Settings) error {
		var c C
		if err := decode(reflect.ValueOf(&c).Elem(), form, form.Tidied(s)); err != nil {
			return nil
		}
		return revoke(ctx, env, c)
	}
	return t
}

// Issued reports whether key is of a secret that no form asks for.
func (t Type) Issued(key string) bool {
	_, asked := t.Form.Field(key)
	return !asked
}

// Check proves that t can be shown and used: ids, labels, conditions that name
// fields, options that exist, and one struct tag for every field.
func (t Type) Check() error {
	if t.ID == "" || t.Name == "" || t.Summary == "" || t.Open == nil {
		return fmt.Errorf("type %q: ID, Name, Summary and Open are required", t.ID)
	}
	if !slices.Contains(Groups(), t.Group) {
		return fmt.Errorf("type %s: unknown group %q", t.ID, t.Group)
	}
	if err := t.Form.Check(); err != nil {
		return fmt.Errorf("type %s: %w", t.ID, err)
	}
	for _, k := range t.Where {
		if f, ok := t.Form.Field(k); !ok || f.Kind.Secret() {
			return fmt.Errorf("type %s: Where names %q, which is no plain field", t.ID, k)
		}
	}
	if t.keys == nil {
		return nil
	}
	for _, f := range t.Form.Fields {
		if !slices.Contains(t.keys, f.Key) {
			return fmt.Errorf("type %s: field %q has no struct tag", t.ID, f.Key)
		}
	}
	for _, k := range t.keys {
		if _, ok := t.Form.Field(k); !ok {
			return fmt.Errorf("type %s: struct tag %q has no field", t.ID, k)
		}
	}
	return nil
}

// Find returns the type with the given id.
func Find(types []Type, id string) (Type, bool) {
	i := slices.IndexFunc(types, func(t Type) bool { return t.ID == id })
	if i < 0 {
		return Type{}, false
	}
	return types[i], true
}

// Place is the short text that tells where a connection of this type leads:
// "ldap.example.com", made from the answers that Where names.
func (t Type) Place(plain map[string]string) string {
	out := ""
	for _, k := range t.Where {
		v := plain[k]
		if v == "" {
			continue
		}
		if out != "" {
			out += " / "
		}
		out += v
	}
	return out
}

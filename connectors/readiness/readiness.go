// Package readiness says what is known about a prepared connection without any
// network: what is complete, missing or wrong in form, what only a test can
// tell, and what the other side has to do. Nothing in it is a secret, so that it
// can be printed and sent.
package readiness

import (
	"slices"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A State says how one thing stands.
type State string

// The states. What nobody has tested is Untested and never Done.
const (
	Done     State = "done"
	Missing  State = "missing"
	Wrong    State = "wrong"
	Warning  State = "warning"
	Untested State = "untested"
	Theirs   State = "theirs" // for the other side to do
)

// Who has something to do.
const (
	You  = "you"
	Them = "them"
)

// An Overall is how a whole connection stands.
type Overall string

// The overalls, from the one that hides all others.
const (
	IsWrong      Overall = "wrong"
	IsIncomplete Overall = "incomplete"
	IsLinked     Overall = "linked"
	IsPartial    Overall = "partial"
	IsUntested   Overall = "untested"
)

// An Item is one line of a checklist. Its ID never changes: "form.missing.host".
type Item struct {
	ID    string `json:"id"`
	State State  `json:"state"`
	Field string `json:"field,omitempty"` // of the form
	Title string `json:"title"`
	Text  string `json:"text,omitempty"` // sentences
	Copy  string `json:"copy,omitempty"` // to copy or send; never a secret
	Who   string `json:"who"`            // You or Them
}

// A Checklist is everything about one connection.
type Checklist struct {
	Name     string    `json:"name"`
	Type     string    `json:"type"`
	TypeName string    `json:"type_name"`
	Place    string    `json:"place,omitempty"`
	State    Overall   `json:"state"`
	Items    []Item    `json:"items"`
	Made     time.Time `json:"made"`
}

// Options are what Of needs besides.
type Options struct {
	Now time.Time // what dates are held against
	// SecretsKnown says that the answers have the secrets themselves. Otherwise
	// they are marks for what is stored, and nobody looks into them.
	SecretsKnown bool
	// Lender is the connection whose sign-in is used, nil for none. Its secrets
	// are marks.
	Lender *link.Connection
}

// Of is the checklist of the connection c of type t, whose answers are s. It
// opens nothing: no network, no file, no store.
func Of(t connectors.Type, c link.Connection, s connectors.Settings, o Options) Checklist {
	l := &look{t: t, c: c, s: t.Form.Tidied(s), o: o, lent: map[string]bool{}}
	if o.Lender != nil {
		own := l.s
		l.s = link.Lend(t, l.s, *o.Lender)
		for k, v := range l.s.Secrets {
			l.lent[k] = !v.Empty() && own.Secrets[k].Empty()
		}
	}
	l.sections()
	l.material()
	l.dates()
	l.place()
	l.unused()
	l.tested()
	l.theirs()
	return Checklist{Name: c.Name, Type: t.ID, TypeName: t.Name, Place: connectors.Clean(t.Place(l.s.Plain), 200), State: l.overall(), Items: l.items, Made: o.Now}
}

// A look collects the items of one checklist.
type look struct {
	t     connectors.Type
	c     link.Connection
	s     connectors.Settings
	o     Options
	lent  map[string]bool // secrets that are another connection's
	items []Item
}

func (l *look) add(i Item) {
	if i.Who == "" {
		i.Who = You
	}
	l.items = append(l.items, i)
}

// readable reports whether the secret of a field may be looked into.
func (l *look) readable(f connectors.Field) bool {
	return !f.Kind.Secret() || l.o.SecretsKnown && !l.lent[f.Key]
}

func (l *look) answer(key string) string {
	if !l.t.Form.Visible(key, l.s) {
		return ""
	}
	return l.t.Form.Answer(key, l.s)
}

func (l *look) has(states ...State) bool {
	return slices.ContainsFunc(l.items, func(i Item) bool { return slices.Contains(states, i.State) })
}

func (l *look) overall() Overall {
	switch {
	case l.has(Wrong):
		return IsWrong
	case l.has(Missing):
		return IsIncomplete
	case l.linked() && l.c.State == link.Partial:
		return IsPartial
	case l.linked():
		return IsLinked
	}
	return IsUntested
}

// linked reports whether the last link or check worked and the answers are those.
func (l *look) linked() bool {
	if l.c.State != link.OK && l.c.State != link.Partial || l.c.Checked.IsZero() {
		return false
	}
	for _, f := range l.t.Form.Fields {
		if !f.Kind.Secret() && l.s.Plain[f.Key] != l.c.Plain[f.Key] && (l.t.Form.Answer(f.Key, l.s) != l.t.Form.Answer(f.Key, connectors.Settings{Plain: l.c.Plain})) && !l.fromLender(f.Key) {
			return false
		}
	}
	return true
}

func (l *look) fromLender(key string) bool {
	return l.o.Lender != nil && l.c.Plain[key] == ""
}

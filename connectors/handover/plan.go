package handover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

// A Plan is what an import would do. Making it reads the book and nothing else.
type Plan struct{ Items []Planned }

// A Planned is one connection of a bundle. Its Plain, Secrets and Issued are what
// would be stored: repaired as a form does, without what its type does not ask.
type Planned struct {
	Carried
	NewName string   // free in the book and in the plan; may be changed before the import
	Known   bool     // its type is offered here
	Missing []string // keys that the person still has to fill in
	Flags   []Flag   // what to look at before agreeing
	Same    *link.Connection

	refers map[string]string // key of a Reference → ID of the other in the bundle
}

// Propose plans the import of a bundle. It is about data alone: no name in it is
// looked up, no path is touched.
func Propose(ctx context.Context, b Book, bundle Bundle) (Plan, error) {
	known, err := b.List(ctx)
	if err != nil && len(known) == 0 {
		return Plan{}, err
	}
	taken := names{}
	same := map[string]*link.Connection{}
	for i, c := range known {
		taken.take(c.Name)
		if t, err := b.Type(c.Type); err == nil {
			same[lookOf(t, c.Name, c.Plain)] = &known[i]
		}
	}
	var p Plan
	for _, c := range bundle.Connections {
		item := plan(b, c)
		if t, err := b.Type(c.Type); err == nil {
			item.Same = same[lookOf(t, c.Name, item.Plain)]
		}
		item.NewName = taken.free(item.Name)
		p.Items = append(p.Items, item)
	}
	p.complete(b)
	return p, nil
}

// lookOf is alike for connections that look alike.
func lookOf(t connectors.Type, name string, plain map[string]string) string {
	return t.ID + "\x00" + strings.ToLower(strings.TrimSpace(name)) + "\x00" + t.Place(plain)
}

// names are those that are taken, by link.NameKey, with the number tried last.
type names map[string]int

func (n names) take(name string) { n[link.NameKey(name)] = 1 }

func (n names) free(base string) string {
	if base == "" {
		base = "Imported connection"
	}
	name, low := base, link.NameKey(base)
	for i := max(n[low], 1); ; i++ {
		if i > 1 {
			name = fmt.Sprintf("%s %d", base, i)
		}
		if n[link.NameKey(name)] == 0 {
			n[low] = i
			n.take(name)
			return name
		}
	}
}

func plan(b Book, c Carried) Planned {
	item := Planned{Carried: c, refers: map[string]string{}}
	item.Notes = slices.Clone(c.Notes)
	item.Name, item.Description = line(c.Name), lines(c.Description) // a bundle may also be made otherwise than by Unseal
	t, err := b.Type(c.Type)
	if err != nil {
		item.Notes = append(item.Notes, "Its type "+line(c.Type)+" is not offered here, so it cannot be imported.")
		item.Flags = flags(connectors.Type{ID: c.Type}, c)
		item.Plain, item.Secrets, item.Issued = nil, nil, nil
		return item
	}
	item.Known = true
	item.Flags = flags(t, c)
	item.keep(t, c)
	return item
}

// keep takes over the answers that t asks, each in its place: what stands among
// the plain ones would be stored readable.
func (p *Planned) keep(t connectors.Type, c Carried) {
	s := connectors.NewSettings()
	var left []string
	for k, v := range c.Plain {
		f, ok := t.Form.Field(k)
		switch {
		case !ok || f.Kind.Secret():
			left = append(left, k)
		case f.Kind == connectors.Reference:
			if v != "" {
				p.refers[k] = v
			}
		default:
			s.Plain[k] = v
		}
	}
	for k, v := range c.Secrets {
		if f, ok := t.Form.Field(k); ok && f.Kind.Secret() {
			s.Secrets[k] = v
		} else {
			left = append(left, k)
		}
	}
	p.Issued = map[string]connectors.Secret{}
	for k, v := range c.Issued {
		if t.Issued(k) {
			p.Issued[k] = v
		} else {
			left = append(left, k)
		}
	}
	s = t.Form.Tidied(s)
	p.Plain, p.Secrets = s.Plain, s.Secrets
	slices.Sort(left)
	for _, k := range left {
		p.Notes = append(p.Notes, "The answer “"+k+"” is left out: it is not asked in this way here.")
	}
}

// complete tells what is missing, once every item is known: one may sign in as
// another of the same bundle.
func (p *Plan) complete(b Book) {
	at := p.index()
	for i := range p.Items {
		item := &p.Items[i]
		t, err := b.Type(item.Type)
		if err != nil {
			continue
		}
		s := connectors.Settings{Plain: maps.Clone(item.Plain), Secrets: item.Secrets}
		for _, k := range slices.Sorted(maps.Keys(item.refers)) {
			f, _ := t.Form.Field(k)
			j, there := at[item.refers[k]]
			if !there || j == i || !p.Items[j].Known {
				item.Notes = append(item.Notes, "What it refers to does not come along ("+f.Label+"): choose another afterwards.")
				delete(item.refers, k)
				continue
			}
			other := p.Items[j]
			s.Plain[k] = other.Name
			item.Flags = append(item.Flags, Flag{Field: k, Label: f.Label, Kind: FlagWay, Value: shown(other.Name),
				Text: "It uses “" + other.NewName + "” of this file (" + f.Label + ")."})
			if f.Lends == connectors.LendsSignIn {
				s = link.Lend(t, s, link.Connection{Plain: other.Plain, SecretKeys: slices.Collect(maps.Keys(other.Secrets))})
			}
		}
		item.Missing = t.Form.Missing(s)
	}
}

func (p Plan) index() map[string]int {
	at := map[string]int{}
	for i, item := range p.Items {
		at[item.ID] = i
	}
	return at
}

// Left are sentences on what the choice leaves out: connections that a chosen
// one refers to.
func (p Plan) Left(chosen []int) []string {
	at := p.index()
	var out []string
	for _, i := range chosen {
		if i < 0 || i >= len(p.Items) {
			continue
		}
		item := p.Items[i]
		for _, k := range slices.Sorted(maps.Keys(item.refers)) {
			if j, ok := at[item.refers[k]]; ok && !slices.Contains(chosen, j) {
				out = append(out, fmt.Sprintf("“%s” uses “%s”, which is not chosen: choose another afterwards.", item.NewName, p.Items[j].NewName))
			}
		}
	}
	return out
}

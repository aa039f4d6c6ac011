package report

import (
	"regexp"
	"slices"
	"strings"

	"jackfield/connectors"
)

// A matcher walks both reports at once: A's order, and what only B has behind its
// siblings.
type matcher struct {
	a, b  *index
	items []Item
}

func (m *matcher) run() {
	m.level(0, len(m.a.r.Nodes), 0, len(m.b.r.Nodes))
}

// level puts the nodes of one depth in two stretches of the reports, each followed
// by what lies below it.
func (m *matcher) level(a, aEnd, b, bEnd int) {
	ends := map[int]int{} // of those that B has in this stretch
	for i := b; i < bEnd; {
		ends[i] = m.b.end(i, bEnd)
		i = ends[i]
	}
	taken := map[int]bool{}
	for i := a; i < aEnd; {
		end := m.a.end(i, aEnd)
		j, both := m.b.byKey[m.a.keys[i]]
		if _, here := ends[j]; !both || !here || taken[j] {
			m.put(i, -1)
			m.level(i+1, end, 0, 0)
		} else {
			taken[j] = true
			m.put(i, j)
			m.level(i+1, end, j+1, ends[j])
		}
		i = end
	}
	for i := b; i < bEnd; i = ends[i] {
		if !taken[i] {
			m.put(-1, i)
			m.level(0, 0, i+1, ends[i])
		}
	}
}

// end is where what lies below the node i ends.
func (x *index) end(i, most int) int {
	depth := len(x.r.Nodes[i].Path)
	for i++; i < most && len(x.r.Nodes[i].Path) > depth; i++ {
	}
	return i
}

func (m *matcher) put(i, j int) {
	var it Item
	switch {
	case j < 0:
		n := m.a.r.Nodes[i]
		it = Item{Path: n.Path, Kind: n.Kind, A: seen(n), What: OnlyA}
		if state := m.b.looked(n.Path); state != Listed {
			it.What, it.Unlooked = UnknownB, state
		}
	case i < 0:
		n := m.b.r.Nodes[j]
		it = Item{Path: n.Path, Kind: n.Kind, B: seen(n), What: OnlyB}
		if state := m.a.looked(n.Path); state != Listed {
			it.What, it.Unlooked = UnknownA, state
		}
	default:
		it = both(m.a.r.Nodes[i], m.b.r.Nodes[j])
	}
	m.items = append(m.items, it)
}

func seen(n Node) *Seen {
	return &Seen{ID: n.ID, Access: n.Access, Why: n.Why, Views: len(n.Views) > 0}
}

func both(a, b Node) Item {
	it := Item{Path: a.Path, Kind: a.Kind, A: seen(a), B: seen(b), What: Same}
	it.Changes, it.Minor = changes(a.Facts, b.Facts)
	switch {
	case a.Access == b.Access:
		if len(it.Changes) > 0 {
			it.What = FactsDiffer
		}
	case a.Access == "":
		it.What = UnknownA
	case b.Access == "":
		it.What = UnknownB
	default:
		it.What = RightsDiffer
	}
	it.Minor = it.Minor && it.What == FactsDiffer
	return it
}

// counted are facts that change by themselves: how much there is, and when.
var counted = regexp.MustCompile(`(?i)\b(size|rows|messages|entries|documents|members|keys|objects|items|count|number|length|modified|changed|created|received|accessed|last|lag|offset|offsets|ready|consumers|unread|used|free|total|age|bytes|clients|connections)\b`)

// changes are the facts that differ; minor says that all of them change by themselves.
func changes(a, b []connectors.Fact) (out []Change, minor bool) {
	var labels []string
	text := func(list []connectors.Fact) map[string]string {
		m := map[string]string{}
		for _, f := range list {
			if !slices.Contains(labels, f.Label) {
				labels = append(labels, f.Label)
			}
			m[f.Label] = strings.TrimPrefix(m[f.Label]+"; "+f.Text, "; ")
		}
		return m
	}
	of, with := text(a), text(b)
	minor = true
	for _, l := range labels {
		if of[l] != with[l] {
			out = append(out, Change{l, of[l], with[l]})
			minor = minor && counted.MatchString(l)
		}
	}
	return out, minor && len(out) > 0
}

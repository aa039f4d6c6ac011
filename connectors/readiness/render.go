package readiness

import (
	"fmt"
	"slices"
	"strings"

	"jackfield/connectors"
)

// groups are the headings of a checklist, in order. What only is to be known has
// no box to tick.
func groups() []group {
	return []group{
		{"To do here", []State{Wrong, Missing, Warning}, false},
		{"For the other side to do", []State{Theirs}, false},
		{"Untested: only a test can tell", []State{Untested}, false},
		{"Complete", []State{Done}, false},
		{"Good to know", []State{Theirs}, true},
	}
}

type group struct {
	Title  string
	states []State
	notes  bool
}

func (g group) of(items []Item) []Item {
	var out []Item
	for _, s := range g.states {
		for _, i := range items {
			if i.State == s && i.note() == g.notes {
				out = append(out, i)
			}
		}
	}
	return out
}

// note reports whether nobody has anything to do.
func (i Item) note() bool { return i.State == Theirs && i.Who == You }

// Words is the overall state in words.
func (o Overall) Words() string {
	return map[Overall]string{IsWrong: "something is wrong", IsIncomplete: "incomplete", IsLinked: "linked", IsPartial: "linked, with something missing", IsUntested: "complete, not tested"}[o]
}

func mark(i Item) string {
	if i.note() {
		return "   "
	}
	return map[State]string{Done: "[x]", Missing: "[ ]", Wrong: "[!]", Warning: "[!]", Untested: "[?]", Theirs: "[ ]"}[i.State]
}

// Text is the checklist to read in a terminal or to paste into a mail.
func (c Checklist) Text() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%s\n%s\n%s\n\n", line(c.Name), line(c.TypeName+when(c.Place, ": ")), "State: "+c.State.Words()+". Made on "+made(c)+".")
	for _, g := range groups() {
		items := g.of(c.Items)
		if len(items) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(&b, "%s\n", g.Title)
		for _, i := range items {
			_, _ = fmt.Fprintf(&b, "  %s %s\n", mark(i), line(i.Title))
			if i.Text != "" {
				_, _ = fmt.Fprintf(&b, "      %s\n", line(i.Text))
			}
			for l := range strings.Lines(i.Copy) {
				_, _ = fmt.Fprintf(&b, "      | %s\n", connectors.Clean(strings.TrimRight(l, "\r\n"), 20000))
			}
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// line is text on one line, without what a terminal would obey.
func line(v string) string {
	return connectors.Clean(strings.Join(strings.Fields(v), " "), 20000)
}

func when(v, before string) string {
	if v == "" {
		return ""
	}
	return before + v
}

// A Summary is about several connections.
type Summary struct {
	Counts map[Overall]int `json:"counts"`
	Lists  []Checklist     `json:"connections"`
}

// overalls are in the order of how much there is to do.
func overalls() []Overall { return []Overall{IsWrong, IsIncomplete, IsPartial, IsUntested, IsLinked} }

// All sums several checklists up, those with the most to do first.
func All(list []Checklist) Summary {
	s := Summary{Counts: map[Overall]int{}, Lists: slices.Clone(list)}
	order := overalls()
	slices.SortStableFunc(s.Lists, func(a, b Checklist) int { return slices.Index(order, a.State) - slices.Index(order, b.State) })
	for _, c := range list {
		s.Counts[c.State]++
	}
	return s
}

// Text is one line for each connection, and how many things there are to do.
func (s Summary) Text() string {
	var b strings.Builder
	for _, c := range s.Lists {
		_, _ = fmt.Fprintf(&b, "%-32s %-32s %s%s\n", line(c.Name), line(c.TypeName), c.State.Words(), c.todo())
	}
	return b.String()
}

package report

import (
	"fmt"
	"slices"
	"strings"

	"jackfield/connectors"
)

// namesTold is how many names an answer spells out.
const namesTold = 5

// An Answer is one sentence of the comparison, in parts: "Less may not read 3
// tables that More can: …".
type Answer struct {
	What  AnswerKind `json:"what"`
	Side  string     `json:"side"`  // "a" or "b": whom the sentence is about
	Kind  string     `json:"kind"`  // of the things; "" for several kinds
	Count int        `json:"count"` // how many
	Names []string   `json:"names"` // the first of them, as paths
	Why   *Why       `json:"why,omitempty"`
}

// An AnswerKind says what the sentence tells of them.
type AnswerKind string

// The kinds of answers.
const (
	MayNotRead AnswerKind = "may_not_read" // the other side may read it
	NotSeen    AnswerKind = "not_seen"     // the other side sees it
	NotKnown   AnswerKind = "not_known"    // the side did not look there, or could not
)

// answer gathers the sentences and the line.
func (d *Difference) answer() {
	for _, side := range []string{"b", "a"} {
		d.gather(MayNotRead, side, func(i Item) bool { return i.What == RightsDiffer && less(i, side) })
	}
	d.gather(NotSeen, "b", func(i Item) bool { return i.What == OnlyA })
	d.gather(NotSeen, "a", func(i Item) bool { return i.What == OnlyB })
	d.gather(NotKnown, "b", func(i Item) bool { return i.What == UnknownB })
	d.gather(NotKnown, "a", func(i Item) bool { return i.What == UnknownA })
	var lines []string
	for _, a := range d.Answers {
		if a.What != NotKnown || len(lines) == 0 && d.Verdict == Unsure {
			lines = append(lines, d.Sentence(a))
		}
	}
	switch {
	case len(lines) > 0:
	case d.Verdict == Alike:
		lines = []string{fmt.Sprintf("%s and %s see the same, with the same rights.", d.A.Label, d.B.Label)}
	case d.Verdict == Unsure:
		lines = []string{fmt.Sprintf("%s and %s see the same with the same rights where both looked; at least one did not look everywhere.", d.A.Label, d.B.Label)}
	default:
		lines = []string{fmt.Sprintf("%s and %s see the same things with the same rights; what is told of them differs at %d.", d.A.Label, d.B.Label, d.Counts[FactsDiffer]-d.Minor)}
	}
	d.Line = strings.Join(lines, " ")
}

// rank orders rights; unknown ones have none.
func rank(a connectors.Access) int {
	return slices.Index([]connectors.Access{connectors.AccessDenied, connectors.AccessListed, connectors.AccessReadable}, a)
}

// less reports whether a side may do less than the other one.
func less(i Item, side string) bool {
	if side == "a" {
		return rank(i.A.Access) < rank(i.B.Access)
	}
	return rank(i.B.Access) < rank(i.A.Access)
}

// gather makes an answer of the items for which is holds: of those that have
// content where there are any, else of what contains others.
func (d *Difference) gather(what AnswerKind, side string, is func(Item) bool) {
	var content, others []Item
	for _, i := range d.Items {
		if !is(i) {
			continue
		}
		if i.A != nil && i.A.Views || i.B != nil && i.B.Views {
			content = append(content, i)
		} else {
			others = append(others, i)
		}
	}
	list := content
	if len(list) == 0 {
		list = others
	}
	if len(list) == 0 {
		return
	}
	a := Answer{What: what, Side: side, Kind: list[0].Kind, Count: len(list), Names: []string{}}
	same := true
	why := whyOf(list[0], side)
	for n, i := range list {
		if i.Kind != a.Kind {
			a.Kind = ""
		}
		if n < namesTold {
			a.Names = append(a.Names, Place(i.Path))
		}
		w := whyOf(i, side)
		same = same && w != nil && why != nil && *w == *why
	}
	if same {
		a.Why = why
	}
	d.Answers = append(d.Answers, a)
}

func whyOf(i Item, side string) *Why {
	seen := i.B
	if side == "a" {
		seen = i.A
	}
	if seen == nil {
		return nil
	}
	return seen.Why
}

// Place is a path as one line that is safe to show.
func Place(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = connectors.Clean(p, 120)
	}
	return strings.Join(parts, " / ")
}

// Sentence is an answer in English.
func (d *Difference) Sentence(a Answer) string {
	who, other := d.B.Label, d.A.Label
	if a.Side == "a" {
		who, other = other, who
	}
	things := things(a.Kind, a.Count)
	names := strings.Join(a.Names, ", ")
	if more := a.Count - len(a.Names); more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	var s string
	switch a.What {
	case MayNotRead:
		s = fmt.Sprintf("%s may not read %s that %s can: %s.", who, things, other, names)
	case NotSeen:
		s = fmt.Sprintf("%s does not see %s that %s sees: %s.", who, things, other, names)
	default:
		s = fmt.Sprintf("Of %s that %s sees it is not known what %s may do: %s.", things, other, who, names)
	}
	if a.Why != nil && a.What == MayNotRead {
		s += " " + a.Why.Text()
	}
	return s
}

// things is "1 table", "2 entries", "3 things".
func things(kind string, n int) string {
	kind = orThing(kind)
	switch {
	case n == 1:
	case strings.HasSuffix(kind, "y") && !strings.HasSuffix(kind, "ey"):
		kind = kind[:len(kind)-1] + "ies"
	case strings.HasSuffix(kind, "s"), strings.HasSuffix(kind, "x"), strings.HasSuffix(kind, "ch"):
		kind += "es"
	default:
		kind += "s"
	}
	return fmt.Sprintf("%d %s", n, kind)
}

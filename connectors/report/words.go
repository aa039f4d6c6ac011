package report

import (
	"fmt"
	"strings"
	"time"

	"jackfield/connectors"
)

// accessWord is a right in a word.
func accessWord(a connectors.Access) string {
	switch a {
	case connectors.AccessReadable:
		return "readable"
	case connectors.AccessListed:
		return "partly"
	case connectors.AccessDenied:
		return "denied"
	}
	return "unknown"
}

// note says how far the children were looked at, where that was not to the end.
func (b *Below) note() string {
	if b == nil {
		return ""
	}
	switch b.State {
	case Denied:
		return "may not be listed"
	case Failed:
		if b.Problem != nil {
			return "could not be listed: " + connectors.Clean(b.Problem.Title, 200)
		}
		return "could not be listed"
	case TooDeep:
		return "not looked into: deeper than asked for"
	case TooMany:
		return fmt.Sprintf("not looked into further: enough was found (%d here)", b.Count)
	case Cancelled:
		return "not looked into: stopped"
	}
	return ""
}

// stopWords says where the walk stopped, one sentence a reason.
func (r *Report) stopWords() []string {
	var out []string
	for _, s := range r.Stops {
		out = append(out, stopWord(s, r))
	}
	if r.Problem != nil && r.Problem.Title != "" {
		out = append(out, connectors.Clean(r.Problem.Title, 300))
	}
	return out
}

func stopWord(s Stop, r *Report) string {
	n := things("branch", s.Count)
	switch s.State {
	case Denied:
		return n + " may not be listed by this account; what is below is unknown."
	case Failed:
		return n + " could not be listed; what is below is unknown."
	case TooDeep:
		return fmt.Sprintf("%s below level %d not looked into.", n, r.Options.Depth)
	case TooMany:
		return fmt.Sprintf("%s not looked into, or not to the end: there were %d things already.", n, r.Options.Most)
	case Cancelled:
		return n + " not looked into: the walk was stopped."
	case Inside:
		return n + ": columns of tables and contents of files were not asked for."
	case Overheard:
		if r.Heard == nil {
			return ""
		}
		return fmt.Sprintf("What was heard in %.1f seconds (%s); what was silent then is not here.", r.Heard.Seconds, things("message", r.Heard.Messages))
	}
	return ""
}

func (r *Report) completeWord() string {
	if r.Complete {
		return "Everything that was asked for was looked at."
	}
	return "Not everything was looked at: what is not in this report may still be there."
}

// title is the head of a report.
func (r *Report) title() string { return "What " + connectors.Clean(r.About.Name, 80) + " can see" }

// place is the type and where it leads.
func (a About) place() string {
	out := connectors.Clean(a.TypeName, 60)
	if a.Place != "" {
		out += " · " + connectors.Clean(a.Place, 120)
	}
	return strings.TrimPrefix(out, " · ")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func factWords(facts []connectors.Fact) string {
	var parts []string
	for _, f := range facts {
		parts = append(parts, connectors.Clean(f.Label, 80)+": "+connectors.Clean(f.Text, 300))
	}
	return strings.Join(parts, "; ")
}

// whatWord is a difference in words.
func (d *Difference) whatWord(w What) string {
	switch w {
	case RightsDiffer:
		return "Rights differ"
	case OnlyA:
		return "Only " + d.A.Label + " sees"
	case OnlyB:
		return "Only " + d.B.Label + " sees"
	case UnknownA:
		return "Not known of " + d.A.Label
	case UnknownB:
		return "Not known of " + d.B.Label
	case FactsDiffer:
		return "Details differ"
	}
	return "The same"
}

// seenWord is what one side may do with a node.
func (i Item) seenWord(s *Seen, other What) string {
	switch {
	case s != nil:
		return accessWord(s.Access)
	case i.What == other:
		return unlookedWord(i.Unlooked)
	}
	return "not there"
}

func unlookedWord(s State) string {
	switch s {
	case Denied:
		return "may not look there"
	case Failed:
		return "could not look there"
	case Overheard:
		return "not heard"
	}
	return "not looked at"
}

// sides are the words for both.
func (i Item) sides() (a, b string) {
	return i.seenWord(i.A, UnknownA), i.seenWord(i.B, UnknownB)
}

// reason is why the side that may do less may not do more.
func (i Item) reason() string {
	for _, s := range []*Seen{i.B, i.A} {
		if i.What == RightsDiffer && s != nil && s.Why != nil {
			return s.Why.Text()
		}
	}
	return ""
}

func changeWords(list []Change) string {
	var parts []string
	for _, c := range list {
		parts = append(parts, fmt.Sprintf("%s: %s → %s", connectors.Clean(c.Label, 80), orNone(c.A), orNone(c.B)))
	}
	return strings.Join(parts, "; ")
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return connectors.Clean(s, 200)
}

// weighed are the items to show of one What, without those that say the same as
// the one above them; below counts these.
func (d *Difference) weighed(w What) (list []Item, below []int) {
	for _, i := range d.Items {
		switch {
		case i.What != w:
		case i.Under && len(list) > 0:
			below[len(below)-1]++
		default:
			list, below = append(list, i), append(below, 0)
		}
	}
	return list, below
}

package report

import (
	"fmt"
	"strings"

	"jackfield/connectors"
)

// Text is the report for a terminal or a ticket.
func (r *Report) Text() string {
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", r.title())
	line("%s", r.About.place())
	line("%s, in %d ms", stamp(r.Made), r.TookMS)
	for _, f := range r.Account {
		line("  %-12s %s", connectors.Clean(f.Label, 60), connectors.Clean(f.Text, 300))
	}
	line("")
	line("%s", r.completeWord())
	for _, s := range r.stopWords() {
		line("  %s", s)
	}
	if len(r.Totals) > 0 {
		line("")
		line("  %-24s %8s %9s %8s %8s %8s", "kind", "all", "readable", "partly", "denied", "unknown")
	}
	for _, t := range r.Totals {
		line("  %-24s %8d %9d %8d %8d %8d", connectors.Clean(t.Kind, 24), t.Count, t.Readable, t.Listed, t.Denied, t.Unknown)
	}
	line("")
	for _, n := range r.Nodes {
		n.text(&b)
	}
	return b.String()
}

func (n Node) text(b *strings.Builder) {
	mark := map[connectors.Access]string{connectors.AccessReadable: "+", connectors.AccessListed: "~", connectors.AccessDenied: "-"}[n.Access]
	if mark == "" {
		mark = "?"
	}
	indent := strings.Repeat("  ", len(n.Path)-1)
	parts := []string{accessWord(n.Access)}
	if f := factWords(n.Facts); f != "" {
		parts = append(parts, connectors.Clean(f, 200))
	}
	if note := n.Below.note(); note != "" {
		parts = append(parts, note)
	}
	_, _ = fmt.Fprintf(b, "%s%s %s  [%s]  %s\n", indent, mark, connectors.Clean(n.Name(), 200), connectors.Clean(n.Kind, 40), strings.Join(parts, " · "))
	if n.Why != nil && n.Why.Reason != Itself {
		_, _ = fmt.Fprintf(b, "%s    %s\n", indent, n.Why.Text())
	}
	if cols := columnWords(n.Columns); cols != "" {
		_, _ = fmt.Fprintf(b, "%s    %s\n", indent, cols)
	}
	if n.Sample == nil {
		return
	}
	for _, row := range n.Sample.Rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = connectors.Clean(c, 60)
		}
		_, _ = fmt.Fprintf(b, "%s    | %s\n", indent, strings.Join(cells, " | "))
	}
	if n.Sample.Problem != nil {
		_, _ = fmt.Fprintf(b, "%s    %s\n", indent, connectors.Clean(n.Sample.Problem.Title, 200))
	}
}

func columnWords(list []Column) string {
	var parts []string
	for _, c := range list {
		parts = append(parts, strings.TrimSpace(connectors.Clean(c.Name, 80)+" "+connectors.Clean(c.Type, 40)))
	}
	return strings.Join(parts, ", ")
}

// Text is the comparison for a terminal or a ticket. What is the same is counted.
func (d *Difference) Text() string {
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("%s", d.Line)
	line("")
	for _, s := range []struct {
		letter string
		Side
	}{{"A", d.A}, {"B", d.B}} {
		line("%s  %s · %s · %s · %s", s.letter, s.Label, s.About.place(), stamp(s.Made), things("thing", s.Nodes))
	}
	for _, n := range d.openly() {
		line("%s", n)
	}
	for _, w := range Whats() {
		if d.Counts[w] == 0 {
			continue
		}
		line("")
		line("%s: %d", d.whatWord(w), d.Counts[w])
		if w == Same {
			continue
		}
		list, below := d.weighed(w)
		for n, i := range list {
			line("  %s", d.itemLine(i, below[n]))
			if why := i.reason(); why != "" {
				line("      %s", why)
			}
		}
	}
	return b.String()
}

func (d *Difference) itemLine(i Item, below int) string {
	a, b := i.sides()
	s := fmt.Sprintf("%s  [%s]  A: %s · B: %s", Place(i.Path), connectors.Clean(i.Kind, 40), a, b)
	if below > 0 {
		s += fmt.Sprintf(" · and %d below it", below)
	}
	if len(i.Changes) > 0 {
		s += " · " + changeWords(i.Changes)
	}
	return s
}

// openly are the notes, with what each side did not look at.
func (d *Difference) openly() []string {
	out := append([]string{}, d.Notes...)
	for _, s := range []Side{d.A, d.B} {
		if !s.Complete {
			out = append(out, s.Label+" was not looked at everywhere: what it lacks there is unknown, not missing.")
		}
	}
	return out
}

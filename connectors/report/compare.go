package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"jackfield/connectors"
)

// DifferenceFormat names the JSON shape of a Difference.
const DifferenceFormat = "jackfield.comparison/1"

// A What says how two reports stand to each other at one node.
type What string

// The ways, the most important first.
const (
	RightsDiffer What = "rights"    // both see it, and may do different things with it
	OnlyA        What = "only_a"    // B looked there and does not see it
	OnlyB        What = "only_b"    // A looked there and does not see it
	UnknownA     What = "unknown_a" // A did not look there, or could not
	UnknownB     What = "unknown_b"
	FactsDiffer  What = "facts" // size, type, owner …
	Same         What = "same"
)

// Whats lists them.
func Whats() []What {
	return []What{RightsDiffer, OnlyA, OnlyB, FactsDiffer, UnknownA, UnknownB, Same}
}

// A Verdict is the comparison in a word.
type Verdict string

// The verdicts.
const (
	Alike   Verdict = "same"    // but for counts and sizes
	Differ  Verdict = "differ"  // in rights, in what is there, or in what it is
	Unsure  Verdict = "unknown" // nothing differs where both looked, and one did not look everywhere
	sideMax         = 30
)

// A Difference is what two reports see differently. Items stand as a tree is read.
type Difference struct {
	Format  string       `json:"format"`
	Verdict Verdict      `json:"verdict"`
	A       Side         `json:"a"`
	B       Side         `json:"b"`
	Answers []Answer     `json:"answers"` // the short ones, the most important first
	Line    string       `json:"answer"`  // the first ones as one line of English
	Notes   []string     `json:"notes,omitempty"`
	Counts  map[What]int `json:"counts"`
	Minor   int          `json:"minor"` // of FactsDiffer: those that differ in counts, sizes and times alone
	Items   []Item       `json:"items"`
}

// A Side is one of the two reports.
type Side struct {
	About    About             `json:"connection"`
	Account  []connectors.Fact `json:"account"`
	Made     time.Time         `json:"made"`
	Nodes    int               `json:"nodes"`
	Complete bool              `json:"complete"`
	Stops    []Stop            `json:"stops"`
	Label    string            `json:"label"` // its name; with the time where both have the same
}

// An Item is one node, as both see it.
type Item struct {
	Path    []string `json:"path"`
	Kind    string   `json:"kind"`
	What    What     `json:"what"`
	A       *Seen    `json:"a"` // nil where it is not in the report
	B       *Seen    `json:"b"`
	Changes []Change `json:"changes,omitempty"`
	Minor   bool     `json:"minor,omitempty"`
	// Unlooked is why it is unknown: how far the side that lacks it got there.
	Unlooked State `json:"unlooked,omitempty"`
	// Under says that what is above it stands in the list with the same What.
	Under bool `json:"under,omitempty"`
}

// Name is the node's own.
func (i Item) Name() string {
	if len(i.Path) == 0 {
		return ""
	}
	return i.Path[len(i.Path)-1]
}

// Seen is a node on one side.
type Seen struct {
	ID     connectors.NodeID `json:"id"`
	Access connectors.Access `json:"access"`
	Why    *Why              `json:"why,omitempty"`
	Views  bool              `json:"-"` // it has content of its own
}

// A Change is a fact that is another one in B.
type Change struct {
	Label string `json:"label"`
	A     string `json:"a"`
	B     string `json:"b"`
}

// Compare says what differs between two reports: of two accounts, or of one at two
// times. Nodes belong together that have the same path, letter for letter, and the
// same kind. What one side did not look at is unknown there, and not missing.
//
// Reports of two types are refused, unless some of their nodes are of one kind.
func Compare(a, b *Report) (*Difference, error) {
	d := &Difference{Format: DifferenceFormat, A: sideOf(a), B: sideOf(b), Counts: map[What]int{}, Items: []Item{}, Answers: []Answer{}}
	if err := d.types(a, b); err != nil {
		return nil, err
	}
	d.label()
	d.notes(a, b)
	m := &matcher{a: newIndex(a), b: newIndex(b)}
	m.run()
	d.Items = m.items
	d.under()
	for _, i := range d.Items {
		d.Counts[i.What]++
		if i.Minor {
			d.Minor++
		}
	}
	d.judge()
	d.answer()
	return d, nil
}

func sideOf(r *Report) Side {
	return Side{About: r.About, Account: r.Account, Made: r.Made, Nodes: len(r.Nodes), Complete: r.Complete, Stops: r.Stops, Label: connectors.Clean(r.About.Name, sideMax)}
}

// label tells the two apart also where they are of one connection.
func (d *Difference) label() {
	if d.A.About.Name != d.B.About.Name {
		return
	}
	layout := "2006-01-02 15:04"
	if d.A.Made.Format(layout) == d.B.Made.Format(layout) {
		layout += ":05"
	}
	d.A.Label += " (" + d.A.Made.UTC().Format(layout) + ")"
	d.B.Label += " (" + d.B.Made.UTC().Format(layout) + ")"
}

func (d *Difference) types(a, b *Report) error {
	if a.About.Type == b.About.Type {
		return nil
	}
	for _, n := range a.Totals {
		if slices.ContainsFunc(b.Totals, func(o Total) bool { return o.Kind == n.Kind }) {
			d.Notes = append(d.Notes, fmt.Sprintf("These are connections of two types, %s and %s: they are compared by path and kind.", typeName(a), typeName(b)))
			return nil
		}
	}
	return &connectors.Error{Code: connectors.BadInput, Reason: "report.types", Target: typeName(a) + " and " + typeName(b)}
}

func typeName(r *Report) string {
	return connectors.Clean(cmp.Or(r.About.TypeName, r.About.Type, "unknown"), 60)
}

func (d *Difference) notes(a, b *Report) {
	if a.Options.Below != b.Options.Below {
		d.Notes = append(d.Notes, "The two reports begin at different places.")
	}
	if a.Options.Depth != b.Options.Depth || a.Options.Columns != b.Options.Columns {
		d.Notes = append(d.Notes, "The two reports do not look equally deep; what only one of them looked at is unknown in the other.")
	}
}

// under marks what needs no line of its own where a tree is shown.
func (d *Difference) under() {
	last := map[int]Item{}
	for i := range d.Items {
		it := &d.Items[i]
		depth := len(it.Path)
		above, ok := last[depth-1]
		it.Under = ok && above.What == it.What && it.What != RightsDiffer && it.What != FactsDiffer && slices.Equal(above.Path, it.Path[:depth-1])
		last[depth] = *it
	}
}

func (d *Difference) judge() {
	switch {
	case d.Counts[RightsDiffer]+d.Counts[OnlyA]+d.Counts[OnlyB]+d.Counts[FactsDiffer]-d.Minor > 0:
		d.Verdict = Differ
	case d.Counts[UnknownA]+d.Counts[UnknownB] > 0 || !d.A.Complete || !d.B.Complete:
		d.Verdict = Unsure
	default:
		d.Verdict = Alike
	}
}

// An index finds the nodes of a report.
type index struct {
	r     *Report
	keys  []string       // of each node
	byKey map[string]int // with a number for those of one path and kind
	paths map[string]int // the first node of a path
}

func newIndex(r *Report) *index {
	x := &index{r: r, keys: make([]string, len(r.Nodes)), byKey: make(map[string]int, len(r.Nodes)), paths: make(map[string]int, len(r.Nodes))}
	times := map[string]int{}
	for i, n := range r.Nodes {
		path := pathKey(n.Path)
		key := path + "\x00" + n.Kind
		times[key]++
		x.keys[i] = key + "\x00" + strconv.Itoa(times[key])
		x.byKey[x.keys[i]] = i
		if _, ok := x.paths[path]; !ok {
			x.paths[path] = i
		}
	}
	return x
}

// pathKey is alike for equal paths alone, whatever signs their names contain.
func pathKey(path []string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteString(strconv.Itoa(len(p)))
		b.WriteByte(':')
		b.WriteString(p)
	}
	return b.String()
}

// looked is how far this side looked at the place where a node would be.
func (x *index) looked(path []string) State {
	for n := len(path) - 1; n > 0; n-- {
		i, ok := x.paths[pathKey(path[:n])]
		if !ok {
			continue
		}
		if b := x.r.Nodes[i].Below; b != nil {
			return b.State
		}
		return Listed
	}
	return x.r.Root.State
}

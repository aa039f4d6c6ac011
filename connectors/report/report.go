// Package report tells what an account can see: it walks what an open session
// shows, says which rights the account has there and where the walk stopped, and
// compares two such reports. It changes nothing at the other end, reads no secret,
// and no content unless it is asked for samples.
package report

import (
	"cmp"
	"slices"
	"time"

	"jackfield/connectors"
)

// Format names the JSON shape of a Report. Keys are added to it, never renamed.
const Format = "jackfield.report/1"

// The bounds that Take keeps where Options say nothing.
const (
	DefaultDepth    = 4
	DefaultMost     = 10_000
	DefaultRows     = 5
	DefaultPatience = 30 * time.Second
	DefaultListen   = 5 * time.Second
)

// Options bound a walk.
type Options struct {
	Depth   int               `json:"depth"` // how many levels are listed; 0: DefaultDepth
	Most    int               `json:"most"`  // how many nodes at the most; 0: DefaultMost
	Below   connectors.NodeID `json:"below"` // "" for everything
	Columns bool              `json:"columns"`
	Samples bool              `json:"samples"`        // rows, too: the report has content then
	Rows    int               `json:"rows,omitempty"` // of a sample; 0: DefaultRows

	// Patience is how long a listing may stay silent; 0: DefaultPatience.
	Patience time.Duration `json:"-"`
	// Listen is how long messages are heard where nothing can be listed but what
	// was heard; 0: DefaultListen.
	Listen time.Duration `json:"-"`
	// Progress is told on the caller's goroutine how many nodes were found, how many
	// branches wait, and where the walk is. The name is as the server says it.
	Progress func(done, open int, name string) `json:"-"`
	// About names the connection in the report.
	About About `json:"-"`
}

func (o Options) bounded() Options {
	o.Depth = cmp.Or(max(o.Depth, 0), DefaultDepth)
	o.Most = cmp.Or(max(o.Most, 0), DefaultMost)
	if o.Samples {
		o.Rows = cmp.Or(max(o.Rows, 0), DefaultRows)
	} else {
		o.Rows = 0
	}
	o.Patience = cmp.Or(max(o.Patience, 0), DefaultPatience)
	o.Listen = cmp.Or(max(o.Listen, 0), DefaultListen)
	if o.Progress == nil {
		o.Progress = func(int, int, string) {}
	}
	return o
}

// About is which connection was looked at.
type About struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	TypeName string `json:"type_name"`
	Place    string `json:"place"`
}

// A Report is what an account could see at one time. Its nodes stand as a tree is
// read: each parent before its children.
type Report struct {
	Format   string              `json:"format"`
	Made     time.Time           `json:"made"`
	TookMS   int64               `json:"took_ms"`
	About    About               `json:"connection"`
	Account  []connectors.Fact   `json:"account"`           // what the check told
	Problem  *connectors.Problem `json:"problem,omitempty"` // of the check
	Options  Options             `json:"options"`
	Root     Below               `json:"root"`
	Complete bool                `json:"complete"` // nothing was left out but what was refused
	Stops    []Stop              `json:"stops"`
	Totals   []Total             `json:"totals"`
	Heard    *Heard              `json:"heard,omitempty"`
	Nodes    []Node              `json:"nodes"`
}

// A Node is one thing that the account sees. Names are as the server says them:
// connectors.Clean them before they are shown.
type Node struct {
	ID      connectors.NodeID `json:"id"`
	Path    []string          `json:"path"` // the names from the top; the last is its own
	Kind    string            `json:"kind"`
	Access  connectors.Access `json:"access"` // "" for unknown
	Facts   []connectors.Fact `json:"facts,omitempty"`
	Views   []connectors.View `json:"views,omitempty"`
	Below   *Below            `json:"below,omitempty"` // nil for what has no children
	Why     *Why              `json:"why,omitempty"`   // it cannot be read
	Columns []Column          `json:"columns,omitempty"`
	Sample  *Sample           `json:"sample,omitempty"`

	ordered bool
}

// Name is the node's own.
func (n Node) Name() string {
	if len(n.Path) == 0 {
		return ""
	}
	return n.Path[len(n.Path)-1]
}

// A State says how far the children of a node were looked at.
type State string

// The states. Of all but Listed and Denied it is unknown what else is there.
const (
	Listed    State = "all"       // every child is in the report
	Denied    State = "denied"    // the server refused to list them
	Failed    State = "failed"    // listing them failed or took too long
	TooDeep   State = "depth"     // they lie deeper than was asked for
	TooMany   State = "most"      // there were enough nodes already
	Cancelled State = "cancelled" // a person stopped the walk
	Inside    State = "inside"    // they are the inside of a table or file, which was not asked for
	Overheard State = "heard"     // they are what was heard in the time given; others may be silent
)

// Below is what is known of a node's children.
type Below struct {
	State   State               `json:"state"`
	Count   int                 `json:"count"` // that are in the report
	Problem *connectors.Problem `json:"problem,omitempty"`
}

// A Stop counts the branches that were not looked at to their end.
type Stop struct {
	State State `json:"state"`
	Count int   `json:"count"`
}

// A Total counts the nodes of one kind by what may be done with them.
type Total struct {
	Kind     string `json:"kind"`
	Count    int    `json:"count"`
	Readable int    `json:"readable"`
	Listed   int    `json:"listed"`
	Denied   int    `json:"denied"`
	Unknown  int    `json:"unknown"`
}

// Heard is how long messages were listened to, and how many came.
type Heard struct {
	Seconds  float64 `json:"seconds"`
	Messages int     `json:"messages"`
	Dropped  uint64  `json:"dropped,omitempty"`
}

// A Column is one of a table or data file.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
}

// A Sample is the first rows as text.
type Sample struct {
	Rows      [][]string          `json:"rows"`
	Truncated bool                `json:"truncated,omitempty"`
	Note      string              `json:"note,omitempty"`
	Problem   *connectors.Problem `json:"problem,omitempty"`
}

// sum counts what is in the report, and where it stopped.
func (r *Report) sum() {
	kinds, stops := map[string]*Total{}, map[State]int{}
	count := func(b Below) {
		if b.State != Listed {
			stops[b.State]++
		}
	}
	count(r.Root)
	for _, n := range r.Nodes {
		t := kinds[n.Kind]
		if t == nil {
			t = &Total{Kind: n.Kind}
			kinds[n.Kind] = t
		}
		t.add(n.Access)
		if n.Below != nil {
			count(*n.Below)
		}
	}
	r.Totals, r.Stops, r.Complete = []Total{}, []Stop{}, true
	for _, t := range kinds {
		r.Totals = append(r.Totals, *t)
	}
	slices.SortFunc(r.Totals, func(a, b Total) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	for _, s := range []State{Denied, Failed, TooDeep, TooMany, Cancelled, Inside, Overheard} {
		if stops[s] == 0 {
			continue
		}
		r.Stops = append(r.Stops, Stop{s, stops[s]})
		r.Complete = r.Complete && (s == Denied || s == Inside && !r.Options.Columns)
	}
}

func (t *Total) add(a connectors.Access) {
	t.Count++
	switch a {
	case connectors.AccessReadable:
		t.Readable++
	case connectors.AccessListed:
		t.Listed++
	case connectors.AccessDenied:
		t.Denied++
	default:
		t.Unknown++
	}
}

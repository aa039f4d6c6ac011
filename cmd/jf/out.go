package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"
	"os"

	"jackfield/connectors"
	"jackfield/connectors/link"
)

func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }

// document writes one JSON document, indented.
func (a *app) document(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// line writes one JSON object on a line of its own.
func (a *app) line(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes aligned columns; every cell is cleaned.
func table(w io.Writer, head []string, rows func(yield func([]string) bool)) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(head) > 0 {
		_, _ = fmt.Fprintln(t, strings.Join(head, "\t"))
	}
	for row := range rows {
		for i := range row {
			row[i] = connectors.Clean(row[i], 80)
		}
		_, _ = fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	return t.Flush()
}

// The JSON shapes of the contract: add, never rename.
type (
	stepJSON struct {
		Stage connectors.Stage `json:"stage"`
		OK    bool             `json:"ok"`
		MS    int64            `json:"ms"`
		Text  string           `json:"text"`
	}
	resultJSON struct {
		Name    string              `json:"name"`
		Type    string              `json:"type"`
		OK      bool                `json:"ok"`
		State   string              `json:"state"`
		Facts   []connectors.Fact   `json:"facts"`
		Steps   []stepJSON          `json:"steps"`
		Problem *connectors.Problem `json:"problem"`
	}
	nodeJSON struct {
		ID     connectors.NodeID `json:"id"`
		Name   string            `json:"name"`
		Kind   string            `json:"kind"`
		Branch bool              `json:"branch"`
		Facts  []connectors.Fact `json:"facts"`
		Access connectors.Access `json:"access,omitempty"`
		Depth  int               `json:"depth,omitempty"`
	}
	problemJSON struct {
		Problem *connectors.Problem `json:"problem"`
	}
)

func resultOf(c link.Connection, r *link.Result) resultJSON {
	out := resultJSON{Name: c.Name, Type: c.Type, OK: r.State == link.OK, State: string(r.State), Facts: r.Facts, Problem: r.Problem, Steps: []stepJSON{}}
	if out.Facts == nil {
		out.Facts = []connectors.Fact{}
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, stepJSON{s.Stage, s.Err == nil, s.Elapsed.Milliseconds(), connectors.Clean(s.Text, 300)})
	}
	return out
}

func nodeOf(n connectors.Node, depth int) nodeJSON {
	facts := n.Facts
	if facts == nil {
		facts = []connectors.Fact{}
	}
	return nodeJSON{ID: n.ID, Name: n.Name, Kind: n.Kind, Branch: n.Branch, Facts: facts, Access: n.Access, Depth: depth}
}

// rungs are the stages' names for people.
func rung(s connectors.Stage) string {
	switch s {
	case connectors.StageForm:
		return "form"
	case connectors.StageReach:
		return "way"
	case connectors.StageResolve:
		return "name"
	case connectors.StageConnect:
		return "connect"
	case connectors.StageSecure:
		return "secure"
	case connectors.StageSignIn:
		return "sign in"
	case connectors.StageRights:
		return "rights"
	case connectors.StageData:
		return "first data"
	}
	return string(s)
}

// ladder returns a Watcher.Step that writes each rung as it ends. One that went
// well and is climbed again, as while a device code is asked about, is not news.
func (a *app) ladder() func(connectors.Step) {
	var mu sync.Mutex
	told := map[string]bool{}
	return func(s connectors.Step) {
		if !s.Done {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		row := string(s.Stage) + "\x00" + s.Text
		if s.Err == nil && told[row] {
			return
		}
		told[row] = s.Err == nil
		mark := "ok "
		if s.Err != nil {
			mark = "NO "
		}
		_, _ = fmt.Fprintf(a.err, "  %s %-10s %6s  %s\n", mark, rung(s.Stage), millis(s.Elapsed), connectors.Clean(s.Text, 100))
	}
}

func millis(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func factLine(facts []connectors.Fact) string {
	var parts []string
	for _, f := range facts {
		parts = append(parts, f.Label+": "+f.Text)
	}
	return strings.Join(parts, ", ")
}

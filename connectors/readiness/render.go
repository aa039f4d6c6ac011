package readiness

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"jackfield/connectors"
)

// groups are the headings of a checklist, in order.
func groups() []group {
	return []group{
		{"To put right", []State{Wrong, Missing}}, {"To look at", []State{Warning}}, {"Only a test can tell", []State{Untested}},
		{"For the other side to do", []State{Theirs}}, {"Done", []State{Done}},
	}
}

type group struct {
	Title  string
	states []State
}

func (g group) of(items []Item) []Item {
	var out []Item
	for _, s := range g.states {
		for _, i := range items {
			if i.State == s {
				out = append(out, i)
			}
		}
	}
	return out
}

// Words is the overall state in words.
func (o Overall) Words() string {
	return map[Overall]string{IsWrong: "something is wrong", IsIncomplete: "incomplete", IsLinked: "linked", IsPartial: "linked, with something missing", IsUntested: "complete, not tested"}[o]
}

func mark(s State) string {
	return map[State]string{Done: "[x]", Missing: "[ ]", Wrong: "[!]", Warning: "[!]", Untested: "[?]", Theirs: "[ ]"}[s]
}

// Text is the checklist to read in a terminal or to paste into a mail.
func (c Checklist) Text() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "%s\n%s\n%s\n\n", line(c.Name), line(c.TypeName+when(c.Place, ": ")), "State: "+c.State.Words()+". Made on "+c.Made.UTC().Format("2 January 2006, 15:04 UTC")+".")
	for _, g := range groups() {
		items := g.of(c.Items)
		if len(items) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(&b, "%s\n", g.Title)
		for _, i := range items {
			_, _ = fmt.Fprintf(&b, "  %s %s\n", mark(i.State), line(i.Title))
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

// page needs nothing from elsewhere: it can be mailed and printed.
var page = template.Must(template.New("page").Funcs(template.FuncMap{"mark": mark, "groups": groups, "of": func(g group, c Checklist) []Item { return g.of(c.Items) }}).Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>{{.Title}}</title>
<style>body{font:16px/1.4 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}h1{font-size:1.5em}h2{font-size:1.1em;border-bottom:1px solid #999}li{margin:.6em 0;list-style:none}ul{padding:0}pre{background:#f3f3f3;padding:.6em;white-space:pre-wrap;overflow-wrap:anywhere}.m{font-family:monospace}td,th{text-align:left;padding:.2em 1em .2em 0}@media print{section{break-after:page}}</style></head><body>
{{if .Summary}}<h1>{{.Title}}</h1><table><tr><th>Connection</th><th>Type</th><th>State</th></tr>{{range .Lists}}<tr><td>{{.Name}}</td><td>{{.TypeName}}</td><td>{{.State.Words}}</td></tr>{{end}}</table>{{end}}
{{range .Lists}}{{$c := .}}<section><h1>{{.Name}}</h1><p>{{.TypeName}}{{with .Place}}: {{.}}{{end}}<br>State: {{.State.Words}}. Made on {{.Made.UTC.Format "2 January 2006, 15:04 UTC"}}.</p>
{{range groups}}{{with of . $c}}{{else}}{{continue}}{{end}}<h2>{{.Title}}</h2><ul>{{range of . $c}}<li><span class="m">{{mark .State}}</span> <b>{{.Title}}</b>{{with .Text}}<br>{{.}}{{end}}{{with .Copy}}<pre>{{.}}</pre>{{end}}</li>{{end}}</ul>{{end}}</section>
{{end}}</body></html>
`))

type sheet struct {
	Title   string
	Summary bool
	Lists   []Checklist
}

func (s sheet) html() []byte {
	for i := range s.Lists {
		s.Lists[i] = s.Lists[i].clean()
	}
	var b bytes.Buffer
	if err := page.Execute(&b, s); err != nil {
		return []byte("<!DOCTYPE html><title>Jackfield</title><p>This page could not be made.</p>")
	}
	return b.Bytes()
}

// clean is c without signs that turn text around.
func (c Checklist) clean() Checklist {
	c.Name, c.TypeName, c.Place = line(c.Name), line(c.TypeName), line(c.Place)
	c.Items = slices.Clone(c.Items)
	for i := range c.Items {
		c.Items[i].Title, c.Items[i].Text = line(c.Items[i].Title), line(c.Items[i].Text)
	}
	return c
}

// HTML is one page to print, without scripts and without anything from elsewhere.
func (c Checklist) HTML() []byte { return sheet{Title: line(c.Name), Lists: []Checklist{c}}.html() }

// A Summary is about several connections.
type Summary struct {
	Counts map[Overall]int `json:"counts"`
	Lists  []Checklist     `json:"connections"`
}

// All sums several checklists up, those with the most to do first.
func All(list []Checklist) Summary {
	s := Summary{Counts: map[Overall]int{}, Lists: slices.Clone(list)}
	order := []Overall{IsWrong, IsIncomplete, IsPartial, IsUntested, IsLinked}
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
		todo := len(group{states: []State{Wrong, Missing}}.of(c.Items))
		_, _ = fmt.Fprintf(&b, "%-32s %-32s %s", line(c.Name), line(c.TypeName), c.State.Words())
		if todo > 0 {
			_, _ = fmt.Fprintf(&b, " (%d to put right)", todo)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// HTML is one page with the summary and every checklist.
func (s Summary) HTML() []byte {
	return sheet{Title: "Connections", Summary: true, Lists: slices.Clone(s.Lists)}.html()
}

package report

import (
	"fmt"
	"html"
	"strings"

	"jackfield/connectors"
)

// style is for the screen, light and dark, and for paper. On paper everything is
// unfolded.
const style = `:root{color-scheme:light dark;--ink:#1b1f24;--soft:#545c66;--line:#e4e7eb;--paper:#fff;--block:#f6f7f9;--ok:#14743d;--okb:#e4f5eb;--warn:#8f5600;--warnb:#fdf1dc;--bad:#b3262a;--badb:#fce9e9;--idleb:#eef0f3}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#a9b0ba;--line:#2c3036;--paper:#1b1d21;--block:#22252a;--ok:#6bd396;--okb:#1c3527;--warn:#edbb62;--warnb:#3a2e17;--bad:#ff9c9e;--badb:#402325;--idleb:#2e3238}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
main{max-width:72rem;margin:0 auto;padding:2rem 1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .2rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.8rem 0 .4rem;padding-bottom:.25rem;border-bottom:2px solid var(--line)}
p{margin:.15rem 0;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.answer{margin:1rem 0;padding:.8rem 1rem;background:var(--block);border:1px solid var(--line);border-radius:8px;font-size:1.05rem}
.note{margin:.3rem 0;padding:.35rem .7rem;background:var(--warnb);color:var(--warn);border-radius:6px}
.all{background:var(--okb);color:var(--ok)}
table{width:100%;border-collapse:collapse}
td,th{padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}
.n{text-align:right}
details,.leaf{margin-left:1.15rem}
.tree>details,.tree>.leaf{margin-left:0}
summary{cursor:pointer}
summary,.leaf{padding:.12rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.leaf{padding-left:1rem}
.name{font-weight:600}
.kind,.facts,.why{color:var(--soft)}
.kind{margin:0 .4rem}
.why{display:block;font-size:.9rem}
.right{display:inline-block;padding:0 .55rem;border-radius:1rem;font-size:.82rem;white-space:nowrap;background:var(--idleb);color:var(--soft)}
.right::before{content:"";display:inline-block;width:.5em;height:.5em;margin-right:.4em;border-radius:50%;background:currentColor}
.readable{background:var(--okb);color:var(--ok)}.partly{background:var(--warnb);color:var(--warn)}.denied{background:var(--badb);color:var(--bad)}
.rows{width:auto;margin:.3rem 0 .5rem;font-size:.85rem}.rows td,.rows th{padding:.15rem .7rem .15rem 0}
@page{margin:16mm 14mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--block:#fff;--ok:#000;--okb:#fff;--warn:#000;--warnb:#fff;--bad:#000;--badb:#fff;--idleb:#fff}
body{font-size:9.5pt}main{max-width:none;padding:0}h2{break-after:avoid}tr,.leaf,summary{break-inside:avoid}.right{border:1px solid #444}
details::details-content{content-visibility:visible;block-size:auto}}`

// unfolded is up to how many nodes a page opens all of its tree.
const unfolded = 400

// A writer writes a page by hand: with a template in the program, the linker keeps
// every exported method of every library. Everything that is not markup goes
// through text, and nothing is put into an attribute but words of this package.
type writer struct{ strings.Builder }

func (w *writer) raw(v string)  { w.WriteString(v) }
func (w *writer) text(v string) { w.WriteString(html.EscapeString(connectors.Clean(v, 0))) }

// tag writes one element with text alone in it; nothing for an empty text.
func (w *writer) tag(name, class, v string) {
	if v == "" {
		return
	}
	w.raw("<" + name)
	if class != "" {
		w.raw(` class="` + class + `"`)
	}
	w.raw(">")
	w.text(v)
	w.raw("</" + name + ">\n")
}

// page is a whole page that needs nothing from elsewhere and runs nothing: it can
// be mailed, and opened by anybody.
func page(title string, body func(w *writer)) []byte {
	w := &writer{}
	w.raw(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><meta name="referrer" content="no-referrer">
`)
	w.tag("title", "", title)
	w.raw("<style>" + style + "</style></head>\n<body><main>\n")
	body(w)
	w.raw("</main></body></html>\n")
	return []byte(w.String())
}

func (w *writer) right(a connectors.Access) {
	word := accessWord(a)
	w.raw(` <span class="right ` + word + `">` + word + "</span> ")
}

// HTML is one page to send or print.
func (r *Report) HTML() []byte {
	return page(r.title(), func(w *writer) {
		w.tag("h1", "", r.title())
		w.tag("p", "", r.About.place())
		w.tag("p", "soft", fmt.Sprintf("%s, in %d ms. %s at the most, %s deep.", stamp(r.Made), r.TookMS, things("thing", r.Options.Most), things("level", r.Options.Depth)))
		w.facts(r.Account)
		class := "note"
		if r.Complete {
			class += " all"
		}
		w.tag("p", class, r.completeWord())
		for _, s := range r.stopWords() {
			w.tag("p", "note", s)
		}
		w.totals(r.Totals)
		w.tag("h2", "", "Everything, as a tree")
		w.raw(`<div class="tree">` + "\n")
		w.tree(r.Nodes)
		w.raw("</div>\n")
	})
}

func (w *writer) facts(list []connectors.Fact) {
	if len(list) == 0 {
		return
	}
	w.tag("h2", "", "The account")
	w.raw("<table>\n")
	for _, f := range list {
		w.raw("<tr>")
		w.tag("th", "", f.Label)
		w.tag("td", "", f.Text)
		w.raw("</tr>\n")
	}
	w.raw("</table>\n")
}

func (w *writer) totals(list []Total) {
	if len(list) == 0 {
		return
	}
	w.tag("h2", "", "How much")
	w.raw("<table>\n<tr><th>Kind</th><th class=\"n\">All</th><th class=\"n\">Readable</th><th class=\"n\">Partly</th><th class=\"n\">Denied</th><th class=\"n\">Unknown</th></tr>\n")
	for _, t := range list {
		w.raw("<tr>")
		w.tag("td", "", orThing(t.Kind))
		for _, n := range []int{t.Count, t.Readable, t.Listed, t.Denied, t.Unknown} {
			w.tag("td", "n", fmt.Sprint(n))
		}
		w.raw("</tr>\n")
	}
	w.raw("</table>\n")
}

// tree writes nodes that stand as a tree is read.
func (w *writer) tree(nodes []Node) {
	open := 0
	for i, n := range nodes {
		depth := len(n.Path)
		for ; open >= depth; open-- {
			w.raw("</details>\n")
		}
		if i+1 == len(nodes) || len(nodes[i+1].Path) <= depth {
			w.raw(`<div class="leaf">`)
			w.node(n)
			w.raw("</div>\n")
			continue
		}
		w.raw("<details")
		if len(nodes) <= unfolded || depth == 1 {
			w.raw(" open")
		}
		w.raw("><summary>")
		w.node(n)
		w.raw("</summary>\n")
		open = depth
	}
	for ; open > 0; open-- {
		w.raw("</details>\n")
	}
}

func (w *writer) node(n Node) {
	w.span("name", connectors.Clean(n.Name(), longestName))
	w.span("kind", n.Kind)
	w.right(n.Access)
	w.span("facts", factWords(n.Facts))
	if note := n.Below.note(); note != "" {
		w.span("why", note)
	}
	if n.Why != nil && n.Why.Reason != Itself {
		w.span("why", n.Why.Text())
	}
	if n.Sample == nil {
		w.span("why", columnWords(n.Columns))
		return
	}
	w.sample(n)
}

func (w *writer) span(class, v string) {
	if v != "" {
		w.raw(`<span class="` + class + `">`)
		w.text(v)
		w.raw("</span>")
	}
}

func (w *writer) sample(n Node) {
	if n.Sample.Problem != nil {
		w.span("why", n.Sample.Problem.Title)
		return
	}
	w.raw(`<table class="rows"><tr>`)
	for _, c := range n.Columns {
		w.tag("th", "", c.Name)
	}
	w.raw("</tr>\n")
	for _, row := range n.Sample.Rows {
		w.raw("<tr>")
		for _, c := range row {
			w.raw("<td>")
			w.text(c)
			w.raw("</td>")
		}
		w.raw("</tr>\n")
	}
	w.raw("</table>\n")
	w.span("why", n.Sample.Note)
}

// HTML is one page to send or print. What is the same is counted.
func (d *Difference) HTML() []byte {
	title := d.A.Label + " and " + d.B.Label
	return page(title, func(w *writer) {
		w.tag("h1", "", title)
		w.tag("p", "answer", d.Line)
		w.raw("<table>\n<tr><th></th><th>Connection</th><th>Leads to</th><th>Account</th><th>When</th><th class=\"n\">Things</th></tr>\n")
		for n, s := range []Side{d.A, d.B} {
			w.raw("<tr>")
			w.tag("td", "", string(rune('A'+n)))
			for _, v := range []string{s.Label, s.About.place(), account(s.Account), stamp(s.Made)} {
				w.raw("<td>")
				w.text(v)
				w.raw("</td>")
			}
			w.tag("td", "n", fmt.Sprint(s.Nodes))
			w.raw("</tr>\n")
		}
		w.raw("</table>\n")
		for _, n := range d.openly() {
			w.tag("p", "note", n)
		}
		for _, what := range Whats() {
			w.differences(d, what)
		}
	})
}

func account(facts []connectors.Fact) string {
	for _, f := range facts {
		if f.Label == "Account" {
			return f.Text
		}
	}
	return ""
}

func (w *writer) differences(d *Difference, what What) {
	if d.Counts[what] == 0 {
		return
	}
	w.tag("h2", "", fmt.Sprintf("%s: %d", d.whatWord(what), d.Counts[what]))
	if what == Same {
		w.tag("p", "soft", "Both see these, with the same rights.")
		return
	}
	w.raw("<table>\n<tr><th>What</th><th>Kind</th>")
	w.tag("th", "", d.A.Label)
	w.tag("th", "", d.B.Label)
	w.raw("</tr>\n")
	list, below := d.weighed(what)
	for n, i := range list {
		w.raw("<tr><td>")
		w.span("name", Place(i.Path))
		if below[n] > 0 {
			w.span("why", "and "+things("thing", below[n])+" below it")
		}
		w.span("why", i.reason())
		w.span("why", changeWords(i.Changes))
		w.raw("</td>")
		w.tag("td", "", orThing(i.Kind))
		a, b := i.sides()
		for _, side := range []struct {
			word string
			seen *Seen
		}{{a, i.A}, {b, i.B}} {
			w.raw("<td>")
			if side.seen != nil {
				w.right(side.seen.Access)
			} else {
				w.span("right", side.word)
			}
			w.raw("</td>")
		}
		w.raw("</tr>\n")
	}
	w.raw("</table>\n")
}

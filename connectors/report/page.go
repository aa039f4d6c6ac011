package report

import (
	"fmt"

	"jackfield/connectors"
	"jackfield/connectors/internal/htmlpage"
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

// A writer knows the parts of the pages.
type writer struct{ *htmlpage.Writer }

func page(title string, body func(w writer)) []byte {
	return htmlpage.Page(title, style, func(w *htmlpage.Writer) {
		w.Markup("<main>\n")
		body(writer{w})
		w.Markup("</main>")
	})
}

func (w writer) right(a connectors.Access) {
	word := accessWord(a)
	w.Markup(" ")
	w.Span("right "+word, word)
	w.Markup(" ")
}

// HTML is one page to send or print.
func (r *Report) HTML() []byte {
	return page(r.title(), func(w writer) {
		w.Tag("h1", "", r.title())
		w.Tag("p", "", r.About.place())
		w.Tag("p", "soft", fmt.Sprintf("%s, in %d ms. %s at the most, %s deep.", stamp(r.Made), r.TookMS, things("thing", r.Options.Most), things("level", r.Options.Depth)))
		w.facts(r.Account)
		class := "note"
		if r.Complete {
			class += " all"
		}
		w.Tag("p", class, r.completeWord())
		for _, s := range r.stopWords() {
			w.Tag("p", "note", s)
		}
		w.totals(r.Totals)
		w.Tag("h2", "", "Everything, as a tree")
		w.Markup(`<div class="tree">` + "\n")
		w.tree(r.Nodes)
		w.Markup("</div>\n")
	})
}

func (w writer) facts(list []connectors.Fact) {
	if len(list) == 0 {
		return
	}
	w.Tag("h2", "", "The account")
	w.Markup("<table>\n")
	for _, f := range list {
		w.Markup("<tr>")
		w.Tag("th", "", f.Label)
		w.Tag("td", "", f.Text)
		w.Markup("</tr>\n")
	}
	w.Markup("</table>\n")
}

func (w writer) totals(list []Total) {
	if len(list) == 0 {
		return
	}
	w.Tag("h2", "", "How much")
	w.Markup("<table>\n<tr><th>Kind</th><th class=\"n\">All</th><th class=\"n\">Readable</th><th class=\"n\">Partly</th><th class=\"n\">Denied</th><th class=\"n\">Unknown</th></tr>\n")
	for _, t := range list {
		w.Markup("<tr>")
		w.Tag("td", "", orThing(t.Kind))
		for _, n := range []int{t.Count, t.Readable, t.Listed, t.Denied, t.Unknown} {
			w.Tag("td", "n", fmt.Sprint(n))
		}
		w.Markup("</tr>\n")
	}
	w.Markup("</table>\n")
}

// tree writes nodes that stand as a tree is read.
func (w writer) tree(nodes []Node) {
	open := 0
	for i, n := range nodes {
		depth := len(n.Path)
		for ; open >= depth; open-- {
			w.Markup("</details>\n")
		}
		if i+1 == len(nodes) || len(nodes[i+1].Path) <= depth {
			w.Markup(`<div class="leaf">`)
			w.node(n)
			w.Markup("</div>\n")
			continue
		}
		w.Markup("<details")
		if len(nodes) <= unfolded || depth == 1 {
			w.Markup(" open")
		}
		w.Markup("><summary>")
		w.node(n)
		w.Markup("</summary>\n")
		open = depth
	}
	for ; open > 0; open-- {
		w.Markup("</details>\n")
	}
}

func (w writer) node(n Node) {
	w.Span("name", connectors.Clean(n.Name(), longestName))
	w.Span("kind", n.Kind)
	w.right(n.Access)
	w.Span("facts", factWords(n.Facts))
	if note := n.Below.note(); note != "" {
		w.Span("why", note)
	}
	if n.Why != nil && n.Why.Reason != Itself {
		w.Span("why", n.Why.Text())
	}
	if n.Sample == nil {
		w.Span("why", columnWords(n.Columns))
		return
	}
	w.sample(n)
}

func (w writer) sample(n Node) {
	if n.Sample.Problem != nil {
		w.Span("why", n.Sample.Problem.Title)
		return
	}
	w.Markup(`<table class="rows"><tr>`)
	for _, c := range n.Columns {
		w.Tag("th", "", c.Name)
	}
	w.Markup("</tr>\n")
	for _, row := range n.Sample.Rows {
		w.Markup("<tr>")
		for _, c := range row {
			w.Markup("<td>")
			w.Text(c)
			w.Markup("</td>")
		}
		w.Markup("</tr>\n")
	}
	w.Markup("</table>\n")
	w.Span("why", n.Sample.Note)
}

// HTML is one page to send or print. What is the same is counted.
func (d *Difference) HTML() []byte {
	title := d.A.Label + " and " + d.B.Label
	return page(title, func(w writer) {
		w.Tag("h1", "", title)
		w.Tag("p", "answer", d.Line)
		w.Markup("<table>\n<tr><th></th><th>Connection</th><th>Leads to</th><th>Account</th><th>When</th><th class=\"n\">Things</th></tr>\n")
		for n, s := range []Side{d.A, d.B} {
			w.Markup("<tr>")
			w.Tag("td", "", string(rune('A'+n)))
			for _, v := range []string{s.Label, s.About.place(), account(s.Account), stamp(s.Made)} {
				w.Markup("<td>")
				w.Text(v)
				w.Markup("</td>")
			}
			w.Tag("td", "n", fmt.Sprint(s.Nodes))
			w.Markup("</tr>\n")
		}
		w.Markup("</table>\n")
		for _, n := range d.openly() {
			w.Tag("p", "note", n)
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

func (w writer) differences(d *Difference, what What) {
	if d.Counts[what] == 0 {
		return
	}
	w.Tag("h2", "", fmt.Sprintf("%s: %d", d.whatWord(what), d.Counts[what]))
	if what == Same {
		w.Tag("p", "soft", "Both see these, with the same rights.")
		return
	}
	w.Markup("<table>\n<tr><th>What</th><th>Kind</th>")
	w.Tag("th", "", d.A.Label)
	w.Tag("th", "", d.B.Label)
	w.Markup("</tr>\n")
	list, below := d.weighed(what)
	for n, i := range list {
		w.Markup("<tr><td>")
		w.Span("name", Place(i.Path))
		if below[n] > 0 {
			w.Span("why", "and "+things("thing", below[n])+" below it")
		}
		w.Span("why", i.reason())
		w.Span("why", changeWords(i.Changes))
		w.Markup("</td>")
		w.Tag("td", "", orThing(i.Kind))
		a, b := i.sides()
		for _, side := range []struct {
			word string
			seen *Seen
		}{{a, i.A}, {b, i.B}} {
			w.Markup("<td>")
			if side.seen != nil {
				w.right(side.seen.Access)
			} else {
				w.Span("right", side.word)
			}
			w.Markup("</td>")
		}
		w.Markup("</tr>\n")
	}
	w.Markup("</table>\n")
}

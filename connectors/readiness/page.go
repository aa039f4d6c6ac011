package readiness

import (
	"fmt"
	"slices"
	"strings"

	"jackfield/connectors"
	"jackfield/connectors/internal/htmlpage"
)

// style is for the screen, light and dark, and for paper. A box is drawn, so that
// it can be ticked with a pen.
const style = `:root{color-scheme:light dark;--ink:#1c2430;--soft:#56606e;--line:#d5dbe3;--paper:#fff;--block:#f3f5f8;--bad:#b3261e;--look:#8a5a00;--good:#1b6e3c}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf1;--soft:#a7b0bd;--line:#3a4350;--paper:#161b22;--block:#222a34;--bad:#ff8a80;--look:#f2c26b;--good:#7fd6a0}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif}
main{max-width:48rem;margin:0 auto;padding:2rem 1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .2rem;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.8rem 0 .2rem;padding-bottom:.25rem;border-bottom:2px solid var(--line)}
p{margin:.15rem 0;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.state{display:inline-block;margin-top:.6rem;padding:.1rem .6rem;border:1px solid currentColor;border-radius:1rem;font-size:.9rem}
.wrong,.incomplete{color:var(--bad)}.warning,.partial{color:var(--look)}.done,.linked{color:var(--good)}
ul{list-style:none;margin:0;padding:0}
li{display:flex;gap:.7rem;padding:.5rem 0;border-bottom:1px solid var(--line)}
li:last-child{border-bottom:0}
li>div{flex:1;min-width:0}
.box{flex:none;width:1.05rem;height:1.05rem;margin-top:.2rem;border:1.5px solid var(--soft);border-radius:3px;font:700 .85rem/1 sans-serif;text-align:center}
.box.done{border-color:currentColor}
.box.none{border-color:transparent}
.title{font-weight:600}
.tag{margin-left:.5rem;font-size:.8rem;font-weight:400;white-space:nowrap}
pre{margin:.5rem 0 .2rem;padding:.6rem .8rem;background:var(--block);border:1px solid var(--line);border-radius:5px;font:.82rem/1.45 ui-monospace,"DejaVu Sans Mono",Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
table{width:100%;margin-top:1rem;border-collapse:collapse}
td,th{padding:.45rem .8rem .45rem 0;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:600}
section+section,.all+section{margin-top:3rem;padding-top:2rem;border-top:4px double var(--line)}
@page{margin:18mm 16mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--block:#fff;--bad:#000;--look:#000;--good:#000}
body{font-size:10.5pt}main{max-width:none;padding:0}h2{break-after:avoid}li,tr{break-inside:avoid}
section+section,.all+section{break-before:page;margin-top:0;padding-top:0;border-top:0}}`

// A writer knows the parts of the pages.
type writer struct{ *htmlpage.Writer }

func page(title string, body func(w writer)) []byte {
	return htmlpage.Page(title, style, func(w *htmlpage.Writer) {
		w.Markup("<main>\n")
		body(writer{w})
		w.Markup("</main>")
	})
}

func (w writer) checklist(c Checklist) {
	w.Markup("<section>\n")
	w.Tag("h1", "", c.Name)
	w.Tag("p", "", c.TypeName+when(c.Place, " · "))
	w.Tag("p", "soft", "Checklist of "+made(c))
	w.Tag("span", "state "+c.State.class(), upper(c.State.Words()))
	for _, g := range groups() {
		items := g.of(c.Items)
		if len(items) == 0 {
			continue
		}
		w.Tag("h2", "", g.Title)
		w.Markup("<ul>\n")
		for _, i := range items {
			w.item(i)
		}
		w.Markup("</ul>\n")
	}
	w.Markup("</section>\n")
}

func (w writer) item(i Item) {
	class, sign, tag := "", "", ""
	switch {
	case i.State == Done:
		class, sign = " done", "✓"
	case i.note():
		class = " none"
	case i.State == Wrong, i.State == Warning:
		tag = map[State]string{Wrong: "wrong", Warning: "to look at"}[i.State]
	}
	w.Markup("<li>")
	w.Open("span", "box"+class)
	w.Text(sign)
	w.Markup("</span><div><p>")
	w.Open("span", "title")
	w.Text(i.Title)
	w.Markup("</span>")
	w.Span("tag "+i.State.class(), tag)
	w.Markup("</p>\n")
	w.Tag("p", "", i.Text)
	w.Pre(i.Copy)
	w.Markup("</div></li>\n")
}

// class is the state where it is one of this package's: the style knows no other.
func (s State) class() string {
	if slices.Contains([]State{Done, Missing, Wrong, Warning, Untested, Theirs}, s) {
		return string(s)
	}
	return ""
}

func (o Overall) class() string {
	if o.Words() == "" {
		return ""
	}
	return string(o)
}

// upper has a first letter that is large.
func upper(v string) string {
	if v == "" {
		return v
	}
	return strings.ToUpper(v[:1]) + v[1:]
}

func made(c Checklist) string { return c.Made.UTC().Format("2 January 2006, 15:04 UTC") }

// clean is c without signs that turn text around.
func (c Checklist) clean() Checklist {
	c.Name, c.TypeName, c.Place = line(c.Name), line(c.TypeName), line(c.Place)
	c.Items = slices.Clone(c.Items)
	for i := range c.Items {
		item := &c.Items[i]
		item.Title, item.Text = line(item.Title), line(item.Text)
		var lines []string
		for l := range strings.Lines(item.Copy) {
			lines = append(lines, connectors.Clean(strings.TrimRight(l, "\r\n"), 20000))
		}
		item.Copy = strings.Join(lines, "\n")
	}
	return c
}

// HTML is one page to send or print.
func (c Checklist) HTML() []byte {
	c = c.clean()
	return page(c.Name, func(w writer) { w.checklist(c) })
}

// HTML is one page with the summary and every checklist, each on paper of its own.
func (s Summary) HTML() []byte {
	return page("Connections", func(w writer) {
		w.Markup("<div class=\"all\">\n")
		w.Tag("h1", "", "Connections")
		w.Tag("p", "soft", s.counted())
		w.Markup("<table>\n<tr><th>Connection</th><th>Type</th><th>State</th></tr>\n")
		for _, c := range s.Lists {
			c = c.clean()
			w.Markup("<tr>")
			w.Tag("td", "", c.Name)
			w.Tag("td", "", c.TypeName)
			w.Tag("td", c.State.class(), upper(c.State.Words())+c.todo())
			w.Markup("</tr>\n")
		}
		w.Markup("</table>\n</div>\n")
		for _, c := range s.Lists {
			w.checklist(c.clean())
		}
	})
}

// counted is how many there are of each state, the worst first.
func (s Summary) counted() string {
	var parts []string
	for _, o := range overalls() {
		if n := s.Counts[o]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, o.Words()))
		}
	}
	return upper(strings.Join(parts, " · "))
}

// todo is how many things there are to put right, in brackets.
func (c Checklist) todo() string {
	n := 0
	for _, i := range c.Items {
		if i.State == Wrong || i.State == Missing {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d to put right)", n)
}

package health

import (
	"fmt"
	"time"

	"jackfield/connectors"
	"jackfield/connectors/internal/htmlpage"
	"jackfield/connectors/link"
)

// style is for the screen and for paper.
const style = `
body { font: 14px/1.45 Inter, system-ui, sans-serif; color: #1B1F24; background: #fff; margin: 2em auto; max-width: 75em; padding: 0 1em }
h1 { font-size: 1.4em; margin: 0 0 .2em }
.muted, td small { color: #545C66 }
table { border-collapse: collapse; width: 100%; margin-top: 1.2em }
th { text-align: left; font-size: .85em; background: #F6F7F9; position: sticky; top: 0 }
th, td { padding: .45em .6em; border-bottom: 1px solid #E4E7EB; vertical-align: top }
td small { display: block }
td.number { text-align: right; white-space: nowrap }
.state { white-space: nowrap; font-weight: 600 }
.ok { color: #14743D } .partial { color: #8F5600 } .failed { color: #B3262A } .none { color: #545C66 }
.days { white-space: nowrap }
.days i { display: inline-block; width: 3px; margin-right: 1px; vertical-align: bottom; print-color-adjust: exact; -webkit-print-color-adjust: exact }
.days .none { height: 2px; background: #C5CAD1 } .days .ok { height: 9px; background: #188A49 }
.days .partial { height: 12px; background: #B86E00 } .days .failed { height: 16px; background: #D13438 }
@media print { body { margin: 0; max-width: none; font-size: 11px } tr { break-inside: avoid } th { position: static } }
`

// HTML is a page that needs nothing but itself, runs nothing, and can be printed.
// The error is always nil.
func HTML(rows []Row, now time.Time) ([]byte, error) {
	made := local(now)
	return htmlpage.Page("Health of connections, "+made, style, func(w *htmlpage.Writer) {
		w.Markup("\n<h1>Health of connections</h1>\n")
		counts := map[link.State]int{}
		for _, r := range rows {
			state, _, _ := r.look()
			counts[state]++
		}
		w.Tag("p", "muted", fmt.Sprintf("%s · %d linked · %d partly readable · %d need attention · %d prepared", made, counts[link.OK], counts[link.Partial], counts[link.Failed], counts[link.Prepared]))
		if len(rows) == 0 {
			w.Markup("<p>There are no connections.</p>\n")
			return
		}
		w.Markup("<table>\n<thead><tr><th>State</th><th>Name</th><th>Account</th><th>Last good check</th><th>Took</th><th>Expires</th><th>30 days</th></tr></thead>\n<tbody>\n")
		for _, r := range rows {
			r.write(w)
		}
		w.Markup("</tbody>\n</table>\n")
	}), nil
}

// look is the state, the word for it and its class; a state that is not known is
// prepared.
func (r Row) look() (state link.State, word, class string) {
	switch r.Connection.State {
	case link.OK:
		return link.OK, "Linked", "ok"
	case link.Partial:
		return link.Partial, "Partly readable", "partial"
	case link.Failed:
		return link.Failed, "Needs attention", "failed"
	}
	return link.Prepared, "Prepared", "none"
}

func (r Row) write(w *htmlpage.Writer) {
	c := r.Connection
	_, word, class := r.look()
	w.Markup("<tr>\n")
	w.Tag("td", "state "+class, word)
	w.Markup("<td>")
	w.Text(clean(c.Name))
	w.Markup("<small>")
	w.Text(clean(r.TypeName()))
	if place := clean(r.Type.Place(c.Plain)); place != "" {
		w.Text(" · " + place)
	}
	w.Markup("</small>")
	if c.Problem != nil {
		small(w, c.Problem.Title+" "+c.Problem.Hint)
	}
	small(w, r.HeldText())
	w.Markup("</td>\n")
	cell(w, clean(c.Account))
	cell(w, local(c.Checked))
	w.Open("td", "number")
	if ms := c.Took.Milliseconds(); ms != 0 {
		w.Text(fmt.Sprintf("%d ms", ms))
	}
	w.Markup("</td>\n")
	cell(w, local(r.Expires))
	w.Open("td", "days")
	for _, d := range r.Days {
		w.Open("i", d.String())
		w.Markup("</i>")
	}
	w.Markup("</td>\n</tr>\n")
}

func small(w *htmlpage.Writer, v string) {
	if v != "" {
		w.Markup("<small>")
		w.Text(v)
		w.Markup("</small>")
	}
}

// cell keeps its place in the row where it is empty.
func cell(w *htmlpage.Writer, v string) {
	w.Markup("<td>")
	w.Text(v)
	w.Markup("</td>\n")
}

func clean(s string) string { return connectors.Clean(s, 300) }

func local(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

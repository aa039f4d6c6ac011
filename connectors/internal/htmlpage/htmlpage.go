// Package htmlpage writes HTML pages by hand. With html/template in a program the
// linker keeps every exported method of every library, as templates look methods
// up by name: jf became 8 MB larger.
//
// What is markup and what is data is told apart by the compiler: markup is of a
// type without a name outside this package, so that only constants can be given
// for it. A string that is computed, read or received goes through Text, Tag, Span,
// Pre or Open, which escape it.
package htmlpage

import (
	"html"
	"strings"

	"jackfield/connectors"
)

// markup is what stands in the page as it is. Nothing exported returns one.
type markup string

const head markup = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><meta name="referrer" content="no-referrer">
`

// Page is a whole page that needs nothing from elsewhere and runs nothing: it can
// be mailed, and opened by anybody. Its policy forbids scripts, pictures, fonts and
// requests (https://www.w3.org/TR/CSP3/). style is a constant, the CSS of the page;
// body writes what stands in the body element.
func Page(title string, style markup, body func(w *Writer)) []byte {
	w := &Writer{}
	w.Markup(head)
	w.Tag("title", "", title)
	w.Markup("<style>")
	w.Markup(style)
	w.Markup("</style></head>\n<body>")
	body(w)
	w.Markup("</body></html>\n")
	return []byte(w.b.String())
}

// A Writer collects the text of one page, and is given by Page. It checks neither
// that elements are closed nor where they may stand.
type Writer struct{ b strings.Builder }

// Markup writes a constant as it is.
func (w *Writer) Markup(m markup) { w.b.WriteString(string(m)) }

// Text writes v where text or the value of an attribute in quotes stands: what
// acts instead of being seen becomes a mark (connectors.Clean), a line's end too,
// and < > & " ' are escaped.
func (w *Writer) Text(v string) { w.b.WriteString(html.EscapeString(connectors.Clean(v, 0))) }

// Open writes a start tag, with a class unless it is "".
func (w *Writer) Open(name markup, class string) {
	w.Markup("<" + name)
	if class != "" {
		w.Markup(` class="`)
		w.Text(class)
		w.Markup(`"`)
	}
	w.Markup(">")
}

// Tag writes an element with text alone in it and ends the line; nothing for an
// empty text.
func (w *Writer) Tag(name markup, class, v string) {
	if v == "" {
		return
	}
	w.Open(name, class)
	w.Text(v)
	w.Markup("</" + name + ">\n")
}

// Span writes text within a line; nothing for an empty text.
func (w *Writer) Span(class, v string) {
	if v == "" {
		return
	}
	w.Open("span", class)
	w.Text(v)
	w.Markup("</span>")
}

// Pre writes text whose lines stay lines, without the empty ones at its end;
// nothing for an empty text.
func (w *Writer) Pre(v string) {
	v = strings.TrimRight(v, "\r\n")
	if v == "" {
		return
	}
	w.Markup("<pre>")
	for i, line := range strings.Split(v, "\n") {
		if i > 0 {
			w.Markup("\n")
		}
		w.Text(strings.TrimSuffix(line, "\r"))
	}
	w.Markup("</pre>\n")
}

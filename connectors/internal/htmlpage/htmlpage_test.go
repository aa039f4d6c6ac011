package htmlpage_test

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"jackfield/connectors/internal/htmlpage"
)

const style = "p{color:red}"

// hostile is what somebody would write who wants more than text, and as what it is
// seen: "" for as it is.
var hostile = map[string]string{
	`<script>alert(1)</script>`:                                 "",
	`</title></style></pre></span><img src=x onerror=alert(1)>`: "",
	`" onmouseover="alert(1)`:                                   "",
	`' onmouseover='alert(1)`:                                   "",
	`x" style="background:url(//evil.example)`:                  "",
	`<!--`:                  "",
	`]]>`:                   "",
	`<svg/onload=alert(1)>`: "",
	`&lt;script&gt;`:        "",
	`&#60;b&#62;`:           "",
	`&`:                     "",
	`javascript:alert(1)`:   "",
	`＜script＞`:              "",
	"\u202eevil\u2066":      "�evil�",
	"\x00<b>\x1b[31m":       "␀<b>␛[31m",
	"\xff<\xc0\xbc":         "�<��",
	"a\nb":                  "a␊b",
}

// write uses everything a Writer has, with v everywhere.
func write(v string) string {
	return string(htmlpage.Page(v, style, func(w *htmlpage.Writer) {
		w.Text(v)
		w.Tag("p", v, v)
		w.Open("div", v)
		w.Markup(`<a title="`)
		w.Text(v)
		w.Markup(`">x</a></div>`)
		w.Span(v, v)
		w.Pre(v)
	}))
}

// An outline is the elements of a page with the names of their attributes, and
// all that stands as text or as a value.
func outline(t *testing.T, page string) (shape, values []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			values = append(values, n.Data)
			continue
		}
		line := n.Data
		for _, a := range n.Attr {
			line += " " + a.Key
			values = append(values, a.Val)
		}
		shape = append(shape, line)
	}
	return shape, values
}

func TestDataStaysData(t *testing.T) {
	want, _ := outline(t, write("plain"))
	for v, seen := range hostile {
		page := write(v)
		shape, values := outline(t, page)
		if !reflect.DeepEqual(shape, want) {
			t.Errorf("%q makes the elements\n%q, want\n%q", v, shape, want)
		}
		if strings.ContainsAny(page, "\u202e\u2066\x00\x1b") || strings.Contains(page, "\xff") {
			t.Errorf("%q: a sign that acts is in the page", v)
		}
		if seen == "" {
			seen = v
		}
		shown, times := 0, 9 // as text in the title, the body, p, span and pre; as a value in p, div, a and span
		if strings.Contains(v, "\n") {
			times-- // the pre keeps lines
		}
		for _, s := range values {
			if strings.TrimSpace(s) == seen {
				shown++
			}
		}
		if shown != times {
			t.Errorf("%q is there %d times, want %d: %q", v, shown, times, values)
		}
	}
}

func TestAPageRunsAndLoadsNothing(t *testing.T) {
	page := write("plain")
	for _, must := range []string{`http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"`, `charset="utf-8"`, `content="no-referrer"`, "<style>" + style + "</style>", "<title>plain</title>"} {
		if !strings.Contains(page, must) {
			t.Errorf("no %s in %s", must, page)
		}
	}
	if at, body := strings.Index(page, "Content-Security-Policy"), strings.Index(page, "<title>"); at > body {
		t.Error("the policy comes after what it is for")
	}
	if !strings.HasPrefix(page, "<!DOCTYPE html>\n") || !strings.HasSuffix(page, "</body></html>\n") {
		t.Errorf("not a whole page: %s", page)
	}
}

func TestWhatIsEmptyIsNotThere(t *testing.T) {
	if page := write(""); regexp.MustCompile(`<(title|p|span|pre)\b|class=`).MatchString(page) {
		t.Error(page)
	}
}

func TestLinesOfPreformattedText(t *testing.T) {
	page := string(htmlpage.Page("", "", func(w *htmlpage.Writer) { w.Pre("\ta <b>\r\n\n  c\x1b\n\r\n") }))
	if want := "<pre>␉a &lt;b&gt;\n\n  c␛</pre>\n"; !strings.Contains(page, want) {
		t.Errorf("%q is not in %q", want, page)
	}
}

// Markup can be a constant alone: no exported method takes a string where it does
// not escape, and nothing exported hands out the type that is not escaped.
func TestMarkupCannotBeMadeOfData(t *testing.T) {
	text, w := reflect.TypeFor[string](), reflect.TypeFor[*htmlpage.Writer]()
	markup := reflect.TypeOf(htmlpage.Page).In(1)
	if markup == text || markup.PkgPath() == "" || strings.ToLower(markup.Name()) != markup.Name() {
		t.Errorf("markup is %s, which others can make", markup)
	}
	for m := range w.Methods() {
		if m.Type.NumOut() != 0 {
			t.Errorf("%s hands something out", m.Name)
		}
		if name := m.Name; name == "Markup" && m.Type.In(1) != markup || name == "WriteString" || name == "Write" {
			t.Errorf("%s writes what is not escaped", name)
		}
	}
}

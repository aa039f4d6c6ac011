// Package addresses understands connection addresses and connection strings as
// they are pasted: URLs, JDBC, ODBC, ADO.NET, libpq, Oracle and Azure strings,
// UNC paths and the web addresses of services. It works on the text alone: no
// name is looked up and no file is read.
package addresses

import (
	"strconv"
	"strings"
	"unicode"

	"jackfield/connectors"
	"jackfield/connectors/intake/internal/part"
)

const (
	// maxText is the largest input that may be an address, in bytes.
	maxText = 1 << 20
	// maxLine is the longest single address; JDBC and SAS links with everything in
	// them stay below a tenth of it.
	maxLine = 64 << 10
	// maxLines bounds how many addresses one input may have.
	maxLines = 1000
)

// An outcome is what one address came to. Without readings it names something
// that there is no connection type for, and left says so.
type outcome struct {
	what     string // "a PostgreSQL address"
	readings []part.Reading
	name     string
	left     []part.Left
}

// A reader makes readings of the types that may be proposed.
type reader struct {
	types []connectors.Type
	web   []anchor          // hosts of services, once they were asked for
	list  []listing         // see listings
	known map[string]family // by scheme, once they were asked for
}

// Read understands an input that is one address, or has one on each line;
// empty lines and lines that begin with # do not count. Anything else, and
// input above 1 MB, is not its.
func Read(in part.Input) (part.Found, bool) {
	text := strings.TrimSpace(in.Text)
	if text == "" || len(in.Data) > maxText || len(text) > maxText {
		return part.Found{}, false
	}
	r := &reader{types: in.Types}
	if found, ok := r.lines(text); ok {
		return found, true
	}
	if len(text) > maxLine {
		return part.Found{}, false
	}
	if entries := tnsEntries(text); len(entries) > 1 {
		return r.each(entries)
	}
	if !strings.Contains(text, "\n") || !foldable(text) {
		return part.Found{}, false
	}
	out, ok := r.read(strings.Join(strings.Fields(text), " "))
	return single(out), ok
}

// foldable reports whether a text on several lines can be one address: those
// made of pairs are often wrapped, others never.
func foldable(text string) bool {
	return strings.ContainsAny(text, ";(") || strings.Count(text, "=") > 1
}

func single(out outcome) part.Found {
	found := part.Found{What: out.what, Left: out.left}
	if len(out.readings) > 0 {
		found.Items = []part.Item{{Name: out.name, Readings: out.readings}}
	}
	return found
}

// A placed address is one of several.
type placed struct{ where, text string }

// lines reads an address from each line; false when a line is none.
func (r *reader) lines(text string) (part.Found, bool) {
	var list []placed
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if len(list) == maxLines || len(line) > maxLine {
			return part.Found{}, false
		}
		list = append(list, placed{"line " + strconv.Itoa(number), line})
	}
	return r.each(list)
}

// each reads all of the addresses; false when one of them is none.
func (r *reader) each(list []placed) (part.Found, bool) {
	if len(list) == 1 {
		out, ok := r.read(list[0].text)
		return single(out), ok
	}
	found := part.Found{What: strconv.Itoa(len(list)) + " addresses"}
	for _, p := range list {
		out, ok := r.read(p.text)
		if !ok {
			return part.Found{}, false
		}
		if len(out.readings) == 0 {
			found.Left = append(found.Left, part.Left{Name: p.where, Why: "This is " + out.what + ". " + whyNoType})
			continue
		}
		found.Items = append(found.Items, part.Item{Name: out.name, Where: p.where, Readings: out.readings})
	}
	return found, len(list) > 0
}

// Parse understands one address. It is false also for addresses that are
// recognized but that no type of types can open; Read tells these apart.
func Parse(types []connectors.Type, text string) (part.Item, bool) {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxLine {
		return part.Item{}, false
	}
	out, ok := (&reader{types: types}).read(text)
	if !ok || len(out.readings) == 0 {
		return part.Item{}, false
	}
	return part.Item{Name: out.name, Readings: out.readings}, true
}

// read understands one address. Nothing with control characters is one.
func (r *reader) read(text string) (outcome, bool) {
	text = unquoted(strings.TrimSpace(text))
	if text == "" || strings.IndexFunc(text, unicode.IsControl) >= 0 {
		return outcome{}, false
	}
	for _, form := range []func(string) (outcome, bool){r.jdbc, r.unc, r.url, r.tns, r.keywords, r.pairs, r.plain} {
		if out, ok := form(text); ok {
			return out, true
		}
	}
	return outcome{}, false
}

// unquoted takes off what mails, shells and source code put around an address.
func unquoted(text string) string {
	for _, q := range []string{`""`, "''", "<>", "``"} {
		if len(text) > 2 && text[0] == q[0] && text[len(text)-1] == q[1] && strings.Count(text, q[:1]) <= 2 {
			return strings.TrimSpace(text[1 : len(text)-1])
		}
	}
	return text
}
